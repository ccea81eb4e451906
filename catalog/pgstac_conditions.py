"""CQL2 as SQL of PostgreSQL over the tables of pgSTAC: properties are JSON, and compared as JSON.

Values are always bound; only names of our own tables are written into the SQL.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson
import shapely

from catalog.conditions import TEMPORAL_SQL, Condition, read_place_of
from catalog.errors import InvalidQuery
from catalog.expression import ARITHMETIC, ARRAY, COMPARISONS, SPATIAL, TEMPORAL, date_or_time, read_moment
from catalog.footprints import Place
from catalog.queryables import QUERYABLES, fold_accents
from catalog.store import ACCESS_FIELD, PUBLIC

_TO_THE_END_OF_THE_DAY: Final = timedelta(days=1) - timedelta(microseconds=1)
_TIMES: Final = {"datetime": "i.datetime", "start_datetime": "i.datetime", "end_datetime": "i.end_datetime"}
_NAMES: Final = {"id": "to_jsonb(i.id)", "collection": "to_jsonb(i.collection)"}
_MIRRORED: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
# JSON orders texts before numbers, and numbers before truth values: where numbers begin and end, and texts.
_LOWEST_NUMBER: Final = "'-1e1000'::jsonb"
_KINDS: Final = ((_LOWEST_NUMBER, "'false'::jsonb"), ("'\"\"'::jsonb", _LOWEST_NUMBER))
_FOLDS: Final[dict[str, Callable[[str], str]]] = {"casei": str.lower, "accenti": fold_accents}


@dataclass(frozen=True)
class PgTranslator:
    """Translates the parts of one filter.

    Parameters
    ----------
    items : bool
        Whether it is about items (the table ``i``) or collections (``c``).
    """

    items: bool = True

    def translate(self, node: Any) -> Condition:
        """Return a condition as SQL with its values. Raises InvalidQuery."""
        if isinstance(node, bool):
            return ("TRUE" if node else "FALSE"), []
        name, args = node["op"], node["args"]
        if name in ("and", "or"):
            return join(f" {name.upper()} ", [self.translate(arg) for arg in args])
        for names, method in _METHODS.items():
            if name in names:
                return method(self, name, args)
        raise InvalidQuery(f"filter has {name!r}, which this store does not know.")

    def property(self, name: str) -> Condition:
        """Return the value of a property as JSON; NULL where there is none."""
        if self.items and name in _NAMES:
            return _NAMES[name], []
        if self.items and name in _TIMES:
            return f"to_jsonb({_TIMES[name]})", []
        if self.items and name in QUERYABLES:
            return declare(name), []
        table, root = ("i", ["properties"]) if self.items else ("c", [])
        return f"nullif({table}.content #> %s::text[], 'null'::jsonb)", [[*root, *name.split(".")]]

    def moment(self, name: str) -> Condition:
        """Return a property as a time; NULL where it is none."""
        if self.items and name in _TIMES:
            return _TIMES[name], []
        if (kind := self.kind(name)) not in ("", "time"):
            raise InvalidQuery(f"filter compares {name!r} with a time: it is a {kind}.")
        text, values = self.property(name)
        return f"datacommons.moment_of({text})", values

    def kind(self, name: str) -> str:
        """Return the declared kind of a property; empty where it is not declared."""
        if self.items and name in _TIMES:
            return "time"
        if name in _NAMES:
            return "text" if self.items or name == "id" else ""
        return QUERYABLES[name].kind if self.items and name in QUERYABLES else ""

    def negate(self, _name: str, args: list[Any]) -> Condition:
        """Translate ``not``."""
        text, values = self.translate(args[0])
        # What has no place is neither so nor not so.
        placed = " AND NOT ST_IsEmpty(i.geometry)" if "i.geometry" in text else ""
        return f"NOT ({text}){placed}", values

    def is_null(self, _name: str, args: list[Any]) -> Condition:
        """Translate ``isNull``."""
        text, values = self._scalar(args[0])
        return f"({text}) IS NULL", values

    def compare(self, operator: str, args: list[Any]) -> Condition:
        """Translate a comparison."""
        left, right = args
        if not is_property(left) and is_property(right):
            left, right, operator = right, left, _MIRRORED.get(operator, operator)
        if self._is_timely(left, right):
            one, other = self._instant(left), self._instant(right)
            return f"{one[0]} {operator} {other[0]}", one[1] + other[1]
        one, other = self._scalar(left), self._scalar(right)
        if operator in ("=", "<>"):
            return f"{one[0]} {operator} {other[0]}", one[1] + other[1]
        if isinstance(right, bool) or isinstance(left, bool):
            raise InvalidQuery(f"filter has {operator!r} with a truth value: only = and <> make sense.")
        if is_property(left) and isinstance(right, int | float | str):
            # Within its kind: an index finds that, and the planner knows how much it is.
            low, high = _KINDS[isinstance(right, str)]
            bound = f"{one[0]} >= {low}" if operator in ("<", "<=") else f"{one[0]} < {high}"
            return f"({one[0]} {operator} {other[0]} AND {bound})", [*one[1], *other[1], *one[1]]
        same = f"jsonb_typeof({one[0]}) = jsonb_typeof({other[0]})"
        return f"({one[0]} {operator} {other[0]} AND {same})", [*one[1], *other[1], *one[1], *other[1]]

    def between(self, _name: str, args: list[Any]) -> Condition:
        """Translate ``between``."""
        value, low, high = args
        return join(" AND ", [self.compare(">=", [value, low]), self.compare("<=", [value, high])])

    def is_in(self, _name: str, args: list[Any]) -> Condition:
        """Translate ``in``."""
        value, listed = args
        read = self._instant if any(self._is_timely(value, each) for each in listed) else self._scalar
        text, values = read(value)
        found = [read(each) for each in listed]
        if not found:
            return "FALSE", []
        return f"{text} IN ({', '.join(mark for mark, _ in found)})", [
            *values,
            *(one for _, each in found for one in each),
        ]

    def like(self, _name: str, args: list[Any]) -> Condition:
        """Translate ``like``; a value that is no text is like nothing."""
        text, values = self._scalar(args[0])
        found = f"CASE jsonb_typeof({text}) WHEN 'string' THEN ({text}) #>> '{{}}' END"
        return f"{found} LIKE %s", [*values, *values, _escape(_read_pattern(args[1]))]

    def relate_in_space(self, name: str, args: list[Any]) -> Condition:
        """Translate a relation between the geometry and another."""
        found = read_place_of(name, args)
        if not self.items or found is None:
            raise InvalidQuery(f"filter has {name!r}: give `geometry` of items, and a geometry or a box.")
        relation, place = found
        text, values = relate(f"ST_{relation.removeprefix('s_').capitalize()}", place)
        # Nothing is apart from everything, but what has no place is not.
        return (f"({text} AND NOT ST_IsEmpty(i.geometry))" if relation == "s_disjoint" else text), values

    def relate_in_time(self, name: str, args: list[Any]) -> Condition:
        """Translate a relation between two instants or spans."""
        (s, e), (t, f) = (self._span(arg) for arg in args)
        ends = {"s": s, "e": e, "t": t, "f": f}
        parts = re.split(r"\b([stef])\b", TEMPORAL_SQL[name])
        text = "".join(ends[part][0] if part in ends else part for part in parts)
        return f"({text})", [value for part in parts if part in ends for value in ends[part][1]]

    def relate_lists(self, name: str, args: list[Any]) -> Condition:
        """Translate a relation between two lists."""
        one, other = (self._scalar(arg) for arg in args)
        return f"datacommons.relate_lists(%s, {one[0]}, {other[0]})", [name, *one[1], *other[1]]

    def _scalar(self, node: Any) -> Condition:
        if is_property(node):
            return self.property(node["property"])
        if isinstance(node, Mapping) and "op" in node:
            return self._calculate(node["op"], node["args"])
        literal = next(iter(node.values())) if isinstance(node, Mapping) else node
        return "%s::jsonb", [_to_json(literal)]

    def _calculate(self, name: str, args: list[Any]) -> Condition:
        parts = [self._scalar(arg) for arg in args]
        values = [value for _, bound in parts for value in bound]
        if name in ARITHMETIC:
            return f"datacommons.calculate(%s, {parts[0][0]}, {parts[1][0]})", [name, *values]
        return f"datacommons.{name}({parts[0][0]})", values

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
            return "%s::timestamptz", [date_or_time(kind, text)]
        if isinstance(node, str):
            return "%s::timestamptz", [read_moment(node)]
        raise InvalidQuery(
            f"filter compares a time with {_to_json(node):.80}: write TIMESTAMP('1999-01-01T00:00:00Z')."
        )

    def _span(self, node: Any) -> tuple[Condition, Condition]:
        if is_property(node) or "timestamp" in node:
            return self._instant(node), self._instant(node)
        if "date" in node:
            day = date_or_time("date", node["date"])
            return ("%s::timestamptz", [day]), ("%s::timestamptz", [day + _TO_THE_END_OF_THE_DAY])
        start, end = node["interval"]
        return self._end(start, "-infinity"), self._end(end, "infinity", last=True)

    def _end(self, node: Any, unbounded: str, *, last: bool = False) -> Condition:
        if node == "..":
            return f"'{unbounded}'::timestamptz", []
        text, values = self._instant(node)
        if last and isinstance(node, str) and len(node) == len("1999-01-01"):
            return text, [values[0] + _TO_THE_END_OF_THE_DAY]
        return text, values


_METHODS: Final[dict[frozenset[str], Callable[[PgTranslator, str, list[Any]], Condition]]] = {
    frozenset({"not"}): PgTranslator.negate,
    frozenset({"isnull"}): PgTranslator.is_null,
    frozenset({"between"}): PgTranslator.between,
    frozenset({"in"}): PgTranslator.is_in,
    frozenset({"like"}): PgTranslator.like,
    COMPARISONS: PgTranslator.compare,
    SPATIAL: PgTranslator.relate_in_space,
    TEMPORAL: PgTranslator.relate_in_time,
    ARRAY: PgTranslator.relate_lists,
}


def declare(name: str) -> str:
    """Return a declared property of an item in SQL, as its index has it."""
    return f"nullif(i.content -> 'properties' -> '{name}', 'null'::jsonb)"


def read_label(holder: str) -> str:
    """Return the access label in SQL, as its index has it."""
    return f"coalesce({holder} ->> '{ACCESS_FIELD}', '{PUBLIC}')"


def relate(function: str, place: Place) -> Condition:
    """Return the relation of an item's geometry to a place."""
    return f"{function}(i.geometry, ST_GeomFromWKB(%s, 4326))", [shapely.to_wkb(place.geometry)]


