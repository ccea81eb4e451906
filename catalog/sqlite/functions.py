"""What the embedded store asks Python for, row by row: geometries, JSON values, folded texts."""

from __future__ import annotations

import math
import sqlite3
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count
from typing import Any, Final

import orjson
from shapely import MultiPolygon
from shapely import box as rectangle
from shapely.geometry import mapping

from catalog.items.versions import list_sources
from catalog.query.footprints import Place, read_geometry, split_bbox
from catalog.query.query import Bbox
from catalog.query.queryables import (
    Value,
    comparable,
    find_property,
    fold_accents,
    index_property,
    list_words,
    mentions,
    read_time,
)

_places: Final[dict[int, Place]] = {}
_numbers: Final = count(1)


@contextmanager
def naming_places() -> Iterator[Callable[[Place], int]]:
    """Give what SQL names places by: a number for each, good until the block ends."""
    given: list[int] = []

    def register(place: Place) -> int:
        number = next(_numbers)
        _places[number] = place
        given.append(number)
        return number

    try:
        yield register
    finally:
        for number in given:
            del _places[number]


def add_functions(connection: sqlite3.Connection) -> None:
    """Add the functions to a connection."""
    for function in (
        touches, relate, value_of, moment_of, queryable_of, words_of, sources_of, mentioned, casefold, fold, calculate,
        same_kind, relate_lists, lasts, extends,
    ):  # fmt: skip
        arguments = function.__code__.co_argcount
        connection.create_function(function.__name__, arguments, function, deterministic=True)


def touches(place: int, west: float | None, south: float, east: float, north: float, document: str) -> bool | None:
    """Tell whether an item meets a place."""
    if west is None:
        return None
    return _places[place].touches(lambda: orjson.loads(document)["geometry"], (west, south, east, north))


def relate(relation: str, place: int, document: str) -> bool | None:
    """Tell whether the geometry of an item has a relation, as ``within``, to a place."""
    geometry = orjson.loads(document)["geometry"]
    if geometry is None:
        return None
    return bool(getattr(read_geometry(geometry), relation)(_places[place].geometry))


def value_of(document: str, root: str, name: str) -> Value:
    """Return a property of an item (root ``properties``) or a collection (root empty)."""
    holder = orjson.loads(document)
    return comparable(find_property(holder.get(root) if root else holder, name))


def moment_of(document: str, root: str, name: str) -> int | None:
    """Return a property that is a time, in microseconds since 1970."""
    holder = orjson.loads(document)
    return read_time(find_property(holder.get(root) if root else holder, name))


def queryable_of(document: str, name: str) -> Value:
    """Return what is kept of a declared property of an item."""
    return index_property(name, orjson.loads(document)["properties"].get(name))


def words_of(document: str) -> str:
    """Return the texts of an item that are searched for words."""
    return list_words(orjson.loads(document))


def sources_of(document: str) -> str:
    """Return collection and id of what an item was derived from, as a JSON list."""
    return orjson.dumps(list_sources(orjson.loads(document))).decode()


def mentioned(document: str, terms: str) -> bool:
    """Tell whether a document has one of the words or phrases in a JSON list."""
    return mentions(list_words(orjson.loads(document)), orjson.loads(terms))


def lasts(document: str, start: int | None, end: int | None) -> bool:
    """Tell whether the time of a collection meets an interval."""
    spans = (find_property(orjson.loads(document), "extent.temporal.interval") or [[None, None]])[:1]
    begins, ends = (read_time(moment) for moment in spans[0])
    return not (
        (start is not None and ends is not None and ends < start)
        or (end is not None and begins is not None and begins > end)
    )


def extends(document: str, place: int) -> bool:
    """Tell whether the extent of a collection meets a place."""
    boxes = find_property(orjson.loads(document), "extent.spatial.bbox") or []
    # Where there are several, the first covers the others.
    for box in boxes[1:] or boxes:
        half = len(box) // 2
        edges = (box[0], box[1], box[half], box[half + 1])
        parts = split_bbox(edges)
        if _places[place].touches(partial(_outline, parts), edges):
            return True
    return False


def _outline(parts: list[Bbox]) -> dict[str, Any]:
    return mapping(MultiPolygon([rectangle(*part) for part in parts]))


def casefold(value: Any) -> Any:
    """Return a text without the difference between capitals and small letters."""
    return value.casefold() if isinstance(value, str) else value


def fold(value: Any) -> Any:
    """Return a text without accents."""
    return unicodedata.normalize("NFC", fold_accents(value)) if isinstance(value, str) else value


def calculate(operator: str, left: Any, right: Any) -> float | None:
    """Calculate with two numbers; None where one is no number or there is no result."""
    if not isinstance(left, int | float) or not isinstance(right, int | float):
        return None
    try:
        result = _ARITHMETIC[operator](left, right)
    except (ArithmeticError, ValueError):
        return None
    return float(result) if isinstance(result, int | float) and math.isfinite(result) else None


def same_kind(left: Any, right: Any) -> bool:
    """Tell whether two values can be ordered: both numbers, or both texts."""
    return all(isinstance(value, int | float) for value in (left, right)) or type(left) is type(right)


def relate_lists(relation: str, left: Any, right: Any) -> bool | None:
    """Relate two lists, as bytes of JSON. None where one is no list."""
    if not isinstance(left, bytes) or not isinstance(right, bytes) or left[:1] != b"[" or right[:1] != b"[":
        return None
    one, other = ({comparable(each) for each in orjson.loads(text)} for text in (left, right))
    return _LISTS[relation](one, other)


_ARITHMETIC: Final[dict[str, Callable[[float, float], Any]]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": lambda left, right: left / right,
    "%": math.fmod,
    "div": lambda left, right: math.trunc(left / right),
    "^": lambda left, right: float(left) ** float(right),
}
_LISTS: Final[dict[str, Callable[[set[Value], set[Value]], bool]]] = {
    "a_equals": lambda one, other: one == other,
    "a_contains": lambda one, other: one >= other,
    "a_containedby": lambda one, other: one <= other,
    "a_overlaps": lambda one, other: bool(one & other),
}
