"""A first look at a map: neighbourhoods, the scores that they make, and what these promise, row by row.

What is counted of a row is looked up, and what comes of it is added up, while it is near.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from scenarios.kernels.scores import Tables, add_up, find_places
from scenarios.kernels.strips import NOTHING, STRIP, Promises, add_promise
from scenarios.kernels.windows import Counts, is_of, slide


@njit(nogil=True, cache=True)
def look(
    tables: Tables,
    land_cover: NDArray[np.uint8],
    radii: NDArray[np.int64],
    values: NDArray[np.int64],
    rows: tuple[int, int],
    counts: Counts,
    valid: Counts,
    scores: NDArray[np.int16],
    promises: Promises,
) -> None:
    """Look at some rows of a map.

    Parameters
    ----------
    tables : of the potential. Shapes: T transitions, W windows, R radii, V classes; W = R V
    land_cover : (y, x) uint8
    radii : (R,) half widths of the windows in cells
    values : (V,) classes that are counted
    rows : first and last (exclusive) row, in which all of the following are written
    counts : (y, x, W) uint8 or uint16, cells of a class in each window
    valid : (R, y, x) uint8 or uint16, cells with data in each window
    scores : (y, x, K) int16: slot k is the k-th transition out of the class that the cell has
    promises : of the scores
    """
    # Arrays taken out of the tuples once: inside the loops each access would count its references.
    first_of, count_of, static, curves, used, radius_of, sizes, shifts = tables
    weights, ceilings, promised = promises
    windows, look_up, levels = np.flatnonzero(used), np.empty(used.size, np.uint64), np.uint64(curves.shape[1])
    flat, depth = curves.ravel(), np.uint64(curves.shape[2])
    # Down each column, how many cells of each class, and at last of any, lie as near as the windows reach.
    columns = np.zeros((radii.size, values.size + 1, land_cover.shape[1]), np.int32)
    for r in range(radii.size):
        for row in range(max(0, rows[0] - radii[r]), min(land_cover.shape[0], rows[0] + radii[r])):
            _enter(columns[r], land_cover[row], values, 1)
    sums = np.empty(promised.shape[2], np.int64)
    for row in range(rows[0], rows[1]):
        for r in range(radii.size):
            _count_row(land_cover, radii[r], values, rows[0], row, columns[r], counts[row, :, r * values.size :])
            slide(columns[r, values.size], radii[r], valid[r, row])
        for strip in range(promised.shape[1]):
            sums[:] = 0 if weights.size else NOTHING
            for column in range(strip * STRIP, min((strip + 1) * STRIP, land_cover.shape[1])):
                first, count = first_of[land_cover[row, column]], count_of[land_cover[row, column]]
                if count:
                    find_places(
                        levels, depth, radius_of, sizes, shifts, windows, counts, valid, row, column, first, look_up
                    )
                for k in range(count):
                    t = first + k
                    score = add_up(flat, look_up, windows.size, k, static[t, row, column])
                    scores[row, column, k] = score
                    sums[t] = add_promise(sums[t], score, ceilings[t], weights)
            promised[row, strip] = sums


@njit(inline="always")
def _count_row(
    land_cover: NDArray[np.uint8],
    radius: int,
    values: NDArray[np.int64],
    first: int,
    row: int,
    columns: NDArray[np.int32],
    counts: Counts,
) -> None:
    """Move what is counted down the columns on to a row, the next one after the first, and count its windows."""
    if row + radius < land_cover.shape[0]:
        _enter(columns, land_cover[row + radius], values, 1)
    if row - radius - 1 >= max(0, first - radius):
        _enter(columns, land_cover[row - radius - 1], values, -1)
    for v in range(values.size):
        slide(columns[v], radius, counts[:, v])


@njit(inline="always")
def _enter(columns: NDArray[np.int32], row: NDArray[np.uint8], values: NDArray[np.int64], sign: int) -> None:
    """Count a row that comes within reach, or with a sign of -1 one that leaves it."""
    for v in range(values.size):
        for x in range(row.size):
            columns[v, x] += sign * is_of(row[x], values[v])
    for x in range(row.size):
        columns[values.size, x] += sign * is_of(row[x], -1)
