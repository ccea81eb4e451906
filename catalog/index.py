"""What a store must know of a document to find it again: times, box and access label."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

import orjson

from catalog.errors import InvalidCollection, InvalidItem
from catalog.items.versions import ItemName, list_sources
from catalog.query.footprints import check_geometry
from catalog.query.query import Bbox
from catalog.query.queryables import QUERYABLES, Value, index_property, list_words, microseconds
from catalog.store import ACCESS_FIELD, PUBLIC

_NUMBERS: Final = frozenset({int, float})  # and not bool, which is an int as well
# An id is one segment of a URL and may become a file's name, so it is not "." nor "..".
_ID: Final = re.compile(r"(?!\.{1,2}\Z)[^\s/\\?#%\x00-\x1f\x7f]{1,200}")


class ItemIndex(NamedTuple):
    """The searchable part of an item.

    Attributes
    ----------
    collection, id, access : str
    sorted_at, starts, ends : int
        Microseconds since 1970: what it is ordered by, and the interval that a search by time meets.
    bbox : tuple of float or None
        west, south, east, north; west > east crosses the antimeridian; None without a geometry.
    declared : tuple
        What is kept of the properties in `catalog.query.queryables.QUERYABLES`, in their order.
    words : str
        The texts that are searched for words.
    sources : tuple
        Collection and id of each item of the catalog that it was derived from.
    document : str
        The item as JSON.
    """

    collection: str
    id: str
    access: str
    sorted_at: int
    starts: int
    ends: int
    bbox: Bbox | None
    declared: tuple[Value, ...]
    words: str
    sources: tuple[ItemName, ...]
    document: str


def index_item(item: Mapping[str, Any]) -> ItemIndex:
    """Read from an item what a store needs to find it.

    Raises
    ------
    InvalidItem
        Where it lacks an id, a collection, a time or a box, or has one that cannot be read.
    """
    item_id = item.get("id")
    if not is_id(item_id):
        raise InvalidItem(
            f"An item has the id {item_id!r}: give a text of at most 200 characters, without spaces and / \\ ? # %."
        )
    collection = item.get("collection")
    if not is_id(collection):
        raise InvalidItem(f"Item {item_id!r} names the collection {collection!r}: give the id of one.")
    properties = item.get("properties")
    if not isinstance(properties, Mapping):
        raise InvalidItem(f'Item {item_id!r} has no "properties": it needs at least a datetime there.')
    sorted_at, starts, ends = _read_times(properties, str(item_id))
    return ItemIndex(
        collection=str(collection),
        id=str(item_id),
        access=_read_access(properties, InvalidItem, f"Item {item_id!r}"),
        sorted_at=sorted_at,
        starts=starts,
        ends=ends,
        bbox=_read_bbox(item, str(item_id)),
        declared=tuple([index_property(name, properties[name]) if name in properties else None for name in QUERYABLES]),
        words=list_words(item),
        sources=list_sources(item),
        document=_to_json(item, InvalidItem, f"Item {item_id!r}"),
    )


def index_collection(collection: Mapping[str, Any]) -> tuple[str, str, str]:
    """Read the id, the access label and the JSON document of a collection. Raises InvalidCollection."""
    collection_id = collection.get("id")
    if not is_id(collection_id):
        raise InvalidCollection(
            f"A collection has the id {collection_id!r}: "
            "give a text of at most 200 characters, without spaces and / \\ ? # %."
        )
    what = f"Collection {collection_id!r}"
    if collection.get("type") != "Collection":
        raise InvalidCollection(f'{what} is of type {collection.get("type")!r}: STAC wants "Collection".')
    access = _read_access(collection, InvalidCollection, what)
    return str(collection_id), access, _to_json(collection, InvalidCollection, what)


def is_id(value: object) -> bool:
    """Tell whether a value can be the id of an item or a collection."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def _read_times(properties: Mapping[str, Any], item_id: str) -> tuple[int, int, int]:
    at = _read_time(properties, "datetime", item_id)
    start = _read_time(properties, "start_datetime", item_id)
    end = _read_time(properties, "end_datetime", item_id)
    if at is None and (start is None or end is None):
        raise InvalidItem(f"Item {item_id!r} has no time: give it a datetime, or both start_datetime and end_datetime.")
    known = [moment for moment in (at, start, end) if moment is not None]
    starts = start if start is not None else min(known)
    ends = end if end is not None else max(known)
    if starts > ends:
        raise InvalidItem(f"Item {item_id!r} starts after it ends: swap start_datetime and end_datetime.")
    return at if at is not None else starts, starts, ends


def _read_time(properties: Mapping[str, Any], name: str, item_id: str) -> int | None:
    text = properties.get(name)
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or not isinstance(text, str):
        raise InvalidItem(f"Item {item_id!r} has {name} {text!r}: write it as 1999-01-01T00:00:00Z.")
    return microseconds(moment)


def _read_bbox(item: Mapping[str, Any], item_id: str) -> Bbox | None:
    geometry = item.get("geometry")
    if geometry is None:
        return None
    try:
        check_geometry(geometry)
    except ValueError as error:
        raise InvalidItem(f"Item {item_id!r} has a geometry that cannot be read: {error}.") from None
    bbox = item.get("bbox")
    if not isinstance(bbox, list | tuple) or len(bbox) not in (4, 6) or not all(map(_is_finite, bbox)):
        raise InvalidItem(f"Item {item_id!r} has the bbox {bbox!r}: give west, south, east, north of its geometry.")
    half = len(bbox) // 2
    west, south, east, north = bbox[0], bbox[1], bbox[half], bbox[half + 1]
    if south > north or min(west, east) < -180 or max(west, east) > 180 or south < -90 or north > 90:
        raise InvalidItem(f"Item {item_id!r} has the bbox {bbox!r}: give degrees, longitude first, south before north.")
    return float(west), float(south), float(east), float(north)


def _is_finite(edge: object) -> bool:
    return type(edge) in _NUMBERS and math.isfinite(edge)  # type: ignore[arg-type]


def _read_access(holder: Mapping[str, Any], error: type[Exception], what: str) -> str:
    label = holder.get(ACCESS_FIELD, PUBLIC)
    if not isinstance(label, str) or not label or label == "*":
        raise error(f'{what} has {ACCESS_FIELD} {label!r}: give a label such as "public" or "partners".')
    return label


def _to_json(document: Mapping[str, Any], error: type[Exception], what: str) -> str:
    try:
        return orjson.dumps(document).decode()
    except TypeError as reason:
        raise error(f"{what} holds something that is not JSON: {reason}.") from None
