"""From vector files to layers: every feature, attribute and coordinate, in every format."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas
import numpy as np
import pyarrow.parquet as pq
import pytest
import shapely
from fastapi.testclient import TestClient

from catalog.store import ANONYMOUS, OWNER
from datacommons.commons import Commons
from datacommons.door.server import create_app
from datacommons.errors import LayerNotFound
from tests.catalog.stac_validation import find_faults
from tests.datacommons import vector_files as vf
from tests.datacommons.conftest import UTM_18N, RunCli
from tests.datacommons.vector_files import NAMES, PEOPLE, pack, square, villages, write


def make(folder: Path, kind: str) -> Path:
    """Write the villages in a format."""
    frame = villages()
    if kind == "zip":
        return pack(folder / "places.zip", write(frame, folder / "src" / "places.shp", encoding="UTF-8"), prefix="gis/")
    if kind == "kmz":
        return pack(folder / "places.kmz", write(frame.to_crs(4326), folder / "src" / "places.kml"))
    if kind == "parquet":
        frame.to_parquet(folder / "places.parquet")
        return folder / "places.parquet"
    degrees = kind in ("geojson", "kml")
    return write(frame.to_crs(4326) if degrees else frame, folder / f"places.{kind}")


@pytest.mark.parametrize("kind", ["gpkg", "shp", "zip", "geojson", "kml", "kmz", "fgb", "parquet"])
def test_every_format_keeps_features_attributes_and_places(commons: Commons, tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "sources"
    folder.mkdir()
    [report] = commons.ingest([make(folder, kind)], collection="vectors")
    assert (report.layer, report.features, report.cells, report.notes) == ("places", 2, 0, ())
    found = commons.features("valley", "places").sort_values("name")
    assert found["name"].tolist() == NAMES
    assert found["people"].astype(int).tolist() == PEOPLE
    placed = found.to_crs(UTM_18N).geometry
    # To the centimetre: GeoJSON keeps seven decimals of a degree.
    assert shapely.hausdorff_distance(placed.to_numpy(), villages().geometry.to_numpy()).max() < 0.01
    assert placed.geom_type.tolist() == ["Polygon", "Polygon"]
    assert placed.area.tolist() == pytest.approx([90_000, 90_000], rel=1e-4)


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("name,Lat,Lon,people\nA,36.14,-74.99,3\nB,36.13,-74.985,\n", {}),
        ("name;Longitude;Latitude;people\nA;-74.99;36.14;3\nB;-74.985;36.13;\n", {}),
        (
            "\ufeffname\tp\tq\tpeople\nA\t-74.99\t36.14\t3\nB\t-74.985\t36.13\t\n",
            {"x": "p", "y": "q", "crs": "EPSG:4326"},
        ),
    ],
)
def test_points_of_a_table(commons: Commons, tmp_path: Path, text: str, options: dict[str, str]) -> None:
    path = tmp_path / "wells_2015.csv"
    path.write_text(text, "utf-8")
    [report] = commons.ingest([path], collection="vectors", name="wells", **options)
    wells = commons.features("valley", "wells")
    assert (report.year, report.features) == (2015, 2)
    assert list(wells.columns) == ["name", "people", "geometry"]
    assert wells["name"].tolist() == ["A", "B"]
    np.testing.assert_array_equal(wells["people"], [3, np.nan])
    np.testing.assert_array_equal(shapely.get_coordinates(wells.geometry), [[-74.99, 36.14], [-74.985, 36.13]])
    assert wells.crs.to_epsg() == 4326


def test_points_in_metres_need_their_crs(commons: Commons, tmp_path: Path) -> None:
    path = tmp_path / "wells.csv"
    path.write_text("easting,northing\n500100.5,3999800\n,\n", "utf-8")
    [report] = commons.ingest([path], collection="vectors", crs=UTM_18N)
    assert report.notes == ("1 of 2 features have no geometry and are left out",)
    wells = commons.features("valley", "wells")
    np.testing.assert_array_equal(shapely.get_coordinates(wells.geometry), [[500100.5, 3999800]])


def test_the_file_is_geoparquet_with_boxes(commons: Commons, tmp_path: Path) -> None:
    [report] = commons.ingest([write(villages(), tmp_path / "villages.gpkg")], collection="vectors")
    assert report.href == "layers/vectors/valley-villages/valley-villages.parquet"
    path = commons.locate(report.href)
    geo = json.loads(pq.read_metadata(path).metadata[b"geo"])
    assert (geo["version"], geo["primary_column"]) == ("1.1.0", "geometry")
    column = geo["columns"]["geometry"]
    assert column["covering"]["bbox"]["xmin"] == ["bbox", "xmin"]
    assert (column["encoding"], column["crs"]["id"]["code"]) == ("WKB", 32618)
    window = geopandas.read_parquet(path, bbox=(vf.WEST, vf.NORTH - 400, vf.WEST + 400, vf.NORTH))
    assert window["name"].tolist() == NAMES[:1]


def test_the_item_says_what_the_table_holds(commons: Commons, tmp_path: Path) -> None:
    path = write(villages(), tmp_path / "villages.gpkg")
    commons.ingest([path], collection="vectors", licence="ODbL-1.0", product="OpenStreetMap")
    item = commons.store.item("vectors", "valley-villages", ANONYMOUS)
    assert find_faults(item) == []
    properties = item["properties"]
    assert properties["table:row_count"] == 2
    assert properties["table:primary_geometry"] == "geometry"
    names = [column["name"] for column in properties["table:columns"]]
    assert names == ["name", "people", "geometry", "bbox"]
    assert properties["proj:code"] == "EPSG:32618"
    assert properties["proj:bbox"] == [500090, 3999100, 501200, 3999910]
    assert (properties["landscape:id"], properties["landscape:layer"]) == ("valley", "villages")
    assert (properties["license"], properties["landscape:product"]) == ("ODbL-1.0", "OpenStreetMap")
    west, south, east, north = villages().to_crs(4326).total_bounds
    assert item["bbox"] == pytest.approx([west, south, east, north], abs=1e-6)
    assert item["assets"]["data"]["type"] == "application/vnd.apache.parquet"
    assert item["assets"]["data"]["file:checksum"].startswith("1220")


def test_one_layer_of_several(commons: Commons, tmp_path: Path) -> None:
    path = write(villages(), tmp_path / "atlas.gpkg", layer="villages")
    write(villages(square(300, 300), crs=UTM_18N, name=["Reserve"]), path, layer="reserves")
    [report] = commons.ingest([path], collection="vectors", layer="reserves")
    assert report.layer == "reserves"
    assert commons.features("valley", "reserves")["name"].tolist() == ["Reserve"]


def test_one_shapefile_of_an_archive(commons: Commons, tmp_path: Path) -> None:
    files = [write(villages(), tmp_path / "src" / f"{name}.shp") for name in ("roads", "villages")]
    commons.ingest([pack(tmp_path / "all.zip", *files)], collection="vectors", layer="villages")
    assert len(commons.features("valley", "villages")) == 2


def test_vectors_are_listed_beside_rasters(commons: Commons, tmp_path: Path, cli: RunCli) -> None:
    path = write(villages(), tmp_path / "villages.gpkg")
    outcome = cli("ingest", "-C", commons.root, path, "--collection", "vectors", "--licence", "CC0-1.0")
    assert outcome.out == "villages.gpkg: added villages of valley, 2 features\n"
    assert [(each.name, each.features) for each in commons.layers()] == [
        ("land-cover", None),
        ("land-cover", None),
        ("villages", 2),
    ]
    assert "2 features" in cli("layers", "-C", commons.root).out


def test_a_layer_that_is_not_there(commons: Commons) -> None:
    with pytest.raises(LayerNotFound, match="valley has no vector layer 'roads'; it has: none"):
        commons.features("valley", "roads")


def test_vectors_are_served_as_file_and_item_and_have_no_tiles(commons: Commons, tmp_path: Path) -> None:
    [report] = commons.ingest([write(villages(), tmp_path / "villages.gpkg")], collection="vectors")
    with TestClient(create_app(commons), raise_server_exceptions=False) as client:
        item = client.get("/stac/collections/vectors/items/valley-villages").json()
        served = client.get(item["assets"]["data"]["href"])
        tiles = client.get("/collections/vectors/items/valley-villages/WebMercatorQuad/tilejson.json")
    assert item["properties"]["table:row_count"] == 2
    assert served.headers["content-type"] == "application/vnd.apache.parquet"
    assert served.content == Path(commons.locate(report.href)).read_bytes()
    assert tiles.status_code == 400  # a GeoParquet file cannot be drawn


# What is unusual but can be helped is done, and said.


def test_a_ring_that_touches_itself_is_mended(commons: Commons, tmp_path: Path) -> None:
    corner = (vf.WEST + 600, vf.NORTH - 600)
    inlet = [(0, 0), (300, 0), (300, -300), (0, -300), (0, 0), (100, -100), (100, -50), (0, 0)]
    touching = shapely.Polygon([(corner[0] + x, corner[1] + y) for x, y in inlet])
    assert not touching.is_valid
    [report] = commons.ingest([write(villages(touching), tmp_path / "lake.gpkg")], collection="vectors")
    assert report.notes == ("rings that touch themselves were mended, without a change of area, in 1 features",)
    (mended,) = commons.features("valley", "lake").geometry
    assert mended.is_valid
    assert mended.area == pytest.approx(touching.area) == pytest.approx(90_000 - 2_500)


def test_features_without_geometry_or_outside_are_noted(commons: Commons, tmp_path: Path) -> None:
    path = write(villages(square(0, 0), None, square(90_000, 0)), tmp_path / "farms.gpkg")
    [report] = commons.ingest([path], collection="vectors")
    assert report.notes == (
        "1 of 3 features have no geometry and are left out",
        "1 of 2 features lie outside valley",
    )
    assert report.features == 2


def test_points_and_lines_and_a_column_called_bbox(commons: Commons, tmp_path: Path) -> None:
    shapes = (square(0, 0).centroid, square(0, 0).exterior)
    path = write(villages(*shapes, bbox=["a", "b"]), tmp_path / "sites.geojson")
    commons.ingest([path], collection="vectors")
    found = commons.features("valley", "sites")
    assert found.geometry.geom_type.tolist() == ["Point", "LineString"]
    assert found["bbox_"].tolist() == ["a", "b"]


def test_replaced_only_when_asked(commons: Commons, tmp_path: Path) -> None:
    path = write(villages(), tmp_path / "villages.gpkg")
    commons.ingest([path], collection="vectors")
    with pytest.raises(FileExistsError, match="valley-villages in vectors already: say --replace"):
        commons.ingest([path], collection="vectors")
    [report] = commons.ingest([path], collection="vectors", replace=True)
    assert report.replaced


# Scenario files name vector layers where they name GeoJSON files.

SCENARIO = """
id: plans
title: Plans
storyline: Some plans.
landscape: valley
start: 2000
years: 3
history: [1990, 2000]
potential: {drivers: [{distance_to: %(roads)s, name: road}]}
demand: {zones: %(places)s}
interventions:
  - {id: reserve, years: [2001, 2002], protect: {where: %(places)s, classes: [forest]}}
