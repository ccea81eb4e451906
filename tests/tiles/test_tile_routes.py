"""What the routes answer: addresses, descriptions, caches, and clear refusals of what makes no sense."""

from __future__ import annotations

import html
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from numpy.typing import NDArray
from pyproj import Transformer

from catalog.api.forwarding import ForwardedHeaders
from catalog.legend import Legend

TILES = "tiles/WebMercatorQuad"
SPELLINGS = ["", ".png", ".webp", "@2x", "@1x", "@2x.png", ".png@2x", "@2x.webp", ".webp@2x"]


@pytest.fixture
def land_cover_url(commons: Any, land_cover: NDArray[np.uint8], legend: Legend) -> str:
    return str(commons.add_layer("land-cover", "valley-2019", land_cover, legend=legend, title="Valley 2019"))


@pytest.fixture
def run_url(commons: Any, land_cover: NDArray[np.uint8], legend: Legend) -> str:
    commons.add_layer("run-maps", "plan-a-2030", land_cover, legend=legend, asset="map")
    return "/runs/plan-a/2030"


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_tile_answers_to_every_spelling(commons: Any, land_cover_url: str, spelling: str) -> None:
    response = commons.get(f"{land_cover_url}/{TILES}/12/1172/1508{spelling}")
    assert response.headers["content-type"] == ("image/webp" if "webp" in spelling else "image/png")
    side = 512 if "@2x" in spelling else 256
    assert commons.pixels(f"{land_cover_url}/{TILES}/12/1172/1508{spelling}").shape == (side, side, 4)


@pytest.mark.parametrize(
    "tile",
    ["12/0/0", "12/4095/4095", "24/0/0", "0/0/0", "24/16777215/16777215", "12/0/0@2x", "12/0/0.webp"],
)
def test_a_tile_without_data_is_transparent(commons: Any, land_cover: NDArray[np.uint8], tile: str) -> None:
    base = commons.add_layer("drivers", "nothing", np.zeros_like(land_cover).astype(np.float32))
    for style in ("continuous", "relief"):
        assert not commons.pixels(f"{base}/{TILES}/{tile}?style={style}")[..., 3].any()


@pytest.mark.parametrize(
    ("tile", "word"),
    [
        ("25/0/0.png", "zoom 25"),
        ("60/0/0.png", "zoom 60"),
        ("-1/0/0.png", "z in the URL"),
        ("1.5/0/0.png", "z in the URL"),
        ("nan/0/0.png", "z in the URL"),
        ("3/8/0.png", "8 columns"),
        ("3/0/8.png", "8 rows"),
        ("3/0/-1.png", "y in the URL"),
        (f"3/{10**30}/0.png", "8 columns"),
        (f"3/0/{'9' * 5000}.png", "y in the URL"),
        ("3/0/0.tif", "format in the URL"),
        ("3/0/0.html", "format in the URL"),
        ("3/0/0@3x.png", "scale in the URL"),
        ("3/0/0@2x.tif", "format in the URL"),
        ("3/0/0.png?style=viridis", "legend"),
        ("3/0/0.png?style=relief", "legend"),
        (f"3/0/0.png?style={'a' * 1000}", "style in the URL"),
    ],
)
def test_a_tile_that_makes_no_sense_is_refused(commons: Any, land_cover_url: str, tile: str, word: str) -> None:
    response = commons.get(f"{land_cover_url}/{TILES}/{tile}", 400)
    assert word in response.json()["detail"]
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "path",
    [
        "/collections/land-cover/items/valley-1900/legend.json",
        "/collections/none/items/valley-2019/legend.json",
        "/collections/land-cover/items/valley-2019/legend.json?asset=none",
        "/collections/land-cover/items/valley-2019/tiles/Flat/3/0/0.png",
        "/collections/land-cover/items/valley-2019/GNOSISGlobalGrid/tilejson.json",
        "/runs/plan-a/1900/legend.json",
        "/runs/none/2030/legend.json",
    ],
)
def test_what_is_not_there_is_not_found(commons: Any, land_cover_url: str, run_url: str, path: str) -> None:
    response = commons.get(path, 404)
    assert response.json()["detail"].startswith(("There is no", "The item"))
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("year", ["0", "10000", "20.30", "next"])
def test_a_year_is_four_figures_at_most(commons: Any, run_url: str, year: str) -> None:
    assert "year in the URL" in commons.get(f"/runs/plan-a/{year}/legend.json", 400).json()["detail"]


def test_an_asset_that_is_no_raster_is_refused(commons: Any, land_cover_url: str) -> None:
    message = commons.get(f"{land_cover_url}/legend.json?asset=notes", 400).json()["detail"]
    assert "its raster assets are: data" in message.lower()


