"""Schemathesis over every route that draws or measures: pictures, parts, maps, papers, animations, tiles, hectares.

Each is first asked as a client asks it, and has to answer. Then its path, its query and its body are generated, all of
them or one of them, as they may be and as they may not.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import schemathesis
from fastapi import FastAPI
from fastapi.testclient import TestClient
from schemathesis.generation.modes import GenerationMode

import datacommons as dc
from catalog.store import OWNER
from datacommons.door.server import create_app
from tests.datacommons.conftest import raster_writer
from tests.datacommons.test_openapi_fuzzing import probe

EXAMPLES = 3
JUDGED = "valley-judged-1"
DRAWN = ("tiles", "preview", "bbox", "feature", "map", "picture.png", "animation", "legend", "info", "point")
TOLD = ("statistics", "places", "WMTSCapabilities.xml", "tilejson.json", "latest")
KNOWN: dict[str, Any] = {
    "collection_id": "land-cover",
    "item_id": "valley-land-cover-1990",
    "run_id": "valley-roads-1",
    "year": 2002,
    "landscape_id": "valley",
    "layer": "zones",
    "name": "west",
    "tileMatrixSetId": "WebMercatorQuad",
}
PLACE = {"minx": -75.0, "miny": 36.134, "maxx": -74.985, "maxy": 36.143, "z": 8, "x": 74, "y": 100, "scale": 1}
POINT = {"lon": -74.99, "lat": 36.139, "longitude": -74.99, "latitude": 36.139}
OTHERS = {"width": 40, "height": 30, "format": "png", "family": "valley-roads", "rest": "2002/legend.json"}
USUAL = KNOWN | PLACE | POINT | OTHERS
POLYGON = {"type": "Polygon", "coordinates": [[[-75.0, 36.134], [-74.985, 36.134], [-74.985, 36.143], [-75.0, 36.134]]]}
ZONES = {"nodata": 0, "classes": {"1": {"title": {"en": "West"}}}}


@pytest.fixture(scope="module")
def app(lived_in: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FastAPI]:
    """Return the application of a commons that has a run, one with the map of a hindcast, places and a river."""
    folder = tmp_path_factory.mktemp("drawn")
    zones = raster_writer(folder / "sources")("zones.tif", np.ones((40, 60), np.uint8))
    with dc.open(shutil.copytree(lived_in, folder / "valley")) as commons:
        commons.ingest([zones], collection="drivers", legend=dc.Legend.from_json(ZONES))
        commons.ingest([draw_river(folder / "sources")], collection="vectors")
        run = commons.store.item("runs", "valley-roads-1", OWNER)
        cover = commons.store.item("land-cover", "valley-land-cover-1990", OWNER)
        hindcast = cover["assets"]["data"] | {"roles": ["data"]}
        commons.store.put_items([run | {"id": JUDGED, "assets": run["assets"] | {"hindcast": hindcast}}])
        yield create_app(commons)


def draw_river(folder: Path) -> Path:
    river = {"type": "LineString", "coordinates": [[-75.0, 36.134], [-74.985, 36.143]]}
    feature = {"type": "Feature", "properties": {"name": "Río"}, "geometry": river}
    path = folder / "rivers.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}), encoding="utf-8")
    return path


def is_drawn(path: str) -> bool:
    within = path.startswith(("/collections/{collection_id}/items", "/runs", "/landscapes", "/tileMatrixSets"))
    return within and any(word in path for word in (*DRAWN, *TOLD))


def parts_of(path: str) -> dict[str, Any]:
    """Return what there is at a path."""
    own = {"run_id": JUDGED} if "/hindcast" in path else {"layer": "rivers"} if "/features" in path else {}
    return USUAL | own | ({"format": "webp"} if "/animation" in path else {})


def query_of(path: str) -> dict[str, Any]:
    """Return what has to be asked there."""
    if path.endswith("/statistics"):
        return {"layer": "zones", "place": "west"}
    if "/animation" in path:
        return {"width": 40}
    return {"since": "2001"} if "/difference" in path else {"class": "built"} if "/probability" in path else {}


def test_every_part_of_an_address_is_described(app: FastAPI) -> None:
    for path, methods in app.openapi()["paths"].items():
        named = set(re.findall(r"\{(\w+)(?::\w+)?\}", path))
        for method, operation in methods.items():
            told = {each["name"] for each in operation.get("parameters", []) if each["in"] == "path"}
            assert named == told, f"{method} {path}"


def test_what_is_described_is_answered(app: FastAPI) -> None:
    client, seen = TestClient(app), 0
    for path, methods in app.openapi()["paths"].items():
        if not is_drawn(path):
            continue
        address = path.format(**parts_of(path))
        for method in methods:
            body = {"json": POLYGON} if method == "post" else {}
            if method in ("get", "post"):
                answer = client.request(method, address, params=query_of(path), **body)
                assert answer.status_code == 200, f"{method} {answer.url}: {answer.text}"
                seen += 1
    assert seen > 100


@pytest.mark.long
def test_whatever_is_asked_of_pictures_is_answered_as_documented(app: FastAPI) -> None:
    schema = schemathesis.openapi.from_asgi("/openapi.json", app)
    schema.config.generation.update(modes=[GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
    operations = [found.ok() for found in schema.get_all_operations()]
    chosen = [each for each in operations if is_drawn(each.path) and each.method in ("get", "post")]
    assert len(chosen) > 100
    faults: list[str] = []
    for operation in chosen:
        body = {"body": POLYGON} if operation.method == "post" else {}
        query, there = query_of(operation.path), parts_of(operation.path)
        faults += probe(operation, EXAMPLES, {})
        faults += probe(operation, EXAMPLES, there, **body)
        faults += probe(operation, EXAMPLES, {name: there[name] for name in KNOWN}, query=query, **body)
        if body:
            faults += probe(operation, EXAMPLES, there, query={})
    assert faults == []
