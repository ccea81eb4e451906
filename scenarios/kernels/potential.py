"""Scores of the drivers that stand still: binned by value, looked up, added."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from scenarios.kernels.strips import LARGEST_SCORE

Values = NDArray[np.float32] | NDArray[np.uint8]

_BINS = 2048  # equal ones from the first edge to the last: most hold no edge, so that the bin tells the level
_MISSING = np.int32(_BINS)
_SEARCHED = np.int32(-1)  # level of a bin that holds edges
_LARGEST = np.int32(LARGEST_SCORE)


@njit(inline="always")
def _bin_of(value: np.float32, first: np.float32, scale: np.float32) -> np.int32:
    """Return the bin of a value; however it is rounded, none lies before that of a lower value."""
    place = (value - first) * scale
    place = min(max(np.float32(0.0), place), np.float32(_BINS - 1))
    return np.int32(place) if value == value else _MISSING  # NaN is not itself


@njit(nogil=True, cache=True)
def find_levels(
    values: Values, edges: NDArray[np.float32], block: tuple[int, int, int, int], out: NDArray[np.uint16]
) -> None:
    """Find the level of each value in one block: 0 = missing, else 1 + the number of edges on or below it.

    Parameters
    ----------
    values : (y, x) float32, NaN = missing; or uint8
    edges : (n,) float32, rising
    block : first row, last row, first column, last column (exclusive ends)
    out : (y, x) uint16 of the block, written
    """
    first = edges[0] if edges.size else np.float32(0.0)
    span = edges[edges.size - 1] - first if edges.size else np.float32(0.0)
    scale = np.float32(_BINS) / span if span > 0 else np.float32(0.0)
    below, told = np.zeros(_BINS + 1, np.int32), np.zeros(_BINS + 1, np.int32)
    for edge in edges:
        below[_bin_of(edge, first, scale) + 1] += 1
    for place in range(_BINS):
        below[place + 1] += below[place]  # edges in the bins before
        told[place] = below[place] + 1 if below[place] == below[place + 1] else _SEARCHED
    bins = np.empty(block[3] - block[2], np.int32)
    for row in range(block[0], block[1]):
        # A loop of its own, of sums and products alone: several values are worked on at once.
        for n in range(bins.size):
            bins[n] = _bin_of(np.float32(values[row, block[2] + n]), first, scale)
        for n in range(bins.size):
            level = told[bins[n]]
            if level == _SEARCHED:
                value, low, high = values[row, block[2] + n], below[bins[n]], below[bins[n] + 1]
                while low < high:
                    middle = (low + high) >> 1
                    if edges[middle] <= value:
                        low = middle + 1
                    else:
                        high = middle
                level = low + 1
            out[row - block[0], n] = level


def levels(values: Values, edges: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return the level of each value, (n,) int64; 0 = missing."""
    out = np.empty((1, values.size), np.uint16)
    find_levels(values[None], edges, (0, 1, 0, values.size), out)
    return np.asarray(out[0], np.int64)


@njit(nogil=True, cache=True)
def add_curves(
    levels: NDArray[np.uint16],
    curves: NDArray[np.int16],
    starts: NDArray[np.int64],
    block: tuple[int, int, int, int],
    out: NDArray[np.int16],
) -> None:
    """Add the drivers' scores to every transition's static score in one block; what passes the largest is cut.

    Parameters
    ----------
    levels : (driver, y, x) uint16, of the block, from `find_levels`
    curves : (transition, n) int16, scores of the levels of one driver after the other
    starts : (driver,) int64, where each driver's begin
    block : first row, last row, first column, last column (exclusive ends)
    out : (transition, y, x) int16, added to
    """
    total = np.empty(block[3] - block[2], np.int32)
    for row in range(block[0], block[1]):
        for t in range(curves.shape[0]):
            scores = out[t, row, block[2] : block[3]]
            total[:] = scores
            for d in range(levels.shape[0]):
                start = np.uint64(starts[d])
                for n in range(total.size):
                    total[n] += np.int32(curves[t, start + np.uint64(levels[d, row - block[0], n])])
            for n in range(total.size):
                scores[n] = min(max(total[n], -_LARGEST), _LARGEST)
