"""A query as SQL over the tables of pgSTAC: what holds, in which order, and where a page goes on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from catalog.errors import InvalidToken
from catalog.pgstac.conditions import PgTranslator, read_label, relate, write_moment
from catalog.query.ordering import order_items
from catalog.query.query import Query, Sort
from catalog.query.queryables import QUERYABLES, Value
from catalog.query.tokens import decode_token
from catalog.query.translation import Condition, join
from catalog.sqlite.selection import read_place
from catalog.store import Reader

# What other tools have put has no document of ours; pgSTAC puts it together.
DOCUMENT: Final = "coalesce(i.private, pgstac.content_hydrate(i))::text"
_MICROSECONDS: Final = "(extract(epoch FROM {}) * 1000000)::bigint"


@dataclass(frozen=True)
class _Key:
    """A key of an order: its SQL, how a position tells it, and how that is compared."""

    text: str
    values: list[Any]
    shown: str
    kind: str
    descending: bool
    nullable: bool

    def order(self) -> str:
        return f"{self.text}{' DESC' if self.descending else ''}{' NULLS LAST' if self.nullable else ''}"

    def mark(self, value: Value) -> Condition:
        """Return a value of a position in SQL. Raises InvalidToken for one that no search has given."""
        try:
            if self.kind == "time" and isinstance(value, int):
                return "%s::timestamptz", [write_moment(value)]
            if self.kind == "json" and isinstance(value, str):
                return "%s::jsonb", [orjson.dumps(orjson.loads(value)).decode()]
            if self.kind == "text" and isinstance(value, str) and "\0" not in value:
                return '%s COLLATE "C"', [value]
        except (ValueError, OverflowError):
            pass
        raise InvalidToken("The token is not one of ours: begin again without a token.")

    def beyond(self, value: Value) -> Condition:
        """Return the condition to come after a value; those that lack one come last."""
        if value is None:
            return "FALSE", []
        mark, bound = self.mark(value)
        text, values = f"{self.text} {'<' if self.descending else '>'} {mark}", [*self.values, *bound]
        if self.nullable:
            return f"({text} OR {self.text} IS NULL)", [*values, *self.values]
        return text, values

    def equal(self, value: Value) -> Condition:
        if value is None:
            return f"{self.text} IS NULL", self.values
        mark, bound = self.mark(value)
        return f"{self.text} = {mark}", [*self.values, *bound]


@dataclass(frozen=True)
class PgSelection:
    """The items that match a query, for a reader, as SQL.

    Parameters
    ----------
    order : the whole order
    keys : the same in SQL
    where : what holds of the items
    """

    query: Query
    order: tuple[Sort, ...]
    keys: list[_Key]
    where: list[Condition]

    def statement(self) -> Condition:
        """Return the statement that finds a page and one item more. Columns: the document, then the position."""
        where = list(self.where)
        if self.query.token is not None:
            where += _after(self.keys, decode_token(self.query.token, self.order, len(self.keys)))
        text, values = _join_all(where)
        columns = ", ".join([DOCUMENT, *(key.shown for key in self.keys)])
        bound = [value for key in self.keys for value in key.values]
        terms = ", ".join(key.order() for key in self.keys)
        sql = f"SELECT {columns} FROM pgstac.items i WHERE {text} ORDER BY {terms} LIMIT %s"  # noqa: S608
        return sql, [*bound, *values, *bound, self.query.limit + 1]

    def count(self, columns: str, group: str = "") -> Condition:
        """Return the statement that tells of all items that match."""
        text, values = _join_all(self.where)
        return f"SELECT {columns} FROM pgstac.items i WHERE {text} {group}", values  # noqa: S608


def select_items(query: Query, reader: Reader) -> PgSelection:
    """Write the SQL of a search. Raises InvalidQuery."""
    translator = PgTranslator()
    order = order_items(query.sortby)
    keys = [_make_key(key, translator) for key in order]
    return PgSelection(query, order, keys, list(_list_conditions(query, reader, translator)))


def see(alias: str, reader: Reader) -> list[Condition]:
    """Return the condition that a reader may see a collection (``c``) or an item (``i``)."""
    if reader.sees_all:
        return []
    label = read_label("i.content -> 'properties'" if alias == "i" else "c.content")
    return [(f"{label} = ANY(%s)", [sorted(reader.access)])]


def _list_conditions(query: Query, reader: Reader, translator: PgTranslator) -> Iterator[Condition]:
    if query.collections is not None:
        yield "i.collection = ANY(%s)", [list(query.collections)]
    if query.ids is not None:
        yield "i.id = ANY(%s)", [list(query.ids)]
    start, end = query.datetime or (None, None)
    if start is not None:
        yield "i.end_datetime >= %s", [start]
    if end is not None:
        yield "i.datetime <= %s", [end]
    yield from see("i", reader)
    for text, values in see("c", reader):
        yield f"i.collection = ANY(ARRAY(SELECT c.id FROM pgstac.collections c WHERE {text}))", values  # noqa: S608
    if query.q is not None:
        words = "datacommons.words_of(i.id, i.content -> 'properties')"
        terms = [term.replace("\0", " ") for term in query.q]
        listed = f"datacommons.word_list({words}) @> datacommons.word_list(%s)"
        yield f"({' OR '.join([listed] * len(terms))})", list(terms)  # what the index can tell
        yield f"datacommons.mentions({words}, %s)", [terms]
    if query.filter is not None:
        yield translator.translate(query.filter)
    place = read_place(query)
    if place is not None:
        yield relate("ST_Intersects", place)


def _make_key(sort: Sort, translator: PgTranslator) -> _Key:
    if sort.field in ("id", "collection"):
        text = f'i.{sort.field} COLLATE "C"'
        return _Key(text, [], f"i.{sort.field}", "text", sort.descending, nullable=False)
    if translator.kind(sort.field) == "time":
        text, values = translator.moment(sort.field)
        nullable = sort.field in QUERYABLES
        return _Key(text, values, _MICROSECONDS.format(text), "time", sort.descending, nullable)
    text, values = translator.property(sort.field)
    return _Key(text, values, f"({text})::text", "json", sort.descending, nullable=True)


def _after(keys: Sequence[_Key], position: Sequence[Value]) -> Iterator[Condition]:
    """Return the conditions to come after a position: beyond it in a key, and equal in those before."""
    text, values = "FALSE", list[Any]()
    for key, value in reversed(list(zip(keys, position, strict=True))):
        further, equal = key.beyond(value), key.equal(value)
        text = f"{further[0]} OR ({equal[0]} AND ({text}))"
        values = [*further[1], *equal[1], *values]
    yield text, values
    first, value = keys[0], position[0]
    if not first.nullable and value is not None:
        # An index can look this up.
        mark, bound = first.mark(value)
        yield f"{first.text} {'<=' if first.descending else '>='} {mark}", [*first.values, *bound]


def _join_all(conditions: Sequence[Condition]) -> Condition:
    return join(" AND ", list(conditions)) if conditions else ("TRUE", [])


def load(text: str) -> dict[str, Any]:
    """Read a document."""
    return dict(orjson.loads(text))
