"""Walks: a scenario is projected once for its best map and once for each member.

The years of a walk hang on each other, walks do not: a walk is the unit of work that is handed out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
from numpy.typing import NDArray

from scenarios.cluster import Workers
from scenarios.interventions import Plan
from scenarios.journal import FolderJournal
from scenarios.model import Model
from scenarios.projection import CENTRAL, DEFAULT_CHUNK, project
from scenarios.spec import Scenario
from scenarios.view import View
from scenarios.yearbook import Year

See = Callable[[int, Iterator[Year]], None]
"""Takes the number of a member and its years, which come one after the other."""

BEST = "best"
"""Name of the best map's journal."""

_STATE_BYTES = 8
"""Maps and masks of one walk, for each cell: now, as last seen, stale, settled, closed, barred, and one on its way."""


@dataclass(frozen=True, eq=False)
class Walks:
    """What all walks of a scenario begin with.

    Parameters
    ----------
    model : fitted on the landscape's history
    scenario : interventions, seed and years
    start : (y, x) uint8, land cover at the scenario's start, legend values, 0 = no data
    chunk : edge of the blocks that are worked on side by side, in cells
    folder : where the walks keep their journals, so that they can go on from there; None: nothing is kept
    """

    model: Model
    scenario: Scenario
    start: NDArray[np.uint8]
    chunk: int = DEFAULT_CHUNK
    folder: Path | None = None

    def journal(self, member: int) -> FolderJournal | None:
        """Return the journal of a walk."""
        if self.folder is None:
            return None
        name = BEST if member == CENTRAL else f"member-{member}"
        return FolderJournal(self.folder / name, self.scenario.start + 1)

    def temperature(self, member: int) -> float:
        """Return how far a walk spreads: the best map takes the likeliest cells."""
        return 0.0 if member == CENTRAL else self.scenario.allocation.temperature

    def walk(
        self, member: int, workers: Workers, *, plan: Plan | None = None, view: View | None = None
    ) -> Iterator[Year]:
        """Project the best map (`CENTRAL`) or a member; see `project`."""
        return project(
            self.model,
            self.scenario,
            self.start,
            member=member,
            temperature=self.temperature(member),
            chunk=self.chunk,
            workers=workers,
            plan=plan,
            view=view,
            journal=self.journal(member),
        )


def walk_members(
    walks: Walks, members: Sequence[int], see: See, workers: Workers, on_year: Callable[[], None] = lambda: None
) -> None:
    """Walk, side by side where that is possible.

    Parameters
    ----------
    walks : what they begin with
    members : their numbers; or `CENTRAL` alone, the best map
    see : called for each, several at a time
    workers : who walks
    on_year : called whenever a walk has finished a year
    """
    plan = Plan(walks.scenario, walks.model.legend, walks.model.grid)
    view = View.of(walks.model.potential, walks.start, workers, walks.temperature(members[0]))
    side_by_side = min(len(members), workers.threads, count_fitting(view, walks.start))
    # Members side by side where there are enough of them, else the blocks of each.
    outside, inside = workers.split(side_by_side)

    def walk(member: int) -> None:
        see(member, _tell(walks.walk(member, inside, plan=plan, view=view), on_year))

    outside.map(walk, members)


def _tell(years: Iterator[Year], on_year: Callable[[], None]) -> Iterator[Year]:
    for year in years:
        yield year
        on_year()


def count_fitting(view: View, start: NDArray[np.uint8]) -> int:
    """Return how many walks fit into the memory that is free, at least 1."""
    one = view.counts.nbytes + view.scores.nbytes + _STATE_BYTES * start.size
    return max(1, int(psutil.virtual_memory().available // one))
