"""Seeds: where patches of change may begin, the best places first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenarios.allocation.allocator import Allocator, Change
from scenarios.allocation.patches import PatchRule, PatchRules
from scenarios.kernels import draws
from scenarios.kernels.growth import EXPANSION, NEW, SHARE_BITS, Field, Seeds, draw_sizes, survey

_ROWS = 128
_AROUND = 9  # a placed cell and its neighbours: what it takes from the seeds of its transition
_SIZE = 2  # counter that tells the draws of sizes from those of the keys

_Queue = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]  # cells, ranks, sizes
_EMPTY: _Queue = (np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int64))


@dataclass(frozen=True, eq=False)
class SeedSearch:
    """Finds the seeds of all transitions out of one class in one year.

    Parameters
    ----------
    cells : finds the candidates
    rules : what patches look like
    field : of the class
    demand : (transition,) int64, in units of the grid's weights
    account : the transitions and the year
    """

    cells: Allocator
    rules: PatchRules
    field: Field
    demand: NDArray[np.int64]
    account: Change

    def find(self, need: int) -> Seeds:
        """Return two queues for each transition.

        Parameters
        ----------
        need : cells that are demanded of the class. No more seeds than these are taken; and each of them, by its
            neighbours, takes at most eight more from its own transition.
        """
        queues = [queue for k in range(self.demand.size) for queue in self._find_both(k, need)]
        cells, ranks, sizes = (np.concatenate(part) for part in zip(*queues, strict=True))
        return Seeds(cells, ranks, sizes, np.cumsum([0, *(queue[0].size for queue in queues)]))

    def _find_both(self, k: int, need: int) -> list[_Queue]:
        """Return a transition's queues of expansions and of new patches. Without a rule, cells stand in the first."""
        rule = self.rules.of(self.account.transitions[k])
        if self.demand[k] <= 0:
            return [_EMPTY, _EMPTY]
        if rule is None:
            return [self._line_up(k, EXPANSION, self.field.claims.barred, np.ones(1, np.int64), need), _EMPTY]
        begins = self._survey(k)
        return [
            self._line_up(k, kind, (begins != kind).view(np.uint8), self._sizes(rule, kind), need * _AROUND)
            for kind in (EXPANSION, NEW)
        ]

    def _sizes(self, rule: PatchRule, kind: int) -> NDArray[np.int64]:
        """Return the sizes of one kind of patch in units of the grid's weights; of the other, if none was observed."""
        sizes_ha = (rule.expansion_ha, rule.new_ha) if kind == EXPANSION else (rule.new_ha, rule.expansion_ha)
        units = np.rint((sizes_ha[0] if sizes_ha[0].size else sizes_ha[1]) / self.cells.grid.weight_ha)
        return np.maximum(units.astype(np.int64), 1)

    def _survey(self, k: int) -> NDArray[np.uint8]:
        """Say of each cell which kind of patch may begin there."""
        height, width = self.cells.grid.shape
        out = np.empty((height, width), np.uint8)

        def survey_rows(first: int) -> None:
            survey(self.field, k, (first, min(first + _ROWS, height)), out)

        self.cells.workers.map(survey_rows, range(0, height, _ROWS))
        return out

    def _line_up(self, k: int, kind: int, barred: NDArray[np.uint8], sizes: NDArray[np.int64], need: int) -> _Queue:
        """Return the best seeds of one kind, the best first, with their ranks and the sizes drawn for them.

        A seed's rank is its key, less the key of the last seed that will probably be wanted. So all queues come to
        their ends at about the same rank, and none goes first because its keys are higher.
        """
        claims = self.field.claims
        mine = claims._replace(
            barred=barred,
            slots=claims.slots[k : k + 1],
            streams=claims.streams[k : k + 1],
            ceilings=claims.ceilings[k : k + 1],
            units=claims.units[k : k + 1],
            places=claims.places[k : k + 1],
        )
        cells, keys, _ = self.cells.find_candidates(mine, np.array([need]), (self.account, k, kind))
        best = np.lexsort((cells, -keys[:, 0]))[:need]
        cells, ranks = cells[best], keys[best, 0]
        if cells.size:
            share = self.field.habits.expanding[k] / (1 << SHARE_BITS)
            wanted = float(self.demand[k]) * (share if kind == EXPANSION else 1 - share) / float(sizes.mean())
            ranks = ranks - ranks[min(int(wanted), cells.size - 1)]
        stream = draws.stream(int(claims.streams[k]), _SIZE)
        return cells, ranks, draw_sizes(stream, cells, self.cells.grid.shape[1], sizes)
