"""What a catalog store promises: the reader, the query, the page and the protocol of the stores."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from catalog.errors import InvalidQuery

Interval = tuple[datetime | None, datetime | None]
Bbox = tuple[float, float, float, float]

MAX_LIMIT: Final = 10_000
PUBLIC: Final = "public"
ACCESS_FIELD: Final = "landscape:access"
_GEOMETRY_TYPES: Final = frozenset(
    {
        "Point",
        "MultiPoint",
        "LineString",
        "MultiLineString",
        "Polygon",
        "MultiPolygon",
        "GeometryCollection",
    }
)


@dataclass(frozen=True)
class Reader:
    """Who reads. Every read names one.

    Parameters
    ----------
    name : str
        For logs and messages.
    access : frozenset of str
        The access labels this reader may see; "*" sees all. What carries another label does not
        exist for the reader.
    """

    name: str = "anonymous"
    access: frozenset[str] = frozenset({PUBLIC})

    @property
    def sees_all(self) -> bool:
        """Whether no label is hidden from this reader."""
        return "*" in self.access

    def may_see(self, label: str) -> bool:
        """Tell whether something with this access label exists for the reader."""
        return self.sees_all or label in self.access


ANONYMOUS: Final = Reader()
OWNER: Final = Reader("owner", frozenset({"*"}))


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
        if type(self.limit) is not int or not 1 <= self.limit <= MAX_LIMIT:
            raise InvalidQuery(f"limit is {self.limit!r}: give a whole number from 1 to {MAX_LIMIT:,}.")


@dataclass(frozen=True)
class Page:
    """One page of a search.

    Attributes
    ----------
    items : tuple of dict
        STAC items, newest first, then by id.
    next : str or None
        Token of the next page; None on the last one.
    matched : int or None
        How many items match in all, where the store can tell cheaply.
    """

    items: tuple[dict[str, Any], ...]
    next: str | None = None
    matched: int | None = None


class CatalogStore(Protocol):
    """Keeps STAC collections and items as plain dictionaries, and finds them again.

    What a reader may not see does not exist for them: it raises "not found" and is never counted.
    An item is hidden by its own label (`properties["landscape:access"]`) or its collection's.
    """

    def put_collection(self, collection: Mapping[str, Any]) -> None:
        """Store a collection; one of the same id is replaced. Raises InvalidCollection."""

    def collection(self, collection_id: str, reader: Reader) -> dict[str, Any]:
        """Return a collection. Raises CollectionNotFound."""

    def collections(self, reader: Reader) -> list[dict[str, Any]]:
        """Return all collections, by id."""

    def put_items(self, items: Iterable[Mapping[str, Any]]) -> None:
        """Store items, all or none; same collection and id replaces. The extents of their collections are widened.

        Raises InvalidItem, and CollectionNotFound where an item's collection was not put before.
        """

    def item(self, collection_id: str, item_id: str, reader: Reader) -> dict[str, Any]:
        """Return an item. Raises ItemNotFound."""

    def search(self, query: Query, reader: Reader) -> Page:
        """Return one page of the items that match, newest first, then by id. Raises InvalidToken."""

    def delete_items(self, collection_id: str, item_ids: Iterable[str]) -> None:
        """Forget items, all or none; ids that are not there are passed over."""

    def close(self) -> None:
        """Let go of files and connections; the store cannot be used afterwards."""


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
    from catalog.footprints import read_geometry

    kind = geometry.get("type") if isinstance(geometry, Mapping) else None
    if not isinstance(geometry, Mapping) or kind not in _GEOMETRY_TYPES:
        raise InvalidQuery(
            f"intersects is of type {kind!r}: give a GeoJSON geometry (a Feature's `geometry`), "
            f"one of {', '.join(sorted(_GEOMETRY_TYPES))}."
        )
    try:
        read_geometry(geometry)
    except ValueError as error:
        raise InvalidQuery(f"intersects is a {kind} that cannot be searched: {error}.") from None
