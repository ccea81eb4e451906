"""Moved scores: what changes is followed by differences, and ends where a fresh look at the whole map does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.cluster import ONE, Workers
from scenarios.kernels.draws import SCALE
from scenarios.kernels.strips import LARGEST_SCORE
from scenarios.model import Model
from scenarios.potential.potential import Potential
from scenarios.projection.lookout import Lookout
from scenarios.projection.view import View
from scenarios.projection.yearbook import Changes
from tests.scenarios.landscapes import EVERY_TRANSITION, Map, flat_model, projected_grid, random_map, random_potential

SHAPE = (140, 150)  # more rows than are worked on at once, and three strips
GRID = projected_grid(SHAPE)


def change_some(land_cover: Map, seed: int, share: float) -> Map:
    """Return the map with some cells, in clumps, of other classes; none gains or loses its data."""
    rng = np.random.default_rng(seed)
    clumps = np.kron(rng.random((28, 30)) < share, np.ones((5, 5), bool))
    moved = clumps & (rng.random(SHAPE) < 0.6) & (land_cover != 0)
    return np.where(moved, random_map(SHAPE, seed + 1, nodata=0), land_cover).astype(np.uint8)


def calm_potential(seed: int) -> Potential:
    """Return a potential whose sums stay far from where they are cut."""
    potential = random_potential(GRID, EVERY_TRANSITION, seed=seed)
    return replace(potential, static=potential.static // 8, curves=potential.curves // 8)


def assert_same_view(found: View, fresh: View, land_cover: Map) -> None:
    np.testing.assert_array_equal(found.counts, fresh.counts)
    for t in found.potential.transitions:
        here, slot = land_cover == t.source, found.potential.slot(t)
        np.testing.assert_array_equal(found.scores[here, slot], fresh.scores[here, slot])
    if fresh.promises.weights.size:
        np.testing.assert_array_equal(found.promises.promised, fresh.promises.promised)
    else:
        assert (found.promises.promised >= fresh.promises.promised).all()


@given(st.integers(0, 1000), st.sampled_from([0.0, 1.0]), st.sampled_from([0.0, 0.02, 0.3]), st.booleans())
@settings(deadline=None, max_examples=15)
def test_after_some_years_the_view_is_that_of_a_fresh_look(
    seed: int, temperature: float, share: float, ragged: bool
) -> None:
    potential, now = calm_potential(seed), random_map(SHAPE, seed, nodata=0.2 if ragged else 0)
    assert potential.is_never_cut
    view = View.of(potential, now, ONE, temperature)
    for year in range(2):
        later = change_some(now, seed + year, share)
        back = np.random.default_rng(year).choice(now.size, 5)  # touched, and of the same class again
        touched = np.union1d(np.flatnonzero(now != later), back)
        before = now.ravel()[touched]
        view.leave_alone(touched, before, later)
        view.follow(later, touched, before, Workers(2))
        now = later
    assert_same_view(view, View.of(potential, now, ONE, temperature), now)


def test_rows_that_are_followed_side_by_side_are_those_of_the_whole() -> None:
    potential, now = calm_potential(2), random_map(SHAPE, 2, nodata=0.1)
    later = change_some(now, 3, 0.1)
    touched = np.flatnonzero(now != later)
    views = []
    for workers in (ONE, Workers(3)):
        view = View.of(potential, now, workers, 1.0)
        view.leave_alone(touched, now.ravel()[touched], later)
        view.follow(later, touched, now.ravel()[touched], workers)
        views.append(view)
    assert views[0].scores.tobytes() == views[1].scores.tobytes()
    assert views[0].promises.promised.tobytes() == views[1].promises.promised.tobytes()


def look_twice(model: Model, start: Map, later: Map) -> View:
    """Look at a map, and again when it has changed."""
    land_cover = start.copy()
    lookout = Lookout(model, land_cover, 1024, ONE)
    lookout.begin(None)
    land_cover[:] = later
    cells = np.flatnonzero(start != later)
    lookout.note(Changes(cells, start.ravel()[cells], later.ravel()[cells]))
    lookout.look_around()
    return lookout.view


@pytest.mark.parametrize("strong", [False, True])
def test_where_sums_are_cut_they_are_added_up_anew(strong: bool) -> None:
    start = random_map(SHAPE, 1, nodata=0.1)
    later, potential = change_some(start, 2, 0.05), calm_potential(3)
    if strong:
        potential.static[0, 60:] = int(LARGEST_SCORE) - SCALE // 4
    assert potential.is_never_cut is not strong
    model = replace(flat_model(GRID, {}), potential=potential)
    view = look_twice(model, start, later)
    assert_same_view(view, View.of(potential, later, ONE, 1.0), later)
    assert bool((view.scores == LARGEST_SCORE).any()) is strong
