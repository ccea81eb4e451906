"""Publishing a run: cubes, yearly maps and what describes them, written aside and put in place at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
import pystac
from numpy.typing import NDArray

from datacommons.background import Background
from datacommons.cogs import write_map
from datacommons.errors import DataCommonsError, NotWritten
from datacommons.progress import Advance, Bar, progress_bar, tell
from datacommons.publication import Staging
from datacommons.runs.changes import write_changes
from datacommons.runs.cubes import CubeWriter, write_chances, write_ensemble, write_trajectory
from datacommons.runs.description import Description, RunName, plain
from datacommons.runs.study import Study
from datacommons.runs.tables import AreaTable
from datacommons.runs.unfinished import Attempt
from scenarios.calibration import Calibration
from scenarios.interventions.plan import Plan
from scenarios.projection.chances import Chances
from scenarios.projection.ensemble import Ensemble, gather_ensemble
from scenarios.projection.journal import FolderJournal
from scenarios.projection.record import Record
from scenarios.projection.walks import BEST, Walks, hand_over, walk_members
from scenarios.projection.yearbook import Shortfall, Year
from scenarios.projection.years import CENTRAL
from scenarios.validation.hindcast import Hindcast

One = TypeVar("One")
Other = TypeVar("Other")

MOST_CELLS_SIDE_BY_SIDE = 2**25
"""Cells of a landscape up to which its members and its best map are drawn at the same time."""

_FEWEST_DATES_TO_TEST = 3


def publish_run(study: Study, name: RunName, attempt: Attempt) -> dict[str, Any]:
    """Compute a run and publish it: all of it, or nothing.

    Parameters
    ----------
    study : the scenario, its landscape and layers
    name : identifier, not taken, and time
    attempt : where it is made, and goes on from what an earlier one has left

    Returns
    -------
    dict, the run's STAC item as stored

    Raises
    ------
    NotWritten
        A file or the catalog cannot be written. The commons is as before.
    """
    try:
        return _publish(study, name, attempt)
    except OSError as error:
        if isinstance(error, DataCommonsError):
            raise
        raise NotWritten(
            f"The run {name.id} could not be written: {error}. Nothing of it was published; mend that, and run again: "
            "it goes on from there."
        ) from error


def _publish(study: Study, name: RunName, attempt: Attempt) -> dict[str, Any]:
    commons, scenario = study.commons, study.scenario
    if attempt.noted:
        tell(_describe_rest(study, attempt), shown=study.progress)
    with Staging(commons.root) as staging:
        folder = staging.folder(f"runs/{scenario.landscape}/{scenario.id}/{name.id}")
        description = Description(study, name, folder, staging.files)
        writer = _Writer(study, folder, description, attempt.walks)
        # The best map and the members, and the files of each.
        steps = len(scenario.projected_years) * (scenario.members + 3)
        cells = int(np.prod(study.grid.shape))
        with progress_bar(f"learning for {scenario.id}", steps, cells=cells, shown=study.progress) as bar:
            (learned, projected, ensemble), score = _do_both(
                study, lambda: writer.write_projection(bar), lambda: _test(study)
            )
        with ensemble.record, progress_bar(f"describing {scenario.id}", 0, shown=study.progress):
            if score is not None:
                writer.write_chances(ensemble, score)
            table = AreaTable.of(study, projected.areas, ensemble)
            items = [description.describe_run(table, learned, score, projected.shortfalls), *projected.maps]
        documents = [item.to_dict(include_self_link=False, transform_hrefs=False) for item in items]
        staging.publish(commons.store, documents)
    return documents[0]


def _describe_rest(study: Study, attempt: Attempt) -> str:
    """Say where a run goes on that ended early."""
    scenario = study.scenario
    best = FolderJournal(attempt.walks / BEST, scenario.start + 1)
    steps = scenario.years * (scenario.members + 1)
    return (
        f"Goes on from {min(scenario.start + 1 + best.years, scenario.end)}: an earlier attempt ended early. Of the "
        f"{steps} years of the best map and all members {attempt.noted} are done."
    )


def _do_both(study: Study, one: Callable[[], One], other: Callable[[], Other]) -> tuple[One, Other]:
    """Do two jobs side by side; one after the other where the landscape is so large that each keeps all cores busy."""
    rows, columns = study.grid.shape
    return study.workers.both(one, other) if rows * columns <= MOST_CELLS_SIDE_BY_SIDE else (one(), other())


def _test(study: Study) -> Hindcast | None:
    return study.hindcast() if len(study.scenario.history) >= _FEWEST_DATES_TO_TEST else None


class _Projected(NamedTuple):
    """The best map of every year."""

    areas: NDArray[np.float64]  # (year, class) hectares, from the start on
    shortfalls: list[Shortfall]  # what could not be placed
    maps: list[pystac.Item]


@dataclass(frozen=True, eq=False)
class _Writer:
    """Writes one run's maps and cubes into its staged folder.

    Parameters
    ----------
    folder : the run's folder, in the staging area
    description : describes the maps as they are written
    journals : where the walks note their years
    """

    study: Study
    folder: Path
    description: Description
    journals: Path

    @property
    def years(self) -> list[int]:
        """The start and every projected year."""
        scenario = self.study.scenario
        return [scenario.start, *scenario.projected_years]

    def write_projection(self, bar: Bar) -> tuple[Calibration, _Projected, Ensemble]:
        """Learn, and write what follows: the best map and the members."""
        study = self.study
        learned, start = study.calibration(), study.land_cover[study.scenario.start]
        walks = Walks(learned.model, study.scenario, start, study.chunk, self.journals)
        with hand_over(walks, study.workers) as ready:
            bar.turn_to(f"projecting {study.scenario.id} ({study.workers}, {study.workers.scratch})")
            projected, ensemble = _do_both(
                study, lambda: self.write_trajectory(ready, bar), lambda: self.write_ensemble(ready, bar)
            )
        return learned, projected, ensemble

    def write_trajectory(self, walks: Walks, advance: Advance) -> _Projected:
        """Project the best map of every year, and write each meanwhile; then the cube, and what has changed."""
        study, scenario, start = self.study, self.study.scenario, walks.start
        areas = [study.grid.weigh(start, study.landscape.legend.values) * study.grid.weight_ha]
        shortfalls: list[Shortfall] = []
        (self.folder / "maps").mkdir()
        with Record(study.grid.shape, self.folder) as record, Background[pystac.Item](study.workers.threads) as maps:

            def see(best: int, steps: Iterator[Year]) -> None:
                for step in record.listen(best, steps):
                    areas.append(step.area_ha)
                    shortfalls.extend(step.shortfalls)
                    maps.do(self._write_map, step.year, study.workers.scratch.copy(step.land_cover), advance)

            walk_members(walks, [CENTRAL], see, study.workers, lambda: advance(1))
            with self._cube("trajectory", self.years) as cube:
                write_trajectory(cube, record, start, study.landscape.legend, scenario.start, study.workers)
            write_changes(record, self.folder / "trajectory-changes.parquet", by_member=False)
            return _Projected(np.stack(areas), shortfalls, maps.results())

    def _write_map(self, year: int, land_cover: NDArray[np.uint8], advance: Advance) -> pystac.Item:
        scratch, landscape = self.study.workers.scratch, self.study.landscape
        path = self.folder / "maps" / f"{year}.tif"
        write_map(path, land_cover, landscape.geobox, landscape.legend, scratch)
        item = self.description.describe_map(path, year)
        advance(1)
        return item

    def write_ensemble(self, walks: Walks, advance: Advance) -> Ensemble:
        """Draw the members, and write how often each cell has each class, when it changes, and each change."""
        study, scenario = self.study, self.study.scenario
        record = Record(study.grid.shape, self.folder)
        ensemble = gather_ensemble(walks, study.workers, on_year=lambda: advance(1), record=record)
        write_changes(record, self.folder / "changes.parquet")
        with self._cube("probability", ensemble.years) as cube:
            write_ensemble(cube, ensemble, study.workers)
        advance(scenario.years)
        return ensemble

    def write_chances(self, ensemble: Ensemble, score: Hindcast) -> None:
        """Write what the shares of the members are worth, as far as the hindcast tells."""
        study, legend = self.study, self.study.landscape.legend
        start, plan = study.land_cover[study.scenario.start], Plan(study.scenario, legend, study.grid)
        chances = Chances.of(ensemble, score.reliability.recalibration, start, plan, study.workers)
        write_chances(self.folder / "probability.zarr", chances, legend)

    def _cube(self, name: str, years: Sequence[int]) -> CubeWriter:
        scenario = self.study.scenario
        attributes = {
            "title": f"{plain(scenario.title)}: {name}",
            "source": f"datacommons {version('datacommons')}, scenario {scenario.id}, seed {scenario.seed}",
            "comment": "A projection: what could be, not what will be.",
        }
        landscape = self.study.landscape
        return CubeWriter(self.folder / f"{name}.zarr", landscape.geobox, years, landscape.legend, attributes)
