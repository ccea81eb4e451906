"""A search for collections on PostgreSQL. They are few: the database filters, and the rest is done here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import orjson

from catalog.errors import InvalidQuery, InvalidToken
from catalog.pgstac.conditions import PgTranslator
from catalog.pgstac.selection import load, see
from catalog.query.ordering import order_collections
from catalog.query.query import Query, Sort
from catalog.query.queryables import Value, comparable, find_property, list_words, mentions, microseconds
from catalog.query.tokens import decode_token, encode_token
from catalog.query.translation import join
from catalog.sqlite.functions import extends, lasts, naming_places
from catalog.sqlite.selection import read_place
from catalog.store import Page, Reader

if TYPE_CHECKING:
    from psycopg import Connection


def search_collections(connection: Connection[Any], query: Query, reader: Reader) -> Page:
    """Return one page of the collections that match. Raises InvalidQuery and InvalidToken."""
    if query.collections is not None or query.intersects is not None:
        raise InvalidQuery("A search for collections knows no `collections` and no `intersects`: take ids and bbox.")
    order = order_collections(query.sortby)
    found = [document for document in _filter(connection, query, reader) if _matches(document, query)]
    for key in reversed(order):
        found.sort(key=lambda document, key=key: _rank(_value(document, key), key), reverse=key.descending)  # type: ignore[misc]
    if query.token is not None:
        found = _go_on(found, order, decode_token(query.token, order, len(order)))
    page, more = found[: query.limit], len(found) > query.limit
    return Page(
        items=tuple(page if query.fields is None else map(query.fields.project, page)),
        next=encode_token(order, [_value(page[-1], key) for key in order]) if more else None,
        matched=None if more or query.token else len(page),
    )


def _filter(connection: Connection[Any], query: Query, reader: Reader) -> list[dict[str, Any]]:
    conditions = see("c", reader)
    if query.ids is not None:
        conditions.append(("c.id = ANY(%s)", [list(query.ids)]))
    if query.filter is not None:
        conditions.append(PgTranslator(items=False).translate(query.filter))
    where, values = join(" AND ", conditions) if conditions else ("TRUE", [])
    sql = f"SELECT c.content::text FROM pgstac.collections c WHERE {where}"  # noqa: S608
    return [load(row[0]) for row in connection.execute(sql, values)]


def _matches(document: Mapping[str, Any], query: Query) -> bool:
    text = orjson.dumps(document).decode()
    if query.q is not None and not mentions(list_words(document), query.q):
        return False
    if query.datetime is not None:
        start, end = (None if moment is None else microseconds(moment) for moment in query.datetime)
        if not lasts(text, start, end):
            return False
    place = read_place(query)
    if place is None:
        return True
    with naming_places() as register:
        return extends(text, register(place))


def _value(document: Mapping[str, Any], key: Sort) -> Value:
    return comparable(find_property(document, key.field))


def _rank(value: Value, key: Sort) -> tuple[int, Any]:
    """Return what orders values of all kinds: numbers, texts, the rest; none comes last in either direction."""
    if value is None:
        return (-1 if key.descending else 3), 0
    return (0 if isinstance(value, int | float) else 1 if isinstance(value, str) else 2), value


def _go_on(found: Sequence[dict[str, Any]], order: Sequence[Sort], position: Sequence[Value]) -> list[dict[str, Any]]:
    """Return what comes after a position: whose first key that differs lies beyond it."""
    return [document for document in found if _is_beyond([_value(document, key) for key in order], order, position)]


def _is_beyond(values: Sequence[Value], order: Sequence[Sort], position: Sequence[Value]) -> bool:
    for value, key, last in zip(values, order, position, strict=True):
        if value != last:
            try:
                return (_rank(value, key) > _rank(last, key)) != key.descending
            except TypeError:
                raise InvalidToken("The token is not one of ours: begin again without a token.") from None
    return False
