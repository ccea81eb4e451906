"""Versions of a layer: one that is replaced keeps its item and its files, and a new one stands beside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

from catalog.collections import LAND_COVER
from catalog.errors import ItemNotFound
from catalog.items.versions import PREDECESSOR, SUCCESSOR, Document, follow, give_way, list_linked
from catalog.store import OWNER, CatalogStore
from datacommons.errors import ItemExists
from datacommons.layers import find_latest, find_versions


@dataclass(frozen=True)
class Version:
    """Which version of a layer a file becomes.

    Attributes
    ----------
    collection, item : str
        Its item, that nobody had before.
    number : int
        1 of the first one.
    older : str
        The item that it replaces; empty if none.
    """

    collection: str
    item: str
    number: int = 1
    older: str = ""

    @property
    def properties(self) -> dict[str, Any]:
        """What its item says of it."""
        return {"version": str(self.number), "deprecated": False}


def choose_version(
    store: CatalogStore, collection: str, landscape: str, layer: str, year: int | None, *, replace: bool
) -> Version:
    """Choose the item of a layer, beside all versions of it that there are.

    Raises
    ------
    ItemExists
        Where there is one that may not be replaced.
    """
    of_year = year if collection == LAND_COVER else None
    known = find_versions(store, collection, landscape, layer, of_year)
    latest = find_latest(known)
    if latest is not None and not replace:
        raise ItemExists(f"The commons has {latest['id']} in {collection} already: say --replace to replace it.")
    name = f"{landscape}-{layer}" + (f"-{of_year}" if of_year is not None else "")
    older = latest or next(iter(known), None)
    first = 1 + max((_number_of(item) for item in known), default=0)
    number, item_id = next((n, made) for n in count(first) if not _is_there(store, collection, made := _name(name, n)))
    return Version(collection, item_id, number, older["id"] if older else "")


def link_versions(
    store: CatalogStore, items: Iterable[Mapping[str, Any]], versions: Iterable[Version]
) -> Iterator[Document]:
    """Go through new items and, after each, the older versions of it, with links to each other.

    The older ones are read as they are asked for: while the store writes, when no other write comes between.

    Parameters
    ----------
    store : CatalogStore
    items : iterable of mapping
        What is about to be stored.
    versions : iterable of Version
        Which of them replace others.

    Raises
    ------
    ItemExists
        Where another process has replaced one in the meantime.
    """
    replaced = {(version.collection, version.item): version.older for version in versions if version.older}
    for item in items:
        older_id = replaced.get((item["collection"], item["id"]))
        if older_id is None:
            yield dict(item)
            continue
        older = store.item(item["collection"], older_id, OWNER)
        if any(list_linked(older, SUCCESSOR)):
            raise ItemExists(f"{older_id} in {item['collection']} was replaced meanwhile: look at it, and do it again.")
        yield follow(item, older)
        yield give_way(older, item, successor=True)
        for earlier in _walk_back(store, older):
            yield give_way(earlier, item, successor=False)


def _walk_back(store: CatalogStore, item: Mapping[str, Any]) -> Iterator[Document]:
    seen = {(item["collection"], item["id"])}
    while (name := next(list_linked(item, PREDECESSOR), None)) is not None and name not in seen:
        seen.add(name)
        try:
            item = store.item(*name, OWNER)
        except ItemNotFound:
            return
        yield dict(item)


def _name(name: str, number: int) -> str:
    return name if number == 1 else f"{name}-v{number}"


def _number_of(item: Mapping[str, Any]) -> int:
    text = str(item["properties"].get("version", ""))
    return int(text) if text.isdecimal() else 1


def _is_there(store: CatalogStore, collection: str, item_id: str) -> bool:
    try:
        store.item(collection, item_id, OWNER)
    except ItemNotFound:
        return False
    return True
