"""OGC API: lists of tile sets, matrix sets, maps, and a conformance page that tells the truth."""

from __future__ import annotations

from typing import Any

import morecantile
import numpy as np
import pytest
from affine import Affine
from numpy.typing import NDArray

from catalog.legend import Legend
from tests.tiles.conftest import decode
from tiles.drawing.sheets import TILE_MATRIX_SETS


@pytest.fixture
def url(commons: Any, land_cover: NDArray[np.uint8], legend: Legend) -> str:
    return str(commons.add_layer("land-cover", "a", land_cover, legend=legend, checksum="1220" + "ab" * 32))


def test_every_tile_set_is_listed_and_described(commons: Any, url: str) -> None:
    listed = commons.get(f"{url}/tiles?style=greyscale").json()["tilesets"]
    assert len(listed) == len(TILE_MATRIX_SETS.list())
    for told in listed:
        links = {link["rel"]: link["href"] for link in told["links"]}
        described = commons.get(links["self"]).json()
        assert {key: described[key] for key in ("title", "crs", "dataType", "boundingBox")} == {
            key: told[key] for key in ("title", "crs", "dataType", "boundingBox")
        }
        scheme = commons.get(links["http://www.opengis.net/def/rel/ogc/1.0/tiling-scheme"]).json()
        assert scheme["crs"] == told["crs"]
        assert len(scheme["tileMatrices"]) > 1


@pytest.mark.parametrize("name", ["WebMercatorQuad", "WorldCRS84Quad", "UPSArcticWGS84Quad", "CanadianNAD83_LCC"])
def test_the_limits_hold_the_data_and_not_more(commons: Any, url: str, name: str) -> None:
    told = commons.get(f"{url}/tiles/{name}").json()
    (template,) = [link["href"] for link in told["links"] if link.get("type") == "image/png"]
    assert "v=" in template
    limits = told["tileMatrixSetLimits"][-1]
    seen = 0
    for column in range(limits["minTileCol"] - 1, limits["maxTileCol"] + 2):
        for row in range(limits["minTileRow"] - 1, limits["maxTileRow"] + 2):
            place = {"{tileMatrix}": limits["tileMatrix"], "{tileCol}": column, "{tileRow}": row}
            address = template
            for variable, value in place.items():
                address = address.replace(variable, str(value))
            drawn = decode(commons.get(address).content).any()
            within = limits["minTileCol"] <= column <= limits["maxTileCol"]
            within = within and limits["minTileRow"] <= row <= limits["maxTileRow"]
            assert within or not drawn
            seen += int(drawn)
    assert seen


def test_where_a_matrix_set_does_not_reach_it_has_no_tiles(commons: Any, url: str) -> None:
    assert commons.get(f"{url}/tiles/NZTM2000Quad").json()["tileMatrixSetLimits"] == []
    assert "NoQuad" in commons.get(f"{url}/tiles/NoQuad", 404).json()["detail"]
    assert "NoQuad" in commons.get("/tileMatrixSets/NoQuad", 404).json()["detail"]


def test_matrix_sets_are_those_of_the_tiles(commons: Any) -> None:
    listed = commons.get("/tileMatrixSets").json()["tileMatrixSets"]
    assert [entry["id"] for entry in listed] == TILE_MATRIX_SETS.list()
    told = commons.get("/tileMatrixSets/WebMercatorQuad").json()
    assert told["id"] == "WebMercatorQuad"
    known = morecantile.tms.get("WebMercatorQuad").matrix(5)
    assert told["tileMatrices"][5]["cellSize"] == known.cellSize


NAMES = [
    "EPSG:3857",
    "[EPSG:3857]",
    "http://www.opengis.net/def/crs/EPSG/0/3857",
    "https://www.opengis.net/def/crs/EPSG/0/3857",
    "urn:ogc:def:crs:EPSG::3857",
]


def test_a_map_in_a_projection_under_all_its_names(commons: Any, url: str) -> None:
    for crs in NAMES:
        answer = commons.get(f"{url}/map", params={"crs": crs, "width": 90})
        assert answer.headers["content-crs"] == "<http://www.opengis.net/def/crs/EPSG/0/3857>"
        assert decode(answer.content).shape[1] == 90


