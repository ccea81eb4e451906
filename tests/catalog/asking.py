"""What the contract of the stores asks with."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from catalog.store import OWNER, CatalogStore, Query, Reader

PARTNER = Reader("ada", frozenset({"public", "partners"}))
COLLECTION = {"type": "Collection", "id": "land-cover", "title": "Land cover"}


def ids(store: CatalogStore, reader: Reader = OWNER, **fields: Any) -> list[str]:
    """The ids of every item a query finds, over all pages."""
    query = Query(**fields)
    page = store.search(query, reader)
    found = [item["id"] for item in page.items]
    while page.next is not None:
        page = store.search(replace(query, token=page.next), reader)
        found += [item["id"] for item in page.items]
    return found
