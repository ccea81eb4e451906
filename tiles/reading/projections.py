"""From one projection to another: bounds and cells; and how far one goes around the world to come back."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, Final

import numpy as np
from morecantile import TileMatrixSet, tms
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from pyproj.exceptions import ProjError
from rasterio._err import CPLE_BaseError
from rasterio.errors import RasterioError
from rasterio.warp import transform_bounds

from tiles.reading.view import WGS84, Bounds, View

TILE_SIZE: Final = 256

_WORLD: Final[Bounds] = (-180.0, -90.0, 180.0, 90.0)
_NOWHERE: Final[Bounds] = (math.inf, math.inf, math.inf, math.inf)
# Points on each side of a rectangle, between its corners: as many as GDAL is asked for.
_POINTS_PER_SIDE: Final = 21
_SAME: Final = 1e-9
# Longer steps along an outline, in turns, do not tell which way round it goes: it passes close by a pole.
_LONGEST_STEP: Final = 1 / 3
# Where in a raster its cells are measured, in shares of its sides: most often all are alike.
_SAMPLES: Final = ((0.5, 0.5), (0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75))


@lru_cache(maxsize=64)
def name_crs(matrix_set: str) -> str:
    """Return the CRS of a tile matrix set, as WKT or authority code."""
    name: str = tms.get(matrix_set).rasterio_crs.to_string()
    return name


@lru_cache(maxsize=256)
def find_turn(crs: str) -> float | None:
    """Return how far east the same place comes again, in units of a CRS; None where going east leads nowhere.

    It is 360° in longitude and latitude, and the length of the equator on the map in cylindrical projections, as
    Mercator's.
    """
    try:
        known = CRS.from_user_input(crs)
        geodetic = known.geodetic_crs
        if geodetic is None or not geodetic.is_geographic:
            return None
        turn = 2 * math.pi / geodetic.axis_info[0].unit_conversion_factor
        return turn if known.is_geographic else _measure_turn(geodetic, known, turn)
    except ProjError:
        return None


def _measure_turn(geodetic: CRS, projected: CRS, turn: float) -> float | None:
    """Return the turn of a projection whose x depends on the longitude alone, and evenly."""
    places = np.meshgrid(np.linspace(-turn / 2, turn / 2, 7), np.array([0, turn / 12]))
    x, _ = _projection(geodetic, projected).transform(*places)
    if not np.isfinite(x).all():
        return None
    steps = np.diff(x, axis=1)
    step = float(np.median(steps))
    # One step of each row goes over the edge of the map, and so back to its other end.
    off = np.abs(steps - step - np.rint((steps - step) / (6 * step)) * 6 * step) if step > 0 else steps
    return 6 * step if step > 0 and (off < step * _SAME).all() else None


@lru_cache(maxsize=256)
def project_bounds(source: str, target: str, bounds: Bounds) -> Bounds:
    """Return bounds in another CRS; infinite where they cannot be told.

    Where they cross the edge of the target's map, as the 180th meridian is in longitude and latitude, they go on
    beyond it: from 170° to 190°.
    """
    turn = find_turn(target)
    if source == target:
        return bounds if turn is None else _begin_on_map(bounds, turn)
    if turn is not None:
        return _follow_outline(source, target, bounds, turn)
    try:
        projected: Bounds = transform_bounds(source, target, *bounds, densify_pts=_POINTS_PER_SIDE)
    except (RasterioError, CPLE_BaseError):
        return _NOWHERE
    return projected


def _follow_outline(source: str, target: str, bounds: Bounds, turn: float) -> Bounds:
    """Return bounds around the outline of a rectangle, followed over the edge of the map."""
    forth = _projection(source, target)
    x, y = forth.transform(*_outline(bounds))
    there = np.isfinite(x) & np.isfinite(y)
    if not there.any():
        return _NOWHERE
    x, y = np.unwrap(x[there], period=turn), y[there]
    poles = _find_poles(source, target, bounds)
    bottom, top = _fit_square(float(min([*poles, *y])), float(max([*poles, *y])), turn)
    left, right = float(x.min()), float(x.max())
    if poles or np.abs(np.diff(x)).max(initial=0) > turn * _LONGEST_STEP:
        left, right = -turn / 2, turn / 2
    return _begin_on_map((left, bottom, right, top), turn)


def _begin_on_map(bounds: Bounds, turn: float) -> Bounds:
    """Move bounds by whole turns, so that their left edge lies on the map; those of a whole turn are the map's own."""
    left, bottom, right, top = bounds
    if right - left > turn * (1 - _SAME):
        return -turn / 2, bottom, turn / 2, top
    back = math.floor(left / turn + 0.5) * turn
    return left - back, bottom, right - back, top


