"""What is not drawn again: by the client's own copy, by tiles that are kept, by files that stay open."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from catalog.legend import Legend, LegendClass
from tiles.errors import LayerUnreadable
from tiles.reading.pool import DatasetPool
from tiles.routes.caching import TileCache
from tiles.routes.layer import Layer

TILE = "tiles/WebMercatorQuad/13/2345/3017.png"
CHECKSUM = "1220" + "ab" * 32
GOOD = "public, max-age=31536000, immutable"


@pytest.fixture
def url(commons: Any, land_cover: NDArray[np.uint8], legend: Legend) -> str:
    return str(commons.add_layer("land-cover", "a", land_cover, legend=legend, checksum=CHECKSUM))


def version_of(commons: Any, url: str) -> str:
    (template,) = commons.get(f"{url}/WebMercatorQuad/tilejson.json").json()["tiles"]
    return str(template.partition("?v=")[2])


def test_a_tile_that_the_client_has_is_not_sent_again(commons: Any, url: str) -> None:
    first = commons.get(f"{url}/{TILE}")
    tag = first.headers["etag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = commons.get(f"{url}/{TILE}", 304, headers={"If-None-Match": known})
        assert again.content == b""
        assert again.headers["etag"] == tag
        assert again.headers["cache-control"] == first.headers["cache-control"]
    assert commons.get(f"{url}/{TILE}", headers={"If-None-Match": '"other"'}).content == first.content


def test_neither_a_kept_tile_nor_a_tag_needs_the_file(commons: Any, url: str) -> None:
    seen = commons.get(f"{url}/{TILE}")
    (commons.root / "land-cover-a.tif").unlink()
    assert commons.get(f"{url}/{TILE}").content == seen.content
    commons.get(f"{url}/tiles/WebMercatorQuad/13/0/0.png", 304, headers={"If-None-Match": "*"})


def test_the_version_in_tilejson_is_kept_for_good_and_any_other_for_minutes(commons: Any, url: str) -> None:
    version = version_of(commons, url)
    assert version
    assert commons.get(f"{url}/{TILE}?v={version}").headers["cache-control"] == GOOD
    for other in ("1", version[:-1], CHECKSUM[-12:]):
        assert commons.get(f"{url}/{TILE}?v={other}").headers["cache-control"] == "public, max-age=300"


def test_a_run_is_named_by_when_it_was_made_too(commons: Any, land_cover: NDArray[np.uint8], legend: Legend) -> None:
    made = {"created": "2026-01-02T03:04:05.006Z"}
    commons.add_layer("run-maps", "plan-a-2030", land_cover, legend=legend, asset="map", checksum=CHECKSUM, **made)
    seen = commons.get(f"/runs/plan-a/2030/{TILE}", params={"v": made["created"]})
    assert seen.headers["cache-control"] == GOOD


def test_other_pixels_or_colours_have_another_tag_and_version(
    commons: Any, url: str, land_cover: NDArray[np.uint8], legend: Legend
) -> None:
    def look() -> tuple[str, str, bytes]:
        tile = commons.get(f"{url}/{TILE}")
        return tile.headers["etag"], version_of(commons, url), tile.content

    seen = [look()]
    repainted = Legend(tuple(LegendClass(c.value, c.name, c.title, f"#00{c.value:02x}ff") for c in legend))
    commons.add_layer("land-cover", "a", land_cover, legend=repainted, checksum=CHECKSUM)
    seen.append(look())
    commons.add_layer("land-cover", "a", land_cover[::-1], legend=repainted, checksum="1220" + "cd" * 32)
    seen.append(look())
    for told in zip(*seen, strict=True):
        assert len(set(told)) == 3


def test_style_size_format_and_place_have_tags_of_their_own(commons: Any, url: str) -> None:
    base = f"{url}/tiles/WebMercatorQuad/13/2345"
    tags = [commons.get(f"{base}/{end}").headers["etag"] for end in ("3017.png", "3018.png", "3017@2x", "3017.webp")]
    assert len(set(tags)) == 4
    assert commons.get(f"{base}/3017").headers["etag"] == tags[0]


def test_without_a_checksum_nothing_is_kept(commons: Any, land_cover: NDArray[np.uint8], legend: Legend) -> None:
    base = commons.add_layer("land-cover", "a", land_cover, legend=legend)
    seen = commons.get(f"{base}/{TILE}")
    assert "etag" not in seen.headers
    commons.add_layer("land-cover", "a", land_cover[::-1], legend=legend)
    assert commons.get(f"{base}/{TILE}", headers={"If-None-Match": "*"}).content != seen.content


def test_what_becomes_hidden_is_gone_at_once(commons: Any, url: str) -> None:
    tag = commons.get(f"{url}/{TILE}").headers["etag"]
    commons.store.items["land-cover", "a"]["properties"]["landscape:access"] = "council"
    commons.get(f"{url}/{TILE}", 404, headers={"If-None-Match": tag})
    seen = commons.get(f"{url}/{TILE}", headers={"Authorization": "owner"})
    assert seen.headers["cache-control"] == "private, max-age=300"


def test_the_cache_forgets_what_was_not_asked_for_the_longest() -> None:
    cache = TileCache(most_bytes=3 * 1400)
    for tag in "abc":
        cache.put(tag, tag.encode() * 1000)
    assert cache.get("a") is not None
    cache.put("d", b"d" * 1000)
    assert [tag for tag in "abcd" if cache.get(tag)] == ["a", "c", "d"]
    cache.put("huge", b"x" * 5000)
    cache.put(None, b"x")
    assert cache.get("huge") is None
    assert cache.get(None) is None
    assert cache.get("a") == b"a" * 1000


def make_layer(commons: Any, name: str, cells: NDArray[np.uint8], version: str = "1") -> Layer:
    commons.add_layer("land-cover", name, cells)
    source = str(commons.root / f"land-cover-{name}.tif")
    return Layer("land-cover", name, "data", source=source, title=name, version=version)


def test_a_file_stays_open_and_is_lent_to_one_at_a_time(commons: Any, land_cover: NDArray[np.uint8]) -> None:
    pool, layer = DatasetPool(most_idle=2), make_layer(commons, "a", land_cover)
    with pool.lend(layer) as first, pool.lend(layer) as second:
        assert first is not second
    assert len(pool) == 2
    with pool.lend(layer) as again:
        assert again is first
    with pool.lend(make_layer(commons, "b", land_cover)):
        pass
    assert len(pool) == 2
    assert second.dataset.closed
    pool.close()
    assert first.dataset.closed
    assert len(pool) == 0


def test_files_without_version_or_with_damage_do_not_stay_open(commons: Any, land_cover: NDArray[np.uint8]) -> None:
    pool = DatasetPool()
    with pool.lend(make_layer(commons, "a", land_cover, version="")) as raster:
        pass
    assert raster.dataset.closed
    with pytest.raises(LayerUnreadable), pool.lend(make_layer(commons, "b", land_cover)) as raster:
        raise LayerUnreadable("damaged")
    assert raster.dataset.closed
    assert len(pool) == 0
