"""Whether what was derived from layers still has them, and whether the versions of a layer lead to each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final

from catalog.errors import ItemNotFound
from catalog.items.versions import (
    LATEST,
    PREDECESSOR,
    SUCCESSOR,
    Document,
    ItemName,
    list_linked,
    list_sources,
    read_item_href,
)
from catalog.sqlite.integrity import Finding
from catalog.store import OWNER, CatalogStore, Query
from datacommons.layers import search_all

_VERSIONS: Final = (PREDECESSOR, SUCCESSOR, LATEST)
_PUT_BACK: Final = "put back a copy, as by `datacommons import` of an earlier export"


def examine_lineage(store: CatalogStore) -> Iterator[Finding]:
    """Go through what is lost of the sources and versions of all items."""
    looked_up: dict[ItemName, Document | None] = {}

    def find(name: ItemName) -> Document | None:
        if name not in looked_up:
            looked_up[name] = _find(store, name)
        return looked_up[name]

    for item in search_all(store, Query(limit=1000)):
        subject = f"item {item['collection']}/{item['id']}"
        for name in list_sources(item):
            if find(name) is None:
                yield Finding(subject, f"it was derived from {'/'.join(name)}, which is not there", _PUT_BACK)
        for source in item["properties"].get("scenario:sources", ()):
            found = find((source["collection"], source["id"]))
            if found is not None and _checksum_of(found) != source["checksum"]:
                told = f"it was derived from other bytes of {source['collection']}/{source['id']} than are there now"
                yield Finding(subject, told, _PUT_BACK)
        lost = {name for rel in _VERSIONS for name in list_linked(item, rel) if find(name) is None}
        for name in sorted(lost):
            repair = partial(store.change_item, item["collection"], item["id"], partial(_forget_version, name=name))
            yield Finding(subject, f"it leads to the version {name[1]}, which is not there", "unlink it", repair)


def _find(store: CatalogStore, name: ItemName) -> Document | None:
    try:
        return store.item(*name, OWNER)
    except ItemNotFound:
        return None


def _checksum_of(item: Mapping[str, Any]) -> str:
    return str(item["assets"].get("data", {}).get("file:checksum", ""))


def _forget_version(item: Document, *, name: ItemName) -> Document:
    """Return an item without links to a version that is gone; where no later one is left, it holds again."""
    links = [link for link in item["links"] if link["rel"] not in _VERSIONS or read_item_href(link["href"]) != name]
    later = any(link["rel"] in (SUCCESSOR, LATEST) for link in links)
    return {**item, "links": links, "properties": {**item["properties"], "deprecated": later}}
