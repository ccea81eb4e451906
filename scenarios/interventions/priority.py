"""The best places by a layer: highest values first, ties by a draw."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scenarios.grid import Grid
from scenarios.kernels import draws


def take_best(
    values: NDArray[np.float32], free: NDArray[np.bool_], amount: int, grid: Grid, key: np.uint64
) -> NDArray[np.int64]:
    """Take the free cells with the highest values, until an amount is met.

    Parameters
    ----------
    values : (y, x) float32, NaN = missing: such a cell is never taken
    free : (y, x) bool, cells that may be taken
    amount : in units of the grid's weights
    key : of the draws that settle ties

    Returns
    -------
    (n,) int64, flat indices, rising. The last cell is taken if that brings the sum nearer to the amount.
    """
    cells = np.flatnonzero(free & ~np.isnan(values))
    need = -(-amount // int(grid.row_weight.min())) + 1
    found = values.ravel()[cells]
    if cells.size > need:  # only what can win is sorted
        least = np.partition(found, -need)[-need]
        cells, found = cells[found >= least], found[found >= least]
    rows, columns = np.divmod(cells, grid.shape[1])
    cells = cells[np.lexsort((cells, draws.uniforms(key, rows, columns), -found))]
    total = np.cumsum(grid.row_weight[cells // grid.shape[1]])
    count = int(np.searchsorted(total, amount, side="right"))
    if count < cells.size and total[count] - amount < amount - (int(total[count - 1]) if count else 0):
        count += 1
    return np.sort(cells[:count])
