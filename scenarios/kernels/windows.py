"""Neighbourhoods: how many cells of a class lie in the square window around each cell."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Int = int | np.int64 | np.int16
"""A signed integer, in Python or in a kernel."""

Count = int | np.uint8 | np.uint16 | np.int64
"""Cells of a window."""

Counts = NDArray[np.uint8] | NDArray[np.uint16]
"""The same of many; eight bits hold those of windows of up to 15 x 15 cells."""


@njit(nogil=True, cache=True)
def count_window(land_cover: NDArray[np.uint8], value: int, radius: int, rows: tuple[int, int], out: Counts) -> None:
    """Count cells of one class in the (2 radius + 1)² window around each cell, by running sums.

    Parameters
    ----------
    land_cover : (y, x) uint8, legend values
    value : the class to count; -1 counts every cell that is not 0
    rows : first and last (exclusive) row to fill, so that blocks of rows can be filled side by side
    out : (y, x) uint8 or uint16, written in ``rows``
    """
    height, width = land_cover.shape
    first, last = rows
    column = np.zeros(width, np.int32)
    for row in range(max(0, first - radius), min(height, first + radius)):
        for x in range(width):
            column[x] += is_of(land_cover[row, x], value)
    for row in range(first, last):
        if row + radius < height:
            for x in range(width):
                column[x] += is_of(land_cover[row + radius, x], value)
        if row - radius - 1 >= max(0, first - radius):
            for x in range(width):
                column[x] -= is_of(land_cover[row - radius - 1, x], value)
        slide(column, radius, out[row])


@njit(inline="always")
def slide(column: NDArray[np.int32], radius: int, out: Counts) -> None:
    """Add up each window's columns along one row."""
    width = column.size
    total = 0
    for x in range(min(radius, width)):
        total += column[x]
    for x in range(width):
        if x + radius < width:
            total += column[x + radius]
        if x - radius - 1 >= 0:
            total -= column[x - radius - 1]
        out[x] = total


@njit(inline="always")
def is_of(cell: int, value: int) -> int:
    """Tell whether a cell is of a class, 1 or 0; below 0, whether it has data."""
    return int(cell != 0) if value < 0 else int(cell == value)


@njit(nogil=True, cache=True)
def move_counts(
    counts: Counts,
    radii: NDArray[np.int64],
    values: NDArray[np.int64],
    cells: NDArray[np.int64],
    sources: NDArray[np.uint8],
    targets: NDArray[np.uint8],
    stale: NDArray[np.uint8],
) -> None:
    """Update window counts around the cells that changed class, and mark what lies in their windows.

    Parameters
    ----------
    counts : (y, x, window) uint8 or uint16, changed in place
    radii, values : (window,) radius in cells and class of each window
    cells : (n,) flat indices of the changed cells
    sources, targets : (n,) uint8, class before and after
    stale : (y, x) uint8, set to 1 in the windows and in the changed cells themselves
    """
    height, width = stale.shape
    widest = radii.max() if radii.size else 0
    for cell in cells:
        row, column = divmod(cell, width)
        stale[max(0, row - widest) : row + widest + 1, max(0, column - widest) : column + widest + 1] = 1
    for w in range(radii.size):
        radius = radii[w]
        for n in range(cells.size):
            change = int(targets[n] == values[w]) - int(sources[n] == values[w])
            if change == 0:
                continue
            row, column = divmod(cells[n], width)
            for y in range(max(0, row - radius), min(height, row + radius + 1)):
                for x in range(max(0, column - radius), min(width, column + radius + 1)):
                    counts[y, x, w] = np.int64(counts[y, x, w]) + change


@njit(inline="always")
def share_level(count: Count, valid: Count, size: Int, shift: Int) -> np.uint64:
    """Return the row of a share's look-up table: the count, scaled up where part of the window has no data."""
    share, seen, whole = np.uint64(count), np.uint64(valid), np.uint64(size)
    if seen != whole:
        share = (share * whole + (seen >> np.uint64(1))) // max(seen, np.uint64(1))
    return share >> np.uint64(shift)


@njit(nogil=True, cache=True)
def share_levels(counts: Counts, valid: Counts, size: int, shift: int, cells: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return `share_level` of the given cells (flat indices)."""
    out = np.empty(cells.size, np.int64)
    width = counts.shape[1]
    for n in range(cells.size):
        row, column = divmod(cells[n], width)
        out[n] = share_level(counts[row, column], valid[row, column], size, shift)
    return out
