"""Polygons in longitude and latitude: at the 180th meridian, around them a box, and in them the pixels of a view."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Transformer
from rasterio.features import geometry_mask
from shapely.affinity import translate
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from catalog.items.georeference import close_over_pole, cut_at_antimeridian
from tiles.errors import InvalidRequest
from tiles.reading.projections import find_turn, overlaps
from tiles.reading.view import WGS84, Bounds, View

_TURN: Final = 360.0
# A straight edge in degrees is bent on most maps: it is given points on the way, so many on the longer side.
_EDGE_PARTS: Final = 256
_SMALLEST: Final = 1e-6
# Degrees from which an edge is not meant as it is written, and goes around the world the other way.
_LONGEST_EDGE: Final = 270.0


def bring_onto_globe(geometry: BaseGeometry) -> BaseGeometry:
    """Cut polygons at the 180th meridian, as RFC 7946 wants it (3.1.9), that cross it without saying so.

    Their longitudes may go on beyond 180°, or leap: an edge of more than 270° goes the shorter way around the world,
    from 179° to -179° over the meridian, as everybody draws it. One of 360° is the edge of a map of the world.

    Parameters
    ----------
    geometry : BaseGeometry
        Polygon or multipolygon in longitude and latitude.

    Returns
    -------
    BaseGeometry
        The very same where nothing is to be done; empty if nothing of it has an area.
    """
    polygons = [part for part in shapely.get_parts(geometry) if part.geom_type == "Polygon"]
    rings = [[np.asarray(ring.coords)[:, :2] for ring in (each.exterior, *each.interiors)] for each in polygons]
    west, _, east, _ = geometry.bounds
    on_it = west >= -_TURN / 2 and east <= _TURN / 2
    if on_it and not any(_leap(ring).any() for polygon in rings for ring in polygon):
        return geometry
    return _unite([_build(polygon) for polygon in rings])


def find_box(geometry: BaseGeometry) -> Bounds:
    """Return west, south, east and north of the narrowest box around polygons; west > east across the 180th meridian.

    Examples
    --------
    >>> find_box(shapely.MultiPolygon([shapely.box(179, 1, 180, 2), shapely.box(-180, 1, -178, 3)]))
    (179.0, 1.0, -178.0, 3.0)
    """
    _, south, _, north = geometry.bounds
    spans = sorted((part.bounds[0], part.bounds[2]) for part in shapely.get_parts(geometry))
    reach = np.maximum.accumulate([east for _, east in spans])
    gaps = [start - end for (start, _), end in zip(spans[1:], reach, strict=False)]
    around = spans[0][0] + _TURN - reach[-1]
    if not gaps or max(gaps) <= around:
        return float(spans[0][0]), float(south), float(reach[-1]), float(north)
    widest = int(np.argmax(gaps))
    return float(spans[widest + 1][0]), float(south), float(reach[widest]), float(north)


def draw_box(box: Bounds) -> dict[str, Any]:
    """Return a box as GeoJSON: cut in two if it is across the 180th meridian, where west > east."""
    west, south, east, north = box
    east += 0 if west < east else _TURN
    corners = [(west, south), (east, south), (east, north), (west, north)]
    return to_geojson(cut_at_antimeridian(shapely.Polygon(corners)))


def to_geojson(geometry: BaseGeometry) -> dict[str, Any]:
    """Return a geometry as GeoJSON, of lists."""
    found: dict[str, Any] = json.loads(shapely.to_geojson(geometry))
    return found


def cover_pixels(view: View, geometry: Mapping[str, Any]) -> NDArray[np.bool_]:
    """Tell which pixels, (y, x), of a view have their centre in a GeoJSON polygon.

    Raises
    ------
    InvalidRequest
        If the polygon has no place in the projection.
    """
    placed = _place(shape(dict(geometry)), view.crs)
    turn = find_turn(view.crs)
    if not np.isfinite(shapely.get_coordinates(placed)).all():
        raise InvalidRequest(f"The polygon has no place in {view.crs}.")
    turns = overlaps(placed.bounds, view.bounds, turn)
    shown = [translate(placed, number * (turn or 0.0)) for number in turns]
    if not shown:
        return np.zeros((view.height, view.width), np.bool_)
    return np.asarray(geometry_mask(shown, (view.height, view.width), view.transform, invert=True))


def _place(geometry: BaseGeometry, crs: str) -> BaseGeometry:
    """Project polygons; one over the edge of the map goes on beyond it."""
    west, south, east, north = geometry.bounds
    dense = shapely.segmentize(geometry, max(east - west, north - south, _SMALLEST) / _EDGE_PARTS)
    forth, turn = Transformer.from_crs(WGS84, crs, always_xy=True), find_turn(crs)
    middle = forth.transform(0.0, 0.0)[0]

    def project(longitude: NDArray[np.float64], latitude: NDArray[np.float64]) -> tuple[Any, Any]:
        x, y = forth.transform(longitude, latitude)
        if turn is not None:
            x = x + turn * np.rint(((middle + longitude * (turn / _TURN)) - x) / turn)
        return x, y

    return shapely.transform(dense, project, interleaved=False)  # type: ignore[arg-type]


def _leap(ring: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return by how much the longitudes, (n,), have to be moved after each leap around the world, (n - 1,)."""
    steps = np.diff(ring[:, 0])
    is_leap = (np.abs(steps) > _LONGEST_EDGE) & (np.abs(steps) < _TURN)
    return np.where(is_leap, -np.sign(steps) * _TURN, 0.0)


def _build(rings: Sequence[NDArray[np.float64]]) -> BaseGeometry:
    """Make a polygon of its rings, followed the short way, and bring it onto the globe."""
    outer, *holes = (_straighten(ring) for ring in rings)
    middle = (outer[:, 0].min() + outer[:, 0].max()) / 2
    for hole in holes:
        hole[:, 0] += _TURN * np.rint((middle - hole[:, 0].mean()) / _TURN)
    return cut_at_antimeridian(shapely.make_valid(shapely.Polygon(outer, holes)))


def _straighten(ring: NDArray[np.float64]) -> NDArray[np.float64]:
    """Let a closed ring go on where it leaps, and over the pole if it went around that."""
    moved = ring.copy()
    moved[1:, 0] += np.cumsum(_leap(ring))
    return close_over_pole(moved)


def _unite(parts: Sequence[BaseGeometry]) -> BaseGeometry:
    """Unite what of parts has an area."""
    return shapely.union_all([part for part in shapely.get_parts(parts) if part.area > 0])
