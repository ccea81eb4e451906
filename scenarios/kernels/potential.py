"""Scores of the drivers that stand still: binned by value, looked up, added."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from scenarios.kernels.strips import LARGEST_SCORE

Values = NDArray[np.float32] | NDArray[np.uint8]


@njit(inline="always")
def _level(value: float, edges: NDArray[np.float32]) -> int:
    """Return 0 for a missing value, else 1 + the number of edges on or below it."""
    if np.isnan(value):
        return 0
    low, high = 0, edges.size
    while low < high:
        middle = (low + high) >> 1
        if edges[middle] <= value:
            low = middle + 1
        else:
            high = middle
    return low + 1


@njit(nogil=True, cache=True)
def levels(values: Values, edges: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return the level of each value, (n,) int64; 0 = missing."""
    out = np.empty(values.size, np.int64)
    for n in range(values.size):
        out[n] = _level(values[n], edges)
    return out


@njit(nogil=True, cache=True)
def add_curve(
    values: Values,
    edges: NDArray[np.float32],
    curves: NDArray[np.int16],
    block: tuple[int, int, int, int],
    out: NDArray[np.int16],
) -> None:
    """Add one driver's score to every transition's static score in one block.

    Parameters
    ----------
    values : (y, x) float32, NaN = missing; or uint8
    edges : (n,) float32, rising
    curves : (transition, n + 2) int16, score of each level
    out : (transition, y, x) int16, added to
    """
    level, low, high = 0, 1.0, 0.0  # the level of the cell before, and the edges around it
    for row in range(block[0], block[1]):
        for column in range(block[2], block[3]):
            value = float(values[row, column])
            # Beside each other most values are alike; a search by halves costs as much as all the rest.
            if not low <= value < high:
                level = _level(value, edges)
                low = float(edges[level - 2]) if level > 1 else -np.inf
                high = float(edges[level - 1]) if 0 < level <= edges.size else np.inf if level else -np.inf
            for t in range(curves.shape[0]):
                score = np.int64(out[t, row, column]) + np.int64(curves[t, level])
                out[t, row, column] = np.int16(min(max(score, -LARGEST_SCORE), LARGEST_SCORE))
