"""A search for collections as SQL over the table of the embedded store."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from catalog.errors import InvalidQuery
from catalog.query.ordering import after, make_keys, order_collections
from catalog.query.query import Query, Sort
from catalog.query.queryables import microseconds
from catalog.query.tokens import decode_token
from catalog.query.translation import Condition
from catalog.sqlite.conditions import COLLECTIONS, Translator
from catalog.sqlite.selection import Register, join_all, read_place
from catalog.store import Reader

_LISTED = "IN (SELECT value FROM json_each(?))"


@dataclass(frozen=True)
class CollectionSelection:
    """The collections that match a query, for a reader, as SQL.

    Parameters
    ----------
    order : the whole order
    statement : columns are the document, then the position
    """

    order: tuple[Sort, ...]
    statement: Condition


def select_collections(query: Query, reader: Reader, register: Register) -> CollectionSelection:
    """Write the SQL of a search for collections. Raises InvalidQuery."""
    if query.collections is not None or query.intersects is not None:
        raise InvalidQuery("A search for collections knows no `collections` and no `intersects`: take ids and bbox.")
    translator = Translator(COLLECTIONS, register)
    order = order_collections(query.sortby)
    keys = make_keys(order, COLLECTIONS, translator)
    conditions = list(_list_conditions(query, reader, translator))
    if query.token is not None:
        conditions.append(after(keys, decode_token(query.token, order, len(keys))))
    where, values = join_all(conditions)
    bound = [value for key in keys for value in key.values]
    columns = ", ".join(["c.document", *(key.text for key in keys)])
    terms = ", ".join(key.order() for key in keys)
    sql = f"SELECT {columns} FROM collections c WHERE {where} ORDER BY {terms} LIMIT ?"  # noqa: S608
    return CollectionSelection(order, (sql, [*bound, *values, *bound, query.limit + 1]))


def _list_conditions(query: Query, reader: Reader, translator: Translator) -> Iterator[Condition]:
    if not reader.sees_all:
        yield f"c.access {_LISTED}", [json.dumps(sorted(reader.access))]
    if query.ids is not None:
        yield f"c.id {_LISTED}", [json.dumps(query.ids)]
    if query.q is not None:
        yield "mentioned(c.document, ?)", [json.dumps(query.q)]
    if query.datetime is not None:
        start, end = (None if moment is None else microseconds(moment) for moment in query.datetime)
        yield "lasts(c.document, ?, ?)", [start, end]
    if query.filter is not None:
        yield translator.translate(query.filter)
    place = read_place(query)
    if place is not None:
        yield "extends(c.document, ?)", [translator.register(place)]
