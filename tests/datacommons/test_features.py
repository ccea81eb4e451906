"""Rivers, roads and places over a map: which layers are shown, how fine, to whom; over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pytest
import shapely
from fastapi.testclient import TestClient
from shapely.geometry import LineString, MultiPoint, Point, box, shape
from shapely.geometry.base import BaseGeometry

from catalog.store import OWNER
from datacommons.commons import Commons
from datacommons.door.server import create_app
from datacommons.errors import InvalidIngest
from tests.catalog.stac_validation import find_faults
from tests.datacommons.conftest import UTM_18N, RunCli
from tiles.errors import TooMuch
from tiles.reading.features import MOST_PLACES, MOST_ROWS, MOST_VERTICES, MapFeatures, read_map_features, simplify
from tiles.reading.map_kinds import choose_kind, rank_classes

EAST, NORTH = 500_000, 4_000_000


def write(folder: Path, file: str, shapes: list[BaseGeometry], /, **columns: list[Any]) -> Path:
    path = folder / f"{file}.gpkg"
    geopandas.GeoDataFrame(columns, geometry=shapes, crs=UTM_18N).to_file(path)
    return path


def line(*points: tuple[float, float]) -> LineString:
    """A line through points in metres from the north-west corner of the landscape."""
    return LineString([(EAST + x, NORTH - y) for x, y in points])


def winding(points: int, height_m: float = 40.0) -> LineString:
    """A line across the landscape that winds along the way."""
    along = np.linspace(0, 1800, points)
    return line(*zip(along, 600 + height_m * np.sin(along / 30), strict=True))


@pytest.fixture
def client(commons: Commons) -> Iterator[TestClient]:
    with TestClient(create_app(commons), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def river_commons(commons: Commons, tmp_path: Path) -> Commons:
    """A commons with rivers, roads and villages, and a layer that is none of them."""
    rivers = [winding(900), line((0, 0), (300, 300)), line((300, 300), (900, 640)), line((5, 5), (5, 25))]
    files = [
        write(
            tmp_path,
            "main_rivers",
            rivers,
            name=["Claro", "Alto", "Alto", None],
            waterway=["river", "stream", "stream", "stream"],
        ),
        write(tmp_path, "roads", [line((0, 900), (1800, 900))], fclass=["primary_link"]),
        write(
            tmp_path,
            "villages",
            [Point(EAST + 300, NORTH - 300), box(EAST, NORTH - 900, EAST + 300, NORTH - 600), Point(EAST, NORTH)],
            name=["Arriba", "Plaza", None],
            population=[120, 900, 5],
        ),
        write(tmp_path, "parcels", [box(EAST, NORTH - 90, EAST + 90, NORTH)], name=["1"]),
    ]
    commons.ingest(files, collection="vectors", synthetic=True)
    return commons


def read(client: TestClient, path: str = "", **parameters: Any) -> Any:
    answer = client.get(f"/landscapes/valley/features{path}", params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_what_is_shown_goes_by_the_names_of_layers(river_commons: Commons, client: TestClient) -> None:
    layers = read(client)["layers"]
    assert {layer["name"]: layer["shown_as"] for layer in layers} == {
        "main_rivers": "rivers",
        "roads": "roads",
        "villages": "places",
    }
    assert all(layer["synthetic"] for layer in layers)
    assert client.get("/landscapes/nowhere/features").json()["layers"] == []


@pytest.mark.parametrize(
    ("layer", "kind"),
    [
        ("rivers", "rivers"),
        ("osm_waterways", "rivers"),
        ("mito-kuu", "rivers"),
        ("highways-2020", "roads"),
        ("rua", "roads"),
        ("communities", "places"),
        ("pueblos-2020", "places"),
        ("riverside-parcels", None),
        ("roadless", None),
        ("reserves", None),
    ],
)
def test_words_in_the_name_say_it(layer: str, kind: str | None) -> None:
    assert choose_kind({"landscape:layer": layer}) == kind


def test_who_ingests_says_otherwise(commons: Commons, client: TestClient, tmp_path: Path, cli: RunCli) -> None:
    lines = [winding(10)]
    commons.ingest([write(tmp_path, "hydro", lines)], collection="vectors", shown_as="rivers")
    outcome = cli(
        *("ingest", "-C", commons.root, write(tmp_path, "roads", lines)),
        *("--collection", "vectors", "--show-as", "nothing"),
    )
    assert outcome.code == 0
    assert [(layer["name"], layer["shown_as"]) for layer in read(client)["layers"]] == [("hydro", "rivers")]
    item = commons.store.item("vectors", "valley-roads", OWNER)
    assert item["properties"]["landscape:shown_as"] == "nothing"
    assert find_faults(item) == []


def test_what_cannot_be_shown_is_refused(commons: Commons, tmp_path: Path) -> None:
    path = write(tmp_path, "hydro", [winding(10)])
    with pytest.raises(InvalidIngest, match="shown as 'lakes': --show-as is rivers, roads, places or nothing"):
        commons.ingest([path], collection="vectors", shown_as="lakes")
    with pytest.raises(InvalidIngest, match="--show-as is for vectors, and these files are drivers"):
        commons.ingest([path], collection="drivers", shown_as="rivers")


def test_lines_of_one_name_are_one_and_the_most_important_comes_first(
    river_commons: Commons, client: TestClient
) -> None:
    told = read(client, "/main_rivers", zoom=14)
    assert (told["layer"], told["shown_as"], told["zoom"]) == ("valley-main_rivers", "rivers", 14)
    names = [(each["properties"]["name"], each["properties"]["rank"]) for each in told["features"]]
    assert names == [("Claro", 1), ("Alto", 3)], "the short one without a name is not seen at this zoom"
    alto = shape(told["features"][1]["geometry"])
    assert alto.geom_type == "LineString"
    assert len(read(client, "/valley-main_rivers", zoom=20)["features"]) == 3


@pytest.mark.parametrize("zoom", [8, 11, 14])
def test_a_line_is_as_fine_as_its_zoom_and_no_finer(river_commons: Commons, client: TestClient, zoom: int) -> None:
    told = read(client, "/main_rivers", zoom=zoom)
    river = geopandas.GeoSeries([shape(told["features"][0]["geometry"])], crs=4326).to_crs(UTM_18N)[0]
    pixel_m = 40_075_016.68 / 256 / 2**zoom
    assert shapely.hausdorff_distance(river, winding(900), densify=0.1) < pixel_m + 1.5
    assert shapely.get_num_coordinates(river) < 4 * 1800 / pixel_m + 4
    assert told["simplified"]


def test_villages_are_points_with_names(river_commons: Commons, client: TestClient) -> None:
    told = read(client, "/villages")
    assert [each["properties"]["name"] for each in told["features"]] == ["Plaza", "Arriba"], "more people first"
    points = geopandas.GeoSeries([shape(each["geometry"]) for each in told["features"]], crs=4326).to_crs(UTM_18N)
    assert box(EAST, NORTH - 900, EAST + 300, NORTH - 600).contains(points[0])
    assert points[1].distance(Point(EAST + 300, NORTH - 300)) < 1
    assert not told["simplified"]


def test_it_is_asked_for_again_cheaply(river_commons: Commons, client: TestClient) -> None:
    answer = client.get("/landscapes/valley/features/roads?zoom=12")
    assert answer.headers["content-type"] == "application/geo+json"
    assert answer.headers["cache-control"] == "public, max-age=300"
    tag = answer.headers["etag"]
    again = client.get("/landscapes/valley/features/roads?zoom=12", headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get("/landscapes/valley/features/roads?zoom=13").headers["etag"] != tag
    assert client.get("/landscapes/valley/features").headers["cache-control"] == "public, max-age=300"


def test_replaced_layers_are_shown_in_their_latest_version(
    river_commons: Commons, client: TestClient, tmp_path: Path
) -> None:
    before = client.get("/landscapes/valley/features/roads").headers["etag"]
    (tmp_path / "new").mkdir()
    path = write(tmp_path / "new", "roads", [line((0, 0), (1800, 900))], name=["New road"])
    river_commons.ingest([path], collection="vectors", replace=True)
    assert [layer["layer"] for layer in read(client)["layers"] if layer["name"] == "roads"] == ["valley-roads-v2"]
    answer = client.get("/landscapes/valley/features/roads")
    assert answer.json()["features"][0]["properties"]["name"] == "New road"
    assert answer.headers["etag"] != before


def hide(commons: Commons, item_id: str) -> None:
    item = commons.store.item("vectors", item_id, OWNER)
    item["properties"]["landscape:access"] = "partners"
    commons.store.put_items([item])


def test_what_is_hidden_is_not_there_and_its_owner_gets_it_for_himself(river_commons: Commons) -> None:
    hide(river_commons, "valley-roads")
    token = "a-token-of-many-letters-and-more"
    with TestClient(create_app(river_commons, write_token=token)) as client:
        assert {layer["name"] for layer in read(client)["layers"]} == {"main_rivers", "villages"}
        for name in ("roads", "valley-roads"):
            answer = client.get(f"/landscapes/valley/features/{name}")
            unknown = client.get(f"/landscapes/valley/features/nothing-{name}")
            assert (answer.status_code, unknown.status_code) == (404, 404)
            assert answer.json()["detail"].replace(name, "") == unknown.json()["detail"].replace(f"nothing-{name}", "")
        owner = {"Authorization": f"Bearer {token}"}
        listed = client.get("/landscapes/valley/features", headers=owner)
        assert listed.status_code == 200, listed.text
        assert "roads" in {layer["name"] for layer in listed.json()["layers"]}
        told = client.get("/landscapes/valley/features/roads", headers=owner)
        assert told.headers["cache-control"].startswith("private")
        assert listed.headers["cache-control"].startswith("private")


@pytest.mark.parametrize("path", ["/parcels", "/none", "/..%2F..%2Fetc", "/%00", "/roads/1", "/villages%2F.."])
def test_what_is_not_shown_is_not_found(river_commons: Commons, client: TestClient, path: str) -> None:
    answer = client.get(f"/landscapes/valley/features{path}")
    assert answer.status_code == 404
    assert "/tmp/" not in answer.text


@pytest.mark.parametrize("zoom", ["-1", "25", "fine", "1e9"])
def test_a_zoom_that_is_none_is_refused(river_commons: Commons, client: TestClient, zoom: str) -> None:
    answer = client.get(f"/landscapes/valley/features/roads?zoom={zoom}")
    assert (answer.status_code, answer.headers["cache-control"]) == (400, "no-store")
    assert answer.json()["detail"].startswith("zoom in the URL is wrong")


def test_a_damaged_file_says_so_and_names_no_path(river_commons: Commons, client: TestClient) -> None:
    item = river_commons.store.item("vectors", "valley-roads", OWNER)
    Path(river_commons.locate(item["assets"]["data"]["href"])).write_bytes(b"PAR1 no more")
    answer = client.get("/landscapes/valley/features/roads")
    assert 400 <= answer.status_code < 600
    assert answer.json()["detail"] == "The vector layer is missing or damaged. Tell whoever runs this server."


def features_of(shapes: list[BaseGeometry]) -> MapFeatures:
    """Features without names, in Web Mercator."""
    count = len(shapes)
    return MapFeatures(np.array(shapes, object), np.array([""] * count, object), np.full(count, 2))


def test_an_answer_is_bounded_however_much_there_is() -> None:
    rng = np.random.default_rng(1)
    starts = rng.uniform(0, 200_000, (30_000, 1, 2))
    lines = list(shapely.linestrings(starts + rng.uniform(-2_000, 2_000, (30_000, 12, 2)).cumsum(axis=1)))
    told = simplify(features_of(lines), "roads", 16)
    assert len(told["features"]) > 5_000
    vertices = sum(shapely.get_num_coordinates(shape(each["geometry"])) for each in told["features"])
    assert 0 < vertices <= MOST_VERTICES
    assert told["zoom"] < 16
    assert told["simplified"]
    places = features_of(list(shapely.points(rng.uniform(0, 200_000, (MOST_PLACES + 5, 2)))))
    assert len(simplify(places, "places", 16)["features"]) == MOST_PLACES


def test_a_layer_of_too_many_features_is_refused(tmp_path: Path) -> None:
    many = geopandas.GeoDataFrame(geometry=shapely.points(np.zeros((MOST_ROWS + 1, 2))), crs=4326)
    many.to_parquet(tmp_path / "many.parquet")
    with pytest.raises(TooMuch, match="The layer has 300,001 features, and 300,000 are the most"):
        read_map_features(str(tmp_path / "many.parquet"), "", "places")


def test_an_empty_layer_of_lines_is_an_empty_answer(commons: Commons, client: TestClient, tmp_path: Path) -> None:
    path = write(tmp_path, "rivers", [MultiPoint([(EAST + 5, NORTH - 5)])])
    commons.ingest([path], collection="vectors")
    assert read(client, "/rivers")["features"] == []


def test_classes_of_openstreetmap_have_ranks() -> None:
    assert rank_classes(["motorway", "secondary_link", "path", "City", "hamlet", "stream", "", None, 7]) == [
        *(1, 2, 3),
        *(1, 3, 3),
        *(2, 2, 2),
    ]
