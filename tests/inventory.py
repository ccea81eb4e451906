"""All that a commons holds, as one value: to tell whether anything in it has changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from catalog.sqlite.store import SqliteStore
from catalog.store import OWNER, Query
from datacommons.runs.unfinished import UNFINISHED

Inventory = dict[str, Any]


def take_inventory(root: Path) -> Inventory:
    """Return every folder, every file with its checksum, and every document of the catalog.

    What a run that ended early has left, to go on from, is no part of the commons.
    """
    files = (
        path
        for path in sorted(root.rglob("*"))
        if not path.name.startswith("catalog.sqlite") and UNFINISHED not in path.parts
    )
    held: Inventory = {path.relative_to(root).as_posix(): _checksum(path) for path in files}
    store = SqliteStore(root / "catalog.sqlite")
    held |= {f"collection {document['id']}": document for document in store.collections(OWNER)}
    held |= {f"item {document['collection']}/{document['id']}": document for document in _items(store)}
    store.close()
    return held


@contextmanager
def unchanged(root: Path) -> Iterator[None]:
    """Fail if anything in a commons differs after the block."""
    before = take_inventory(root)
    yield
    after = take_inventory(root)
    names = sorted(before.keys() | after.keys())
    differing = [name for name in names if before.get(name) != after.get(name)]
    if differing:
        raise AssertionError(f"the commons has changed: {', '.join(differing)}")


def _checksum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "folder"


def _items(store: SqliteStore) -> Iterator[dict[str, Any]]:
    query = Query(limit=1000)
    while True:
        page = store.search(query, OWNER)
        yield from page.items
        if page.next is None:
            return
        query = Query(limit=1000, token=page.next)
