"""Grids compared and named: the CRS, size and place of cells."""

from __future__ import annotations

import numpy as np
from odc.geo.crs import CRS
from odc.geo.geobox import GeoBox

_TOLERANCE_CELLS = 1e-3


def same_grid(one: GeoBox, other: GeoBox) -> bool:
    """Tell whether two grids have the same cells, to a thousandth of a cell."""
    if one.shape != other.shape or one.crs != other.crs:
        return False
    height, width = one.shape
    corners = [(0, 0), (width, 0), (0, height), (width, height)]
    shift = [~other.affine @ (one.affine @ corner) for corner in corners]
    return bool(np.allclose(shift, corners, rtol=0, atol=_TOLERANCE_CELLS))


def grid_name(geobox: GeoBox) -> str:
    """Name a grid in a message: its CRS and cell size."""
    width, height = abs(geobox.resolution.x), abs(geobox.resolution.y)
    return f"{crs_name(geobox.crs)} ({width:.4g} x {height:.4g})"


def crs_name(crs: CRS | None) -> str:
    """Name a CRS in a message: its code, or the name it was given."""
    if crs is None:
        return "no CRS"
    return f"EPSG:{crs.epsg}" if crs.epsg else str(crs.proj.name)
