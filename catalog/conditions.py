"""CQL2 as SQL of the embedded store. Values are always bound; names of columns come from our own tables only."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from catalog.errors import InvalidQuery
from catalog.expression import ARITHMETIC, ARRAY, COMPARISONS, SPATIAL, TEMPORAL, date_or_time, read_moment
from catalog.footprints import Place
from catalog.functions import casefold, fold
from catalog.queryables import FALSE, QUERYABLES, TRUE, comparable, microseconds

Condition = tuple[str, list[Any]]

ALWAYS, NEVER = 2**63 - 1, -(2**63)
_DAY: Final = 86_400_000_000
_MIRRORED: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_SWAPPED: Final = {"s_contains": "s_within", "s_within": "s_contains"}
# What the starts and ends of two spans (s, e and t, f) have to be.
TEMPORAL_SQL: Final = {
    "t_after": "s > f",
    "t_before": "e < t",
    "t_contains": "s < t AND e > f",
    "t_disjoint": "(s > f OR e < t)",
    "t_during": "s > t AND e < f",
    "t_equals": "s = t AND e = f",
    "t_finishedby": "s < t AND e = f",
    "t_finishes": "s > t AND e = f",
    "t_intersects": "s <= f AND e >= t",
    "t_meets": "e = t",
    "t_metby": "s = f",
    "t_overlappedby": "s > t AND s < f AND e > f",
    "t_overlaps": "s < t AND e > t AND e < f",
    "t_startedby": "s = t AND e > f",
    "t_starts": "s = t AND e < f",
}


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
class Translator:
    """Translates the parts of one filter.

    Parameters
    ----------
    table : Table
    register : callable
        From a place to the number that SQL names it by.
    """

    table: Table
    register: Callable[[Place], int]

    def translate(self, node: Any) -> Condition:
        """Return a condition as SQL with its values."""
        if isinstance(node, bool):
            return str(int(node)), []
        name, args = node["op"], node["args"]
        if name in ("and", "or"):
            return _join(f" {name.upper()} ", [self.translate(arg) for arg in args])
        for names, method in _METHODS.items():
            if name in names:
                return method(self, name, args)
        raise InvalidQuery(f"filter has {name!r}, which this store does not know.")

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

    def negate(self, _name: str, args: list[Any]) -> Condition:
        """Translate ``not``."""
        text, values = self.translate(args[0])
        return f"NOT ({text})", values

    def is_null(self, _name: str, args: list[Any]) -> Condition:
        """Translate ``isNull``."""
        text, values = self._scalar(args[0])
        return f"{text} IS NULL", values

    def compare(self, operator: str, args: list[Any]) -> Condition:
        """Translate a comparison."""
        left, right = args
        if not _is_property(left) and _is_property(right):
            left, right, operator = right, left, _MIRRORED.get(operator, operator)
        if self._is_timely(left, right):
            one, other = self._instant(left), self._instant(right)
        else:
            one, other = self._scalar(left), self._scalar(right)
        text = f"{one[0]} {operator} {other[0]}"
        if operator in ("=", "<>"):
            return text, one[1] + other[1]
        guard, values = self._guard(operator, one, other, right)
        return f"{text}{guard}", one[1] + other[1] + values

    def between(self, _name: str, args: list[Any]) -> Condition:
        """Translate ``between``."""
        value, low, high = args
        return _join(" AND ", [self.compare(">=", [value, low]), self.compare("<=", [value, high])])

    def is_in(self, _name: str, args: list[Any]) -> Condition:
        """Translate ``in``."""
        value, listed = args
        if any(self._is_timely(value, each) for each in listed):
            text, values = self._instant(value)
            found = [self._instant(each) for each in listed]
        else:
            text, values = self._scalar(value)
            found = [self._scalar(each) for each in listed]
        marks = ", ".join(mark for mark, _ in found)
        return f"{text} IN ({marks})", [*values, *(bound for _, one in found for bound in one)]

    def like(self, _name: str, args: list[Any]) -> Condition:
        """Translate ``like``, which minds capitals, as SQLite's own does not."""
        text, values = self._scalar(args[0])
        return f"{text} GLOB ?", [*values, _to_glob(_pattern(args[1]))]

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

    def relate_in_time(self, name: str, args: list[Any]) -> Condition:
        """Translate a relation between two instants or spans."""
        (s, e), (t, f) = (self._span(arg) for arg in args)
        ends = {"s": s, "e": e, "t": t, "f": f}
        parts = re.split(r"\b([stef])\b", TEMPORAL_SQL[name])
        text = "".join(ends[part][0] if part in ends else part for part in parts)
        return f"({text})", [value for part in parts if part in ends for value in ends[part][1]]

    def relate_lists(self, name: str, args: list[Any]) -> Condition:
        """Translate a relation between two lists."""
        found = [self._scalar(arg) if _is_property(arg) else ("?", [comparable(arg)]) for arg in args]
        return f"relate_lists(?, {found[0][0]}, {found[1][0]})", [name, *found[0][1], *found[1][1]]

    def _scalar(self, node: Any) -> Condition:
        if _is_property(node):
            return self.property(node["property"])
        if isinstance(node, Mapping) and "op" in node:
            return self._calculate(node["op"], node["args"])
        if isinstance(node, Mapping):
            return "?", [next(iter(node.values()))]
        if isinstance(node, bool):
            return "?", [TRUE if node else FALSE]
        return "?", [node]

    def _calculate(self, name: str, args: list[Any]) -> Condition:
        parts = [self._scalar(arg) for arg in args]
        values = [value for _, bound in parts for value in bound]
        if name in ARITHMETIC:
            return f"calculate(?, {parts[0][0]}, {parts[1][0]})", [name, *values]
        return f"{_FOLDS[name].__name__}({parts[0][0]})", values

    def _is_timely(self, *nodes: Any) -> bool:
        """Tell whether moments are compared: one is a declared time or a literal of a time."""
        return any(
            self.kind(node["property"]) == "time" if _is_property(node) else "timestamp" in node or "date" in node
            for node in nodes
            if isinstance(node, Mapping)
        )

    def _instant(self, node: Any) -> Condition:
        if _is_property(node):
            return self.moment(node["property"])
        if isinstance(node, Mapping) and "op" not in node:
            ((kind, text),) = node.items()
            return "?", [microseconds(date_or_time(kind, text))]
        if isinstance(node, str):
            return "?", [microseconds(read_moment(node))]
        raise InvalidQuery(
            f"filter compares a time with {json.dumps(node):.80}: write TIMESTAMP('1999-01-01T00:00:00Z')."
        )

    def _span(self, node: Any) -> tuple[Condition, Condition]:
        if _is_property(node) or "timestamp" in node:
            return self._instant(node), self._instant(node)
        if "date" in node:
            day = microseconds(date_or_time("date", node["date"]))
            return ("?", [day]), ("?", [day + _DAY - 1])
        start, end = node["interval"]
        return self._end(start, NEVER), self._end(end, ALWAYS, last=True)

    def _end(self, node: Any, unbounded: int, *, last: bool = False) -> Condition:
        if node == "..":
            return "?", [unbounded]
        text, values = self._instant(node)
        if last and isinstance(node, str) and len(node) == len("1999-01-01"):
            return text, [values[0] + _DAY - 1]
        return text, values

    def _guard(self, operator: str, one: Condition, other: Condition, right: Any) -> Condition:
        """Keep values of other kinds out of a range: SQLite puts numbers before texts, and texts before bytes.

        The "+" keeps SQLite from taking this for the end of the range to look up, where another condition has a
        nearer one.
        """
        if isinstance(right, bool):
            raise InvalidQuery(f"filter has {operator!r} with a truth value: only = and <> make sense.")
        text, values = one
        if isinstance(right, Mapping) and "op" not in right and not _is_property(right):
            right = 0
        if isinstance(right, str) and other[1] and isinstance(other[1][0], str):
            return (f" AND +{text} >= ''" if operator in ("<", "<=") else f" AND +{text} < x''"), values
        if isinstance(right, int | float | str):
            return ("", []) if operator in ("<", "<=") else (f" AND +{text} < ''", values)
        return f" AND same_kind({text}, {other[0]})", [*values, *other[1]]


