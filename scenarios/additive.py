"""Additive models of transitions: one curve per feature, and the look-up tables that they are compiled into."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from scenarios.bases import Basis
from scenarios.cluster import Workers
from scenarios.drivers import Drivers
from scenarios.grid import Grid
from scenarios.kernels.draws import SCALE
from scenarios.kernels.potential import add_curve
from scenarios.momentum import SHARE_EDGES, Momentum
from scenarios.neighbourhood import LEVELS, Neighbourhood
from scenarios.quality import Quality
from scenarios.transitions import Transition

_LARGEST_LOG_ODDS = 12.0
_SMALLEST_SPAN = 0.02  # a window that moves the odds by less than 2 % is not worth a look-up


@dataclass(frozen=True, eq=False)
class Term:
    """One feature's part in an additive model: log odds by level, linear between, constant beyond."""

    level: NDArray[np.int64]
    log_odds: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class AdditiveModel:
    """A fitted additive model.

    Parameters
    ----------
    terms : one per feature, in the order of the sample's columns
    intercept : log odds over the interval of a cell with average drivers, corrected for the sampling
    strength : inverse penalty chosen by cross-validation
    positives : cells that changed, in the sample
    quality : measured on spatial blocks that were held out; None if it cannot be told
    refused : quality of the model with all features, if it was no better than chance and only neighbours were kept
    bases, weights : what each term is made of, and by which weight: (column,) float64 for those of all terms
    """

    terms: tuple[Term, ...]
    intercept: float
    strength: float
    positives: int
    quality: Quality | None = None
    refused: Quality | None = None
    bases: tuple[Basis, ...] = ()
    weights: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))

    @property
    def auc(self) -> float:
        """Area under the ROC curve on held-out blocks (0.5 = guessing); NaN if it cannot be told."""
        told = self.quality or self.refused
        return told.auc if told is not None else float("nan")

    def at(self, feature: int, level: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the log odds of a feature's levels."""
        term = self.terms[feature]
        return np.asarray(np.interp(level, term.level, term.log_odds))

    def fixed_point(self, feature: int, size: int) -> NDArray[np.int16]:
        """Return the look-up table of a feature: levels 0 to ``size`` - 1, int16, in 1/1024."""
        values = np.clip(self.at(feature, np.arange(size)), -_LARGEST_LOG_ODDS, _LARGEST_LOG_ODDS)
        return np.rint(values * SCALE).astype(np.int16)


def score_static(
    models: Sequence[AdditiveModel | None],
    drivers: Drivers,
    edges: Mapping[str, NDArray[np.float32]],
    grid: Grid,
    workers: Workers,
    recent: NDArray[np.int16] | None,
) -> NDArray[np.int16]:
    """Return the score of the drivers, (transition, y, x) int16, on top of that of recent change."""
    out = np.zeros((len(models), *grid.shape), np.int16) if recent is None else recent.copy()
    for d, (name, values) in enumerate(drivers.items()):
        table = np.zeros((len(models), edges[name].size + 2), np.int16)
        for t, model in enumerate(models):
            if model is not None:
                table[t, 1:] = model.fixed_point(d, table.shape[1] - 1)  # level 0, missing, scores 0
        workers.map(lambda block: add_curve(values, edges[name], table, block, out), grid.blocks(512))  # noqa: B023
    return out


def score_momentum(
    transitions: Sequence[Transition], models: Sequence[AdditiveModel | None], column: int, momentum: Momentum
) -> NDArray[np.int16]:
    """Return what the last interval says of the next ones."""
    grid, workers = momentum.grid, momentum.workers
    out = np.zeros((len(models), *grid.shape), np.int16)
    for t, (transition, model) in enumerate(zip(transitions, models, strict=True)):
        if model is None or not any(term.log_odds.any() for term in model.terms[column:]):
            continue
        for m, share in enumerate(momentum.latest(transition)):
            table = np.zeros((1, SHARE_EDGES.size + 2), np.int16)
            table[0, 1:] = model.fixed_point(column + m, SHARE_EDGES.size + 1)
            row = out[t : t + 1]
            workers.map(lambda block: add_curve(share, SHARE_EDGES, table, block, row), grid.blocks(512))  # noqa: B023
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
