"""Samples to learn from: cells at risk of a transition, drawn by case and control, described by levels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from scenarios.cluster import Workers
from scenarios.demand.transitions import History, Transition
from scenarios.grid import Grid, bands
from scenarios.kernels import draws
from scenarios.kernels.potential import levels
from scenarios.kernels.windows import Counts, share_levels
from scenarios.potential.bases import LINE_LEVELS
from scenarios.potential.drivers import Driver, Drivers
from scenarios.potential.momentum import SHARE_EDGES, Momentum
from scenarios.potential.neighbourhood import Neighbourhood
from scenarios.potential.thinning import Few

CATEGORY_EDGES = np.arange(1, 256, dtype=np.float32)
"""Edges between the levels of a driver of categories: the level of a category is its number."""

_EDGES = 127
_EDGE_SAMPLE = 200_000
_MOST_POSITIVES = 3_000
_MOST_CONTROLS = 6_000


@dataclass(frozen=True, eq=False)
class Sample:
    """Cells at risk of one transition.

    Parameters
    ----------
    levels : (cell, feature) int64, level of each driver or share; below 0 = missing
    changed : (cell,) bool, whether the cell made the transition
    blocks : (cell,) int64, spatial block of the cell, for cross-validation
    weights : (cell,) float64, how many hectares of the landscape each one stands for
    categories : features whose levels are categories, without an order; 0 = missing there, too
    values : for each feature, (level,) float64, the value that each of its levels stands for; empty: the levels are it
    """

    levels: NDArray[np.int64]
    changed: NDArray[np.bool_]
    blocks: NDArray[np.int64]
    weights: NDArray[np.float64]
    categories: tuple[int, ...] = ()
    values: tuple[NDArray[np.float64], ...] = ()

    @staticmethod
    def join(parts: Sequence[Sample]) -> Sample:
        """Put the samples of several intervals into one."""
        return Sample(
            np.concatenate([p.levels for p in parts]),
            np.concatenate([p.changed for p in parts]),
            np.concatenate([p.blocks for p in parts]),
            np.concatenate([p.weights for p in parts]),
            parts[0].categories,
            parts[0].values,
        )

    def repeat(self, copies: NDArray[np.int64]) -> Sample:
        """Take each cell so many times, (cell,); 0 leaves it out."""
        return replace(
            self,
            levels=np.repeat(self.levels, copies, axis=0),
            changed=np.repeat(self.changed, copies),
            blocks=np.repeat(self.blocks, copies),
            weights=np.repeat(self.weights, copies),
        )

    def values_of(self, feature: int) -> NDArray[np.float64]:
        """Return the values that a feature's levels stand for."""
        if self.values:
            return self.values[feature]
        return np.arange(self.levels[:, feature].max(initial=0) + 1.0)


def find_edges(seen: Sequence[Driver], grid: Grid, seed: int) -> NDArray[np.float32]:
    """Return rising edges between which lie about equal numbers of cells, from a hashed sample of the cells.

    Parameters
    ----------
    seen : (y, x), the driver at the first date of each interval; one that holds for all years is the same object
    """
    if seen[0].dtype == np.uint8:
        return CATEGORY_EDGES
    found = []
    for values in {id(values): values for values in seen}.values():
        few = Few(_EDGE_SAMPLE, grid, draws.stream(seed, 1))
        for rows in bands(grid.shape):
            few.show(np.isfinite(values[rows]), rows.start)
        found.append(values.ravel()[few.take()])
    sample = np.concatenate(found).astype(np.float32)
    quantiles = np.linspace(0, 1, _EDGES + 2)[1:-1]
    return np.unique(np.quantile(sample, quantiles, method="lower") if sample.size else sample).astype(np.float32)


def draw_samples(
    transitions: Sequence[Transition],
    history: History,
    past: Mapping[int, Drivers],
    edges: Mapping[str, NDArray[np.float32]],
    neighbourhood: Neighbourhood,
    momentum: Momentum | None,
    seed: int,
    workers: Workers,
) -> list[Sample]:
    """Draw the sample of each transition from all intervals of the history.

    Parameters
    ----------
    past : drivers by the first date of each interval
    edges : between the levels of each driver, by name
    momentum : recent change; None leaves it out
    seed : of the drawing

    Returns
    -------
    One sample per transition; its features are the drivers, the windows, and the windows of recent change
    """
    categories = tuple(f for f, each in enumerate(edges.values()) if each is CATEGORY_EDGES)
    values = _list_values(edges, neighbourhood, momentum)
    years = sorted(history)
    parts: list[list[Sample]] = [[] for _ in transitions]
    for start, end in pairwise(years):
        drawn = _draw_cells(transitions, history, (start, end), len(years) - 1, neighbourhood.grid, seed, workers)
        everywhere = np.concatenate([each.cells for each in drawn])
        counts, valid = neighbourhood.count_at(everywhere, history[start], workers)
        shares = _describe_shares(neighbourhood, counts, valid, np.arange(everywhere.size))
        known = _put_beside(everywhere.size, _describe_drivers(everywhere, past[start], edges) + shares)
        ends = np.cumsum([each.cells.size for each in drawn])[:-1]
        for t, (each, levels_there) in enumerate(zip(drawn, np.split(known, ends), strict=True)):
            change = momentum.before(start, transitions[t]) if momentum else ()
            parts[t].append(
                Sample(
                    levels=np.column_stack([levels_there, *describe_momentum(each.cells, change)]),
                    changed=each.changed,
                    blocks=_block_of(each.cells, neighbourhood.grid),
                    weights=each.weights,
                    categories=categories,
                    values=values,
                )
            )
    return [Sample.join(part) for part in parts]


