"""What a potential sees of a landscape: neighbourhoods, the scores that they make, and what these promise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenarios.cluster import Workers
from scenarios.kernels.moves import move_scores
from scenarios.kernels.scores import rescore_cells
from scenarios.kernels.strips import LARGEST_SCORE, STRIP, count_strips, find_stale
from scenarios.potential.potential import Potential
from scenarios.projection.strips import Strips, choose_weights
from scenarios.scratch import IN_MEMORY, Scratch

_ROWS = 128
_ROWS_IN_CACHE = 8  # what is computed of them is used while it is near


@dataclass(frozen=True, eq=False)
class View:
    """What a potential sees of one map; all members see the same at the start.

    Parameters
    ----------
    counts : (window, y, x) uint16, cells of a class in each window
    valid : (radius, y, x) uint16, cells with data in each window
    scores : (slot, y, x) int16, of the transitions out of the class that a cell has, in 1/1024
    strips : what the scores promise, strip by strip
    """

    counts: NDArray[np.uint16]
    valid: NDArray[np.uint16]
    scores: NDArray[np.int16]
    strips: Strips

    @classmethod
    def of(
        cls, potential: Potential, land_cover: NDArray[np.uint8], workers: Workers, temperature: float = 0.0
    ) -> View:
        """Look at a whole map, to draw from it at a temperature."""
        near, slots = potential.neighbourhood, max(1, int(potential.tables.count_of.max()))
        scores = workers.scratch.zeros((slots, *land_cover.shape), np.int16)
        strips = Strips.of(potential, land_cover, choose_weights(temperature), workers.scratch)
        view = cls(near.count(land_cover, workers), near.count_valid(land_cover, workers), scores, strips)
        view.see_with(potential, land_cover, workers)
        return view

    def copy(self, scratch: Scratch = IN_MEMORY) -> View:
        """Return a view that changes on its own."""
        return View(scratch.copy(self.counts), self.valid, scratch.copy(self.scores), self.strips.copy(scratch))

    def see_with(self, potential: Potential, land_cover: NDArray[np.uint8], workers: Workers) -> None:
        """Compute all scores, with this potential."""
        stale = workers.scratch.empty(land_cover.shape, np.uint8)
        stale[...] = 1
        self.rescore(potential, land_cover, stale, workers)

    def leave_alone(self, cells: NDArray[np.int64], land_cover: NDArray[np.uint8]) -> None:
        """Give some cells, (n,) flat indices, the lowest scores there are."""
        self.scores.reshape(self.scores.shape[0], -1)[:, cells] = -LARGEST_SCORE
        self.strips.renew_around(cells, land_cover, self.scores)

    def follow(
        self,
        potential: Potential,
        land_cover: NDArray[np.uint8],
        touched: NDArray[np.int64],
        before: NDArray[np.uint8],
        workers: Workers,
    ) -> None:
        """See what has changed since the last look, with a potential whose sums are never cut.

        Parameters
        ----------
        land_cover : (y, x) uint8, as it is now
        touched : (n,) int64, flat indices of the cells to see anew, rising
        before : (n,) uint8, which class they had when they were last looked at
        """
        now, width = land_cover.ravel()[touched], land_cover.shape[1]
        moved, near = before != now, potential.neighbourhood
        of_windows = self.valid, near.window_radii, near.window_values
        changes = touched[moved], before[moved], now[moved]

        def follow_rows(first: int) -> None:
            rows = first, min(first + _ROWS, land_cover.shape[0])
            strips = move_scores(potential.tables, land_cover, self.counts, *of_windows, *changes, rows, self.scores)
            here = touched[slice(*np.searchsorted(touched, (rows[0] * width, rows[1] * width)))]
            rescore_cells(potential.tables, land_cover, self.counts, self.valid, here, self.scores)
            own = here // width * count_strips(width) + here % width // STRIP
            self.strips.renew(np.union1d(strips, own), land_cover, self.scores)

        workers.map(follow_rows, range(0, land_cover.shape[0], _ROWS))

    def rescore(
        self, potential: Potential, land_cover: NDArray[np.uint8], stale: NDArray[np.uint8], workers: Workers
    ) -> None:
        """Compute the scores of the stale cells anew, and clear their marks."""

        def rescore_rows(first: int) -> None:
            last = min(first + _ROWS, stale.shape[0])
            for row in range(first, last, _ROWS_IN_CACHE):
                rows = row, min(row + _ROWS_IN_CACHE, last)
                strips = find_stale(stale, rows)
                potential.rescore(land_cover, self.counts, self.valid, stale, rows, self.scores)
                self.strips.renew(strips, land_cover, self.scores)

        workers.map(rescore_rows, range(0, stale.shape[0], _ROWS))
