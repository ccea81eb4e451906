"""PMTiles hold the very tiles that the server draws, and none that are empty."""

from __future__ import annotations

import shutil
from pathlib import Path

import morecantile
import pytest
from fastapi.testclient import TestClient
from pmtiles.reader import MemorySource, Reader
from pmtiles.tile import Compression, TileType, zxy_to_tileid

import datacommons as dc
from datacommons.door.server import create_app
from tests.commands import command

TMS = morecantile.tms.get("WebMercatorQuad")


@pytest.fixture
def root(lived_in: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(lived_in, tmp_path / "valley"))


def test_every_tile_is_that_of_the_server(root: Path, tmp_path: Path) -> None:
    done = command("tiles", "pack", "valley-roads-1", "--folder", tmp_path / "out", "--max-zoom", "15", folder=root)
    assert done.code == 0, done.err
    files = sorted((tmp_path / "out").iterdir())
    assert [file.name for file in files] == ["valley-roads-1-2001.pmtiles", "valley-roads-1-2002.pmtiles"]
    archive = Reader(MemorySource(files[0].read_bytes()))
    head = archive.header()
    assert (head["tile_type"], head["tile_compression"]) == (TileType.PNG, Compression.NONE)
    assert f"{head['addressed_tiles_count']:,} tiles" in done.out.splitlines()[0]
    box = [head[f"{edge}_e7"] / 1e7 for edge in ("min_lon", "min_lat", "max_lon", "max_lat")]
    empty = 0
    with dc.open(root) as commons, TestClient(create_app(commons)) as client:
        for tile in TMS.tiles(*box, zooms=range(head["min_zoom"], head["max_zoom"] + 1)):
            seen = client.get(f"/runs/valley-roads-1/2001/tiles/WebMercatorQuad/{tile.z}/{tile.x}/{tile.y}.png").content
            packed = archive.get(tile.z, tile.x, tile.y)
            empty += packed is None
            assert packed == seen or (packed is None and len(seen) < 200)
        document = client.get("/runs/valley-roads-1/2001/WebMercatorQuad/tilejson.json").json()
        legend = client.get("/runs/valley-roads-1/2001/legend.json").json()
    assert head["addressed_tiles_count"] > 5
    told = archive.metadata()
    assert (told["name"], told["attribution"], told["legend"]) == (document["name"], document["attribution"], legend)
    assert zxy_to_tileid(0, 0, 0) == 0


def test_a_year_a_style_and_a_zoom_are_chosen(root: Path, tmp_path: Path) -> None:
    chosen = ("--year", "2002", "--style", "greyscale", "--max-zoom", "9")
    done = command("tiles", "pack", "valley-roads-1", "--folder", tmp_path, *chosen, folder=root)
    assert done.code == 0, done.err
    archive = Reader(MemorySource((tmp_path / "valley-roads-1-2002.pmtiles").read_bytes()))
    assert archive.header()["max_zoom"] <= 9
    assert archive.metadata()["legend"]["style"] == "greyscale"
    assert not (tmp_path / "valley-roads-1-2001.pmtiles").exists()


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("valley-none-1",), "no run 'valley-none-1'"),
        (("valley-roads-1", "--year", "1900"), "1900"),
        (("valley-roads-1", "--style", "neon"), "neon"),
        (("valley-roads-1", "--folder", "commons.toml"), "--folder"),
    ],
)
def test_what_cannot_be_packed_is_said_in_a_line(root: Path, arguments: tuple[str, ...], word: str) -> None:
    done = command("tiles", "pack", *arguments, folder=root)
    assert done.code in (1, 2)
    assert word in done.err
    assert not list(root.glob("*.p*t*les*"))


def test_server_packs_years_and_the_veil_of_a_run_and_keeps_them_in_the_commons(root: Path) -> None:
    run = "/runs/valley-roads-1"
    with dc.open(root) as commons, TestClient(create_app(commons)) as client:
        made = client.get("/stac/collections/runs/items/valley-roads-1").json()["properties"]["created"]
        for packed, style in ((f"{run}/2001", ""), (f"{run}/2001/agreement", "style=veil&")):
            answer = client.get(f"{packed}/tiles.pmtiles?{style}v={made}")
            assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
            archive = Reader(MemorySource(answer.content))
            finest = archive.header()["max_zoom"]
            box = [archive.header()[f"{edge}_e7"] / 1e7 for edge in ("min_lon", "min_lat", "max_lon", "max_lat")]
            for tile in TMS.tiles(*box, zooms=[finest]):
                seen = client.get(f"{packed}/tiles/WebMercatorQuad/{tile.z}/{tile.x}/{tile.y}.png?{style}").content
                assert archive.get(tile.z, tile.x, tile.y) in (seen, None)
        assert client.get(f"{run}/2001/difference/tiles.pmtiles?since=2000").status_code == 404
        assert client.get(f"{run}/first-change/tiles.pmtiles").status_code == 400  # which is no year
    assert len(list((root / ".packed").iterdir())) == 2
    assert command("doctor", folder=root).code == 0
