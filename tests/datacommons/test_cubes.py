"""Cubes of a run: how they lie on the disk, and that they hold what the walks did."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pytest
import zarr

from datacommons.runs.cubes import PROBABILITY, TRAJECTORY, CubeWriter, open_cube, write_ensemble, write_trajectory
from scenarios.cluster import ONE, Workers
from scenarios.projection.ensemble import draw_ensemble
from scenarios.projection.record import Record
from scenarios.projection.years import CENTRAL
from tests.scenarios.landscapes import LEGEND, projected_grid, random_map, random_model, scenario, walk
from tests.scenarios.test_projection import RATES

SHAPE, YEARS = (1100, 2100), 11  # two by three files of the trajectory, the last ones cut; three by five of the members
GRID = projected_grid(SHAPE)
MODEL, PLANS = random_model(GRID, RATES), scenario(members=3, years=YEARS)
START = random_map(SHAPE)
START[:, 1024:2048] = 0  # in the middle, a file without data


@pytest.fixture(scope="module")
def trajectory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path, years = tmp_path_factory.mktemp("cubes") / "trajectory.zarr", range(2000, 2001 + YEARS)
    with Record(SHAPE) as record, CubeWriter(path, GRID.geobox, years, LEGEND, {}) as cube:
        for _ in record.listen(CENTRAL, walk(MODEL, PLANS, START)):
            pass
        write_trajectory(cube, record, START, LEGEND, 2000, Workers(2))
    return path


def files(array: Path) -> set[str]:
    return {path.relative_to(array / "c").as_posix() for path in (array / "c").rglob("*") if path.is_file()}


def test_a_trajectory_is_the_map_of_every_year(trajectory: Path) -> None:
    found = open_cube(trajectory).land_cover
    assert found.dims == ("time", "y", "x")
    np.testing.assert_array_equal(found[0], START)
    for cells, year in zip(found[1:], walk(MODEL, PLANS, START), strict=True):
        np.testing.assert_array_equal(cells, year.land_cover)


def test_a_file_holds_all_years_of_a_block_and_none_holds_nothing(trajectory: Path) -> None:
    assert files(trajectory / "land_cover") == {f"0/{y}/{x}" for y, x in product(range(2), (0, 2))}
    array = zarr.open_group(trajectory, mode="r")["land_cover"]
    assert array.shards == (16, TRAJECTORY.block, TRAJECTORY.block)
    assert array.chunks == (TRAJECTORY.years, TRAJECTORY.chunk, TRAJECTORY.chunk)


def test_members_are_counted_and_timed_as_a_whole_or_by_blocks(tmp_path: Path) -> None:
    with Record(SHAPE) as record, CubeWriter(tmp_path / "a.zarr", GRID.geobox, range(2001, 2012), LEGEND, {}) as cube:
        ensemble = draw_ensemble(MODEL, PLANS, START, record=record)
        write_ensemble(cube, ensemble, Workers(2))
        counts, timing = ensemble.counts, ensemble.timing
    found, group = open_cube(tmp_path / "a.zarr"), zarr.open_group(tmp_path / "a.zarr", mode="r")
    assert found.probability.dims == ("time", "class", "y", "x")
    np.testing.assert_array_equal(group["probability"][:], counts)
    np.testing.assert_array_equal(group["change_share"][:], timing.members)
    np.testing.assert_array_equal(found.first_change, timing.first_year)
    np.testing.assert_array_equal(found.last_change, timing.last_year)
    np.testing.assert_allclose(found.probability[-1].sum("class"), START != 0, atol=1e-6)
    assert group["probability"].shards == (20, 3, PROBABILITY.block, PROBABILITY.block)
    assert group["probability"].chunks == (PROBABILITY.years, 1, PROBABILITY.chunk, PROBABILITY.chunk)
    assert files(tmp_path / "a.zarr/probability") == {f"0/0/{y}/{x}" for y, x in product(range(3), (0, 1, 4))}


def test_a_small_landscape_of_few_years_is_one_chunk(tmp_path: Path) -> None:
    grid, years = projected_grid((30, 40)), range(2001, 2004)
    plans, start = scenario(members=2, years=3), random_map((30, 40))
    with CubeWriter(tmp_path / "a.zarr", grid.geobox, years, LEGEND, {}) as cube:
        write_ensemble(cube, draw_ensemble(random_model(grid, RATES), plans, start), ONE)
    array = zarr.open_group(tmp_path / "a.zarr", mode="r")["probability"]
    assert (array.shards, array.chunks) == ((3, 3, 30, 40), (3, 1, 30, 40))