def test_the_order_of_a_box_is_that_of_its_projection(commons: Any, url: str) -> None:
    plain = commons.get(f"{url}/map?bbox=-76.95,42.74,-76.9,42.79&width=80").content
    assert decode(plain).any()
    for query in (
        "bbox=42.74,-76.95,42.79,-76.9&bbox-crs=EPSG:4326",
        "bbox=42.74,-76.95,42.79,-76.9&bbox-crs=http://www.opengis.net/def/crs/EPSG/0/4326",
        "bbox=-76.95,42.74,-76.9,42.79&bbox-crs=OGC:CRS84",
    ):
        assert commons.get(f"{url}/map?{query}&width=80").content == plain
    answer = commons.get(f"{url}/map?crs=EPSG:3031&width=20")
    assert answer.headers["content-bbox"].count(",") == 3


def test_the_background(commons: Any, url: str, land_cover: NDArray[np.uint8]) -> None:
    nothing = land_cover == 0
    clear = commons.pixels(f"{url}/map")
    assert (clear[nothing] == 0).all()
    for query, colour in (
        ("bgcolor=0xFF8000", (255, 128, 0, 255)),
        ("bgcolor=Navy", (0, 0, 128, 255)),
        ("transparent=false", (255, 255, 255, 255)),
        ("bgcolor=0x102030&transparent=true", (16, 32, 48, 0)),
    ):
        seen = commons.pixels(f"{url}/map?{query}")
        assert (seen[nothing] == colour).all()
        np.testing.assert_array_equal(seen[~nothing], clear[~nothing])


def test_shadows_are_laid_over_a_background(commons: Any) -> None:
    rng = np.random.default_rng(1)
    heights = rng.normal(100, 30, (80, 80)).astype(np.float32)
    base = commons.add_layer("elevation", "a", heights, nodata=None)
    seen = commons.pixels(f"{base}/map?style=relief&bgcolor=white")
    assert (seen[..., 3] == 255).all()
    assert len(np.unique(seen[..., 0])) > 20


REFUSED = [
    "bbox=1,2,3",
    "bbox=a,b,c,d",
    "bbox=nan,0,1,1",
    "bbox=1e999,0,1,1",
    "bbox=0,0,1,1,2,2",
    "bbox-crs=EPSG:x&bbox=0,0,1,1",
    "crs=+proj=longlat",
    'crs=GEOGCRS["x"]',
    "crs=http://127.0.0.1:9/a.prj",
    "crs=OGC:AUTO42001",
    "width=0",
    "width=99999",
    "height=-1",
    "width=4096&height=4096",
    "bgcolor=nocolour",
    "bgcolor=0x12",
    "bgcolor=rgb(1,2,3)",
    "transparent=perhaps",
    "f=svg",
]


def test_what_is_no_map_is_refused(commons: Any, url: str) -> None:
    for query in REFUSED:
        answer = commons.client.get(f"{url}/map?{query}")
        assert answer.status_code in (400, 413), query
        assert answer.headers["cache-control"] == "no-store"
        assert str(commons.root) not in answer.text


def test_conformance_lists_what_is_tested_here(commons: Any, url: str) -> None:
    classes = commons.get("/conformance").json()["conformsTo"]
    assert {one.rpartition("conf/")[2] for one in classes if "tiles" in one} == {
        "core",
        "tileset",
        "tilesets-list",
        "png",
    }
    assert {one.rpartition("conf/")[2] for one in classes if "maps" in one} == {"core", "crs", "png"}


def test_a_map_across_the_antimeridian_and_at_the_pole_is_drawn(commons: Any, legend: Legend) -> None:
    def add(name: str, crs: str, *transform: float) -> str:
        cells = np.full((200, 200), 1, np.uint8)
        return str(commons.add_layer("land-cover", name, cells, crs=crs, transform=Affine(*transform), legend=legend))

    fiji = add("fiji", "EPSG:32760", 500, 0, 800_000, 0, -500, 8_100_000)
    pole = add("pole", "EPSG:3413", 5000, 0, -500_000, 0, -5000, 500_000)
    for base in (fiji, pole):
        assert commons.pixels(f"{base}/preview.png").any()
        for name in TILE_MATRIX_SETS.list():
            commons.get(f"{base}/tiles/{name}")
            commons.get(f"{base}/{name}/tilejson.json")
            commons.get(f"{base}/tiles/{name}/3/0/0.png")
            commons.get(f"{base}/tiles/{name}/3/1/1@2x.png")
    assert commons.pixels(f"{fiji}/bbox/179,-18,180,-17.png?width=60").any()
    assert commons.pixels(f"{fiji}/bbox/-180,-18,-179,-17.png?width=60").any()
