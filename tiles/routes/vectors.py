"""Which vector layers a landscape has, and where their files are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from catalog.store import Query, Reader
from tiles.routes.layer import LayerIndex, trusted_href

PARQUET: Final = "application/vnd.apache.parquet"


def list_items(
    index: LayerIndex, reader: Reader, landscape: str, collections: tuple[str, ...]
) -> Iterator[Mapping[str, Any]]:
    """Go through the items of a landscape that a reader may see, in their latest version."""
    of_landscape = {"op": "=", "args": [{"property": "landscape:id"}, landscape]}
    query: Query | None = Query(collections=collections, filter=of_landscape, limit=1000)
    while query is not None:
        page = index.store.search(query, reader)
        yield from (item for item in page.items if not item["properties"].get("deprecated"))
        query = replace(query, token=page.next) if page.next else None


def has_table(item: Mapping[str, Any]) -> bool:
    """Tell whether an item has a GeoParquet file."""
    return any(asset.get("type") == PARQUET for asset in item["assets"].values())


def find_table(index: LayerIndex, item: Mapping[str, Any]) -> tuple[str, str]:
    """Return where the GeoParquet file of an item is, and its checksum. Raises LayerNotDrawable."""
    asset = next(asset for asset in item["assets"].values() if asset.get("type") == PARQUET)
    source = index.locate(trusted_href(str(asset.get("href", "")), item["id"]))
    return source, str(asset.get("file:checksum", ""))
