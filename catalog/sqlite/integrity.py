"""Whether the file of the embedded store is sound, and its index says what its documents say."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import orjson

from catalog.collections import make_collections
from catalog.errors import InvalidItem
from catalog.index import ItemIndex, index_item
from catalog.items.versions import ItemName
from catalog.query.footprints import split_bbox
from catalog.query.queryables import QUERYABLES
from catalog.sqlite.store import SqliteStore
from catalog.store import ACCESS_FIELD

_INDEXED: Final = (
    *("access", "sorted_at", "starts", "ends", "west", "south", "east", "north"),
    *(f'"{name}"' for name in QUERYABLES),
)
_LOST: Final = "private"
_SINGLE: Final = 1e-4


@dataclass(frozen=True)
class Finding:
    """Something that is not as it should be.

    Attributes
    ----------
    subject : str
        What it is about: a file, an item, a collection.
    message : str
        What is wrong with it.
    advice : str
        How to mend it.
    repair : callable, optional
        Mends it without loss; None where that is not safe to do unasked.
    repaired : bool
        Whether it was mended.
    """

    subject: str
    message: str
    advice: str
    repair: Callable[[], object] | None = field(default=None, repr=False, compare=False)
    repaired: bool = False

    def __str__(self) -> str:
        """Say it in one line."""
        ending = "repaired" if self.repaired else self.advice
        return f"{self.subject}: {self.message}; {ending}."


def check_catalog(store: SqliteStore) -> Iterator[Finding]:
    """Go through what is wrong inside the file of an embedded store.

    Parameters
    ----------
    store : SqliteStore
        Open; read by a connection of its own.
    """
    with closing(sqlite3.connect(f"{store.path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        yield from _check_file(connection, store)
        yield from _check_collections(connection, store)
        yield from _check_items(connection, store)
        yield from _check_footprints(connection, store)


def _check_file(connection: sqlite3.Connection, store: SqliteStore) -> Iterator[Finding]:
    name = store.path.name
    try:
        lines = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(20)")]
        lines += [str(row[0]) for row in connection.execute("SELECT rtreecheck('footprints')")]
    except sqlite3.DatabaseError as error:
        lines = [str(error)]
    faults = [line for line in lines if line != "ok"]
    if faults:
        yield Finding(
            name,
            f"the file is damaged ({faults[0]})",
            "if its indices cannot be built anew, put back a copy, or make the commons anew from an export",
            partial(_execute, store, "REINDEX"),
        )


def _check_collections(connection: sqlite3.Connection, store: SqliteStore) -> Iterator[Finding]:
    sql = "SELECT DISTINCT collection FROM items WHERE collection NOT IN (SELECT id FROM collections) ORDER BY 1"
    for (collection_id,) in connection.execute(sql).fetchall():
        yield Finding(
            f"collection {collection_id}",
            "items name it and it is not there",
            "put it again",
            partial(store.put_collection, _make_collection(collection_id)),
        )


def _make_collection(collection_id: str) -> dict[str, Any]:
    """Make a collection in the place of one that was lost; only its owner sees it, for who might is lost as well."""
    known = {each["id"]: each for each in make_collections(name="unknown")}
    described = known.get(collection_id, next(iter(known.values())) | {"title": collection_id})
    text = f"Collection {collection_id}, made again from its items."
    return described | {"id": collection_id, "description": text, ACCESS_FIELD: _LOST}


def _check_items(connection: sqlite3.Connection, store: SqliteStore) -> Iterator[Finding]:
    columns = ", ".join(("collection", "id", *_INDEXED))
    words = "(SELECT text FROM words WHERE rowid = items.key)"
    sources = "(SELECT json_group_array(json_array(collection, id)) FROM sources WHERE key = items.key)"
    sql = f"SELECT document, {words}, {sources}, {columns} FROM items ORDER BY collection, id"  # noqa: S608
    for document, found, origins, collection, item_id, *indexed in connection.execute(sql):
        subject = f"item {collection}/{item_id}"
        try:
            item = orjson.loads(document)
            wanted = index_item(item)
        except (orjson.JSONDecodeError, InvalidItem, AttributeError) as error:
            yield Finding(subject, f"its document cannot be read ({error})", "take the layer in again")
            continue
        if (wanted.collection, wanted.id) != (collection, item_id):
            yield Finding(
                subject, f"its document is that of {wanted.collection}/{wanted.id}", "delete it, and take it in again"
            )
        elif (*_columns_of(wanted), wanted.words, set(wanted.sources)) != (*indexed, found, _read_names(origins)):
            yield Finding(
                subject,
                "the index says another thing of it than its document",
                "index it again",
                partial(store.put_items, [item]),
            )


def _read_names(text: str) -> set[ItemName]:
    return {(collection, item_id) for collection, item_id in orjson.loads(text)}


def _columns_of(index: ItemIndex) -> tuple[Any, ...]:
    return (index.access, index.sorted_at, index.starts, index.ends, *(index.bbox or (None,) * 4), *index.declared)


def _check_footprints(connection: sqlite3.Connection, store: SqliteStore) -> Iterator[Finding]:
    """Compare the tree of boxes with the boxes: an item has the keys 2k and, across the antimeridian, 2k + 1."""
    sql = "SELECT key, collection, id, west, south, east, north FROM items WHERE west IS NOT NULL"
    known: set[int] = set()
    for key, collection, item_id, *bbox in connection.execute(sql):
        boxes = dict(enumerate(split_bbox((bbox[0], bbox[1], bbox[2], bbox[3])), 2 * key))
        known |= boxes.keys()
        if not all(_is_in_tree(connection, number, box) for number, box in boxes.items()):
            subject = f"item {collection}/{item_id}"
            repair = partial(store.put_items, [_load(connection, key)])
            yield Finding(subject, "searches by place do not find it", "index it again", repair)
    for (key,) in connection.execute("SELECT key FROM footprints").fetchall():
        if key not in known:
            yield Finding(
                store.path.name,
                f"footprint {key} belongs to no item",
                "remove it",
                partial(_execute, store, "DELETE FROM footprints WHERE key = ?", key),
            )


def _is_in_tree(connection: sqlite3.Connection, key: int, box: tuple[float, float, float, float]) -> bool:
    sql = "SELECT west, south, east, north FROM footprints WHERE key = ?"
    found = connection.execute(sql, (key,)).fetchone()
    # The tree keeps single precision, rounded outwards.
    return found is not None and all(abs(is_ - ought) < _SINGLE for is_, ought in zip(found, box, strict=True))


def _load(connection: sqlite3.Connection, key: int) -> dict[str, Any]:
    (document,) = connection.execute("SELECT document FROM items WHERE key = ?", (key,)).fetchone()
    return dict(orjson.loads(document))


def _execute(store: SqliteStore, sql: str, *values: object) -> None:
    with closing(sqlite3.connect(store.path, timeout=30)) as connection, connection:
        connection.execute(sql, values)
