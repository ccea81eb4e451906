"""WMTS as GIS clients read it, and the newest run of a scenario under a name that stays."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from threading import Thread
from typing import Any
from xml.etree import ElementTree as ET

import morecantile
import numpy as np
import pytest
import rasterio
import uvicorn
from fastapi import FastAPI
from fastapi.testclient import TestClient
from numpy.typing import NDArray
from PIL import Image
from pyproj import Transformer
from rasterio.windows import Window

from datacommons.door.listening import listen
from datacommons.runs.run import Run

Served = tuple[Run, TestClient]
TMS = morecantile.tms.get("WebMercatorQuad")
XYZ = """<GDAL_WMS><Service name="TMS"><ServerUrl>ADDRESS/${z}/${x}/${y}.png</ServerUrl></Service><DataWindow>
<UpperLeftX>-20037508.342789244</UpperLeftX><UpperLeftY>20037508.342789244</UpperLeftY>
<LowerRightX>20037508.342789244</LowerRightX><LowerRightY>-20037508.342789244</LowerRightY>
<TileLevel>12</TileLevel><TileCountX>1</TileCountX><TileCountY>1</TileCountY><YOrigin>top</YOrigin></DataWindow>
<Projection>EPSG:3857</Projection><BlockSizeX>256</BlockSizeX><BlockSizeY>256</BlockSizeY><BandsCount>4</BandsCount>
</GDAL_WMS>"""
NS = {"w": "http://www.opengis.net/wmts/1.0", "o": "http://www.opengis.net/ows/1.1"}


@contextmanager
def door(app: Any) -> Iterator[str]:
    """Serve an application over HTTP."""
    listener = listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
    thread = Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


def read(client: TestClient, path: str) -> ET.Element:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/xml"
    assert answer.headers["cache-control"] == "public, max-age=300"
    return ET.fromstring(answer.text)


def texts(element: ET.Element, path: str) -> list[str]:
    return [found.text or "" for found in element.iterfind(path, NS)]


def test_a_run_has_styles_and_years(served_run: Served) -> None:
    run, client = served_run
    document = read(client, f"/runs/{run.id}/WMTSCapabilities.xml")
    (layer,) = document.iterfind("w:Contents/w:Layer", NS)
    assert texts(layer, "o:Identifier") == [run.id]
    assert texts(layer, "w:Style/o:Identifier") == ["legend", "colour-blind", "greyscale"]
    assert [style.get("isDefault") for style in layer.iterfind("w:Style", NS)] == ["true", "false", "false"]
    assert texts(layer, "w:Dimension/w:Value") == ["2001", "2002", "2003", "2004"]
    assert texts(layer, "w:Dimension/w:Default") == ["2004"]
    lower, upper = (texts(layer, f"o:WGS84BoundingBox/o:{corner}Corner")[0].split() for corner in ("Lower", "Upper"))
    np.testing.assert_allclose([float(edge) for edge in (*lower, *upper)], run.item["bbox"], atol=1e-3)


def test_what_the_capabilities_promise_is_there(served_run: Served) -> None:
    run, client = served_run
    document = read(client, f"/runs/{run.id}/WMTSCapabilities.xml")
    (layer,) = document.iterfind("w:Contents/w:Layer", NS)
    sets = texts(layer, "w:TileMatrixSetLink/w:TileMatrixSet")
    assert sets == texts(document, "w:Contents/w:TileMatrixSet/o:Identifier")
    for resource in layer.iterfind("w:ResourceURL", NS):
        for name in sets:
            place = {"TileMatrixSet": name, "TileMatrix": 2, "TileCol": 2, "TileRow": 1}
            url = str(resource.get("template")).format(**place, Time=2003, Style="greyscale")
            tile = client.get(url.removeprefix("http://testserver"))
            assert (tile.status_code, tile.headers["content-type"]) == (200, resource.get("format"))
    for legend in layer.iterfind("w:Style/w:LegendURL", NS):
        url = str(legend.get("{http://www.w3.org/1999/xlink}href")).removeprefix("http://testserver")
        assert client.get(url).headers["content-type"] == "image/png"


def test_gdal_draws_a_year_of_a_run(served_run: Served) -> None:
    """GDAL's WMTS driver finds the layer by its capabilities, and shows the very colours of the legend."""
    run, client = served_run
    app = client.app
    assert isinstance(app, FastAPI)
    with door(app) as address, rasterio.Env(GDAL_HTTP_TIMEOUT=60):
        source = f"WMTS:{address}/runs/{run.id}/WMTSCapabilities.xml,layer={run.id},tilematrixset=WebMercatorQuad"
        with rasterio.open(source) as dataset:
            west, south, east, north = run.item["bbox"]
            x, y = Transformer.from_crs(4326, 3857, always_xy=True).transform([west, east], [south, north])
            window = dataset.window(x[0], y[0], x[1], y[1])
            image = dataset.read(window=window, out_shape=(dataset.count, 200, 200))
    colours = {tuple(int(band) for band in pixel) for pixel in image[:3].reshape(3, -1).T}
    told = client.get(f"/runs/{run.id}/2004/legend.json").json()["classes"]
    assert {tuple(bytes.fromhex(entry["colour"][1:])) for entry in told} <= colours
    assert len(colours) <= len(told) + 1


