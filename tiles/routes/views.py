"""From the numbers in an address to a view, within limits."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, Final

from fastapi import Depends, Query
from pydantic import Field
from pyproj import CRS
from pyproj.aoi import AreaOfInterest
from pyproj.database import query_utm_crs_info
from pyproj.exceptions import CRSError
from shapely.geometry import shape

from tiles.errors import InvalidRequest, TooMuch
from tiles.reading.outlines import find_box
from tiles.reading.projections import find_turn, project_bounds, project_cell, wrap_longitudes
from tiles.reading.view import WGS84, Bounds, View

MOST_SIDE: Final = 4_096
MOST_PIXELS: Final = 4_194_304
"""Of one picture: 2,048 by 2,048."""
USUAL_SIDE: Final = 1_024
"""Of a picture whose size nobody asks for."""

_CRS84: Final = "OGC:CRS84"
_AUTHORITIES: Final = "EPSG|ESRI|OGC"
# Nothing but codes: as text, a CRS may name a file or another server.
_SPELLINGS: Final = tuple(
    re.compile(pattern, re.IGNORECASE | re.ASCII)
    for pattern in (
        rf"\[?({_AUTHORITIES}):(?:[\d.]*:)?(\w{{1,8}})\]?",
        rf"https?://www\.opengis\.net/def/crs/({_AUTHORITIES})/[\d.]{{1,8}}/(\w{{1,8}})",
        rf"urn:ogc:def:crs:({_AUTHORITIES}):[\d.]{{0,8}}:(\w{{1,8}})",
    )
)
_FARTHEST: Final = 1e9
_NARROWEST: Final = 1e-9
# How many times around the world a picture may go.
_MOST_TURNS: Final = 3
# Degrees from which a strip of 6 is no place for a map.
_WIDEST_UTM: Final = 12
# Degrees of latitude from which maps lie around the pole where they are too wide for a strip.
_POLAR: Final = 60
_ARCTIC, _ANTARCTIC, _EQUAL_AREA = "EPSG:3995", "EPSG:3031", "EPSG:6933"

Side = Annotated[int | None, Field(ge=1, le=MOST_SIDE, description="In pixels")]
CrsName = Annotated[str | None, Query(max_length=60, description="As EPSG:3857, or a URI or URN of the OGC")]


@dataclass(frozen=True)
class Size:
    """How large a picture shall be; what is not said follows from the cells.

    Attributes
    ----------
    width, height : int or None
        Pixels.
    most : int
        Of either side, where neither is given.
    """

    width: int | None = None
    height: int | None = None
    most: int = USUAL_SIDE


def read_size(
    width: Side = None,
    height: Side = None,
    max_size: Annotated[int, Query(ge=1, le=MOST_SIDE, description="Of a side, where none is given")] = USUAL_SIDE,
) -> Size:
    """Read a size from an address; width and height stand in its path, or in its query."""
    return Size(width, height, max_size)


AskedSize = Annotated[Size, Depends(read_size)]


@lru_cache(maxsize=256)
def read_crs(name: str) -> str:
    """Read the name of a projection: "EPSG:3857", "[EPSG:3857]", or a URI or URN of the OGC.

    Raises
    ------
    InvalidRequest
        If it is no name of a projected or geographic system of two dimensions.
    """
    found = next((match for spelling in _SPELLINGS if (match := spelling.fullmatch(name))), None)
    if found is None:
        raise InvalidRequest(f"{name!r} is no name of a projection. Give its code, as EPSG:3857.")
    authority, code = found[1].upper(), found[2].upper()
    try:
        crs = CRS.from_authority(authority, code)
    except CRSError:
        raise InvalidRequest(f"There is no projection {authority}:{code}.") from None
    if len(crs.axis_info) != 2 or not (crs.is_projected or crs.is_geographic):
        raise InvalidRequest(f"{authority}:{code} is no projection of a map.")
    return WGS84 if f"{authority}:{code}" == _CRS84 else f"{authority}:{code}"


@lru_cache(maxsize=256)
def starts_north(name: str) -> bool:
    """Tell whether the OGC wants the coordinates of a projection north or south first, as those of EPSG:4326."""
    return CRS.from_user_input(name).axis_info[0].direction in ("north", "south")


def name_uri(crs: str) -> str:
    """Return the URI of a projection; that of CRS84 for longitude and latitude; "" if it has no code."""
    if crs == WGS84:
        return "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
    known = CRS.from_user_input(crs).to_authority(min_confidence=90)
    return f"http://www.opengis.net/def/crs/{known[0]}/0/{known[1]}" if known else ""


def describe_view(view: View) -> dict[str, str]:
    """Return the headers that say what a picture shows; in degrees, west > east across the 180th meridian."""
    uri = name_uri(view.crs)
    bounds, turn = view.bounds, _turn_of_degrees(view.crs)
    if turn is not None and bounds[2] - bounds[0] < turn:
        west, east = wrap_longitudes(bounds[0], bounds[2], turn)
        bounds = (west, bounds[1], east, bounds[3])
    if uri and view.crs != WGS84 and starts_north(view.crs):
        bounds = (bounds[1], bounds[0], bounds[3], bounds[2])
    headers = {"Content-Bbox": ",".join(f"{edge:.12g}" for edge in bounds)}
    return headers | ({"Content-Crs": f"<{uri}>"} if uri else {})


def frame_box(box: Bounds, box_crs: str, crs: str, whole: View, size: Size) -> View:
    """Frame a rectangle.

    Parameters
    ----------
    box : tuple of float
        minx, miny, maxx, maxy; in longitude and latitude minx > maxx across the 180th meridian.
    box_crs, crs : str
        Of the box, and of the picture.
    whole : View
        Of what is drawn: its cells say how fine a picture of no given size is.
    size : Size

    Raises
    ------
    InvalidRequest
        If it is no rectangle, or has no place in the projection.
    TooMuch
        If it has too many pixels.
    """
    asked = read_bounds(box, box_crs)
    bounds = asked if box_crs == crs else project_bounds(box_crs, crs, asked)
    check_bounds(bounds, crs)
    return frame_bounds(bounds, crs, whole, size)


def frame_whole(whole: View, crs: str | None, size: Size) -> View:
    """Frame all of what is drawn, in its own projection or in another. Raises InvalidRequest, TooMuch."""
    if crs is None:
        return frame_bounds(whole.bounds, whole.crs, whole, size)
    bounds = project_bounds(whole.crs, crs, whole.bounds)
    check_bounds(bounds, crs)
    return frame_bounds(bounds, crs, whole, size)


def frame_bounds(bounds: Bounds, crs: str, whole: View, size: Size) -> View:
    """Give checked bounds a size in pixels. Raises TooMuch."""
    left, bottom, right, top = bounds
    across, down = right - left, top - bottom
    width, height = size.width, size.height
    if width is None and height is None:
        cell = project_cell(whole, crs)
        longest = min(max(across, down) / cell, size.most)
        scale = max(longest, 1) / max(across, down)
        width, height = max(1, round(across * scale)), max(1, round(down * scale))
    elif width is None:
        width = _complete(height, across / down)
    elif height is None:
        height = _complete(width, down / across)
    assert width is not None
    assert height is not None
    if width > MOST_SIDE or height > MOST_SIDE or width * height > MOST_PIXELS:
        raise TooMuch(
            f"A picture has {MOST_PIXELS:,} pixels at most, and {MOST_SIDE:,} on a side; {width:,} by {height:,} "
            "are asked for."
        )
    return View(crs, bounds, width, height)


def frame_geometry(geometry: Mapping[str, Any], crs: str, whole: View, size: Size) -> View:
    """Frame the rectangle around a GeoJSON polygon in WGS 84. Raises InvalidRequest, TooMuch."""
    return frame_box(find_box(shape(dict(geometry))), WGS84, crs, whole, size)


def choose_paper_crs(whole: View, bounds: Bounds) -> str:
    """Return the projection that a part is drawn in on paper: its own if that is in metres, else one that suits.

    Parameters
    ----------
    whole : View
        Of what is drawn.
    bounds : tuple of float
        west, south, east, north in degrees; beyond 180 across that meridian.
    """
    if CRS.from_user_input(whole.crs).is_projected:
        return whole.crs
    west, south, east, north = bounds
    longitude, latitude = wrap_longitudes(*[(west + east) / 2] * 2)[0], (south + north) / 2
    found = query_utm_crs_info("WGS 84", AreaOfInterest(longitude, latitude, longitude, latitude), contains=True)
    if found and east - west < _WIDEST_UTM:
        return f"EPSG:{found[0].code}"
    if abs(latitude) < _POLAR:
        return _EQUAL_AREA
    return _ARCTIC if latitude > 0 else _ANTARCTIC


def _complete(side: int | None, ratio: float) -> int:
    """Return the side that keeps the pixels square."""
    assert side is not None
    return max(1, round(min(side * ratio, MOST_PIXELS)))


def read_bounds(box: Bounds, crs: str) -> Bounds:
    """Return the bounds of a box that is asked for, left < right: one across the 180th meridian goes on beyond it.

    Raises
    ------
    InvalidRequest
        If it is no rectangle.
    """
    left, bottom, right, top = box
    if not all(math.isfinite(edge) and abs(edge) <= _FARTHEST for edge in box):
        raise InvalidRequest("The box needs four finite numbers: minx, miny, maxx, maxy.")
    if crs == WGS84 and not all(-180 <= x <= 180 and -90 <= y <= 90 for x, y in (box[:2], box[2:])):
        raise InvalidRequest(
            "Longitudes go from -180 to 180 and latitudes from -90 to 90. A box across the 180th meridian has minx "
            "greater than maxx, as 170,-20,-170,-10."
        )
    if left > right:
        right += _turn_of_degrees(crs) or 0
    if not (left < right and bottom < top):
        raise InvalidRequest(
            "The box is empty: minx has to be less than maxx, but for boxes across the 180th meridian in longitude and "
            "latitude; and miny less than maxy."
        )
    return left, bottom, right, top


@lru_cache(maxsize=256)
def _turn_of_degrees(crs: str) -> float | None:
    """Return the turn of a CRS of longitude and latitude; None of any other."""
    return find_turn(crs) if CRS.from_user_input(crs).is_geographic else None


def check_bounds(bounds: Bounds, crs: str) -> None:
    """Refuse bounds that no picture can have. Raises InvalidRequest."""
    left, bottom, right, top = bounds
    if not all(math.isfinite(edge) for edge in bounds) or right - left < _NARROWEST or top - bottom < _NARROWEST:
        raise InvalidRequest(f"The box has no place in {crs}, or is too narrow.")
    if right - left > _MOST_TURNS * (find_turn(crs) or math.inf):
        raise InvalidRequest(f"The box is wider than {_MOST_TURNS} times the world.")
