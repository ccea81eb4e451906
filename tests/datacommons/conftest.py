"""Small rasters, commons made of them, and the real data beside the repository."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pytest
import rasterio
from affine import Affine
from fastapi.testclient import TestClient
from numpy.typing import ArrayLike

import datacommons as dc
from catalog.store import OWNER
from datacommons.commons import Commons
from datacommons.door.server import create_app
from datacommons.runs.run import Run
from tests.commands import Outcome, command

UTM_18N = "EPSG:32618"
GRID = Affine(30, 0, 500_000, 0, -30, 4_000_000)
LEGEND = {"nodata": 0, "classes": {"1": "Forest", "2": "Built", "3": "Other"}}
FOREST, BUILT, OTHER = 1, 2, 3
Cells = np.ndarray[Any, np.dtype[np.uint8]]


class WriteRaster(Protocol):
    """Writes a GeoTIFF of one or more bands and returns its path."""

    def __call__(self, name: str, cells: ArrayLike, **profile: Any) -> Path:
        """Write ``cells``, (y, x) or (band, y, x); the profile's defaults are UTM 18N and 30 m."""


class RunCli(Protocol):
    """Types a ``datacommons`` command."""

    def __call__(self, *arguments: str | Path, cwd: Path = ...) -> Outcome:
        """Type it in a folder; the default is the user's own."""


@pytest.fixture
def write_raster(tmp_path: Path) -> WriteRaster:
    """Return a writer of GeoTIFFs in a folder of the user, outside the commons."""
    return raster_writer(tmp_path / "sources")


def raster_writer(folder: Path) -> WriteRaster:
    """Return a writer of GeoTIFFs in a folder, which is made."""
    folder.mkdir()

    def write(name: str, cells: ArrayLike, **profile: Any) -> Path:
        bands = np.atleast_3d(np.asarray(cells).T).T
        settings = {"crs": UTM_18N, "transform": GRID, "nodata": None, "dtype": bands.dtype} | profile
        count, height, width = bands.shape
        path = folder / name
        with rasterio.open(path, "w", driver="GTiff", count=count, height=height, width=width, **settings) as file:
            file.write(bands)
        return path

    return write


@pytest.fixture
def land_cover() -> Cells:
    """Return a map of 40 x 60 cells: forest, a built square, other in the east, a margin of nodata."""
    return draw_land_cover()


def draw_land_cover() -> Cells:
    """Draw the map of the fixture ``land_cover``."""
    cells = np.full((40, 60), FOREST, np.uint8)
    cells[10:20, 10:25] = BUILT
    cells[:, 40:] = OTHER
    cells[:2] = 0
    return cells


@pytest.fixture
def legend_file(tmp_path: Path) -> Path:
    """Return a legend as a user writes it."""
    path = tmp_path / "legend.json"
    path.write_text(json.dumps(LEGEND), "utf-8")
    return path


@pytest.fixture
def empty_commons(tmp_path: Path) -> Iterator[Commons]:
    """Return a commons without layers."""
    with dc.init(tmp_path / "valley") as commons:
        yield commons


@pytest.fixture(scope="session")
def valley(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a commons with the landscape ``valley``, to be copied and not touched."""
    folder = tmp_path_factory.mktemp("template")
    write = raster_writer(folder / "sources")
    earlier, later = draw_land_cover(), draw_land_cover()
    later[20:30, 10:25] = BUILT
    files = [write("lc_1990.tif", earlier, nodata=0), write("lc_2000.tif", later, nodata=0)]
    with dc.init(folder / "valley") as commons:
        commons.ingest(files, collection="land-cover", legend=dc.Legend.from_json(LEGEND))
    return folder / "valley"


@pytest.fixture
def commons(valley: Path, tmp_path: Path) -> Iterator[Commons]:
    """Return a commons with the landscape ``valley`` and its land cover of 1990 and 2000."""
    with dc.open(shutil.copytree(valley, tmp_path / "valley")) as commons:
        yield commons


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> RunCli:
    """Return a runner of the command line, in a folder of the user's choice."""
    monkeypatch.delenv("DATACOMMONS_COMMONS", raising=False)

    def run(*arguments: str | Path, cwd: Path = tmp_path) -> Outcome:
        return command(*arguments, folder=cwd)

    return run


@pytest.fixture(scope="session")
def lived_in(valley: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a commons with layers, one of them hidden, and a run; to be copied and not touched."""
    folder = tmp_path_factory.mktemp("lived-in")
    write = raster_writer(folder / "sources")
    distance = np.broadcast_to(np.arange(60, dtype=np.float32), (40, 60))
    with dc.open(shutil.copytree(valley, folder / "valley")) as commons:
        commons.ingest([write("road.tif", distance)], collection="drivers")
        commons.run(make_scenario(), threads=1)
        commons.ingest([write("rights.tif", distance)], collection="drivers")
        hidden = commons.store.item("drivers", "valley-rights", OWNER)
        hidden["properties"]["landscape:access"] = "partners"
        commons.store.put_items([hidden])
    return folder / "valley"


def make_scenario() -> dc.Scenario:
    """Make a small scenario of the valley, with one driver."""
    return dc.Scenario(
        id="roads",
        title="Roads",
        landscape="valley",
        start=2000,
        years=2,
        members=2,
        history=(1990, 2000),
        transitions={"minimum_hectares": 0},
        potential={"drivers": ["road"]},
    )


GRIDS = {
    "projected": {"crs": "EPSG:32618", "transform": Affine(30, 0, 500_000, 0, -30, 4_000_000)},
    "geographic": {"crs": "EPSG:4326", "transform": Affine(0.01, 0, 20.0, 0, -0.01, 60.0)},
}


@pytest.fixture(scope="session", params=GRIDS)
def served_run(request: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Run, TestClient]]:
    """Return a published run with five members, and a client of its commons."""
    folder = tmp_path_factory.mktemp(request.param)
    write = raster_writer(folder / "sources")
    earlier, later = draw_land_cover(), draw_land_cover()
    later[20:30, 10:25] = BUILT
    grid = GRIDS[request.param]
    files = [write("lc_1990.tif", earlier, nodata=0, **grid), write("lc_2000.tif", later, nodata=0, **grid)]
    scenario = dc.Scenario(
        id="usual",
        title="Usual",
        landscape="valley",
        years=4,
        start=2000,
        members=5,
        history=(1990, 2000),
        transitions={"minimum_hectares": 0},
    )
    with dc.init(folder / "valley") as commons:
        commons.ingest(files, collection="land-cover", legend=dc.Legend.from_json(LEGEND))
        run = commons.run(scenario, threads=1, progress=False)
        with TestClient(create_app(commons)) as client:
            yield run, client
