"""The STAC API over HTTP: walked by pystac-client, validated, behind a proxy, and fed with nonsense."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import numpy as np
import pystac_client
import pytest
import uvicorn
from fastapi import FastAPI, Request
from stac_fastapi.api.middleware import ProxyHeaderMiddleware
from starlette.testclient import TestClient

from catalog.api import add_stac_api
from catalog.collections import make_collections
from catalog.layers import raster_item
from catalog.legend import Legend
from catalog.sqlite import SqliteStore
from catalog.store import ANONYMOUS, Reader
from tests.catalog.conftest import MakeItem, WriteRaster
from tests.catalog.stac_validation import find_faults

PARTNER = Reader("ada", frozenset({"public", "partners"}))
FORWARDED = {
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "maps.valley.example",
    "X-Forwarded-Port": "8443",
    "X-Forwarded-Prefix": "/commons",
}


@dataclass(frozen=True)
class Api:
    """A server on loopback, and the store behind it."""

    url: str
    store: SqliteStore

    def get(self, path: str, **options: Any) -> httpx.Response:
        return httpx.get(f"{self.url}{path}", **options)

    def search(self, body: Any) -> httpx.Response:
        return httpx.post(
            f"{self.url}/stac/search", content=json.dumps(body), headers={"content-type": "application/json"}
        )


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteStore]:
    store = SqliteStore(tmp_path_factory.mktemp("api") / "catalog.sqlite")
    yield store
    store.close()


@pytest.fixture(scope="module")
def server(store: SqliteStore) -> Iterator[str]:
    """Serve the store as the door does: proxy headers in the scope, no pages from a CDN."""
    app = FastAPI(docs_url=None, redoc_url=None)
    app.add_middleware(ProxyHeaderMiddleware)
    app.add_middleware(HonourPrefix)
    add_stac_api(app, store, title="Valley Commons", description="A test.", identify=identify)
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", proxy_headers=False, lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join()
    listener.close()


@pytest.fixture
def api(server: str, store: SqliteStore, make_item: MakeItem) -> Api:
    """25 items of successive years and degrees; one more for partners only."""
    for collection in make_collections(name="Valley Commons"):
        store.put_collection(collection)
    items = [
        make_item(f"valley-{2000 + n}", (n, n, n + 0.5, n + 0.5), f"{2000 + n}-01-01T00:00:00Z") for n in range(25)
    ]
    hidden = make_item("hidden", (70, 70, 71, 71), collection="drivers", **{"landscape:access": "partners"})
    store.put_items([*items, hidden])
    return Api(server, store)


@pytest.fixture
def client(api: Api) -> pystac_client.Client:
    return pystac_client.Client.open(f"{api.url}/stac")


class HonourPrefix:
    """Puts the path below which a proxy shows the server into the scope."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        prefix = dict(scope.get("headers", [])).get(b"x-forwarded-prefix", b"").decode()
        if prefix:
            scope["root_path"] = prefix
        await self.app(scope, receive, send)


def identify(request: Request) -> Reader:
    return PARTNER if request.headers.get("authorization") == "partner" else ANONYMOUS


def hrefs(document: Any) -> Iterator[str]:
    if isinstance(document, dict):
        yield from (document["href"],) if isinstance(document.get("href"), str) else ()
        document = list(document.values())
    if isinstance(document, list):
        for each in document:
            yield from hrefs(each)


def test_a_client_walks_the_catalog(client: pystac_client.Client) -> None:
    assert client.title == "Valley Commons"
    assert {each.id for each in client.get_collections()} == {"landscapes", "land-cover", "drivers", "runs", "run-maps"}
    collection = client.get_collection("land-cover")
    item = collection.get_item("valley-2003")
    assert item.datetime.year == 2003
    assert item.get_collection().id == "land-cover"
    assert {child.id for child in client.get_children()} == {each.id for each in client.get_collections()}


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_client_pages_to_the_last_item(client: pystac_client.Client, method: str) -> None:
    search = client.search(method=method, limit=4, collections=["land-cover"], max_items=None)
    pages = list(search.pages_as_dicts())
    assert [len(page["features"]) for page in pages] == [4, 4, 4, 4, 4, 4, 1]
    assert [item["id"] for page in pages for item in page["features"]] == [f"valley-{2024 - n}" for n in range(25)]
    assert "next" not in {link["rel"] for link in pages[-1]["links"]}


