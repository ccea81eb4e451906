"""Grids compared, measured and named: the CRS, size and place of cells."""

from __future__ import annotations

import numpy as np
from odc.geo.crs import CRS
from odc.geo.geobox import GeoBox

from datacommons.errors import InvalidRaster

_TOLERANCE_CELLS = 1e-3


def same_grid(one: GeoBox, other: GeoBox) -> bool:
    """Tell whether two grids have the same cells, to a thousandth of a cell."""
    if one.shape != other.shape or one.crs != other.crs:
        return False
    height, width = one.shape
    corners = [(0, 0), (width, 0), (0, height), (width, height)]
    shift = [~other.affine @ (one.affine @ corner) for corner in corners]
    return bool(np.allclose(shift, corners, rtol=0, atol=_TOLERANCE_CELLS))


def cell_size_m(geobox: GeoBox) -> float:
    """Return the edge of a square as large as a cell in the middle of a grid, in metres."""
    affine, crs = geobox.affine, geobox.crs
    if crs is None:
        raise InvalidRaster("The grid has no CRS, so the size of its cells is unknown.")
    if crs.projected:
        area = abs(affine.determinant) * crs.proj.axis_info[0].unit_conversion_factor ** 2
    else:
        row, column = geobox.shape.y // 2, geobox.shape.x // 2
        corners = [affine @ (column + x, row + y) for x, y in ((0, 0), (1, 0), (1, 1), (0, 1))]
        geod = crs.proj.get_geod()
        assert geod is not None  # a geographic CRS has an ellipsoid
        area = abs(geod.polygon_area_perimeter([x for x, _ in corners], [y for _, y in corners])[0])
    return float(np.sqrt(area))


def grid_name(geobox: GeoBox) -> str:
    """Name a grid in a message: its CRS and cell size."""
    width, height = abs(geobox.resolution.x), abs(geobox.resolution.y)
    return f"{crs_name(geobox.crs)} ({width:.4g} x {height:.4g})"


def crs_name(crs: CRS | None) -> str:
    """Name a CRS in a message: its code, or the name it was given."""
    if crs is None:
        return "no CRS"
    return f"EPSG:{crs.epsg}" if crs.epsg else str(crs.proj.name)
