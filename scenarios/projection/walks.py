"""Walks: a scenario is projected once for its best map and once for each member.

The years of a walk hang on each other, walks do not: a walk is the unit of work that is handed out, to a thread or to a
process anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any, Final
from uuid import uuid4

import numpy as np
import psutil
from numpy.typing import NDArray

from scenarios.cluster import Cluster, Say, Workers
from scenarios.interventions.plan import Plan
from scenarios.model import Model
from scenarios.projection import luggage
from scenarios.projection.journal import FolderJournal, HeldJournal, Journal, replay
from scenarios.projection.view import View
from scenarios.projection.yearbook import Year
from scenarios.projection.years import CENTRAL, DEFAULT_CHUNK, project
from scenarios.spec import Scenario

See = Callable[[int, Iterator[Year]], None]
"""Takes the number of a member and its years, which come one after the other."""

BEST: Final = "best"
"""Name of the best map's journal."""

_STATE_BYTES: Final = 6
"""Maps and masks of one walk, for each cell: now, as last seen, settled, closed, barred, and one on its way."""


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
    view : what all members see at the start, if that was looked at before
    packed : the same for processes: a file, or what stands for it in Dask; None as long as it was not handed over
    """

    model: Model
    scenario: Scenario
    start: NDArray[np.uint8]
    chunk: int = DEFAULT_CHUNK
    folder: Path | None = None
    view: View | None = None
    packed: Any = None
    token: str = field(default_factory=lambda: uuid4().hex, init=False)

    def journal(self, member: int) -> FolderJournal | None:
        """Return the journal of a walk."""
        if self.folder is None:
            return None
        name = BEST if member == CENTRAL else f"member-{member}"
        return FolderJournal(self.folder / name, self.scenario.start + 1)

    def temperature(self, member: int) -> float:
        """Return how far a walk spreads: the best map takes the likeliest cells."""
        return 0.0 if member == CENTRAL else self.scenario.allocation.temperature

    def is_done(self, member: int) -> bool:
        """Whether the journal of a walk holds all its years."""
        journal = self.journal(member)
        return journal is not None and journal.years == self.scenario.years

    def look(self, workers: Workers) -> Walks:
        """Return the same walks with what all members see at the start; none where each has a potential of its own."""
        if self.scenario.potential.uncertainty:
            return self
        temperature = self.scenario.allocation.temperature
        return replace(self, view=View.of(self.model.potential, self.start, workers, temperature))


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
    if workers.cluster is not None:
        with hand_over(walks, workers) as packed:
            _walk_there(packed, members, see, workers.cluster, on_year)
        return
    # One walk alone looks for itself, and needs no copy.
    begun = _Begun.of(walks.look(workers) if len(members) > 1 else walks)
    # Members side by side where there are enough of them, else the blocks of each.
    outside, inside = workers.split(min(len(members), workers.threads, _count_fitting(walks)))

    def walk(member: int) -> None:
        see(member, _tell(begun.walk(member, inside, walks.journal(member)), on_year))

    outside.map(walk, members)


def _tell(years: Iterator[Year], on_year: Callable[[], None]) -> Iterator[Year]:
    for year in years:
        yield year
        on_year()


@dataclass(frozen=True, eq=False)
class _Begun:
    """What is made once, in each process, of what all walks begin with."""

    walks: Walks
    plan: Plan

    @classmethod
    def of(cls, walks: Walks) -> _Begun:
        return cls(walks, Plan(walks.scenario, walks.model.legend, walks.model.grid))

    def walk(self, member: int, workers: Workers, journal: Journal | None) -> Iterator[Year]:
        """Project the best map or a member; see `project`."""
        walks = self.walks
        return project(
            walks.model,
            walks.scenario,
            walks.start,
            member=member,
            temperature=walks.temperature(member),
            chunk=walks.chunk,
            workers=workers,
            plan=self.plan,
            view=None if member == CENTRAL else walks.view,
            journal=journal,
        )


def _count_fitting(walks: Walks) -> int:
    """Return how many walks fit into the memory that is free, at least 1."""
    one = (View.cell_bytes(walks.model.potential) + _STATE_BYTES) * walks.start.size
    if walks.scenario.potential.uncertainty:
        one += walks.model.potential.static.nbytes
    return max(1, int(psutil.virtual_memory().available // one))


@contextmanager
def hand_over(walks: Walks, workers: Workers) -> Iterator[Walks]:
    """Give all processes what walks begin with, once, for as long as the block lasts.

    It is a file where all processes see the folder of the journals, and those on one machine share its arrays; else it
    comes through Dask, and the journals go back the same way. What the members see at the start is looked at here, once
    for all processes.
    """
    cluster = workers.cluster
    if cluster is None or walks.packed is not None:
        yield walks
        return
    with ExitStack() as stack:
        folder = walks.folder or Path(stack.enter_context(TemporaryDirectory(prefix="datacommons-walks-")))
        folder.mkdir(parents=True, exist_ok=True)
        if cluster.sees(folder):
            path = folder / "luggage"
            stack.callback(path.unlink, missing_ok=True)
            luggage.pack(_prepare(walks, workers), path, workers)
            yield replace(walks, folder=folder, packed=path)
        else:
            yield replace(walks, folder=folder, packed=cluster.scatter(_prepare(walks, workers)))


def _prepare(walks: Walks, workers: Workers) -> Walks:
    """Return what a process has to know, with the first look of the members that are still to be walked."""
    ahead = not all(walks.is_done(member) for member in range(walks.scenario.members))
    seen = walks.look(workers) if ahead else walks
    potential = replace(walks.model.potential)  # without the tables that a process makes for itself
    view = None if seen.view is None else replace(seen.view, potential=potential)
    return replace(seen, model=replace(walks.model, potential=potential), folder=None, view=view)


def _walk_there(walks: Walks, members: Sequence[int], see: See, cluster: Cluster, on_year: Callable[[], None]) -> None:
    """Hand each walk out to a process, and tell it here from its journal when it is over."""
    counted: dict[int, int] = {}

    def count(member: int, years: int) -> None:
        # A walk that is done again tells no year twice.
        for _ in range(counted.get(member, 0), years):
            on_year()
        counted[member] = max(years, counted.get(member, 0))

    def tell(member: int) -> None:
        journal = walks.journal(member)
        assert journal is not None  # handed over with a folder
        see(member, replay(journal.entries(), walks.start, walks.model.grid.weight_ha))
        count(member, walks.scenario.years)

    done = [member for member in members if walks.is_done(member)]
    for member in done:
        tell(member)
    ahead = [member for member in members if member not in done]
    threads = cluster.threads
    inside = Workers(min(max(threads), max(1, sum(threads) // max(1, len(ahead)))))
    folder = walks.folder if isinstance(walks.packed, Path) else None
    shared = walks.packed, walks.token, folder, inside
    for member, journal in cluster.do(walk_away, ahead, *shared, at_once=sum(threads), listen=lambda w: count(*w)):
        if journal is not None:
            _keep(walks, member, journal)
        tell(member)


def _keep(walks: Walks, member: int, held: HeldJournal) -> None:
    journal = walks.journal(member)
    assert journal is not None  # handed over with a folder
    for entry in held.entries():
        journal.write(entry)


_begun: dict[str, _Begun] = {}  # in a process: what the members that it is at begin with
_beginning = Lock()


def walk_away(
    member: int, packed: Path | Walks, token: str, folder: Path | None, inside: Workers, say: Say
) -> HeldJournal | None:
    """Walk in a process of a cluster.

    Parameters
    ----------
    member : its number
    packed : what it begins with
    token : the same for all walks that begin with the same
    folder : of the journals, if it is seen from here
    inside : who works on the blocks
    say : told the number of the member and how many years are done

    Returns
    -------
    The journal, where there is no folder for it
    """
    begun, held = _begin(packed, token), HeldJournal()
    walks = replace(begun.walks, folder=folder)
    for year in begun.walk(member, inside, walks.journal(member) or held):
        say((member, year.year - walks.scenario.start))
    return held if folder is None else None


def _begin(packed: Path | Walks, token: str) -> _Begun:
    """Unpack what walks begin with, once for all that are done here."""
    with _beginning:
        if token not in _begun:
            _begun.clear()
            _begun[token] = _Begun.of(luggage.unpack(packed) if isinstance(packed, Path) else packed)
        return _begun[token]
