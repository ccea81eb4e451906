"""Boxes and geometries on the globe: the exact answer to "does this item touch that place"."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson
import shapely
from shapely.geometry.base import BaseGeometry

from catalog.query.query import Bbox

GEOMETRY_TYPES: Final = frozenset(
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
_FEWEST_POSITIONS: Final = 4
_NUMBERS: Final = frozenset({int, float})


class Place:
    """A place that is searched: a box or a geometry, in WGS84 degrees.

    Parameters
    ----------
    bbox : tuple of float, optional
        west, south, east, north; west > east crosses the antimeridian.
    intersects : mapping, optional
        A GeoJSON geometry.
    """

    def __init__(self, bbox: Bbox | None = None, intersects: Mapping[str, Any] | None = None) -> None:
        if intersects is None:
            self.boxes = split_bbox(bbox) if bbox else []
            self.geometry: BaseGeometry = shapely.MultiPolygon([shapely.box(*box) for box in self.boxes])
        else:
            self.geometry = read_geometry(intersects)
            self.boxes = [_bounds(self.geometry)]
        self._is_box = intersects is None
        shapely.prepare(self.geometry)

    def touches(self, read: Callable[[], Mapping[str, Any]], bbox: Bbox) -> bool:
        """Tell whether an item's geometry and this place share at least a point.

        The geometry is read only where the box of the item leaves it open.
        """
        if self._is_box and any(_covers(box, part) for box in self.boxes for part in split_bbox(bbox)):
            return True
        return bool(self.geometry.intersects(read_geometry(read())))


def read_geometry(geometry: Mapping[str, Any]) -> BaseGeometry:
    """Read a GeoJSON geometry, mended where a ring crosses itself.

    Raises
    ------
    ValueError
        Where it is no geometry, is empty or has coordinates that are not finite.
    """
    found = parse_geometry(geometry)
    return found if found.is_valid else shapely.make_valid(found)


def check_geometry(geometry: Any) -> None:
    """Raise ValueError where a GeoJSON geometry cannot be read, as `read_geometry` does.

    Most are plain polygons, which are seen to be readable without being read.
    """
    if not _is_plain_polygon(geometry):
        parse_geometry(geometry)


def _is_plain_polygon(geometry: Any) -> bool:
    if type(geometry) is not dict or geometry.get("type") != "Polygon":
        return False
    rings = geometry.get("coordinates")
    return type(rings) is list and len(rings) > 0 and all(map(_is_plain_ring, rings))


def _is_plain_ring(ring: Any) -> bool:
    if type(ring) is not list or len(ring) < _FEWEST_POSITIONS or ring[0] != ring[-1]:
        return False
    for position in ring:
        if type(position) is not list or len(position) != 2:
            return False
        x, y = position
        # Comparing also tells what is not finite.
        if type(x) not in _NUMBERS or type(y) not in _NUMBERS or not -1e6 < x < 1e6 or not -1e6 < y < 1e6:
            return False
    return True


def parse_geometry(geometry: Mapping[str, Any]) -> BaseGeometry:
    """Read a GeoJSON geometry as it is. Raises ValueError as `read_geometry` does."""
    if not isinstance(geometry, Mapping) or geometry.get("type") not in GEOMETRY_TYPES:
        raise ValueError("it is no GeoJSON geometry")
    try:
        # What is not finite becomes null here, which is no coordinate.
        found: BaseGeometry = shapely.from_geojson(orjson.dumps(geometry, option=orjson.OPT_SERIALIZE_NUMPY))
    except (shapely.errors.ShapelyError, TypeError, RecursionError) as error:
        raise ValueError(f"it is no GeoJSON geometry ({str(error)[:100]})") from None
    if found.is_empty:
        raise ValueError("it is empty")
    return found


def split_bbox(bbox: Bbox) -> list[Bbox]:
    """Cut a box that crosses the antimeridian in two; any other is returned alone."""
    west, south, east, north = bbox
    if west <= east:
        return [bbox]
    return [(west, south, 180.0, north), (-180.0, south, east, north)]


def _bounds(geometry: BaseGeometry) -> Bbox:
    west, south, east, north = geometry.bounds
    return float(west), float(south), float(east), float(north)


def _covers(outer: Bbox, inner: Bbox) -> bool:
    return outer[0] <= inner[0] and outer[1] <= inner[1] and outer[2] >= inner[2] and outer[3] >= inner[3]
