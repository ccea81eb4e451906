"""Step 4, allocation in patches: seeds are drawn over the whole grid, and patches grow from them.

Patches compete for seeds and cells in one queue, whatever their transition. The queue and the growth are sequential and
know nothing of blocks; only the seeds are looked for block by block.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from scenarios.allocation.allocator import Allocator, Change, Placement, share_out
from scenarios.allocation.patches import PatchRules, fix_preference, fix_share
from scenarios.allocation.seeds import SeedSearch
from scenarios.demand.transitions import Transition
from scenarios.kernels import draws
from scenarios.kernels.growth import EXPANSION, SHARE_BITS, Field, Growth, Habits, Past, Unfinished, grow
from scenarios.kernels.keys import Claims

_NEVER = np.iinfo(np.int64).min
_KIND = 1  # counter that tells the draws of the kind of patch from those of the keys


@dataclass(frozen=True, eq=False)
class Cut:
    """A patch that the demand of a year has cut."""

    cells: NDArray[np.int64]  # (n,) flat indices
    rest: int  # what is still to come, in units of the demand
    kind: int  # EXPANSION or NEW


@dataclass(frozen=True, eq=False)
class PatchNotes:
    """What one year adds to the memory of patches.

    Parameters
    ----------
    cells : (n,) int64, flat indices of the cells that a patch was written to, rising
    numbers : (n,) int32, of their patches
    kinds : (patch,) int64, transition of each new patch
    born : (patch,) int64, calendar year of each new patch
    known : the transitions so far; the first has the number 1
    cuts : the patches that wait to go on, by the transitions out of a class and the place of theirs among them
    """

    cells: NDArray[np.int64]
    numbers: NDArray[np.int32]
    kinds: NDArray[np.int64]
    born: NDArray[np.int64]
    known: tuple[Transition, ...]
    cuts: Mapping[tuple[tuple[Transition, ...], int], Cut]


_NONE = Cut(np.empty(0, np.int64), 0, EXPANSION)


@dataclass(eq=False)
class _Memory:
    """The patches of all years: which cell is of which, of which transition and year each one is."""

    patch: NDArray[np.int32]  # (y, x) number of the patch, 0 = none
    kinds: NDArray[np.int64] = field(default_factory=lambda: np.zeros(1, np.int64))  # (patch,)
    born: NDArray[np.int64] = field(default_factory=lambda: np.full(1, _NEVER))  # (patch,) calendar year
    numbers: dict[Transition, int] = field(default_factory=dict)
    noted: int = 1  # so many patches have been noted

    def kind(self, transition: Transition) -> int:
        """Return the number by which a transition is known."""
        return self.numbers.setdefault(transition, len(self.numbers) + 1)

    def recall(self, since: int, room: int) -> Past:
        """Return the patches, those born in a year or later as recent ones, with room for new ones."""
        kinds, recent = np.zeros(self.kinds.size + room, np.int64), np.zeros(self.kinds.size + room, np.bool_)
        kinds[: self.kinds.size] = self.kinds
        recent[: self.born.size] = self.born >= since
        return Past(self.patch, kinds, recent, self.kinds.size)

    def keep(self, past: Past, patches: int, year: int) -> None:
        """Keep the patches that a year has brought."""
        self.kinds = past.kinds[: past.first + patches]
        self.born = np.concatenate([self.born, np.full(patches, year)])


@dataclass(eq=False)
class PatchAllocator:
    """Places patches of change year after year on one grid.

    It remembers the patches of the last years, from which others keep apart, and those that the demand has cut, which
    go on first when there is demand again. Years have to come in order.

    Parameters
    ----------
    cells : places what has no patches
    rules : what patches look like
    """

    cells: Allocator
    rules: PatchRules
    _memory: _Memory = field(init=False)
    _cut: dict[tuple[Change, int], Cut] = field(default_factory=dict, init=False)
    _marked: list[NDArray[np.int64]] = field(default_factory=list, init=False)  # cells that a patch was written to

    def __post_init__(self) -> None:
        self._memory = _Memory(np.zeros(self.cells.grid.shape, np.int32))

    def place(self, claims: Claims, demand: NDArray[np.int64], account: Change) -> Placement:
        """Place the demand of all transitions out of one class in patches.

        Parameters
        ----------
        claims : what the cells' keys are made of
        demand : (transition,) int64, in units of the grid's weights
        account : the transitions and the year

        Returns
        -------
        Placement. The demand is met to the cell: the last patch is cut, and where no patch finds room, cells are taken
        one by one. Less is placed only where cells run out, and then every transition lacks the same share.
        """
        if not (demand > 0).any() or not any(self.rules.of(t) for t in account.transitions):
            return self.cells.place(claims, demand, account)
        grid = self.cells.grid
        free = (claims.land_cover == claims.source) & (claims.barred == 0)
        room = int(grid.row_weight @ np.count_nonzero(free, axis=1))
        if room < demand.sum():
            demand = np.array(share_out(room, demand))
        grown = self._grow(claims, demand, account)
        rest = np.maximum(demand - grown.placed, 0)
        if (2 * rest < grid.row_weight.min()).all():
            return grown
        barred = claims.barred.copy()
        barred.ravel()[grown.cells] = 1
        return _join(grown, self.cells.place(claims._replace(barred=barred), rest, ("rest", account)))

    def take_notes(self) -> PatchNotes:
        """Return what has been added to the memory since notes were last taken."""
        memory, cells = self._memory, np.unique(np.concatenate([_NONE.cells, *self._marked]))
        self._marked.clear()
        notes = PatchNotes(
            cells=cells,
            numbers=memory.patch.ravel()[cells],
            kinds=memory.kinds[memory.noted :],
            born=memory.born[memory.noted :],
            known=tuple(memory.numbers),
            cuts={(account.transitions, k): cut for (account, k), cut in self._cut.items()},
        )
        memory.noted = memory.kinds.size
        return notes

    def read_notes(self, notes: PatchNotes, year: int) -> None:
        """Remember what was noted in a year. Notes have to be read in the order in which they were taken."""
        memory = self._memory
        memory.patch.ravel()[notes.cells] = notes.numbers
        memory.kinds = np.concatenate([memory.kinds, notes.kinds])
        memory.born = np.concatenate([memory.born, notes.born])
        memory.numbers = {transition: n for n, transition in enumerate(notes.known, start=1)}
        memory.noted = memory.kinds.size
        self._cut = {(Change(transitions, year), k): cut for (transitions, k), cut in notes.cuts.items()}

    def _grow(self, claims: Claims, demand: NDArray[np.int64], account: Change) -> Placement:
        row_weight = self.cells.grid.row_weight
        need = int(-(-demand.sum() // row_weight.min())) + demand.size
        past = self._memory.recall(account.year - self.rules.years + 1, need + demand.size)
        field = Field(claims, past, self._habits(claims, account.transitions), row_weight)
        seeds = SeedSearch(self.cells, self.rules, field, demand, account).find(need)
        waiting = [self._waiting(field, account, k) if demand[k] > 0 else _NONE for k in range(demand.size)]
        unfinished = _line_up(waiting)
        growth = grow(field, seeds, unfinished, demand, need)
        self._marked += [unfinished.cells, growth.cells[: growth.counts[0]]]
        self._memory.keep(past, int(growth.counts[1]), account.year)
        for k in np.flatnonzero(growth.rests).tolist():
            before = waiting[k].cells if growth.begun[k] == 0 else _NONE.cells
            self._cut[account, k] = _find_cut(growth, k, before)
        cells, choice = growth.cells[: growth.counts[0]], growth.choice[: growth.counts[0]]
        order = np.argsort(cells)
        return Placement(cells[order], choice[order], demand - growth.left)

    def _waiting(self, field: Field, account: Change, k: int) -> Cut:
        """Return the patch that was cut last, without the cells that have changed since."""
        cut = self._cut.pop((account, k), _NONE)
        return replace(cut, cells=cut.cells[field.claims.land_cover.ravel()[cut.cells] == field.habits.targets[k]])

    def _habits(self, claims: Claims, transitions: Sequence[Transition]) -> Habits:
        rules = [self.rules.of(t) for t in transitions]
        everything = 1 << SHARE_BITS  # without a rule, all cells stand in the queue of expansions
        return Habits(
            targets=np.array([t.target for t in transitions], np.uint8),
            kinds=np.array([self._memory.kind(t) for t in transitions]),
            apart=np.array([rule is not None for rule in rules]),
            expanding=np.array([fix_share(r.expansion_ha.size, r.patches) if r else everything for r in rules]),
            preference=np.array([fix_preference(rule.preference) if rule else 0 for rule in rules]),
            streams=np.array([draws.stream(int(stream), _KIND) for stream in claims.streams]),
        )


def _find_cut(growth: Growth, k: int, before: NDArray[np.int64]) -> Cut:
    """Return the patch of a transition that the demand has cut: what it had before, and what has grown this year."""
    mine = np.arange(growth.starts[k], growth.counts[0])
    grown = growth.cells[mine[growth.choice[mine] == k]]
    return Cut(np.concatenate([before, grown]), int(growth.rests[k]), int(growth.kinds[k]))


def _line_up(waiting: Sequence[Cut]) -> Unfinished:
    return Unfinished(
        np.concatenate([cut.cells for cut in waiting]),
        np.cumsum([0, *(cut.cells.size for cut in waiting)]),
        np.array([cut.rest for cut in waiting]),
        np.array([cut.kind for cut in waiting]),
    )


def _join(one: Placement, other: Placement) -> Placement:
    cells, choice = np.concatenate([one.cells, other.cells]), np.concatenate([one.choice, other.choice])
    order = np.argsort(cells)
    return Placement(cells[order], choice[order], one.placed + other.placed)
