"""What was derived from which item, in a table of our own beside pgSTAC's: sources may not be lost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import orjson

from catalog.items.versions import ItemName, list_sources
from catalog.store import refuse_loss

if TYPE_CHECKING:
    from psycopg import Connection

# Other programs may have deleted an item without telling us.
_DERIVED: Final = """
    SELECT s.collection, s.id FROM datacommons.sources s
    JOIN pgstac.items d ON d.collection = s.collection AND d.id = s.id
    WHERE s.source_collection = %s AND {} ORDER BY s.collection COLLATE "C", s.id COLLATE "C"
"""
_OTHER_ASSETS: Final = """
    SELECT n.collection, n.id FROM incoming n
    JOIN pgstac.items i ON i.collection = n.collection AND i.id = n.id
    WHERE EXISTS (
        SELECT 1 FROM datacommons.sources s WHERE s.source_collection = n.collection AND s.source_id = n.id
    ) AND i.private -> 'assets' IS DISTINCT FROM n.document -> 'assets'"""


def list_derived(connection: Connection[Any], collection_id: str, item_id: str) -> list[ItemName]:
    """Return collection and id of all items that were derived from one, in their order."""
    sql = _DERIVED.format("s.source_id = %s AND (s.collection, s.id) <> (s.source_collection, s.source_id)")
    return list(connection.execute(sql, (collection_id, item_id)))


def refuse_deletion(connection: Connection[Any], collection_id: str, item_ids: Sequence[str]) -> None:
    """Raise StillNeeded where items that stay were derived from one of those that go."""
    going = {(collection_id, item_id) for item_id in item_ids}
    for item_id in item_ids:
        derived = (name for name in list_derived(connection, collection_id, item_id) if name not in going)
        refuse_loss(f"The item {item_id!r} cannot be deleted", derived)


def refuse_deletion_of_all(connection: Connection[Any], collection_id: str) -> None:
    """Raise StillNeeded where items of other collections were derived from one of this."""
    sql = _DERIVED.format("s.collection <> s.source_collection")
    derived = dict.fromkeys(connection.execute(sql, (collection_id,)))
    refuse_loss(f"The collection {collection_id!r} cannot be deleted", derived)


def refuse_other_assets(connection: Connection[Any]) -> None:
    """Raise StillNeeded where items in the table ``incoming`` change the assets of what others were derived from."""
    for collection_id, item_id in connection.execute(_OTHER_ASSETS).fetchall():
        derived = list_derived(connection, collection_id, item_id)
        refuse_loss(f"The assets of the item {item_id!r} cannot be changed", derived)


def note_sources(connection: Connection[Any], sources: Mapping[ItemName, Iterable[ItemName]]) -> None:
    """Note what the items in the table ``incoming`` were derived from, in place of what was noted before."""
    connection.execute(
        "DELETE FROM datacommons.sources s USING incoming n WHERE s.collection = n.collection AND s.id = n.id"
    )
    rows = [(*source, *name) for name, origins in sources.items() for source in origins]
    with connection.cursor().copy("COPY datacommons.sources FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def gather_sources(connection: Connection[Any]) -> None:
    """Note what all items were derived from, of a database that was filled before this was noted."""
    connection.execute("DELETE FROM datacommons.sources")
    sql = "SELECT collection, id, private::text FROM pgstac.items WHERE private -> 'links' @> %s"
    found = connection.execute(sql, ('[{"rel": "derived_from"}]',)).fetchall()
    with connection.cursor().copy("COPY datacommons.sources FROM STDIN") as copy:
        for collection_id, item_id, document in found:
            for source in list_sources(orjson.loads(document)):
                copy.write_row((*source, collection_id, item_id))