def test_a_client_pages_through_the_items_of_a_collection(client: pystac_client.Client, api: Api) -> None:
    assert len(list(client.get_collection("land-cover").get_items())) == 25
    page = api.get("/stac/collections/land-cover/items?limit=10&bbox=0,0,12.2,12.2").json()
    found = [item["id"] for item in page["features"]]
    while next_links := [link["href"] for link in page["links"] if link["rel"] == "next"]:
        page = httpx.get(next_links[0]).json()
        found += [item["id"] for item in page["features"]]
    assert found == [f"valley-{2012 - n}" for n in range(13)]


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("fields", "years"),
    [
        ({"bbox": [3.1, 3.1, 5.1, 5.1]}, [2005, 2004, 2003]),
        ({"bbox": [3.1, 3.1, 0, 5.1, 5.1, 9000]}, [2005, 2004, 2003]),
        ({"datetime": "2003/2004"}, [2004, 2003]),
        ({"datetime": "2023-06-01T00:00:00Z/.."}, [2024]),
        ({"datetime": "2003-01-01T00:00:00Z"}, [2003]),
        ({"ids": ["valley-2007", "valley-2001", "none"]}, [2007, 2001]),
        ({"intersects": {"type": "Point", "coordinates": [9.2, 9.2]}}, [2009]),
        ({"collections": ["drivers"]}, []),
        ({"bbox": [3.1, 3.1, 5.1, 5.1], "datetime": "2004", "collections": ["land-cover", "drivers"]}, [2004]),
    ],
)
def test_a_client_searches(client: pystac_client.Client, method: str, fields: dict, years: list[int]) -> None:
    found = client.search(method=method, limit=2, max_items=None, **fields).item_collection()
    assert [item.id for item in found] == [f"valley-{year}" for year in years]


def test_numbers_are_told_where_they_are_known(api: Api) -> None:
    page = api.get("/stac/search?ids=valley-2001,valley-2002").json()
    assert (page["numberMatched"], page["numberReturned"]) == (2, 2)
    assert api.get("/stac/search?limit=3").json()["numberReturned"] == 3
    assert len(api.get("/stac/search").json()["features"]) == 10
    assert len(api.get("/stac/search?limit=1000000").json()["features"]) == 25


def test_all_that_is_served_is_valid(api: Api, write_raster: WriteRaster, tmp_path: Path, legend: Legend) -> None:
    path = write_raster("1999.tif", np.array([[1, 2], [3, 0]], np.uint8))
    item = raster_item(
        path,
        root=tmp_path,
        item_id="valley-1999",
        collection="run-maps",
        year=1999,
        landscape="valley",
        layer="land-cover",
        legend=legend,
        properties={"scenario:id": "bau", "scenario:run": "valley"},
    )
    api.store.put_items([item.to_dict(include_self_link=False)])
    root = f"{api.url}/"
    documents = [api.get("/stac/").json(), *api.get("/stac/collections").json()["collections"]]
    documents += api.get("/stac/search?limit=3").json()["features"]
    documents.append(api.get("/stac/collections/run-maps/items/valley-1999").json())
    api.store.delete_items("run-maps", ["valley-1999"])
    for document in documents:
        assert find_faults(document) == [], document["id"]
    assert f"{root}schemas/scenario/v1.0.0/schema.json" in documents[-1]["stac_extensions"]


@pytest.mark.parametrize("name", ["landscape", "scenario"])
def test_our_schemas_are_served_at_this_address(api: Api, name: str) -> None:
    answer = api.get(f"/schemas/{name}/v1.0.0/schema.json")
    assert answer.headers["content-type"] == "application/schema+json"
    schema = answer.json()
    assert schema["$id"] == f"{api.url}/schemas/{name}/v1.0.0/schema.json#"
    assert "datacommons.example" not in answer.text
    jsonschema.Draft7Validator.check_schema(schema)


@pytest.mark.parametrize("path", ["roads/v1.0.0", "landscape/v9.0.0", "landscape/..", "../catalog"])
def test_schemas_that_are_not_there(api: Api, path: str) -> None:
    assert api.get(f"/schemas/{path}/schema.json").status_code == 404


def test_a_strangers_validator_reads_the_schema_from_the_server(api: Api) -> None:
    item = api.get("/stac/collections/land-cover/items/valley-2003").json()
    (uri,) = item["stac_extensions"]
    validator = jsonschema.Draft7Validator(httpx.get(uri).json())
    assert list(validator.iter_errors(item)) == []
    item["properties"]["landscape:synthetic"] = "yes"
    assert list(validator.iter_errors(item)) != []


