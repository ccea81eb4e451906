"""Step 1, transitions: what changed into what between two dates, in hectares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from catalog.legend import Legend
from scenarios.errors import HistoryInvalid
from scenarios.grid import Grid, bands

if TYPE_CHECKING:
    import pandas as pd

History = Mapping[int, NDArray[np.uint8]]
"""Land-cover maps by year, each (y, x) uint8 of legend values, 0 = no data."""


@dataclass(frozen=True, eq=False)
class TransitionTable:
    """A cross-tabulation of two dates.

    Parameters
    ----------
    start, end : years
    legend : names of rows (class at the start) and columns (class at the end), in legend order
    area_ha : (class, class) float64, hectares
    """

    start: int
    end: int
    legend: Legend
    area_ha: NDArray[np.float64]

    @property
    def years(self) -> int:
        """Length of the interval."""
        return self.end - self.start

    @cached_property
    def change_ha(self) -> NDArray[np.float64]:
        """The table without its diagonal."""
        return self.area_ha * ~np.eye(len(self.legend), dtype=bool)

    @property
    def persistence_ha(self) -> NDArray[np.float64]:
        """Hectares of each class that stayed."""
        return np.diag(self.area_ha).copy()

    @property
    def gain_ha(self) -> NDArray[np.float64]:
        """Hectares that each class won from others."""
        return np.asarray(self.change_ha.sum(axis=0))

    @property
    def loss_ha(self) -> NDArray[np.float64]:
        """Hectares that each class lost to others."""
        return np.asarray(self.change_ha.sum(axis=1))

    @property
    def net_ha(self) -> NDArray[np.float64]:
        """Hectares by which each class grew; below 0, shrank."""
        return self.gain_ha - self.loss_ha

    @property
    def swap_ha(self) -> NDArray[np.float64]:
        """Hectares of each class that moved: as much gained in one place as lost in another, both counted.

        Net change, without its sign, and swap add up to gain and loss (Pontius, Shusas and McEachern 2004,
        doi:10.1016/j.agee.2003.09.008).
        """
        return 2 * np.minimum(self.gain_ha, self.loss_ha)

    def to_frame(self) -> pd.DataFrame:
        """Return the table with class names, in hectares."""
        import pandas as pd

        names = list(self.legend.names)
        return pd.DataFrame(
            self.area_ha,
            index=pd.Index(names, name=f"from ({self.start})"),
            columns=pd.Index(names, name=f"to ({self.end})"),
        )


def cross_tabulate(
    first: NDArray[np.uint8], last: NDArray[np.uint8], *, years: tuple[int, int], legend: Legend, grid: Grid
) -> TransitionTable:
    """Cross-tabulate two maps; cells without data at either date are left out.

    Parameters
    ----------
    first, last : (y, x) uint8, legend values, 0 = no data
    years : the dates of the two maps

    Returns
    -------
    TransitionTable, hectares (geodesic cell areas on geographic grids)

    Raises
    ------
    HistoryInvalid
        No cell has data at both dates.
    """
    weights = tabulate_cells(first, last, legend.values, grid.row_weight)
    if not weights.any():
        raise HistoryInvalid(
            f"The maps of {years[0]} and {years[1]} have no cell with data in both. Do they show the same place?"
        )
    return TransitionTable(*years, legend, weights * grid.weight_ha)


def tabulate_cells(
    first: NDArray[np.uint8], last: NDArray[np.uint8], values: Sequence[int], row_weight: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Add up the weights of the cells that go from each class to each; (class, class) float64.

    Parameters
    ----------
    first, last : (y, x) uint8
    values : the classes; cells with any other value at either date are left out
    row_weight : (y,) weight of a cell of each row
    """
    size = len(values)
    index = np.full(256, -1, np.int64)
    index[list(values)] = np.arange(size)
    total = np.zeros(size**2)
    for rows in bands(first.shape):
        before, after = index[first[rows]], index[last[rows]]
        both = (before >= 0) & (after >= 0)
        weight = np.broadcast_to(row_weight[rows, None], both.shape)
        total += np.bincount((before * size + after)[both], weight[both], minlength=size**2)
    return total.reshape(size, size)


def tabulate_history(history: History, legend: Legend, grid: Grid) -> list[TransitionTable]:
    """Cross-tabulate every pair of following dates."""
    years = sorted(history)
    return [cross_tabulate(history[a], history[b], years=(a, b), legend=legend, grid=grid) for a, b in pairwise(years)]


def remove_flicker(history: History) -> History:
    """Set cells that change and change back between three following dates to the class that they had.

    Earlier dates go first, on what they leave behind: 1 2 1 2 becomes 1 1 1 2. First and last date stay as they are,
    and so do cells without data at one of the three dates.
    """
    years = sorted(history)
    steady = dict(history)
    for before, year, after in zip(years, years[1:], years[2:], strict=False):
        back = (steady[before] == steady[after]) & (steady[before] != 0) & (steady[year] != 0)
        steady[year] = np.where(back, steady[before], steady[year])
    return steady


def report_flicker(flickering: Sequence[TransitionTable], steady: Sequence[TransitionTable]) -> str:
    """Say how much change `remove_flicker` has removed."""
    if len(steady) < 2:
        return "the persistence filter needs three dates or more; it removed nothing"
    before, after = (sum(float(t.change_ha.sum()) for t in tables) for tables in (flickering, steady))
    share = (before - after) / before if before else 0.0
    return (
        f"the persistence filter removed {before - after:.1f} ha of the {before:.1f} ha of change ({share:.1%}): "
        "cells that changed and changed back"
    )


@dataclass(frozen=True)
class Transition:
    """One modelled transition, by legend value."""

    source: int
    target: int


def choose_transitions(
    tables: Sequence[TransitionTable], minimum_hectares: float
) -> tuple[list[Transition], list[str]]:
    """Choose which transitions to model, and say which were left out.

    A transition is modelled where its observed change, over all intervals, reaches ``minimum_hectares``.
    """
    legend = tables[0].legend
    total = np.sum([t.change_ha for t in tables], axis=0)
    chosen, notes = [], []
    for a, b in zip(*np.nonzero(total), strict=True):
        if total[a, b] >= minimum_hectares:
            chosen.append(Transition(legend.values[a], legend.values[b]))
        else:
            notes.append(
                f"{legend.names[a]} to {legend.names[b]}: {total[a, b]:.1f} ha observed, below the minimum of "
                f"{minimum_hectares:g} ha; not modelled"
            )
    return chosen, notes