_FOLDS: Final[dict[str, Callable[[Any], Any]]] = {"casei": casefold, "accenti": fold}
_METHODS: Final[dict[frozenset[str], Callable[[Translator, str, list[Any]], Condition]]] = {
    frozenset({"not"}): Translator.negate,
    frozenset({"isnull"}): Translator.is_null,
    frozenset({"between"}): Translator.between,
    frozenset({"in"}): Translator.is_in,
    frozenset({"like"}): Translator.like,
    COMPARISONS: Translator.compare,
    SPATIAL: Translator.relate_in_space,
    TEMPORAL: Translator.relate_in_time,
    ARRAY: Translator.relate_lists,
}


def read_place_of(name: str, args: list[Any]) -> tuple[str, Place] | None:
    """Return the relation and the place of a spatial operator, the geometry of the item put first."""
    left, right = args
    if not _is_property(left):
        left, right, name = right, left, _SWAPPED.get(name, name)
    if left != {"property": "geometry"} or _is_property(right):
        return None
    if "bbox" in right:
        edges = right["bbox"]
        return name, Place(tuple(edges if len(edges) == 4 else [*edges[:2], *edges[3:5]]))
    return name, Place(intersects=right)


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


def _join(word: str, conditions: list[Condition]) -> Condition:
    text = word.join(f"({text})" for text, _ in conditions)
    return text, [value for _, values in conditions for value in values]


def _is_property(node: Any) -> bool:
    return isinstance(node, Mapping) and "property" in node


def _pattern(node: Any) -> str:
    """Return the pattern of ``like``, with what is to be done to it done."""
    if isinstance(node, str):
        return node
    if isinstance(node, Mapping) and node.get("op") in _FOLDS:
        return str(_FOLDS[node["op"]](_pattern(node["args"][0])))
    raise InvalidQuery("filter has 'like' with a pattern that is no text: write it out.")


def _to_glob(pattern: str) -> str:
    """Write a pattern of ``like`` (% and _, escaped by a backslash) as one of GLOB."""
    special = {"%": "*", "_": "?"}
    parts = re.findall(r"\\.|.", pattern, re.DOTALL)
    return "".join(special[part] if part in special else re.sub(r"([*?\[])", r"[\1]", part[-1]) for part in parts)
