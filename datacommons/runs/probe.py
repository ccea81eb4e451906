"""A trial of a scenario on a sample of its landscape, to learn what a cell costs on this machine."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from catalog.collections import LAND_COVER, RUN_MAPS
from catalog.items.layers import raster_item
from datacommons.arrays import read_land_cover, read_layer
from datacommons.cogs import write_map
from datacommons.landscape import Landscape
from datacommons.runs.changes import write_changes
from datacommons.runs.cubes import CubeWriter, write_ensemble, write_trajectory
from datacommons.runs.study import Study
from scenarios.calibration import calibrate
from scenarios.cluster import ONE
from scenarios.errors import HistoryInvalid
from scenarios.grid import Grid
from scenarios.model import Model
from scenarios.potential.drivers import Driver
from scenarios.projection.ensemble import Ensemble, draw_ensemble
from scenarios.projection.record import Record
from scenarios.projection.years import CENTRAL, project
from scenarios.spec import DemandRule, Scenario

Result = TypeVar("Result")

SAMPLE_MEMBERS = 4
_BANDS = 4  # one of them is learned from once more, to tell what learning takes whatever the size


@dataclass(frozen=True)
class Costs:
    """What was measured on the sample. Times are of one core.

    Parameters
    ----------
    transitions : how many the sample's model has
    read_s : of one layer, per cell
    learn_fixed_s : of learning, whatever the size
    learn_s : of learning, per cell
    best_s : of one year of the best map, per cell
    member_s : of one year of a member, per cell
    map_s : of writing one year's map as a COG and describing it, per cell
    trajectory_s : of writing one year of the best map into its cube, per cell
    plane_s : of counting and writing one class of one year of the members, per cell
    map_bytes, trajectory_bytes : of one year on the disk, per cell
    probability_bytes : of what the members have in common, per cell, year and class, with one member and with
        `SAMPLE_MEMBERS`
    changes : of one member over all years, per cell
    change_bytes : of the table of changes, for each of them
    """

    transitions: int
    read_s: float
    learn_fixed_s: float
    learn_s: float
    best_s: float
    member_s: float
    map_s: float
    trajectory_s: float
    plane_s: float
    map_bytes: float
    trajectory_bytes: float
    probability_bytes: tuple[float, float]
    changes: float
    change_bytes: float


def measure_costs(study: Study, sample: GeoBox) -> Costs:
    """Read, learn, project and write the sample, aside from the commons.

    Plans and the demand's own rules are left out: they take little time, and their places lie perhaps elsewhere.
    """
    trial = _Trial(study, replace(study.landscape, geobox=sample))
    model, _ = _time(trial.learn)  # not counted: kernels are compiled or loaded
    fixed_s, cell_s = _time_learning(trial)
    best, one, many = (Record(trial.grid.shape) for _ in range(3))
    with best, one, many, tempfile.TemporaryDirectory(prefix="datacommons-plan-") as folder:
        shelf = _Shelf(trial, Path(folder))
        maps, best_s = _time(lambda: trial.project_best(model, best))
        drawn, _ = _time(lambda: trial.draw(model, 1, one))
        drawn_by_many, member_s = _time(lambda: trial.draw(model, SAMPLE_MEMBERS, many))
        shelf.write_trajectory("warm", best)
        trajectory_bytes, trajectory_s = shelf.write_trajectory("trajectory", best)
        map_bytes, map_s = shelf.write_maps(maps)
        (few_bytes, _), (more_bytes, planes_s) = (shelf.write_ensemble(each) for each in (drawn, drawn_by_many))
        changes_bytes, changes = shelf.write_changes(many), many.size
    cell_years, classes = trial.cells * study.scenario.years, len(study.landscape.legend)
    return Costs(
        transitions=len(model.potential.transitions),
        read_s=trial.read_s,
        learn_fixed_s=fixed_s,
        learn_s=cell_s,
        best_s=best_s / cell_years,
        member_s=member_s / cell_years / SAMPLE_MEMBERS,
        map_s=map_s / trial.cells,
        trajectory_s=trajectory_s / cell_years,
        plane_s=planes_s / cell_years / classes,
        map_bytes=map_bytes / trial.cells,
        trajectory_bytes=trajectory_bytes / cell_years,
        probability_bytes=(few_bytes / cell_years / classes, more_bytes / cell_years / classes),
        changes=changes / trial.cells / SAMPLE_MEMBERS,
        change_bytes=changes_bytes / max(1, changes),
    )


class _Trial:
    """The scenario without its plans, on the sample, with one thread."""

    def __init__(self, study: Study, place: Landscape) -> None:
        self.landscape, self.grid = place, Grid(place.geobox)
        self.cells = int(np.prod(self.grid.shape))
        self.scenario = _simplify(study.scenario, self.cells / int(np.prod(study.grid.shape)))
        (self.land_cover, self.drivers), seconds = _time(lambda: self._read(study))
        self.read_s = seconds / self.cells / max(1, len(study.inputs))

    def _read(self, study: Study) -> tuple[dict[int, NDArray[np.uint8]], dict[str, Driver]]:
        years, locate = sorted({*self.scenario.history, self.scenario.start}), study.commons.locate
        cover = [layer for layer in study.inputs if layer.collection == LAND_COVER]
        cube = read_land_cover(cover, self.landscape, years, locate).values
        drivers = {
            layer.name: np.ascontiguousarray(read_layer(layer, self.landscape, locate).values)
            for layer in study.inputs
            if layer.collection != LAND_COVER
        }
        return dict(zip(years, np.ascontiguousarray(cube), strict=True)), drivers

    def learn(self, rows: slice = slice(None)) -> Model:
        """Learn from the sample, or from some of its rows."""
        grid = Grid(self.landscape.geobox[rows, :])
        return calibrate(
            _simplify(self.scenario, grid.shape[0] / self.grid.shape[0]),
            {year: self.land_cover[year][rows] for year in self.scenario.history},
            {name: values[rows] for name, values in self.drivers.items()},
            legend=self.landscape.legend,
            grid=grid,
            workers=ONE,
            start=self.land_cover[self.scenario.start][rows],
        ).model

    def busiest_band(self) -> slice:
        """Return the rows of the band in which most cells have changed."""
        first, last = (self.land_cover[self.scenario.history[n]] for n in (0, -1))
        height = -(-self.grid.shape[0] // _BANDS)
        tops = np.arange(0, self.grid.shape[0], height)
        changed = np.add.reduceat(np.count_nonzero(first != last, axis=1), tops)
        top = int(tops[np.argmax(changed)])
        return slice(top, min(top + height, self.grid.shape[0]))

    def project_best(self, model: Model, record: Record) -> list[NDArray[np.uint8]]:
        """Project the best map; return it as it is in the first and in the last year."""
        start, maps = self.land_cover[self.scenario.start], list[NDArray[np.uint8]]()
        for step in record.listen(CENTRAL, project(model, self.scenario, start, workers=ONE)):
            maps[1:] = [step.land_cover.copy()]
        return [maps[0], maps[-1]]

    def draw(self, model: Model, members: int, record: Record) -> Ensemble:
        """Draw so many members one after the other."""
        scenario = self.scenario.model_copy(update={"members": members})
        return draw_ensemble(model, scenario, self.land_cover[scenario.start], workers=ONE, record=record)


@dataclass(frozen=True, eq=False)
class _Shelf:
    """Where the sample's maps are written."""

    trial: _Trial
    folder: Path

    def write_trajectory(self, name: str, record: Record) -> tuple[int, float]:
        """Write the best maps as a cube; return bytes and seconds."""
        trial = self.trial
        years = [trial.scenario.start, *trial.scenario.projected_years]

        def write() -> None:
            with self._cube(name, years) as cube:
                start = trial.land_cover[trial.scenario.start]
                write_trajectory(cube, record, start, trial.landscape.legend, trial.scenario.start, ONE)

        _, seconds = _time(write)
        return _size(self.folder / f"{name}.zarr" / "land_cover"), seconds

    def write_ensemble(self, ensemble: Ensemble) -> tuple[int, float]:
        """Write what the members have in common; return bytes, without the coordinates, and seconds."""
        name = f"probability-{ensemble.members}"

        def write() -> None:
            with self._cube(name, ensemble.years) as cube:
                write_ensemble(cube, ensemble, ONE)

        _, seconds = _time(write)
        arrays = ("probability", "change_share", "first_change", "last_change")
        return sum(_size(self.folder / f"{name}.zarr" / each) for each in arrays), seconds

    def write_changes(self, record: Record) -> int:
        """Write what each member changes; return bytes."""
        path = self.folder / "changes.parquet"
        write_changes(record, path)
        return _size(path)

    def write_maps(self, maps: list[NDArray[np.uint8]]) -> tuple[float, float]:
        """Write two maps as COGs; return bytes and seconds of one."""
        place, paths = self.trial.landscape, [self.folder / name for name in ("first.tif", "last.tif")]

        def write() -> None:
            for path, cells in zip(paths, maps, strict=True):
                write_map(path, cells, place.geobox, place.legend)
                raster_item(
                    path,
                    root=self.folder,
                    item_id=path.stem,
                    collection=RUN_MAPS,
                    year=self.trial.scenario.end,
                    landscape=place.id,
                    layer=LAND_COVER,
                    legend=place.legend,
                )

        _, seconds = _time(write)
        return sum(map(_size, paths)) / len(paths), seconds / len(paths)

    def _cube(self, name: str, years: Sequence[int]) -> CubeWriter:
        place = self.trial.landscape
        return CubeWriter(self.folder / f"{name}.zarr", place.geobox, years, place.legend, {})


