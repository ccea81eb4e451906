"""Ensembles: the same scenario drawn several times, to say how sure each place is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from scenarios.cluster import ONE, Workers
from scenarios.counts import Counts
from scenarios.interventions import Plan
from scenarios.kernels.tally import tally
from scenarios.model import Model
from scenarios.projection import DEFAULT_CHUNK, project
from scenarios.spec import Scenario
from scenarios.timing import Moves, Timing
from scenarios.view import View


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
    scratch: Path | None = None,
) -> Ensemble:
    """Project every member, side by side, and add up how often each cell has each class.

    Parameters
    ----------
    model, scenario, start : as for `project`
    on_year : called whenever a member has finished a year
    scratch : folder for the counts where they take more than a gigabyte; without one they are held in memory

    Returns
    -------
    Ensemble. Counts are sums of integers: the order in which members end does not show. Of a member only its areas are
    kept, so no map is held but those of the members under way.
    """
    years = tuple(scenario.projected_years)
    values = np.array(model.legend.values, np.uint8)
    counts = Counts(len(years), (len(values), *model.grid.shape), scratch)
    area = np.zeros((scenario.members, len(years), len(values)))
    timing = Timing.none(scenario.start, model.grid.shape)
    locks, ending = [Lock() for _ in years], Lock()
    temperature = scenario.allocation.temperature
    plan, view = Plan(scenario, model.legend, model.grid), View.of(model.potential, start, workers, temperature)
    # Members side by side where there are enough of them, else the blocks of each.
    inside = ONE if scenario.members >= workers.threads else workers

    def walk(member: int) -> None:
        steps = project(
            model,
            scenario,
            start,
            member=member,
            temperature=temperature,
            chunk=chunk,
            workers=inside,
            plan=plan,
            view=view,
        )
        moves = Moves.of(start)
        for n, step in enumerate(steps):
            moves.see(step.land_cover, n + 1)
            with locks[n]:
                tally(step.land_cover, values, counts[n])
                counts.let_go(n)
            area[member, n] = step.area_ha
            on_year()
        with ending:
            timing.add(moves)

    workers.map(walk, range(scenario.members))
    return Ensemble(years, counts, area, timing)
