"""Step 3, potential: the relative chance of each cell to make a transition, learned from the history.

By default the model is additive: one curve per driver and one per neighbourhood share, added up on the scale of the
logarithm of the odds, so that a planner can read why a place is likely to change. A fitted model is compiled into
look-up tables of integers; a prediction is a sum of look-ups. A classifier is no sum: a `Predictor` asks it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenarios.cluster import Workers
from scenarios.demand.transitions import History, Transition
from scenarios.errors import ScenarioInvalid
from scenarios.kernels.scores import Tables, rescore
from scenarios.kernels.strips import LARGEST_SCORE
from scenarios.potential.additive import AdditiveModel, compile_windows, score_momentum, score_static
from scenarios.potential.bootstrap import Bootstrap
from scenarios.potential.classified import fit_classifier
from scenarios.potential.classifiers import (
    CLASSIFIERS,
    Classifier,
    make_classifier,
    name_classifier,
    prepare_classifier,
)
from scenarios.potential.curves import HIGHEST, Curve, TransitionModel, explain
from scenarios.potential.drivers import Drivers, DriversByYear
from scenarios.potential.learning import fit_additive
from scenarios.potential.momentum import Momentum
from scenarios.potential.neighbourhood import LEVELS, Neighbourhood
from scenarios.potential.predictor import Predictor
from scenarios.potential.samples import draw_samples, find_edges
from scenarios.spec.rules import ModelName


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
    models : what was learned of each transition; None where too little was observed to learn from
    explained : the curves of each transition, for a plot or a reader
    edges : between the levels of each static driver, by name; a model's first curves are theirs, in this order
    recent : (transition, y, x) int16, the part of `static` that recent change makes; None without momentum
    bootstrap : what the models were learned from, if members are to learn them anew
    predictor : asks classifiers, which no table holds; None: the tables say all
    learner : what it was learned by, as the scenario names it; the classifier that was given instead
    """

    transitions: tuple[Transition, ...]
    static: NDArray[np.int16]
    curves: NDArray[np.int16]
    used: NDArray[np.bool_]
    neighbourhood: Neighbourhood
    models: tuple[TransitionModel | None, ...]
    explained: tuple[tuple[Curve, ...], ...]
    edges: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    recent: NDArray[np.int16] | None = None
    bootstrap: Bootstrap | None = None
    predictor: Predictor | None = None
    learner: str = "indifferent"

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

    @cached_property
    def rescore(self) -> Callable[..., None]:
        """Computes the scores of stale cells anew: `scenarios.kernels.scores.rescore`, but for its tables."""
        return partial(rescore, self.tables) if self.predictor is None else self.predictor.rescore

    @cached_property
    def _extremes(self) -> NDArray[np.int64]:
        """(transition, 2) what no sum of the tables can pass, below and above."""
        bounds = []
        for static, curves in zip(self.static, self.curves, strict=True):
            low = int(static.min(initial=0)) + int(curves.min(axis=1, initial=0).sum())
            bounds.append((low, int(static.max(initial=0)) + int(curves.max(axis=1, initial=0).sum())))
        return np.array(bounds, np.int64).reshape(-1, 2)

    @cached_property
    def is_never_cut(self) -> bool:
        """Whether no sum of the tables can pass the largest score, so that scores can be moved by differences."""
        return self.predictor is None and bool((np.abs(self._extremes) <= LARGEST_SCORE).all())

    @cached_property
    def ceilings(self) -> NDArray[np.int64]:
        """(transition,) what no score can pass, in 1/1024."""
        if self.predictor is not None:
            return np.full(len(self.transitions), HIGHEST)
        return np.minimum(self._extremes[:, 1], LARGEST_SCORE)

    def seen_with(self, drivers: Drivers, workers: Workers) -> Potential:
        """Return what the same curves say of other values of the drivers.

        Parameters
        ----------
        drivers : every driver that was learned from, by name
        """
        ordered = {name: drivers[name] for name in self.edges}
        if self.predictor is not None:
            return replace(self, predictor=replace(self.predictor, drivers=ordered))
        static = score_static(self._curves, ordered, self.edges, self.neighbourhood.grid, workers, self.recent)
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
        own = replace(self, models=self.bootstrap.learn_again(self.models, seed=seed, member=member))
        if self.predictor is not None:
            return replace(own, predictor=self.predictor.with_models(own.models))
        return own.compile(drivers, replace(momentum, workers=workers) if momentum else None, workers)

    def compile(self, drivers: Drivers, momentum: Momentum | None, workers: Workers) -> Potential:
        """Return the potential with the look-up tables of its models, which are additive.

        Parameters
        ----------
        drivers : those that the projection starts with
        momentum : recent change; None without it
        """
        near, columns = self.neighbourhood, len(drivers)
        recent = None
        if momentum is not None:
            recent = score_momentum(self.transitions, self._curves, columns + len(near.windows), momentum)
        static = score_static(self._curves, drivers, self.edges, near.grid, workers, recent)
        curves, used = compile_windows(self._curves, columns, near)
        return replace(self, static=static, curves=curves, used=used, recent=recent)

    @property
    def _curves(self) -> list[AdditiveModel | None]:
        return [model if isinstance(model, AdditiveModel) else None for model in self.models]

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
    model: ModelName = "additive",
    classifier: Classifier | None = None,
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
    model : what learns, by name
    classifier : learns instead of it: an object with ``fit`` and ``predict_proba``, as scikit-learn's classifiers
    momentum : recent change, a candidate that held-out blocks keep or drop; None leaves it out
    start : year whose drivers the projection starts with; the last date if not given
    seed : of the sampling
    resampled : whether to keep what members need to learn it anew

    Returns
    -------
    Potential, the same for any number of threads

    Raises
    ------
    ScenarioInvalid
        The classifier is none that tells chances.
    """
    learner = model if classifier is None else name_classifier(classifier)
    if classifier is None and model in CLASSIFIERS:
        classifier = make_classifier(model)
    prepared = None if classifier is None else prepare_classifier(classifier, seed)
    years = sorted(history)
    in_year = drivers if callable(drivers) else lambda _: drivers
    past = {year: in_year(year) for year in years[:-1]}
    now = in_year(years[-1] if start is None else start)
    found = workers.map(lambda name: find_edges([seen[name] for seen in past.values()], neighbourhood.grid, seed), now)
    edges = dict(zip(now, found, strict=True))
    samples = draw_samples(transitions, history, past, edges, neighbourhood, momentum, seed, workers)
    how: Any = {"drivers": len(now), "candidates": momentum.size if momentum else 0, "seed": seed}
    bootstrap = Bootstrap(tuple(samples), now, momentum) if resampled else None
    empty = replace(indifferent(transitions, neighbourhood), edges=edges, bootstrap=bootstrap, learner=learner)
    if prepared is not None:
        asked = workers.map(partial(fit_classifier, classifier=prepared, **how), samples)
        predictor = Predictor.of(transitions, asked, now, edges, neighbourhood, momentum)
        fitted = replace(empty, models=tuple(asked), predictor=predictor)
    else:
        models = workers.map(partial(fit_additive, model=model, **how), samples)
        fitted = replace(empty, models=tuple(models)).compile(now, momentum, workers)
    return replace(fitted, explained=tuple(explain(m, edges, now, neighbourhood, momentum) for m in fitted.models))
