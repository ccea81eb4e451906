"""Step 3, potential: the relative chance of each cell to make a transition, learned from the history.

The model is additive: one curve per driver and one per neighbourhood share, added up on the scale of the logarithm of
the odds, so that a planner can read why a place is likely to change. A fitted model is compiled into look-up tables
of integers; a prediction is a sum of look-ups.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from scenarios.additive import AdditiveModel, compile_windows, score_momentum, score_static
from scenarios.bases import LINE_LEVELS
from scenarios.bootstrap import Bootstrap
from scenarios.cluster import Workers
from scenarios.drivers import Driver, Drivers, DriversByYear
from scenarios.errors import ScenarioInvalid
from scenarios.kernels.scores import Tables
from scenarios.learning import fit_additive
from scenarios.momentum import Momentum
from scenarios.neighbourhood import LEVELS, Neighbourhood
from scenarios.samples import CATEGORY_EDGES, draw_samples, find_edges
from scenarios.transitions import History, Transition


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
class Potential:
    """A fitted potential of all modelled transitions, compiled for one landscape.

    Parameters
    ----------
    transitions : modelled transitions, those out of one class together; row t of every table belongs to transition t
    static : (transition, y, x) int16, score of the static drivers, in 1/1024
    curves : (transition, window, level) int16, score of the neighbourhood shares, in 1/1024
    used : (transition, window) bool, which windows matter
    neighbourhood : the windows
    models : the additive model of each transition; None where too little was observed to learn from
    explained : the curves of each transition, for a plot or a reader
    edges : between the levels of each static driver, by name; a model's first curves are theirs, in this order
    recent : (transition, y, x) int16, the part of `static` that recent change makes; None without momentum
    bootstrap : what the models were learned from, if members are to learn them anew
    """

    transitions: tuple[Transition, ...]
    static: NDArray[np.int16]
    curves: NDArray[np.int16]
    used: NDArray[np.bool_]
    neighbourhood: Neighbourhood
    models: tuple[AdditiveModel | None, ...]
    explained: tuple[tuple[Curve, ...], ...]
    edges: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    recent: NDArray[np.int16] | None = None
    bootstrap: Bootstrap | None = None

    @cached_property
    def tables(self) -> Tables:
        """The look-up tables in the form of the kernels."""
        near = self.neighbourhood
        sources = [t.source for t in self.transitions]
        first = np.array([sources.index(value) if value in sources else 0 for value in range(256)], np.int64)
        count = np.bincount(sources, minlength=256).astype(np.int64)
        curves = np.ascontiguousarray(self.curves.transpose(1, 2, 0))
        used = np.asarray(self.used.any(axis=0))
        return Tables(first, count, self.static, curves, used, near.radius_of, near.sizes, near.shifts)

    def seen_with(self, drivers: Drivers, workers: Workers) -> Potential:
        """Return what the same curves say of other values of the drivers.

        Parameters
        ----------
        drivers : every driver that was learned from, by name
        """
        ordered = {name: drivers[name] for name in self.edges}
        static = score_static(self.models, ordered, self.edges, self.neighbourhood.grid, workers, self.recent)
        return replace(self, static=static)

    def resample(self, *, seed: int, member: int, workers: Workers) -> Potential:
        """Return the potential as one member of an ensemble sees it: learned from places drawn with replacement.

        Raises
        ------
        ScenarioInvalid
            What it was learned from was not kept.
        """
        if not any(self.models):
            return self  # nothing was learned
        if self.bootstrap is None:
            raise ScenarioInvalid(
                "The scenario wants a potential of its own for each member (potential.uncertainty), and the model has "
                "kept nothing to learn it from. Calibrate it with this scenario, or say 'uncertainty: false'."
            )
        drivers, momentum = self.bootstrap.drivers, self.bootstrap.momentum
        models = self.bootstrap.learn_again(self.models, seed=seed, member=member)
        columns, near = len(drivers), self.neighbourhood
        recent = None
        if momentum is not None:
            momentum = replace(momentum, workers=workers)
            recent = score_momentum(self.transitions, models, columns + len(near.windows), momentum)
        static = score_static(models, drivers, self.edges, near.grid, workers, recent)
        curves, used = compile_windows(models, columns, near)
        return replace(self, models=models, static=static, curves=curves, used=used, recent=recent)

    def slot(self, transition: Transition) -> int:
        """Return which transition out of its class this is, or -1 if it is not modelled."""
        siblings = [t for t in self.transitions if t.source == transition.source]
        return siblings.index(transition) if transition in siblings else -1


def indifferent(transitions: Sequence[Transition], neighbourhood: Neighbourhood) -> Potential:
    """Return a potential that finds all cells alike: the baseline that a model must beat."""
    count, windows = len(transitions), len(neighbourhood.windows)
    return Potential(
        tuple(transitions),
        np.zeros((count, *neighbourhood.grid.shape), np.int16),
        np.zeros((count, windows, LEVELS + 1), np.int16),
        np.zeros((count, windows), bool),
        neighbourhood,
        (None,) * count,
        ((),) * count,
    )


def learn_potential(
    transitions: Sequence[Transition],
    history: History,
    drivers: Drivers | DriversByYear,
    neighbourhood: Neighbourhood,
    *,
    momentum: Momentum | None = None,
    start: int | None = None,
    seed: int,
    workers: Workers,
    resampled: bool = False,
) -> Potential:
    """Learn from every interval of the history where each transition happens.

    Parameters
    ----------
    transitions : what to learn
    history : land-cover maps; every pair of following dates is an interval
    drivers : those that hold for all years, or what gives them for a year: each interval is learned from those of its
        first date
    neighbourhood : windows; shares are those of the interval's first date
    momentum : recent change, a candidate that held-out blocks keep or drop; None leaves it out
    start : year whose drivers the projection starts with; the last date if not given
    seed : of the sampling
    resampled : whether to keep what members need to learn it anew

    Returns
    -------
    Potential, the same for any number of threads
    """
    grid = neighbourhood.grid
    years = sorted(history)
    in_year = drivers if callable(drivers) else lambda _: drivers
    past = {year: in_year(year) for year in years[:-1]}
    now = in_year(years[-1] if start is None else start)
    edges = {name: find_edges([seen[name] for seen in past.values()], grid, seed) for name in now}
    samples = draw_samples(transitions, history, past, edges, neighbourhood, momentum, seed, workers)
    learn = partial(fit_additive, drivers=len(now), candidates=momentum.size if momentum else 0, seed=seed)
    models = workers.map(learn, samples)
    column = len(now) + len(neighbourhood.windows)
    recent = score_momentum(transitions, models, column, momentum) if momentum else None
    static = score_static(models, now, edges, grid, workers, recent)
    curves, used = compile_windows(models, len(now), neighbourhood)
    explained = tuple(_explain(model, edges, now, neighbourhood, momentum) for model in models)
    bootstrap = Bootstrap(tuple(samples), now, momentum) if resampled else None
    return Potential(
        tuple(transitions), static, curves, used, neighbourhood, tuple(models), explained, edges, recent, bootstrap
    )


def _explain(
    model: AdditiveModel | None,
    edges: Mapping[str, NDArray[np.float32]],
    drivers: Drivers,
    neighbourhood: Neighbourhood,
    momentum: Momentum | None,
) -> tuple[Curve, ...]:
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
        found = np.unique(values[values != 0])
        return found.astype(float), found.astype(np.int64)
    known = values[np.isfinite(values)]
    reached = np.concatenate([edges, [known.min(), known.max()] if known.size else np.zeros(0 if edges.size else 2)])
    centres = np.concatenate([[reached.min()], edges, [reached.max()]]).astype(float)
    return (centres[:-1] + centres[1:]) / 2, np.arange(edges.size + 1)
