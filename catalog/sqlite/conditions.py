"""CQL2 as SQL of the embedded store. Values are always bound; names of columns come from our own tables only."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from catalog.errors import InvalidQuery
from catalog.query.footprints import Place
from catalog.query.queryables import FALSE, QUERYABLES, TRUE, comparable, microseconds
from catalog.query.translation import Condition, Translation, is_property, read_pattern, read_place_of
from catalog.sqlite.functions import casefold, fold

ALWAYS, NEVER = 2**63 - 1, -(2**63)
_FOLDS: Final[dict[str, Callable[[Any], Any]]] = {"casei": casefold, "accenti": fold}


@dataclass(frozen=True)
class Table:
    """Where the properties of a kind of document are.

    Parameters
    ----------
    alias : str
        Of the table in SQL.
    root : str
        Where in a document its properties are; empty: at its top.
    columns : mapping
        Property to column and kind. Any other property is read from the document.
    boxes : bool
        Whether there is a geometry.
    """

    alias: str
    root: str
    columns: Mapping[str, tuple[str, str]]
    boxes: bool = False


ITEMS: Final = Table(
    "i",
    "properties",
    {
        "id": ("id", "text"),
        "collection": ("collection", "text"),
        "datetime": ("sorted_at", "time"),
        "start_datetime": ("starts", "time"),
        "end_datetime": ("ends", "time"),
        **{name: (f'"{name}"', each.kind) for name, each in QUERYABLES.items()},
    },
    boxes=True,
)
COLLECTIONS: Final = Table("c", "", {"id": ("id", "text")})


@dataclass(frozen=True)
class Translator(Translation):
    """Translates the parts of one filter.

    Parameters
    ----------
    table : Table
    register : callable
        From a place to the number that SQL names it by.
    """

    table: Table
    register: Callable[[Place], int]

    def property(self, name: str) -> Condition:
        """Return the value of a property."""
        if name in self.table.columns:
            return f"{self.table.alias}.{self.table.columns[name][0]}", []
        return f"value_of({self.table.alias}.document, ?, ?)", [self.table.root, name]

    def moment(self, name: str) -> Condition:
        """Return a property in microseconds since 1970."""
        if self.kind(name) == "time":
            return self.property(name)
        if name in self.table.columns:
            raise InvalidQuery(f"filter compares {name!r} with a time: it is a {self.kind(name)}.")
        return f"moment_of({self.table.alias}.document, ?, ?)", [self.table.root, name]

    def kind(self, name: str) -> str:
        """Return the declared kind of a property; empty where it is not declared."""
        return self.table.columns.get(name, ("", ""))[1]

    def literal(self, value: Any) -> Condition:
        """Return a value; truth has values of its own."""
        return "?", [(TRUE if value else FALSE) if isinstance(value, bool) else value]

    def label(self, name: str) -> Condition:
        """Return a name that a function is told."""
        return "?", [name]

    def instant(self, moment: datetime | None, *, last: bool = False) -> Condition:
        """Return a moment in microseconds since 1970."""
        return "?", [(ALWAYS if last else NEVER) if moment is None else microseconds(moment)]

    def call(self, name: str, *arguments: Condition) -> Condition:
        """Return the call of one of `catalog.functions`."""
        marks = ", ".join(text for text, _ in arguments)
        function = _FOLDS[name].__name__ if name in _FOLDS else name
        return f"{function}({marks})", [value for _, values in arguments for value in values]

    def negate(self, _name: str, args: list[Any]) -> Condition:
        """Translate ``not``."""
        text, values = self.translate(args[0])
        return f"NOT ({text})", values

    def compare_values(self, operator: str, left: Any, right: Any) -> Condition:
        """Translate a comparison, within the kind of what is compared with."""
        one, other = self.scalar(left), self.scalar(right)
        text = f"{one[0]} {operator} {other[0]}"
        if operator in ("=", "<>"):
            return text, one[1] + other[1]
        guard, values = self._guard(operator, one, other, right)
        return f"{text}{guard}", one[1] + other[1] + values

    def like(self, _name: str, args: list[Any]) -> Condition:
        """Translate ``like``, which minds capitals, as SQLite's own does not."""
        text, values = self.scalar(args[0])
        return f"{text} GLOB ?", [*values, _to_glob(read_pattern(args[1], _FOLDS))]

    def relate_in_space(self, name: str, args: list[Any]) -> Condition:
        """Translate a relation between the geometry and another."""
        found = read_place_of(name, args)
        if not self.table.boxes or found is None:
            raise InvalidQuery(f"filter has {name!r}: give `geometry` of items, and a geometry or a box.")
        relation, place = found
        exact, values = "relate(?, ?, i.document)", [relation.removeprefix("s_"), self.register(place)]
        if relation == "s_disjoint":
            return exact, values
        boxes, edges = match_boxes(place)
        return f"({boxes}) AND {exact}", [*edges, *values]

    def relate_lists(self, name: str, args: list[Any]) -> Condition:
        """Translate a relation between two lists."""
        found = [self.scalar(arg) if is_property(arg) else ("?", [comparable(arg)]) for arg in args]
        return self.call("relate_lists", self.label(name), *found)

    def _guard(self, operator: str, one: Condition, other: Condition, right: Any) -> Condition:
        """Keep values of other kinds out of a range: SQLite puts numbers before texts, and texts before bytes.

        The "+" keeps SQLite from taking this for the end of the range to look up, where another condition has a
        nearer one.
        """
        if isinstance(right, bool):
            raise InvalidQuery(f"filter has {operator!r} with a truth value: only = and <> make sense.")
        text, values = one
        if isinstance(right, Mapping) and "op" not in right and not is_property(right):
            right = 0
        if isinstance(right, str) and other[1] and isinstance(other[1][0], str):
            return (f" AND +{text} >= ''" if operator in ("<", "<=") else f" AND +{text} < x''"), values
        if isinstance(right, int | float | str):
            return ("", []) if operator in ("<", "<=") else (f" AND +{text} < ''", values)
        return f" AND same_kind({text}, {other[0]})", [*values, *other[1]]


def match_boxes(place: Place) -> Condition:
    """Compare the box of an item with those of a place."""
    one = (
        "i.south <= ? AND i.north >= ? AND CASE WHEN i.west <= i.east THEN i.west <= ? AND i.east >= ? "
        "ELSE i.west <= ? OR i.east >= ? END"
    )
    values = [value for west, south, east, north in place.boxes for value in (north, south, east, west, east, west)]
    return " OR ".join([f"({one})"] * len(place.boxes)), values


def list_conjuncts(tree: Any) -> Iterator[dict[str, Any]]:
    """List the conditions that must all hold, as far as that can be told at the top of a filter."""
    if isinstance(tree, Mapping) and tree["op"] == "and":
        for arg in tree["args"]:
            yield from list_conjuncts(arg)
    elif isinstance(tree, Mapping):
        yield dict(tree)


def _to_glob(pattern: str) -> str:
    """Write a pattern of ``like`` (% and _, escaped by a backslash) as one of GLOB."""
    special = {"%": "*", "_": "?"}
    parts = re.findall(r"\\.|.", pattern, re.DOTALL)
    return "".join(special[part] if part in special else re.sub(r"([*?\[])", r"[\1]", part[-1]) for part in parts)
