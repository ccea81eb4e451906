"""Terrain: what a layer of heights says of slope, aspect, position, roughness and wetness.

Every function takes heights in metres, (y, x) float32 with NaN = missing, and returns the same; a cell without a height
has no value. Cells are as large as the grid's middle cell. At the grid's edge the slope goes on as it came.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter, minimum_filter, uniform_filter

from scenarios.grid import Grid
from scenarios.kernels.drainage import accumulate, drain

Heights = NDArray[np.float32]

_GENTLEST = 0.001  # tangent; on a level plain the wetness would be infinite
_CENTIMETRE = 0.01
_MOST_STEPS = 1_000_000  # of height, each of which has its queue
_MILLIMETRES = 3  # decimals: below them lies the rounding of running sums


def slope(heights: Heights, grid: Grid) -> Heights:
    """Return the steepest slope in degrees, by Horn's weights.

    References
    ----------
    Horn 1981, doi:10.1109/PROC.1981.11918
    """
    north, east = _rise(heights, grid)
    return np.degrees(np.arctan(np.hypot(north, east))).astype(np.float32)


def northness(heights: Heights, grid: Grid) -> Heights:
    """Return the cosine of the aspect: 1 where a slope faces north, -1 south, 0 east, west or level."""
    north, east = _rise(heights, grid)
    return _share(-north, np.hypot(north, east))


def eastness(heights: Heights, grid: Grid) -> Heights:
    """Return the sine of the aspect: 1 where a slope faces east, -1 west, 0 north, south or level."""
    north, east = _rise(heights, grid)
    return _share(-east, np.hypot(north, east))


def position(heights: Heights, grid: Grid, radius_m: float) -> Heights:
    """Return the topographic position index: metres above the mean of the square window around.

    References
    ----------
    Guisan, Weiss and Weiss 1999, doi:10.1023/A:1009841519580
    """
    size = 2 * grid.cells(radius_m) + 1
    known = np.isfinite(heights)
    total = uniform_filter(np.where(known, heights, 0).astype(np.float64), size, mode="constant")
    share = uniform_filter(known.astype(np.float64), size, mode="constant")
    mean = np.divide(total, share, out=np.full(heights.shape, np.nan), where=known)
    return np.asarray(np.round(heights - mean, _MILLIMETRES), np.float32)


def roughness(heights: Heights) -> Heights:
    """Return the difference between the highest and the lowest of the 3 x 3 cells around, in metres.

    References
    ----------
    Wilson et al. 2007, doi:10.1080/01490410701295962
    """
    known = np.isfinite(heights)
    highest = maximum_filter(np.where(known, heights, -np.inf), 3, mode="nearest")
    lowest = minimum_filter(np.where(known, heights, np.inf), 3, mode="nearest")
    return np.where(known, highest - lowest, np.nan).astype(np.float32)


def wetness(heights: Heights, grid: Grid) -> Heights:
    """Return the topographic wetness index: logarithm of the area that drains through a metre of a cell, by slope.

    Notes
    -----
    ``ln(a / tan β)`` with the area ``a`` in m² per m of the cell's edge. Hollows are filled, and each cell drains to
    its steepest neighbour; water leaves at the edge and where heights are missing. A slope below 0.001 counts as that.

    References
    ----------
    Beven and Kirkby 1979, doi:10.1080/02626667909491834
    """
    known = np.isfinite(heights)
    if not known.any():
        return np.full(heights.shape, np.nan, np.float32)
    lowest, highest = float(heights[known].min()), float(heights[known].max())
    step = max(_CENTIMETRE, (highest - lowest) / _MOST_STEPS)
    levels = np.rint((np.where(known, heights, lowest) - lowest) / step).astype(np.int64)
    order, receiver, _ = drain(levels, ~known)
    height, width = grid.cell_edges_m
    area = accumulate(order, receiver).reshape(heights.shape) * np.sqrt(height * width)
    tangent = np.maximum(np.hypot(*_rise(heights, grid)), _GENTLEST)
    return np.where(known, np.log(area / tangent), np.nan).astype(np.float32)


def _rise(heights: Heights, grid: Grid) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the rise towards north and towards east, in metres a metre; NaN beside missing heights."""
    height, width = grid.cell_edges_m
    wide = np.pad(heights.astype(np.float64), 1, mode="reflect", reflect_type="odd")
    smooth, rise = wide[:-2] + 2 * wide[1:-1] + wide[2:], wide[:-2] - wide[2:]
    east = (smooth[:, 2:] - smooth[:, :-2]) / (8 * width)
    north = (rise[:, :-2] + 2 * rise[:, 1:-1] + rise[:, 2:]) / (8 * height)
    north[np.isnan(heights)] = np.nan  # the middle cell itself has no weight
    return north, east


def _share(part: NDArray[np.float64], whole: NDArray[np.float64]) -> Heights:
    return np.divide(part, whole, out=np.where(np.isfinite(whole), 0.0, np.nan), where=whole > 0).astype(np.float32)
