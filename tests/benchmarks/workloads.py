"""What `make bench-scale` measures. Each job gets a folder with a commons, and returns what it measured, in seconds."""

from __future__ import annotations

import pickle
import shutil
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

import datacommons as dc
from datacommons.commons import Commons
from datacommons.runs.cubes import CubeWriter, legend_attributes, open_cube, write_ensemble, write_trajectory
from datacommons.runs.study import Study
from scenarios.calibration import Calibration
from scenarios.cluster import Workers, open_cluster
from scenarios.model import Model
from scenarios.projection.ensemble import draw_ensemble, gather_ensemble
from scenarios.projection.record import Record
from scenarios.projection.walks import Walks
from scenarios.projection.yearbook import Year
from scenarios.projection.years import project
from scenarios.spec import Scenario
from tests.benchmarks.wide import CELL_M, DRIVERS, LEGEND, YEARS, WideLandscape

ATTEMPTS = 3
"""How often a reference is timed."""

LEARNED = "learned.pickle"
"""File in a job's folder that keeps what was learned of its landscape."""

RADIUS_CELLS = 3  # windows of 7 x 7 cells
TRANSITIONS = ("forest to crop", "forest to grass", "crop to built", "grass to crop")
ONE_TRANSITION = {"forest": ("grass",), "crop": ("built",), "grass": ("crop",)}
"""What is forbidden so that only forest to crop is left."""


