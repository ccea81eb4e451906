"""Many runs in one process: what one has taken is free for the next."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from datacommons.background import Background
from datacommons.cogs import write_map
from datacommons.runs.cubes import CubeWriter, write_ensemble, write_trajectory
from scenarios.cluster import Workers
from scenarios.demand.transitions import Transition
from scenarios.projection.ensemble import gather_ensemble
from scenarios.projection.record import Record
from scenarios.projection.walks import Walks, walk_members
from scenarios.projection.yearbook import Year
from scenarios.projection.years import CENTRAL
from tests.scenarios.landscapes import LEGEND, projected_grid, random_map, random_model, scenario

pytestmark = pytest.mark.long

GRID = projected_grid((500, 500))
RATES = {Transition(1, 2): 0.02, Transition(3, 1): 0.01}
RUNS, WARM = 50, 10


def run(walks: Walks, folder: Path) -> None:
    """Do what a run does with maps: walk, keep journals, and write cubes and COGs."""
    workers = Workers(2)
    years, first = list(walks.scenario.projected_years), walks.scenario.start
    with Record(GRID.shape, folder) as record, Background[None](2) as maps:

        def see(best: int, steps: Iterator[Year]) -> None:
            for step in record.listen(best, steps):
                maps.do(write_map, folder / f"{step.year}.tif", step.land_cover.copy(), GRID.geobox, LEGEND)

        walk_members(walks, [CENTRAL], see, workers)
        with CubeWriter(folder / "trajectory.zarr", GRID.geobox, [first, *years], LEGEND, {}) as cube:
            write_trajectory(cube, record, walks.start, LEGEND, first, workers)
    with CubeWriter(folder / "probability.zarr", GRID.geobox, years, LEGEND, {}) as cube:
        write_ensemble(cube, gather_ensemble(walks, workers), workers)


def test_memory_does_not_grow_over_fifty_runs(tmp_path: Path) -> None:
    model, start = random_model(GRID, RATES), random_map(GRID.shape)
    held = []
    for n in range(RUNS):
        folder = tmp_path / str(n)
        folder.mkdir()
        run(Walks(model, scenario(years=2, members=2, seed=n), start, folder=folder / "walks"), folder)
        gc.collect()
        held.append(psutil.Process().memory_info().rss)
    growth = np.median(held[-5:]) - np.median(held[WARM : WARM + 5])
    # One map of each run that is kept would be 9 MB.
    assert growth < 5 * 2**20, [round(each / 2**20) for each in held]
