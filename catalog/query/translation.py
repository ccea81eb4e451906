"""CQL2 as SQL, as far as all stores write it alike. Values are always bound, never written into the SQL."""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from catalog.errors import InvalidQuery
from catalog.query.expression import ARITHMETIC, ARRAY, COMPARISONS, SPATIAL, TEMPORAL, date_or_time, read_moment
from catalog.query.footprints import Place

Condition = tuple[str, list[Any]]
"""SQL, and the values of its marks in their order."""

_TO_THE_END_OF_THE_DAY: Final = timedelta(days=1) - timedelta(microseconds=1)
_MIRRORED: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_SWAPPED: Final = {"s_contains": "s_within", "s_within": "s_contains"}
# What the starts and ends of two spans (s, e and t, f) have to be.
_TEMPORAL_SQL: Final = {
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


class Translation(ABC):
    """Translates the parts of one filter. A store says how it writes a value, and what it does its own way."""

    @abstractmethod
    def property(self, name: str) -> Condition:
        """Return the value of a property."""

    @abstractmethod
    def moment(self, name: str) -> Condition:
        """Return a property as a time. Raises InvalidQuery where it is declared to be none."""

    @abstractmethod
    def kind(self, name: str) -> str:
        """Return the declared kind of a property; empty where it is not declared."""

    @abstractmethod
    def literal(self, value: Any) -> Condition:
        """Return a number, text, truth value or list."""

    @abstractmethod
    def label(self, name: str) -> Condition:
        """Return a name that a function is told."""

    @abstractmethod
    def instant(self, moment: datetime | None, *, last: bool = False) -> Condition:
        """Return a moment. None: before all others, or after them if it is the last of a span."""

    @abstractmethod
    def call(self, name: str, *arguments: Condition) -> Condition:
        """Return the call of a function of ours."""

    @abstractmethod
    def negate(self, name: str, args: list[Any]) -> Condition:
        """Translate ``not``."""

    @abstractmethod
    def compare_values(self, operator: str, left: Any, right: Any) -> Condition:
        """Translate a comparison of what are no times."""

    @abstractmethod
    def like(self, name: str, args: list[Any]) -> Condition:
        """Translate ``like``."""

    @abstractmethod
    def relate_in_space(self, name: str, args: list[Any]) -> Condition:
        """Translate a relation between the geometry and another."""

    @abstractmethod
    def relate_lists(self, name: str, args: list[Any]) -> Condition:
        """Translate a relation between two lists."""

    def translate(self, node: Any) -> Condition:
        """Return a condition as SQL with its values. Raises InvalidQuery."""
        if isinstance(node, bool):
            return ("TRUE" if node else "FALSE"), []
        name, args = node["op"], node["args"]
        if name in ("and", "or"):
            return join(f" {name.upper()} ", [self.translate(arg) for arg in args])
        for names, method in _METHODS.items():
            if name in names:
                found: Condition = getattr(self, method)(name, args)
                return found
        raise InvalidQuery(f"filter has {name!r}, which this store does not know.")

    def is_null(self, _name: str, args: list[Any]) -> Condition:
        """Translate ``isNull``."""
        text, values = self.scalar(args[0])
        return f"({text}) IS NULL", values

    def compare(self, operator: str, args: list[Any]) -> Condition:
        """Translate a comparison; a property stands first."""
        left, right = args
        if not is_property(left) and is_property(right):
            left, right, operator = right, left, _MIRRORED.get(operator, operator)
        if not self._is_timely(left, right):
            return self.compare_values(operator, left, right)
        (one, first), (other, second) = self._instant(left), self._instant(right)
        return f"{one} {operator} {other}", first + second

    def between(self, _name: str, args: list[Any]) -> Condition:
        """Translate ``between``."""
        value, low, high = args
        return join(" AND ", [self.compare(">=", [value, low]), self.compare("<=", [value, high])])

    def is_in(self, _name: str, args: list[Any]) -> Condition:
        """Translate ``in``; nothing is in an empty list."""
        value, listed = args
        if not listed:
            return "FALSE", []
        read = self._instant if any(self._is_timely(value, each) for each in listed) else self.scalar
        text, values = read(value)
        found = [read(each) for each in listed]
        marks = ", ".join(mark for mark, _ in found)
        return f"{text} IN ({marks})", [*values, *(bound for _, each in found for bound in each)]

    def relate_in_time(self, name: str, args: list[Any]) -> Condition:
        """Translate a relation between two instants or spans."""
        (s, e), (t, f) = (self._span(arg) for arg in args)
        ends = {"s": s, "e": e, "t": t, "f": f}
        parts = re.split(r"\b([stef])\b", _TEMPORAL_SQL[name])
        text = "".join(ends[part][0] if part in ends else part for part in parts)
        return f"({text})", [value for part in parts if part in ends for value in ends[part][1]]

    def scalar(self, node: Any) -> Condition:
        """Return the value of a property, of a calculation or of a literal."""
        if is_property(node):
            return self.property(node["property"])
        if isinstance(node, Mapping) and "op" in node:
            name, parts = node["op"], [self.scalar(arg) for arg in node["args"]]
            if name in ARITHMETIC:
                return self.call("calculate", self.label(name), *parts)
            return self.call(name, *parts)
        return self.literal(next(iter(node.values())) if isinstance(node, Mapping) else node)

    def _is_timely(self, *nodes: Any) -> bool:
        """Tell whether moments are compared: one is a declared time or a literal of a time."""
        return any(
            self.kind(node["property"]) == "time" if is_property(node) else "timestamp" in node or "date" in node
            for node in nodes
            if isinstance(node, Mapping)
        )

    def _instant(self, node: Any) -> Condition:
        if is_property(node):
            return self.moment(node["property"])
        if isinstance(node, Mapping) and "op" not in node:
            ((kind, text),) = node.items()
            return self.instant(date_or_time(kind, text))
        if isinstance(node, str):
            return self.instant(read_moment(node))
        raise InvalidQuery(
            f"filter compares a time with {json.dumps(node):.80}: write TIMESTAMP('1999-01-01T00:00:00Z')."
        )

    def _span(self, node: Any) -> tuple[Condition, Condition]:
        if is_property(node) or "timestamp" in node:
            return self._instant(node), self._instant(node)
        if "date" in node:
            day = date_or_time("date", node["date"])
            return self.instant(day), self.instant(day + _TO_THE_END_OF_THE_DAY)
        start, end = node["interval"]
        return self._end(start), self._end(end, last=True)

    def _end(self, node: Any, *, last: bool = False) -> Condition:
        if node == "..":
            return self.instant(None, last=last)
        if last and isinstance(node, str) and len(node) == len("1999-01-01"):
            return self.instant(read_moment(node) + _TO_THE_END_OF_THE_DAY)
        return self._instant(node)


_METHODS: Final[dict[frozenset[str], str]] = {
    frozenset({"not"}): "negate",
    frozenset({"isnull"}): "is_null",
    frozenset({"between"}): "between",
    frozenset({"in"}): "is_in",
    frozenset({"like"}): "like",
    COMPARISONS: "compare",
    SPATIAL: "relate_in_space",
    TEMPORAL: "relate_in_time",
    ARRAY: "relate_lists",
}


def read_place_of(name: str, args: list[Any]) -> tuple[str, Place] | None:
    """Return the relation and the place of a spatial operator, the geometry of the item put first."""
    left, right = args
    if not is_property(left):
        left, right, name = right, left, _SWAPPED.get(name, name)
    if left != {"property": "geometry"} or is_property(right):
        return None
    if "bbox" in right:
        edges = right["bbox"]
        return name, Place(tuple(edges if len(edges) == 4 else [*edges[:2], *edges[3:5]]))
    return name, Place(intersects=right)


def read_pattern(node: Any, folds: Mapping[str, Callable[[str], str]]) -> str:
    """Return the pattern of ``like``, with what is to be done to it done. Raises InvalidQuery.

    Parameters
    ----------
    folds : mapping
        How the store does ``casei`` and ``accenti``.
    """
    if isinstance(node, str):
        return node
    if isinstance(node, Mapping) and node.get("op") in folds:
        return folds[node["op"]](read_pattern(node["args"][0], folds))
    raise InvalidQuery("filter has 'like' with a pattern that is no text: write it out.")


def join(word: str, conditions: list[Condition]) -> Condition:
    """Join conditions by a word."""
    text = word.join(f"({text})" for text, _ in conditions)
    return text, [value for _, values in conditions for value in values]


def is_property(node: Any) -> bool:
    """Tell whether a part of a filter names a property."""
    return isinstance(node, Mapping) and "property" in node
