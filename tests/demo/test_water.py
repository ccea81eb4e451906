from __future__ import annotations

import numpy as np
import pytest

from datacommons.demo.drainage import drain
from datacommons.demo.terrain import raise_terrain
from datacommons.demo.water import Waters, paint_water, shape_waters


@pytest.fixture(scope="module")
def waters() -> Waters:
    return shape_waters(raise_terrain(np.random.Generator(np.random.PCG64(11)), (180, 180)))


def test_a_hollow_is_filled_to_its_lip_and_drains_over_it() -> None:
    bowl = np.full((7, 7), 5.0)
    bowl[2:5, 2:5] = 1.0
    bowl[3, 5:] = (3.0, 2.0)
    drainage = drain(bowl)
    assert drainage.height[3, 3] == 3.0
    lip = np.zeros(bowl.shape, np.bool_)
    lip[3, 5] = True
    assert (drainage.reach(lip)[2:5, 2:5] == 3 * 7 + 5).all()
    assert (drainage.outlet()[2:5, 2:5] == 3 * 7 + 6).all()


def test_water_only_runs_down_and_every_cell_reaches_an_edge(waters: Waters) -> None:
    drainage = waters.drainage
    height = drainage.height.ravel()
    assert (height[drainage.receiver] <= height).all()
    assert (drainage.outlet() >= 0).all()
    position = np.empty(height.size, np.int64)
    position[drainage.order] = np.arange(height.size)
    moving = drainage.receiver != np.arange(height.size)
    assert (position[drainage.receiver] < position)[moving].all()


def test_drainage_areas_add_up_at_the_outlets(waters: Waters) -> None:
    drainage = waters.drainage
    outlets = np.flatnonzero(drainage.receiver == np.arange(drainage.receiver.size))
    assert drainage.area().ravel()[outlets].sum() == drainage.receiver.size


def test_painted_rivers_run_on_to_a_lake_or_the_edge(waters: Waters) -> None:
    water, drainage = paint_water(waters), waters.drainage
    courses = np.flatnonzero((water & waters.streams).ravel())
    below = drainage.receiver[courses]
    assert courses.size > 100
    assert water.ravel()[below].all()


def test_lakes_are_level_and_hold_water(waters: Waters) -> None:
    assert 20 < waters.lakes.sum() < 0.03 * waters.basin.sum()
    height, lakes = waters.elevation_m, waters.lakes
    assert np.unique(height[lakes]).size <= 2
