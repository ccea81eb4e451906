"""Plum Island: learned from 1985 and 1991, foretold for 1999, by two demands that other tools were given too."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import rasterio
from odc.geo.geobox import GeoBox

from catalog.legend import Legend
from scenarios.grid import Grid
from scenarios.spec import Scenario
from tests.benchmarks.trials import Trial

ABSENT = "its data is not beside the repository (../shared/data/pie)"
DEMANDS = {"A": "demand_1991_1999_A_observed.csv", "B": "demand_1991_1999_B_markov.csv"}
LEARNED, TESTED = (1985, 1991), 1999
DRIVERS = ("elevation", "slope", "dist_built_1985")


def read_trial(demand: str, folder: Path) -> Trial:
    """Read the trial with one of the demands.

    Parameters
    ----------
    demand : "A", the areas that were observed in 1999, or "B", those of a Markov chain from 1985 and 1991
    """
    history = {}
    for year in (*LEARNED, TESTED):
        with rasterio.open(folder / f"landcover_{year}.tif") as file:
            history[year] = file.read(1)
            grid = Grid(GeoBox(file.shape, file.transform, file.crs))
    observed = history.pop(TESTED)
    drivers = {}
    for name in DRIVERS:
        with rasterio.open(folder / f"{name}.tif") as file:
            drivers[name] = file.read(1, masked=True).astype(np.float32).filled(np.nan)
    scenario = Scenario(
        id=f"demand-{demand.lower()}",
        title=f"Demand {demand}",
        landscape="plum-island",
        start=LEARNED[-1],
        years=TESTED - LEARNED[-1],
        history=LEARNED,
        demand={"rule": "table", "table": read_demand(folder / DEMANDS[demand], grid)},
    )
    legend = Legend.read(folder / "legend.json")
    return Trial(scenario, grid, legend, history, drivers, history[LEARNED[-1]], observed)


def read_demand(path: Path, grid: Grid) -> dict[str, tuple[float, ...]]:
    """Read a table of cells by year and class as the columns of a demand table, in hectares."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    cell_ha = float(grid.row_area_ha[0])  # a projected grid: all cells are alike
    areas = {name: tuple(int(row[name]) * cell_ha for row in rows) for name in rows[0] if name != "year"}
    return {"year": tuple(int(row["year"]) for row in rows), **areas}
