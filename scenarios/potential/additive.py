"""Additive models of transitions: one curve per feature, and the look-up tables that they are compiled into."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from scenarios.cluster import Workers
from scenarios.demand.transitions import Transition
from scenarios.grid import Block, Grid
from scenarios.kernels.potential import add_curves, find_levels
from scenarios.potential.bases import Basis
from scenarios.potential.curves import TransitionModel, to_fixed_point
from scenarios.potential.drivers import Driver, Drivers
from scenarios.potential.momentum import SHARE_EDGES, Momentum
from scenarios.potential.neighbourhood import LEVELS, Neighbourhood

_SMALLEST_SPAN = 0.02  # a window that moves the odds by less than 2 % is not worth a look-up
_EDGE_IN_CACHE = 256  # of a block whose levels stay near until they are looked up


@dataclass(frozen=True, eq=False)
class AdditiveModel(TransitionModel):
    """A fitted additive model: its curves are all there is to it.

    Parameters
    ----------
    strength : inverse penalty chosen by cross-validation
    bases, weights : what each term is made of, and by which weight: (column,) float64 for those of all terms
    counted : whether the weights are counted, as evidence, instead of fitted
    """

    strength: float = field(kw_only=True)
    bases: tuple[Basis, ...] = field(kw_only=True)
    weights: NDArray[np.float64] = field(kw_only=True)
    counted: bool = field(kw_only=True)

    def fixed_point(self, feature: int, size: int) -> NDArray[np.int16]:
        """Return the look-up table of a feature: levels 0 to ``size`` - 1, int16, in 1/1024."""
        return to_fixed_point(self.at(feature, np.arange(size)))


def score_static(
    models: Sequence[AdditiveModel | None],
    drivers: Drivers,
    edges: Mapping[str, NDArray[np.float32]],
    grid: Grid,
    workers: Workers,
    recent: NDArray[np.int16] | None,
) -> NDArray[np.int16]:
    """Return the score of the drivers, (transition, y, x) int16, on top of that of recent change."""
    scratch, shape = workers.scratch, (len(models), *grid.shape)
    out = scratch.zeros(shape, np.int16) if recent is None else scratch.copy(recent)
    tables = [_tabulate(models, d, edges[name].size) for d, name in enumerate(drivers)]
    _add_tables(list(drivers.values()), [edges[name] for name in drivers], tables, grid, workers, out)
    return out


def _add_tables(
    layers: Sequence[Driver],
    edges: Sequence[NDArray[np.float32]],
    tables: Sequence[NDArray[np.int16]],
    grid: Grid,
    workers: Workers,
    out: NDArray[np.int16],
) -> None:
    """Add to the scores, (transition, y, x), what the tables say of some layers, (transition, level) for each."""
    if not tables:
        return
    curves = np.concatenate(tables, axis=1)
    starts = np.cumsum([0, *(table.shape[1] for table in tables[:-1])])

    def score(block: Block) -> None:
        levels = np.empty((len(tables), block[1] - block[0], block[3] - block[2]), np.uint16)
        for values, between, found in zip(layers, edges, levels, strict=True):
            find_levels(values, between, block, found)
        add_curves(levels, curves, starts, block, out)

    workers.map(score, grid.blocks(_EDGE_IN_CACHE))


def _tabulate(models: Sequence[AdditiveModel | None], driver: int, edges: int) -> NDArray[np.int16]:
    """Return what each transition gets for each level of a driver, (transition, level) int16."""
    table = np.zeros((len(models), edges + 2), np.int16)
    for t, model in enumerate(models):
        if model is not None:
            table[t, 1:] = model.fixed_point(driver, edges + 1)  # level 0, missing, scores 0
    return table


def score_momentum(
    transitions: Sequence[Transition], models: Sequence[AdditiveModel | None], column: int, momentum: Momentum
) -> NDArray[np.int16]:
    """Return what the last interval says of the next ones."""
    grid, workers = momentum.grid, momentum.workers
    out = workers.scratch.zeros((len(models), *grid.shape), np.int16)
    for t, (transition, model) in enumerate(zip(transitions, models, strict=True)):
        if model is None or not any(term.log_odds.any() for term in model.terms[column:]):
            continue
        for m, share in enumerate(momentum.latest(transition)):
            table = np.zeros((1, SHARE_EDGES.size + 2), np.int16)
            table[0, 1:] = model.fixed_point(column + m, SHARE_EDGES.size + 1)
            _add_tables([share], [SHARE_EDGES], [table], grid, workers, out[t : t + 1])
    return out


def compile_windows(
    models: Sequence[AdditiveModel | None], first: int, neighbourhood: Neighbourhood
) -> tuple[NDArray[np.int16], NDArray[np.bool_]]:
    """Return the score of each share, (transition, window, level) int16, and which windows matter."""
    windows = len(neighbourhood.windows)
    curves = np.zeros((len(models), windows, LEVELS + 1), np.int16)
    used = np.zeros((len(models), windows), bool)
    for t, model in enumerate(models):
        for w in range(windows if model is not None else 0):
            assert model is not None
            if np.ptp(model.terms[first + w].log_odds) > _SMALLEST_SPAN:
                curves[t, w] = model.fixed_point(first + w, LEVELS + 1)
                used[t, w] = True
    return curves, used
