"""The STAC API as pystac-client walks, pages and searches it."""

from __future__ import annotations

import pystac_client
import pytest

from tests.catalog.service import Api


def test_a_client_walks_the_catalog(client: pystac_client.Client) -> None:
    assert client.title == "Valley Commons"
    assert {each.id for each in client.get_collections()} == {
        "landscapes",
        "land-cover",
        "drivers",
        "vectors",
        "runs",
        "run-maps",
    }
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
        page = api.get(next_links[0]).json()
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