"""


def test_a_layer_stands_for_a_file_in_a_scenario(commons: Commons, tmp_path: Path) -> None:
    from datacommons.runs.run import read_scenario

    road = villages(square(300, 300).exterior, crs=UTM_18N)
    for frame, name in ((villages(), "places"), (road, "roads")):
        degrees = write(frame.to_crs(4326), tmp_path / f"{name}.geojson")
        commons.ingest([degrees], collection="vectors")
    by_file, by_layer = tmp_path / "file.yaml", tmp_path / "layer.yaml"
    by_file.write_text(SCENARIO % {"roads": "roads.geojson", "places": "places.geojson"}, "utf-8")
    by_layer.write_text(SCENARIO % {"roads": "{layer: roads}", "places": "{layer: places}"}, "utf-8")
    (scenario, places), (same, none) = read_scenario(commons, by_layer), read_scenario(commons, by_file)
    assert scenario == same
    assert ({each.item for each in places}, none) == ({"valley-roads", "valley-places"}, ())
    assert sorted(scenario.demand.zones or ()) == NAMES
    assert scenario.to_yaml() == same.to_yaml()


def test_a_run_is_derived_of_its_vectors_and_no_more_open_than_they_are(commons: Commons, tmp_path: Path) -> None:
    commons.ingest([write(villages(), tmp_path / "reserve.gpkg")], collection="vectors")
    item = commons.store.item("vectors", "valley-reserve", OWNER)
    item["properties"]["landscape:access"] = "partners"
    commons.store.put_items([item])
    path = tmp_path / "plan.yaml"
    scenario = SCENARIO.replace("zones: %(places)s", "rule: markov").replace(
        "potential:", "members: 1\ntransitions: {minimum_hectares: 1}\npotential:"
    )
    path.write_text(scenario % {"roads": "built", "places": "{layer: reserve}"}, "utf-8")
    run = commons.run(path)
    assert run.item["properties"]["landscape:access"] == "partners"
    origins = [link["title"] for link in run.item["links"] if link["rel"] == "derived_from"]
    assert "valley-reserve" in origins


def test_a_layer_needs_the_commons(commons: Commons, tmp_path: Path) -> None:
    from datacommons.runs.run import read_scenario
    from scenarios.spec import load_scenario

    path = tmp_path / "layer.yaml"
    path.write_text(SCENARIO % {"roads": "{layer: roads}", "places": "{layer: places}"}, "utf-8")
    with pytest.raises(ValueError, match="names the vector layer 'places': read it with its commons"):
        load_scenario(path)
    with pytest.raises(LayerNotFound, match="no vector layer 'places'; it has: none"):
        read_scenario(commons, path)
