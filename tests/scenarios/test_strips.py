"""Strips: what they promise is kept up to date, and says what their cells have."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from numpy.typing import NDArray

from scenarios.cluster import ONE
from scenarios.kernels.strips import LARGEST_SCORE, NOTHING, STRIP, count_strips, find_stale, renew
from scenarios.model import Model
from scenarios.projection.strips import UNKNOWN, look_at_strips
from scenarios.projection.view import View
from scenarios.projection.years import _Walk
from tests.scenarios.landscapes import World, build_claims, random_map, random_scores, scenario, worlds

temperatures = pytest.mark.parametrize("temperature", [0.0, 0.01, 1.0, 4.0])


def promise_plainly(cells: NDArray[np.int16], ceiling: int, weights: NDArray[np.int64]) -> int:
    """Return the sum of the weights, or the highest score."""
    if not weights.size:
        return int(cells.max()) if cells.size else int(NOTHING)
    return sum(int(weights[score - ceiling + 2 * int(LARGEST_SCORE)]) for score in cells.tolist())


@temperatures
def test_a_strip_promises_what_its_cells_of_the_class_have(temperature: float) -> None:
    land_cover = random_map((5, 150), 3)
    claims = build_claims(land_cover, random_scores(2, land_cover.shape), temperature=temperature)
    assert claims.strips.shape == (5, 3, 2) == (5, count_strips(150), 2)
    for row, strip, k in np.ndindex(*claims.strips.shape):
        here = slice(strip * STRIP, (strip + 1) * STRIP)
        mine = claims.scores[row, here, k][land_cover[row, here] == 1]
        assert claims.strips[row, strip, k] == promise_plainly(mine, int(claims.ceilings[k]), claims.weights)


@temperatures
def test_without_a_potential_a_strip_promises_that_all_cells_are_alike(temperature: float) -> None:
    land_cover = random_map((5, 150), 3)
    claims = build_claims(land_cover, random_scores(1, land_cover.shape), temperature=temperature)
    alike = claims._replace(slots=np.array([-1]), ceilings=np.zeros(1, np.int64), strips=UNKNOWN)
    found = look_at_strips(alike, ONE).strips[:, 0, 0]
    cells = (land_cover == 1)[:, :STRIP].sum(axis=1)
    assert found.tolist() == ([n << 56 for n in cells.tolist()] if claims.weights.size else [0] * 5)


@given(worlds(most=90))
@settings(deadline=None, max_examples=20)
def test_after_any_year_strips_promise_what_a_fresh_look_finds(world: World) -> None:
    plans = scenario(years=3)
    walk = _Walk(world.model, plans, world.start, 0, world.temperature, 32, ONE, None)
    list(walk.set_out(None, ()))
    for year in plans.projected_years:
        walk.step(year)
        view = walk.lookout.view
        fresh = look_again(world.model, walk.land_cover, view)
        if world.temperature > 0:
            np.testing.assert_array_equal(view.promises.promised, fresh)
        else:  # no cell is ever better than is promised
            assert (view.promises.promised >= fresh).all()


def look_again(model: Model, land_cover: NDArray[np.uint8], view: View) -> NDArray[np.int64]:
    tables, promises = model.potential.tables, view.promises
    fresh = promises._replace(promised=np.empty_like(promises.promised))
    every = np.arange(fresh.promised.shape[0] * fresh.promised.shape[1])
    renew(land_cover, tables.first_of, tables.count_of, view.scores, fresh, every)
    return fresh.promised


@given(worlds(most=70))
@settings(deadline=None, max_examples=10)
def test_a_copy_changes_on_its_own(world: World) -> None:
    view = View.of(world.model.potential, world.start, ONE, world.temperature)
    before, copy = view.promises.promised.copy(), view.copy()
    cells = np.flatnonzero(world.start)
    copy.leave_alone(cells, world.start.ravel()[cells], world.start)
    assert view.promises.promised.tobytes() == before.tobytes()
    assert (copy.promises.promised <= before).all()


def test_stale_strips_are_found() -> None:
    stale = np.zeros((6, 150), np.uint8)
    stale[1, 63] = stale[1, 64] = stale[4, 149] = 1
    assert find_stale(stale, (0, 6)).tolist() == [3, 4, 14]
    assert find_stale(stale, (2, 4)).tolist() == []
