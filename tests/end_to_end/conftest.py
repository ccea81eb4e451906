"""The main job on the Plum Island data, done once with the commands a user types, and the door it opens."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

import datacommons as dc
from datacommons.commons import Commons
from datacommons.runs.run import Run
from tests.commands import PATIENCE_S, Outcome, command, open_door

LAND_COVER = ("landcover_1985.tif", "landcover_1991.tif", "landcover_1999.tif")
DRIVERS = ("elevation.tif", "slope.tif", "dist_built_1985.tif")
RUN = "plum-island-business-as-usual-1"
SCENARIO = """\
id: business-as-usual
title: {en: Business as usual}
storyline: {en: If things go on as they did 1985-1999.}
landscape: plum-island
start: 1999
years: 20
history: [1985, 1991, 1999]
potential: {drivers: [elevation, slope, dist_built_1985]}
members: 4
"""


@dataclass(frozen=True)
class Job:
    """The main job, done: the user's folder, the commons in it, and what each command said."""

    folder: Path
    outcomes: dict[str, Outcome]

    @property
    def root(self) -> Path:
        """The folder of the commons."""
        return self.folder / "plum-island"

    @property
    def run_folder(self) -> Path:
        """Where the run's files are."""
        return self.root / "runs" / "plum-island" / "business-as-usual" / RUN


@pytest.fixture(scope="session", autouse=True)
def environment() -> Iterator[None]:
    """Let no setting of the machine decide which commons is meant, or send requests to a proxy."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("DATACOMMONS_COMMONS", raising=False)
        patch.setenv("NO_PROXY", "127.0.0.1")
        patch.setenv("no_proxy", "127.0.0.1")
        yield


def found_commons(folder: Path, pie: Path) -> dict[str, Outcome]:
    """Put the user's files into a folder, and make a commons of them."""
    for name in (*LAND_COVER, *DRIVERS, "legend.json"):
        shutil.copyfile(pie / name, folder / name)
    (folder / "scenario.yaml").write_text(SCENARIO, "utf-8")
    land_cover = ("ingest", *LAND_COVER, "--collection", "land-cover", "--legend", "legend.json")
    return {
        "init": command("init", "plum-island", folder=folder),
        "ingest land cover": command(*land_cover, folder=folder),
        "ingest drivers": command("ingest", *DRIVERS, "--collection", "drivers", folder=folder),
    }


@pytest.fixture(scope="session")
def job(pie: Path, tmp_path_factory: pytest.TempPathFactory) -> Job:
    """Do the main job, with 2 threads and chunks of 1024 cells."""
    folder = tmp_path_factory.mktemp("job")
    outcomes = found_commons(folder, pie)
    outcomes["layers"] = command("layers", folder=folder)
    outcomes["validate"] = command("validate", "scenario.yaml", "--report", "validation.html", folder=folder)
    outcomes["run"] = command("run", "scenario.yaml", "--threads", "2", "--chunk", "1024", folder=folder)
    outcomes["runs"] = command("runs", folder=folder)
    return Job(folder, outcomes)


@pytest.fixture(scope="session")
def twin(pie: Path, tmp_path_factory: pytest.TempPathFactory) -> Job:
    """Do it again from the start, with 1 thread and chunks of 256 cells."""
    folder = tmp_path_factory.mktemp("twin")
    outcomes = found_commons(folder, pie)
    outcomes["run"] = command("run", "scenario.yaml", "--threads", "1", "--chunk", "256", folder=folder)
    return Job(folder, outcomes)


@pytest.fixture(scope="session")
def commons(job: Job) -> Iterator[Commons]:
    """Open the commons from Python. Nobody writes to it any more."""
    with dc.open(job.root) as commons:
        yield commons


@pytest.fixture(scope="session")
def run(commons: Commons) -> Run:
    """Open the published run."""
    return commons.open_run(RUN)


@pytest.fixture(scope="session")
def door(job: Job) -> Iterator[str]:
    """Open the door with ``datacommons serve``, and return its address."""
    with open_door(job.folder) as address:
        yield address


@pytest.fixture(scope="session")
def visitor(door: str) -> Iterator[httpx.Client]:
    """Return a stranger's HTTP client at the door."""
    with httpx.Client(base_url=door, timeout=PATIENCE_S) as client:
        yield client


@pytest.fixture(scope="session")
def copy_commons(job: Job, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """Return a maker of copies of the commons, run and all, to be ill-treated; it returns the folder around one."""

    def copy() -> Path:
        folder = tmp_path_factory.mktemp("copy")
        # SQLite makes this file anew from the others.
        shutil.copytree(job.root, folder / "plum-island", ignore=shutil.ignore_patterns("catalog.sqlite-shm"))
        return folder

    return copy


def box(west: float, south: float, east: float, north: float) -> str:
    """Return a box of degrees as GeoJSON, which YAML can hold."""
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return json.dumps({"type": "Polygon", "coordinates": [ring]})