def _outline(bounds: Bounds) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the outline of a rectangle, from its lower left corner around and back."""
    left, bottom, right, top = bounds
    steps = np.linspace(0, 1, _POINTS_PER_SIDE + 2)
    across, up = left + (right - left) * steps, bottom + (top - bottom) * steps
    x = np.concatenate([across, np.full_like(up, right), across[::-1], np.full_like(up, left)])
    y = np.concatenate([np.full_like(across, bottom), up, np.full_like(across, top), up[::-1]])
    return x, y


def _find_poles(source: str, target: str, bounds: Bounds) -> list[float]:
    """Return the y in the target of the poles inside a rectangle of a map that lies around one."""
    if find_turn(source) is not None:
        return []  # a pole is an edge of such a map, and its outline says all
    x, y = _projection(WGS84, source).transform([0, 0], [90, -90])
    left, bottom, right, top = bounds
    inside = [left <= x[n] <= right and bottom <= y[n] <= top for n in (0, 1)]
    there: tuple[float, float] = _projection(WGS84, target).transform([0, 0], [90, -90])[1]
    return [pole for pole, is_inside in zip(there, inside, strict=True) if is_inside]


def _fit_square(bottom: float, top: float, turn: float) -> tuple[float, float]:
    """Cut the far ends of Mercator's maps, where the poles are nearly infinite, so that the world is a square."""
    cut = max(bottom, -turn / 2), min(top, turn / 2)
    return cut if cut[0] < cut[1] else (bottom, top)


def locate(whole: View) -> Bounds:
    """Return west, south, east and north in degrees; west > east across the 180th meridian (RFC 7946, 5.2)."""
    west, south, east, north = project_bounds(whole.crs, WGS84, whole.bounds)
    if not all(math.isfinite(edge) for edge in (west, south, east, north)):
        return _WORLD
    west, east = wrap_longitudes(west, east)
    return west, max(south, -90.0), east, min(north, 90.0)


def wrap_longitudes(west: float, east: float, turn: float = 360.0) -> tuple[float, float]:
    """Bring edges that lie beyond the 180th meridian back onto the globe: the western one may be the greater then.

    Examples
    --------
    >>> wrap_longitudes(170.0, 190.0), wrap_longitudes(180.0, 200.0), wrap_longitudes(0.0, 360.0)
    ((170.0, -170.0), (-180.0, -160.0), (-180.0, 180.0))
    """
    half = turn / 2
    if east - west >= turn * (1 - _SAME):
        return -half, half
    return west - math.floor(west / turn + 0.5) * turn, east - math.ceil(east / turn - 0.5) * turn


def overlaps(bounds: Bounds, extent: Bounds, turn: float | None) -> list[int]:
    """Return by how many turns bounds have to be moved east to meet an extent; often [0], empty if they never do."""
    if not (bounds[1] < extent[3] and bounds[3] > extent[1]):
        return []
    if turn is None:
        return [0] if bounds[0] < extent[2] and bounds[2] > extent[0] else []
    first = math.floor((extent[0] - bounds[2]) / turn) + 1
    last = math.ceil((extent[2] - bounds[0]) / turn) - 1
    return list(range(first, last + 1))


@lru_cache(maxsize=256)
def project_cell(whole: View, target: str) -> float:
    """Return the side in another CRS of the cells of a raster; that in its own where it has none there.

    Parameters
    ----------
    whole : View
        All of the raster, cell by cell.
    target : str
    """
    left, bottom, right, top = whole.bounds
    across, up = (right - left) / whole.width, (top - bottom) / whole.height
    x, y = (np.array(each) for each in zip(*_SAMPLES, strict=True))
    x, y = left + x * (right - left), bottom + y * (top - bottom)
    east, north = _projection(whole.crs, target).transform(np.array([x, x + across, x]), np.array([y, y, y + up]))
    turn = find_turn(target) or math.inf
    with np.errstate(invalid="ignore"):
        steps = east[1:] - east[0]
        steps -= turn * np.rint(steps / turn) if math.isfinite(turn) else 0
        areas = np.abs(steps[0] * (north[2] - north[0]) - steps[1] * (north[1] - north[0]))
    areas = areas[np.isfinite(areas) & (areas > 0)]
    return float(np.sqrt(np.median(areas))) if areas.size else whole.pixel


def find_native_zooms(whole: View, matrix_set: TileMatrixSet) -> tuple[int, int]:
    """Return the zoom at which a raster about fills a tile, and the one whose pixels are about its cells."""
    crs = name_crs(str(matrix_set.id))
    bounds = project_bounds(whole.crs, crs, whole.bounds)
    if not (all(math.isfinite(edge) for edge in bounds) and bounds[0] < bounds[2] and bounds[1] < bounds[3]):
        bounds = tuple(matrix_set.xy_bbox)
    side = max(bounds[2] - bounds[0], bounds[3] - bounds[1])
    fills = matrix_set.zoom_for_res(side / TILE_SIZE)
    return int(fills), int(matrix_set.zoom_for_res(project_cell(whole, crs)))


@lru_cache(maxsize=64)
def _projection(source: Any, target: Any) -> Transformer:
    return Transformer.from_crs(source, target, always_xy=True)
