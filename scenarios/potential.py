"""Step 3, potential: the relative chance of each cell to make a transition, learned from the history.

The model is additive: one curve per driver and one per neighbourhood share, added up on the scale of the logarithm of
the odds, so that a planner can read why a place is likely to change. A fitted model is compiled into look-up tables
of integers; a prediction is a sum of look-ups.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from scenarios.cluster import Workers
from scenarios.drivers import Driver, Drivers, DriversByYear
from scenarios.grid import Grid
from scenarios.kernels import draws
from scenarios.kernels.potential import add_curve, levels
from scenarios.kernels.scores import Tables
from scenarios.kernels.windows import share_levels
from scenarios.learning import LINE_LEVELS, AdditiveModel, Sample, fit_additive
from scenarios.momentum import SHARE_EDGES, Momentum
from scenarios.neighbourhood import LEVELS, Neighbourhood
from scenarios.transitions import History, Transition

_EDGES = 127
_CATEGORY_EDGES = np.arange(1, 256, dtype=np.float32)  # the level of a category is its number
_EDGE_SAMPLE = 200_000
_MOST_POSITIVES = 3_000
_MOST_CONTROLS = 6_000
_SMALLEST_SPAN = 0.02  # a window that moves the odds by less than 2 % is not worth a look-up


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
        static = _score_static(self.models, ordered, self.edges, self.neighbourhood.grid, workers, self.recent)
        return replace(self, static=static)

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

    Returns
    -------
    Potential, the same for any number of threads
    """
    grid = neighbourhood.grid
    years = sorted(history)
    in_year = drivers if callable(drivers) else lambda _: drivers
    past = {year: in_year(year) for year in years[:-1]}
    now = in_year(years[-1] if start is None else start)
    edges = {name: _find_edges([seen[name] for seen in past.values()], grid, seed) for name in now}
    samples = _draw_samples(transitions, history, past, edges, neighbourhood, momentum, seed, workers)
    size, carried = (momentum.size, momentum.carried) if momentum else (0, 1.0)
    learn = partial(fit_additive, drivers=len(now), candidates=size, carried=carried, seed=seed)
    models = workers.map(learn, samples)
    column = len(now) + len(neighbourhood.windows)
    recent = _score_momentum(transitions, models, column, momentum) if momentum else None
    static = _score_static(models, now, edges, grid, workers, recent)
    curves, used = _compile_windows(models, len(now), neighbourhood)
    explained = tuple(_explain(model, edges, now, neighbourhood, momentum) for model in models)
    return Potential(tuple(transitions), static, curves, used, neighbourhood, tuple(models), explained, edges, recent)


def _find_edges(seen: Sequence[Driver], grid: Grid, seed: int) -> NDArray[np.float32]:
    """Return rising edges between which lie about equal numbers of cells, from a hashed sample of the cells.

    Parameters
    ----------
    seen : (y, x), the driver at the first date of each interval; one that holds for all years is the same object
    """
    if seen[0].dtype == np.uint8:
        return _CATEGORY_EDGES
    found = []
    for values in {id(values): values for values in seen}.values():
        cells = _thin(np.flatnonzero(np.isfinite(values)), _EDGE_SAMPLE, grid, draws.stream(seed, 1))
        found.append(values.ravel()[cells])
    sample = np.concatenate(found).astype(np.float32)
    quantiles = np.linspace(0, 1, _EDGES + 2)[1:-1]
    return np.unique(np.quantile(sample, quantiles, method="lower") if sample.size else sample).astype(np.float32)


def _thin(cells: NDArray[np.int64], most: int, grid: Grid, key: np.uint64) -> NDArray[np.int64]:
    """Keep at most so many cells: those with the smallest draws, so that chunks do not matter."""
    if cells.size <= most:
        return cells
    rows, columns = np.divmod(cells, grid.shape[1])
    chance = draws.uniforms(key, rows, columns)
    return np.sort(cells[np.argpartition(chance, most)[:most]])