@dataclass
class Stopwatch:
    """Seconds by what they were spent on, added up: on the clock, and of all cores together."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def time(self, what: str) -> Iterator[None]:
        """Add the time that the block takes."""
        clock, cores = time.perf_counter(), time.process_time()
        yield
        self._add(what, time.perf_counter() - clock)
        self._add(f"{what}, cores", time.process_time() - cores)

    def keep_fastest(self, what: str, attempts: Sequence[Stopwatch]) -> None:
        """Take a reference from several attempts: the fastest, for one that was held up would flatter the engine."""
        for name in (what, f"{what}, cores"):
            self.seconds[name] = min(attempt.seconds[name] for attempt in attempts)
        self.seconds[f"{what}, slowest"] = max(attempt.seconds[what] for attempt in attempts)

    def _add(self, what: str, seconds: float) -> None:
        self.seconds[what] = self.seconds.get(what, 0.0) + seconds


def make_scenario(landscape: str, **changes: object) -> Scenario:
    """Return 20 years of business as usual, with a neighbourhood that is looked at anew every year."""
    plain = {
        "id": "usual",
        "title": "Business as usual",
        "landscape": landscape,
        "start": YEARS[-1],
        "years": 20,
        "history": YEARS,
        "members": 1,
        "transitions": {"minimum_hectares": 0},
        "potential": {
            "drivers": list(DRIVERS),
            "neighbourhood_m": [RADIUS_CELLS * CELL_M],
            "neighbourhood_years": 1,
            "momentum_m": [],
        },
    }
    return Scenario.model_validate(plain | changes)


def restore(hectares: float) -> dict[str, object]:
    """Return an intervention that turns so much crop land into grass each year, the steepest first."""
    return {
        "id": "grass-strips",
        "years": [YEARS[-1] + 1, YEARS[-1] + 20],
        "restore": {"from": ["crop"], "to": "grass", "hectares_per_year": hectares, "priority": "slope"},
    }


def prepare(folder: Path, edge: int) -> Mapping[str, float]:
    """Generate a landscape, and take it into a commons."""
    watch, landscape = Stopwatch(), WideLandscape(edge)
    with watch.time("generate"):
        maps, layers = landscape.write(folder / "sources")
    with watch.time("ingest"), dc.init(folder / "commons") as commons:
        take_in(commons, landscape, maps, layers)
    shutil.rmtree(folder / "sources")
    return watch.seconds


def take_in(commons: Commons, landscape: WideLandscape, maps: list[Path], layers: list[Path]) -> None:
    """Ingest what was generated."""
    commons.ingest(
        maps, collection="land-cover", legend=LEGEND, landscape=landscape.name, new_landscape=True, synthetic=True
    )
    commons.ingest(layers, collection="drivers", landscape=landscape.name, synthetic=True)


def learn(folder: Path, edge: int, memory_mib: int | None = None) -> Mapping[str, float]:
    """Learn the potential from the stored layers, and keep what was learned."""
    watch = Stopwatch()
    with dc.open(folder / "commons") as commons:
        study = study_of(commons, make_scenario(WideLandscape(edge).name), memory_mib)
        with watch.time("learn"):
            with watch.time("read"):
                _, drivers = study.land_cover, study.drivers
            learned = study.calibration()
            del drivers
    names = [f"{LEGEND.get(t.source).name} to {LEGEND.get(t.target).name}" for t in learned.model.potential.transitions]
    if sorted(names) != sorted(TRANSITIONS):
        raise RuntimeError(f"The landscape is to change by {TRANSITIONS}; found {names}.")
    # The scores of the drivers are no part of what is kept: a run makes them anew of the stored layers.
    potential = replace(learned.model.potential, static=np.zeros((len(names), 0, 0), np.int16))
    kept = replace(learned, model=replace(learned.model, potential=potential))
    (folder / LEARNED).write_bytes(pickle.dumps(kept))
    return watch.seconds


def publish(folder: Path, edge: int, years: int = 20, memory_mib: int | None = None) -> Mapping[str, float]:
    """Run from stored layers to a published run, and then write the same maps again."""
    watch, scenario = Stopwatch(), make_scenario(WideLandscape(edge).name, years=years)
    with dc.open(folder / "commons") as commons:
        with watch.time("publish"):
            with watch.time("score drivers"):
                recall(commons, scenario, folder, memory_mib)
            run = commons.run(scenario, memory_gib=_gib(memory_mib))
        maps = run.trajectory["land_cover"][1:]  # without the start
        attempts = [rewrite(maps, commons, scenario, folder / "again.zarr") for _ in range(ATTEMPTS)]
    watch.keep_fastest("write", attempts)
    return watch.seconds | {"cells": float(edge**2)}


def sweep(folder: Path, edge: int) -> Mapping[str, float]:
    """Project one drawn member from stored layers, and write each year into a cube: no other file, no best map."""
    watch, scenario = Stopwatch(), make_scenario(WideLandscape(edge).name)
    with dc.open(folder / "commons") as commons:
        with watch.time("publish"):
            study, learned = recall(commons, scenario, folder)
            start, years = study.land_cover[scenario.start], [scenario.start, *scenario.projected_years]
            with Record(start.shape, folder) as record, _cube(commons, scenario, folder / "swept.zarr", years) as cube:
                deque(record.listen(0, walk(learned.model, scenario, start)), maxlen=0)
                write_trajectory(cube, record, start, LEGEND, scenario.start, study.workers)
        maps = open_cube(folder / "swept.zarr")["land_cover"][1:]  # without the start
        attempts = [rewrite(maps, commons, scenario, folder / "again.zarr") for _ in range(ATTEMPTS)]
    watch.keep_fastest("write", attempts)
    shutil.rmtree(folder / "swept.zarr")
    return watch.seconds


def revise(folder: Path, edge: int) -> Mapping[str, float]:
    """Change one intervention of a scenario whose model is learned, and project to the last map anew."""
    watch, name = Stopwatch(), WideLandscape(edge).name
    landscape_ha = edge**2 * CELL_M**2 / 10_000
    first = make_scenario(name, years=1, interventions=[restore(1e-4 * landscape_ha)])
    changed = make_scenario(name, interventions=[restore(2e-4 * landscape_ha)])
    with dc.open(folder / "commons") as commons:
        recall(commons, first, folder)
        for what, drawn in (("drawn", True), ("best", False)):
            last_map(commons, first, drawn=drawn)
            with watch.time(what):
                last_map(commons, changed, drawn=drawn)
    return watch.seconds


def members(folder: Path, edge: int, many: int = 30) -> Mapping[str, float]:
    """Draw an ensemble of one member with all workers and write what it tells, then one of many; and only walk once."""
    watch = Stopwatch()
    alone, scenario = (make_scenario(WideLandscape(edge).name, members=count) for count in (1, many))
    with dc.open(folder / "commons") as commons:
        study, learned = recall(commons, scenario, folder)
        start = study.land_cover[scenario.start]
        watch.keep_fastest("walk", [_time_walk(learned.model, scenario, start) for _ in range(ATTEMPTS)])
        attempts = []
        for _ in range(ATTEMPTS):
            attempts.append(Stopwatch())
            with attempts[-1].time("one"):
                _draw(commons, study, learned.model, alone, folder / "one.zarr")
        watch.keep_fastest("one", attempts)
        with watch.time("many"):
            _draw(commons, study, learned.model, scenario, folder / "many.zarr")
    return watch.seconds


def _draw(commons: Commons, study: Study, model: Model, scenario: Scenario, path: Path) -> None:
    """Draw an ensemble, and write in how many members each cell has each class in each year, and when it changes."""
    start = study.land_cover[scenario.start]
    with Record(start.shape, path.parent) as record, _cube(commons, scenario, path, scenario.projected_years) as cube:
        ensemble = draw_ensemble(model, scenario, start, workers=study.workers, record=record)
        write_ensemble(cube, ensemble, study.workers)
    shutil.rmtree(path)


def _time_walk(model: Model, scenario: Scenario, start: NDArray[np.uint8]) -> Stopwatch:
    watch = Stopwatch()
    with watch.time("walk"):
        for _ in walk(model, scenario, start):
            pass
    return watch


def spread(folder: Path, edge: int, processes: int = 4, years: int = 3) -> Mapping[str, float]:
    """Draw members by threads, and then in processes of one machine, which are started and have loaded the kernels."""
    watch = Stopwatch()
    scenario = make_scenario(WideLandscape(edge).name, members=processes, years=years)
    with dc.open(folder / "commons") as commons:
        study, learned = recall(commons, scenario, folder)
        walks = Walks(learned.model, scenario, study.land_cover[scenario.start])
        with watch.time("threads"):
            drawn = gather_ensemble(walks, study.workers)
        with open_cluster(f"processes:{processes}") as cluster:
            assert cluster is not None
            cluster.client.run(import_module, "tests.datacommons.warm")
            with watch.time("processes"):
                again = gather_ensemble(walks, replace(study.workers, cluster=cluster))
        if not np.array_equal(again.area_ha, drawn.area_ha):
            raise RuntimeError("Processes have drawn other members than threads.")
    return watch.seconds


def race(folder: Path, edge: int) -> Mapping[str, float]:
    """Project 20 years of four transitions, then of one, from arrays in memory to the last map in memory."""
    watch, name = Stopwatch(), WideLandscape(edge).name
    with dc.open(folder / "commons") as commons:
        for what, forbidden in (("four", {}), ("one", ONE_TRANSITION)):
            scenario = make_scenario(name, conversions={"forbidden": forbidden})
            study = study_of(commons, scenario)
            learned, start = study.calibration(), study.land_cover[scenario.start]
            for drawn in (True, False):
                job = f"{what}, {'drawn' if drawn else 'best'}"
                with watch.time(job):
                    potential = learned.model.potential.seen_with(study.drivers, study.workers)
                    steps = walk(replace(learned.model, potential=potential), scenario, start, drawn=drawn)
                    placed_ha = sum(sum(step.placed_ha.values()) for step in steps)
                watch.seconds[f"{job}, cells placed"] = placed_ha / study.grid.weight_ha
    return watch.seconds


def walk(model: Model, scenario: Scenario, start: NDArray[np.uint8], *, drawn: bool = True) -> Iterator[Year]:
    """Project one member with all cores: drawn by likelihood, or the best map."""
    if not drawn:
        return project(model, scenario, start, workers=Workers())
    temperature = scenario.allocation.temperature
    return project(model, scenario, start, member=0, temperature=temperature, workers=Workers())


def last_map(commons: Commons, scenario: Scenario, *, drawn: bool) -> NDArray[np.uint8]:
    """Return the map at the end of a scenario, without publishing it."""
    study = study_of(commons, scenario)
    for year in walk(study.calibration().model, scenario, study.land_cover[scenario.start], drawn=drawn):
        last = year.land_cover
    return last


def study_of(commons: Commons, scenario: Scenario, memory_mib: int | None = None) -> Study:
    """Return a scenario with its layers, to be computed with all cores."""
    return Study.of(commons, scenario, threads=None, chunk=None, memory_gib=_gib(memory_mib), progress=False)


def _gib(memory_mib: int | None) -> float | None:
    return None if memory_mib is None else memory_mib / 1024


def recall(
    commons: Commons, scenario: Scenario, folder: Path, memory_mib: int | None = None
) -> tuple[Study, Calibration]:
    """Let the commons remember what was learned in another process, with the scores of its stored drivers.

    What was learned may be of another landscape of the same kind.
    """
    study = study_of(commons, scenario, memory_mib)
    kept: Calibration = pickle.loads((folder / LEARNED).read_bytes())
    neighbourhood = replace(kept.model.potential.neighbourhood, grid=study.grid)
    potential = replace(kept.model.potential, neighbourhood=neighbourhood).seen_with(study.drivers, study.workers)
    learned = replace(kept, model=replace(kept.model, grid=study.grid, potential=potential))
    return study, commons.remember(("calibration", study.lesson), lambda: learned)


def rewrite(maps: xr.DataArray, commons: Commons, scenario: Scenario, path: Path) -> Stopwatch:
    """Write maps into another cube, year by year, each by itself; only the writing is timed."""
    watch = Stopwatch()
    with _cube(commons, scenario, path, scenario.projected_years) as writer:
        array = writer.add("land_cover", ("time", "y", "x"), legend_attributes(LEGEND))
        for n in range(maps.sizes["time"]):
            cells = maps[n].to_numpy()
            with watch.time("write"):
                array[n] = cells
    shutil.rmtree(path)
    return watch


def _cube(commons: Commons, scenario: Scenario, path: Path, years: Sequence[int]) -> CubeWriter:
    return CubeWriter(path, commons.landscape(scenario.landscape).geobox, years, LEGEND, {})
