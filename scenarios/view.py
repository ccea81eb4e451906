"""What a potential sees of a landscape: neighbourhoods, and the scores that they make."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenarios.cluster import Workers
from scenarios.potential import Potential

_ROWS = 128


@dataclass(frozen=True, eq=False)
class View:
    """What a potential sees of one map; all members see the same at the start.

    Parameters
    ----------
    counts : (window, y, x) uint16, cells of a class in each window
    valid : (radius, y, x) uint16, cells with data in each window
    scores : (slot, y, x) int16, of the transitions out of the class that a cell has, in 1/1024
    """

    counts: NDArray[np.uint16]
    valid: NDArray[np.uint16]
    scores: NDArray[np.int16]

    @classmethod
    def of(cls, potential: Potential, land_cover: NDArray[np.uint8], workers: Workers) -> View:
        """Look at a whole map."""
        near, slots = potential.neighbourhood, max(1, int(potential.tables.count_of.max()))
        scores = np.zeros((slots, *land_cover.shape), np.int16)
        view = cls(near.count(land_cover, workers), near.count_valid(land_cover, workers), scores)
        view.see_with(potential, land_cover, workers)
        return view

    def copy(self) -> View:
        """Return a view that changes on its own."""
        return View(self.counts.copy(), self.valid, self.scores.copy())

    def see_with(self, potential: Potential, land_cover: NDArray[np.uint8], workers: Workers) -> None:
        """Compute all scores, with this potential."""
        self.rescore(potential, land_cover, np.ones(land_cover.shape, np.uint8), workers)

    def rescore(
        self, potential: Potential, land_cover: NDArray[np.uint8], stale: NDArray[np.uint8], workers: Workers
    ) -> None:
        """Compute the scores of the stale cells anew, and clear their marks."""

        def rescore_rows(first: int) -> None:
            rows = first, min(first + _ROWS, stale.shape[0])
            potential.rescore(land_cover, self.counts, self.valid, stale, rows, self.scores)

        workers.map(rescore_rows, range(0, stale.shape[0], _ROWS))
