"""The store on PostgreSQL: the tables of pgSTAC, which other programs may read and write as well."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import orjson

from catalog.collections import widen_extent
from catalog.errors import CollectionNotFound, InvalidItem, ItemNotFound, StoreError
from catalog.index import index_collection, index_item
from catalog.items.versions import ItemName
from catalog.pgstac.collections import search_collections
from catalog.pgstac.conditions import write_moment
from catalog.pgstac.counting import aggregate
from catalog.pgstac.migration import check_version
from catalog.pgstac.selection import DOCUMENT, PgSelection, load, see, select_items
from catalog.pgstac.sources import (
    list_derived,
    note_sources,
    refuse_deletion,
    refuse_deletion_of_all,
    refuse_other_assets,
)
from catalog.query.aggregation import Aggregation, check_names
from catalog.query.tokens import encode_token
from catalog.store import ACCESS_FIELD, OWNER, Change, Expect, Page, Query, Reader, check_expected, check_same

if TYPE_CHECKING:
    from psycopg import Connection

Document = dict[str, Any]

_MOST_CONNECTIONS: Final = 10
_PATIENCE_S: Final = 10.0
_ROWS_AT_ONCE: Final = 5000
_COLUMNS: Final = frozenset({"id", "geometry", "collection", "type"})  # of a document that pgSTAC has as columns
_WRITER: Final = 7_215_001  # a number of our own, by which writers wait for each other
_OPTIONS: Final = (
    "-c search_path=pgstac,public -c timezone=UTC -c client_min_messages=warning "
    # Searches differ too much by their values for one plan, and are too short to be compiled.
    "-c plan_cache_mode=force_custom_plan -c jit=off"
)
_INCOMING: Final = """
    CREATE TEMP TABLE incoming (
        place bigint, collection text, id text, starts timestamptz, ends timestamptz, content jsonb, document jsonb
    ) ON COMMIT DROP"""
_CHECK_PARTITIONS: Final = """
    SELECT pgstac.check_partition(
        collection, tstzrange(min(starts), max(starts), '[]'), tstzrange(min(ends), max(ends), '[]')
    )
    FROM incoming LEFT JOIN pgstac.collections c ON c.id = collection
    GROUP BY collection, date_trunc(c.partition_trunc, starts)"""
# pgSTAC has no items without a place: those get an empty one, which nothing meets. Rings that cross themselves are
# mended for the search; the document stays as it is.
_TAKE_IN: Final = """
    INSERT INTO pgstac.items (id, geometry, collection, datetime, end_datetime, content, private)
    SELECT id, CASE
            WHEN jsonb_typeof(document -> 'geometry') = 'object'
            THEN ST_MakeValid(ST_GeomFromGeoJSON(document -> 'geometry'))
            ELSE ST_GeomFromText('GEOMETRYCOLLECTION EMPTY', 4326) END,
        collection, starts, ends, content, document
    FROM incoming"""


class PgstacStore:
    """Keeps a catalog in a PostgreSQL database with pgSTAC; see :class:`catalog.store.CatalogStore` for the methods.

    Documents are kept beside what pgSTAC makes of them, so they come back as they were. A database has one catalog.

    Parameters
    ----------
    address : str
        As ``postgresql://user@host/database``.

    Raises
    ------
    StoreError
        Where the database cannot be reached, or `catalog.pgstac.migration.migrate` has not been run on it.
    """

    lacking: frozenset[str] = frozenset()

    def __init__(self, address: str) -> None:
        self.name = name_database(address)
        self._pool = _open_pool(address, self.name)
        try:
            with self._reading() as connection:
                check_version(connection, self.name)
        except BaseException:
            self._pool.close()
            raise

    def put_collection(self, collection: Mapping[str, Any], *, expect: Expect = "any") -> None:
        """Store a collection. Raises InvalidCollection, AlreadyThere and CollectionNotFound."""
        name, _, document = index_collection(collection)
        with self._writing() as connection:
            there = connection.execute("SELECT 1 FROM collections WHERE id = %s", (name,)).fetchone() is not None
            check_expected(expect, "collection", name, there=there)
            _put_collection(connection, name, document)

    def change_collection(self, collection_id: str, change: Change) -> dict[str, Any]:
        """Replace a collection by what a function makes of it, with no other write between. Raises as above."""
        with self._writing() as connection:
            changed = change(_find_collection(connection, collection_id, OWNER))
            name, _, document = index_collection(changed)
            check_same("collection", collection_id, name)
            _put_collection(connection, name, document)
            # As it will be read: PostgreSQL puts the members of an object in an order of its own.
            return _find_collection(connection, name, OWNER)

    def collection(self, collection_id: str, reader: Reader) -> dict[str, Any]:
        """Return a collection. Raises CollectionNotFound."""
        with self._reading() as connection:
            return _find_collection(connection, collection_id, reader)

    def collections(self, reader: Reader) -> list[dict[str, Any]]:
        """Return all collections, by id."""
        with self._reading() as connection:
            return _list_collections(connection, reader)

    def search_collections(self, query: Query, reader: Reader) -> Page:
        """Return one page of the collections that match, by id unless the query sorts. Raises InvalidToken."""
        with self._reading() as connection:
            return search_collections(connection, query, reader)

    def put_items(self, items: Iterable[Mapping[str, Any]], *, expect: Expect = "any") -> None:
        """Store items, all or none. The extents of their collections are widened.

        Raises InvalidItem, AlreadyThere, ItemNotFound, StillNeeded, and CollectionNotFound where an item's collection
        was not put before.
        """
        with self._writing() as connection:
            _put_items(connection, items, expect)

    def change_item(self, collection_id: str, item_id: str, change: Change) -> dict[str, Any]:
        """Replace an item by what a function makes of it, with no other write between. Raises as above."""
        with self._writing() as connection:
            changed = change(_find_item(connection, collection_id, item_id, OWNER))
            row = index_item(changed)
            check_same("item", (collection_id, item_id), (row.collection, row.id))
            _put_items(connection, [changed], "known")
            return _find_item(connection, collection_id, item_id, OWNER)

    def item(self, collection_id: str, item_id: str, reader: Reader) -> dict[str, Any]:
        """Return an item. Raises ItemNotFound."""
        with self._reading() as connection:
            return _find_item(connection, collection_id, item_id, reader)

    def search(self, query: Query, reader: Reader) -> Page:
        """Return one page of the items that match, in the order asked for. Raises InvalidToken."""
        selection = select_items(query, reader)
        with self._reading() as connection:
            rows = connection.execute(*selection.statement()).fetchall()
        return _make_page(query, selection, rows)

    def aggregate(self, query: Query, names: Iterable[str], reader: Reader) -> tuple[Aggregation, ...]:
        """Count the items that match, whatever the limit, token and order of the query. Raises InvalidQuery."""
        wanted = check_names(names)
        selection = select_items(query, reader)
        with self._reading() as connection:
            return tuple(aggregate(connection, selection, name) for name in wanted)

    def delete_items(self, collection_id: str, item_ids: Iterable[str]) -> None:
        """Forget items, all or none; ids that are not there are passed over. Raises StillNeeded."""
        names = [name for name in item_ids if "\0" not in name]
        with self._writing() as connection:
            refuse_deletion(connection, collection_id, names)
            connection.execute("DELETE FROM items WHERE collection = %s AND id = ANY(%s)", (collection_id, names))

    def derived_items(self, collection_id: str, item_id: str) -> list[ItemName]:
        """Return collection and id of all items that were derived from one, in their order."""
        with self._reading() as connection:
            return list_derived(connection, _clean(collection_id), _clean(item_id))

    def delete_collection(self, collection_id: str) -> None:
        """Forget a collection and its items. Raises CollectionNotFound and StillNeeded."""
        with self._writing() as connection:
            _find_collection(connection, collection_id, OWNER)
            refuse_deletion_of_all(connection, collection_id)
            connection.execute("DELETE FROM items WHERE collection = %s", (collection_id,))
            connection.execute("DELETE FROM collections WHERE id = %s", (collection_id,))

    def close(self) -> None:
        """Close every connection."""
        self._pool.close()

    @contextmanager
    def _reading(self) -> Iterator[Connection[Any]]:
        import psycopg
        import psycopg_pool

        try:
            with self._pool.connection() as connection:
                yield connection
        except psycopg_pool.PoolClosed:
            raise StoreError(f"The catalog {self.name} was closed: open it again.") from None
        except psycopg_pool.PoolTimeout:
            raise StoreError(f"The catalog {self.name} does not answer. Is the database running?") from None
        except psycopg.errors.DataError as error:
            raise InvalidItem(f"The catalog {self.name} cannot keep or compare this: {_first_line(error)}.") from error
        except psycopg.Error as error:
            raise StoreError(f"The catalog {self.name} cannot be read or written: {_first_line(error)}.") from error

    @contextmanager
    def _writing(self) -> Iterator[Connection[Any]]:
        with self._reading() as connection, connection.transaction():
            # pgSTAC changes constraints while it takes items in: two writers would wait for each other forever.
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (_WRITER,))
            yield connection


def name_database(address: str) -> str:
    """Name a database without its password."""
    parts = urlsplit(address)
    return f"postgresql://{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}{parts.path}"


def _open_pool(address: str, name: str) -> Any:
    try:
        import psycopg_pool
        import pypgstac  # noqa: F401  (its functions are in the database; without it, there would be none)
    except ImportError as error:
        raise StoreError(
            f"{name} needs what is not installed ({error.name}): pip install 'datacommons[postgresql]'."
        ) from error
    return psycopg_pool.ConnectionPool(
        address,
        min_size=0,
        max_size=_MOST_CONNECTIONS,
        timeout=_PATIENCE_S,
        open=True,
        kwargs={"autocommit": True, "options": _OPTIONS, "connect_timeout": int(_PATIENCE_S)},
    )


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__


def _put_collection(connection: Connection[Any], name: str, document: str) -> None:
    before = connection.execute("SELECT base_item::text FROM collections WHERE id = %s", (name,)).fetchone()
    (after,) = connection.execute(
        "INSERT INTO collections (content) VALUES (%s) "
        "ON CONFLICT (id) DO UPDATE SET content = excluded.content RETURNING base_item::text",
        (document,),
    ).fetchone() or (None,)
    if before is not None and before[0] != after:
        _slim_anew(connection, name, load(str(after)))


def _slim_anew(connection: Connection[Any], collection_id: str, base: Document) -> None:
    """Bring the slim documents up to date: pgSTAC leaves out of an item what its collection says of all."""
    connection.execute("CREATE TEMP TABLE slim (id text, content jsonb) ON COMMIT DROP")
    with connection.cursor("items") as cursor:
        cursor.execute(
            "SELECT id, private::text FROM items WHERE collection = %s AND private IS NOT NULL", (collection_id,)
        )
        # A connection cannot send and receive at the same time.
        while rows := cursor.fetchmany(_ROWS_AT_ONCE):
            with connection.cursor().copy("COPY slim FROM STDIN") as copy:
                for item_id, document in rows:
                    copy.write_row((item_id, _slim(load(document), base)))
    connection.execute(
        "UPDATE items i SET content = s.content FROM slim s WHERE i.collection = %s AND i.id = s.id", (collection_id,)
    )
    connection.execute("DROP TABLE slim")


def _slim(item: Mapping[str, Any], base: Document) -> str:
    """Return what pgSTAC keeps of a document beside its columns."""
    from pypgstac.hydration import dehydrate

    slim = dehydrate(base, dict(item))
    return orjson.dumps({key: value for key, value in slim.items() if key not in _COLUMNS}).decode()


def _find_collection(connection: Connection[Any], collection_id: str, reader: Reader) -> dict[str, Any]:
    row = connection.execute("SELECT content::text FROM collections WHERE id = %s", (_clean(collection_id),)).fetchone()
    found = None if row is None else load(row[0])
    if found is None or not reader.may_see(found.get(ACCESS_FIELD, "public")):
        raise CollectionNotFound(f"There is no collection {collection_id!r}.")
    return found


def _list_collections(connection: Connection[Any], reader: Reader) -> list[dict[str, Any]]:
    conditions = see("c", reader)
    where, values = conditions[0] if conditions else ("TRUE", [])
    sql = f'SELECT c.content::text FROM collections c WHERE {where} ORDER BY c.id COLLATE "C"'  # noqa: S608
    return [load(row[0]) for row in connection.execute(sql, values)]


def _find_item(connection: Connection[Any], collection_id: str, item_id: str, reader: Reader) -> dict[str, Any]:
    conditions = [*see("i", reader), *see("c", reader)]
    where = " AND ".join(["i.collection = %s", "i.id = %s", *(text for text, _ in conditions)])
    sql = f"SELECT {DOCUMENT} FROM items i JOIN collections c ON c.id = i.collection WHERE {where}"  # noqa: S608
    values = [_clean(collection_id), _clean(item_id), *(value for _, bound in conditions for value in bound)]
    row = connection.execute(sql, values).fetchone()
    if row is None:
        raise ItemNotFound(f"There is no item {item_id!r} in the collection {collection_id!r}.")
    return load(row[0])


def _clean(name: str) -> str:
    """Return a name that PostgreSQL can compare: nothing has a name with a null character or half a pair in it."""
    return name.replace("\0", "?").encode("utf-8", "replace").decode()


def _put_items(connection: Connection[Any], items: Iterable[Mapping[str, Any]], expect: Expect) -> None:
    bases = {name: load(base) for name, base in connection.execute("SELECT id, base_item::text FROM collections")}
    connection.execute(_INCOMING)
    with connection.cursor().copy("COPY incoming FROM STDIN") as copy:
        taken, sources = _copy_rows(copy.write_row, items, bases, expect)
    if not taken:
        connection.execute("DROP TABLE incoming")
        return
    # The planner knows nothing of a new table, and would compare each row with each.
    connection.execute("ANALYZE incoming")
    # Of two items of the same name the later one counts.
    connection.execute(
        "DELETE FROM incoming WHERE place NOT IN (SELECT max(place) FROM incoming GROUP BY collection, id)"
    )
    _check_expectations(connection, expect)
    refuse_other_assets(connection)
    connection.execute(_CHECK_PARTITIONS)
    connection.execute("DELETE FROM items i USING incoming n WHERE i.collection = n.collection AND i.id = n.id")
    connection.execute(_TAKE_IN)
    note_sources(connection, sources)
    connection.execute("DROP TABLE incoming")
    for name, added in taken.items():
        widened = widen_extent(_find_collection(connection, name, OWNER), added)
        connection.execute("UPDATE collections SET content = %s WHERE id = %s", (orjson.dumps(widened).decode(), name))


def _copy_rows(
    write: Callable[[Sequence[Any]], None],
    items: Iterable[Mapping[str, Any]],
    bases: Mapping[str, Document],
    expect: Expect,
) -> tuple[dict[str, list[Document]], dict[ItemName, tuple[ItemName, ...]]]:
    """Send items to the database; return what the extents of their collections need, and what they were made of."""
    taken: dict[str, list[Document]] = {}
    sources: dict[ItemName, tuple[ItemName, ...]] = {}
    seen: set[tuple[str, str]] = set()
    for place, item in enumerate(items):
        row = index_item(item)
        if row.collection not in bases:
            raise CollectionNotFound(
                f"Item {row.id!r} names the collection {row.collection!r}, which is not there; "
                f"there are: {', '.join(sorted(bases)) or 'none'}."
            )
        if "\\u0000" in row.document:
            raise InvalidItem(f"Item {row.id!r} holds a null character, which this store cannot keep: leave it out.")
        if expect == "new":
            check_expected(expect, "item", row.id, there=(row.collection, row.id) in seen)
            seen.add((row.collection, row.id))
        times = (write_moment(row.starts), write_moment(row.ends))
        slim = _slim(orjson.loads(row.document), bases[row.collection])
        write((place, row.collection, row.id, *times, slim, row.document))
        taken.setdefault(row.collection, []).append(_describe_extent(item))
        if row.sources or (row.collection, row.id) in sources:
            sources[row.collection, row.id] = row.sources
    return taken, sources


def _describe_extent(item: Mapping[str, Any]) -> Document:
    """Return as much of an item as the extent of its collection needs."""
    names = (ACCESS_FIELD, "datetime", "start_datetime", "end_datetime")
    properties = {name: item["properties"][name] for name in names if name in item["properties"]}
    return {"properties": properties, "bbox": item.get("bbox")}


def _check_expectations(connection: Connection[Any], expect: Expect) -> None:
    if expect == "any":
        return
    there = "EXISTS (SELECT 1 FROM items i WHERE i.collection = n.collection AND i.id = n.id)"
    sql = f"SELECT n.id, {there} FROM incoming n ORDER BY n.place"  # noqa: S608
    for item_id, is_there in connection.execute(sql):
        check_expected(expect, "item", item_id, there=is_there)


def _make_page(query: Query, selection: PgSelection, rows: Sequence[tuple[Any, ...]]) -> Page:
    found = [load(row[0]) for row in islice(rows, query.limit)]
    more = len(rows) > query.limit
    return Page(
        items=tuple(found if query.fields is None else map(query.fields.project, found)),
        next=encode_token(selection.order, rows[query.limit - 1][1:]) if more else None,
        matched=None if more or query.token else len(found),
    )
