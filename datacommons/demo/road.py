"""Roads: paths of least effort between settlements, out of the basin by its mouth and over a pass."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, sparse
from scipy.sparse import csgraph

from datacommons.demo.settlement import Settlement
from datacommons.demo.texture import BoolGrid, FloatGrid, quantise
from datacommons.demo.water import Waters
from scenarios.kernels.drainage import Indices

_COARSENESS = 3
_TOWNS, _LARGE_VILLAGES = 3, 10
_STEPS = ((0, 1), (1, 0), (1, 1), (1, -1))


@dataclass(frozen=True)
class Roads:
    """Roads as cells and as lines.

    Parameters
    ----------
    cells : (y, x) bool
    lines : list of (n, 2) float64
        Row and column, in cells from the upper left corner of the grid.
    ranks : list of int
        1 for those between towns and the ways out, 3 for those between the smallest villages.
    """

    cells: BoolGrid
    lines: list[FloatGrid]
    ranks: list[int]


@dataclass(frozen=True)
class _Journeys:
    """Least effort from the nearest site to each node, and the way back there."""

    effort: NDArray[np.float64]
    previous: NDArray[np.int32]
    site: NDArray[np.int32]


def build_roads(
    rng: np.random.Generator, waters: Waters, settlements: list[Settlement], water: BoolGrid, cell_size_m: float
) -> Roads:
    """Connect the settlements.

    Parameters
    ----------
    rng : numpy.random.Generator
    waters : Waters
    settlements : list of Settlement
        The largest first.
    water : (y, x) bool
        Rivers and lakes, which roads avoid or bridge.
    cell_size_m : float

    Returns
    -------
    Roads
    """
    shape = tuple(size // _COARSENESS for size in water.shape)
    graph = _efforts(rng, waters, water, cell_size_m)
    exits = [_mouth(waters), _pass(waters)]
    places = [(place.row, place.column) for place in settlements] + exits
    nodes = np.array([_node(row, column, shape) for row, column in places])
    journeys = _Journeys(*csgraph.dijkstra(graph, indices=nodes, min_only=True, return_predecessors=True))
    cells = np.zeros(water.shape, np.bool_)
    lines, ranks = [], []
    for start, end in _links(graph, journeys, nodes):
        path = [*reversed(_walk_back(journeys.previous, start)), *_walk_back(journeys.previous, end)]
        lines.append(_round_off(np.array(path), shape[1]))
        ranks.append(sum(_rank(nodes, node, len(settlements)) for node in (path[0], path[-1])) // 2)
        _pave(cells, lines[-1])
    return Roads(cells & waters.basin & ~waters.lakes, lines, ranks)


def _efforts(rng: np.random.Generator, waters: Waters, water: BoolGrid, cell_size_m: float) -> sparse.csr_array:
    """Weigh every step between neighbouring coarse cells, in metres of level road."""
    height, wet = _block_mean(waters.elevation_m), _block_mean(water.astype(np.float64))
    open_land = _block_mean(waters.basin.astype(np.float64)) > 0.5
    lake = _block_mean(waters.lakes.astype(np.float64)) > 0.0
    node = np.arange(height.size, dtype=np.int32).reshape(height.shape)
    # A little chance, so that no two ways are equally good and the choice is not left to the search.
    extra = 600.0 * wet + 20000.0 * lake + 0.1 * cell_size_m * rng.random(height.shape)
    starts, ends, weights = [], [], []
    for down, right in _STEPS:
        here = np.s_[: height.shape[0] - down, max(0, -right) : height.shape[1] - max(0, right)]
        there = np.s_[down:, max(0, right) : height.shape[1] + min(0, right)]
        length = cell_size_m * _COARSENESS * float(np.sqrt(down**2 + right**2))
        grade = np.abs(height[there] - height[here]) / length
        effort = length * (1.0 + (grade / 0.05) ** 2) + extra[here] + extra[there]
        passable = open_land[here] & open_land[there]
        starts.append(node[here][passable])
        ends.append(node[there][passable])
        weights.append(quantise(effort[passable], 1e-3))
    pairs = (np.concatenate(starts), np.concatenate(ends))
    one_way = sparse.coo_array((np.concatenate(weights), pairs), shape=(height.size, height.size))
    return sparse.csr_array(one_way + one_way.T)


def _links(graph: sparse.csr_array, journeys: _Journeys, nodes: Indices) -> list[tuple[int, int]]:
    """Choose between which nodes to join neighbouring sites: a tree, and detours worth a shortcut.

    Where the surroundings of two sites meet, the easiest step between them gives the easiest road.
    """
    steps = sparse.coo_array(sparse.triu(graph))
    rank = np.full(graph.shape[0], -1)
    rank[nodes] = np.arange(nodes.size)
    known = np.isfinite(journeys.effort)
    site = np.where(known, rank[np.where(known, journeys.site, 0)], -1)
    start, end = steps.coords
    between = (site[start] >= 0) & (site[end] >= 0) & (site[start] != site[end])
    start, end = start[between], end[between]
    effort = quantise(journeys.effort[start] + steps.data[between] + journeys.effort[end], 1e-3)
    tree = np.full((nodes.size, nodes.size), np.inf)
    np.fill_diagonal(tree, 0.0)
    chosen, seen = [], set()
    for step in np.lexsort((end, start, effort)):
        one, other = sorted((int(site[start[step]]), int(site[end[step]])))
        if (one, other) in seen:
            continue
        seen.add((one, other))
        if effort[step] * 2.2 < tree[one, other]:
            chosen.append((int(start[step]), int(end[step])))
            _join(tree, one, other, float(effort[step]))
    return chosen


def _join(tree: FloatGrid, one: int, other: int, effort: float) -> None:
    """Shorten the efforts between all sites by a new road."""
    via = np.minimum(tree[:, [one]] + tree[[other], :], tree[:, [other]] + tree[[one], :]) + effort
    np.minimum(tree, via, out=tree)


def _walk_back(previous: NDArray[np.int32], node: int) -> list[int]:
    path = [node]
    while previous[path[-1]] >= 0:
        path.append(int(previous[path[-1]]))
    return path


def _rank(nodes: Indices, node: int, settlements: int) -> int:
    """Return how much a site matters, 1 the most: the ways out come behind the settlements."""
    place = int(np.flatnonzero(nodes == node)[0])
    return 1 if place < _TOWNS or place >= settlements else 2 if place < _LARGE_VILLAGES else 3


def _round_off(path: Indices, columns: int) -> FloatGrid:
    """Round off a path over coarse cells; return rows and columns on the grid, three a cell, (n, 2)."""
    centres = (np.stack(np.divmod(path, columns)) + 0.5) * _COARSENESS
    rounded = ndimage.gaussian_filter1d(centres, 1.6, axis=1, mode="nearest")
    rounded[:, [0, -1]] = centres[:, [0, -1]]
    points = np.linspace(0.0, path.size - 1.0, (path.size - 1) * 3 * _COARSENESS + 1)
    line = [quantise(np.interp(points, np.arange(path.size), axis), 1e-6) for axis in rounded]
    return np.stack(line, axis=1)


def _pave(cells: BoolGrid, line: FloatGrid) -> None:
    rows, columns = line.astype(np.int64).T
    cells[rows, columns] = True


def _mouth(waters: Waters) -> tuple[int, int]:
    """Find where the main river leaves, a few cells inland."""
    cell = int(waters.drainage.outlet()[waters.basin][0])
    row, column = divmod(cell, waters.basin.shape[1])
    inner = ndimage.binary_erosion(waters.basin, iterations=_COARSENESS)
    return _nearest(inner, row, column)


def _pass(waters: Waters) -> tuple[int, int]:
    """Find the lowest saddle on the divide in the half of the basin that is far from its mouth."""
    row, column = _mouth(waters)
    inner = ndimage.binary_erosion(waters.basin, iterations=_COARSENESS)
    divide = inner & ~ndimage.binary_erosion(inner)
    rows, columns = np.indices(divide.shape)
    away = (rows - row) ** 2 + (columns - column) ** 2
    far = divide & (away > 0.5 * away[divide].max())
    lowest = int(np.argmin(np.where(far, waters.elevation_m, np.inf)))
    return lowest // divide.shape[1], lowest % divide.shape[1]


def _nearest(mask: BoolGrid, row: int, column: int) -> tuple[int, int]:
    rows, columns = np.nonzero(mask)
    best = int(np.argmin((rows - row) ** 2 + (columns - column) ** 2))
    return int(rows[best]), int(columns[best])


def _node(row: int, column: int, shape: tuple[int, ...]) -> int:
    coarse_row = min(row // _COARSENESS, shape[0] - 1)
    return coarse_row * shape[1] + min(column // _COARSENESS, shape[1] - 1)


def _block_mean(field: FloatGrid) -> FloatGrid:
    rows, columns = (size // _COARSENESS for size in field.shape)
    whole = field[: rows * _COARSENESS, : columns * _COARSENESS]
    return quantise(whole.reshape(rows, _COARSENESS, columns, _COARSENESS).mean(axis=(1, 3)), 1e-6)
