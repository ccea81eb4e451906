"""Metrics: how well a simulated map of change agrees with the observed one.

Figure of merit: Pontius et al. 2008, doi:10.1007/s00168-007-0138-2. Quantity and allocation disagreement: Pontius and
Millones 2011, doi:10.1080/01431161.2011.552923; exchange and shift: Pontius and Santacruz 2014,
doi:10.1080/2150704X.2014.969814. Kappa simulation: van Vliet, Bregt and Hagen-Zanker 2011,
doi:10.1016/j.ecolmodel.2011.01.017.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from scenarios.kernels.triples import count_triples, find_classes

Map = NDArray[np.uint8]

RESOLUTIONS = (1, 2, 4, 8, 16, 32)
"""Edges of the blocks, in cells, inside which errors are forgiven."""


class Outcome(IntEnum):
    """What became of a cell: the codes of `map_outcomes`."""

    NODATA = 0
    STAYED = 1
    HIT = 2
    WRONG_HIT = 3
    MISS = 4
    FALSE_ALARM = 5


@dataclass(frozen=True)
class Agreement:
    """Agreement of simulated with observed change, in cells and in shares of the landscape.

    Parameters
    ----------
    cells : cells with data in all three maps
    hits : observed change, simulated as change to the right class
    wrong_hits : observed change, simulated as change to a wrong class
    misses : observed change, simulated as persistence
    false_alarms : observed persistence, simulated as change
    chance : agreement to be expected, 0 to 1, had the simulated changes out of each class been dealt out blindly
    quantity, exchange, shift : disagreement between the two end maps, shares of the landscape (0 to 1)
    """

    cells: int
    hits: int
    wrong_hits: int
    misses: int
    false_alarms: int
    chance: float
    quantity: float
    exchange: float
    shift: float

    @property
    def figure_of_merit(self) -> float:
        """Hits among all cells with observed or simulated change, 0 to 1; NaN if there is no change at all."""
        union = self.hits + self.wrong_hits + self.misses + self.false_alarms
        return self.hits / union if union else float("nan")

    @property
    def allocation(self) -> float:
        """Disagreement in place, share of the landscape: exchange and shift."""
        return self.exchange + self.shift

    @property
    def kappa_simulation(self) -> float:
        """Agreement beyond what the same transitions at random places would give; 1 is perfect, 0 is blind."""
        agreement = 1 - self.quantity - self.allocation
        return (agreement - self.chance) / (1 - self.chance) if self.cells and self.chance < 1 else float("nan")

    @property
    def churn(self) -> float:
        """Simulated change as a multiple of the observed: above 1, the model moves more than the landscape does."""
        return self.simulated_change / self.observed_change if self.observed_change else float("nan")

    @property
    def observed_change(self) -> float:
        """Share of the landscape that changed."""
        return (self.hits + self.wrong_hits + self.misses) / self.cells if self.cells else float("nan")

    @property
    def simulated_change(self) -> float:
        """Share of the landscape simulated to change."""
        return (self.hits + self.wrong_hits + self.false_alarms) / self.cells if self.cells else float("nan")

    @property
    def found(self) -> float:
        """Of the places that changed, the share simulated to change to the right class (producer's accuracy)."""
        observed = self.hits + self.wrong_hits + self.misses
        return self.hits / observed if observed else float("nan")


def compare(initial: Map, observed: Map, simulated: Map) -> Agreement:
    """Compare a simulated with an observed end map, given the map that both began from.

    Parameters
    ----------
    initial, observed, simulated : (y, x) uint8, legend values, 0 = no data; cells without data in any are left out
    """
    cube = _cross(initial, observed, simulated)[1]
    i, o, s = np.indices(cube.shape)
    cells = int(cube.sum())
    table = cube.sum(axis=0) / max(cells, 1)
    quantity, exchange, shift = _disagree(table)
    return Agreement(
        cells=cells,
        hits=int(cube[(o != i) & (s == o)].sum()),
        wrong_hits=int(cube[(o != i) & (s != i) & (s != o)].sum()),
        misses=int(cube[(o != i) & (s == i)].sum()),
        false_alarms=int(cube[(o == i) & (s != i)].sum()),
        chance=_expect(cube),
        quantity=quantity,
        exchange=exchange,
        shift=shift,
    )


def _cross(initial: Map, observed: Map, simulated: Map) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return the classes that occur, and the cells of each (initial, observed, simulated) triple of them."""
    values = np.flatnonzero(find_classes(initial, observed, simulated)).astype(np.uint8)
    place = np.zeros(256, np.int64)
    place[values] = np.arange(values.size)
    count = np.zeros((values.size,) * 3, np.int64)
    count_triples(initial, observed, simulated, place, count)
    return values, count


def _expect(cube: NDArray[np.int64]) -> float:
    """Return the agreement expected if, in each initial class, observed and simulated ends were unrelated."""
    of_class = cube.sum(axis=(1, 2))
    products = (cube.sum(axis=2) * cube.sum(axis=1)).sum(axis=1)
    return float((products / np.maximum(of_class, 1)).sum() / max(int(of_class.sum()), 1))


@dataclass(frozen=True)
class TransitionAgreement:
    """Agreement on one transition, in cells.

    Parameters
    ----------
    source, target : legend values
    observed : cells that made it
    simulated : cells that were simulated to make it
    hits : cells that are both
    """

    source: int
    target: int
    observed: int
    simulated: int
    hits: int

    @property
    def figure_of_merit(self) -> float:
        """Hits among all cells that made the transition or were simulated to."""
        return self.hits / (self.observed + self.simulated - self.hits)


def compare_transitions(initial: Map, observed: Map, simulated: Map) -> tuple[TransitionAgreement, ...]:
    """Compare transition by transition; those that neither happened nor were simulated are left out.

    Parameters
    ----------
    initial, observed, simulated : as for `compare`
    """
    values, cube = _cross(initial, observed, simulated)
    seen, made = cube.sum(axis=2), cube.sum(axis=1)
    return tuple(
        TransitionAgreement(int(values[i]), int(values[j]), int(seen[i, j]), int(made[i, j]), int(cube[i, j, j]))
        for i, j in permutations(range(values.size), 2)
        if seen[i, j] or made[i, j]
    )


def map_outcomes(initial: Map, observed: Map, simulated: Map) -> Map:
    """Return a map of hits and errors.

    Parameters
    ----------
    initial, observed, simulated : as for `compare`

    Returns
    -------
    (y, x) uint8, the codes of `Outcome`, 0 = no data in one of the maps
    """
    happened, foretold = observed != initial, simulated != initial
    out = np.full(initial.shape, Outcome.STAYED, np.uint8)
    out[happened & foretold] = Outcome.WRONG_HIT
    out[happened & (observed == simulated)] = Outcome.HIT
    out[happened & ~foretold] = Outcome.MISS
    out[~happened & foretold] = Outcome.FALSE_ALARM
    out[(initial == 0) | (observed == 0) | (simulated == 0)] = Outcome.NODATA
    return out


def _disagree(table: NDArray[np.float64]) -> tuple[float, float, float]:
    """Split the disagreement of a (observed, simulated) table of shares into quantity, exchange and shift."""
    quantity = float(np.abs(table.sum(axis=0) - table.sum(axis=1)).sum() / 2)
    exchange = float(np.minimum(table, table.T).sum() - np.trace(table))
    total = float(table.sum() - np.trace(table))
    return quantity, exchange, max(0.0, total - quantity - exchange)


def figure_of_merit_at(
    initial: Map, observed: Map, simulated: Map, factors: Sequence[int] = RESOLUTIONS
) -> dict[int, float]:
    """Return the figure of merit where errors inside blocks of ``factor`` x ``factor`` cells are forgiven.

    Notes
    -----
    In each block and for each transition, the smaller of the observed and the simulated number of cells agrees and the
    larger counts (Pontius et al. 2011, doi:10.1080/00045608.2010.544934). Factor 1 is the figure of merit itself.
    """
    seen, made = _locate_changes(initial, observed, simulated), _locate_changes(initial, simulated, observed)
    out = {}
    for factor in factors:
        if factor == 1:
            out[1] = compare(initial, observed, simulated).figure_of_merit
            continue
        width = -(-initial.shape[1] // factor)
        blocks = -(-initial.shape[0] // factor) * width
        both = _count_common(
            *(c * blocks + row // factor * width + column // factor for c, row, column in (seen, made))
        )
        either = seen[0].size + made[0].size - both
        out[factor] = both / either if either else float("nan")
    return out


def _locate_changes(initial: Map, end: Map, other: Map) -> tuple[NDArray[np.int64], ...]:
    """Return code of the transition, row and column of every cell that changed."""
    cells = np.flatnonzero((initial != end) & (initial != 0) & (end != 0) & (other != 0))
    code = initial.ravel()[cells].astype(np.int64) * 256 + end.ravel()[cells]
    return (code, *np.divmod(cells, initial.shape[1]))


def _count_common(a: NDArray[np.int64], b: NDArray[np.int64]) -> int:
    """Add up, over the values, the smaller of the two numbers of times that each occurs."""
    (x, of_x), (y, of_y) = np.unique(a, return_counts=True), np.unique(b, return_counts=True)
    _, in_x, in_y = np.intersect1d(x, y, assume_unique=True, return_indices=True)
    return int(np.minimum(of_x[in_x], of_y[in_y]).sum())
