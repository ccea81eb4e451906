"""What is searched for: the frozen query of every store."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from catalog.errors import InvalidQuery
from catalog.query.expression import check_property, parse_filter
from catalog.query.fields import Fields

Interval = tuple[datetime | None, datetime | None]
Bbox = tuple[float, float, float, float]

MAX_LIMIT: Final = 10_000
_MOST_TERMS: Final = 20
_MOST_SORTS: Final = 8


@dataclass(frozen=True)
class Sort:
    """One key of an order.

    Parameters
    ----------
    field : str
        ``id``, ``collection``, or a property with or without ``properties.`` before it.
    descending : bool
    """

    field: str
    descending: bool = False

    def __post_init__(self) -> None:
        """Check the name. Raises InvalidQuery."""
        object.__setattr__(self, "field", check_property(self.field))

    @classmethod
    def read(cls, text: str) -> Sort:
        """Read a key as a URL has it: ``-datetime`` descends, ``gsd`` and ``+gsd`` ascend."""
        # A plus in a URL that is not escaped arrives as a space.
        key = text.strip()
        return cls(key.removeprefix("-").removeprefix("+"), key.startswith("-"))


@dataclass(frozen=True)
class Query:
    """What to search for. Fields left as None do not narrow the search; all others must hold at once.

    Parameters
    ----------
    collections, ids : tuple of str, optional
        Identifiers of collections and items.
    bbox : tuple of float, optional
        west, south, east, north in WGS84 degrees; west > east crosses the antimeridian.
    intersects : dict, optional
        A GeoJSON geometry in WGS84; not together with `bbox`.
    datetime : tuple of datetime or None, optional
        A closed interval, open where None. Naive times are taken as UTC.
    filter : str or dict, optional
        A condition in CQL2, as text or JSON; kept as JSON. `datetime` in it is what items are ordered by: the
        start, where an item has a span.
    q : tuple of str, optional
        Words or phrases, of which title, description, keywords or id must have one at least.
    sortby : tuple of Sort or str, optional
        The order, as ``("-gsd", "id")``; what is equal in it is in a fixed order. Without it: newest first, then
        by id. Whether items that lack the property come first or last is up to the store.
    fields : Fields, optional
        The fields that are returned; `id` and `collection` always are.
    limit : int
        Items on a page, 1 to 10,000.
    token : str, optional
        Where to go on: `Page.next` of the page before, with the same query.

    Raises
    ------
    InvalidQuery
        Where a field makes no sense; the message says which and how to mend it.
    """

    collections: tuple[str, ...] | None = None
    ids: tuple[str, ...] | None = None
    bbox: Bbox | None = None
    intersects: Mapping[str, Any] | None = field(default=None, hash=False)
    datetime: Interval | None = None
    filter: Mapping[str, Any] | str | None = field(default=None, hash=False)
    q: tuple[str, ...] | None = None
    sortby: tuple[Sort, ...] = ()
    fields: Fields | None = None
    limit: int = 100
    token: str | None = None

    def __post_init__(self) -> None:
        """Check every field and normalise lists to tuples and times to UTC."""
        for name in ("collections", "ids"):
            object.__setattr__(self, name, _check_names(name, getattr(self, name)))
        if self.bbox is not None and self.intersects is not None:
            raise InvalidQuery("bbox and intersects were both given: keep one of them.")
        if self.bbox is not None:
            object.__setattr__(self, "bbox", check_bbox(self.bbox))
        if self.intersects is not None:
            _check_geometry(self.intersects)
        if self.datetime is not None:
            object.__setattr__(self, "datetime", _check_interval(self.datetime))
        if self.filter is not None:
            object.__setattr__(self, "filter", parse_filter(self.filter))
        object.__setattr__(self, "q", _check_terms(self.q))
        object.__setattr__(self, "sortby", _check_order(self.sortby))
        if type(self.limit) is not int or not 1 <= self.limit <= MAX_LIMIT:
            raise InvalidQuery(f"limit is {self.limit!r}: give a whole number from 1 to {MAX_LIMIT:,}.")


def check_bbox(bbox: Iterable[float]) -> Bbox:
    """Check a box of west, south, east, north in degrees and return it as floats.

    Raises
    ------
    InvalidQuery
        Where it is not four finite numbers in range with south not above north.
    """
    try:
        west, south, east, north = (float(edge) for edge in bbox)
    except (TypeError, ValueError):
        raise InvalidQuery(f"bbox is {bbox!r}: give four numbers, west, south, east, north, in degrees.") from None
    if not all(math.isfinite(edge) for edge in (west, south, east, north)):
        raise InvalidQuery(f"bbox is {bbox!r}: its edges must be finite numbers.")
    if not (-180 <= west <= 180 and -180 <= east <= 180 and -90 <= south <= 90 and -90 <= north <= 90):
        raise InvalidQuery(
            f"bbox is {bbox!r}: longitudes go from -180 to 180 and latitudes from -90 to 90. "
            "Is it in a projected CRS, or latitude first?"
        )
    if south > north:
        raise InvalidQuery(f"bbox is {bbox!r}: south {south} lies above north {north}; swap them.")
    return west, south, east, north


def _check_names(name: str, values: object) -> tuple[str, ...] | None:
    if values is None:
        return None
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise InvalidQuery(f"{name} is {values!r}: give a list of identifiers.")
    names = tuple(values)
    if not all(map(_is_text, names)):
        raise InvalidQuery(f"{name} is {names!r}: every identifier must be a text that is not empty.")
    return names


def _check_terms(terms: object) -> tuple[str, ...] | None:
    names = _check_names("q", terms)
    if names is not None and (len(names) > _MOST_TERMS or not all(name.strip() and len(name) <= 200 for name in names)):
        raise InvalidQuery(f"q is {str(names)[:80]}: give at most {_MOST_TERMS} words or phrases of 200 characters.")
    return names or None


def _check_order(keys: object) -> tuple[Sort, ...]:
    if isinstance(keys, str) or not isinstance(keys, Iterable):
        raise InvalidQuery(f"sortby is {keys!r:.80}: give a list of fields, as -datetime.")
    order = tuple(Sort.read(key) if isinstance(key, str) else key for key in keys)
    if len(order) > _MOST_SORTS or not all(isinstance(key, Sort) for key in order):
        raise InvalidQuery(f"sortby is {str(keys)[:80]}: give at most {_MOST_SORTS} fields, as -datetime.")
    return order


def _is_text(value: object) -> bool:
    # Half a surrogate pair, which JSON can spell, is in no encoding and so in no store.
    return isinstance(value, str) and bool(value) and not re.search(r"[\ud800-\udfff]", value)


def _check_interval(interval: object) -> Interval:
    if not isinstance(interval, tuple | list) or len(interval) != 2:
        raise InvalidQuery(f"datetime is {interval!r}: give a start and an end, None for an open one.")
    start, end = (_as_utc(moment) for moment in interval)
    if start is not None and end is not None and start > end:
        raise InvalidQuery(f"datetime starts at {start.isoformat()} after its end {end.isoformat()}; swap them.")
    return start, end


def _as_utc(moment: object) -> datetime | None:
    if moment is None:
        return None
    if not isinstance(moment, datetime):
        raise InvalidQuery(f"datetime holds {moment!r}: give datetime objects, or None for an open end.")
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        raise InvalidQuery(
            f"datetime holds {moment.isoformat()}, which in UTC lies outside the years 1 to 9999."
        ) from None


def _check_geometry(geometry: object) -> None:
    # Only searches by geometry need shapely, which takes a tenth of a second to import.
    from catalog.query.footprints import GEOMETRY_TYPES, read_geometry

    kind = geometry.get("type") if isinstance(geometry, Mapping) else None
    if not isinstance(geometry, Mapping) or kind not in GEOMETRY_TYPES:
        raise InvalidQuery(
            f"intersects is of type {kind!r}: give a GeoJSON geometry (a Feature's `geometry`), "
            f"one of {', '.join(sorted(GEOMETRY_TYPES))}."
        )
    try:
        read_geometry(geometry)
    except ValueError as error:
        raise InvalidQuery(f"intersects is a {kind} that cannot be searched: {error}.") from None
