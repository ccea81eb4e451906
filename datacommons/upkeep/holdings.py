"""What a commons holds, wherever it is kept: settings, collections, items, and the folder of their files."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from catalog.collections import RUN_MAPS, RUNS
from catalog.store import OWNER, CatalogStore, Query, Reader
from datacommons.commons import Commons
from datacommons.settings import Settings

Document = dict[str, Any]

_OF_ITEM: Final = 3  # parts of layers/<collection>/<item>
_OF_RUN: Final = 4  # parts of runs/<landscape>/<scenario>/<run>


@dataclass(frozen=True)
class Holdings:
    """What is kept in one place.

    Attributes
    ----------
    name : str
        Of the place, for messages.
    collections : list of dict
        STAC collections.
    items : callable
        Goes through all items; hrefs of files are relative to ``root``.
    root : Path or None
        Where the files are; None where only documents are kept.
    settings : Settings or None
        Of the commons, where they are known.
    """

    name: str
    collections: list[Document]
    items: Callable[[], Iterator[Document]]
    root: Path | None = None
    settings: Settings | None = None


def hold_commons(commons: Commons, *, public: bool = False) -> Holdings:
    """Return what a commons holds: all of it, or what everybody may see."""
    held = hold_store(commons.store, str(commons.root), Reader() if public else OWNER)
    return Holdings(held.name, held.collections, held.items, commons.root, commons.settings)


def hold_store(store: CatalogStore, name: str, reader: Reader = OWNER) -> Holdings:
    """Return what a store holds, as far as a reader may see: documents only."""
    return Holdings(name, store.collections(reader), lambda: _list_items(store, reader))


def count_hidden(commons: Commons) -> int:
    """Count the items that not everybody may see."""
    seen = {(item["collection"], item["id"]) for item in _list_items(commons.store, Reader())}
    return sum((item["collection"], item["id"]) not in seen for item in _list_items(commons.store, OWNER))


def find_place(item: Mapping[str, Any], href: str, runs: Container[str]) -> Path | None:
    """Return the folder of a commons that is all an item's, and that a file lies in; None if it lies elsewhere.

    Parameters
    ----------
    item : mapping
    href : str
        Relative to the commons.
    runs : container of str
        The runs that are there, too: a map lies in the folder of its run.
    """
    parts = Path(href).parts
    match parts:
        case ["layers", collection, name, _, *_] if (collection, name) == (item["collection"], item["id"]):
            return Path(*parts[:_OF_ITEM])
        case ["runs", _, _, run, _, *_] if run in runs and _is_of_run(item, run):
            return Path(*parts[:_OF_RUN])
    return None


def _is_of_run(item: Mapping[str, Any], run: str) -> bool:
    return (item["collection"], item["id"]) == (RUNS, run) or (
        item["collection"] == RUN_MAPS and item["id"].startswith(f"{run}-")
    )


def _list_items(store: CatalogStore, reader: Reader) -> Iterator[Document]:
    query = Query(limit=1000)
    while True:
        page = store.search(query, reader)
        yield from page.items
        if page.next is None:
            return
        query = Query(limit=1000, token=page.next)
