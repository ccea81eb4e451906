"""Tiles of what the members make together show, pixel by pixel, what the cubes say of the cell under its centre."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import morecantile
import numpy as np
import pytest
from fastapi.testclient import TestClient
from numpy.typing import NDArray
from PIL import Image
from pyproj import Transformer

from datacommons.runs.run import Run
from tiles.drawing.style import ramp_palette

TMS = morecantile.tms.get("WebMercatorQuad")
Served = tuple[Run, TestClient]


def find_tile(run: Run, zooms_in: int = 0) -> morecantile.Tile:
    """Return the tile in the middle of a landscape, about as fine as its cells."""
    west, south, east, north = run.item["bbox"]
    zoom = TMS.zoom_for_res((east - west) / 60 * 111_320) + zooms_in
    return TMS.tile((west + east) / 2, (south + north) / 2, zoom)


def draw(client: TestClient, url: str, status: int = 200) -> NDArray[np.uint8]:
    response = client.get(url)
    assert response.status_code == status, response.text
    return np.asarray(Image.open(BytesIO(response.content)).convert("RGBA"))


def expect(run: Run, tile: morecantile.Tile, levels: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Return the colours of (y, x) rows of the ramp under the pixels of a tile, and which pixels are beyond doubt."""
    box = run.trajectory.land_cover.odc.geobox
    left, bottom, right, top = TMS.xy_bounds(tile)
    steps = (np.arange(256) + 0.5) / 256
    x, y = np.meshgrid(left + steps * (right - left), top - steps * (top - bottom))
    x, y = Transformer.from_crs(3857, box.crs.proj, always_xy=True).transform(x, y)
    inverse = ~box.affine
    columns, rows = inverse.a * x + inverse.c, inverse.e * y + inverse.f
    inside = (columns >= 0) & (columns < 60) & (rows >= 0) & (rows < 40)
    level = np.where(inside, levels[np.where(inside, rows, 0).astype(int), np.where(inside, columns, 0).astype(int)], 0)
    sure = (np.abs(columns - np.rint(columns)) > 1e-6) & (np.abs(rows - np.rint(rows)) > 1e-6)
    return ramp_palette()[level], sure


def level_of(share: NDArray[Any], known: NDArray[np.bool_]) -> NDArray[np.uint8]:
    return np.where(known, 1 + np.rint(share * 254), 0).astype(np.uint8)


@pytest.mark.parametrize("zooms_in", [-1, 1])
@pytest.mark.parametrize("name", ["forest", "built"])
def test_the_chance_of_a_class(served_run: Served, name: str, zooms_in: int) -> None:
    run, client = served_run
    value = {"forest": 1, "built": 2}[name]
    counts = np.rint(run.probability.probability.sel(time="2003", **{"class": value}).values[0] * 5)
    levels = level_of(counts / 5, run.trajectory.land_cover.values[0] > 0)
    tile = find_tile(run, zooms_in)
    seen = draw(
        client, f"/runs/{run.id}/2003/probability/tiles/WebMercatorQuad/{tile.z}/{tile.x}/{tile.y}?class={name}"
    )
    truth, sure = expect(run, tile, levels)
    np.testing.assert_array_equal(seen[sure], truth[sure])
    assert len(np.unique(seen.reshape(-1, 4), axis=0)) > 2


def test_agreement_and_first_change(served_run: Served) -> None:
    run, client = served_run
    tile = find_tile(run)
    place = f"tiles/WebMercatorQuad/{tile.z}/{tile.x}/{tile.y}.png"
    most = np.rint(run.probability.probability.sel(time="2004").values[0] * 5).max(axis=0)
    truth, sure = expect(run, tile, level_of(most / 5, most > 0))
    np.testing.assert_array_equal(draw(client, f"/runs/{run.id}/2004/agreement/{place}")[sure], truth[sure])
    years = run.probability.first_change.values.astype(float)
    truth, sure = expect(run, tile, level_of(np.clip((years - 2001) / 3, 0, 1), years > 0))
    seen = draw(client, f"/runs/{run.id}/first-change/{place}")
    np.testing.assert_array_equal(seen[sure], truth[sure])
    assert seen[..., 3].any()


