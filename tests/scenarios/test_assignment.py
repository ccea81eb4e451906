"""Assignment: demand met, no cell twice, the largest sum, and no transition first."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from scenarios.kernels.assignment import NONE, assign
from scenarios.kernels.draws import SCALE, TIE_BITS

Ints = NDArray[np.int64]


def make_keys(scores: NDArray[np.float64], seed: int) -> Ints:
    """Return keys as the engine makes them: scores in fixed point, ties broken at random below."""
    ties = np.random.default_rng(seed).integers(0, 1 << TIE_BITS, scores.shape)
    return np.asarray(np.rint(scores * SCALE).astype(np.int64) << TIE_BITS | ties)


def gumbel_keys(cells: int, transitions: int, seed: int, alike: float = 0.0) -> Ints:
    """Return keys at temperature 1; ``alike`` is how much of the score the transitions share."""
    rng = np.random.default_rng(seed)
    shared = rng.normal(0, 2, (cells, 1)) * alike
    return make_keys(shared + rng.normal(0, 1, (cells, transitions)) + rng.gumbel(size=(cells, transitions)), seed)


def ones(count: int) -> Ints:
    return np.ones(count, np.int64)


def total(keys: Ints, choice: Ints) -> int:
    taken = np.flatnonzero(choice != NONE)
    return int(keys[taken, choice[taken]].sum())


def largest_total(keys: Ints, demand: Ints) -> int:
    columns = np.repeat(np.arange(demand.size), demand)
    rows, slots = linear_sum_assignment(keys[:, columns].astype(float), maximize=True)
    return int(keys[rows, columns[slots]].sum())


@given(st.integers(1, 4), st.integers(0, 120), st.integers(0, 1000), st.floats(0, 1), st.data())
@settings(deadline=None, max_examples=60)
def test_demand_is_met_to_the_cell(k: int, cells: int, seed: int, alike: float, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, cells), min_size=k, max_size=k)))
    demand = np.diff([0, *cuts]).astype(np.int64)
    choice = assign(gumbel_keys(cells, k, seed, alike), ones(cells), demand)
    assert choice.shape == (cells,)
    assert np.bincount(choice[choice != NONE], minlength=k).tolist() == demand.tolist()


@given(st.integers(1, 3), st.integers(1, 60), st.integers(0, 1000), st.data())
@settings(deadline=None, max_examples=40)
def test_where_cells_run_out_every_cell_is_used(k: int, cells: int, seed: int, data: st.DataObject) -> None:
    demand = np.array(data.draw(st.lists(st.integers(cells, 2 * cells), min_size=k, max_size=k)), np.int64)
    choice = assign(gumbel_keys(cells, k, seed), ones(cells), demand)
    assert (choice != NONE).all()


@given(st.integers(1, 200), st.integers(0, 1000), st.data())
@settings(deadline=None, max_examples=40)
def test_one_transition_takes_the_n_largest_keys(cells: int, seed: int, data: st.DataObject) -> None:
    keys = gumbel_keys(cells, 1, seed)
    n = data.draw(st.integers(0, cells))
    choice = assign(keys, ones(cells), np.array([n]))
    assert np.flatnonzero(choice == 0).tolist() == sorted(np.argsort(-keys[:, 0])[:n].tolist())


@given(st.integers(2, 5), st.integers(5, 60), st.integers(0, 1000), st.floats(0, 1), st.data())
@settings(deadline=None, max_examples=60)
def test_the_sum_of_keys_is_the_largest(k: int, cells: int, seed: int, alike: float, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, cells), min_size=k, max_size=k)))
    keys, demand = gumbel_keys(cells, k, seed, alike), np.diff([0, *cuts]).astype(np.int64)
    assert total(keys, assign(keys, ones(cells), demand)) == largest_total(keys, demand)


@given(st.lists(st.lists(st.integers(-3, 3), min_size=3, max_size=3), min_size=6, max_size=20))
@settings(deadline=None, max_examples=60)
def test_the_sum_of_keys_is_the_largest_where_keys_are_equal(rows: list[list[int]]) -> None:
    keys, demand = np.array(rows, np.int64), np.array([2, 1, 3])
    assert total(keys, assign(keys, ones(len(rows)), demand)) == largest_total(keys, demand)


def test_the_sum_of_keys_is_the_largest_of_many_transitions() -> None:
    keys, demand = gumbel_keys(400, 10, 1, alike=1), np.arange(10, 30, 2)
    assert total(keys, assign(keys, ones(400), demand)) == largest_total(keys, demand)


@pytest.mark.parametrize("seed", range(3))
def test_the_sum_of_keys_is_the_largest_in_a_landscape(seed: int) -> None:
    keys, demand = gumbel_keys(900, 3, seed, alike=1), np.array([120, 90, 60])
    assert total(keys, assign(keys, ones(900), demand)) == largest_total(keys, demand)


def test_a_cell_that_two_transitions_want_most_goes_where_the_sum_is_largest() -> None:
    # First cell to the second transition, second to the first: 102 + 50. The other way round: 101 + 10.
    keys = np.array([[101, 102], [50, 10]])
    assert assign(keys, ones(2), np.array([1, 1])).tolist() == [1, 0]


def test_the_sum_of_keys_is_the_largest_where_transitions_want_the_same_cells() -> None:
    rng = np.random.default_rng(1)
    scores = rng.normal(0, 1.5, (1000, 1)) * [1, 0.5, 1] + rng.normal(0, 0.02, (1000, 3))
    keys, demand = make_keys(scores, 1), np.array([200, 165, 135])
    assert total(keys, assign(keys, ones(1000), demand)) == largest_total(keys, demand)


@pytest.mark.parametrize("temperature", [0, 1])
def test_no_transition_goes_first(temperature: int) -> None:
    # Two transitions that want the same cells and as many of them: neither may get the better ones.
    rng = np.random.default_rng(2)
    scores = rng.normal(0, 1.5, (3000, 1)) + temperature * rng.gumbel(size=(3000, 2))
    choice = assign(make_keys(scores, 2), ones(3000), np.array([500, 500]))
    first, second = (scores[choice == j, j].mean() for j in (0, 1))
    assert abs(first - second) < 0.2


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_the_transitions_does_not_matter(seed: int) -> None:
    keys, demand = gumbel_keys(2000, 3, seed, alike=1), np.array([300, 200, 100])
    turned = assign(keys[:, ::-1].copy(), ones(2000), demand[::-1].copy())
    back = np.where(turned == NONE, NONE, 2 - turned)
    assert (back != assign(keys, ones(2000), demand)).sum() == 0


@given(st.integers(1, 3), st.integers(20, 120), st.integers(0, 1000), st.data())
@settings(deadline=None, max_examples=60)
def test_cells_of_unequal_size_meet_demand_within_one_cell(k: int, cells: int, seed: int, data: st.DataObject) -> None:
    weights = np.random.default_rng(seed).integers(50, 100, cells)
    most = int(weights.sum() - k * weights.max()) // k
    demand = np.array(data.draw(st.lists(st.integers(0, most), min_size=k, max_size=k)), np.int64)
    choice = assign(gumbel_keys(cells, k, seed), weights, demand)
    for j in range(k):
        assert abs(weights[choice == j].sum() - demand[j]) <= weights.max() / 2


def test_the_last_cell_is_taken_if_that_brings_the_sum_nearer() -> None:
    keys, weights = np.array([[30], [20], [10]]), np.array([10, 11, 10])
    assert assign(keys, weights, np.array([15])).tolist() == [0, NONE, NONE]  # 10 is nearer to 15 than 21
    assert assign(keys, weights, np.array([16])).tolist() == [0, 0, NONE]


def test_cells_all_larger_than_one_are_counted_by_size() -> None:
    keys = np.array([[30], [20], [10]])
    assert assign(keys, np.full(3, 100), np.array([200])).tolist() == [0, 0, NONE]


def test_nothing_is_demanded() -> None:
    choice = assign(gumbel_keys(30, 2, 0), ones(30), np.array([0, 0]))
    assert (choice == NONE).all()


def test_a_transition_without_demand_gets_nothing() -> None:
    choice = assign(gumbel_keys(30, 2, 0), ones(30), np.array([0, 30]))
    assert (choice == 1).all()


def test_there_are_no_candidates() -> None:
    assert assign(np.empty((0, 2), np.int64), ones(0), np.array([3, 4])).size == 0
