"""Counting the cells of three maps by what class they have on each."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Map = NDArray[np.uint8]


@njit(nogil=True, cache=True)
def find_classes(initial: Map, observed: Map, simulated: Map) -> NDArray[np.bool_]:
    """Return which values occur, on any map, where all three have data, (256,) bool."""
    present = np.zeros(256, np.bool_)
    for row in range(initial.shape[0]):
        for column in range(initial.shape[1]):
            i, o, s = initial[row, column], observed[row, column], simulated[row, column]
            if i != 0 and o != 0 and s != 0:
                present[i] = present[o] = present[s] = True
    return present


@njit(nogil=True, cache=True)
def count_triples(
    initial: Map, observed: Map, simulated: Map, place: NDArray[np.int64], count: NDArray[np.int64]
) -> None:
    """Count the cells where all three maps have data.

    Parameters
    ----------
    initial, observed, simulated : (y, x) uint8, 0 = no data
    place : (256,) int64, where a class stands in the count
    count : (class, class, class) int64, initial, observed and simulated; added to
    """
    for row in range(initial.shape[0]):
        for column in range(initial.shape[1]):
            i, o, s = initial[row, column], observed[row, column], simulated[row, column]
            if i != 0 and o != 0 and s != 0:
                count[place[i], place[o], place[s]] += 1