def test_gdal_draws_xyz_tile_by_tile(served_run: Served) -> None:
    """GDAL's driver of tiles by their address shows the very pixels of the tiles, side by side."""
    run, client = served_run
    app = client.app
    assert isinstance(app, FastAPI)
    west, south, east, north = run.item["bbox"]
    corner = TMS.tile((west + east) / 2, (south + north) / 2, 12)
    expected = [
        np.concatenate([_pixels(client, run, corner.x + across, corner.y + down) for across in (0, 1)], axis=1)
        for down in (0, 1)
    ]
    with door(app) as address:
        source = XYZ.replace("ADDRESS", f"{address}/runs/{run.id}/2003/tiles/WebMercatorQuad")
        with rasterio.Env(GDAL_HTTP_TIMEOUT=60), rasterio.open(source) as dataset:
            # It is as fine as zoom 12, whose tiles have 256 pixels.
            image = dataset.read(window=Window(corner.x * 256, corner.y * 256, 512, 512))
    np.testing.assert_array_equal(image.transpose(1, 2, 0), np.concatenate(expected))
    colours = {tuple(pixel[:3].tolist()) for pixel in image.reshape(4, -1).T if pixel[3]}
    told = client.get(f"/runs/{run.id}/2003/legend.json").json()["classes"]
    assert len(colours) >= 2
    assert colours <= {tuple(bytes.fromhex(entry["colour"][1:])) for entry in told}


def _pixels(client: TestClient, run: Run, x: int, y: int) -> NDArray[np.uint8]:
    content = client.get(f"/runs/{run.id}/2003/tiles/WebMercatorQuad/12/{x}/{y}.png").content
    return np.asarray(Image.open(BytesIO(content)).convert("RGBA"))


def test_an_item_has_capabilities_too(served_run: Served) -> None:
    _run, client = served_run
    place = "/collections/land-cover/items/valley-land-cover-1990"
    document = read(client, f"{place}/WMTSCapabilities.xml")
    (layer,) = document.iterfind("w:Contents/w:Layer", NS)
    assert texts(layer, "o:Identifier") == ["valley-land-cover-1990"]
    assert not texts(layer, "w:Dimension")
    template = str(next(layer.iterfind("w:ResourceURL", NS)).get("template"))
    assert template.startswith(f"http://testserver{place}/tiles/{{TileMatrixSet}}/")


@pytest.mark.parametrize("path", ["/runs/none-1", "/collections/land-cover/items/none", "/collections/none/items/a"])
def test_what_is_not_there_has_no_capabilities(served_run: Served, path: str) -> None:
    assert served_run[1].get(f"{path}/WMTSCapabilities.xml").status_code == 404


@pytest.mark.parametrize(
    ("rest", "versioned"),
    [
        ("2003/tiles/WebMercatorQuad/2/2/1.png", True),
        ("2003/tiles/WebMercatorQuad/2/2/1.png?style=greyscale", True),
        ("2003/agreement/tiles/WebMercatorQuad/2/2/1.png", True),
        ("2003/difference/tiles/WebMercatorQuad/2/2/1.png?since=2001", False),
        ("2003/legend.json?lang=es", False),
        ("WMTSCapabilities.xml", False),
    ],
)
def test_the_newest_run_is_found_by_the_scenarios_name(served_run: Served, rest: str, versioned: bool) -> None:
    run, client = served_run
    first = client.get(f"/runs/valley-usual-latest/{rest}", follow_redirects=False)
    assert first.status_code == 307
    assert first.headers["location"].startswith(f"/runs/{run.id}/{rest.partition('?')[0]}")
    assert first.headers["cache-control"] == "private, max-age=60"
    then = client.get(first.headers["location"])
    assert then.status_code == 200
    assert ("immutable" in then.headers["cache-control"]) is versioned


def test_all_that_is_asked_goes_along_to_the_newest_run(served_run: Served) -> None:
    run, client = served_run
    for asked, kept in (
        ("statistics?with=a&with=b&lang=es", "statistics?with=a&with=b&lang=es"),
        ("2003/tiles/WebMercatorQuad/2/2/1.png?v=old&style=greyscale", "style=greyscale&v=20"),
    ):
        location = client.get(f"/runs/valley-usual-latest/{asked}", follow_redirects=False).headers["location"]
        assert location.startswith(f"/runs/{run.id}/")
        assert kept in location
        assert location.count("v=") <= 1


def test_there_is_no_newest_run_of_what_has_none(served_run: Served) -> None:
    _, client = served_run
    for family in ("valley-none", "valley", "usual", ".."):
        assert client.get(f"/runs/{family}-latest/2003/legend.json").status_code == 404


def test_the_newest_run_is_on_this_host_whatever_a_proxy_says(served_run: Served) -> None:
    _, client = served_run
    for prefix in ("//evil.example", "/\\evil.example", "/commons"):
        answer = client.get(
            "/runs/valley-usual-latest/2003/legend.json",
            headers={"X-Forwarded-Prefix": prefix},
            follow_redirects=False,
        )
        location = answer.headers.get("location", "/runs/")
        assert location.startswith("/")
        assert not location.startswith(("//", "/\\"))
