"""From one projection to another: bounds and cells."""

from __future__ import annotations

import math
from functools import lru_cache

from morecantile import tms
from pyproj import Transformer
from rasterio._err import CPLE_BaseError
from rasterio.errors import RasterioError
from rasterio.warp import transform_bounds

from tiles.reading.view import Bounds


@lru_cache(maxsize=64)
def name_crs(matrix_set: str) -> str:
    """Return the CRS of a tile matrix set, as WKT or authority code."""
    name: str = tms.get(matrix_set).rasterio_crs.to_string()
    return name


@lru_cache(maxsize=256)
def project_bounds(source: str, target: str, bounds: Bounds) -> Bounds:
    """Return bounds in another CRS; infinite where they cannot be told."""
    try:
        projected: Bounds = transform_bounds(source, target, *bounds, densify_pts=21)
    except (RasterioError, CPLE_BaseError):
        return math.inf, math.inf, math.inf, math.inf
    return projected


@lru_cache(maxsize=256)
def project_cell(source: str, target: str, bounds: Bounds, columns: int) -> float:
    """Return the side in another CRS of a cell in the middle of a raster; that of the raster where it has none."""
    left, bottom, right, top = bounds
    middle, cell = ((left + right) / 2, (bottom + top) / 2), (right - left) / columns
    x, y = Transformer.from_crs(source, target, always_xy=True).transform(
        [middle[0], middle[0] + cell, middle[0]], [middle[1], middle[1], middle[1] + cell]
    )
    area = abs((x[1] - x[0]) * (y[2] - y[0]) - (x[2] - x[0]) * (y[1] - y[0]))
    return math.sqrt(area) if math.isfinite(area) and area > 0 else cell
