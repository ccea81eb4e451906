"""Strips: what they promise is kept up to date, and says what their cells have."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from numpy.typing import NDArray

from scenarios.cluster import ONE, Workers
from scenarios.kernels.strips import STRIP, count_strips, find_stale
from scenarios.model import Model
from scenarios.projection.strips import Strips, add_up, choose_weights
from scenarios.projection.view import View
from scenarios.projection.years import _Walk
from tests.scenarios.landscapes import World, random_map, random_scores, scenario, worlds

temperatures = pytest.mark.parametrize("temperature", [0.0, 0.01, 1.0, 4.0])


def promise_plainly(cells: NDArray[np.int16], weights: NDArray[np.float64]) -> float:
    """Return the sum of the weights, one after the other, or the highest score."""
    if not weights.size:
        return float(cells.max(initial=-(2**15))) if cells.size else -np.inf
    total = 0.0
    for score in cells.tolist():
        total += float(weights[score + weights.size // 2])
    return total


@temperatures
def test_a_strip_promises_what_its_cells_of_the_class_have(temperature: float) -> None:
    land_cover, weights = random_map((5, 150), 3), choose_weights(temperature)
    scores = random_scores(2, land_cover.shape)
    found = add_up(land_cover, 1, scores, 1, weights, ONE)
    assert found.shape == (5, 3) == (5, count_strips(150))
    for row, strip in np.ndindex(*found.shape):
        here = slice(strip * STRIP, (strip + 1) * STRIP)
        mine = land_cover[row, here] == 1
        assert found[row, strip] == promise_plainly(scores[1, row, here][mine], weights)


@temperatures
def test_without_a_potential_a_strip_promises_that_all_cells_are_alike(temperature: float) -> None:
    land_cover, weights = random_map((5, 150), 3), choose_weights(temperature)
    found = add_up(land_cover, 1, random_scores(1, land_cover.shape), -1, weights, ONE)
    cells = (land_cover == 1)[:, :STRIP].sum(axis=1)
    assert found[:, 0].tolist() == (cells.tolist() if weights.size else [0.0] * 5)


@given(worlds(most=90))
@settings(deadline=None, max_examples=20)
def test_after_any_year_strips_promise_what_a_fresh_look_finds(world: World) -> None:
    plans = scenario(years=3)
    walk = _Walk(world.model, plans, world.start, 0, world.temperature, 32, ONE, None)
    list(walk.set_out(None, ()))
    for year in plans.projected_years:
        walk.step(year)
        strips = walk.lookout.view.strips
        fresh = look_again(world.model, walk.land_cover, walk.lookout.view, strips.weights)
        assert strips.promised.tobytes() == fresh.tobytes()


def look_again(
    model: Model, land_cover: NDArray[np.uint8], view: View, weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    potential = model.potential
    promised = [
        add_up(land_cover, t.source, view.scores, potential.slot(t), weights, Workers(2)) for t in potential.transitions
    ]
    return np.stack(promised)


@given(worlds(most=70))
@settings(deadline=None, max_examples=10)
def test_a_copy_changes_on_its_own(world: World) -> None:
    view = View.of(world.model.potential, world.start, ONE, world.temperature)
    before, copy = view.strips.promised.copy(), view.copy()
    cells = np.flatnonzero(world.start)
    copy.leave_alone(cells, world.start)
    assert view.strips.promised.tobytes() == before.tobytes()
    assert isinstance(copy.strips, Strips)
    assert cells.size == 0 or (copy.strips.promised <= before).all()


def test_stale_strips_are_found() -> None:
    stale = np.zeros((6, 150), np.uint8)
    stale[1, 63] = stale[1, 64] = stale[4, 149] = 1
    assert find_stale(stale, (0, 6)).tolist() == [3, 4, 14]
    assert find_stale(stale, (2, 4)).tolist() == []
