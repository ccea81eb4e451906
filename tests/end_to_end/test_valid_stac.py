"""Everything the commons publishes passes the official validators."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from catalog.store import OWNER, Query
from datacommons.commons import Commons
from tests.catalog.stac_validation import find_faults

COLLECTIONS = ("landscapes", "land-cover", "drivers", "runs", "run-maps")


def faults(documents: list[dict[str, Any]]) -> dict[str, list[str]]:
    return {document["id"]: found for document in documents if (found := find_faults(document))}


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_as_served(visitor: httpx.Client, collection: str) -> None:
    document = visitor.get(f"/stac/collections/{collection}").json()
    items = visitor.get(f"/stac/collections/{collection}/items", params={"limit": 1000}).json()["features"]
    assert items
    assert faults([document, *items]) == {}


def test_the_landing_page(visitor: httpx.Client) -> None:
    assert faults([visitor.get("/stac/").json()]) == {}


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_as_stored(commons: Commons, collection: str) -> None:
    items = commons.store.search(Query(collections=(collection,), limit=1000), OWNER).items
    assert items
    assert faults([commons.store.collection(collection, OWNER), *items]) == {}
