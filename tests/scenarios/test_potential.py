"""Potential: the same for any number of threads, and empty where nothing can be learned."""

from __future__ import annotations

import numpy as np
import pytest

from scenarios.cluster import Workers
from scenarios.demand.transitions import History, Transition
from scenarios.errors import ScenarioInvalid
from scenarios.potential.neighbourhood import LEVELS, Neighbourhood
from scenarios.potential.potential import Potential, indifferent, learn_potential
from tests.scenarios.landscapes import EVERY_TRANSITION, LEGEND, Map, geographic_grid, projected_grid, random_map

SHAPE = (60, 50)

pytestmark = pytest.mark.usefixtures("one_thread_of_algebra")


def drift(land_cover: Map, seed: int) -> Map:
    """Return the map with a tenth of its cells changed to random classes, more of them in the north."""
    rng = np.random.default_rng(seed)
    north = np.linspace(0.2, 0.02, land_cover.shape[0])[:, None]
    moved = rng.choice(LEGEND.values, land_cover.shape)
    return np.where((rng.random(land_cover.shape) < north) & (land_cover != 0), moved, land_cover).astype(np.uint8)


@pytest.fixture(scope="module")
def history() -> History:
    first = random_map(SHAPE)
    second = drift(first, 1)
    return {1990: first, 1996: second, 2005: drift(second, 2)}


def learn(history: History, threads: int = 1, seed: int = 5) -> Potential:
    near = Neighbourhood(projected_grid(SHAPE), (1, 3), LEGEND.values)
    rng = np.random.default_rng(0)
    drivers = {name: rng.normal(size=SHAPE).astype(np.float32) for name in ("slope", "height")}
    transitions = sorted(EVERY_TRANSITION, key=lambda t: (t.source, t.target))
    return learn_potential(transitions, history, drivers, near, seed=seed, workers=Workers(threads))


def test_a_potential_does_not_depend_on_the_number_of_threads(history: History) -> None:
    one = learn(history)
    for threads in (2, 4):
        many = learn(history, threads)
        assert many.static.tobytes() == one.static.tobytes()
        assert many.curves.tobytes() == one.curves.tobytes()
        assert many.used.tolist() == one.used.tolist()
        assert [m.intercept for m in many.models if m] == [m.intercept for m in one.models if m]


def test_a_potential_is_the_same_when_learned_again(history: History) -> None:
    assert learn(history).static.tobytes() == learn(history).static.tobytes()


def test_all_intervals_are_learned_from(history: History) -> None:
    model = learn(history).models[0]
    assert model is not None
    changed = [((history[a] == 1) & (history[b] == 2)).sum() for a, b in ((1990, 1996), (1996, 2005))]
    assert model.positives == sum(changed)


def test_too_few_changes_leave_a_transition_without_model() -> None:
    first = random_map(SHAPE)
    last = first.copy()
    last.ravel()[np.flatnonzero(first == 1)[:9]] = 2
    near = Neighbourhood(projected_grid(SHAPE), (1,), LEGEND.values)
    found = learn_potential([Transition(1, 2)], {1990: first, 2000: last}, {}, near, seed=1, workers=Workers(1))
    assert found.models == (None,)
    assert found.explained == ((),)
    assert not found.static.any()
    assert not found.curves.any()
    assert not found.used.any()


def test_cells_without_data_teach_nothing() -> None:
    first, last = random_map(SHAPE, nodata=0), random_map(SHAPE, 1, nodata=0)
    last[:, ::2] = 0
    near = Neighbourhood(projected_grid(SHAPE), (1,), LEGEND.values)
    found = learn_potential([Transition(1, 2)], {1990: first, 2000: last}, {}, near, seed=1, workers=Workers(1))
    model = found.models[0]
    assert model is not None
    assert model.positives == ((first == 1) & (last == 2)).sum()
    share = (last[first == 1] == 2).sum() / (last[first == 1] != 0).sum()
    assert model.intercept == pytest.approx(np.log(share / (1 - share)), abs=0.1)


def test_an_indifferent_potential_finds_all_cells_alike() -> None:
    near = Neighbourhood(projected_grid((5, 6)), (1, 2), LEGEND.values)
    plain = indifferent([Transition(1, 2), Transition(3, 2)], near)
    assert plain.static.shape == (2, 5, 6)
    assert plain.curves.shape == (2, 6, LEVELS + 1)
    assert not plain.static.any()
    assert not plain.used.any()


def test_slots_count_the_transitions_of_one_class() -> None:
    near = Neighbourhood(projected_grid((5, 6)), (1,), LEGEND.values)
    plain = indifferent([Transition(1, 2), Transition(1, 3), Transition(3, 2)], near)
    pairs = [(1, 2), (1, 3), (3, 2), (2, 1), (3, 1)]
    assert [plain.slot(Transition(*pair)) for pair in pairs] == [0, 1, 0, -1, -1]


def test_windows_are_given_in_metres() -> None:
    near = Neighbourhood.of(projected_grid((5, 6), 30.0), (300, 100, 90, 1), LEGEND.values)
    assert near.radii == (1, 3, 10)
    assert near.sizes.tolist() == [9, 49, 441]
    assert near.windows == [(r, value) for r in range(3) for value in LEGEND.values]
    assert near.window_radii.tolist() == [1, 1, 1, 3, 3, 3, 10, 10, 10]
    assert near.window_values.tolist() == [1, 2, 3] * 3


def test_windows_in_degrees_are_measured_on_the_ground() -> None:
    # A cell of 0.01 degrees at 45 north is about 1111 m by 788 m: a square of 936 m.
    assert Neighbourhood.of(geographic_grid((40, 50)), (1900,), LEGEND.values).radii == (2,)


@pytest.mark.parametrize("radius", [1, 3, 10, 15, 16, 31, 127])
def test_a_full_window_fits_the_look_up_table(radius: int) -> None:
    near = Neighbourhood(projected_grid((5, 6)), (radius,), LEGEND.values)
    assert int(near.sizes[0]) >> int(near.shifts[0]) <= LEVELS
    assert near.shifts[0] == 0 or int(near.sizes[0]) >> int(near.shifts[0]) >= LEVELS // 2


def test_a_window_that_is_too_wide_is_refused_with_the_widest() -> None:
    with pytest.raises(ScenarioInvalid, match=r"4000 m .*127 cells.*at most 3810 m"):
        Neighbourhood.of(projected_grid((5, 6), 30.0), (100, 4000), LEGEND.values)


def test_counts_take_as_few_bits_as_hold_them() -> None:
    grid = projected_grid((5, 6))
    for radii, dtype in (((), np.uint8), ((1, 7), np.uint8), ((1, 8), np.uint16), ((127,), np.uint16)):
        assert Neighbourhood(grid, radii, LEGEND.values).dtype == dtype


@pytest.mark.parametrize("threads", [1, 2])
def test_windows_count_the_landscape(threads: int) -> None:
    shape = (150, 130)  # more than one block of rows
    land_cover = random_map(shape)
    near = Neighbourhood(projected_grid(shape), (1, 60), LEGEND.values)
    counts, valid = np.empty((*shape, 6), near.dtype), np.empty((2, *shape), near.dtype)
    near.count(land_cover, counts, valid, Workers(threads))
    np.testing.assert_array_equal(counts[:, :, :3].sum(axis=2), valid[0])
    for row, column in ((0, 0), (75, 64), (149, 129), (128, 3)):
        window = land_cover[max(0, row - 60) : row + 61, max(0, column - 60) : column + 61]
        assert counts[row, column, 3:].tolist() == [(window == value).sum() for value in LEGEND.values]
