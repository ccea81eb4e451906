"""What can be asked of the STAC API: filters, orders, fields, words, counts, and collections."""

from __future__ import annotations

import json
from typing import Any

import pystac_client
import pytest

from catalog.collections import COMMONS_COLLECTIONS
from tests.catalog.service import Api

ITEMS = "/stac/collections/land-cover/items"


def years(answer: Any) -> list[int]:
    """The years of the items in an answer, in their order."""
    assert answer.status_code == 200, answer.text
    return [int(item["id"].removeprefix("valley-")) for item in answer.json()["features"]]


FILTERS = [
    ("id = 'valley-2003'", [2003]),
    ("landscape:id = 'valley' AND datetime < TIMESTAMP('2002-01-01T00:00:00Z')", [2001, 2000]),
    ("S_INTERSECTS(geometry, POINT(9.2 9.2))", [2009]),
    ("landscape:id = 'hill'", []),
]


@pytest.mark.parametrize(("text", "found"), FILTERS)
@pytest.mark.parametrize("path", ["/stac/search", ITEMS])
def test_filters_by_get(api: Api, path: str, text: str, found: list[int]) -> None:
    assert years(api.get(path, params={"filter": text})) == found
    assert years(api.get(path, params={"filter": text, "filter-lang": "cql2-text"})) == found


@pytest.mark.parametrize(("text", "found"), FILTERS)
def test_filters_by_a_client(client: pystac_client.Client, text: str, found: list[int]) -> None:
    items = client.search(filter=text, filter_lang="cql2-text", method="GET").items()
    assert [item.id for item in items] == [f"valley-{year}" for year in found]


def test_filters_as_json(api: Api) -> None:
    tree = {"op": "in", "args": [{"property": "id"}, ["valley-2003", "valley-2001"]]}
    asked = {"filter": json.dumps(tree), "filter-lang": "cql2-json"}
    assert years(api.get("/stac/search", params=asked)) == [2003, 2001]
    assert years(api.post("/stac/search", json={"filter": tree, "filter-lang": "cql2-json"})) == [2003, 2001]
    assert years(api.post("/stac/search", json={"filter": "id = 'valley-2003'"})) == [2003]
    crs84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
    assert years(api.post("/stac/search", json={"filter": tree, "filter-crs": crs84, "limit": 1})) == [2003]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"id": {"eq": "valley-2003"}}, [2003]),
        ({"id": {"startsWith": "valley-200", "endsWith": "7"}}, [2007]),
        ({"id": {"contains": "y-202", "neq": "valley-2020"}}, [2024, 2023, 2022, 2021]),
        ({"id": {"contains": "%"}}, []),
        ({"id": {"in": ["valley-2001", "valley-2002"]}, "landscape:id": {"eq": "valley"}}, [2002, 2001]),
        ({"datetime": {"gte": "2023-01-01T00:00:00Z", "lt": "2024-01-01T00:00:00Z"}}, [2023]),
        ({}, [2024, 2023, 2022, 2021, 2020, 2019, 2018, 2017, 2016, 2015]),
    ],
)
def test_queries(api: Api, query: dict[str, Any], found: list[int]) -> None:
    assert years(api.post("/stac/search", json={"query": query})) == found
    for path in ("/stac/search", ITEMS):
        assert years(api.get(path, params={"query": json.dumps(query)})) == found


def test_a_query_narrows_a_filter(api: Api) -> None:
    asked = {"query": {"id": {"startsWith": "valley-200"}}, "filter": "id >= 'valley-2008'"}
    assert years(api.post("/stac/search", json=asked)) == [2009, 2008]


@pytest.mark.parametrize("path", ["/stac/search", ITEMS])
def test_orders_by_get(api: Api, path: str) -> None:
    asked = {"collections": "land-cover", "limit": 3}
    assert years(api.get(path, params={**asked, "sortby": "id"})) == [2000, 2001, 2002]
    assert years(api.get(path, params={**asked, "sortby": "-properties.datetime,id"})) == [2024, 2023, 2022]
    assert years(api.get(f"{path}?limit=2&collections=land-cover&sortby=+datetime")) == [2000, 2001]


def test_orders_page_to_the_last_item(client: pystac_client.Client) -> None:
    for method in ("GET", "POST"):
        search = client.search(method=method, sortby="+datetime", limit=4, max_items=None, collections=["land-cover"])
        assert [item.id for item in search.items()] == [f"valley-{2000 + n}" for n in range(25)]


def test_orders_by_post(api: Api) -> None:
    asked = {"collections": ["land-cover"], "limit": 2, "sortby": [{"field": "id", "direction": "desc"}]}
    assert years(api.post("/stac/search", json=asked)) == [2024, 2023]


@pytest.mark.parametrize("path", ["/stac/search", ITEMS])
def test_fields(api: Api, path: str) -> None:
    def one(fields: str) -> dict[str, Any]:
        (item,) = api.get(path, params={"filter": "id = 'valley-2003'", "fields": fields}).json()["features"]
        return dict(item)

    assert "geometry" not in one("-geometry")
    assert one("properties.landscape:id") == {"properties": {"landscape:id": "valley"}}
    assert one("-links,-assets").keys() >= {"id", "geometry", "properties", "stac_version"}
    assert "links" not in one("-links,-assets")
    assert one("type,id") == {"type": "Feature", "id": "valley-2003"}
    assert {link["rel"] for link in one("links")["links"]} >= {"self", "parent", "root"}
    assert one("assets.data")["assets"]["data"]["href"].startswith(f"{api.url}/files/")


