"""Items of the embedded store, written with all that finds them again."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable
from typing import Any, Final, cast

import orjson

from catalog.index import ItemIndex
from catalog.items.versions import ItemName
from catalog.query.footprints import split_bbox
from catalog.query.queryables import QUERYABLES
from catalog.store import Expect, check_expected, refuse_loss

_COLUMNS: Final = (
    *("collection", "id", "access", "sorted_at", "starts", "ends", "west", "south", "east", "north", "document"),
    *(f'"{name}"' for name in QUERYABLES),
)
_INSERT_ITEM: Final = (
    f"INSERT INTO items ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))}) "  # noqa: S608
    "ON CONFLICT (collection, id) DO NOTHING"
)
_UPDATE_ITEM: Final = f"UPDATE items SET {', '.join(f'{name} = ?' for name in _COLUMNS)} WHERE key = ?"  # noqa: S608
_NOWHERE: Final = (None, None, None, None)
_ROWS_AT_ONCE: Final = 1000
_DERIVED: Final = "SELECT i.collection, i.id FROM sources s JOIN items i ON i.key = s.key"


class ItemWriter:
    """Writes items in a transaction; :meth:`flush` ends it.

    Rows go into one table after the other, many at a time: that is quicker than into all tables item by item.

    Parameters
    ----------
    connection : Connection
        Within a transaction.
    expect : str
        As for :meth:`catalog.store.CatalogStore.put_items`.
    """

    def __init__(self, connection: sqlite3.Connection, expect: Expect) -> None:
        self._connection, self._expect = connection, expect
        self._cursor = connection.cursor()
        self._footprints: list[tuple[float, ...]] = []
        self._words: list[tuple[int, str]] = []
        self._sources: list[tuple[str, str, int]] = []

    def put(self, row: ItemIndex) -> None:
        """Write an item. Raises AlreadyThere, ItemNotFound and StillNeeded."""
        box = row.bbox or _NOWHERE
        values = (
            *(row.collection, row.id, row.access, row.sorted_at, row.starts, row.ends, *box, row.document),
            *row.declared,
        )
        key = None if self._expect == "known" else self._insert(values)
        if key is None:
            key = self._replace(row, values)
        if row.bbox is not None:
            for number, (west, south, east, north) in enumerate(split_bbox(row.bbox), 2 * key):
                self._footprints.append((number, west, east, south, north))
        self._words.append((key, row.words))
        for source in row.sources:
            self._sources.append((*source, key))
        if len(self._words) >= _ROWS_AT_ONCE:
            self.flush()

    def flush(self) -> None:
        """Write what is still to be written."""
        # The tree is built quicker from neighbours.
        self._footprints.sort(key=_sort_by_place)
        self._cursor.executemany("INSERT INTO footprints VALUES (?, ?, ?, ?, ?)", self._footprints)
        self._cursor.executemany("INSERT INTO words (rowid, text) VALUES (?, ?)", self._words)
        self._cursor.executemany("INSERT INTO sources VALUES (?, ?, ?)", self._sources)
        for rows in (self._footprints, self._words, self._sources):
            rows.clear()

    def _insert(self, values: tuple[Any, ...]) -> int | None:
        """Add an item and return its key; None if it is there already."""
        self._cursor.execute(_INSERT_ITEM, values)
        return self._cursor.lastrowid if self._cursor.rowcount else None

    def _replace(self, row: ItemIndex, values: tuple[Any, ...]) -> int:
        key = _find_key(self._connection, row.collection, row.id)
        check_expected(self._expect, "item", row.id, there=key is not None)
        assert key is not None
        self.flush()  # it may be of this very transaction
        _refuse_other_assets(self._connection, key, row)
        self._cursor.execute(_UPDATE_ITEM, (*values, key))
        _forget_index(self._connection, key)
        return key


def delete_items(connection: sqlite3.Connection, collection_id: str, item_ids: Collection[str]) -> None:
    """Forget items; ids that are not there are passed over. Raises StillNeeded."""
    going = {(collection_id, item_id) for item_id in item_ids}
    for item_id in item_ids:
        key = _find_key(connection, collection_id, item_id)
        if key is not None:
            derived = (name for name in list_derived(connection, collection_id, item_id) if name not in going)
            refuse_loss(f"The item {item_id!r} cannot be deleted", derived)
            connection.execute("DELETE FROM items WHERE key = ?", (key,))
            _forget_index(connection, key)


def delete_all_items(connection: sqlite3.Connection, collection_id: str) -> None:
    """Forget the items of a collection. Raises StillNeeded where those of others were derived from one."""
    elsewhere = f"{_DERIVED} WHERE s.collection = ? AND i.collection <> ? ORDER BY 1, 2"
    derived = connection.execute(elsewhere, (collection_id, collection_id)).fetchall()
    refuse_loss(f"The collection {collection_id!r} cannot be deleted", dict.fromkeys(derived))
    keys = connection.execute("SELECT key FROM items WHERE collection = ?", (collection_id,)).fetchall()
    for (key,) in keys:
        _forget_index(connection, key)
    connection.execute("DELETE FROM items WHERE collection = ?", (collection_id,))


def list_derived(connection: sqlite3.Connection, collection_id: str, item_id: str) -> list[ItemName]:
    """Return collection and id of all items that were derived from one, in their order."""
    sql = f"{_DERIVED} WHERE s.collection = ? AND s.id = ? ORDER BY 1, 2"
    found: Iterable[Any] = connection.execute(sql, (collection_id, item_id))
    return [cast("ItemName", name) for name in found if name != (collection_id, item_id)]


def _sort_by_place(footprint: tuple[float, ...]) -> tuple[float, float]:
    """Order by bands of ten degrees, and in them from south to north."""
    return footprint[1] // 10, footprint[3]


def _find_key(connection: sqlite3.Connection, collection: str, item_id: str) -> int | None:
    found = connection.execute("SELECT key FROM items WHERE collection = ? AND id = ?", (collection, item_id))
    row = found.fetchone()
    return None if row is None else int(row[0])


def _refuse_other_assets(connection: sqlite3.Connection, key: int, row: ItemIndex) -> None:
    derived = list_derived(connection, row.collection, row.id)
    if not derived:
        return
    (document,) = connection.execute("SELECT document FROM items WHERE key = ?", (key,)).fetchone()
    if orjson.loads(document).get("assets") != orjson.loads(row.document).get("assets"):
        refuse_loss(f"The assets of the item {row.id!r} cannot be changed", derived)


def _forget_index(connection: sqlite3.Connection, key: int) -> None:
    connection.execute("DELETE FROM footprints WHERE key IN (?, ?)", (2 * key, 2 * key + 1))
    connection.execute("DELETE FROM words WHERE rowid = ?", (key,))
    connection.execute("DELETE FROM sources WHERE key = ?", (key,))
