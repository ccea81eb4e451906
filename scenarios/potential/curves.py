"""Curves: how each feature moves the odds of a transition, whatever the model that learned it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenarios.grid import bands
from scenarios.kernels.draws import SCALE
from scenarios.potential.bases import LINE_LEVELS
from scenarios.potential.drivers import Driver, Drivers
from scenarios.potential.momentum import Momentum
from scenarios.potential.neighbourhood import Neighbourhood
from scenarios.potential.quality import Quality
from scenarios.potential.samples import CATEGORY_EDGES

_LARGEST_LOG_ODDS = 12.0

HIGHEST = int(_LARGEST_LOG_ODDS * SCALE)
"""What no score of `to_fixed_point` passes."""


@dataclass(frozen=True, eq=False)
class Curve:
    """How one driver moves the odds of one transition.

    Parameters
    ----------
    driver : its name; a neighbourhood is called ``share of <class> within <radius> m``
    value : (n,) float64, the driver's value (its unit, a share from 0 to 1, or the number of a category)
    log_odds : (n,) float64, natural logarithm of the odds, 0 = the driver's average effect
    """

    driver: str
    value: NDArray[np.float64]
    log_odds: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Term:
    """One feature's part in a model: log odds by level, linear between, constant beyond."""

    level: NDArray[np.int64]
    log_odds: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TransitionModel:
    """What was learned of one transition.

    Parameters
    ----------
    terms : one per feature, in the order of the sample's columns
    intercept : log odds over the interval of a cell with average features, corrected for the sampling
    positives : cells that changed, in the sample
    quality : measured on spatial blocks that were held out; None if it cannot be told
    refused : quality of the model with all features, if it was no better than chance and only neighbours were kept
    """

    terms: tuple[Term, ...]
    intercept: float
    positives: int
    quality: Quality | None = None
    refused: Quality | None = None

    @property
    def auc(self) -> float:
        """Area under the ROC curve on held-out blocks (0.5 = guessing); NaN if it cannot be told."""
        told = self.quality or self.refused
        return told.auc if told is not None else float("nan")

    def at(self, feature: int, level: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the log odds of a feature's levels."""
        term = self.terms[feature]
        return np.asarray(np.interp(level, term.level, term.log_odds))


def to_fixed_point(log_odds: NDArray[np.float64]) -> NDArray[np.int16]:
    """Return log odds as scores, int16 in 1/1024."""
    return np.rint(np.clip(log_odds, -_LARGEST_LOG_ODDS, _LARGEST_LOG_ODDS) * SCALE).astype(np.int16)


def explain(
    model: TransitionModel | None,
    edges: Mapping[str, NDArray[np.float32]],
    drivers: Drivers,
    neighbourhood: Neighbourhood,
    momentum: Momentum | None,
) -> tuple[Curve, ...]:
    """Return the curve of every driver, window and window of recent change."""
    if model is None:
        return ()
    out = []
    for d, (name, values) in enumerate(drivers.items()):
        middles, level = _middles(values, edges[name])
        out.append(Curve(name, middles, model.at(d, level)))
    for w, (r, value) in enumerate(neighbourhood.windows):
        top = int(neighbourhood.sizes[r]) >> int(neighbourhood.shifts[r])
        radius = neighbourhood.radii[r] * neighbourhood.grid.cell_size_m
        reached = np.arange(top + 1)
        name = f"share of class {value} within {radius:.0f} m"
        out.append(Curve(name, reached / top, model.at(len(drivers) + w, reached)))
    column, share = len(drivers) + len(neighbourhood.windows), np.arange(0, LINE_LEVELS + 1, 16)
    for m in range(momentum.size if momentum else 0):
        assert momentum is not None
        out.append(Curve(momentum.name(m), share / LINE_LEVELS, model.at(column + m, share)))
    return tuple(out)


def _middles(values: Driver, edges: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the values that stand for the levels of a driver, and the levels: categories stand for themselves."""
    if edges is CATEGORY_EDGES:
        found = np.unique(np.concatenate([np.unique(values[rows]) for rows in bands(values.shape)]))
        found = found[found != 0]
        return found.astype(float), found.astype(np.int64)
    ends = [_find_ends(values[rows]) for rows in bands(values.shape)]
    low, high = min(low for low, _ in ends), max(high for _, high in ends)
    reached = np.concatenate([edges, [low, high] if low <= high else np.zeros(0 if edges.size else 2)])
    centres = np.concatenate([[reached.min()], edges, [reached.max()]]).astype(float)
    return (centres[:-1] + centres[1:]) / 2, np.arange(edges.size + 1)


def _find_ends(values: Driver) -> tuple[float, float]:
    """Return the lowest and the highest value; infinity and its negative where there is none."""
    known = np.isfinite(values)
    return float(values.min(initial=np.inf, where=known)), float(values.max(initial=-np.inf, where=known))
