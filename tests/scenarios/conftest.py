"""The real data and the reference metrics that lie beside the repository, for the engine's tests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from catalog.legend import Legend
from scenarios.algebra import one_thread
from scenarios.grid import Grid
from scenarios.spec import Scenario
from scenarios.validation.hindcast import Hindcast, hindcast
from tests.benchmarks.reference import load_score_maps

PIE_DRIVERS = ("elevation", "slope", "dist_built_1985")


@dataclass(frozen=True, eq=False)
class PlumIsland:
    """Plum Island as the engine takes it."""

    folder: Path
    grid: Grid
    legend: Legend
    history: dict[int, NDArray[np.uint8]]
    drivers: dict[str, NDArray[np.float32]]
    scenario: Scenario


@pytest.fixture
def one_thread_of_algebra() -> Iterator[None]:
    """Hold linear algebra to one thread, as `fit_additive` asks of its caller."""
    with one_thread:
        yield


@pytest.fixture(scope="session")
def plum_island(pie: Path) -> PlumIsland:
    """Return the Plum Island maps and drivers."""
    history = {}
    for year in (1985, 1991, 1999):
        with rasterio.open(pie / f"landcover_{year}.tif") as file:
            history[year] = file.read(1)
            grid = Grid(GeoBox(file.shape, file.transform, file.crs))
    drivers = {}
    for name in PIE_DRIVERS:
        with rasterio.open(pie / f"{name}.tif") as file:
            drivers[name] = file.read(1, masked=True).astype(np.float32).filled(np.nan)
    plans = Scenario(id="bau", title="Any", landscape="plum-island", start=1999, history=tuple(history))
    return PlumIsland(pie, grid, Legend.read(pie / "legend.json"), history, drivers, plans)


@pytest.fixture(scope="session")
def plum_island_hindcast(plum_island: PlumIsland) -> Hindcast:
    """Return what 1985 and 1991 foretell of 1999."""
    p = plum_island
    return hindcast(p.scenario, p.history, p.drivers, legend=p.legend, grid=p.grid)


@pytest.fixture(scope="session")
def score_maps() -> ModuleType:
    """Return the metric code that other models were compared with."""
    try:
        return load_score_maps()
    except FileNotFoundError as absent:
        pytest.skip(str(absent))