def test_a_run_is_drawn_by_year(commons: Any, run_url: str) -> None:
    item = "/collections/run-maps/items/plan-a-2030"
    tile = f"{TILES}/13/2345/3017.png"
    seen = commons.pixels(f"{run_url}/{tile}")
    assert seen[..., 3].any()
    np.testing.assert_array_equal(seen, commons.pixels(f"{item}/{tile}?asset=map"))
    assert commons.get(f"{run_url}/legend.json").json() == commons.get(f"{item}/legend.json").json()


def test_caches_keep_for_minutes_what_names_no_version_of_the_layer(
    commons: Any, land_cover_url: str, run_url: str
) -> None:
    tile = f"{TILES}/12/1172/1508.png"
    short = "public, max-age=300"
    assert commons.get(f"{run_url}/{tile}?v=1").headers["cache-control"] == short
    for path in (
        f"{run_url}/{tile}",
        f"{land_cover_url}/{tile}",
        f"{land_cover_url}/info",
        f"{land_cover_url}/legend.json",
        f"{land_cover_url}/legend.png",
        f"{run_url}/WebMercatorQuad/tilejson.json",
        f"{run_url}/legend.json",
    ):
        assert commons.get(path).headers["cache-control"] == short


def test_tilejson_describes_the_tiles(commons: Any, land_cover_url: str) -> None:
    document = commons.get(f"{land_cover_url}/WebMercatorQuad/tilejson.json").json()
    assert document["tilejson"] == "3.0.0"
    assert document["name"] == "Valley 2019"
    assert document["scheme"] == "xyz"
    assert document["tileSize"] == 256
    assert document["minzoom"] == 0
    assert document["maxzoom"] == 14  # 30 m at 43 degrees north are the pixels of zoom 12
    corners = Transformer.from_crs(32618, 4326, always_xy=True).transform_bounds(340_000, 4_731_000, 347_800, 4_740_000)
    np.testing.assert_allclose(document["bounds"], corners, atol=1e-6)
    west, south, east, north = document["bounds"]
    assert west < document["center"][0] < east
    assert south < document["center"][1] < north


def test_tilejson_hands_on_asset_and_style_and_nothing_else(commons: Any, land_cover_url: str) -> None:
    query = "asset=data&style=legend&tile_format=webp&url=/etc/passwd&colormap=x&expression=b1"
    (template,) = commons.get(f"{land_cover_url}/WebMercatorQuad/tilejson.json?{query}").json()["tiles"]
    expected = f"http://testserver{land_cover_url}/{TILES}/{{z}}/{{x}}/{{y}}.webp?asset=data&style=legend"
    assert template == expected


@pytest.mark.parametrize(
    ("headers", "start"),
    [
        ({}, "http://testserver/"),
        ({"X-Forwarded-Host": "maps.example.org", "X-Forwarded-Proto": "https"}, "https://maps.example.org/"),
        ({"X-Forwarded-Host": "maps.example.org", "X-Forwarded-Port": "8080"}, "http://maps.example.org:8080/"),
        ({"X-Forwarded-Prefix": "/commons/"}, "http://testserver/commons/"),
        (
            {"X-Forwarded-Host": "a.example", "X-Forwarded-Proto": "https", "X-Forwarded-Prefix": "/x/y"},
            "https://a.example/x/y/",
        ),
    ],
)
def test_tilejson_is_right_behind_a_proxy(commons: Any, run_url: str, headers: dict[str, str], start: str) -> None:
    behind = TestClient(ForwardedHeaders(commons.app))
    response = behind.get(f"{run_url}/WebMercatorQuad/tilejson.json", headers=headers)
    assert response.json()["tiles"] == [f"{start}runs/plan-a/2030/{TILES}/{{z}}/{{x}}/{{y}}.png"]
    assert "X-Forwarded-Host" in response.headers["vary"]


@pytest.mark.parametrize("mounted", [True, False])
def test_the_address_in_tilejson_works_as_given_under_a_root_path(
    commons: Any, land_cover_url: str, mounted: bool
) -> None:
    if mounted:
        outer = FastAPI()
        outer.mount("/commons", commons.app)
        client = TestClient(outer)
    else:
        client = TestClient(commons.app, root_path="/commons")
    document = client.get(f"/commons{land_cover_url}/WebMercatorQuad/tilejson.json").json()
    (template,) = document["tiles"]
    assert template.startswith("http://testserver/commons/collections/")
    tile = client.get(urlsplit(template.format(z=12, x=1172, y=1508)).path)
    assert tile.status_code == 200
    assert tile.headers["content-type"] == "image/png"