@dataclass(frozen=True, eq=False)
class _Drawn:
    """Cells of one interval at risk of one transition: flat indices, whether they changed, and hectares of each."""

    cells: NDArray[np.int64]
    changed: NDArray[np.bool_]
    weights: NDArray[np.float64]


def _draw_cells(
    transitions: Sequence[Transition],
    history: History,
    interval: tuple[int, int],
    intervals: int,
    grid: Grid,
    seed: int,
    workers: Workers,
) -> list[_Drawn]:
    """Draw cells of one of several intervals for each transition, some rows at a time."""
    first, last = (history[year] for year in interval)

    def draw(transition: Transition) -> _Drawn:
        key = (seed, interval[0], transition.source, transition.target)
        yes = Few(_MOST_POSITIVES // intervals, grid, draws.stream(*key, 2))
        no = Few(_MOST_CONTROLS // intervals, grid, draws.stream(*key, 3))
        for rows in bands(grid.shape):
            at_risk = (first[rows] == transition.source) & (last[rows] != 0)
            came = last[rows] == transition.target
            yes.show(at_risk & came, rows.start)
            no.show(at_risk & ~came, rows.start)
        changed, stayed = yes.take(), no.take()
        weights = [yes.area_ha / max(changed.size, 1), no.area_ha / max(stayed.size, 1)]
        sizes = [changed.size, stayed.size]
        return _Drawn(np.concatenate([changed, stayed]), np.repeat([True, False], sizes), np.repeat(weights, sizes))

    return workers.map(draw, transitions)


def describe_cells(
    cells: NDArray[np.int64],
    drivers: Drivers,
    edges: Mapping[str, NDArray[np.float32]],
    neighbourhood: Neighbourhood,
    counts: Counts,
    valid: Counts,
) -> NDArray[np.int64]:
    """Return the level of each driver and window, (cell, feature) int64; -1 = missing.

    Parameters
    ----------
    cells : (cell,) int64, flat indices
    drivers : (y, x) by name
    edges : between their levels, by name
    counts, valid : of the neighbourhood, (y, x, window) and (radius, y, x)
    """
    columns = _describe_drivers(cells, drivers, edges) + _describe_shares(neighbourhood, counts, valid, cells)
    return _put_beside(cells.size, columns)


def _put_beside(cells: int, columns: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Return columns as a table of so many rows, even where there are none."""
    return np.stack(columns, axis=1) if columns else np.empty((cells, 0), np.int64)


def _describe_drivers(
    cells: NDArray[np.int64], drivers: Drivers, edges: Mapping[str, NDArray[np.float32]]
) -> list[NDArray[np.int64]]:
    return [levels(drivers[name].ravel()[cells], edges[name]) - 1 for name in edges]


def _describe_shares(
    neighbourhood: Neighbourhood, counts: Counts, valid: Counts, cells: NDArray[np.int64]
) -> list[NDArray[np.int64]]:
    columns = []
    for w, (r, _) in enumerate(neighbourhood.windows):
        size, shift = int(neighbourhood.sizes[r]), int(neighbourhood.shifts[r])
        columns.append(share_levels(counts[:, :, w], valid[r], size, shift, cells))
    return columns


def describe_momentum(cells: NDArray[np.int64], recent: Iterable[NDArray[np.float32]]) -> list[NDArray[np.int64]]:
    """Return the level of each share of recent change, (cell,) int64; -1 = missing."""
    return [levels(share.ravel()[cells], SHARE_EDGES) - 1 for share in recent]


def _list_values(
    edges: Mapping[str, NDArray[np.float32]], neighbourhood: Neighbourhood, momentum: Momentum | None
) -> tuple[NDArray[np.float64], ...]:
    """Return what the levels of each feature stand for: the middle between two edges, a category, or a share."""
    out = []
    for each in edges.values():
        reached = np.concatenate([each[:1], each, each[-1:]]).astype(float) if each.size else np.zeros(2)
        out.append(np.arange(256.0) if each is CATEGORY_EDGES else (reached[:-1] + reached[1:]) / 2)
    for r, _ in neighbourhood.windows:
        top = int(neighbourhood.sizes[r]) >> int(neighbourhood.shifts[r])
        out.append(np.arange(top + 1) / top)
    recent = np.arange(LINE_LEVELS + 1) / LINE_LEVELS
    return (*out, *[recent] * (momentum.size if momentum else 0))


def _block_of(cells: NDArray[np.int64], grid: Grid) -> NDArray[np.int64]:
    """Return the cross-validation block of each cell: 5 km squares, or an eighth of a small landscape."""
    edge = max(1, min(grid.cells(5000), max(grid.shape) // 8))
    rows, columns = np.divmod(cells, grid.shape[1])
    return np.asarray(rows // edge * (grid.shape[1] // edge + 1) + columns // edge)
