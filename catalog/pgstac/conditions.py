"""CQL2 as SQL of PostgreSQL over the tables of pgSTAC: properties are JSON, and compared as JSON.

Values are always bound; only names of our own tables are written into the SQL.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson
import shapely

from catalog.errors import InvalidQuery
from catalog.query.footprints import Place
from catalog.query.queryables import QUERYABLES, fold_accents
from catalog.query.translation import Condition, Translation, is_property, read_pattern, read_place_of
from catalog.store import ACCESS_FIELD, PUBLIC

_TIMES: Final = {"datetime": "i.datetime", "start_datetime": "i.datetime", "end_datetime": "i.end_datetime"}
_NAMES: Final = {"id": "to_jsonb(i.id)", "collection": "to_jsonb(i.collection)"}
# JSON orders texts before numbers, and numbers before truth values: where numbers begin and end, and texts.
_LOWEST_NUMBER: Final = "'-1e1000'::jsonb"
_KINDS: Final = ((_LOWEST_NUMBER, "'false'::jsonb"), ("'\"\"'::jsonb", _LOWEST_NUMBER))
_FOLDS: Final[dict[str, Callable[[str], str]]] = {"casei": str.lower, "accenti": fold_accents}


@dataclass(frozen=True)
class PgTranslator(Translation):
    """Translates the parts of one filter.

    Parameters
    ----------
    items : bool
        Whether it is about items (the table ``i``) or collections (``c``).
    """

    items: bool = True

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

    def literal(self, value: Any) -> Condition:
        """Return a value as JSON."""
        return "%s::jsonb", [_to_json(value)]

    def label(self, name: str) -> Condition:
        """Return a name that a function is told."""
        return "%s", [name]

    def instant(self, moment: datetime | None, *, last: bool = False) -> Condition:
        """Return a moment."""
        if moment is None:
            return f"'{'' if last else '-'}infinity'::timestamptz", []
        return "%s::timestamptz", [moment]

    def call(self, name: str, *arguments: Condition) -> Condition:
        """Return the call of one of the functions of `schema.sql`."""
        marks = ", ".join(text for text, _ in arguments)
        return f"datacommons.{name}({marks})", [value for _, values in arguments for value in values]

    def negate(self, _name: str, args: list[Any]) -> Condition:
        """Translate ``not``."""
        text, values = self.translate(args[0])
        # What has no place is neither so nor not so.
        placed = " AND NOT ST_IsEmpty(i.geometry)" if "i.geometry" in text else ""
        return f"NOT ({text}){placed}", values

    def compare_values(self, operator: str, left: Any, right: Any) -> Condition:
        """Translate a comparison, within the kind of what is compared with."""
        one, other = self.scalar(left), self.scalar(right)
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

    def like(self, _name: str, args: list[Any]) -> Condition:
        """Translate ``like``; a value that is no text is like nothing."""
        text, values = self.scalar(args[0])
        found = f"CASE jsonb_typeof({text}) WHEN 'string' THEN ({text}) #>> '{{}}' END"
        return f"{found} LIKE %s", [*values, *values, _escape(read_pattern(args[1], _FOLDS))]

    def relate_in_space(self, name: str, args: list[Any]) -> Condition:
        """Translate a relation between the geometry and another."""
        found = read_place_of(name, args)
        if not self.items or found is None:
            raise InvalidQuery(f"filter has {name!r}: give `geometry` of items, and a geometry or a box.")
        relation, place = found
        text, values = relate(f"ST_{relation.removeprefix('s_').capitalize()}", place)
        # Nothing is apart from everything, but what has no place is not.
        return (f"({text} AND NOT ST_IsEmpty(i.geometry))" if relation == "s_disjoint" else text), values

    def relate_lists(self, name: str, args: list[Any]) -> Condition:
        """Translate a relation between two lists."""
        return self.call("relate_lists", self.label(name), *(self.scalar(arg) for arg in args))


def declare(name: str) -> str:
    """Return a declared property of an item in SQL, as its index has it."""
    return f"nullif(i.content -> 'properties' -> '{name}', 'null'::jsonb)"


def read_label(holder: str) -> str:
    """Return the access label in SQL, as its index has it."""
    return f"coalesce({holder} ->> '{ACCESS_FIELD}', '{PUBLIC}')"


def relate(function: str, place: Place) -> Condition:
    """Return the relation of an item's geometry to a place."""
    return f"{function}(i.geometry, ST_GeomFromWKB(%s, 4326))", [shapely.to_wkb(place.geometry)]


def write_moment(microseconds: int) -> datetime:
    """Return the moment so many microseconds from 1970."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)


def _to_json(value: Any) -> str:
    return orjson.dumps(value).decode().replace("\\u0000", "")


def _escape(pattern: str) -> str:
    """Escape only what has to be: a backslash before anything else is that character itself."""
    parts = re.findall(r"\\.|.", pattern, re.DOTALL)
    return "".join(
        part if part in "%_" else f"\\{part[-1]}" if part[-1] in "%_\\" else part[-1] for part in parts
    ).replace("\0", "")
