"""Which cells of a grid lie in a polygon, and how large they are: the engine's own answer, for a window of the grid."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from affine import Affine
from odc.geo.geobox import GeoBox
from rasterio.features import geometry_mask
from rasterio.windows import Window

from scenarios.grid import Grid
from tiles.reading.statistics import Place


def survey(geobox: GeoBox, geometry: Mapping[str, Any], most_cells: int) -> Place:
    """Find the cells that have their centre in a polygon, without looking at the rest of the grid.

    Parameters
    ----------
    geobox : GeoBox
    geometry : mapping
        GeoJSON, WGS 84.
    most_cells : int
        Of the rectangle around the polygon.

    Raises
    ------
    ValueError
        If it is no GeoJSON geometry, or does not touch the grid.
    OverflowError
        If the rectangle has too many cells.
    """
    grid = Grid(geobox)
    projected = grid.project(dict(geometry))
    if not all(math.isfinite(edge) for edge in projected.bounds):
        raise ValueError("it does not lie on the landscape's projection")
    window = _window(geobox, projected.bounds)
    if window.width * window.height > most_cells:
        raise OverflowError(
            f"its rectangle has {window.width * window.height:,} cells, and {most_cells:,} are the most"
        )
    rows, columns = window.toslices()
    transform = geobox.transform @ Affine.translation(window.col_off, window.row_off)
    inside = geometry_mask([projected], (window.height, window.width), transform, invert=True)
    return Place(rows, columns, inside, grid.row_weight[rows], grid.weight_ha)


def _window(geobox: GeoBox, bounds: tuple[float, float, float, float]) -> Window:
    corners = [~geobox.transform @ (x, y) for x in bounds[::2] for y in bounds[1::2]]
    columns, rows = zip(*corners, strict=True)
    left, right = (min(max(edge, 0), geobox.shape.x) for edge in (math.floor(min(columns)), math.ceil(max(columns))))
    top, bottom = (min(max(edge, 0), geobox.shape.y) for edge in (math.floor(min(rows)), math.ceil(max(rows))))
    if left >= right or top >= bottom:
        raise ValueError("it lies outside the landscape")
    return Window(left, top, right - left, bottom - top)
