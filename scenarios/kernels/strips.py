"""Strips: 64 cells of a row, and what they promise together, so that most cells need not be looked at.

What a strip promises a transition is either the sum of its cells' weights, ``exp(score / temperature)``, or, where
nothing is drawn, a score that none of its cells passes. Weights are integers: a sum of them is followed cell by cell as
scores change, in any order, and stays exact.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from scenarios.kernels.draws import SCALE
from scenarios.kernels.windows import Int

STRIP = 64
"""Cells of a strip; blocks are cut between strips."""

LARGEST_SCORE = np.int64(31 * SCALE)
"""Scores are cut at 31 natural-log units, which keeps them in 16 bits and keys inside their histogram."""

NOTHING = np.int64(-(1 << 40))
"""What a strip promises that has no cell of the class, where the highest score counts."""

_SPAN = 2 * LARGEST_SCORE  # a score cannot lie further below a ceiling
_WEIGHT_BITS = 56  # of the largest weight: those of a whole strip add up in 63
_MANTISSA_BITS = 24


class Promises(NamedTuple):
    """What all strips promise all modelled transitions. Shapes: T transitions."""

    weights: NDArray[np.int64]  # from `weight_table`; empty: nothing is drawn, and the highest score counts
    ceilings: NDArray[np.int64]  # (T,) what no score of a transition passes; its weight is the largest
    promised: NDArray[np.int64]  # (y, strip, T)


def count_strips(width: int) -> int:
    """Return how many strips a row of cells has."""
    return -(-width // STRIP)


def weight_table(temperature: float) -> NDArray[np.int64]:
    """Return the weights of scores by how far they lie below their ceiling, the furthest first, as integers.

    The largest is ``2**56``; one that is smaller than ``2**-56`` of it counts as that, so that no cell is without hope.
    Rounding to 24 bits hides how each machine's `exp` rounds its last bit (a test checks that no value lies near a
    half).
    """
    below = np.arange(-_SPAN, 1) / SCALE
    weights = np.rint(np.ldexp(_round(np.exp(below / temperature)), _WEIGHT_BITS))
    return np.maximum(weights, 1).astype(np.int64)


def unit_weights(ceilings: NDArray[np.int64], temperature: float) -> NDArray[np.float64]:
    """Return what a weight of 1 stands for below each ceiling, (T,) float64, in ``exp(score / temperature)``."""
    return np.ldexp(_round(np.exp(ceilings / SCALE / temperature)), -_WEIGHT_BITS)


def _round(values: NDArray[np.float64]) -> NDArray[np.float64]:
    mantissa, exponent = np.frexp(values)
    return np.asarray(np.ldexp(np.rint(np.ldexp(mantissa, _MANTISSA_BITS)), exponent - _MANTISSA_BITS))


@njit(inline="always")
def weight_of(score: Int, ceiling: Int, weights: NDArray[np.int64]) -> Int:
    """Return the weight of a score."""
    return np.int64(weights[np.uint64(np.int64(score) - np.int64(ceiling) + _SPAN)])


@njit(inline="always")
def score_of(scores: NDArray[np.int16], slot: Int, row: Int, column: Int) -> Int:
    """Return the score of one cell in a slot; 0 below slot 0, where all cells are alike."""
    return np.int64(scores[row, column, slot]) if slot >= 0 else np.int64(0)


@njit(inline="always")
def add_promise(total: Int, score: Int, ceiling: Int, weights: NDArray[np.int64]) -> Int:
    """Return what a strip promises that has one more cell."""
    return total + weight_of(score, ceiling, weights) if weights.size else max(total, np.int64(score))


@njit(inline="always")
def move_promise(
    promised: NDArray[np.int64],
    row: Int,
    strip: Int,
    t: Int,
    before: Int,
    after: Int,
    ceiling: Int,
    weights: NDArray[np.int64],
) -> None:
    """Let the score of one cell of a strip change.

    Where the highest score counts, it may then be less than what is promised; that is mended when the strip is next
    looked through.
    """
    if weights.size:
        change = weight_of(after, ceiling, weights) - weight_of(before, ceiling, weights)
        promised[row, strip, t] += change
    elif after > promised[row, strip, t]:
        promised[row, strip, t] = after


@njit(nogil=True, cache=True)
def promise(
    land_cover: NDArray[np.uint8],
    source: int,
    scores: NDArray[np.int16],
    slot: int,
    ceiling: int,
    weights: NDArray[np.int64],
    rows: tuple[int, int],
    out: NDArray[np.int64],
) -> None:
    """Say what the strips of some rows promise one transition.

    Parameters
    ----------
    land_cover : (y, x) uint8
    source : class that the transition leads out of
    scores : (y, x, slot) int16
    slot : of the transition; below 0: all cells are alike
    ceiling : that none of its scores passes
    weights : of the scores, from `weight_table`; empty: the highest score counts
    rows : first and last (exclusive) row
    out : (y, strip) int64, written in ``rows``
    """
    for row in range(rows[0], rows[1]):
        out[row] = 0 if weights.size else NOTHING
        for column in range(land_cover.shape[1]):
            if land_cover[row, column] == source:
                score = score_of(scores, slot, row, column)
                out[row, column // STRIP] = add_promise(out[row, column // STRIP], score, ceiling, weights)


@njit(nogil=True, cache=True)
def renew(
    land_cover: NDArray[np.uint8],
    first_of: NDArray[np.int64],
    count_of: NDArray[np.int64],
    scores: NDArray[np.int16],
    promises: Promises,
    strips: NDArray[np.int64],
) -> None:
    """Say anew what some strips promise every transition.

    Parameters
    ----------
    first_of, count_of : (256,) int64, first transition out of each class, and how many there are
    scores : (y, x, slot) int16: slot k is the k-th transition out of the class that the cell has
    promises : written in ``strips``
    strips : (n,) int64, flat indices of strips
    """
    weights, ceilings, promised = promises
    for place in strips:
        row, strip = divmod(place, promised.shape[1])
        promised[row, strip] = 0 if weights.size else NOTHING
        for column in range(strip * STRIP, min((strip + 1) * STRIP, land_cover.shape[1])):
            value = land_cover[row, column]
            for k in range(count_of[value]):
                t = first_of[value] + k
                score = scores[row, column, k]
                promised[row, strip, t] = add_promise(promised[row, strip, t], score, ceilings[t], weights)


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
