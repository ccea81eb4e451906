"""Filters in the Common Query Language (CQL2), read from text or JSON and checked.

The ``cql2`` package parses; its SQL is for PostgreSQL, so the stores translate the tree that is checked here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final

from catalog.errors import InvalidQuery

Tree = Any  # CQL2-JSON: a mapping, a list or a scalar

_LONGEST_TEXT: Final = 10_000
# The parser recurses: what is nested deeper than this could end the whole process.
_DEEPEST: Final = 100
_MOST_NODES: Final = 2_000
_NAME: Final = re.compile(r'[^"\x00-\x1f\x7f\ud800-\udfff]{1,200}')

COMPARISONS: Final = frozenset({"=", "<>", "<", "<=", ">", ">="})
ARITHMETIC: Final = frozenset({"+", "-", "*", "/", "%", "div", "^"})
SPATIAL: Final = frozenset(
    f"s_{name}" for name in ("intersects", "disjoint", "contains", "within", "equals", "touches", "crosses", "overlaps")
)
TEMPORAL: Final = frozenset(
    f"t_{name}"
    for name in (
        "after", "before", "contains", "disjoint", "during", "equals", "finishedby", "finishes",
        "intersects", "meets", "metby", "overlappedby", "overlaps", "startedby", "starts",
    )
)  # fmt: skip
ARRAY: Final = frozenset({"a_equals", "a_contains", "a_containedby", "a_overlaps"})

# Operator: the kinds of its arguments, and of its result.
_SIGNATURES: Final[dict[str, tuple[tuple[str, ...], str]]] = {
    **dict.fromkeys(COMPARISONS, (("scalar", "scalar"), "truth")),
    **dict.fromkeys(ARITHMETIC, (("number", "number"), "number")),
    **dict.fromkeys(SPATIAL, (("geometry", "geometry"), "truth")),
    **dict.fromkeys(TEMPORAL, (("moment", "moment"), "truth")),
    **dict.fromkeys(ARRAY, (("array", "array"), "truth")),
    "not": (("truth",), "truth"),
    "between": (("scalar", "scalar", "scalar"), "truth"),
    "in": (("scalar", "list"), "truth"),
    "like": (("text", "text"), "truth"),
    "isnull": (("scalar",), "truth"),
    "casei": (("text",), "text"),
    "accenti": (("text",), "text"),
}
_WORDS: Final = {
    "truth": "a condition",
    "scalar": "a property, text, number, truth value or time",
    "number": "a number or a property",
    "text": "a text or a property",
    "moment": "a time, a date, an interval or a property",
    "geometry": "a geometry, a box or a property",
    "array": "a list of values or a property",
    "list": "a list of values",
}


def parse_filter(given: object) -> dict[str, Any]:
    """Read a filter from CQL2 text or CQL2-JSON.

    Parameters
    ----------
    given : str or mapping
        As ``"gsd <= 30 AND landscape:id = 'valley'"``, or the same as JSON.

    Returns
    -------
    dict
        CQL2-JSON with operators in lower case, each known and with arguments of the right number and kind.

    Raises
    ------
    InvalidQuery
        Where it cannot be read; the message says what is wrong.
    """
    import cql2

    try:
        if isinstance(given, str):
            parsed = cql2.parse_text(_check_text(given)).to_json()
        elif isinstance(given, Mapping):
            parsed = cql2.parse_json(json.dumps(given, allow_nan=False)).to_json()
        else:
            raise InvalidQuery(f"filter is {given!r:.80}: give CQL2, as text or as a JSON object.")
    except cql2.ParseError as error:
        raise InvalidQuery(f"filter is not CQL2: {_first_words(error)}") from None
    except (TypeError, ValueError, RecursionError) as error:
        if isinstance(error, InvalidQuery):
            raise
        raise InvalidQuery(f"filter is not JSON: {error}.") from None
    if _count(parsed) > _MOST_NODES:
        raise InvalidQuery(f"filter has more than {_MOST_NODES:,} parts: ask for less at once.")
    checked = _check(parsed, "truth")
    return checked if isinstance(checked, dict) else {"op": "and", "args": [checked]}


def check_property(name: object) -> str:
    """Check the name of a property and return it without a leading ``properties.``. Raises InvalidQuery."""
    if not isinstance(name, str) or not _NAME.fullmatch(name) or not all(name.split(".")):
        raise InvalidQuery(f"{name!r:.80} is no name of a property: write it as gsd, properties.gsd or landscape:id.")
    return name.removeprefix("properties.")


def read_moment(text: str) -> datetime:
    """Read a date or a time in RFC 3339; a date is its first moment in UTC. Raises InvalidQuery."""
    try:
        moment = datetime.fromisoformat(text)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidQuery(f"filter has the time {text!r:.80}: write it as 1999-01-01T00:00:00Z.") from None
    return moment


def _check_text(text: str) -> str:
    deepest = depth = 0
    for bracket in re.findall(r"[()]", text):
        depth += 1 if bracket == "(" else -1
        deepest = max(deepest, depth)
    if len(text) > _LONGEST_TEXT or deepest > _DEEPEST or re.search(r"(?:-\s*){20}", text):
        raise InvalidQuery(
            f"filter is too long or nested too deeply: at most {_LONGEST_TEXT:,} characters and {_DEEPEST} brackets "
            "in each other. Large geometries fit into `intersects`."
        )
    if re.search(r"[\ud800-\udfff]", text):
        raise InvalidQuery("filter holds half a surrogate pair, which is no text.")
    return text


def _first_words(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{lines[0]} {lines[-1]}"[:200] if len(lines) > 1 else str(error)[:200]


def _count(tree: Tree) -> int:
    waiting, count = [(tree, 0)], 0
    while waiting:
        node, depth = waiting.pop()
        count += 1
        if depth > _DEEPEST:
            raise InvalidQuery(f"filter is nested more than {_DEEPEST} times: write it flatter.")
        # Coordinates are not parts of the logic.
        if isinstance(node, Mapping) and "coordinates" not in node:
            waiting += [(each, depth + 1) for each in node.values()]
        elif isinstance(node, list):
            waiting += [(each, depth + 1) for each in node]
    return count


def _check(node: Tree, wanted: str) -> Tree:
    if isinstance(node, Mapping) and "op" in node:
        return _check_operation(node, wanted)
    if isinstance(node, Mapping) and set(node) == {"property"}:
        if wanted in ("truth", "list"):
            raise InvalidQuery(f"filter has the property {node['property']!r:.80} where {_WORDS[wanted]} belongs.")
        return {"property": check_property(node["property"])}
    if not _is_literal(node, wanted):
        raise InvalidQuery(f"filter has {json.dumps(node):.80} where {_WORDS[wanted]} belongs.")
    return node


def _check_operation(node: Mapping[str, Any], wanted: str) -> dict[str, Any]:
    name, args = str(node["op"]).lower(), node.get("args")
    if not isinstance(args, list):
        raise InvalidQuery(f"filter has {name!r:.80} without arguments.")
    if name in ("and", "or"):
        if not args:
            raise InvalidQuery(f"filter has {name!r} of nothing.")
        kinds, result = ("truth",) * len(args), "truth"
    elif name in _SIGNATURES:
        kinds, result = _SIGNATURES[name]
    else:
        raise InvalidQuery(f"filter has {name!r:.80}, which is no operator here: {', '.join(sorted(_SIGNATURES))}.")
    if len(args) != len(kinds):
        raise InvalidQuery(f"filter has {name!r} with {len(args)} arguments: it takes {len(kinds)}.")
    if result != wanted and not (wanted == "scalar" and result in ("number", "text")):
        raise InvalidQuery(f"filter has {name!r} where {_WORDS[wanted]} belongs.")
    return {"op": name, "args": [_check(arg, kind) for arg, kind in zip(args, kinds, strict=True)]}


def _is_literal(node: Tree, wanted: str) -> bool:
    match wanted:
        case "truth":
            return isinstance(node, bool)
        case "number":
            return isinstance(node, int | float) and not isinstance(node, bool)
        case "text":
            return isinstance(node, str)
        case "scalar":
            return isinstance(node, str | int | float) or _is_moment(node, {"timestamp", "date"})
        case "moment":
            return _is_moment(node, {"timestamp", "date", "interval"})
        case "geometry":
            return _is_geometry(node)
        case _:
            return isinstance(node, list) and all(_is_literal(each, "scalar") for each in node)


def _is_moment(node: Tree, kinds: set[str]) -> bool:
    if not isinstance(node, Mapping) or len(node) != 1 or not set(node) <= kinds:
        return False
    ((kind, value),) = node.items()
    if kind != "interval":
        return isinstance(value, str) and bool(date_or_time(kind, value))
    return isinstance(value, Sequence) and len(value) == 2 and all(map(_is_end, value))


def date_or_time(kind: str, text: str) -> datetime:
    """Read the text of a ``date`` or a ``timestamp``. Raises InvalidQuery."""
    if kind == "date":
        try:
            date.fromisoformat(text)
        except ValueError:
            raise InvalidQuery(f"filter has the date {text!r:.80}: write it as 1999-01-01.") from None
    return read_moment(text)


def _is_end(node: Tree) -> bool:
    if isinstance(node, Mapping) and set(node) == {"property"}:
        return bool(check_property(node["property"]))
    return isinstance(node, str) and (node == ".." or bool(read_moment(node)))


def _is_geometry(node: Tree) -> bool:
    from catalog.query.footprints import read_geometry
    from catalog.query.query import check_bbox

    if not isinstance(node, Mapping):
        return False
    if set(node) == {"bbox"}:
        edges = node["bbox"]
        return len(edges) in (4, 6) and bool(check_bbox(edges if len(edges) == 4 else [*edges[:2], *edges[3:5]]))
    try:
        return bool(read_geometry(node))
    except ValueError as error:
        raise InvalidQuery(f"filter has a geometry that cannot be read: {error}.") from None
