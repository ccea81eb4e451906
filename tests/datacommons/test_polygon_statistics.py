"""Hectares inside a polygon over HTTP are those the engine counts, on a projected and on a geographic grid."""

from __future__ import annotations

import json
import math
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image
from pyproj import Transformer

from catalog.legend import Legend
from datacommons.door.polygons import survey
from datacommons.runs.run import Run
from scenarios.calibration import calibrate
from scenarios.cluster import ONE
from scenarios.grid import Grid
from scenarios.projection.years import project
from tests.datacommons.conftest import Cells, draw_land_cover
from tiles.errors import LayerUnreadable
from tiles.reading.changes import open_changes
from tiles.reading.runs import RunCubes
from tiles.reading.statistics import measure_polygon


def to_degrees(run: Run, column: float, row: float) -> tuple[float, float]:
    box = run.trajectory.land_cover.odc.geobox
    x, y = box.affine @ (column, row)
    longitude, latitude = Transformer.from_crs(box.crs.proj, 4326, always_xy=True).transform(x, y)
    return float(longitude), float(latitude)


def draw_star(run: Run, rng: np.random.Generator) -> dict[str, Any]:
    """Draw a polygon of 3 to 12 corners, partly outside now and then."""
    corners = int(rng.integers(3, 13))
    centre, reach = rng.uniform((0, 0), (60, 40)), rng.uniform(3, 25, corners)
    turns = np.sort(rng.uniform(0, 2 * math.pi, corners))
    ring = [
        to_degrees(run, centre[0] + r * math.cos(t), centre[1] + r * math.sin(t))
        for r, t in zip(reach, turns, strict=True)
    ]
    return {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}


def post(client: TestClient, run: Run, polygon: Any, query: str = "", status: int = 200) -> Any:
    response = client.post(f"/runs/{run.id}/statistics{query}", json=polygon)
    assert response.status_code == status, response.text
    return response.json()


def whole(run: Run) -> dict[str, Any]:
    ring = [to_degrees(run, *corner) for corner in ((-1, -1), (61, -1), (61, 41), (-1, 41), (-1, -1))]
    return {"type": "Polygon", "coordinates": [ring]}


def test_fifty_polygons_have_the_hectares_that_the_engine_counts(served_run: tuple[Run, TestClient]) -> None:
    run, client = served_run
    rng, maps = np.random.default_rng(8), run.trajectory.land_cover.values
    grid = Grid(run.trajectory.land_cover.odc.geobox)
    values = (1, 2, 3)
    for _ in range(50):
        polygon = draw_star(run, rng)
        inside = grid.rasterize(polygon)
        if not inside.any():
            assert "outside" in post(client, run, polygon, status=400)["detail"]
            continue
        (told,) = post(client, run, polygon)["runs"]
        truth = np.stack([grid.weigh(np.where(inside, year, 0), values) * grid.weight_ha for year in maps])
        seen = np.array([told["area_ha"][name] for name in ("forest", "built", "other")]).T
        np.testing.assert_allclose(seen, truth, atol=1e-4)
        cells = float(inside.sum(axis=1) @ grid.row_area_ha)
        assert told["polygon_ha"] == pytest.approx(cells, rel=1e-6)
        assert told["years"] == [2000, 2001, 2002, 2003, 2004]


