"""Demand: valid yearly rates from intervals of any length, and a ledger that loses nothing."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import expm

from scenarios.demand.rates import Ledger, annual_generator, annual_rates, transition_matrix
from scenarios.demand.transitions import Transition, TransitionTable, tabulate_history
from scenarios.spec import DemandRule
from tests.scenarios.conftest import PlumIsland
from tests.scenarios.landscapes import EVERY_TRANSITION, LEGEND

pytestmark = pytest.mark.usefixtures("one_thread_of_algebra")

Q = np.array([[-0.03, 0.02, 0.01], [0.0, -0.004, 0.004], [0.01, 0.02, -0.03]])
AREA = np.array([5000.0, 2000.0, 3000.0])


def table(area_ha: ArrayLike, years: int = 10) -> TransitionTable:
    return TransitionTable(2000, 2000 + years, LEGEND, np.array(area_ha, float))


def observed(years: int, generator: NDArray[np.float64] = Q) -> TransitionTable:
    """Return what a chain with a known generator leaves behind."""
    return table(AREA[:, None] * expm(generator * years), years)


def assert_valid(generator: NDArray[np.float64]) -> None:
    off_diagonal = generator[~np.eye(len(generator), dtype=bool)]
    assert np.isfinite(generator).all()
    assert (off_diagonal >= 0).all()
    np.testing.assert_allclose(generator.sum(axis=1), 0, atol=1e-12)


rates = st.floats(0.002, 0.08)
generators = st.lists(rates, min_size=6, max_size=6).map(
    lambda r: np.array([[-r[0] - r[1], r[0], r[1]], [r[2], -r[2] - r[3], r[3]], [r[4], r[5], -r[4] - r[5]]])
)


@given(generators, st.integers(1, 12))
@settings(deadline=None, max_examples=10)
def test_an_embeddable_matrix_is_reproduced(generator: NDArray[np.float64], years: int) -> None:
    seen = observed(years, generator)
    found = annual_generator([seen])
    assert_valid(found)
    np.testing.assert_allclose(expm(found * years), transition_matrix(seen.area_ha), atol=1e-4)


def test_rates_of_zero_are_reproduced() -> None:
    # Only neighbours in a chain change into each other, though in ten years some cells take two steps.
    chain = np.array([[-0.06, 0.06, 0], [0, -0.06, 0.06], [0, 0, 0]])
    np.testing.assert_allclose(annual_generator([observed(10, chain)]), chain, atol=1e-4)


def test_a_known_generator_is_found_from_one_interval() -> None:
    np.testing.assert_allclose(annual_generator([observed(10)]), Q, atol=1e-6)


def test_a_known_generator_is_found_from_two_unequal_intervals() -> None:
    np.testing.assert_allclose(annual_generator([observed(6), observed(11)]), Q, atol=1e-5)


def test_the_order_of_the_intervals_does_not_matter() -> None:
    tables = [table([[90, 8, 2], [5, 80, 5], [1, 2, 70]], 5), table([[85, 10, 5], [0, 90, 3], [4, 4, 60]], 9)]
    np.testing.assert_allclose(annual_generator(tables), annual_generator(tables[::-1]), atol=1e-7)


@given(st.lists(st.integers(0, 50), min_size=9, max_size=9), st.integers(1, 15))
@settings(deadline=None, max_examples=20)
def test_any_table_with_persistence_gives_valid_rates(cells: list[int], years: int) -> None:
    assert_valid(annual_generator([table(np.reshape(cells, (3, 3)) + 100 * np.eye(3), years)]))


def test_a_matrix_without_a_root_gets_valid_rates_near_it() -> None:
    # Everything moves on one step in ten years: the logarithm of this matrix has negative rates.
    seen = table([[70, 30, 0], [0, 70, 30], [30, 0, 70]])
    found = annual_generator([seen])
    assert_valid(found)
    again = expm(found * 10)
    assert np.abs(again - transition_matrix(seen.area_ha)).max() < 0.1
    assert (again.argmax(axis=1) == [0, 1, 2]).all()


def test_the_repaired_rates_are_the_likeliest() -> None:
    seen = table([[70, 30, 0], [0, 70, 30], [30, 0, 70]])

    def likelihood(generator: NDArray[np.float64]) -> float:
        chance = expm(generator * 10)
        return float((seen.area_ha * np.log(np.where(seen.area_ha > 0, chance, 1))).sum())

    found = annual_generator([seen])
    best = likelihood(found)
    for a, b in ((0, 1), (1, 2), (2, 0), (0, 2), (1, 0), (2, 1)):
        for step in (-0.002, 0.002):
            moved = found.copy()
            moved[a, b] = max(0.0, moved[a, b] + step)
            moved[a, a] = found[a, a] - (moved[a, b] - found[a, b])
            assert likelihood(moved) <= best + 1e-6


def test_a_class_that_was_absent_at_the_start_keeps_its_area() -> None:
    found = annual_generator([table([[90, 10, 5], [5, 80, 5], [0, 0, 0]])])
    assert_valid(found)
    assert (found[2] == 0).all()
    assert found[0, 2] > 0


def test_a_class_that_appears_in_no_map_changes_nothing() -> None:
    found = annual_generator([table([[90, 10, 0], [5, 80, 0], [0, 0, 0]])])
    assert (found[2] == 0).all()
    assert (found[:, 2] == 0).all()
    np.testing.assert_allclose(expm(found * 10)[0, :2], [0.9, 0.1], atol=1e-6)


def test_a_class_that_vanishes_wholly_goes_fast() -> None:
    found = annual_generator([table([[0, 100, 0], [0, 50, 0], [0, 0, 30]])])
    assert_valid(found)
    assert expm(found * 10)[0, 0] < 0.05
    assert found[1].tolist() == pytest.approx([0, 0, 0], abs=1e-9)


def test_a_landscape_without_change_has_no_rates() -> None:
    np.testing.assert_allclose(annual_generator([table(np.diag([10, 20, 30]))]), 0, atol=1e-12)


def test_rates_are_those_of_one_year() -> None:
    found = annual_rates(DemandRule(), [observed(10)], EVERY_TRANSITION)
    yearly = expm(Q)
    for t, rate in found.items():
        assert rate == pytest.approx(yearly[t.source - 1, t.target - 1], abs=1e-6)
    assert set(found) == set(EVERY_TRANSITION)


def test_rates_are_given_for_the_modelled_transitions_only() -> None:
    chosen = [Transition(3, 2), Transition(1, 2)]
    assert list(annual_rates(DemandRule(), [observed(10)], chosen)) == chosen


def test_frozen_demand_has_no_rates() -> None:
    assert set(annual_rates(DemandRule(rule="frozen"), [observed(10)], EVERY_TRANSITION).values()) == {0.0}


def test_plum_island_goes_on_as_the_reference_says(plum_island: PlumIsland) -> None:
    p = plum_island
    past = {year: p.history[year] for year in (1985, 1991)}
    tables = tabulate_history(past, p.legend, p.grid)
    yearly = annual_rates(DemandRule(), tables, EVERY_TRANSITION)
    matrix = np.eye(3)
    for t, rate in yearly.items():
        matrix[t.source - 1, t.target - 1] = rate
        matrix[t.source - 1, t.source - 1] -= rate
    with (p.folder / "demand_1991_1999_B_markov.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["year"] for row in rows] == [str(year) for year in range(1991, 2000)]
    cells = np.array([(past[1991] == value).sum() for value in p.legend.values], float)
    for row in rows:
        np.testing.assert_allclose(cells, [float(row[name]) for name in p.legend.names], atol=2)
        cells = cells @ matrix


amounts = st.lists(st.floats(0, 1e6), min_size=1, max_size=60)


@given(amounts)
@settings(max_examples=100)
def test_the_ledger_loses_nothing(wanted: list[float]) -> None:
    ledger = Ledger()
    asked = 0
    for n, amount in enumerate(wanted, start=1):
        whole = ledger.ask("a", amount)
        assert isinstance(whole, int)
        assert whole >= 0
        assert abs(whole - amount) <= 1 + 1e-6
        asked += whole
        assert abs(asked - sum(wanted[:n])) <= 0.5 + 1e-6


@given(amounts, st.lists(st.integers(-400, 400), min_size=60, max_size=60))
@settings(max_examples=100)
def test_what_is_carried_is_asked_for_later(wanted: list[float], rests: list[int]) -> None:
    ledger = Ledger()
    asked = carried = 0
    for amount, rest in zip(wanted, rests, strict=False):
        asked += ledger.ask("a", amount)
        ledger.carry("a", rest)
        carried += rest
    last = ledger.ask("a", 1e6)  # more than what was placed too much
    assert abs(asked + last - carried - sum(wanted) - 1e6) <= 0.5 + 1e-5


def test_accounts_are_apart() -> None:
    ledger = Ledger()
    assert [ledger.ask(account, 0.4) for account in ("a", "b", "a", "b")] == [0, 0, 1, 1]


def test_too_much_is_taken_back() -> None:
    ledger = Ledger()
    ledger.carry("a", -3)
    assert [ledger.ask("a", 2.0) for _ in range(3)] == [0, 1, 2]
