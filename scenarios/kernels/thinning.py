"""Thinning: of many cells, those with small draws."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from scenarios.kernels.draws import uniform


@njit(nogil=True, cache=True)
def pick(
    mask: NDArray[np.bool_], first: int, key: np.uint64, highest: float, by_row: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the cells of a mask whose draws lie below a bound.

    Parameters
    ----------
    mask : (y, x) bool, some rows of a map
    first : row of the map that the first of them is
    key : of the draws
    highest : the bound
    by_row : (y,) int64 of the map; the cells of the mask in each row are added

    Returns
    -------
    (n,) int64, flat indices on the map, rising; (n,) float64, their draws
    """
    height, width = mask.shape
    cells, chance, found = np.empty(mask.size, np.int64), np.empty(mask.size, np.float64), 0
    for row in range(height):
        count = 0
        for column in range(width):
            if mask[row, column]:
                count += 1
                drawn = uniform(key, first + row, column)
                if drawn < highest:
                    cells[found], chance[found] = (first + row) * width + column, drawn
                    found += 1
        by_row[first + row] += count
    return cells[:found].copy(), chance[:found].copy()
