"""The embedded store: one SQLite file with an R*Tree over the footprints."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, Final, cast

import orjson

from catalog.collections import widen_extent
from catalog.errors import CollectionNotFound, ItemNotFound, StoreError
from catalog.footprints import Place, split_bbox
from catalog.index import ItemIndex, index_collection, index_item
from catalog.selection import encode_token, read_place, select_items
from catalog.store import Page, Query, Reader

# One tuple of statements a version; PRAGMA user_version says how many a file has seen. Never edit one
# that was released: add the next.
MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    (
        "CREATE TABLE collections (id TEXT PRIMARY KEY, access TEXT NOT NULL, document TEXT NOT NULL)",
        """CREATE TABLE items (
            key INTEGER PRIMARY KEY,
            collection TEXT NOT NULL REFERENCES collections (id),
            id TEXT NOT NULL,
            access TEXT NOT NULL,
            sorted_at INTEGER NOT NULL,
            starts INTEGER NOT NULL,
            ends INTEGER NOT NULL,
            west REAL, south REAL, east REAL, north REAL,
            document TEXT NOT NULL,
            UNIQUE (collection, id)
        )""",
        "CREATE INDEX items_by_time ON items (sorted_at DESC, id, collection)",
        "CREATE INDEX items_by_collection_and_time ON items (collection, sorted_at DESC, id)",
        "CREATE INDEX items_by_id ON items (id)",
        # An item has the keys 2k and, where it crosses the antimeridian, 2k + 1.
        "CREATE VIRTUAL TABLE footprints USING rtree (key, west, east, south, north)",
    ),
)
_BUSY_SECONDS: Final = 30.0
_PUT_COLLECTION: Final = """
    INSERT INTO collections (id, access, document) VALUES (?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET access = excluded.access, document = excluded.document"""
_PUT_ITEM: Final = """
    INSERT INTO items (collection, id, access, sorted_at, starts, ends, west, south, east, north, document)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (collection, id) DO UPDATE SET
        access = excluded.access, sorted_at = excluded.sorted_at,
        starts = excluded.starts, ends = excluded.ends,
        west = excluded.west, south = excluded.south, east = excluded.east, north = excluded.north,
        document = excluded.document
    RETURNING key"""


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

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._lock = threading.Lock()
        self._idle: list[sqlite3.Connection] = []
        self._closed = False
        with self._writing() as connection:
            _migrate(connection, self.path)

    def put_collection(self, collection: Mapping[str, Any]) -> None:
        """Store a collection; one of the same id is replaced. Raises InvalidCollection."""
        row = index_collection(collection)
        with self._writing() as connection:
            connection.execute(_PUT_COLLECTION, row)

    def collection(self, collection_id: str, reader: Reader) -> dict[str, Any]:
        """Return a collection. Raises CollectionNotFound."""
        with self._reading() as connection:
            row = connection.execute(
                "SELECT access, document FROM collections WHERE id = ?", (collection_id,)
            ).fetchone()
        if row is None or not reader.may_see(row[0]):
            raise CollectionNotFound(f"There is no collection {collection_id!r}.")
        return _load(row[1])

    def collections(self, reader: Reader) -> list[dict[str, Any]]:
        """Return all collections, by id."""
        with self._reading() as connection:
            rows = connection.execute("SELECT access, document FROM collections ORDER BY id").fetchall()
        return [_load(document) for access, document in rows if reader.may_see(access)]

    def put_items(self, items: Iterable[Mapping[str, Any]]) -> None:
        """Store items, all or none; same collection and id replaces. The extents of their collections are widened.

        Raises InvalidItem, and CollectionNotFound where an item's collection was not put before.
        """
        with self._writing() as connection:
            known = {row[0] for row in connection.execute("SELECT id FROM collections")}
            taken: dict[str, list[Mapping[str, Any]]] = {}
            for item in items:
                row = index_item(item)
                if row.collection not in known:
                    raise CollectionNotFound(
                        f"Item {row.id!r} names the collection {row.collection!r}, which is not there; "
                        f"there are: {', '.join(sorted(known)) or 'none'}."
                    )
                _put_item(connection, row)
                taken.setdefault(row.collection, []).append(item)
            # In the same transaction: of two writers neither must undo what the other has widened.
            for name, added in taken.items():
                (found,) = connection.execute("SELECT document FROM collections WHERE id = ?", (name,)).fetchone()
                connection.execute(_PUT_COLLECTION, index_collection(widen_extent(_load(found), added)))

    def item(self, collection_id: str, item_id: str, reader: Reader) -> dict[str, Any]:
        """Return an item. Raises ItemNotFound."""
        with self._reading() as connection:
            row = connection.execute(
                "SELECT i.access, c.access, i.document "
                "FROM items i JOIN collections c ON c.id = i.collection WHERE i.collection = ? AND i.id = ?",
                (collection_id, item_id),
            ).fetchone()
        if row is None or not (reader.may_see(row[0]) and reader.may_see(row[1])):
            raise ItemNotFound(f"There is no item {item_id!r} in the collection {collection_id!r}.")
        return _load(row[2])

    def search(self, query: Query, reader: Reader) -> Page:
        """Return one page of the items that match, newest first, then by id. Raises InvalidToken."""
        place = read_place(query)
        with self._reading() as connection:
            sql, values = select_items(connection, query, place, reader)
            # A cursor left open would pin an old snapshot to a connection of the pool.
            with closing(connection.execute(sql, values)) as cursor:
                rows = list(islice(_recheck(cursor, place), query.limit + 1))
        page = rows[: query.limit]
        more = len(rows) > query.limit
        return Page(
            items=tuple(document for _, document in page),
            next=encode_token(page[-1][0]) if more else None,
            matched=None if more or query.token else len(page),
        )

    def delete_items(self, collection_id: str, item_ids: Iterable[str]) -> None:
        """Forget items, all or none; ids that are not there are passed over."""
        with self._writing() as connection:
            for item_id in item_ids:
                row = connection.execute(
                    "DELETE FROM items WHERE collection = ? AND id = ? RETURNING key",
                    (collection_id, item_id),
                ).fetchone()
                if row:
                    _forget_footprint(connection, row[0])

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
    except sqlite3.Error as error:
        connection.close()
        raise StoreError(f"{path} is no catalog or cannot be written: {error}.") from error
    return connection


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > len(MIGRATIONS):
        raise StoreError(
            f"The catalog {path.name} is of version {version} and this program knows up to {len(MIGRATIONS)}: "
            "update datacommons."
        )
    for statement in (statement for step in MIGRATIONS[version:] for statement in step):
        connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


def _put_item(connection: sqlite3.Connection, row: ItemIndex) -> None:
    values = (row.collection, row.id, row.access, row.sorted_at, row.starts, row.ends)
    box = row.bbox or (None, None, None, None)
    key = connection.execute(_PUT_ITEM, (*values, *box, row.document)).fetchone()[0]
    _forget_footprint(connection, key)
    for number, (west, south, east, north) in enumerate(split_bbox(row.bbox) if row.bbox else ()):
        connection.execute(
            "INSERT INTO footprints VALUES (?, ?, ?, ?, ?)", (2 * key + number, west, east, south, north)
        )


def _forget_footprint(connection: sqlite3.Connection, key: int) -> None:
    connection.execute("DELETE FROM footprints WHERE key IN (?, ?)", (2 * key, 2 * key + 1))


def _recheck(
    rows: Iterable[tuple[Any, ...]], place: Place | None
) -> Iterator[tuple[tuple[int, str, str], dict[str, Any]]]:
    """Load the documents of the rows, and drop those whose exact geometry lies beside the place."""
    for at, item_id, collection, west, south, east, north, text in rows:
        document = _load(text)
        if place is None or place.touches(document["geometry"], (west, south, east, north)):
            yield (at, item_id, collection), document


def _load(text: str) -> dict[str, Any]:
    return cast("dict[str, Any]", orjson.loads(text))
