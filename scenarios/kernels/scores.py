"""Scores: what a cell's drivers and neighbourhood say of each transition out of its class, before any draw.

Between two years a score changes only near what changed, so it is kept and computed anew only there.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from scenarios.kernels.draws import SCALE
from scenarios.kernels.strips import LARGEST_SCORE, STRIP, is_any
from scenarios.kernels.windows import Int, share_level


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
    counts: NDArray[np.uint16],
    valid: NDArray[np.uint16],
    stale: NDArray[np.uint8],
    rows: tuple[int, int],
    scores: NDArray[np.int16],
) -> None:
    """Compute the scores of the stale cells anew.

    Parameters
    ----------
    land_cover : (y, x) uint8
    counts : (W, y, x) uint16, cells of a class in each window
    valid : (R, y, x) uint16, cells with data in each window
    stale : (y, x) uint8, non-zero where to compute; cleared
    rows : first and last (exclusive) row to look at
    scores : (K, y, x) int16, written: row k is the k-th transition out of the class that the cell has
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
                    _score_cell(
                        first_of,
                        count_of,
                        static,
                        flat,
                        levels,
                        depth,
                        radius_of,
                        sizes,
                        shifts,
                        windows,
                        look_up,
                        land_cover,
                        counts,
                        valid,
                        row,
                        column,
                        scores,
                    )


@njit(nogil=True, cache=True)
def rescore_cells(
    tables: Tables,
    land_cover: NDArray[np.uint8],
    counts: NDArray[np.uint16],
    valid: NDArray[np.uint16],
    cells: NDArray[np.int64],
    scores: NDArray[np.int16],
) -> None:
    """Compute the scores of some cells, (n,) int64, flat indices, anew; see `rescore`."""
    # Arrays taken out of the tuple once: inside the loops each access would count its references.
    first_of, count_of, static, curves, used, radius_of, sizes, shifts = tables
    windows, look_up, levels = np.flatnonzero(used), np.empty(used.size, np.uint64), np.uint64(curves.shape[1])
    flat, depth = curves.ravel(), np.uint64(curves.shape[2])
    for cell in cells:
        row, column = divmod(cell, land_cover.shape[1])
        _score_cell(
            first_of,
            count_of,
            static,
            flat,
            levels,
            depth,
            radius_of,
            sizes,
            shifts,
            windows,
            look_up,
            land_cover,
            counts,
            valid,
            row,
            column,
            scores,
        )


@njit(inline="always")
def _score_cell(
    first_of: NDArray[np.int64],
    count_of: NDArray[np.int64],
    static: NDArray[np.int16],
    flat: NDArray[np.int16],
    levels: np.uint64,
    depth: np.uint64,
    radius_of: NDArray[np.int64],
    sizes: NDArray[np.int64],
    shifts: NDArray[np.int64],
    windows: NDArray[np.int64],
    look_up: NDArray[np.uint64],
    land_cover: NDArray[np.uint8],
    counts: NDArray[np.uint16],
    valid: NDArray[np.uint16],
    row: Int,
    column: Int,
    scores: NDArray[np.int16],
) -> None:
    """Compute the scores of one cell; its levels are found once for all transitions.

    Unsigned indices spare the check whether one counts from the end.
    """
    first, count = first_of[land_cover[row, column]], count_of[land_cover[row, column]]
    for n in range(windows.size if count else 0):
        w, r = windows[n], radius_of[windows[n]]
        level = share_level(counts[w, row, column], valid[r, row, column], sizes[r], shifts[r])
        look_up[n] = (np.uint64(w) * levels + level) * depth + np.uint64(first)
    for k in range(count):
        total = np.int64(static[first + k, row, column])
        for n in range(windows.size):
            total += flat[look_up[n] + np.uint64(k)]
        scores[k, row, column] = np.int16(min(max(total, -LARGEST_SCORE), LARGEST_SCORE))


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
