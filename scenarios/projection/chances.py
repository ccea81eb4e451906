"""Chances: how likely each class is in each place and year, by what the members' shares are worth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenarios.cluster import ONE, Workers
from scenarios.interventions.plan import Plan
from scenarios.kernels.chances import look_up_chances, tally_shares
from scenarios.projection.ensemble import Ensemble
from scenarios.projection.record import BLOCK
from scenarios.validation.recalibration import Recalibration, hold_total

_EDGE = 2 * BLOCK  # of what is counted at once


@dataclass(frozen=True, eq=False)
class Chances:
    """What turns the counts of members into chances.

    Parameters
    ----------
    start : (y, x) uint8, class at the start of the cells whose shares are recalibrated; 0 = outside the landscape, or
        where a plan and not the market decides: there the share of the members is the chance
    table : (year, class at the start, class, members + 1) float32, chance of the change by how many members make it;
        NaN for the class of the start, which takes the rest
    """

    start: NDArray[np.uint8]
    table: NDArray[np.float32]

    @classmethod
    def of(
        cls,
        ensemble: Ensemble,
        recalibration: Recalibration,
        start: NDArray[np.uint8],
        plan: Plan,
        workers: Workers = ONE,
    ) -> Chances:
        """Recalibrate the shares of an ensemble.

        The curve is raised or lowered for each year and transition, so that as many hectares are foretold as the
        members change: how much changes is the scenario's own. What a plan converts wherever the landscape has room
        for it, in no named place, keeps the share of the members.

        Parameters
        ----------
        ensemble : of the scenario
        recalibration : what the shares of the members were worth in a hindcast
        start : (y, x) uint8, land cover that the members began with
        plan : the scenario's interventions
        workers : who works on the years side by side
        """
        values, members = plan.legend.values, ensemble.members
        undecided = np.where(plan.decides(start), 0, start).astype(np.uint8)
        places, odds = index_classes(values), recalibration.log_odds(members)
        planned = [(values.index(each.source), values.index(each.target)) for each in plan.conversions_anywhere()]

        def tally(rows: tuple[int, int]) -> NDArray[np.int64]:
            """Add up some rows: (year, class at the start, class, members + 1)."""
            tallied = np.zeros((len(ensemble.years), len(values), len(values), members + 1), np.int64)
            for changes in ensemble.record.split(rows, _EDGE):
                top, bottom, left, right = changes.block
                here = np.ascontiguousarray(undecided[top:bottom, left:right])
                for counts, sums in zip(ensemble.count(changes), tallied, strict=True):
                    tally_shares(counts, here, places, plan.grid.row_weight[top:bottom], sums)
            return tallied

        def tabulate(tallied: NDArray[np.int64]) -> NDArray[np.float32]:
            table = np.array([[hold_total(odds, weight) for weight in row] for row in tallied], np.float32)
            for pair in planned:
                table[pair] = np.arange(members + 1) / members
            table[np.diag_indices(len(values))] = np.nan
            return table

        everywhere = np.sum(workers.map(tally, ensemble.record.bands(_EDGE)), axis=0)
        return cls(undecided, np.stack([tabulate(tallied) for tallied in everywhere]))


def index_classes(values: tuple[int, ...]) -> NDArray[np.int64]:
    """Return the place of each legend value among the classes, (256,) int64, -1 for what is none of them."""
    places = np.full(256, -1, np.int64)
    places[list(values)] = np.arange(len(values))
    return places


def tell_chances(
    counts: NDArray[np.uint8], start: NDArray[np.uint8], table: NDArray[np.float32], values: tuple[int, ...]
) -> NDArray[np.float32]:
    """Tell how likely each class is in one year.

    Parameters
    ----------
    counts : (class, y, x) uint8, how many members have the class
    start, table : of `Chances`, the table of this year
    values : the legend values of the classes

    Returns
    -------
    (class, y, x) float32, 0 to 1; NaN outside the landscape. The class of the start takes what the changes leave; where
    they come to more than 1, they are scaled down to it.
    """
    chances = np.empty(counts.shape, np.float32)
    look_up_chances(counts, start, index_classes(values), np.ascontiguousarray(table), chances)
    return chances
