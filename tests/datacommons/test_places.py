"""Places by name: polygons of vector layers and classes of zones, as the page and the statistics take them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import geopandas
import numpy as np
import pytest
import shapely
from fastapi.testclient import TestClient
from pyproj import Geod
from shapely.geometry import LineString, Point, Polygon, box, shape

import datacommons as dc
from catalog.store import OWNER
from datacommons.door.server import create_app
from tests.datacommons.conftest import LEGEND, UTM_18N, draw_land_cover, make_scenario, raster_writer
from tiles.reading.places import Place
from tiles.routes.body import check_polygon

EAST, NORTH = 500_000, 4_000_000
ZONES = {"nodata": 0, "classes": {"1": {"title": {"en": "West", "es": "Oeste"}}, "2": {"title": {"en": "East"}}}}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """Return a client of a commons with villages, roads, zones and a run."""
    folder = tmp_path_factory.mktemp("places")
    write = raster_writer(folder / "sources")
    earlier, later = draw_land_cover(), draw_land_cover()
    later[20:30, 10:25] = 2
    files = [write("lc_1990.tif", earlier, nodata=0), write("lc_2000.tif", later, nodata=0)]
    zones = np.ones((40, 60), np.uint8)
    zones[:, 30:] = 2
    villages = [
        box(EAST + 300, NORTH - 900, EAST + 750, NORTH - 600),
        box(EAST, NORTH - 1200, EAST + 300, NORTH - 900),
        Polygon([(EAST + 900 + 300 * np.cos(t), NORTH - 600 + 300 * np.sin(t)) for t in np.linspace(0, 6.28, 20_000)]),
    ]
    table = {"name": ["San José", "San José", "Round / lake"], "people": [1, 2, 3]}
    geopandas.GeoDataFrame(table, geometry=villages, crs=UTM_18N).to_file(folder / "villages.gpkg")
    hamlets = [Point(EAST + 900, NORTH - 600), Point(EAST + 60, NORTH - 60), Point(EAST + 90, NORTH - 90)]
    table = {"nom": ["Haut", None, "Bas"]}
    geopandas.GeoDataFrame(table, geometry=hamlets, crs=UTM_18N).to_file(folder / "hamlets.gpkg")
    road = geopandas.GeoDataFrame(geometry=[LineString([(EAST, NORTH), (EAST + 900, NORTH - 900)])], crs=UTM_18N)
    road.to_file(folder / "roads.gpkg")
    with dc.init(folder / "valley") as commons:
        commons.ingest(files, collection="land-cover", legend=dc.Legend.from_json(LEGEND))
        commons.ingest([write("road.tif", np.ones((40, 60), np.float32))], collection="drivers")
        commons.ingest([write("zones.tif", zones)], collection="drivers", legend=dc.Legend.from_json(ZONES))
        commons.ingest([write("secret.tif", zones)], collection="drivers", legend=dc.Legend.from_json(ZONES))
        secret = commons.store.item("drivers", "valley-secret", OWNER)
        commons.store.put_items([secret | {"properties": secret["properties"] | {"landscape:access": "council"}}])
        commons.ingest([folder / f"{name}.gpkg" for name in ("villages", "roads", "hamlets")], collection="vectors")
        commons.run(make_scenario(), threads=1, progress=False)
        with TestClient(create_app(commons)) as client:
            yield client


def read(client: TestClient, path: str, status: int = 200) -> Any:
    answer = client.get(f"/landscapes/valley/places{path}")
    assert answer.status_code == status, answer.text
    return answer.json()


def test_polygons_points_with_names_and_zones_are_listed_and_nothing_else(client: TestClient) -> None:
    layers = {layer["name"]: layer for layer in read(client, "?lang=es")["layers"]}
    assert set(layers) == {"villages", "hamlets", "zones"}
    assert [(place["name"], place["kind"]) for place in layers["hamlets"]["places"]] == [
        ("Haut", "point"),
        ("Bas", "point"),
    ]
    assert {place["kind"] for name in ("villages", "zones") for place in layers[name]["places"]} == {"area"}
    assert [place["name"] for place in layers["villages"]["places"]] == ["San José", "San José (2)", "Round / lake"]
    assert [place["label"] for place in layers["zones"]["places"]] == ["Oeste", "East"]
    assert client.get("/landscapes/nowhere/places").json()["layers"] == []


def test_a_village_has_its_outline(client: TestClient) -> None:
    feature = read(client, "/villages/San José")
    assert feature["properties"] == {
        "layer": "valley-villages",
        "name": "San José",
        "title": {"en": "San José"},
        "simplified": False,
    }
    placed = geopandas.GeoSeries([shape(feature["geometry"])], crs=4326).to_crs(UTM_18N)[0]
    assert placed.area == pytest.approx(450 * 300, rel=1e-6)
    assert read(client, "/valley-villages/San José (2)")["bbox"] != feature["bbox"]


def test_an_outline_of_too_many_vertices_is_simplified_and_says_so(client: TestClient) -> None:
    feature = read(client, "/villages/Round %2F lake")
    assert feature["properties"]["simplified"]
    assert len(feature["geometry"]["coordinates"][0]) <= 10_000


def test_a_village_that_is_a_point_is_a_point(client: TestClient) -> None:
    geometry = read(client, "/hamlets/Haut")["geometry"]
    assert geometry["type"] == "Point"
    placed = geopandas.GeoSeries([shape(geometry)], crs=4326).to_crs(UTM_18N)[0]
    assert placed.distance(Point(EAST + 900, NORTH - 600)) < 0.01


@pytest.mark.parametrize("kilometres", [0.3, 1, 5])
def test_around_a_point_is_a_circle_on_the_ellipsoid(client: TestClient, kilometres: float) -> None:
    feature = read(client, f"/hamlets/Haut?within_km={kilometres}")
    assert feature["properties"]["name"] == "Haut"
    circle, centre = shape(feature["geometry"]), shape(read(client, "/hamlets/Haut")["geometry"])
    assert feature["bbox"] == pytest.approx(circle.bounds)
    east, north = np.asarray(circle.exterior.coords).T
    metres = Geod(ellps="WGS84").inv(np.full_like(east, centre.x), np.full_like(north, centre.y), east, north)[2]
    np.testing.assert_allclose(metres, kilometres * 1000, rtol=1e-6)
    area = abs(Geod(ellps="WGS84").geometry_area_perimeter(circle)[0])
    assert area == pytest.approx(np.pi * (kilometres * 1000) ** 2, rel=1e-3)


def test_the_hectares_around_a_village_are_those_of_the_cells_with_their_centre_near_it(client: TestClient) -> None:
    told = client.post("/runs/valley-roads-1/statistics", json=read(client, "/hamlets/Haut?within_km=0.3"))
    rows, columns = np.indices((40, 60))
    away = (
        np.hypot(30 * columns + 15 - 900, 30 * rows + 15 - 600) / 0.9996
    )  # the scale of UTM in the middle of its zone
    near = (away <= 300) & (draw_land_cover() > 0)
    assert told.json()["runs"][0]["polygon_ha"] == pytest.approx(np.count_nonzero(near) * 0.09, abs=0.09 * 4)


def test_around_a_village_is_measured_by_its_name_too(client: TestClient) -> None:
    asked = {"layer": "hamlets", "place": "Haut"}
    told = client.get("/runs/valley-roads-1/statistics", params={**asked, "within_km": 0.3}).json()
    outline = read(client, "/hamlets/Haut?within_km=0.3")
    assert told["runs"] == client.post("/runs/valley-roads-1/statistics", json=outline).json()["runs"]
    refused = client.get("/runs/valley-roads-1/statistics", params=asked)
    assert refused.status_code == 400
    assert "'Haut' is a point and has no area" in refused.text


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("/hamlets/Haut?within_km=0", "within_km in the URL is wrong"),
        ("/hamlets/Haut?within_km=51", "within_km in the URL is wrong"),
        ("/hamlets/Haut?within_km=far", "within_km in the URL is wrong"),
        ("/villages/San José?within_km=1", "'San José' is an area, and within_km is for points"),
    ],
)
def test_what_cannot_be_around_a_place_is_refused(client: TestClient, path: str, word: str) -> None:
    assert word in read(client, path, 400)["detail"]


def test_a_circle_over_the_antimeridian_is_cut_there() -> None:
    place = Place("Taveuni", {"en": "Taveuni"}, (179.99, -16.8, 179.99, -16.8), Point(179.99, -16.8), False)
    around = place.draw_around(5)
    assert around.geometry.geom_type == "MultiPolygon"
    west, _, east, _ = around.geometry.bounds
    assert (west, east) == (-180, 180)
    parts = [shapely.transform(part, lambda xy: xy % [360, 1000]) for part in around.geometry.geoms]
    assert shapely.union_all(parts).bounds[0] == pytest.approx(179.99 - 0.047, abs=1e-3)
    check_polygon(json.loads(json.dumps(around.to_feature("islands"))))


def test_the_hectares_of_a_zone_are_those_of_its_cells(client: TestClient) -> None:
    total = 0.0
    cells = draw_land_cover()
    for name, columns in (("west", slice(0, 30)), ("east", slice(30, 60))):
        feature = read(client, f"/zones/{name}")
        told = client.post("/runs/valley-roads-1/statistics", json=feature)
        assert told.status_code == 200, told.text
        hectares = sum(values[0] for values in told.json()["runs"][0]["area_ha"].values())
        assert hectares == pytest.approx(np.count_nonzero(cells[:, columns]) * 0.09, rel=1e-9)
        total += hectares
    assert total == pytest.approx(np.count_nonzero(cells) * 0.09)


@pytest.mark.parametrize(
    ("layer", "name", "label"),
    [
        ("villages", "San José", "San José"),
        ("valley-villages", "San José (2)", "San José (2)"),
        ("villages", "Round / lake", "Round / lake"),
        ("zones", "west", "Oeste"),
    ],
)
def test_statistics_of_a_place_by_its_name_are_those_of_its_outline(
    client: TestClient, layer: str, name: str, label: str
) -> None:
    asked = {"layer": layer, "place": name, "lang": "es", "expected": "true"}
    answer = client.get("/runs/valley-roads-1/statistics", params=asked)
    assert answer.status_code == 200, answer.text
    told, feature = answer.json(), read(client, f"/{layer}/{name.replace('/', '%2F')}")
    assert told.pop("place") == {"layer": feature["properties"]["layer"], "name": name, "label": label}
    posted = client.post("/runs/valley-roads-1/statistics?lang=es&expected=true", json=feature).json()
    assert told["runs"] == posted["runs"]
    assert told["runs"][0]["polygon_ha"] > 0
    assert any("simpler one" in note for note in told["notes"]) is feature["properties"]["simplified"]
    assert answer.headers["cache-control"] == "public, max-age=300"


def test_statistics_of_a_place_for_several_runs(client: TestClient) -> None:
    asked = {"layer": "zones", "place": "east", "with": ["valley-roads-1", "valley-roads-1"]}
    told = client.get("/runs/valley-roads-1/statistics", params=asked).json()
    assert [run["run"] for run in told["runs"]] == ["valley-roads-1"]


@pytest.mark.parametrize(
    ("run", "query", "status", "word"),
    [
        ("valley-roads-1", "layer=zones&place=north", 404, "no place 'north'"),
        ("valley-roads-1", "layer=roads&place=1", 404, "no place '1'"),
        ("valley-roads-1", "layer=../../etc&place=passwd", 404, "no place 'passwd'"),
        ("valley-roads-1", "layer=secret&place=west", 404, "no place 'west'"),
        ("valley-roads-1", "layer=valley-secret&place=west", 404, "no place 'west'"),
        ("valley-roads-1", "layer=zones&place=west&with=nowhere", 404, "no run 'nowhere'"),
        ("nowhere", "layer=zones&place=west", 404, "no run 'nowhere'"),
        ("valley-roads-1", "layer=zones", 400, "place"),
        ("valley-roads-1", "", 400, "layer"),
        ("valley-roads-1", f"layer={'x' * 201}&place=west", 400, "layer"),
        ("valley-roads-1", "layer=zones&place=west&expected=perhaps", 400, "expected"),
    ],
)
def test_statistics_of_no_place_are_refused(client: TestClient, run: str, query: str, status: int, word: str) -> None:
    answer = client.get(f"/runs/{run}/statistics?{query}")
    assert (answer.status_code, answer.headers["cache-control"]) == (status, "no-store"), answer.text
    assert word in answer.json()["detail"]


@pytest.mark.parametrize(
    "path",
    [
        "/villages/none",
        "/roads/1",
        "/none/none",
        "/secret/west",
        "/road/1",
        "/..%2F..%2Fetc/passwd",
        "/villages/%2e%2e",
        "/villages/%00",
    ],
)
def test_what_is_no_place_is_not_found(client: TestClient, path: str) -> None:
    answer = client.get(f"/landscapes/valley/places{path}")
    assert answer.status_code == 404
    assert "/tmp/" not in answer.text
