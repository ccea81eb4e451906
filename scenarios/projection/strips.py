"""What the strips of a landscape promise each transition, kept up to date where the landscape changes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scenarios.cluster import Workers
from scenarios.kernels.keys import TEMPERATURE_ONE
from scenarios.kernels.strips import STRIP, count_strips, promise, renew, weight_table
from scenarios.potential.potential import Potential
from scenarios.scratch import Scratch

LOWEST_TEMPERATURE: Final = 1 / 16
"""Below it weights span more than a float holds: single cells are drawn, not strips."""

NO_WEIGHTS: Final = np.empty(0)
UNKNOWN: Final = np.empty((0, 0, 0))
"""Strips of claims that nothing is known of."""

_ROWS = 128


def choose_weights(temperature: float) -> NDArray[np.float64]:
    """Return the weights of the scores at a temperature; none where cells are not drawn by strips."""
    as_drawn = round(temperature * TEMPERATURE_ONE) / TEMPERATURE_ONE
    return weight_table(as_drawn) if as_drawn >= LOWEST_TEMPERATURE else NO_WEIGHTS


@dataclass(frozen=True, eq=False)
class Strips:
    """What the strips promise.

    Parameters
    ----------
    weights : of the scores; empty: the highest score counts
    first_of, count_of : (256,) int64, first modelled transition out of each class, and how many there are
    promised : (T, y, strip) float64
    """

    weights: NDArray[np.float64]
    first_of: NDArray[np.int64]
    count_of: NDArray[np.int64]
    promised: NDArray[np.float64]

    @classmethod
    def of(
        cls, potential: Potential, land_cover: NDArray[np.uint8], weights: NDArray[np.float64], scratch: Scratch
    ) -> Strips:
        """Return strips that promise nothing yet."""
        shape = len(potential.transitions), land_cover.shape[0], count_strips(land_cover.shape[1])
        return cls(weights, potential.tables.first_of, potential.tables.count_of, scratch.zeros(shape, np.float64))

    def copy(self, scratch: Scratch) -> Strips:
        """Return strips that change on their own."""
        return replace(self, promised=scratch.copy(self.promised))

    def choose(self, transitions: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return what is promised to some transitions, by their numbers, (K, y, strip)."""
        first, count = int(transitions[0]), transitions.size
        if np.array_equal(transitions, np.arange(first, first + count)):
            return self.promised[first : first + count]
        return self.promised[transitions]

    def renew(self, strips: NDArray[np.int64], land_cover: NDArray[np.uint8], scores: NDArray[np.int16]) -> None:
        """Look again at some strips, (n,) int64, flat indices."""
        renew(land_cover, self.first_of, self.count_of, scores, self.weights, strips, self.promised)

    def renew_around(self, cells: NDArray[np.int64], land_cover: NDArray[np.uint8], scores: NDArray[np.int16]) -> None:
        """Look again at the strips that hold some cells, (n,) int64, flat indices."""
        rows, columns = np.divmod(cells, land_cover.shape[1])
        self.renew(np.unique(rows * count_strips(land_cover.shape[1]) + columns // STRIP), land_cover, scores)


def add_up(
    land_cover: NDArray[np.uint8],
    source: int,
    scores: NDArray[np.int16],
    slot: int,
    weights: NDArray[np.float64],
    workers: Workers,
) -> NDArray[np.float64]:
    """Return what all strips promise the transition out of a class in a slot, (y, strip) float64."""
    height, width = land_cover.shape
    out = np.empty((height, count_strips(width)))

    def add_up_rows(first: int) -> None:
        promise(land_cover, source, scores, slot, weights, (first, min(first + _ROWS, height)), out)

    workers.map(add_up_rows, range(0, height, _ROWS))
    return out
