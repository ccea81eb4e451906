"""Reads the polygon that a client sends, and no more than a polygon may be."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator
from typing import Any, Final

import orjson
import shapely
from shapely.geometry import shape
from starlette.requests import ClientDisconnect, Request

from tiles.errors import InvalidRequest, TooMuch, TooSlow
from tiles.reading.outlines import bring_onto_globe, to_geojson

MOST_BYTES: Final = 1_000_000
MOST_VERTICES: Final = 10_000
MOST_SECONDS: Final = 10.0
POLYGON_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": "A GeoJSON Polygon or MultiPolygon in longitude and latitude, or a Feature of one",
        "content": {"application/json": {"schema": {"type": "object"}}},
    }
}
"""What the OpenAPI document says of it."""
_FEWEST_OF_A_RING: Final = 4


async def read_polygon(request: Request, patience_s: float = MOST_SECONDS) -> dict[str, Any]:
    """Read a GeoJSON polygon or multipolygon, or a feature of one, in WGS 84.

    Parameters
    ----------
    request : Request
    patience_s : float
        How long the body may take to arrive.

    Raises
    ------
    InvalidRequest
        If it is none.
    TooMuch
        If it has too many bytes or vertices, or is cut off.
    TooSlow
        If it does not arrive in time.
    """
    return check_polygon(await read_json(request, "polygon", patience_s))


async def read_json(request: Request, what: str, patience_s: float = MOST_SECONDS) -> Any:
    """Read a JSON body.

    Parameters
    ----------
    request : Request
    what : str
        Word for what is sent.
    patience_s : float
        How long the body may take to arrive.

    Raises
    ------
    InvalidRequest
        If it is none.
    TooMuch
        If it has too many bytes, or is cut off.
    TooSlow
        If it does not arrive in time.
    """
    if request.headers.get("content-encoding", "identity") != "identity":
        raise InvalidRequest(f"Send the {what} uncompressed.")
    try:
        async with asyncio.timeout(patience_s):
            body = await _receive(request)
    except ClientDisconnect:
        raise TooMuch(f"The {what} did not arrive whole: the line was cut, or it is too large.") from None
    except TimeoutError:
        raise TooSlow(f"The {what} did not arrive within {patience_s:g} seconds.") from None
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        raise InvalidRequest(f"The body is no JSON: send a {what}.") from None


async def _receive(request: Request) -> bytes:
    declared = request.headers.get("content-length", "0")
    if not declared.isdecimal() or int(declared[:12]) > MOST_BYTES:
        raise _too_many_bytes()
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            raise _too_many_bytes()
    return bytes(body)


def _too_many_bytes() -> TooMuch:
    return TooMuch(f"The body is larger than {MOST_BYTES:,} bytes. Simplify the polygon.")


def check_polygon(document: Any) -> dict[str, Any]:
    """Return the geometry of a GeoJSON polygon or multipolygon, or of a feature of one, in WGS 84.

    It is without heights, and cut at the 180th meridian where a ring leaps over that.

    Raises
    ------
    InvalidRequest
        If it is none.
    TooMuch
        If it has too many vertices.
    """
    geometry = (
        document.get("geometry") if isinstance(document, dict) and document.get("type") == "Feature" else document
    )
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    if not isinstance(geometry, dict) or kind not in ("Polygon", "MultiPolygon"):
        raise InvalidRequest("Send a GeoJSON Polygon or MultiPolygon in longitude and latitude, or a Feature of one.")
    coordinates = geometry.get("coordinates")
    polygons = [coordinates] if kind == "Polygon" else coordinates
    total = 0
    for ring in _rings(polygons):
        total += len(ring)
        if total > MOST_VERTICES:
            raise TooMuch(f"The polygon has more than {MOST_VERTICES:,} vertices. Simplify it.")
        if len(ring) < _FEWEST_OF_A_RING or not all(map(_is_position, ring)):
            raise InvalidRequest("Every ring needs at least four positions, longitude and latitude in degrees.")
    if total == 0:
        raise InvalidRequest("The polygon is empty.")
    return _bring_onto_globe({"type": kind, "coordinates": coordinates})


def _bring_onto_globe(geometry: dict[str, Any]) -> dict[str, Any]:
    sent = shapely.force_2d(shape(geometry))
    outline = bring_onto_globe(sent)
    if outline is not sent and outline.is_empty:
        raise InvalidRequest("The polygon has no area.")
    return to_geojson(outline)


def _rings(polygons: Any) -> Iterator[list[Any]]:
    for polygon in polygons if isinstance(polygons, list) else [None]:
        for ring in polygon if isinstance(polygon, list) and polygon else [None]:
            if not isinstance(ring, list):
                raise InvalidRequest("The coordinates are not those of a polygon: lists of rings of positions.")
            yield ring


def _is_position(position: Any) -> bool:
    if not isinstance(position, list) or not 2 <= len(position) <= 3:
        return False
    if not all(isinstance(n, int | float) and not isinstance(n, bool) and math.isfinite(n) for n in position):
        return False
    return bool(-180 <= position[0] <= 180 and -90 <= position[1] <= 90)
