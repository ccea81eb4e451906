"""Step 4, allocation: which cells make the transitions that the demand asks for.

Cells are taken by stochastic top-n of integer keys over the whole grid. Only candidates leave their block: cells whose
key could still win. The choice among candidates is exact, so blocks and threads do not show in the result.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from scenarios.cluster import Workers
from scenarios.demand.transitions import Transition
from scenarios.grid import Block, Grid
from scenarios.kernels.assignment import NONE, assign
from scenarios.kernels.draws import SCALE, TIE_BITS
from scenarios.kernels.keys import Claims, collect, histogram
from scenarios.kernels.races import race
from scenarios.projection.strips import look_at_strips

Result = TypeVar("Result")

_LOWEST = -(64 * SCALE) << TIE_BITS  # below any key
_COARSE, _FINE = TIE_BITS + 4, 8  # bits of a bin: 1/64 of a natural-log unit, then the ties within it
_COARSE_BINS, _FINE_BINS = 256 * SCALE >> 4, 1 << 16
_SPREAD = (SCALE // 8) << TIE_BITS  # how far below last year's threshold draws are looked for
_SLACK = (SCALE // 32) << TIE_BITS  # how far below it known keys are looked for at first
_FURTHER = 8  # times as far below, where they are too few
_MANY = 16_384
_NOBODY = np.iinfo(np.int64).max  # floor of a transition that looks for no cells
_MORE = 1.3  # how many more cells are looked for than are needed, where floors are guessed
_SPARE, _SPARE_PART = 16, 16  # cells that a transition looks for beyond its demand: so many, and a sixteenth
_MOST_PARTS = 4  # of the cells that are needed: it is better to look again than to choose among more
_ATTEMPTS = 8
_TASKS = 6  # for each thread


@dataclass(frozen=True)
class Placement:
    """What one class gave away in one year.

    Parameters
    ----------
    cells : (n,) int64, flat indices, rising
    choice : (n,) int64, number of the transition
    placed : (transition,) int64, in units of the demand
    """

    cells: NDArray[np.int64]
    choice: NDArray[np.int64]
    placed: NDArray[np.int64]


@dataclass(frozen=True)
class Change:
    """Whose demand is placed: the transitions out of one class, in a year.

    Parameters
    ----------
    transitions : in the order of the demand
    year : calendar year; does not count where accounts are compared
    """

    transitions: tuple[Transition, ...]
    year: int = field(compare=False)


class Market(Protocol):
    """A rule by which the changes of the market are placed, year after year on one grid."""

    def place(self, claims: Claims, demand: NDArray[np.int64], account: Change) -> Placement:
        """Place the demand of all transitions out of one class; see `Allocator.place`."""
        ...


@dataclass
class Allocator:
    """Allocates year after year on one grid.

    It remembers the last key that was needed, which saves a scan a year later; the result does not depend on it.
    """

    grid: Grid
    blocks: Sequence[Block]
    workers: Workers
    _last: dict[object, NDArray[np.int64]] = field(default_factory=dict)

    def place(self, claims: Claims, demand: NDArray[np.int64], account: object) -> Placement:
        """Place the demand of all transitions out of one class.

        Parameters
        ----------
        claims : what the cells' keys are made of
        demand : (transition,) int64, in units of the grid's weights
        account : whose thresholds to remember

        Returns
        -------
        Placement; less is placed than demanded only where cells run out, and then every transition lacks the same share
        """
        if not (demand > 0).any():
            return Placement(np.empty(0, np.int64), np.empty(0, np.int64), np.zeros(demand.size, np.int64))
        for need in self._count_needs(demand):
            cells, keys, floors = self.find_candidates(claims, need, account)
            weights = self.grid.row_weight[cells // self.grid.shape[1]]
            scarce = weights.sum() < demand.sum()
            choice = assign(keys, weights, np.array(share_out(int(weights.sum()), demand)) if scarce else demand)
            if not scarce and _is_enough(keys, choice, floors, demand):
                break
        taken = choice != NONE
        placed = np.array([weights[choice == k].sum() for k in range(demand.size)], np.int64)
        return Placement(cells[taken], choice[taken], placed)

    def _count_needs(self, demand: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        """Return how many cells each transition looks for, (transition,): first those that are likely to be enough.

        All that is demanded of the class together is enough for each: rivals cannot take more than that. Where cells
        differ in size, it is not told from fewer whether they were.
        """
        smallest = int(self.grid.row_weight.min())
        whole = np.where(demand > 0, -(-demand.sum() // smallest) + demand.size, 0)
        if smallest < self.grid.row_weight.max():
            return [whole]
        likely = demand // smallest
        return [np.where(demand > 0, np.minimum(whole, likely + likely // _SPARE_PART + _SPARE), 0), whole]

    def find_candidates(
        self, claims: Claims, need: NDArray[np.int64], account: object
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Return the cells that could win a transition, with their keys.

        Parameters
        ----------
        claims : what the cells' keys are made of
        need : (transition,) int64, at least so many of the highest keys of each are found, or all; 0: it looks for none
        account : whose thresholds to remember

        Returns
        -------
        (n,) int64, flat indices, rising; (n, transition) int64, keys; (transition,) int64, floors: every cell with a
        key on or above one of them is among those found. Some others may be, too.
        """
        claims = look_at_strips(claims, self.workers)
        last = self._last.get(account)
        if last is not None and (last == _NOBODY)[need > 0].any():
            last = None  # one that looked for nobody looks now
        search = self._draw_candidates if claims.weights.size else self._rank_candidates
        cells, keys, floors = search(claims, need, last)
        self._remember(account, keys, need)
        return cells, keys, floors

    def _draw_candidates(
        self, claims: Claims, need: NDArray[np.int64], last: NDArray[np.int64] | None
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Find candidates that are drawn by strips: with floors that are guessed, until they let in enough."""
        floors = self._guess_floors(claims, need) if last is None else _below(last, _SPREAD, need)
        most = _MOST_PARTS * int(need.sum()) + _MANY
        for _ in range(_ATTEMPTS):
            cells, keys, total = self._collect(claims, floors, most)
            found = (keys >= floors).sum(axis=0)
            if total > most:  # it would take long to choose among them
                up = int(np.log(total / (_MORE * need.sum())) * claims.temperature * (1 << TIE_BITS))
                floors = np.where(need > 0, floors + up, floors)
            elif (found < need).any() and (floors > _LOWEST)[need > 0].any():
                lack = np.log(np.maximum(_MORE * need / np.maximum(found, 1), _MORE))
                down = (lack * claims.temperature * (1 << TIE_BITS)).astype(np.int64)
                floors = np.where((need > 0) & (found < need), np.maximum(floors - down, _LOWEST), floors)
            else:
                return cells, keys, floors
        floors = np.where(need > 0, _LOWEST, _NOBODY)
        return *self._collect(claims, floors, claims.land_cover.size)[:2], floors

    def _guess_floors(self, claims: Claims, need: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return keys above which probably lie as many cells as are needed.

        By the time of n over the sum of all weights about n clocks have struck, fewer where some weights are large.
        """
        promised = [claims.strips[:, :, place].sum(dtype=float) for place in claims.places]
        rate = np.maximum(np.array(promised) * claims.units, np.finfo(float).tiny)
        keys = np.log(rate / (_MORE * np.maximum(need, 1))) * claims.temperature * (1 << TIE_BITS)
        return np.where(need > 0, np.maximum(keys.astype(np.int64), _LOWEST), _NOBODY)

    def _rank_candidates(
        self, claims: Claims, need: NDArray[np.int64], last: NDArray[np.int64] | None
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Find candidates whose keys are known: with floors that let in just enough.

        They are found by a histogram over all blocks, down to ever further below the last key of the year before, and
        then one inside the bin.
        """
        slack = _SLACK
        while True:
            lowest = _below(np.full(need.size, _LOWEST) if last is None else last, slack, need)
            above, bins = self._rank(claims, lowest, _COARSE, _COARSE_BINS, need)
            if (above >= need).all() or (lowest == _LOWEST)[above < need].all():
                break
            slack *= _FURTHER
        floors = np.where(need > 0, lowest + (bins << _COARSE), _NOBODY)
        if (above > need + _MANY).any():
            above, bins = self._rank(claims, floors, _FINE, _FINE_BINS, need)
            floors = np.where(need > 0, floors + (bins << _FINE), _NOBODY)
        return *self._collect(claims, floors, int(above.sum()) + 1)[:2], floors

    def _remember(self, account: object, keys: NDArray[np.int64], need: NDArray[np.int64]) -> None:
        last = np.full(need.size, _NOBODY)
        for k in np.flatnonzero(need):
            enough = keys.shape[0] >= need[k]
            last[k] = max(np.partition(keys[:, k], -need[k])[-need[k]], _LOWEST) if enough else _LOWEST
        self._last[account] = last

    def _rank(
        self, claims: Claims, lowest: NDArray[np.int64], shift: int, bins: int, need: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return, per transition, the last bin with at least ``need`` cells in it and above, and how many these are."""
        parts = self._do(lambda blocks: histogram(claims, blocks, lowest, shift, bins))
        above = np.cumsum(np.sum(parts, axis=0)[:, ::-1], axis=1)[:, ::-1]
        last = np.maximum((above >= need[:, None]).sum(axis=1) - 1, 0)
        return above[np.arange(last.size), last], last

    def _collect(
        self, claims: Claims, floors: NDArray[np.int64], most: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
        """Return the cells with a key on or above a floor, and their keys; and how many, where they are too many."""
        find = race if claims.weights.size else collect

        def collect_in(blocks: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
            room = min(most, int((np.diff(blocks[:, :2]) * np.diff(blocks[:, 2:])).sum()))
            # Pages that are not written to take no memory.
            cells, keys = np.empty(room, np.int64), np.empty((room, floors.size), np.int64)
            found = find(claims, blocks, floors, cells, keys)
            kept = found if found <= room else 0
            return cells[:kept].copy(), keys[:kept].copy(), found

        parts = self._do(collect_in)
        total = sum(found for *_, found in parts)
        if total > most:
            return np.empty(0, np.int64), np.empty((0, floors.size), np.int64), total
        cells, keys = (np.concatenate([part[n] for part in parts]) for n in (0, 1))
        order = np.argsort(cells)
        return cells[order], keys[order], total

    def _do(self, function: Callable[[NDArray[np.int64]], Result]) -> list[Result]:
        """Return a function's results for all blocks, (n, 4) at a time: a block alone is soon done."""
        blocks = np.array(self.blocks, np.int64).reshape(-1, 4)
        tasks = min(_TASKS * self.workers.threads, len(blocks))
        return self.workers.map(function, [np.ascontiguousarray(blocks[n::tasks]) for n in range(tasks)])


def _below(keys: NDArray[np.int64], slack: int, need: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return floors somewhat below some keys; nobody's for a transition that looks for no cells."""
    return np.where(need > 0, np.maximum(keys - slack, _LOWEST), _NOBODY)


def _is_enough(
    keys: NDArray[np.int64], choice: NDArray[np.int64], floors: NDArray[np.int64], demand: NDArray[np.int64]
) -> bool:
    """Tell whether no other cell could make the sum of the keys larger.

    It could not if each transition has left a cell with a key on or above its floor: to this transition, any cell that
    was not collected is worth less.
    """
    left = keys[choice == NONE]
    return bool(((left >= floors).any(axis=0) | (floors == _LOWEST))[demand > 0].all())


def share_out(amount: int, parts: NDArray[np.int64]) -> list[int]:
    """Cut a whole amount in proportion to parts; what is left after rounding down goes to the largest rests.

    Parameters
    ----------
    amount : not more than the sum of the parts
    parts : (n,) int64, 0 or more

    Returns
    -------
    list of int, whose sum is the amount
    """
    total = int(parts.sum())
    if total == 0:
        return [0] * parts.size
    # Python's integers: the products pass 64 bits.
    whole = [amount * int(part) // total for part in parts]
    rests = [amount * int(part) % total for part in parts]
    for n in sorted(range(parts.size), key=lambda n: (-rests[n], n))[: amount - sum(whole)]:
        whole[n] += 1
    return whole
