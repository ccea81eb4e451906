"""The best places by a layer: highest values first, ties by a draw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from scenarios.cluster import Workers
from scenarios.grid import Grid
from scenarios.kernels import draws
from scenarios.kernels.ranking import RANKS, collect_from, count_ranks, lowest_of

_ROWS = 256
_STOCK = 16  # so many times as many cells as a year needs are kept in view: for as many years no rank is counted


@dataclass
class BestPlaces:
    """Finds the best places year after year on one grid.

    It remembers above which value it has looked, which saves a count; the result does not depend on it.
    """

    grid: Grid
    workers: Workers
    _floors: dict[object, np.float32] = field(default_factory=dict)

    def find(
        self,
        values: NDArray[np.float32],
        land_cover: NDArray[np.uint8],
        closed: Mapping[int, NDArray[np.uint8]],
        amount: int,
        account: object,
    ) -> NDArray[np.int64]:
        """Return free cells, among them all that could meet an amount if the highest values come first.

        Parameters
        ----------
        values : (y, x) float32, NaN = missing: such a cell is never found
        land_cover : (y, x) uint8
        closed : for each class that may be taken, (y, x) uint8, non-zero where its cells are not free
        amount : in units of the grid's weights
        account : whose floor to remember

        Returns
        -------
        (n,) int64, flat indices
        """
        need = count_needed(amount, self.grid)
        floor = self._floors.get(account)
        cells = np.empty(0, np.int64) if floor is None else self._collect(values, land_cover, closed, floor)
        if cells.size < need and (floor is None or floor > -np.inf):
            self._floors[account] = floor = self._find_floor(values, land_cover, closed, _STOCK * need)
            cells = self._collect(values, land_cover, closed, floor)
        return cells

    def _find_floor(
        self,
        values: NDArray[np.float32],
        land_cover: NDArray[np.uint8],
        closed: Mapping[int, NDArray[np.uint8]],
        need: int,
    ) -> np.float32:
        """Return a value that so many free cells reach; minus infinity where there are fewer."""
        parts = [
            self.workers.map(lambda rows: count_ranks(values, land_cover, source, mask, rows), self._rows)  # noqa: B023
            for source, mask in closed.items()
        ]
        above = np.cumsum(np.sum(parts, axis=(0, 1))[::-1])
        place = int(np.searchsorted(above, need))
        return lowest_of(RANKS - 1 - place) if place < RANKS else np.float32(-np.inf)

    def _collect(
        self,
        values: NDArray[np.float32],
        land_cover: NDArray[np.uint8],
        closed: Mapping[int, NDArray[np.uint8]],
        floor: np.float32,
    ) -> NDArray[np.int64]:
        parts = [
            cells
            for source, mask in closed.items()
            for cells in self.workers.map(
                lambda rows: collect_from(values, land_cover, source, mask, floor, rows),  # noqa: B023
                self._rows,
            )
        ]
        return np.concatenate(parts)

    @property
    def _rows(self) -> list[tuple[int, int]]:
        height = self.grid.shape[0]
        return [(row, min(row + _ROWS, height)) for row in range(0, height, _ROWS)]


def count_needed(amount: int, grid: Grid) -> int:
    """Return how many cells meet an amount for sure, and one more."""
    return -(-amount // int(grid.row_weight.min())) + 1


def take_best(
    values: NDArray[np.float32], cells: NDArray[np.int64], amount: int, grid: Grid, key: np.uint64
) -> NDArray[np.int64]:
    """Take the cells with the highest values, until an amount is met.

    Parameters
    ----------
    values : (y, x) float32
    cells : (n,) int64, flat indices of cells that may be taken
    amount : in units of the grid's weights
    key : of the draws that settle ties

    Returns
    -------
    (n,) int64, flat indices, rising. The last cell is taken if that brings the sum nearer to the amount.
    """
    need, found = count_needed(amount, grid), values.ravel()[cells]
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
