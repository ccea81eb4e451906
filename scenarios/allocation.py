"""Step 4, allocation: which cells make the transitions that the demand asks for.

Cells are taken by stochastic top-n of integer keys over the whole grid. Only candidates leave their block: cells whose
key could still win. The choice among candidates is exact, so blocks and threads do not show in the result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from scenarios.cluster import Workers
from scenarios.grid import Block, Grid
from scenarios.kernels.assignment import NONE, assign
from scenarios.kernels.draws import SCALE, TIE_BITS
from scenarios.kernels.keys import Claims, collect, histogram
from scenarios.transitions import Transition

_LOWEST = -(64 * SCALE) << TIE_BITS  # below any key
_COARSE, _FINE = TIE_BITS + 4, 8  # bits of a bin: 1/64 of a natural-log unit, then the ties within it
_COARSE_BINS, _FINE_BINS = 256 * SCALE >> 4, 1 << 16
_SLACK = (SCALE // 4) << TIE_BITS  # how far below last year's threshold candidates are kept
_MANY = 4096


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

    It remembers where last year's thresholds lay, which saves a scan; the result does not depend on it.
    """

    grid: Grid
    blocks: Sequence[Block]
    workers: Workers
    _floors: dict[object, NDArray[np.int64]] = field(default_factory=dict)

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
        need = int(-(-demand.sum() // self.grid.row_weight.min())) + demand.size
        cells, keys = self.find_candidates(claims, need, demand > 0, account)
        weights = self.grid.row_weight[cells // self.grid.shape[1]]
        if weights.sum() < demand.sum():
            demand = np.array(share_out(int(weights.sum()), demand))
        choice = assign(keys, weights, demand)
        taken = choice != NONE
        placed = np.array([weights[choice == k].sum() for k in range(demand.size)], np.int64)
        return Placement(cells[taken], choice[taken], placed)

    def find_candidates(
        self, claims: Claims, need: int, wanted: NDArray[np.bool_], account: object
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return every cell that could win a transition, with its keys.

        Parameters
        ----------
        claims : what the cells' keys are made of
        need : rank in its keys below which no transition looks for cells. To place cell by cell it is all that is
            demanded of the class together: rivals cannot take more than that.
        wanted : (transition,) bool, which transitions look for cells
        account : whose thresholds to remember

        Returns
        -------
        (n,) int64, flat indices, rising; (n, transition) int64, keys. Some cells that rank lower may be among them.
        """
        floors = self._floors.get(account)
        if floors is not None and (floors < np.iinfo(np.int64).max)[wanted].all():
            cells, keys = self._collect(claims, floors)
            if ((keys >= floors).sum(axis=0) >= need)[wanted].all():
                self._remember(account, keys, need, wanted)
                return cells, keys
        cells, keys = self._collect(claims, self._find_floors(claims, need, wanted))
        self._remember(account, keys, need, wanted)
        return cells, keys

    def _remember(self, account: object, keys: NDArray[np.int64], need: int, wanted: NDArray[np.bool_]) -> None:
        floors = np.full(wanted.size, np.iinfo(np.int64).max)
        for k in np.flatnonzero(wanted):
            if keys.shape[0] > need:
                floors[k] = np.partition(keys[:, k], -need)[-need] - _SLACK
            else:
                floors[k] = _LOWEST
        self._floors[account] = floors

    def _find_floors(self, claims: Claims, need: int, wanted: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Find keys above which lie at least ``need`` cells: a histogram over all blocks, then one inside the bin."""
        lowest = np.full(wanted.size, _LOWEST)
        above, bins = self._rank(claims, lowest, _COARSE, _COARSE_BINS, np.full(wanted.size, need))
        floors = lowest + (bins << _COARSE)
        if (above > need + _MANY).any():
            above, bins = self._rank(claims, floors, _FINE, _FINE_BINS, np.full(wanted.size, need))
            floors = floors + (bins << _FINE)
        return np.where(wanted, floors, np.iinfo(np.int64).max)

    def _rank(
        self, claims: Claims, lowest: NDArray[np.int64], shift: int, bins: int, need: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return, per transition, the last bin with at least ``need`` cells in it and above, and how many these are."""
        parts = self.workers.map(lambda block: histogram(claims, block, lowest, shift, bins), self.blocks)
        above = np.cumsum(np.sum(parts, axis=0)[:, ::-1], axis=1)[:, ::-1]
        last = np.maximum((above >= need[:, None]).sum(axis=1) - 1, 0)
        return above[np.arange(last.size), last], last

    def _collect(self, claims: Claims, floors: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        found = self.workers.map(lambda block: _collect_block(claims, block, floors), self.blocks)
        cells = np.concatenate([cells for cells, _ in found])
        keys = np.concatenate([keys for _, keys in found])
        order = np.argsort(cells)
        return cells[order], keys[order]


def _collect_block(
    claims: Claims, block: Block, floors: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    room = _MANY
    while True:
        cells, keys = np.empty(room, np.int64), np.empty((room, floors.size), np.int64)
        found = collect(claims, block, floors, cells, keys)
        if found <= room:
            return cells[:found], keys[:found]
        room = found


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
