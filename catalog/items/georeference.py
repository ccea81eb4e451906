"""Where a grid lies: its footprint in degrees and its fields of the projection extension."""

from __future__ import annotations

import json
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from pyproj import Transformer
from shapely.affinity import translate
from shapely.geometry.base import BaseGeometry

from catalog.errors import LayerError
from catalog.query.query import Bbox

# A straight edge in a projection is a curve in degrees: it is drawn with this many points.
_POINTS_PER_SIDE: Final = 10
_DECIMALS: Final = 7
_HALF_TURN: Final = 180.0


def find_footprint(geobox: GeoBox) -> tuple[dict[str, Any], Bbox]:
    """Return the outline of a grid as GeoJSON in WGS84, and its bounding box.

    A grid across the antimeridian becomes a MultiPolygon cut there, and its box has west > east.

    Raises
    ------
    LayerError
        Where the grid has no CRS, or lies where its CRS is not defined.
    """
    if geobox.crs is None:
        raise LayerError("The layer has no CRS: name it, for example with `gdal_edit.py -a_srs EPSG:32643`.")
    geometry = cut_at_antimeridian(shapely.make_valid(shapely.Polygon(close_over_pole(_to_degrees(geobox)))))
    rounded = shapely.transform(geometry, lambda xy: xy.round(_DECIMALS))
    return json.loads(shapely.to_geojson(shapely.orient_polygons(rounded))), find_bbox(rounded)


def find_bbox(geometry: BaseGeometry) -> Bbox:
    """Return west, south, east and north; west > east where the parts meet at the antimeridian."""
    west, south, east, north = geometry.bounds
    parts = shapely.get_parts(geometry)
    eastern = [part.bounds for part in parts if part.bounds[2] >= 180]
    western = [part.bounds for part in parts if part.bounds[0] <= -180]
    if len(parts) > 1 and eastern and western:
        start, end = min(bounds[0] for bounds in eastern), max(bounds[2] for bounds in western)
        if start > end:
            return float(start), float(south), float(end), float(north)
    return float(west), float(south), float(east), float(north)


def describe_grid(geobox: GeoBox) -> dict[str, Any]:
    """Return the fields of the projection extension: CRS, shape (rows, columns), transform and bbox."""
    crs = geobox.crs
    if crs is None:
        raise LayerError("The layer has no CRS, so its place cannot be described.")
    authority, code = crs.authority
    named = {"proj:code": f"{authority}:{code}"} if authority and code else {"proj:wkt2": crs.to_wkt()}
    return {
        **named,
        "proj:shape": list(geobox.shape),
        "proj:transform": list(geobox.affine)[:6],
        "proj:bbox": list(geobox.extent.boundingbox.bbox),
    }


def _to_degrees(geobox: GeoBox) -> NDArray[np.float64]:
    """Return the outline as (point, 2) longitudes and latitudes, longitudes without a jump at 180."""
    outline = geobox.extent.geom
    west, south, east, north = outline.bounds
    dense = shapely.segmentize(outline, max(east - west, north - south) / _POINTS_PER_SIDE)
    to_degrees = Transformer.from_crs(str(geobox.crs), "EPSG:4326", always_xy=True)
    longitudes, latitudes = to_degrees.transform(*shapely.get_coordinates(dense).T)
    if not (np.isfinite(longitudes).all() and np.isfinite(latitudes).all()):
        raise LayerError(f"The layer's corners have no place on the globe in {geobox.crs}: check its CRS.")
    return np.column_stack([np.unwrap(longitudes, period=360), latitudes])


def close_over_pole(ring: NDArray[np.float64]) -> NDArray[np.float64]:
    """Lead a ring that went once around a pole over that pole, so that it encloses it in degrees too."""
    start, end = ring[0, 0], ring[-1, 0]
    if abs(end - start) < _HALF_TURN:
        return ring
    pole = np.copysign(90.0, ring[:, 1].mean())
    return np.vstack([ring, [[end, pole], [start, pole]]])


def cut_at_antimeridian(geometry: BaseGeometry) -> BaseGeometry:
    """Cut at the antimeridian, and bring what lies beyond it back onto the globe."""
    west, _, east, _ = geometry.bounds
    if west >= -180 and east <= 180:
        return geometry
    parts = [
        translate(geometry.intersection(shapely.box(turn - 180, -90, turn + 180, 90)), -turn) for turn in (-360, 0, 360)
    ]
    polygons = [part for part in shapely.get_parts(shapely.union_all(parts)) if part.area > 0]
    return polygons[0] if len(polygons) == 1 else shapely.MultiPolygon(polygons)
