"""Some of many cells: those with the smallest draws, found part by part, so that no list of all is ever held."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scenarios.grid import Grid
from scenarios.kernels.thinning import pick


class Few:
    """At most so many of the cells that are shown. Which ones does not depend on the parts they are shown in.

    Parameters
    ----------
    most : how many are kept
    grid : of the landscape
    key : of the draws
    """

    def __init__(self, most: int, grid: Grid, key: np.uint64) -> None:
        self._most, self._grid, self._key = most, grid, key
        self._cells, self._chance = np.empty(0, np.int64), np.empty(0)
        self._highest = 1.0  # no cell with a draw from here on will be kept
        self._by_row = np.zeros(grid.shape[0], np.int64)

    def show(self, mask: NDArray[np.bool_], first: int = 0) -> None:
        """Show some cells that were not shown before.

        Parameters
        ----------
        mask : (y, x) bool, which cells of some rows
        first : the first of these rows
        """
        cells, chance = pick(mask, first, self._key, self._highest, self._by_row)
        self._cells = np.concatenate([self._cells, cells])
        self._chance = np.concatenate([self._chance, chance])
        if self._cells.size > 2 * self._most:
            self._thin()

    def take(self) -> NDArray[np.int64]:
        """Return the cells that were kept, (n,) int64, rising."""
        self._thin()
        return np.sort(self._cells)

    @property
    def area_ha(self) -> float:
        """Hectares of all cells that were shown."""
        return float(self._by_row @ self._grid.row_area_ha)

    def _thin(self) -> None:
        if self._cells.size > self._most:
            kept = np.argpartition(self._chance, self._most)[: self._most]
            self._highest = float(self._chance[kept].max(initial=0.0))
            self._cells, self._chance = self._cells[kept], self._chance[kept]
