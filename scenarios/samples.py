"""Samples to learn from: cells at risk of a transition, drawn by case and control, described by levels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from scenarios.cluster import Workers
from scenarios.drivers import Driver, Drivers
from scenarios.grid import Grid
from scenarios.kernels import draws
from scenarios.kernels.potential import levels
from scenarios.kernels.windows import share_levels
from scenarios.momentum import SHARE_EDGES, Momentum
from scenarios.neighbourhood import Neighbourhood
from scenarios.transitions import History, Transition

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
    """

    levels: NDArray[np.int64]
    changed: NDArray[np.bool_]
    blocks: NDArray[np.int64]
    weights: NDArray[np.float64]
    categories: tuple[int, ...] = ()

    @staticmethod
    def join(parts: Sequence[Sample]) -> Sample:
        """Put the samples of several intervals into one."""
        return Sample(
            np.concatenate([p.levels for p in parts]),
            np.concatenate([p.changed for p in parts]),
            np.concatenate([p.blocks for p in parts]),
            np.concatenate([p.weights for p in parts]),
            parts[0].categories,
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
    grid = neighbourhood.grid
    categories = tuple(f for f, each in enumerate(edges.values()) if each is CATEGORY_EDGES)
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