def _draw_samples(
    transitions: Sequence[Transition],
    history: History,
    past: Mapping[int, Drivers],
    edges: Mapping[str, NDArray[np.float32]],
    neighbourhood: Neighbourhood,
    momentum: Momentum | None,
    seed: int,
    workers: Workers,
) -> list[Sample]:
    grid = neighbourhood.grid
    categories = tuple(f for f, each in enumerate(edges.values()) if each is _CATEGORY_EDGES)
    years = sorted(history)
    intervals = len(years) - 1
    parts: list[list[Sample]] = [[] for _ in transitions]
    for start, end in pairwise(years):
        first, last = history[start], history[end]
        counts, valid = neighbourhood.count(first, workers), neighbourhood.count_valid(first, workers)

        def describe(
            cells: NDArray[np.int64],
            counts: NDArray[np.uint16] = counts,
            valid: NDArray[np.uint16] = valid,
            drivers: Drivers = past[start],
        ) -> NDArray[np.int64]:
            columns = [levels(drivers[name].ravel()[cells], edges[name]) - 1 for name in edges]
            for w, (r, _) in enumerate(neighbourhood.windows):
                size, shift = int(neighbourhood.sizes[r]), int(neighbourhood.shifts[r])
                columns.append(share_levels(counts[w], valid[r], size, shift, cells))
            return np.stack(columns, axis=1) if columns else np.empty((cells.size, 0), np.int64)

        for t, transition in enumerate(transitions):
            at_risk = (first == transition.source) & (last != 0)
            changed = np.flatnonzero(at_risk & (last == transition.target))
            stayed = np.flatnonzero(at_risk & (last != transition.target))
            key = (seed, start, transition.source, transition.target)
            yes = _thin(changed, _MOST_POSITIVES // intervals, grid, draws.stream(*key, 2))
            no = _thin(stayed, _MOST_CONTROLS // intervals, grid, draws.stream(*key, 3))
            cells = np.concatenate([yes, no])
            change = momentum.before(start, transition) if momentum else ()
            recent = [levels(share.ravel()[cells], SHARE_EDGES) - 1 for share in change]
            parts[t].append(
                Sample(
                    levels=np.column_stack([describe(cells), *recent]),
                    changed=np.arange(cells.size) < yes.size,
                    blocks=_block_of(cells, grid),
                    weights=np.repeat(
                        [_area_ha(changed, grid) / max(yes.size, 1), _area_ha(stayed, grid) / max(no.size, 1)],
                        [yes.size, no.size],
                    ),
                    categories=categories,
                )
            )
    return [Sample.join(part) for part in parts]


def _area_ha(cells: NDArray[np.int64], grid: Grid) -> float:
    return float(np.bincount(cells // grid.shape[1], minlength=grid.shape[0]) @ grid.row_area_ha)


def _block_of(cells: NDArray[np.int64], grid: Grid) -> NDArray[np.int64]:
    """Return the cross-validation block of each cell: 5 km squares, or an eighth of a small landscape."""
    edge = max(1, min(grid.cells(5000), max(grid.shape) // 8))
    rows, columns = np.divmod(cells, grid.shape[1])
    return np.asarray(rows // edge * (grid.shape[1] // edge + 1) + columns // edge)


def _score_static(
    models: Sequence[AdditiveModel | None],
    drivers: Drivers,
    edges: Mapping[str, NDArray[np.float32]],
    grid: Grid,
    workers: Workers,
    recent: NDArray[np.int16] | None,
) -> NDArray[np.int16]:
    out = np.zeros((len(models), *grid.shape), np.int16) if recent is None else recent.copy()
    for d, (name, values) in enumerate(drivers.items()):
        table = np.zeros((len(models), edges[name].size + 2), np.int16)
        for t, model in enumerate(models):
            if model is not None:
                table[t, 1:] = model.fixed_point(d, table.shape[1] - 1)  # level 0, missing, scores 0
        workers.map(lambda block: add_curve(values, edges[name], table, block, out), grid.blocks(512))  # noqa: B023
    return out


def _score_momentum(
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


def _compile_windows(
    models: Sequence[AdditiveModel | None], first: int, neighbourhood: Neighbourhood
) -> tuple[NDArray[np.int16], NDArray[np.bool_]]:
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
    if edges is _CATEGORY_EDGES:
        found = np.unique(values[values != 0])
        return found.astype(float), found.astype(np.int64)
    known = values[np.isfinite(values)]
    reached = np.concatenate([edges, [known.min(), known.max()] if known.size else np.zeros(0 if edges.size else 2)])
    centres = np.concatenate([[reached.min()], edges, [reached.max()]]).astype(float)
    return (centres[:-1] + centres[1:]) / 2, np.arange(edges.size + 1)