def join(word: str, conditions: list[Condition]) -> Condition:
    """Join conditions by a word."""
    text = word.join(f"({text})" for text, _ in conditions)
    return text, [value for _, values in conditions for value in values]


def is_property(node: Any) -> bool:
    """Tell whether a part of a filter names a property."""
    return isinstance(node, Mapping) and "property" in node


def write_moment(microseconds: int) -> datetime:
    """Return the moment so many microseconds from 1970."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)


def _to_json(value: Any) -> str:
    return orjson.dumps(value).decode().replace("\\u0000", "")


def _read_pattern(node: Any) -> str:
    """Return the pattern of ``like``, with what is to be done to it done."""
    if isinstance(node, str):
        return node
    if isinstance(node, Mapping) and node.get("op") in _FOLDS:
        return _FOLDS[node["op"]](_read_pattern(node["args"][0]))
    raise InvalidQuery("filter has 'like' with a pattern that is no text: write it out.")


def _escape(pattern: str) -> str:
    """Escape only what has to be: a backslash before anything else is that character itself."""
    parts = re.findall(r"\\.|.", pattern, re.DOTALL)
    return "".join(
        part if part in "%_" else f"\\{part[-1]}" if part[-1] in "%_\\" else part[-1] for part in parts
    ).replace("\0", "")
