"""A tile of 2019, asked over HTTP, shows exactly the classes of the trajectory under its pixels."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import httpx
import morecantile
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pyproj import Transformer

from datacommons.runs.run import Run
from tests.end_to_end.conftest import RUN

TMS = morecantile.tms.get("WebMercatorQuad")
NATIVE_ZOOM = 10  # pixels of 112 m, cells of 100 m
SIZE = 256
UNSURE = 255


@pytest.fixture(scope="module")
def tilejson(visitor: httpx.Client) -> dict[str, Any]:
    """Return what a dashboard is given, found as a client finds it: by the link of the map's item."""
    item = visitor.get(f"/stac/collections/run-maps/items/{RUN}-2019").json()
    (address,) = [link["href"] for link in item["links"] if link["rel"] == "tilejson"]
    document: dict[str, Any] = visitor.get(address).json()
    return document


def fetch(visitor: httpx.Client, tilejson: dict[str, Any], tile: morecantile.Tile) -> NDArray[np.uint8]:
    """Return a tile as (y, x) classes, told by the colours of its legend; transparent is 0."""
    answer = visitor.get(tilejson["tiles"][0].format(z=tile.z, x=tile.x, y=tile.y))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/png"
    with Image.open(BytesIO(answer.content)) as image:
        colours = np.asarray(image.convert("RGBA"))
    legend = visitor.get(f"/runs/{RUN}/2019/legend.json").json()
    classes = np.full(colours.shape[:2], UNSURE, np.uint8)
    classes[colours[..., 3] == 0] = 0
    for entry in legend["classes"]:
        colour = (*bytes.fromhex(entry["colour"].removeprefix("#")), 255)
        classes[(colours == colour).all(axis=2)] = entry["value"]
    assert (classes != UNSURE).all(), "a colour that is not in the legend"
    return classes


def under(run: Run, year: int, tile: morecantile.Tile) -> NDArray[np.uint8]:
    """Return the trajectory's class under the centre of each pixel, UNSURE within 1e-6 of a cell's edge."""
    cells = run.trajectory.land_cover.sel(time=str(year)).values[0]
    geobox = run.trajectory.odc.geobox
    left, bottom, right, top = TMS.xy_bounds(tile)
    steps = (np.arange(SIZE) + 0.5) / SIZE
    x, y = np.meshgrid(left + steps * (right - left), top - steps * (top - bottom))
    east, north = Transformer.from_crs(3857, geobox.crs.epsg, always_xy=True).transform(x, y)
    column, row = ~geobox.affine * (east, north)
    near_edge = (np.abs(column - np.rint(column)) < 1e-6) | (np.abs(row - np.rint(row)) < 1e-6)
    padded = np.pad(cells, 1)  # outside the grid is no data
    height, width = cells.shape
    across, down = (
        np.clip(np.floor(place).astype(int), -1, size) + 1 for place, size in ((column, width), (row, height))
    )
    return np.where(near_edge, UNSURE, padded[down, across]).astype(np.uint8)


def assert_equal_where_sure(found: NDArray[np.uint8], truth: NDArray[np.uint8]) -> None:
    sure = truth != UNSURE
    assert sure.mean() > 0.999
    np.testing.assert_array_equal(found[sure], truth[sure])


@pytest.mark.parametrize("zoom", [NATIVE_ZOOM, NATIVE_ZOOM + 1])
def test_all_tiles_show_the_trajectory(visitor: httpx.Client, tilejson: dict[str, Any], run: Run, zoom: int) -> None:
    seen: set[int] = set()
    west, south, east, north = tilejson["bounds"]
    tiles = list(TMS.tiles(west, south, east, north, [zoom]))
    assert len(tiles) >= 4
    for tile in tiles:
        classes = fetch(visitor, tilejson, tile)
        assert_equal_where_sure(classes, under(run, 2019, tile))
        seen |= set(np.unique(classes).tolist())
    assert seen == {0, 1, 2, 3}


@pytest.mark.parametrize("zoom", [13, 14, 15])
def test_zoomed_in_where_land_changes(visitor: httpx.Client, tilejson: dict[str, Any], run: Run, zoom: int) -> None:
    land_cover = run.trajectory.land_cover
    first, last = land_cover[0].values, land_cover[-1].values
    changed = np.argwhere(first != last)
    to_degrees = Transformer.from_crs(land_cover.odc.geobox.crs.epsg, 4326, always_xy=True)
    for row, column in changed[np.random.default_rng(zoom).choice(len(changed), 5, replace=False)]:
        lon, lat = to_degrees.transform(land_cover.x.values[column], land_cover.y.values[row])
        tile = TMS.tile(lon, lat, zoom)
        classes, truth = fetch(visitor, tilejson, tile), under(run, 2019, tile)
        assert_equal_where_sure(classes, truth)
        assert last[row, column] in classes
        assert (truth != under(run, 1999, tile)).any(), "the tile tells 2019 from 1999"


def test_the_tilejson_says_where_and_what(visitor: httpx.Client, tilejson: dict[str, Any]) -> None:
    west, south, east, north = tilejson["bounds"]
    assert west < -70.9 < east
    assert south < 42.6 < north
    assert "2019" in tilejson["name"]
    assert tilejson["maxzoom"] >= NATIVE_ZOOM
    legend = visitor.get(f"/runs/{RUN}/2019/legend.json").json()
    assert [entry["name"] for entry in legend["classes"]] == ["forest", "built", "other"]
    assert len({entry["colour"] for entry in legend["classes"]}) == 3


def test_years_without_a_map_are_not_there(visitor: httpx.Client) -> None:
    for path in (f"/runs/{RUN}/2020", f"/runs/{RUN}/1999", "/runs/plum-island-business-as-usual-2/2019"):
        assert visitor.get(f"{path}/WebMercatorQuad/tilejson.json").status_code == 404
        assert visitor.get(f"{path}/tiles/WebMercatorQuad/10/309/377.png").status_code == 404
