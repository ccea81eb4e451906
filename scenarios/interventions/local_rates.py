"""Rates that plans change inside a place: the odds of a transition are multiplied there, and nowhere else.

The demand changes by what the potential expects in the place, so that outside as much changes as before; the keys of
the cells in it are raised or lowered by the same factor, so that the cells are found where they should be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from scenarios.allocation.allocator import Placement
from scenarios.kernels.draws import SCALE
from scenarios.kernels.keys import Claims
from scenarios.kernels.scores import odds_table, sum_odds
from scenarios.kernels.strips import LARGEST_SCORE
from scenarios.projection.strips import UNKNOWN, weigh_units


@dataclass(frozen=True, eq=False)
class LocalRate:
    """By what the odds of one transition are multiplied in one year.

    Parameters
    ----------
    shift : (y, x) int32, what is added to the scores, in 1/1024
    stopped : (y, x) bool, where the transition does not happen
    """

    shift: NDArray[np.int32]
    stopped: NDArray[np.bool_]

    @classmethod
    def of(cls, factors: Sequence[tuple[NDArray[np.bool_], float]]) -> Self:
        """Multiply factors, each in a place, (y, x) bool; where places overlap, both count."""
        shift = np.zeros(factors[0][0].shape, np.int32)
        stopped = np.zeros(shift.shape, bool)
        for place, factor in factors:
            if factor > 0:
                shift[place] += round(SCALE * np.log(factor))
            else:
                stopped |= place
        return cls(shift, stopped)

    def see(self, scores: NDArray[np.int16]) -> NDArray[np.int16]:
        """Return the scores, (y, x), of the transition as they are in this year."""
        seen = np.clip(scores + self.shift, -LARGEST_SCORE, LARGEST_SCORE)
        return np.where(self.stopped, -LARGEST_SCORE, seen).astype(np.int16)

    def lift(self, land_cover: NDArray[np.uint8], source: int, scores: NDArray[np.int16]) -> float:
        """Return by what the demand of the transition is multiplied.

        Parameters
        ----------
        land_cover : (y, x) uint8, where it can happen
        source : class that changes
        scores : (y, x) int16, of the transition, without this rate

        Notes
        -----
        The sum of the odds with the factors, over the sum without.
        """
        table = odds_table()
        before, _ = sum_odds(land_cover, source, np.ones(land_cover.shape, bool), scores, table)
        after, _ = sum_odds(land_cover, source, ~self.stopped, self.see(scores), table)
        return float(after) / float(before) if before else 1.0


def see_locally(claims: Claims, rates: Sequence[LocalRate | None]) -> Claims:
    """Return claims whose scores are seen with the rates of each transition; the claims themselves without any."""
    if not any(rates):
        return claims
    scores = [claims.scores[:, :, slot] for slot in claims.slots]
    seen = [one if rate is None else rate.see(one) for one, rate in zip(scores, rates, strict=True)]
    raised = np.array([0 if rate is None else int(rate.shift.max(initial=0)) for rate in rates], np.int64)
    ceilings = np.minimum(claims.ceilings + raised, LARGEST_SCORE)
    return claims._replace(
        scores=np.stack(seen, axis=-1),
        slots=np.arange(len(seen)),
        ceilings=ceilings,
        units=weigh_units(ceilings, claims.temperature),
        strips=UNKNOWN,
    )


def drop_stopped(result: Placement, rates: Sequence[LocalRate | None], row_weight: NDArray[np.int64]) -> Placement:
    """Take back the cells where a transition does not happen, which are chosen only when no others are left.

    Parameters
    ----------
    result : what was placed
    rates : of each transition
    row_weight : (y,) of the grid
    """
    placed, kept = result.placed.copy(), np.ones(result.cells.size, bool)
    for k, rate in enumerate(rates):
        if rate is not None and rate.stopped.any():
            wrong = (result.choice == k) & rate.stopped.ravel()[result.cells]
            placed[k] -= int(row_weight[result.cells[wrong] // rate.stopped.shape[1]].sum())
            kept &= ~wrong
    return Placement(result.cells[kept], result.choice[kept], placed)
