"""Packed tiles: the very tiles of the layer in one file, written once, asked for again cheaply, and never too many."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pmtiles.reader import MemorySource, Reader

from catalog.legend import Legend
from catalog.store import ANONYMOUS
from tests.tiles.conftest import TileCommons
from tiles.drawing.sheets import LayerSheet, find_matrix_set
from tiles.drawing.style import choose_style
from tiles.errors import Busy
from tiles.packing import choose_finest
from tiles.reading.pool import DatasetPool
from tiles.routes.archives import ArchiveFolder
from tiles.routes.layer import LayerIndex

CHECKSUM = "1220" + "ab" * 32
ARCHIVE = "tiles.pmtiles"


@pytest.fixture
def url(commons: TileCommons, land_cover: NDArray[np.uint8], legend: Legend) -> str:
    return commons.add_layer("land-cover", "a", land_cover, legend=legend, checksum=CHECKSUM)


@pytest.fixture
def sheet(commons: TileCommons, url: str) -> LayerSheet:
    layer = LayerIndex(commons.store, lambda href: str(commons.root / href)).find(ANONYMOUS, "land-cover", "a")  # type: ignore[arg-type]
    return LayerSheet(layer, choose_style(layer, None))


def kept(commons: TileCommons) -> list[Path]:
    return sorted((commons.root / "packed").glob("*"))


def test_archive_holds_the_tiles_of_the_layer_from_the_world_to_the_cell(commons: TileCommons, url: str) -> None:
    answer = commons.get(f"{url}/{ARCHIVE}")
    assert answer.headers["content-type"] == "application/vnd.pmtiles"
    archive = Reader(MemorySource(answer.content))
    head = archive.header()
    assert head["min_zoom"] == 0
    box = [head[f"{edge}_e7"] / 1e7 for edge in ("min_lon", "min_lat", "max_lon", "max_lat")]
    found = 0
    for tile in find_matrix_set("WebMercatorQuad").tiles(*box, zooms=[0, head["max_zoom"]]):
        packed = archive.get(tile.z, tile.x, tile.y)
        seen = commons.get(f"{url}/tiles/WebMercatorQuad/{tile.z}/{tile.x}/{tile.y}.png").content
        assert packed == seen or (packed is None and len(seen) < 200)
        found += packed is not None
    assert found > 1
    native = commons.get(f"{url}/WebMercatorQuad/tilejson.json").json()["maxzoom"] - 2
    assert head["max_zoom"] == native + 1


def test_styles_of_a_layer_are_archives_of_their_own(commons: TileCommons, url: str) -> None:
    plain, grey = (commons.get(f"{url}/{ARCHIVE}?style={style}") for style in ("legend", "greyscale"))
    assert plain.headers["etag"] != grey.headers["etag"]
    assert plain.content != grey.content
    assert len(kept(commons)) == 2
    commons.get(f"{url}/{ARCHIVE}?style=neon", 400)


def test_archive_is_written_once_and_asked_for_again_cheaply(commons: TileCommons, url: str) -> None:
    first = commons.get(f"{url}/{ARCHIVE}")
    (path,) = kept(commons)
    written = path.stat().st_mtime_ns
    head = commons.client.head(f"{url}/{ARCHIVE}")
    assert int(head.headers["content-length"]) == len(first.content) == path.stat().st_size
    part = commons.get(f"{url}/{ARCHIVE}", 206, headers={"Range": "bytes=0-6", "Accept-Encoding": "gzip"})
    assert part.content == b"PMTiles"
    commons.get(f"{url}/{ARCHIVE}", 304, headers={"If-None-Match": first.headers["etag"]})
    assert path.stat().st_mtime_ns == written


def test_who_has_the_archive_needs_none_to_be_written(commons: TileCommons, url: str) -> None:
    commons.get(f"{url}/{ARCHIVE}", 304, headers={"If-None-Match": "*"})
    assert kept(commons) == []


def test_the_version_in_tilejson_is_kept_for_good(commons: TileCommons, url: str) -> None:
    (template,) = commons.get(f"{url}/WebMercatorQuad/tilejson.json").json()["tiles"]
    version = template.partition("?v=")[2]
    assert commons.get(f"{url}/{ARCHIVE}").headers["cache-control"] == "public, max-age=300"
    assert "immutable" in commons.get(f"{url}/{ARCHIVE}?v={version}").headers["cache-control"]


def test_what_is_hidden_has_no_archive_and_its_owner_gets_a_private_one(
    commons: TileCommons, land_cover: NDArray[np.uint8], legend: Legend
) -> None:
    hidden = {"landscape:access": "private"}
    url = commons.add_layer("land-cover", "hidden", land_cover, legend=legend, checksum=CHECKSUM, **hidden)
    commons.get(f"{url}/{ARCHIVE}", 404)
    assert kept(commons) == []
    own = commons.get(f"{url}/{ARCHIVE}", headers={"authorization": "owner"})
    assert own.headers["cache-control"].startswith("private")
    commons.get(f"{url}/{ARCHIVE}", 404)


def test_layer_of_which_nobody_could_tell_that_it_changed_is_not_packed(
    commons: TileCommons, land_cover: NDArray[np.uint8], legend: Legend
) -> None:
    url = commons.add_layer("land-cover", "b", land_cover, legend=legend)
    assert "no checksum" in commons.get(f"{url}/{ARCHIVE}", 400).json()["detail"]


def test_layer_without_anything_to_see_still_has_an_archive(commons: TileCommons, legend: Legend) -> None:
    nothing = np.zeros((300, 300), np.uint8)
    url = commons.add_layer("land-cover", "nothing", nothing, legend=legend, checksum=CHECKSUM)
    head = Reader(MemorySource(commons.get(f"{url}/{ARCHIVE}").content)).header()
    assert head["addressed_tiles_count"] == 1


def test_a_large_layer_is_packed_coarser(sheet: LayerSheet) -> None:
    coverage = sheet.cover(find_matrix_set("WebMercatorQuad"), DatasetPool())
    fine = coverage.native_zooms[1] + 1
    tiles = [
        sum(1 for _ in find_matrix_set("WebMercatorQuad").tiles(*coverage.bounds, zooms=[z])) for z in range(fine + 1)
    ]
    assert choose_finest(coverage, 1_000_000) == fine
    assert choose_finest(coverage, sum(tiles)) == fine
    assert choose_finest(coverage, sum(tiles) - 1) == fine - 1
    assert choose_finest(coverage, 1) == 0


def test_archives_that_were_not_asked_for_the_longest_make_room(sheet: LayerSheet, tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    whole = ArchiveFolder(folder)
    first, second = (whole.fetch(f'"{name}"', sheet, ()) for name in ("first", "second"))
    size = first.stat().st_size
    leftover = folder / "of-a-killed-server"
    leftover.write_bytes(b"half")
    for path, asked in ((leftover, 1), (second, 2), (first, 3)):
        os.utime(path, (asked, asked))
    third = ArchiveFolder(folder, most_bytes=2 * size).fetch('"third"', sheet, ())
    assert sorted(folder.iterdir()) == sorted([first, third])


def test_disk_without_room_is_said_without_a_path(sheet: LayerSheet, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(Busy, match="no room") as caught:
        ArchiveFolder(tmp_path / "file" / "folder").fetch('"tag"', sheet, ())
    assert str(tmp_path) not in str(caught.value)