def _simplify(scenario: Scenario, share: float) -> Scenario:
    """Return business as usual of the same kind, for a part of the landscape.

    Curves of the members' own are left out: to learn them takes as long for a small landscape as for a large one.
    """
    least = scenario.transitions.minimum_hectares * share
    return scenario.model_copy(
        update={
            "interventions": (),
            "potential": scenario.potential.model_copy(update={"uncertainty": False}),
            "demand": DemandRule(uncertainty=scenario.demand.uncertainty),
            "transitions": scenario.transitions.model_copy(update={"minimum_hectares": least}),
        }
    )


def _time_learning(trial: _Trial) -> tuple[float, float]:
    """Return what learning takes whatever the size, and what it takes per cell."""
    _, seconds = _time(trial.learn)
    band = trial.busiest_band()
    part = (band.stop - band.start) * trial.grid.shape[1]
    if part == trial.cells:
        return seconds, 0.0
    try:
        _, fewer = _time(lambda: trial.learn(band))
    except HistoryInvalid:  # the changes of the sample are too far apart to cut it
        return seconds, 0.0
    per_cell = max(0.0, (seconds - fewer) / (trial.cells - part))
    return max(0.0, seconds - per_cell * trial.cells), per_cell


def _time(work: Callable[[], Result]) -> tuple[Result, float]:
    """Return a result and the seconds of all cores that it took; how busy the machine is does not show."""
    begin = time.process_time()
    result = work()
    return result, time.process_time() - begin


def _size(path: Path) -> int:
    files = [path] if path.is_file() else path.rglob("*")
    return sum(each.stat().st_size for each in files if each.is_file())
