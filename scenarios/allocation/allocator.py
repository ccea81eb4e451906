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
from scenarios.projection.strips import add_up

Result = TypeVar("Result")

_LOWEST = -(64 * SCALE) << TIE_BITS  # below any key
_COARSE, _FINE = TIE_BITS + 4, 8  # bits of a bin: 1/64 of a natural-log unit, then the ties within it
_COARSE_BINS, _FINE_BINS = 256 * SCALE >> 4, 1 << 16
_SLACK = (SCALE // 4) << TIE_BITS  # how far below last year's threshold candidates are kept, or twice as many as needed
_MANY = 16_384
_NOBODY = np.iinfo(np.int64).max  # floor of a transition that looks for no cells
_MORE = 1.3  # how many more cells are looked for than are needed, where floors are guessed
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
        claims = self._look_at_strips(claims)
        floors = self._floors.get(account)
        if floors is None or (floors == _NOBODY)[wanted].any():
            floors = self._guess_floors(claims, need, wanted)
        cells, keys = self._collect(claims, floors)
        for attempt in range(_ATTEMPTS):
            found = (keys >= floors).sum(axis=0)
            if (found >= need)[wanted].all() or (floors == _LOWEST)[wanted].all():
                break
            floors = self._lower_floors(claims, floors, found, need, wanted, attempt)
            cells, keys = self._collect(claims, floors)
        self._remember(account, keys, need, wanted)
        return cells, keys

    def _look_at_strips(self, claims: Claims) -> Claims:
        """Return the claims with what the strips promise."""
        if claims.strips.size:
            return claims
        state = claims.land_cover, claims.source, claims.scores
        strips = [add_up(*state, int(slot), claims.weights, self.workers) for slot in claims.slots]
        return claims._replace(strips=np.stack(strips))

    def _guess_floors(self, claims: Claims, need: int, wanted: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Return keys above which probably lie as many cells as are needed.

        By the time of n over the sum of all weights about n clocks have struck, fewer where some weights are large.
        """
        if not claims.weights.size:
            return self._find_floors(claims, need, wanted)
        rate = np.maximum(claims.strips.sum(axis=(1, 2)), np.finfo(float).tiny)
        keys = np.log(rate / (_MORE * need)) * claims.temperature * (1 << TIE_BITS)
        return np.where(wanted, np.maximum(keys.astype(np.int64), _LOWEST), _NOBODY)

    def _lower_floors(
        self,
        claims: Claims,
        floors: NDArray[np.int64],
        found: NDArray[np.int64],
        need: int,
        wanted: NDArray[np.bool_],
        attempt: int,
    ) -> NDArray[np.int64]:
        """Return lower floors where too few cells were found; those of the last attempt are sure to let in enough."""
        if not claims.weights.size and attempt == _ATTEMPTS - 1:
            return self._find_floors(claims, need, wanted)
        down = np.full(floors.size, _SLACK)
        if claims.weights.size:
            lack = np.maximum(_MORE * need / np.maximum(found, 1), _MORE)
            down = (np.log(lack) * claims.temperature * (1 << TIE_BITS)).astype(np.int64)
        lower = np.full(floors.size, _LOWEST) if attempt == _ATTEMPTS - 1 else np.maximum(floors - down, _LOWEST)
        return np.where(wanted & (found < need), lower, floors)

    def _remember(self, account: object, keys: NDArray[np.int64], need: int, wanted: NDArray[np.bool_]) -> None:
        floors = np.full(wanted.size, _NOBODY)
        twice = min(2 * need, keys.shape[0])
        for k in np.flatnonzero(wanted):
            if keys.shape[0] > need:
                ranked = np.partition(keys[:, k], [-twice, -need])
                floors[k] = max(ranked[-twice], ranked[-need] - _SLACK)
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
        return np.where(wanted, floors, _NOBODY)

    def _rank(
        self, claims: Claims, lowest: NDArray[np.int64], shift: int, bins: int, need: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return, per transition, the last bin with at least ``need`` cells in it and above, and how many these are."""
        parts = self._do(lambda block: histogram(claims, block, lowest, shift, bins))
        above = np.cumsum(np.sum(parts, axis=0)[:, ::-1], axis=1)[:, ::-1]
        last = np.maximum((above >= need[:, None]).sum(axis=1) - 1, 0)
        return above[np.arange(last.size), last], last

    def _collect(self, claims: Claims, floors: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        found = self._do(lambda block: _collect_block(claims, block, floors))
        cells = np.concatenate([cells for cells, _ in found])
        keys = np.concatenate([keys for _, keys in found])
        order = np.argsort(cells)
        return cells[order], keys[order]

    def _do(self, function: Callable[[Block], Result]) -> list[Result]:
        """Return a function's results for all blocks, several of which make a task: a block alone is soon done."""
        tasks = _TASKS * self.workers.threads
        batches = [self.blocks[n::tasks] for n in range(min(tasks, len(self.blocks)))]
        done = self.workers.map(lambda blocks: [function(block) for block in blocks], batches)
        return [result for results in done for result in results]


def _collect_block(
    claims: Claims, block: Block, floors: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    find, room = race if claims.weights.size else collect, _MANY
    while True:
        cells, keys = np.empty(room, np.int64), np.empty((room, floors.size), np.int64)
        found = find(claims, block, floors, cells, keys)
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