def test_addresses_of_assets_and_links(api: Api, make_item: MakeItem) -> None:
    item = make_item("odd")
    item["assets"] = {
        "ours": {"href": "layers/a b/é%20.tif"},
        "theirs": {"href": "https://data.example/x.tif"},
        "bucket": {"href": "s3://bucket/x.tif"},
    }
    item["links"] += [{"rel": "self", "href": "old"}, {"rel": "license", "href": "https://licence.example/"}]
    item["links"] += [{"rel": "xyz", "href": "collections/land-cover/items/odd/tiles/{z}/{x}/{y}"}]
    api.store.put_items([item])
    served = api.get("/stac/collections/land-cover/items/odd").json()
    api.store.delete_items("land-cover", ["odd"])
    assert {key: asset["href"] for key, asset in served["assets"].items()} == {
        "ours": f"{api.url}/files/layers/a%20b/%C3%A9%2520.tif",
        "theirs": "https://data.example/x.tif",
        "bucket": "s3://bucket/x.tif",
    }
    links = {link["rel"]: link["href"] for link in served["links"]}
    assert links["self"] == f"{api.url}/stac/collections/land-cover/items/odd"
    assert links["tilejson"] == f"{api.url}/collections/land-cover/items/odd/tilejson.json"
    assert links["xyz"] == f"{api.url}/collections/land-cover/items/odd/tiles/{{z}}/{{x}}/{{y}}"
    assert links["license"] == "https://licence.example/"
    assert [link["rel"] for link in served["links"]].count("self") == 1


@pytest.mark.parametrize(
    "path",
    [
        "/stac",
        "/stac/",
        "/stac/collections",
        "/stac/collections/land-cover",
        "/stac/collections/land-cover/items?limit=2",
        "/stac/collections/land-cover/items/valley-2003",
        "/stac/search?limit=2",
    ],
)
def test_behind_a_proxy_every_address_is_the_public_one(api: Api, path: str) -> None:
    answer = api.get(path, headers=FORWARDED)
    assert answer.status_code == 200
    found = list(hrefs(answer.json()))
    assert found
    assert {href for href in found if not href.startswith("https://maps.valley.example:8443/commons/")} == set()
    assert api.url not in answer.text


def test_behind_a_proxy_the_posted_search_goes_on_there(api: Api) -> None:
    page = httpx.post(f"{api.url}/stac/search", json={"limit": 2}, headers=FORWARDED).json()
    (link,) = [link for link in page["links"] if link["rel"] == "next"]
    assert link["href"] == "https://maps.valley.example:8443/commons/stac/search"
    assert link["method"] == "POST"
    assert link["body"]["limit"] == 2
    assert link["merge"] is False


def test_behind_a_proxy_our_schemas_have_the_public_address(api: Api) -> None:
    schema = api.get("/schemas/landscape/v1.0.0/schema.json", headers=FORWARDED).json()
    assert schema["$id"].startswith("https://maps.valley.example:8443/commons/schemas/landscape/")


def test_under_a_root_path(store: SqliteStore, api: Api) -> None:
    app = FastAPI(docs_url=None, redoc_url=None)
    add_stac_api(app, store, title="Valley Commons", description="A test.", identify=identify)
    found = list(hrefs(TestClient(app, root_path="/geo").get("/stac/").json()))
    assert found
    assert all(href.startswith("http://testserver/geo/") for href in found)


def test_the_landing_page_tells_what_there_is(api: Api) -> None:
    page = api.get("/stac/").json()
    assert page["stac_version"] == "1.1.0"
    rels = {link["rel"] for link in page["links"]}
    assert {"self", "root", "data", "conformance", "search", "service-desc", "child"} <= rels
    assert "service-doc" not in rels, "those pages load from a CDN and are off"
    (description,) = [link["href"] for link in page["links"] if link["rel"] == "service-desc"]
    assert "/stac/search" in httpx.get(description).json()["paths"]
    assert api.get("/stac/conformance").json()["conformsTo"] == page["conformsTo"]
    assert not any("transaction" in name for name in page["conformsTo"])


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
    answer = httpx.post(f"{api.url}/stac/search", content=body, headers={"content-type": "application/json"})
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