def test_chances_in_five_steps_with_words(served_run: Served) -> None:
    run, client = served_run
    chances = run.chance.sel(time="2003", **{"class": 1}).values[0] * 100
    tile = find_tile(run)
    sheet = f"/runs/{run.id}/2003/probability"
    query = "?class=forest&style=likelihood"
    legend = client.get(f"{sheet}/legend.json{query}").json()["classes"]
    assert [step["label"] for step in legend[::4]] == ["Very unlikely", "Very likely"]
    seen = draw(client, f"{sheet}/tiles/WebMercatorQuad/{tile.z}/{tile.x}/{tile.y}{query}")
    colours = [tuple(bytes.fromhex(step["colour"][1:])) for step in legend]
    steps = np.searchsorted([step["least"] for step in legend], chances, side="right")
    row, sure = expect(run, tile, np.where(run.trajectory.land_cover.values[0] > 0, steps * 50, 0).astype(np.uint8))
    known = sure & (row[..., 3] > 0)
    for number, colour in enumerate(colours, start=1):
        where = known & (row == ramp_palette()[number * 50]).all(axis=2)
        assert (seen[where][:, :3] == colour).all()
    assert (seen[..., 3] > 0)[known].all()


def test_veil_lies_where_members_disagree_and_nowhere_else(served_run: Served) -> None:
    run, client = served_run
    most = np.rint(run.probability.probability.sel(time="2004").values[0] * 5).max(axis=0)
    tile = find_tile(run)
    address = f"/runs/{run.id}/2004/agreement/tiles/WebMercatorQuad/{tile.z}/{tile.x}/{tile.y}.png?style=veil"
    seen = draw(client, address)[..., 3] > 0
    row, sure = expect(run, tile, np.where(most > 0, np.where(most < 3.5, 200, 1), 0).astype(np.uint8))
    disagree = (row == ramp_palette()[200]).all(axis=2)
    assert not seen[sure & ~disagree].any()
    assert 0.1 < seen[sure & disagree].mean() < 0.5


def test_tilejson_legend_and_caching(served_run: Served) -> None:
    run, client = served_run
    for sheet, ends in (
        ("2003/probability", ("0 %", "100 %")),
        ("2003/agreement", ("0 %", "100 %")),
        ("first-change", ("2001", "2004")),
    ):
        query = "?class=built" if "probability" in sheet else ""
        document = client.get(f"/runs/{run.id}/{sheet}/WebMercatorQuad/tilejson.json{query}").json()
        np.testing.assert_allclose(document["bounds"], run.item["bbox"], atol=1e-3)
        tile = find_tile(run)
        (template,) = document["tiles"]
        answer = client.get(template.format(z=tile.z, x=tile.x, y=tile.y).removeprefix("http://testserver"))
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        again = client.get(answer.request.url.raw_path.decode(), headers={"If-None-Match": answer.headers["etag"]})
        assert again.status_code == 304
        stops = client.get(f"/runs/{run.id}/{sheet}/legend.json{query}").json()["stops"]
        assert (stops[0]["label"], stops[-1]["label"]) == ends
        assert client.get(f"/runs/{run.id}/{sheet}/legend.png{query}").headers["content-type"] == "image/png"


@pytest.mark.parametrize(
    ("sheet", "status", "word"),
    [
        ("2003/probability", 400, "?class="),
        ("2003/probability?class=lava", 400, "lava"),
        ("2003/probability?class=forest&style=veil", 400, "likelihood"),
        ("2000/probability?class=forest", 404, "2001 to 2004"),
        ("1900/agreement", 404, "2001 to 2004"),
        ("0/agreement", 400, "year"),
        ("20.3/agreement", 400, "year"),
    ],
)
def test_what_the_members_do_not_have(served_run: Served, sheet: str, status: int, word: str) -> None:
    run, client = served_run
    path, _, query = sheet.partition("?")
    for tail in ("tiles/WebMercatorQuad/3/4/3.png", "legend.json"):
        answer = client.get(f"/runs/{run.id}/{path}/{tail}?{query}")
        assert (answer.status_code, word in answer.json()["detail"]) == (status, True)
        assert answer.headers["cache-control"] == "no-store"


def test_far_away_there_is_nothing(served_run: Served) -> None:
    run, client = served_run
    assert not draw(client, f"/runs/{run.id}/2003/agreement/tiles/WebMercatorQuad/9/0/0.png").any()
    assert client.get("/runs/valley-none-1/2003/agreement/tiles/WebMercatorQuad/9/0/0.png").status_code == 404