def test_names_with_unusual_letters_are_escaped_in_tilejson(
    commons: Any, land_cover: NDArray[np.uint8], legend: Legend
) -> None:
    commons.add_layer("land-cover", "vallée 1", land_cover, legend=legend)
    document = commons.get("/collections/land-cover/items/vall%C3%A9e%201/WebMercatorQuad/tilejson.json").json()
    (template,) = document["tiles"]
    assert "/items/vall%C3%A9e%201/tiles/" in template
    commons.get(urlsplit(template.format(z=12, x=1172, y=1508)).path)


def test_attribution_cannot_carry_markup(commons: Any, land_cover: NDArray[np.uint8], legend: Legend) -> None:
    name = "<img src=x onerror=alert(1)>"
    base = commons.add_layer("land-cover", "a", land_cover, legend=legend)
    commons.store.providers = [{"name": name}, {"name": "County"}]
    document = commons.get(f"{base}/WebMercatorQuad/tilejson.json").json()
    assert document["attribution"] == f"{html.escape(name)}; County"


def test_what_is_synthetic_says_so(commons: Any, land_cover: NDArray[np.uint8], legend: Legend) -> None:
    base = commons.add_layer("land-cover", "a", land_cover, legend=legend, **{"landscape:synthetic": True})
    document = commons.get(f"{base}/WebMercatorQuad/tilejson.json").json()
    assert "Synthetic" in document["attribution"]
    assert "Synthetic" in document["description"]
    assert commons.get(f"{base}/legend.json").json()["synthetic"] is True


def test_info_tells_grid_and_styles(commons: Any, land_cover_url: str) -> None:
    info = commons.get(f"{land_cover_url}/info").json()
    assert (info["width"], info["height"], info["dtype"]) == (260, 300, "uint8")
    assert info["crs"].endswith("/EPSG/0/32618")
    assert info["asset"] == "data"
    assert [style["name"] for style in info["styles"]] == ["legend", "colour-blind", "greyscale"]
    assert str(commons.root) not in str(info)


def test_only_the_promised_routes_exist(commons: Any) -> None:
    paths = {path for path in commons.app.openapi()["paths"] if path.startswith("/runs/")}
    endings = {"", ".{format}", "@{scale}x", "@{scale}x.{format}", ".{format}@{scale}x"}
    tails = {f"/tiles/{{tileMatrixSetId}}/{{z}}/{{x}}/{{y}}{ending}" for ending in endings}
    tails |= {"/{tileMatrixSetId}/tilejson.json", "/legend.json", "/legend.png", "/legend.svg"}
    tails |= {"/tiles", "/tiles/{tileMatrixSetId}", "/map", "/picture.png"}
    rasters = {"/info", "/info.geojson", "/point/{lon},{lat}"}
    sizes = {"", ".{format}", "/{width}x{height}.{format}"}
    rasters |= {f"/{what}{size}" for what in ("preview", "feature") for size in sizes}
    rasters |= {f"/bbox/{{minx}},{{miny}},{{maxx}},{{maxy}}{size}" for size in sizes - {""}}
    run = "/runs/{run_id}/{year}"
    sheets = [f"{run}/difference", f"{run}/probability", f"{run}/agreement", "/runs/{run_id}/first-change"]
    others = {"/runs/{family}-latest/{rest}", "/runs/{run_id}/WMTSCapabilities.xml", "/runs/{run_id}/statistics"}
    others |= {f"{run}/tiles.pmtiles", f"{run}/agreement/tiles.pmtiles"}
    others |= {"/runs/{run_id}/point/{longitude},{latitude}", "/runs/{run_id}/animation.{format}"}
    layers = [run, "/runs/{run_id}/hindcast"]
    assert paths == others | {layer + tail for layer in layers for tail in tails | rasters} | {
        sheet + tail for sheet in sheets for tail in tails
    }


def test_the_client_has_few_knobs_and_none_that_names_a_file(commons: Any) -> None:
    parameters = {
        parameter["name"]
        for operations in commons.app.openapi()["paths"].values()
        for operation in operations.values()
        for parameter in operation.get("parameters", [])
        if parameter["in"] == "query"
    }
    ours = {"asset", "style", "lang", "tile_format", "format", "scale", "v"}
    ours |= {"bbox", "bbox-crs", "crs", "coord_crs", "dst_crs", "width", "height", "max_size", "f"}
    ours |= {"bgcolor", "transparent", "paper", "step"}
    assert parameters == ours | {"since", "against", "class", "with", "expected", "layer", "place", "within_km", "zoom"}
