"""A query as SQL over the tables of the embedded store: what holds, and by which index to look."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from catalog.errors import InvalidQuery
from catalog.query.expression import COMPARISONS, SPATIAL
from catalog.query.footprints import Place
from catalog.query.ordering import Key, list_phases, make_keys, order_items, walk_index
from catalog.query.query import Query, Sort
from catalog.query.queryables import microseconds
from catalog.query.tokens import decode_token
from catalog.query.translation import Condition, read_place_of
from catalog.sqlite.conditions import (
    ITEMS,
    Translator,
    list_conjuncts,
    match_boxes,
)
from catalog.store import Reader

# With more candidates than this, a search walks the items in order and checks each.
_FEW: Final = 2000
_IN_BOX: Final = "west <= ? AND east >= ? AND south <= ? AND north >= ?"
_LISTED: Final = "IN (SELECT value FROM json_each(?))"

Register = Callable[[Place], int]


@dataclass(frozen=True)
class Source:
    """A way to the candidates of a search.

    Parameters
    ----------
    hint : str
        What stands behind the name of the table.
    condition : the condition that is looked up there
    probe : the same, over what is cheapest to count
    replaces : what need not be asked any more when this source is taken
    """

    hint: str
    condition: Condition
    probe: str
    replaces: str = ""


@dataclass(frozen=True)
class Selection:
    """The items that match a query, for a reader, as SQL.

    Parameters
    ----------
    order : the whole order
    keys : the same in SQL
    conditions : what holds of the items, by name
    source : where few candidates are known; None: walk
    """

    query: Query
    order: tuple[Sort, ...]
    keys: list[Key]
    conditions: dict[str, Condition]
    source: Source | None

    def statements(self) -> Iterator[Condition]:
        """List the statements to run, one after the other until the page is full.

        Columns: the document, then the position.
        """
        token = self.query.token
        position = None if token is None else decode_token(token, self.order, len(self.keys))
        columns = ", ".join(["i.document", *(key.text for key in self.keys)])
        bound = [value for key in self.keys for value in key.values]
        for number, (keys, after) in enumerate(list_phases(self.keys, position)):
            missing = number == 1 or (position is not None and position[0] is None and self.keys[0].nullable)
            hint = self._hint(missing=missing)
            where, values = join_all([*self.conditions.values(), after])
            order = ", ".join(key.order() for key in keys)
            ordered = [value for key in keys for value in key.values]
            sql = f"SELECT {columns} FROM items i {hint} WHERE {where} ORDER BY {order} LIMIT ?"  # noqa: S608
            yield sql, [*bound, *values, *ordered, self.query.limit + 1]

    def count(self, columns: str, group: str = "") -> Condition:
        """Return the statement that tells of all items that match."""
        where, values = join_all(list(self.conditions.values()))
        hint = self.source.hint if self.source else ""
        return f"SELECT {columns} FROM items i {hint} WHERE {where} {group}", values  # noqa: S608

    def _hint(self, *, missing: bool) -> str:
        """Say which index to use: where there are few candidates that of theirs, else one to walk in order."""
        if self.source is not None:
            return self.source.hint
        one = self.query.collections is not None and len(self.query.collections) == 1
        index = walk_index(self.order, collection=one, missing=missing)
        if not self.query.sortby and (equal := _find_equal(self.query)):
            index = equal
        return f'INDEXED BY "{index}"' if index else "NOT INDEXED"


def select_items(connection: sqlite3.Connection, query: Query, reader: Reader, register: Register) -> Selection:
    """Choose how to find the items that match a query. Raises InvalidQuery."""
    translator = Translator(ITEMS, register)
    order = order_items(query.sortby)
    keys = make_keys(order, ITEMS, translator)
    conditions = dict(_list_conditions(query, reader, translator))
    source = _choose(connection, list(_list_sources(query, translator)))
    if source is not None:
        conditions = {"source": source.condition, **conditions}
        conditions.pop(source.replaces, None)
    return Selection(query, order, keys, conditions, source)


def read_place(query: Query) -> Place | None:
    """Return the place a query asks for, None if it asks for none."""
    if query.bbox is None and query.intersects is None:
        return None
    try:
        return Place(query.bbox, query.intersects)
    except ValueError as error:
        raise InvalidQuery(f"The place cannot be searched: {error}.") from None


def _list_conditions(query: Query, reader: Reader, translator: Translator) -> Iterator[tuple[str, Condition]]:
    if query.collections is not None and len(query.collections) == 1:
        yield "collections", ("i.collection = ?", [query.collections[0]])
    elif query.collections is not None:
        yield "collections", (f"i.collection {_LISTED}", [json.dumps(query.collections)])
    if query.ids is not None:
        yield "ids", (f"i.id {_LISTED}", [json.dumps(query.ids)])
    start, end = query.datetime or (None, None)
    if start is not None:
        yield "start", ("i.ends >= ?", [microseconds(start)])
    if end is not None:
        yield "end", ("i.starts <= ?", [microseconds(end)])
    if not reader.sees_all:
        labels = json.dumps(sorted(reader.access))
        visible = f"i.access {_LISTED} AND i.collection IN (SELECT id FROM collections WHERE access {_LISTED})"  # noqa: S608
        yield "access", (visible, [labels, labels])
    if query.q is not None:
        yield "q", ("EXISTS (SELECT 1 FROM words WHERE rowid = i.key AND words MATCH ?)", [_to_match(query.q)])
    if query.filter is not None:
        yield "filter", translator.translate(query.filter)
    place = read_place(query)
    if place is not None:
        yield "boxes", match_boxes(place)
        exact = "touches(?, i.west, i.south, i.east, i.north, i.document)"
        yield "place", (exact, [translator.register(place)])


def _list_sources(query: Query, translator: Translator) -> Iterator[Source]:
    """List what may name few candidates."""
    if query.ids is not None:
        text = f"i.id {_LISTED}"
        yield _from_index("items_by_id", (text, [json.dumps(query.ids)]), "ids")
    if query.collections is not None and len(query.collections) != 1:
        text = f"i.collection {_LISTED}"
        yield _from_index("items_by_collection_and_time", (text, [json.dumps(query.collections)]), "collections")
    place = read_place(query)
    if place is not None:
        yield _from_tree(place)
    if query.q is not None:
        text, values = "SELECT rowid FROM words WHERE words MATCH ?", [_to_match(query.q)]
        yield Source("NOT INDEXED", (f"i.key IN ({text})", values), text, "q")
    for node in list_conjuncts(query.filter):
        index = _find_index(node)
        if index:
            yield _from_index(index, translator.translate(node), "")
        elif node["op"] in SPATIAL - {"s_disjoint"} and (found := read_place_of(node["op"], node["args"])):
            yield _from_tree(found[1])


def _from_index(index: str, condition: Condition, replaces: str) -> Source:
    hint = f'INDEXED BY "{index}"'
    return Source(hint, condition, f"SELECT 1 FROM items i {hint} WHERE {condition[0]}", replaces)  # noqa: S608


def _from_tree(place: Place) -> Source:
    text = " OR ".join([_IN_BOX] * len(place.boxes)) or "0"
    values = [value for west, south, east, north in place.boxes for value in (east, west, north, south)]
    # An item has the keys 2k and, where it crosses the antimeridian, 2k + 1.
    found = f"SELECT key / 2 FROM footprints WHERE {text}"  # noqa: S608
    return Source("NOT INDEXED", (f"i.key IN ({found})", values), found)


def _choose(connection: sqlite3.Connection, sources: Sequence[Source]) -> Source | None:
    """Return the source with the fewest candidates, None where each has many."""
    best, fewest = None, _FEW
    for source in sources:
        sql = f"SELECT count(*) FROM ({source.probe} LIMIT ?)"  # noqa: S608
        (found,) = connection.execute(sql, [*source.condition[1], fewest + 1]).fetchone()
        if found <= fewest:
            best, fewest = source, found
    return best


def _find_index(node: dict[str, Any]) -> str:
    """Name the index of a declared property that a condition compares with a literal; empty where there is none."""
    if node["op"] not in COMPARISONS - {"<>"} and node["op"] not in ("between", "in"):
        return ""
    names = [arg["property"] for arg in node["args"] if isinstance(arg, dict) and "property" in arg]
    others = [arg for arg in node["args"] if isinstance(arg, dict) and "op" in arg]
    if len(names) != 1 or others or not ITEMS.columns.get(names[0], ("",))[0].startswith('"'):
        return ""
    return f"items_by_{names[0]}"


def _find_equal(query: Query) -> str:
    """Name an index that has the items with a value of a declared property in the order of no order."""
    for node in list_conjuncts(query.filter):
        if node["op"] == "=" and (index := _find_index(node)):
            return index
    return ""


def _to_match(terms: Sequence[str]) -> str:
    """Write words and phrases, of which one suffices, as FTS5 has it; its operators have no meaning in quotes."""
    return " OR ".join('"' + term.replace('"', '""').replace("\0", " ") + '"' for term in terms)


def join_all(conditions: Sequence[Condition]) -> Condition:
    """Return the condition that all hold."""
    text = " AND ".join(f"({text})" for text, _ in conditions) or "1"
    return text, [value for _, values in conditions for value in values]
