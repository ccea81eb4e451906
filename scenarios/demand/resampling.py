"""How sure the observed rates are: transition tables drawn anew from what independent places say of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from scenarios.demand.rates import transition_matrix
from scenarios.demand.transitions import History, TransitionTable, tabulate_cells
from scenarios.grid import Grid
from scenarios.kernels import draws

_BLOCK_M = 5000
_BLOCKS_ACROSS = 8
_DEMAND = 0x64656D616E64  # "demand": keeps these draws apart from those of cells and protections


def effective_samples(history: History, tables: Sequence[TransitionTable], grid: Grid) -> list[NDArray[np.float64]]:
    """Count how many independent places each row of each table is worth.

    Parameters
    ----------
    history : land-cover maps by year
    tables : cross-tabulations of two of its dates each

    Returns
    -------
    (class,) float64 for each table, 1 or more where the class has area

    Notes
    -----
    Cells are no independent witnesses: change comes in clumps. The landscape is cut into blocks of 5 km (an eighth of
    its longer side, where that is less), each taken as one cluster. With the area ``a_bi`` of class i in block b and
    its part ``a_bij`` that became j, the share ``p_ij`` is a ratio of sums with the variance ::

        v_ij = B / (B - 1) · Σ_b (a_bij - p_ij a_bi)² / (Σ_b a_bi)²

    (Cochran 1977, chapter 11), and the row is worth ``n_i = Σ_j p_ij (1 - p_ij) / Σ_j v_ij`` draws: the number of
    cells over Kish's design effect, pooled over the targets. It is never more than the number of cells, and 1 where
    fewer than two blocks hold the class.
    """
    edge = max(1, min(grid.cells(_BLOCK_M), max(grid.shape) // _BLOCKS_ACROSS))
    return [_effective(_tabulate_blocks(history, table, grid, edge), grid) for table in tables]


def _tabulate_blocks(history: History, table: TransitionTable, grid: Grid, edge: int) -> NDArray[np.float64]:
    """Cross-tabulate every block; (block, class, class) hectares."""
    first, last = history[table.start], history[table.end]
    parts = []
    for top, bottom, left, right in grid.blocks(edge):
        here = slice(top, bottom), slice(left, right)
        parts.append(tabulate_cells(first[here], last[here], table.legend.values, grid.row_weight[top:bottom]))
    return np.stack(parts) * grid.weight_ha


def _effective(area: NDArray[np.float64], grid: Grid) -> NDArray[np.float64]:
    size = area.shape[1]
    held = area.sum(axis=2)
    share = transition_matrix(area.sum(axis=0))
    out = np.ones(size)
    for row in range(size):
        blocks = np.count_nonzero(held[:, row])
        total = held[:, row].sum()
        if blocks < 2:
            continue
        surplus = area[:, row] - share[row] * held[:, [row]]
        variance = blocks / (blocks - 1) * (surplus**2).sum() / total**2
        spread = (share[row] * (1 - share[row])).sum()
        cells = max(1.0, total / grid.row_area_ha.mean())
        out[row] = np.clip(spread / variance, 1, cells) if variance > 0 else cells
    return out


def resample(
    tables: Sequence[TransitionTable], samples: Sequence[NDArray[np.float64]], *, seed: int, member: int
) -> list[TransitionTable]:
    """Draw each row of each table anew, as one member of an ensemble sees it.

    Parameters
    ----------
    tables : the observed cross-tabulations
    samples : how many independent places each row is worth, from `effective_samples`
    seed, member : all that the draw hangs on, so that scenarios share it

    Returns
    -------
    Tables with the observed row sums, in hectares, times the weight of their interval. What was never observed stays
    at 0.

    Notes
    -----
    Row i follows the Dirichlet distribution with the parameters ``n_i p_ij``: the posterior of its shares where nothing
    is known beforehand (Rubin 1981, doi:10.1214/aos/1176345338). Its mean is the observed row. Which of several
    intervals the future resembles is not known either: their weights are drawn in the same way, as the shares of a flat
    Dirichlet distribution.
    """
    rng = np.random.Generator(np.random.PCG64(int(draws.stream(seed, member, _DEMAND))))
    weights = rng.dirichlet(np.ones(len(tables))) * len(tables)
    rows = zip(tables, samples, weights, strict=True)
    return [_draw(table, sample, weight, rng) for table, sample, weight in rows]


def _draw(
    table: TransitionTable, sample: NDArray[np.float64], weight: float, rng: np.random.Generator
) -> TransitionTable:
    area = table.area_ha.copy()
    for row, share in enumerate(transition_matrix(area)):
        seen = share > 0
        if np.count_nonzero(seen) > 1:
            area[row, seen] = rng.dirichlet(sample[row] * share[seen]) * area[row].sum()
    return replace(table, area_ha=area * weight)
