"""Counting, over members, how often a cell has a class."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(nogil=True, cache=True)
def tally(land_cover: NDArray[np.uint8], values: NDArray[np.uint8], counts: NDArray[np.uint8]) -> None:
    """Add one member's map to the counts.

    Parameters
    ----------
    land_cover : (y, x) uint8
    values : (class,) uint8, legend value of each row of ``counts``
    counts : (class, y, x) uint8, added to
    """
    for row in range(land_cover.shape[0]):
        for n in range(values.size):
            for column in range(land_cover.shape[1]):
                counts[n, row, column] += np.uint8(land_cover[row, column] == values[n])
