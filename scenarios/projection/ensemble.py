"""Ensembles: the same scenario drawn several times, to say how sure each place is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from scenarios.cluster import ONE, Workers
from scenarios.kernels.tally import move_members, tally
from scenarios.model import Model
from scenarios.projection.counts import Counts
from scenarios.projection.timing import Moves, Timing
from scenarios.projection.walks import Listen, Walks, walk_members
from scenarios.projection.yearbook import Year
from scenarios.projection.years import DEFAULT_CHUNK
from scenarios.spec import Scenario


@dataclass(frozen=True, eq=False)
class Ensemble:
    """What the members of a scenario agree on.

    Parameters
    ----------
    years : projected years
    counts : by year (class, y, x) uint8, how many members have the class; 0 outside the landscape
    area_ha : (member, year, class) float64, hectares
    timing : when the cells change
    """

    years: tuple[int, ...]
    counts: Counts
    area_ha: NDArray[np.float64]
    timing: Timing

    @property
    def members(self) -> int:
        """How many members were drawn."""
        return int(self.area_ha.shape[0])

    def area_quantile_ha(self, quantile: float) -> NDArray[np.float64]:
        """Return a quantile of the members' areas, (year, class), in hectares."""
        return np.asarray(np.quantile(self.area_ha, quantile, axis=0))


def draw_ensemble(
    model: Model,
    scenario: Scenario,
    start: NDArray[np.uint8],
    *,
    chunk: int = DEFAULT_CHUNK,
    workers: Workers = ONE,
    on_year: Callable[[], None] = lambda: None,
    listen: Listen = lambda _, years: years,
) -> Ensemble:
    """Project every member, side by side, and add up how often each cell has each class.

    Parameters
    ----------
    model, scenario, start : as for `project`
    on_year : called whenever a member has finished a year
    listen : hears the years of each member go by, several members at a time

    Returns
    -------
    Ensemble. Counts are sums of integers: the order in which members end does not show. Of a member only its areas are
    kept, so no map is held but those of the members under way.
    """
    walks = Walks(model, scenario, start, chunk)
    return gather_ensemble(walks, workers, on_year=on_year, listen=listen)


def gather_ensemble(
    walks: Walks,
    workers: Workers,
    *,
    on_year: Callable[[], None] = lambda: None,
    listen: Listen = lambda _, years: years,
) -> Ensemble:
    """Draw an ensemble as `draw_ensemble` does, of walks that may keep journals."""
    scenario, model, start = walks.scenario, walks.model, walks.start
    years = tuple(scenario.projected_years)
    values = np.array(model.legend.values, np.uint8)
    place = np.zeros(256, np.int64)
    place[values] = np.arange(values.size)
    counts = Counts(len(years), (values.size, *start.shape), workers.scratch)
    area = np.zeros((scenario.members, len(years), values.size))
    timing = Timing.none(scenario.start, start.shape, workers.scratch)
    locks, ending = [Lock() for _ in years], Lock()

    def see(member: int, steps: Iterator[Year]) -> None:
        moves = Moves.none(start.shape, workers.scratch)
        for n, step in enumerate(listen(member, steps)):
            moves.see(step.changes, n + 1)
            with locks[n]:
                changes = step.changes
                planes = counts[n].reshape(values.size, -1)
                move_members(changes.cells, changes.before, changes.after, place, planes)
            area[member, n] = step.area_ha
        with ending:
            timing.add(moves)

    walk_members(walks, range(scenario.members), see, workers, on_year)
    # A year changes few cells. Members are moved in these alone, and all the others are added up at the end.
    counts.add_up(lambda rows: _count_start(start[rows], values, scenario.members), workers)
    return Ensemble(years, counts, area, timing)


def _count_start(rows: NDArray[np.uint8], values: NDArray[np.uint8], members: int) -> NDArray[np.uint8]:
    """Return how many members have each class in some rows at the start: all of them, (class, y, x)."""
    counts = np.zeros((values.size, *rows.shape), np.uint8)
    tally(rows, values, counts)
    return counts * np.uint8(members)
