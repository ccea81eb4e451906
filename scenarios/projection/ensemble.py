"""Ensembles: the same scenario drawn several times, to say how sure each place is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from scenarios.cluster import ONE, Workers
from scenarios.kernels.tally import count_members
from scenarios.model import Model
from scenarios.projection.record import BLOCK, BlockChanges, Record
from scenarios.projection.timing import Timing
from scenarios.projection.walks import Walks, walk_members
from scenarios.projection.yearbook import Year
from scenarios.projection.years import DEFAULT_CHUNK
from scenarios.spec import Scenario


@dataclass(frozen=True, eq=False)
class Ensemble:
    """What the members of a scenario agree on.

    Parameters
    ----------
    first_year : the year that they begin in
    values : legend values of the classes
    start : (y, x) uint8, the map that they begin with, 0 = no data
    record : what each of them changes; open as long as it is asked
    area_ha : (member, year, class) float64, hectares
    """

    first_year: int
    values: tuple[int, ...]
    start: NDArray[np.uint8]
    record: Record
    area_ha: NDArray[np.float64]

    @property
    def members(self) -> int:
        """How many members were drawn."""
        return int(self.area_ha.shape[0])

    @property
    def years(self) -> tuple[int, ...]:
        """The projected years."""
        return tuple(range(self.first_year + 1, self.first_year + 1 + self.area_ha.shape[1]))

    def area_quantile_ha(self, quantile: float) -> NDArray[np.float64]:
        """Return a quantile of the members' areas, (year, class), in hectares."""
        return np.asarray(np.quantile(self.area_ha, quantile, axis=0))

    def count(self, changes: BlockChanges) -> NDArray[np.uint8]:
        """Count in how many members each cell of a block has each class.

        Returns
        -------
        (year, class, y, x) uint8; 0 outside the landscape
        """
        top, bottom, left, right = changes.block
        values, place = np.array(self.values, np.uint8), np.zeros(256, np.int64)
        place[values] = np.arange(values.size)
        counts = np.zeros((len(self.years), values.size, *changes.shape), np.uint8)
        start = np.ascontiguousarray(self.start[top:bottom, left:right])
        steps, (rows, columns) = changes.steps(self.first_year), changes.where
        count_members(rows, columns, steps, changes.before, changes.after, start, values, place, self.members, counts)
        return counts

    def time(self, changes: BlockChanges) -> Timing:
        """Say when the members change a block."""
        return Timing.of(changes, self.first_year)

    @cached_property
    def counts(self) -> NDArray[np.uint8]:
        """(year, class, y, x) uint8, how many members have the class: of a whole landscape, which should be small."""
        counts = np.empty((len(self.years), len(self.values), *self.start.shape), np.uint8)
        for rows in self.record.bands(BLOCK):
            for changes in self.record.split(rows, BLOCK):
                top, bottom, left, right = changes.block
                counts[:, :, top:bottom, left:right] = self.count(changes)
        return counts

    @cached_property
    def timing(self) -> Timing:
        """When the members change, of a whole landscape, which should be small."""
        every = self.record.shape
        changes = next(self.record.split((0, every[0]), BLOCK * -(-every[1] // BLOCK)))
        return Timing.of(changes, self.first_year)


def draw_ensemble(
    model: Model,
    scenario: Scenario,
    start: NDArray[np.uint8],
    *,
    chunk: int = DEFAULT_CHUNK,
    workers: Workers = ONE,
    on_year: Callable[[], None] = lambda: None,
    record: Record | None = None,
) -> Ensemble:
    """Project every member, side by side, and record what each of them changes.

    Parameters
    ----------
    model, scenario, start : as for `project`
    on_year : called whenever a member has finished a year
    record : empty; one in the system's folder for temporary files if not given

    Returns
    -------
    Ensemble. The order in which members end does not show. Of a member only its areas and its changes are kept, so no
    map is held but those of the members under way.
    """
    walks = Walks(model, scenario, start, chunk)
    return gather_ensemble(walks, workers, on_year=on_year, record=record)


def gather_ensemble(
    walks: Walks,
    workers: Workers,
    *,
    on_year: Callable[[], None] = lambda: None,
    record: Record | None = None,
) -> Ensemble:
    """Draw an ensemble as `draw_ensemble` does, of walks that may keep journals."""
    scenario, start, values = walks.scenario, walks.start, walks.model.legend.values
    record = Record(start.shape) if record is None else record
    area = np.zeros((scenario.members, scenario.years, len(values)))

    def see(member: int, steps: Iterator[Year]) -> None:
        for n, step in enumerate(record.listen(member, steps)):
            area[member, n] = step.area_ha

    walk_members(walks, range(scenario.members), see, workers, on_year)
    return Ensemble(scenario.start, values, start, record, area)
