"""Moves: what cells that change class change around them, in the windows and in the scores that hang on these.

A score is a sum over the windows, so that it is moved by the difference of what one window gave before and gives now;
all other parts of it need not be looked at.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from scenarios.kernels.scores import Tables
from scenarios.kernels.strips import STRIP
from scenarios.kernels.windows import share_level


@njit(nogil=True, cache=True)
def move_scores(
    tables: Tables,
    land_cover: NDArray[np.uint8],
    counts: NDArray[np.uint16],
    valid: NDArray[np.uint16],
    radii: NDArray[np.int64],
    values: NDArray[np.int64],
    cells: NDArray[np.int64],
    sources: NDArray[np.uint8],
    targets: NDArray[np.uint8],
    rows: tuple[int, int],
    scores: NDArray[np.int16],
) -> NDArray[np.int64]:
    """Update counts and scores of some rows around the cells that changed class, but not the scores of these cells.

    Parameters
    ----------
    tables : of a potential whose sums are never cut
    land_cover : (y, x) uint8, after the change
    counts : (W, y, x) uint16, changed in ``rows``
    valid : (R, y, x) uint16, cells with data in each window
    radii, values : (W,) radius in cells and class of each window
    cells : (n,) flat indices of the changed cells, rising
    sources, targets : (n,) uint8, class before and after
    rows : first and last (exclusive) row
    scores : (K, y, x) int16, changed in ``rows``

    Returns
    -------
    (n,) int64, flat indices of the strips in whose windows or cells something has changed, rising
    """
    # Arrays taken out of the tuple once: inside the loops each access would count its references.
    first_of, count_of, _, curves, used, radius_of, sizes, shifts = tables
    flat, levels, depth = curves.ravel(), np.uint64(curves.shape[1]), np.uint64(curves.shape[2])
    width, across = land_cover.shape[1], -(-land_cover.shape[1] // STRIP)
    marks = np.zeros((rows[1] - rows[0], across), np.bool_)
    widest = radii.max() if radii.size else 0
    near = np.searchsorted(cells, np.array([(rows[0] - widest) * width, (rows[1] + widest) * width]))
    for n in range(near[0], near[1]):
        row, column = divmod(cells[n], width)
        if rows[0] <= row < rows[1]:
            marks[row - rows[0], column // STRIP] = True
        for w in range(radii.size):
            change = int(targets[n] == values[w]) - int(sources[n] == values[w])
            if change == 0:
                continue
            r, base = radius_of[w], np.uint64(w) * levels
            first, last = max(0, column - radii[w]), min(width, column + radii[w] + 1)
            for y in range(max(rows[0], row - radii[w]), min(rows[1], row + radii[w] + 1)):
                marks[y - rows[0], first // STRIP : (last - 1) // STRIP + 1] = True
                for x in range(first, last):
                    before, seen = counts[w, y, x], valid[r, y, x]
                    counts[w, y, x] = after = np.uint16(np.int64(before) + change)
                    value = land_cover[y, x]
                    if used[w] and count_of[value]:
                        own = np.uint64(first_of[value])
                        was = (base + share_level(before, seen, sizes[r], shifts[r])) * depth + own
                        now = (base + share_level(after, seen, sizes[r], shifts[r])) * depth + own
                        for k in range(count_of[value]):
                            scores[k, y, x] += flat[now + np.uint64(k)] - flat[was + np.uint64(k)]
    strips: NDArray[np.int64] = np.flatnonzero(marks) + rows[0] * across
    return strips
