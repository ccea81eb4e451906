"""MOLUSCE's example, which has two dates: learned in every other block of the map, foretold in the rest.

With two dates nothing can be foretold in time. So the interval is the same, and only places are held back. What the
last interval says of the next (momentum) cannot be known there, and is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from catalog.legend import Legend
from scenarios.grid import Grid
from scenarios.spec import Scenario
from tests.benchmarks.trials import Trial

ABSENT = "its data is not beside the repository (../shared/data/molusce)"
DRIVERS = ("dist_river", "dist_roads")
BLOCKS_ACROSS = 4
FIRST, LAST = 2000, 2008  # the dates are not recorded: any will do, as the rates follow from them

SCENARIO = Scenario(
    id="blocks",
    title="Held-back blocks",
    landscape="molusce",
    start=LAST,
    years=LAST - FIRST,
    history=(FIRST, LAST),
    potential={"momentum_m": ()},
)


def read_trials(folder: Path) -> Iterator[Trial]:
    """Read the two trials: each half of the blocks in turn is held back."""
    maps = []
    for name in ("landcover_t0", "landcover_t1"):
        with rasterio.open(folder / f"{name}.tif") as file:
            maps.append(file.read(1))
            grid = Grid(GeoBox(file.shape, file.transform, file.crs))
    drivers = {}
    for name in DRIVERS:
        with rasterio.open(folder / f"{name}.tif") as file:
            drivers[name] = file.read(1, masked=True).astype(np.float32).filled(np.nan)
    legend = Legend.read(folder / "legend.json")
    dark = checker(grid.shape)
    for held in (dark, ~dark):
        past = {year: np.where(held, 0, each).astype(np.uint8) for year, each in zip((FIRST, LAST), maps, strict=True)}
        held_back = held & (maps[0] != 0) & (maps[1] != 0)
        start, end = (np.where(held_back, each, 0).astype(np.uint8) for each in maps)
        yield Trial(SCENARIO, grid, legend, past, drivers, start, end)


def checker(shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Return every other block of a map that is so many blocks high and wide."""
    rows, columns = np.indices(shape)
    return np.asarray((rows * BLOCKS_ACROSS // shape[0] + columns * BLOCKS_ACROSS // shape[1]) % 2 == 0)
