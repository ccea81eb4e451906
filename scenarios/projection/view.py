"""What a potential sees of a landscape: neighbourhoods, the scores that they make, and what these promise."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from scenarios.cluster import Workers
from scenarios.kernels.look import look
from scenarios.kernels.moves import leave_alone, move_scores
from scenarios.kernels.scores import rescore_cells
from scenarios.kernels.strips import STRIP, Promises, count_strips, find_stale, renew
from scenarios.kernels.windows import Counts
from scenarios.potential.potential import Potential
from scenarios.projection.strips import choose_weights
from scenarios.scratch import IN_MEMORY, Scratch

_ROWS = 128
_ROWS_IN_CACHE = 8  # what is computed of them is used while it is near


@dataclass(frozen=True, eq=False)
class View:
    """What a potential sees of one map; all members see the same at the start.

    The values of a cell lie side by side: what a year changes is few cells here and there, each of which is looked at
    with all its values.

    Parameters
    ----------
    potential : that sees
    counts : (y, x, window) uint8 or uint16, cells of a class in each window
    valid : (radius, y, x) uint8 or uint16, cells with data in each window
    scores : (y, x, slot) int16, of the transitions out of the class that a cell has, in 1/1024
    promises : what the scores promise, strip by strip
    """

    potential: Potential
    counts: Counts
    valid: Counts
    scores: NDArray[np.int16]
    promises: Promises

    @classmethod
    def of(
        cls, potential: Potential, land_cover: NDArray[np.uint8], workers: Workers, temperature: float = 0.0
    ) -> View:
        """Look at a whole map, to draw from it at a temperature."""
        near, transitions, scratch = potential.neighbourhood, len(potential.transitions), workers.scratch
        height, width = land_cover.shape
        slots = max(1, int(potential.tables.count_of.max()))
        promised = scratch.zeros((height, count_strips(width), transitions), np.int64)
        view = cls(
            potential,
            counts=scratch.zeros((height, width, len(near.windows)), near.dtype),
            valid=scratch.empty((len(near.radii), height, width), near.dtype),
            scores=scratch.zeros((height, width, slots), np.int16),
            promises=Promises(choose_weights(temperature), potential.ceilings, promised),
        )
        if potential.predictor is None:
            view._look(land_cover, workers)
        else:
            near.count(land_cover, view.counts, view.valid, workers)
            stale = scratch.empty(land_cover.shape, np.uint8)
            stale[...] = 1
            view.rescore(land_cover, stale, workers)
        return view

    def _look(self, land_cover: NDArray[np.uint8], workers: Workers) -> None:
        near, height = self.potential.neighbourhood, land_cover.shape[0]
        seen = self.counts, self.valid, self.scores, self.promises
        radii, values = np.array(near.radii, np.int64), np.array(near.values, np.int64)

        def look_at(first: int) -> None:
            look(self.potential.tables, land_cover, radii, values, (first, min(first + _ROWS, height)), *seen)

        workers.map(look_at, range(0, height, _ROWS))

    def copy(self, scratch: Scratch = IN_MEMORY) -> View:
        """Return a view that changes on its own."""
        promises = self.promises._replace(promised=scratch.copy(self.promises.promised))
        return replace(self, counts=scratch.copy(self.counts), scores=scratch.copy(self.scores), promises=promises)

    @staticmethod
    def cell_bytes(potential: Potential) -> float:
        """Return how many bytes a view that changes on its own has for each cell."""
        near, transitions = potential.neighbourhood, len(potential.transitions)
        windows = len(near.windows) * np.dtype(near.dtype).itemsize
        slots = max(1, int(potential.tables.count_of.max()))
        return windows + slots * np.dtype(np.int16).itemsize + transitions * np.dtype(np.int64).itemsize / STRIP

    def leave_alone(self, cells: NDArray[np.int64], before: NDArray[np.uint8], land_cover: NDArray[np.uint8]) -> None:
        """Give some cells the lowest scores there are.

        Parameters
        ----------
        cells : (n,) int64, flat indices
        before : (n,) uint8, class that their scores are of
        land_cover : (y, x) uint8, as it is now
        """
        tables = self.potential.tables
        now, width = land_cover.ravel()[cells], land_cover.shape[1]
        leave_alone(tables.first_of, tables.count_of, cells, before, now, width, self.scores, self.promises)

    def follow(
        self,
        land_cover: NDArray[np.uint8],
        touched: NDArray[np.int64],
        before: NDArray[np.uint8],
        workers: Workers,
    ) -> None:
        """See what has changed since the last look, with a potential whose sums are never cut.

        Parameters
        ----------
        land_cover : (y, x) uint8, as it is now
        touched : (n,) int64, flat indices of the cells to see anew, rising; they were left alone until now
        before : (n,) uint8, which class they had when they were last looked at
        """
        now, width, near = land_cover.ravel()[touched], land_cover.shape[1], self.potential.neighbourhood
        moved = before != now
        changes = touched[moved], before[moved], now[moved]
        tables, radii, window_of = self.potential.tables, np.array(near.radii, np.int64), near.window_of

        def follow_rows(first: int) -> None:
            rows = first, min(first + _ROWS, land_cover.shape[0])
            here = touched[slice(*np.searchsorted(touched, (rows[0] * width, rows[1] * width)))]
            seen = self.scores, self.promises
            # First as they were seen last, for they are moved like all others.
            rescore_cells(tables, land_cover, self.counts, self.valid, here, *seen)
            move_scores(tables, land_cover, radii, window_of, *changes, rows, self.counts, self.valid, *seen)

        workers.map(follow_rows, range(0, land_cover.shape[0], _ROWS))

    def rescore(self, land_cover: NDArray[np.uint8], stale: NDArray[np.uint8], workers: Workers) -> None:
        """Compute the scores of the stale cells anew, and clear their marks."""
        tables = self.potential.tables

        def rescore_rows(first: int) -> None:
            last = min(first + _ROWS, stale.shape[0])
            for row in range(first, last, _ROWS_IN_CACHE):
                rows = row, min(row + _ROWS_IN_CACHE, last)
                strips = find_stale(stale, rows)
                self.potential.rescore(land_cover, self.counts, self.valid, stale, rows, self.scores)
                renew(land_cover, tables.first_of, tables.count_of, self.scores, self.promises, strips)

        workers.map(rescore_rows, range(0, stale.shape[0], _ROWS))
