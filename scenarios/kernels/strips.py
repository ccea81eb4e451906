"""Strips: 64 cells of a row, and what they promise together, so that most cells need not be looked at.

What a strip promises a transition is either the sum of its cells' weights, ``exp(score / temperature)``, or, where
nothing is drawn, the highest score among them. Strips stand where they are for any block: a sum adds up the same cells
in the same order, and so has the same bytes.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from scenarios.kernels.draws import SCALE
from scenarios.kernels.windows import Int

STRIP = 64
"""Cells of a strip; blocks are cut between strips."""

LARGEST_SCORE = np.int64(31 * SCALE)
"""Scores are cut at 31 natural-log units, which keeps them in 16 bits and keys inside their histogram."""

NOTHING = -np.inf
"""What a strip promises that has no cell of the class, where the highest score counts."""

_MANTISSA_BITS = 24


def count_strips(width: int) -> int:
    """Return how many strips a row of cells has."""
    return -(-width // STRIP)


def weight_table(temperature: float) -> NDArray[np.float64]:
    """Return the weight of every score from the lowest to the highest, rounded to 24 bits.

    Rounding hides how each machine's `exp` rounds its last bit (a test checks that no value lies near a half).
    """
    scores = np.arange(-LARGEST_SCORE, LARGEST_SCORE + 1) / SCALE
    mantissa, exponent = np.frexp(np.exp(scores / temperature))
    return np.asarray(np.ldexp(np.rint(np.ldexp(mantissa, _MANTISSA_BITS)), exponent - _MANTISSA_BITS))


@njit(inline="always")
def weight_of(scores: NDArray[np.int16], slot: Int, row: Int, column: Int, weights: NDArray[np.float64]) -> float:
    """Return the weight of one cell for the transition in a slot; below slot 0 all cells are alike."""
    score = np.int64(scores[slot, row, column]) if slot >= 0 else np.int64(0)
    return float(weights[np.uint64(LARGEST_SCORE + score)])


@njit(nogil=True, cache=True)
def promise(
    land_cover: NDArray[np.uint8],
    source: int,
    scores: NDArray[np.int16],
    slot: int,
    weights: NDArray[np.float64],
    rows: tuple[int, int],
    out: NDArray[np.float64],
) -> None:
    """Say what the strips of some rows promise one transition.

    Parameters
    ----------
    land_cover : (y, x) uint8
    source : class that the transition leads out of
    scores : (slot, y, x) int16
    slot : of the transition; below 0: all cells are alike
    weights : of the scores, from `weight_table`; empty: the highest score counts
    rows : first and last (exclusive) row
    out : (y, strip) float64, written in ``rows``
    """
    for row in range(rows[0], rows[1]):
        out[row] = 0.0 if weights.size else NOTHING
        for column in range(land_cover.shape[1]):
            if land_cover[row, column] == source:
                if weights.size:
                    out[row, column // STRIP] += weight_of(scores, slot, row, column, weights)
                else:
                    score = float(scores[slot, row, column]) if slot >= 0 else 0.0
                    out[row, column // STRIP] = max(out[row, column // STRIP], score)


@njit(nogil=True, cache=True)
def renew(
    land_cover: NDArray[np.uint8],
    first_of: NDArray[np.int64],
    count_of: NDArray[np.int64],
    scores: NDArray[np.int16],
    weights: NDArray[np.float64],
    strips: NDArray[np.int64],
    out: NDArray[np.float64],
) -> None:
    """Say anew what some strips promise every transition.

    Parameters
    ----------
    first_of, count_of : (256,) int64, first transition out of each class, and how many there are
    scores : (slot, y, x) int16: slot k is the k-th transition out of the class that the cell has
    strips : (n,) int64, flat indices of strips
    out : (T, y, strip) float64, written in ``strips``
    """
    sums = np.empty(out.shape[0])
    for place in strips:
        row, strip = divmod(place, out.shape[2])
        sums[:] = 0.0 if weights.size else NOTHING
        column, last = strip * STRIP, min((strip + 1) * STRIP, land_cover.shape[1])
        while column < last:
            value, end = land_cover[row, column], column + 1
            while end < last and land_cover[row, end] == value:
                end += 1
            for k in range(count_of[value]):
                t = first_of[value] + k
                sums[t] = _add_cells(scores, k, row, column, end, weights, sums[t])
            column = end
        for t in range(sums.size):
            out[t, row, strip] = sums[t]


@njit(inline="always")
def _add_cells(
    scores: NDArray[np.int16], slot: Int, row: Int, first: Int, end: Int, weights: NDArray[np.float64], total: float
) -> float:
    """Add to what a strip promises what some cells of a class do, one after the other."""
    for column in range(first, end):
        if weights.size:
            total += weight_of(scores, slot, row, column, weights)
        else:
            total = max(total, float(scores[slot, row, column]))
    return total


@njit(nogil=True, cache=True)
def find_stale(stale: NDArray[np.uint8], rows: tuple[int, int]) -> NDArray[np.int64]:
    """Return the strips of some rows that hold a stale cell, (n,) int64, flat indices, rising.

    Parameters
    ----------
    stale : (y, x) uint8, non-zero where a cell is stale
    rows : first and last (exclusive) row
    """
    across = -(-stale.shape[1] // STRIP)
    found = np.empty((rows[1] - rows[0]) * across, np.int64)
    n = 0
    for row in range(rows[0], rows[1]):
        for strip in range(across):
            if is_any(stale, row, strip):
                found[n] = row * across + strip
                n += 1
    return found[:n]


@njit(inline="always")
def is_any(marks: NDArray[np.uint8], row: Int, strip: Int) -> bool:
    """Tell whether any cell of a strip is marked: all are read, for eight at once are faster than the first one."""
    some = np.uint8(0)
    for column in range(strip * STRIP, min((strip + 1) * STRIP, marks.shape[1])):
        some |= marks[row, column]
    return bool(some)
