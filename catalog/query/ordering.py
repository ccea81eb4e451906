"""The order of a search in SQL: its keys, the index that has it, and where a page goes on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from catalog.query.query import Sort
from catalog.query.queryables import QUERYABLES, Value
from catalog.query.translation import Condition
from catalog.sqlite.conditions import Table, Translator

# What orders items that are equal otherwise; every index ends in these.
_TIES: Final = (Sort("datetime", descending=True), Sort("id"), Sort("collection"))
_NEVER_MISSING: Final = frozenset({"id", "collection", "datetime", "start_datetime", "end_datetime"})
_INDEXES: Final = {
    "datetime": "items_by_time",
    "id": "items_by_id",
    "collection": "items_by_collection_and_time",
}


@dataclass(frozen=True)
class Key:
    """A key of an order.

    Parameters
    ----------
    text, values : SQL of the value, and what is bound in it
    descending : bool
    nullable : whether items may lack it; those come last
    """

    text: str
    values: list[Any]
    descending: bool
    nullable: bool

    def order(self) -> str:
        """Return the term of ORDER BY."""
        return f"{self.text}{' DESC' if self.descending else ''}{' NULLS LAST' if self.nullable else ''}"

    def beyond(self, value: Value) -> Condition:
        """Return the condition to come after a value."""
        if value is None:
            return "0", []
        text = f"{self.text} {'<' if self.descending else '>'} ?"
        if self.nullable:
            return f"({text} OR {self.text} IS NULL)", [*self.values, value, *self.values]
        return text, [*self.values, value]

    def from_on(self, value: Value) -> Condition:
        """Return the condition to come after a value or be equal to it, which an index can look up."""
        return f"{self.text} {'<=' if self.descending else '>='} ?", [*self.values, value]


def order_items(sortby: Sequence[Sort]) -> tuple[Sort, ...]:
    """Return the whole order of items: newest first without one, ties always in the same order."""
    if not sortby:
        return _TIES
    # Ties are turned round with the first key, so that its index can be walked backwards.
    backwards = sortby[0].descending != (sortby[0].field == "datetime")
    named = {key.field for key in sortby}
    # Of one id there is one item in a collection.
    left = _TIES[2:] if "id" in named else _TIES
    ties = (replace(key, descending=key.descending != backwards) for key in left if key.field not in named)
    return (*sortby, *ties)


def order_collections(sortby: Sequence[Sort]) -> tuple[Sort, ...]:
    """Return the whole order of collections: by id without one."""
    return tuple(sortby) if any(key.field == "id" for key in sortby) else (*sortby, Sort("id"))


def make_keys(order: Sequence[Sort], table: Table, translator: Translator) -> list[Key]:
    """Return the keys of an order in SQL."""
    keys = []
    for key in order:
        text, values = translator.property(key.field)
        nullable = key.field not in _NEVER_MISSING or (key.field not in table.columns)
        keys.append(Key(text, values, key.descending, nullable))
    return keys


def walk_index(order: Sequence[Sort], *, collection: bool, missing: bool) -> str:
    """Name the index that has items in an order, or begins with it; empty where there is none.

    Parameters
    ----------
    order : sequence of Sort
    collection : whether items of one collection are asked for
    missing : whether those are asked for that lack the first key, so that the next one leads
    """
    first = order[1 if missing else 0].field
    if collection and first == "datetime":
        return "items_by_collection_and_time"
    if first in _INDEXES:
        return _INDEXES[first]
    # The index of a declared property has only the items that have it.
    return f"items_by_{first}" if first in QUERYABLES and not missing else ""


def list_phases(keys: Sequence[Key], position: Sequence[Value] | None) -> Iterator[tuple[list[Key], Condition]]:
    """List the parts of a search in an order, one after the other, each with its keys and a condition.

    Items that lack the first key come last, and are looked for only when those that have it are told: so either
    part can walk an index.
    """
    first, *rest = keys
    if not first.nullable:
        yield list(keys), ("1", []) if position is None else after(keys, position)
        return
    if position is None or position[0] is not None:
        text, values = (f"{first.text} IS NOT NULL", first.values)
        strict = [replace(first, nullable=False), *rest]
        bound = ("1", []) if position is None else after(strict, position)
        yield strict, (f"{text} AND ({bound[0]})", [*values, *bound[1]])
    bound = ("1", []) if position is None or position[0] is not None else after(rest, position[1:])
    yield rest, (f"{first.text} IS NULL AND ({bound[0]})", [*first.values, *bound[1]])


def after(keys: Sequence[Key], position: Sequence[Value]) -> Condition:
    """Return the condition to come after a position: beyond it in a key, and equal in those before."""
    text, values = "0", list[Any]()
    for key, value in reversed(list(zip(keys, position, strict=True))):
        further, bound = key.beyond(value)
        text = f"{further} OR ({key.text} IS ? AND ({text}))"
        values = [*bound, *key.values, value, *values]
    if keys and not keys[0].nullable and position[0] is not None:
        start, bound = keys[0].from_on(position[0])
        return f"{start} AND ({text})", [*bound, *values]
    return text, values
