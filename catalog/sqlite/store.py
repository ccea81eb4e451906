"""The embedded store: one SQLite file with an R*Tree over the footprints."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, cast

import orjson

from catalog.collections import widen_extent
from catalog.errors import CollectionNotFound, ItemNotFound, StoreError
from catalog.index import index_collection, index_item
from catalog.items.versions import ItemName
from catalog.query.aggregation import Aggregation, check_names
from catalog.query.tokens import encode_token
from catalog.sqlite.collections import select_collections
from catalog.sqlite.counting import aggregate
from catalog.sqlite.functions import add_functions, naming_places
from catalog.sqlite.migrations import migrate
from catalog.sqlite.selection import select_items
from catalog.sqlite.writing import ItemWriter, delete_all_items, delete_items, list_derived
from catalog.store import OWNER, Change, Expect, Page, Query, Reader, Sort, check_expected, check_same

_BUSY_SECONDS: Final = 30.0
_CACHE_KIB: Final = 65_536  # at most, of each connection that needs it
_LOG_PAGES: Final = 10_000
_PUT_COLLECTION: Final = """
    INSERT INTO collections (id, access, document) VALUES (?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET access = excluded.access, document = excluded.document"""


class SqliteStore:
    """Keeps a catalog in one SQLite file; see :class:`catalog.store.CatalogStore` for the methods.

    Any number of threads and processes may read while one writes; a writer waits for its turn. Every call
    has a connection to itself, taken from a pool.

    Parameters
    ----------
    path : str or Path
        The file; it is created where there is none, and brought up to date where it is of an older version.

    Raises
    ------
    StoreError
        Where the file cannot be opened, is no catalog or was written by a newer version.
    """

    lacking: frozenset[str] = frozenset()

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._lock = threading.Lock()
        self._idle: list[sqlite3.Connection] = []
        self._closed = False
        with self._writing() as connection:
            migrate(connection, self.path.name)

    def put_collection(self, collection: Mapping[str, Any], *, expect: Expect = "any") -> None:
        """Store a collection. Raises InvalidCollection, AlreadyThere and CollectionNotFound."""
        row = index_collection(collection)
        with self._writing() as connection:
            there = connection.execute("SELECT 1 FROM collections WHERE id = ?", (row[0],)).fetchone() is not None
            check_expected(expect, "collection", row[0], there=there)
            connection.execute(_PUT_COLLECTION, row)

    def change_collection(self, collection_id: str, change: Change) -> dict[str, Any]:
        """Replace a collection by what a function makes of it, with no other write between. Raises as above."""
        with self._writing() as connection:
            changed = change(_find_collection(connection, collection_id, OWNER))
            row = index_collection(changed)
            check_same("collection", collection_id, row[0])
            connection.execute(_PUT_COLLECTION, row)
        return changed

    def collection(self, collection_id: str, reader: Reader) -> dict[str, Any]:
        """Return a collection. Raises CollectionNotFound."""
        with self._reading() as connection:
            return _find_collection(connection, collection_id, reader)

    def collections(self, reader: Reader) -> list[dict[str, Any]]:
        """Return all collections, by id."""
        with self._reading() as connection:
            rows = connection.execute("SELECT access, document FROM collections ORDER BY id").fetchall()
        return [_load(document) for access, document in rows if reader.may_see(access)]

    def search_collections(self, query: Query, reader: Reader) -> Page:
        """Return one page of the collections that match, by id unless the query sorts. Raises InvalidToken."""
        with self._reading() as connection, naming_places() as register:
            selection = select_collections(query, reader, register)
            rows = connection.execute(*selection.statement).fetchall()
        return _make_page(query, selection.order, rows)

    def put_items(self, items: Iterable[Mapping[str, Any]], *, expect: Expect = "any") -> None:
        """Store items, all or none. The extents of their collections are widened.

        Raises InvalidItem, AlreadyThere, ItemNotFound, StillNeeded, and CollectionNotFound where an item's collection
        was not put before.
        """
        with self._writing() as connection:
            known = {row[0] for row in connection.execute("SELECT id FROM collections")}
            taken: dict[str, list[Mapping[str, Any]]] = {}
            writer = ItemWriter(connection, expect)
            for item in items:
                row = index_item(item)
                if row.collection not in known:
                    raise CollectionNotFound(
                        f"Item {row.id!r} names the collection {row.collection!r}, which is not there; "
                        f"there are: {', '.join(sorted(known)) or 'none'}."
                    )
                writer.put(row)
                taken.setdefault(row.collection, []).append(item)
            writer.flush()
            # In the same transaction: of two writers neither must undo what the other has widened.
            for name, added in taken.items():
                found = _find_collection(connection, name, OWNER)
                connection.execute(_PUT_COLLECTION, index_collection(widen_extent(found, added)))

    def change_item(self, collection_id: str, item_id: str, change: Change) -> dict[str, Any]:
        """Replace an item by what a function makes of it, with no other write between. Raises as above."""
        with self._writing() as connection:
            changed = change(_find_item(connection, collection_id, item_id, OWNER))
            row = index_item(changed)
            check_same("item", (collection_id, item_id), (row.collection, row.id))
            writer = ItemWriter(connection, "known")
            writer.put(row)
            writer.flush()
            found = _find_collection(connection, collection_id, OWNER)
            connection.execute(_PUT_COLLECTION, index_collection(widen_extent(found, [changed])))
        return changed

    def item(self, collection_id: str, item_id: str, reader: Reader) -> dict[str, Any]:
        """Return an item. Raises ItemNotFound."""
        with self._reading() as connection:
            return _find_item(connection, collection_id, item_id, reader)

    def search(self, query: Query, reader: Reader) -> Page:
        """Return one page of the items that match, in the order asked for. Raises InvalidToken."""
        rows: list[tuple[Any, ...]] = []
        with self._reading() as connection, naming_places() as register:
            selection = select_items(connection, query, reader, register)
            for statement in selection.statements():
                rows += connection.execute(*statement).fetchall()
                if len(rows) > query.limit:
                    break
        return _make_page(query, selection.order, rows)

    def aggregate(self, query: Query, names: Iterable[str], reader: Reader) -> tuple[Aggregation, ...]:
        """Count the items that match, whatever the limit, token and order of the query. Raises InvalidQuery."""
        wanted = check_names(names)
        with self._reading() as connection, naming_places() as register:
            selection = select_items(connection, query, reader, register)
            return tuple(aggregate(connection, selection, name) for name in wanted)

    def delete_items(self, collection_id: str, item_ids: Iterable[str]) -> None:
        """Forget items, all or none; ids that are not there are passed over. Raises StillNeeded."""
        names = list(item_ids)
        with self._writing() as connection:
            delete_items(connection, collection_id, names)

    def derived_items(self, collection_id: str, item_id: str) -> list[ItemName]:
        """Return collection and id of all items that were derived from one, in their order."""
        with self._reading() as connection:
            return list_derived(connection, collection_id, item_id)

    def delete_collection(self, collection_id: str) -> None:
        """Forget a collection and its items. Raises CollectionNotFound and StillNeeded."""
        with self._writing() as connection:
            _find_collection(connection, collection_id, OWNER)
            delete_all_items(connection, collection_id)
            connection.execute("DELETE FROM collections WHERE id = ?", (collection_id,))

    def close(self) -> None:
        """Close every connection; calls that still run close theirs when they end."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        connection = self._take()
        try:
            yield connection
        except sqlite3.Error as error:
            raise StoreError(f"The catalog {self.path.name} cannot be read or written: {error}.") from error
        finally:
            self._give_back(connection)

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._reading() as connection:
            # IMMEDIATE: a reader that turns writer half-way could not wait for its turn.
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    def _take(self) -> sqlite3.Connection:
        with self._lock:
            if self._closed:
                raise StoreError(f"The catalog {self.path.name} was closed: open it again.")
            if self._idle:
                return self._idle.pop()
        return _connect(self.path)

    def _give_back(self, connection: sqlite3.Connection) -> None:
        with self._lock:
            if not self._closed:
                self._idle.append(connection)
                return
        connection.close()


def _connect(path: Path) -> sqlite3.Connection:
    try:
        connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    except sqlite3.Error as error:
        raise StoreError(f"The catalog {path} cannot be opened: {error}. Is its folder there?") from error
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA foreign_keys = ON")
        # Indexes of a million items are written in many places at once: what does not fit here is written twice.
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        connection.execute(f"PRAGMA wal_autocheckpoint = {_LOG_PAGES}")
        add_functions(connection)
    except sqlite3.Error as error:
        connection.close()
        raise StoreError(f"{path} is no catalog or cannot be written: {error}.") from error
    return connection


def _find_collection(connection: sqlite3.Connection, collection_id: str, reader: Reader) -> dict[str, Any]:
    row = connection.execute("SELECT access, document FROM collections WHERE id = ?", (collection_id,)).fetchone()
    if row is None or not reader.may_see(row[0]):
        raise CollectionNotFound(f"There is no collection {collection_id!r}.")
    return _load(row[1])


def _find_item(connection: sqlite3.Connection, collection_id: str, item_id: str, reader: Reader) -> dict[str, Any]:
    row = connection.execute(
        "SELECT i.access, c.access, i.document "
        "FROM items i JOIN collections c ON c.id = i.collection WHERE i.collection = ? AND i.id = ?",
        (collection_id, item_id),
    ).fetchone()
    if row is None or not (reader.may_see(row[0]) and reader.may_see(row[1])):
        raise ItemNotFound(f"There is no item {item_id!r} in the collection {collection_id!r}.")
    return _load(row[2])


def _make_page(query: Query, order: Sequence[Sort], rows: Sequence[tuple[Any, ...]]) -> Page:
    found = [_load(row[0]) for row in rows[: query.limit]]
    more = len(rows) > query.limit
    return Page(
        items=tuple(found if query.fields is None else map(query.fields.project, found)),
        next=encode_token(order, rows[query.limit - 1][1:]) if more else None,
        matched=None if more or query.token else len(found),
    )


def _load(text: str) -> dict[str, Any]:
    return cast("dict[str, Any]", orjson.loads(text))
