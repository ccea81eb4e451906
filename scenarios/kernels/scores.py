"""Scores: what a cell's drivers and neighbourhood say of each transition out of its class, before any draw.

Between two years a score changes only near what changed, so it is kept and computed anew only there.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from scenarios.kernels.draws import SCALE
from scenarios.kernels.strips import LARGEST_SCORE, STRIP, Promises, is_any, move_promise
from scenarios.kernels.windows import Counts, Int, share_level


class Tables(NamedTuple):
    """A compiled potential. Shapes: T transitions, W windows, R radii."""

    first_of: NDArray[np.int64]  # (256,) first transition out of each class
    count_of: NDArray[np.int64]  # (256,) how many transitions lead out of each class
    static: NDArray[np.int16]  # (T, y, x) score of the drivers that stand still
    curves: NDArray[np.int16]  # (W, level, T) score of a window's share, transitions out of one class side by side
    used: NDArray[np.bool_]  # (W,) whether a window matters to any transition
    radius_of: NDArray[np.int64]  # (W,) row in `sizes`, `shifts` and the valid counts
    sizes: NDArray[np.int64]  # (R,) cells of a full window
    shifts: NDArray[np.int64]  # (R,) bits dropped from a count before it is looked up


@njit(nogil=True, cache=True)
def rescore(
    tables: Tables,
    land_cover: NDArray[np.uint8],
    counts: Counts,
    valid: Counts,
    stale: NDArray[np.uint8],
    rows: tuple[int, int],
    scores: NDArray[np.int16],
) -> None:
    """Compute the scores of the stale cells anew.

    Parameters
    ----------
    land_cover : (y, x) uint8
    counts : (y, x, W) uint8 or uint16, cells of a class in each window
    valid : (R, y, x) uint8 or uint16, cells with data in each window
    stale : (y, x) uint8, non-zero where to compute; cleared
    rows : first and last (exclusive) row to look at
    scores : (y, x, K) int16, written: slot k is the k-th transition out of the class that the cell has
    """
    # Arrays taken out of the tuple once: inside the loops each access would count its references.
    first_of, count_of, static, curves, used, radius_of, sizes, shifts = tables
    windows, look_up, levels = np.flatnonzero(used), np.empty(used.size, np.uint64), np.uint64(curves.shape[1])
    flat, depth = curves.ravel(), np.uint64(curves.shape[2])
    for row in range(rows[0], rows[1]):
        for strip in range(-(-stale.shape[1] // STRIP)):
            for column in range(*_reach(stale, row, strip)):
                if stale[row, column]:
                    stale[row, column] = 0
                    first, count = first_of[land_cover[row, column]], count_of[land_cover[row, column]]
                    if count:
                        find_places(
                            levels, depth, radius_of, sizes, shifts, windows, counts, valid, row, column, first, look_up
                        )
                    for k in range(count):
                        score = add_up(flat, look_up, windows.size, k, static[first + k, row, column])
                        scores[row, column, k] = score


@njit(nogil=True, cache=True)
def rescore_cells(
    tables: Tables,
    land_cover: NDArray[np.uint8],
    counts: Counts,
    valid: Counts,
    cells: NDArray[np.int64],
    scores: NDArray[np.int16],
    promises: Promises,
) -> None:
    """Compute the scores of some cells, (n,) int64, flat indices, anew, and change what their strips promise.

    Other parameters are those of `rescore`.
    """
    # Arrays taken out of the tuples once: inside the loops each access would count its references.
    first_of, count_of, static, curves, used, radius_of, sizes, shifts = tables
    weights, ceilings, promised = promises
    windows, look_up, levels = np.flatnonzero(used), np.empty(used.size, np.uint64), np.uint64(curves.shape[1])
    flat, depth = curves.ravel(), np.uint64(curves.shape[2])
    for cell in cells:
        row, column = divmod(cell, land_cover.shape[1])
        first, count = first_of[land_cover[row, column]], count_of[land_cover[row, column]]
        if count:
            find_places(levels, depth, radius_of, sizes, shifts, windows, counts, valid, row, column, first, look_up)
        for k in range(count):
            before, t = scores[row, column, k], first + k
            after = add_up(flat, look_up, windows.size, k, static[t, row, column])
            scores[row, column, k] = after
            move_promise(promised, row, column // STRIP, t, before, after, ceilings[t], weights)


@njit(inline="always")
def find_places(
    levels: np.uint64,
    depth: np.uint64,
    radius_of: NDArray[np.int64],
    sizes: NDArray[np.int64],
    shifts: NDArray[np.int64],
    windows: NDArray[np.int64],
    counts: Counts,
    valid: Counts,
    row: Int,
    column: Int,
    first: Int,
    out: NDArray[np.uint64],
) -> None:
    """Find where the curves of a cell's windows are looked up, once for all transitions out of its class.

    Unsigned indices spare the check whether one counts from the end.
    """
    for n in range(windows.size):
        w, r = windows[n], radius_of[windows[n]]
        level = share_level(counts[row, column, w], valid[r, row, column], sizes[r], shifts[r])
        out[n] = (np.uint64(w) * levels + level) * depth + np.uint64(first)


@njit(inline="always")
def add_up(flat: NDArray[np.int16], places: NDArray[np.uint64], windows: int, k: Int, static: Int) -> np.int16:
    """Return a score: that of the drivers, and those of the windows, cut at the largest."""
    total = np.int64(static)
    for n in range(windows):
        total += flat[places[n] + np.uint64(k)]
    return np.int16(min(max(total, -LARGEST_SCORE), LARGEST_SCORE))


@njit(inline="always")
def _reach(stale: NDArray[np.uint8], row: int, strip: int) -> tuple[int, int]:
    """Return the first and the last (exclusive) column of a strip; none of it where no cell is stale."""
    first = strip * STRIP
    return first, min(first + STRIP, stale.shape[1]) if is_any(stale, row, strip) else first


ODDS_ONE = 1 << 16
"""Fixed-point one of `odds_table`."""

_MOST_ODDS = np.int64(8 * SCALE)  # at 8 natural-log units the sum over a billion cells still fits 64 bits


def odds_table() -> NDArray[np.int64]:
    """Return the odds of every score from -8 to 8 natural-log units, as integers that add up in any order."""
    scores = np.arange(-_MOST_ODDS, _MOST_ODDS + 1) / SCALE
    return np.asarray(np.rint(np.exp(scores) * ODDS_ONE), np.int64)


@njit(nogil=True, cache=True)
def sum_odds(
    land_cover: NDArray[np.uint8],
    source: int,
    kept: NDArray[np.bool_],
    scores: NDArray[np.int16],
    table: NDArray[np.int64],
) -> tuple[np.int64, np.int64]:
    """Add up the odds of one transition over a class.

    Parameters
    ----------
    land_cover : (y, x) uint8
    source : the class
    kept : (y, x) bool
    scores : (y, x) int16, of the transition
    table : from `odds_table`

    Returns
    -------
    int, int: over the kept cells, and over all cells of the class
    """
    held = everywhere = np.int64(0)
    for row in range(land_cover.shape[0]):
        for column in range(land_cover.shape[1]):
            if land_cover[row, column] == source:
                score = np.int64(scores[row, column])
                odds = table[min(max(score, -_MOST_ODDS), _MOST_ODDS) + _MOST_ODDS]
                everywhere += odds
                held += odds if kept[row, column] else 0
    return held, everywhere
