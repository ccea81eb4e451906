"""Moves: what cells that change class change around them, in the windows, in scores, and in what strips promise.

A score is a sum over the windows, so that it is moved by the difference of what two windows gave before and give now:
that of the class which a cell has left, and that of the class which it has taken. All other parts need not be looked
at. The values of a cell lie side by side, for what is looked at is few cells here and there.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from scenarios.kernels.scores import Tables
from scenarios.kernels.strips import LARGEST_SCORE, STRIP, Promises, add_promise, move_promise, weight_of
from scenarios.kernels.windows import Count, Counts, Int, share_level


@njit(nogil=True, cache=True)
def leave_alone(
    first_of: NDArray[np.int64],
    count_of: NDArray[np.int64],
    cells: NDArray[np.int64],
    sources: NDArray[np.uint8],
    targets: NDArray[np.uint8],
    width: int,
    scores: NDArray[np.int16],
    promises: Promises,
) -> None:
    """Give cells that changed class the lowest scores there are.

    Parameters
    ----------
    first_of, count_of : (256,) first transition out of each class, and how many there are
    cells : (n,) int64, flat indices
    sources, targets : (n,) uint8, class that their scores are of, and class that they have now
    width : of the map, in cells
    scores : (y, x, K) int16, changed
    promises : changed
    """
    weights, ceilings, promised = promises
    for n in range(cells.size):
        row, column = divmod(cells[n], width)
        strip = column // STRIP
        for k in range(count_of[sources[n]] if weights.size else 0):
            t = first_of[sources[n]] + k
            promised[row, strip, t] -= weight_of(scores[row, column, k], ceilings[t], weights)
        scores[row, column] = -LARGEST_SCORE
        for k in range(count_of[targets[n]]):
            t = first_of[targets[n]] + k
            promised[row, strip, t] = add_promise(promised[row, strip, t], -LARGEST_SCORE, ceilings[t], weights)


@njit(nogil=True, cache=True)
def move_scores(
    tables: Tables,
    land_cover: NDArray[np.uint8],
    radii: NDArray[np.int64],
    window_of: NDArray[np.int64],
    cells: NDArray[np.int64],
    sources: NDArray[np.uint8],
    targets: NDArray[np.uint8],
    rows: tuple[int, int],
    counts: Counts,
    valid: Counts,
    scores: NDArray[np.int16],
    promises: Promises,
) -> None:
    """Update counts, scores and promises of some rows around the cells that changed class.

    Parameters
    ----------
    tables : of a potential whose sums are never cut. Shapes: W windows, R radii
    land_cover : (y, x) uint8, after the change
    radii : (R,) half widths of the windows in cells
    window_of : (R, 256) int64, the window of each class; below 0 where it has none
    cells : (n,) flat indices of the changed cells, rising
    sources, targets : (n,) uint8, class before and after
    rows : first and last (exclusive) row
    counts : (y, x, W) uint8 or uint16, changed in ``rows``
    valid : (R, y, x) uint8 or uint16, cells with data in each window
    scores : (y, x, K) int16, changed in ``rows``: those of the classes after the change
    promises : changed in ``rows``
    """
    # Arrays taken out of the tuples once: inside the loops each access would count its references.
    first_of, count_of, _, curves, _, _, sizes, shifts = tables
    weights, ceilings, promised = promises
    flat, levels, depth = curves.ravel(), np.uint64(curves.shape[1]), np.uint64(curves.shape[2])
    width = land_cover.shape[1]
    widest = radii.max() if radii.size else 0
    near = np.searchsorted(cells, np.array([(rows[0] - widest) * width, (rows[1] + widest) * width]))
    for n in range(near[0], near[1]):
        row, column = divmod(cells[n], width)
        for r in range(radii.size):
            less, more = window_of[r, sources[n]], window_of[r, targets[n]]
            for y in range(max(rows[0], row - radii[r]), min(rows[1], row + radii[r] + 1)):
                for x in range(max(0, column - radii[r]), min(width, column + radii[r] + 1)):
                    seen = valid[r, y, x]
                    was_less, is_less = _move_count(counts, y, x, less, -1, seen, sizes[r], shifts[r], levels)
                    was_more, is_more = _move_count(counts, y, x, more, 1, seen, sizes[r], shifts[r], levels)
                    value = land_cover[y, x]
                    for k in range(count_of[value]):
                        t = first_of[value] + k
                        own = np.uint64(t)
                        change = np.int64(flat[is_less * depth + own]) - flat[was_less * depth + own]
                        change += np.int64(flat[is_more * depth + own]) - flat[was_more * depth + own]
                        if change:
                            before = np.int64(scores[y, x, k])
                            scores[y, x, k] = before + change
                            move_promise(promised, y, x // STRIP, t, before, before + change, ceilings[t], weights)


@njit(inline="always")
def _move_count(
    counts: Counts, row: Int, column: Int, w: Int, step: int, seen: Count, size: Int, shift: Int, levels: np.uint64
) -> tuple[np.uint64, np.uint64]:
    """Move the count of a window; return where its curves are looked up before and after. Below 0 there is none."""
    if w < 0:
        return np.uint64(0), np.uint64(0)
    before, base = np.int64(counts[row, column, w]), np.uint64(w) * levels
    counts[row, column, w] = before + step
    return base + share_level(before, seen, size, shift), base + share_level(before + step, seen, size, shift)
