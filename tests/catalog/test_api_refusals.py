"""What the STAC API refuses: what is hidden, absent or nonsense, and what it keeps to itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from catalog.api.app import add_stac_api
from catalog.sqlite.store import SqliteStore
from tests.catalog.service import PARTNER, Api, identify


def test_what_is_hidden_does_not_exist(api: Api) -> None:
    path = "/stac/collections/drivers/items/hidden"
    missing = api.get("/stac/collections/drivers/items/absent")
    hidden = api.get(path)
    assert hidden.status_code == missing.status_code == 404
    assert hidden.text.replace("hidden", "absent") == missing.text
    assert api.get("/stac/search?ids=hidden").json()["features"] == []
    partner = {"Authorization": "partner"}
    assert api.get(path, headers=partner).status_code == 200
    assert len(api.get("/stac/search?ids=hidden", headers=partner).json()["features"]) == 1


def test_a_hidden_collection_is_not_listed(api: Api) -> None:
    runs = api.store.collection("runs", PARTNER)
    api.store.put_collection({**runs, "landscape:access": "partners"})
    try:
        assert "runs" not in {each["id"] for each in api.get("/stac/collections").json()["collections"]}
        assert "/runs" not in api.get("/stac/").text
        assert api.get("/stac/collections/runs").status_code == 404
        assert api.get("/stac/collections/runs/items").status_code == 404
    finally:
        api.store.put_collection(runs)


@pytest.mark.parametrize(
    "path",
    [
        "/stac/collections/none",
        "/stac/collections/none/items",
        "/stac/collections/land-cover/items/none",
        "/stac/collections/%00/items/%F0%28",
        "/stac/nothing",
    ],
)
def test_what_is_not_there(api: Api, path: str) -> None:
    assert api.get(path).status_code == 404


@pytest.mark.parametrize(
    "query",
    [
        "bbox=1,2",
        "bbox=a,b,c,d",
        "bbox=1,1,nan,3",
        "bbox=0,50,1,10",
        "bbox=500000,0,500100,100",
        "bbox=1,2,3,4&intersects={}",
        "datetime=foo",
        "datetime=2001-01-01T00:00:00Z/2000-01-01T00:00:00Z",
        "datetime=../..",
        "datetime=0001-01-01T00:00:00%2B10:00",
        "datetime=2001-13-01T00:00:00Z",
        "limit=0",
        "limit=many",
        "limit=99999999999999999999999",
        "token=x",
        "token=%F0%28",
        "intersects=x",
        "intersects=[]",
        'intersects={"type":"Point"}',
        'intersects={"type":"Feature","geometry":null}',
    ],
)
def test_bad_queries_are_answered_with_400(api: Api, query: str) -> None:
    answer = api.get(f"/stac/search?{query}")
    if query.startswith("limit=9"):
        assert answer.status_code == 200, "too long a page is cut, not refused"
        return
    assert answer.status_code == 400
    assert answer.json()


@pytest.mark.parametrize(
    "body",
    [
        "{",
        "[]",
        '"text"',
        "null",
        '{"limit": "a"}',
        '{"limit": 0}',
        '{"limit": -5}',
        '{"bbox": [1, 2, 3, NaN]}',
        '{"bbox": [1, 2]}',
        '{"bbox": "1,2,3,4"}',
        '{"bbox": [1, 2, 3, 1e999]}',
        '{"bbox": [1, 2, 3, 4], "intersects": {"type": "Point", "coordinates": [1, 2]}}',
        '{"collections": "land-cover"}',
        '{"collections": [null]}',
        '{"collections": ["\\ud800"]}',
        '{"ids": ["\\ud800"]}',
        '{"datetime": 2001}',
        '{"datetime": ""}',
        '{"token": "\\ud800"}',
        '{"intersects": {"type": "Point", "coordinates": ["a", "b"]}}',
        '{"intersects": {"type": "Polygon", "coordinates": [[[0, 0], [1, 1]]]}}',
        '{"intersects": {"type": "Polygon", "coordinates": 5}}',
        '{"intersects": {"type": "GeometryCollection", "geometries": [{"type": "Blob"}]}}',
        pytest.param(
            '{"intersects": ' + '{"type": "GeometryCollection", "geometries": [' * 900 + "]}" * 900 + "}", id="deep"
        ),
    ],
)
def test_bad_bodies_are_answered_with_400(api: Api, body: str) -> None:
    answer = api.post("/stac/search", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 400, answer.text
    assert answer.json()


def test_a_store_that_fails_tells_nothing_of_the_machine(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "secret-name.sqlite")
    app = FastAPI()
    add_stac_api(app, store, title="Valley", description="A test.", identify=identify)
    store.close()
    answer = TestClient(app, raise_server_exceptions=False).get("/stac/search")
    assert answer.status_code == 503
    assert "secret" not in answer.text
