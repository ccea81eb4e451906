"""Which cell takes which transition, when several transitions out of one class compete for cells.

Every transition has a price; a cell takes the transition whose key exceeds its price most. The prices at which every
transition gets what it asks for are the dual of a transportation problem (Bertsekas 1990, doi:10.1287/inte.20.4.133),
so no transition goes first and the sum of the keys placed is the largest possible.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray

NONE = -1
"""Choice of a cell that takes no transition."""

_NEVER = np.iinfo(np.int64).max // 4
_SWEEPS = 100  # rounds of price updates; keys as they come need 2 to 5
_MOST_TOGETHER = 8  # transitions out of one class of which all sets are tried


def assign(keys: NDArray[np.int64], weights: NDArray[np.int64], demand: NDArray[np.int64]) -> NDArray[np.int64]:
    """Choose a transition, or none, for each candidate cell.

    Parameters
    ----------
    keys : (cell, transition) int64, higher is more wanted
    weights : (cell,) int64, size of each cell in the unit of the demand (1, or a share of the smallest cell)
    demand : (transition,) int64, size to place

    Returns
    -------
    (cell,) int64, the transition's number, or `NONE`. With equal weights the demand is placed to the cell while
    candidates last, and the sum of the keys is the largest possible; with unequal ones the last cell of a transition is
    taken if that brings the placed size nearer to the demand.

    Notes
    -----
    The order of the rows matters only between cells whose keys are all equal.
    """
    prices = _find_prices(keys, weights, demand)
    choice = _place(keys, weights, demand, prices)
    if demand.size > 1 and _are_equal(weights):
        _trade(keys, choice)
    return choice


def _find_prices(keys: NDArray[np.int64], weights: NDArray[np.int64], demand: NDArray[np.int64]) -> NDArray[np.int64]:
    """Move the prices of one transition, or of several together, to where they find their demand, until all do.

    The dual is L-natural-convex: where no set of prices gains by moving together, the sum is at its optimum (Murota
    2003, doi:10.1137/1.9780898718508).
    """
    prices = np.array([_interval(keys[:, j], weights, demand[j])[1] for j in range(demand.size)], np.int64)
    if demand.size == 1:
        return prices
    sets = list(_sets(np.flatnonzero(demand > 0).tolist()))
    gain = np.ascontiguousarray((keys - prices).T)  # a row for each transition: a few long rows are faster to compare
    for _ in range(_SWEEPS):
        moved = False
        for together in sets:
            rivals = [j for j in range(demand.size) if j not in together]
            margin = gain[together].max(axis=0) - gain[rivals].max(axis=0, initial=0)
            low, high = _interval(margin, weights, int(demand[together].sum()))
            if not low <= 0 <= high:
                prices[together] += high
                gain[together] -= high
                moved = True
        if not moved:
            break
    return prices


def _sets(transitions: list[int]) -> Iterator[list[int]]:
    """Yield every set of transitions, small ones first; where they are many, single ones and pairs."""
    largest = len(transitions) if len(transitions) <= _MOST_TOGETHER else 2
    for size in range(1, largest + 1):
        for together in combinations(transitions, size):
            yield list(together)


def _interval(values: NDArray[np.int64], weights: NDArray[np.int64], demand: int) -> tuple[int, int]:
    """Return the prices between which just the demand is asked for: the largest value left out, the smallest let in."""
    if demand <= 0:
        return _NEVER, _NEVER
    if values.size == 0 or weights.sum() <= demand:
        return -_NEVER, int(values.min(initial=_NEVER))
    if _are_equal(weights):
        rank = values.size - -(-demand // int(weights[0]))
        low, high = np.partition(values, [rank - 1, rank])[[rank - 1, rank]]
        return int(low), int(high)
    order = np.argsort(-values, kind="stable")
    last = int(np.searchsorted(np.cumsum(weights[order]), demand))
    return int(values[order[min(last + 1, order.size - 1)]]), int(values[order[last]])


def _are_equal(weights: NDArray[np.int64]) -> bool:
    return weights.size == 0 or bool(weights[0] == weights.min() == weights.max())


def _place(
    keys: NDArray[np.int64], weights: NDArray[np.int64], demand: NDArray[np.int64], prices: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Give each cell its best buy, take back what is too much, and fill the last few cells from those still free."""
    choice = np.full(keys.shape[0], NONE, np.int64)
    gain = keys - prices
    best = gain.argmax(axis=1) if keys.size else choice
    placed = np.zeros(demand.size, np.int64)
    for j in range(demand.size):
        bidders = np.flatnonzero((best == j) & (gain[:, j] >= 0))
        rival = np.delete(gain[bidders], j, axis=1).max(axis=1, initial=0)
        placed[j] = _take(choice, j, bidders, gain[bidders, j] - rival, weights, int(demand[j]))
    for j in range(demand.size):
        free = np.flatnonzero(choice == NONE)
        if placed[j] < demand[j]:
            placed[j] += _take(choice, j, free, gain[free, j], weights, int(demand[j] - placed[j]))
    return choice


def _take(
    choice: NDArray[np.int64],
    j: int,
    cells: NDArray[np.int64],
    values: NDArray[np.int64],
    weights: NDArray[np.int64],
    demand: int,
) -> int:
    """Give transition j the cells with the largest values, as near to the demand as whole cells come."""
    order = cells[np.argsort(-values, kind="stable")]
    total = np.cumsum(weights[order])
    count = int(np.searchsorted(total, demand, side="right"))
    if count < order.size and total[count] - demand < demand - (total[count - 1] if count else 0):
        count += 1
    choice[order[:count]] = j
    return int(total[count - 1]) if count else 0


def _trade(keys: NDArray[np.int64], choice: NDArray[np.int64]) -> None:
    """Let cells trade transitions, in rings of two or more, as long as the sum of the keys rises.

    Prices leave the last few cells undecided; without a ring that gains, the choice is the best there is.
    """
    count = keys.shape[1]
    worth = np.column_stack([keys, np.zeros(keys.shape[0], np.int64)])  # the last column: no transition
    held = np.where(choice == NONE, count, choice)
    while True:
        gain, mover = _best_moves(worth, held)
        ring = _find_ring(gain)
        if ring is None:
            break
        for source, target in pairwise(ring):
            held[mover[source, target]] = target
    choice[:] = np.where(held == count, NONE, held)


def _best_moves(worth: NDArray[np.int64], held: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return what the best move from one choice to another gains, and which cell makes it."""
    size = worth.shape[1]
    gain = np.full((size, size), -_NEVER, np.int64)
    mover = np.zeros((size, size), np.int64)
    for source in range(size):
        cells = np.flatnonzero(held == source)
        if cells.size:
            change = worth[cells] - worth[cells, source][:, None]
            best = change.argmax(axis=0)
            gain[source], mover[source] = change[best, np.arange(size)], cells[best]
    return gain, mover


def _find_ring(gain: NDArray[np.int64]) -> list[int] | None:
    """Return choices, the first again at the end, along which moves gain in sum; None if there is no such ring."""
    size = gain.shape[0]
    best = np.zeros(size, np.int64)
    before = np.full(size, -1)
    changed = -1
    for _ in range(size):
        changed = -1
        for source in range(size):
            for target in range(size):
                if source != target and best[source] + gain[source, target] > best[target]:
                    best[target] = best[source] + gain[source, target]
                    before[target] = source
                    changed = target
        if changed < 0:
            return None
    for _ in range(size):  # walk back until surely inside the ring
        changed = int(before[changed])
    ring = [changed]
    while len(ring) == 1 or ring[-1] != changed:
        ring.append(int(before[ring[-1]]))
    return ring[::-1]