def test_fields_by_a_client(client: pystac_client.Client) -> None:
    search = client.search(ids=["valley-2003"], fields={"include": ["id"], "exclude": ["geometry"]})
    (item,) = search.items_as_dicts()
    assert item["id"] == "valley-2003"
    assert "geometry" not in item


@pytest.mark.parametrize("path", ["/stac/search", ITEMS])
def test_words(api: Api, path: str) -> None:
    assert years(api.get(path, params={"q": "2003,nothing"})) == [2003]
    assert years(api.get(path, params={"q": "valley 2004"})) == [2004]


def test_words_by_post(api: Api) -> None:
    assert years(api.post("/stac/search", json={"q": ["2003", "2005"]})) == [2005, 2003]


def test_collections_are_searched(client: pystac_client.Client, api: Api) -> None:
    def names(**asked: Any) -> list[str]:
        answer = api.get("/stac/collections", params=asked)
        assert answer.status_code == 200, answer.text
        return [each["id"] for each in answer.json()["collections"]]

    everything = sorted(COMMONS_COLLECTIONS)
    assert names() == everything
    assert names(q="terrain") == ["drivers"]
    assert names(filter="id = 'runs' OR title = 'Land cover'") == ["land-cover", "runs"]
    assert names(sortby="-id", filter="id LIKE 'run%'", limit=2) == ["runs", "run-maps"]
    assert names(bbox="30,30,31,31") == [name for name in everything if name != "land-cover"]
    assert names(datetime="1950-01-01T00:00:00Z") == [name for name in everything if name != "land-cover"]
    (first, _) = api.get("/stac/collections?limit=2&fields=title,-extent").json()["collections"]
    assert "extent" not in first
    assert first["title"] == "Drivers"
    found = client.collection_search(q="scenario", limit=1, max_collections=None)
    assert [each.id for each in found.collections()] == ["run-maps", "runs"]


def test_counts(api: Api) -> None:
    def count(answer: Any) -> dict[str, Any]:
        assert answer.status_code == 200, answer.text
        return {each["name"]: each.get("value", each.get("buckets")) for each in answer.json()["aggregations"]}

    known = api.get("/stac/aggregations").json()["aggregations"]
    names = ",".join(each["name"] for each in known)
    asked = {"aggregations": names, "datetime": "2003-01-01T00:00:00Z/2004-12-31T00:00:00Z"}
    found = count(api.get("/stac/aggregate", params=asked))
    assert found["total_count"] == 2
    assert found["datetime_max"] == "2004-01-01T00:00:00Z"
    assert [bucket["frequency"] for bucket in found["datetime_frequency_year"]] == [1, 1]
    assert count(api.get("/stac/aggregate")) == {"total_count": 25}
    assert count(api.post("/stac/aggregate", json={"query": {"id": {"lt": "valley-2010"}}})) == {"total_count": 10}
    assert count(api.get("/stac/collections/drivers/aggregate")) == {"total_count": 0}
    assert count(api.post("/stac/collections/land-cover/aggregate", json={"filter": "id = 'valley-2003'"})) == {
        "total_count": 1
    }
    assert api.get("/stac/collections/land-cover/aggregations").json()["aggregations"] == known
    for path in ("/stac/collections/none/aggregations", "/stac/collections/none/aggregate"):
        assert api.get(path).status_code == 404
    assert api.get("/stac/aggregate?aggregations=mood").status_code == 400


def test_queryables_and_sortables(api: Api) -> None:
    everywhere = api.get("/stac/queryables")
    assert everywhere.headers["content-type"] == "application/schema+json"
    assert {"id", "datetime", "geometry", "landscape:id", "scenario:run"} <= everywhere.json()["properties"].keys()
    assert everywhere.json()["$id"] == f"{api.url}/stac/queryables"
    layers = api.get("/stac/collections/drivers/queryables").json()
    assert "landscape:layer" in layers["properties"]
    assert "scenario:run" not in layers["properties"]
    assert layers["$id"] == f"{api.url}/stac/collections/drivers/queryables"
    assert "geometry" not in api.get("/stac/sortables").json()["properties"]
    assert "gsd" in api.get("/stac/collections/drivers/sortables").json()["properties"]
    assert "title" in api.get("/stac/collections-sortables").json()["properties"]
    for name in ("queryables", "sortables"):
        assert api.get(f"/stac/collections/none/{name}").status_code == 404


def test_every_queryable_can_be_asked_for(api: Api) -> None:
    properties = api.get("/stac/queryables").json()["properties"]
    for name in properties.keys() - {"geometry"}:
        assert api.get("/stac/search", params={"filter": f'"{name}" IS NULL OR "{name}" = "{name}"'}).status_code == 200


def test_every_sortable_can_be_asked_for(api: Api) -> None:
    for name in api.get("/stac/sortables").json()["properties"]:
        for sign in ("", "-"):
            assert len(api.get("/stac/search", params={"sortby": sign + name, "limit": 25}).json()["features"]) == 25
