"""Counting, over members, how often a cell has a class."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(nogil=True, cache=True)
def tally(land_cover: NDArray[np.uint8], index: NDArray[np.int64], counts: NDArray[np.uint8]) -> None:
    """Add one member's map to the counts.

    Parameters
    ----------
    land_cover : (y, x) uint8
    index : (256,) int64, row of each legend value in ``counts``, below 0 for none
    counts : (class, y, x) uint8, added to
    """
    for row in range(land_cover.shape[0]):
        for column in range(land_cover.shape[1]):
            place = index[land_cover[row, column]]
            if place >= 0:
                counts[place, row, column] += 1