def read_tiles(run: Run, client: TestClient, path: str) -> Cells:
    """Return the class of every cell, (y, x), as tiles show it: by the colour of the pixel in the cell's middle."""
    box = run.trajectory.land_cover.odc.geobox
    rows, columns = np.mgrid[: box.shape.y, : box.shape.x] + 0.5
    x, y = box.affine.a * columns + box.affine.c, box.affine.e * rows + box.affine.f
    longitudes, latitudes = Transformer.from_crs(box.crs.proj, 4326, always_xy=True).transform(x, y)
    finest = client.get(f"{path}/WebMercatorQuad/tilejson.json").json()["maxzoom"]
    side = 256 * 2**finest
    across = ((longitudes + 180) / 360 * side).astype(int)
    down = ((1 - np.arcsinh(np.tan(np.radians(latitudes))) / np.pi) / 2 * side).astype(int)
    entries = client.get(f"{path}/legend.json").json()["classes"]
    colours = {bytes.fromhex(each["colour"][1:]) + b"\xff": each["value"] for each in entries} | {bytes(4): 0}
    classes = np.zeros(box.shape, np.uint8)
    for tile in {*zip((across // 256).ravel().tolist(), (down // 256).ravel().tolist(), strict=True)}:
        answer = client.get(f"{path}/tiles/WebMercatorQuad/{finest}/{tile[0]}/{tile[1]}.png")
        picture = np.asarray(Image.open(BytesIO(answer.content)).convert("RGBA"))
        here = (across // 256 == tile[0]) & (down // 256 == tile[1])
        pixels = picture[down[here] % 256, across[here] % 256]
        classes[here] = [colours[pixel.tobytes()] for pixel in pixels]
    return classes


def test_in_fifty_polygons_tiles_statistics_and_the_engine_agree(served_run: tuple[Run, TestClient]) -> None:
    run, client = served_run
    paths = [f"/runs/{run.id}/{year}" for year in range(2001, 2005)]
    shown = [read_tiles(run, client, path) for path in ("/collections/land-cover/items/valley-land-cover-2000", *paths)]
    np.testing.assert_array_equal(shown, run.trajectory.land_cover.values)
    grid, rng, measured = Grid(run.trajectory.land_cover.odc.geobox), np.random.default_rng(15), 0
    while measured < 50:
        polygon = draw_star(run, rng)
        inside = grid.rasterize(polygon)
        if inside.any():
            (told,) = post(client, run, polygon)["runs"]
            cells = [[np.count_nonzero(inside & (year == value), axis=1) for value in (1, 2, 3)] for year in shown]
            stated = np.array([told["area_ha"][name] for name in ("forest", "built", "other")]).T
            np.testing.assert_allclose(stated, cells @ grid.row_area_ha, rtol=1e-6, atol=1e-3)
            measured += 1


def test_of_the_whole_landscape_they_are_those_of_the_run(served_run: tuple[Run, TestClient]) -> None:
    run, client = served_run
    (told,) = post(client, run, whole(run))["runs"]
    for name in run.area_ha.columns:
        np.testing.assert_allclose(told["area_ha"][name], run.area_ha[name], atol=1e-3)


def test_the_expected_hectares_are_the_chances_of_all_cells_added_up(served_run: tuple[Run, TestClient]) -> None:
    run, client = served_run
    polygon = draw_star(run, np.random.default_rng(1))
    grid = Grid(run.trajectory.land_cover.odc.geobox)
    weights = grid.rasterize(polygon) * grid.row_area_ha[:, None]
    truth = (run.probability.probability.values * weights).sum(axis=(2, 3))
    document = post(client, run, polygon, "?expected=true")
    (told,) = document["runs"]
    seen = np.array(list(told["expected_ha"].values())).T
    np.testing.assert_allclose(seen, truth, rtol=1e-6, atol=1e-4)
    assert (told["members"], told["expected_years"]) == (5, [2001, 2002, 2003, 2004])
    assert document["notes"] == []
    assert "expected_ha" not in post(client, run, polygon)["runs"][0]


def redraw(run: Run) -> Cells:
    """Draw the maps of all members again from the run's scenario, (member, year, y, x), from the start on."""
    cover = run.trajectory.land_cover
    maps = cover.values
    legend, grid = Legend.from_json(json.loads(cover.attrs["legend"])), Grid(cover.odc.geobox)
    history = {1990: draw_land_cover(), 2000: maps[0]}
    learned = calibrate(run.scenario, history, {}, legend=legend, grid=grid, workers=ONE)
    return np.array(
        [
            [maps[0], *(step.land_cover.copy() for step in project(learned.model, run.scenario, maps[0], **how))]
            for how in ({"member": member, "temperature": 1.0} for member in range(run.scenario.members))
        ]
    )


def test_the_members_spread_as_when_they_are_drawn_again(served_run: tuple[Run, TestClient]) -> None:
    run, client = served_run
    members, rng = redraw(run), np.random.default_rng(9)
    grid = Grid(run.trajectory.land_cover.odc.geobox)
    assert len({each.tobytes() for each in members}) == 5
    for _ in range(20):
        polygon = draw_star(run, rng)
        inside = grid.rasterize(polygon)
        if not inside.any():
            continue
        counted = [[grid.weigh(np.where(inside, year, 0), (1, 2, 3)) for year in walk] for walk in members]
        hectares = np.array(counted) * grid.weight_ha
        told = post(client, run, polygon)["runs"][0]["quantiles"]
        assert (told["members"], told["years"]) == (5, [2000, 2001, 2002, 2003, 2004])
        for key, level in (("low_ha", 0.05), ("median_ha", 0.5), ("high_ha", 0.95)):
            seen = np.array([told[key][name] for name in ("forest", "built", "other")]).T
            np.testing.assert_allclose(seen, np.quantile(hectares, level, axis=0), atol=1e-4)


def test_of_the_whole_landscape_they_spread_as_the_run_reports(served_run: tuple[Run, TestClient]) -> None:
    run, client = served_run
    told = post(client, run, whole(run))["runs"][0]["quantiles"]
    for column in ("low", "median", "high"):
        reported = run.indicators.pivot_table(column, "year", "class")
        for name in reported.columns:
            assert told[f"{column}_ha"][name] == [round(value, 4) for value in reported[name]]


def test_a_run_without_changes_is_measured_without_spread(served_run: tuple[Run, TestClient]) -> None:
    run, client = served_run
    legend = Legend.from_json(json.loads(run.trajectory.land_cover.attrs["legend"]))
    sources = {key: run.locate(run.item["assets"][key]["href"]) for key in ("trajectory", "probability")}
    earlier = RunCubes(run.id, "Usual", run.item["properties"]["created"], legend, sources)
    polygon = draw_star(run, np.random.default_rng(1))
    document = measure_polygon([earlier], polygon, survey, "en", expected=True)
    assert "made by an earlier version" in document["notes"][0]
    told, now = document["runs"][0], post(client, run, polygon, "?expected=true")["runs"][0]
    assert told["quantiles"] is None
    assert {**now, "quantiles": None} == told, "all else is told as with changes"


def test_a_damaged_table_of_changes_is_told_without_its_path(tmp_path: Path) -> None:
    broken = tmp_path / "changes.parquet"
    broken.write_bytes(b"PAR1 and nothing else PAR1")
    for path in (broken, tmp_path / "missing.parquet"):
        with pytest.raises(LayerUnreadable, match=r"^The changes of this run are missing or damaged") as caught:
            open_changes(str(path), "")
        assert str(tmp_path) not in str(caught.value)


def test_a_feature_and_several_polygons_are_measured(served_run: tuple[Run, TestClient]) -> None:
    run, client = served_run
    parts = [draw_star(run, np.random.default_rng(seed)) for seed in (3, 4)]
    single = post(client, run, parts[0])
    feature = {"type": "Feature", "properties": {"name": "village"}, "geometry": parts[0]}
    assert post(client, run, feature) == single
    both = {"type": "MultiPolygon", "coordinates": [part["coordinates"] for part in parts]}
    assert post(client, run, both)["runs"][0]["polygon_ha"] >= single["runs"][0]["polygon_ha"]


def test_several_runs_are_measured_at_once(served_run: tuple[Run, TestClient]) -> None:
    run, client = served_run
    polygon = whole(run)
    document = post(client, run, polygon, f"?with={run.id}&lang=es")
    assert [one["run"] for one in document["runs"]] == [run.id]
    assert "nowhere" in post(client, run, polygon, "?with=nowhere", status=404)["detail"]
    many = "&".join(f"with=run-{n}" for n in range(9))
    post(client, run, polygon, f"?{many}", status=400)


def test_a_point_has_the_class_and_the_chances_of_its_cell(served_run: tuple[Run, TestClient]) -> None:
    run, client = served_run
    names = {1: "forest", 2: "built", 3: "other"}
    for column, row in ((12, 15), (30, 25), (50, 39)):
        longitude, latitude = to_degrees(run, column + 0.3, row + 0.6)
        response = client.get(f"/runs/{run.id}/point/{longitude},{latitude}")
        told = response.json()
        assert told["class"] == [names[value] for value in run.trajectory.land_cover.values[:, row, column]]
        truth = run.probability.probability.values[:, :, row, column]
        np.testing.assert_allclose(np.array(list(told["probability"].values())).T, truth, atol=1e-4)
        assert (told["years"], told["probability_years"]) == ([2000, 2001, 2002, 2003, 2004], [2001, 2002, 2003, 2004])
        chance = run.chance.values[:, :, row, column]
        np.testing.assert_allclose(np.array(list(told["chance"].values())).T, chance, atol=1e-4)
        assert told["recalibrated"] is False, "a run with two dates has no hindcast"
        assert response.headers["cache-control"] == "public, max-age=300"


@pytest.mark.parametrize(
    ("place", "word"),
    [
        ("0,0", "outside"),
        ("nan,0", "longitude"),
        ("0,inf", "latitude"),
        ("181,0", "longitude"),
        ("0,-1e400", "latitude"),
    ],
)
def test_a_point_elsewhere_is_refused(served_run: tuple[Run, TestClient], place: str, word: str) -> None:
    run, client = served_run
    response = client.get(f"/runs/{run.id}/point/{place}")
    assert (response.status_code, word in response.json()["detail"]) == (400, True)


def test_what_the_run_hides_is_not_measured(served_run: tuple[Run, TestClient]) -> None:
    run, client = served_run
    for answer in (
        client.post("/runs/valley-secret-1/statistics", json=whole(run)),
        client.get("/runs/valley-secret-1/point/20,60"),
    ):
        assert answer.status_code == 404
        assert answer.headers["cache-control"] == "no-store"


def test_other_sites_may_ask(served_run: tuple[Run, TestClient]) -> None:
    run, client = served_run
    asked = {
        "Origin": "https://example.org",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    assert client.options(f"/runs/{run.id}/statistics", headers=asked).status_code == 200
