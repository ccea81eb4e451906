"""Recalibration: a curve solved by hand, curves that must be found again, and judges who have not seen the answer."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from scenarios.demand.transitions import Transition
from scenarios.validation.recalibration import Recalibration, hold_total
from scenarios.validation.reliability import BLOCKS, Reliability, tabulate_reliability

Counts = NDArray[np.int64]
AS_THEY_SAY = Recalibration(0.0, 1.0, 1.0)
A, B = Transition(1, 2), Transition(2, 1)


@st.composite
def tables(draw: st.DrawFn, shape: tuple[int, ...] = ()) -> tuple[Counts, Counts]:
    """Draw cases by number of members, and how many of them came."""
    members = draw(st.integers(1, 40))
    cases = draw(arrays(np.int64, (*shape, members + 1), elements=st.integers(0, 10**6)))
    share = draw(arrays(np.float64, cases.shape, elements=st.floats(0, 1)))
    return cases, np.floor(cases * share).astype(np.int64)


def test_the_curve_of_two_members_by_hand() -> None:
    # Three points and three numbers: the curve goes through all. Each has a case more, which came by 1/6, 1/2 and 5/6.
    cases, came = np.array([8999, 999, 99]), np.array([100, 200, 60])
    wanted = np.array([(100 + 1 / 6) / 9000, (200 + 1 / 2) / 1000, (60 + 5 / 6) / 100])
    curve = Recalibration.fit(cases, came)
    np.testing.assert_allclose(curve.tell(2), wanted, rtol=1e-6)
    # logit = c + a ln p - b ln(1 - p): in the middle p = 1 - p, at the ends they change places.
    low, middle, high = np.log(wanted / (1 - wanted))
    two, six, rest = np.log(2), np.log(6), np.log(6 / 5)
    ends = np.array([[-six, rest], [-rest, six]]) - np.array([-two, two])
    a, b = np.linalg.solve(ends, [low - middle, high - middle])
    c = middle + (a - b) * two
    np.testing.assert_allclose([curve.intercept, curve.of_share, curve.of_rest], [c, a, b], rtol=1e-5)


def test_members_that_mean_the_opposite_are_worth_nothing() -> None:
    # The more members, the less came: a curve that may not fall is flat, at the share of all.
    curve = Recalibration.fit(np.array([1000, 1000, 1000]), np.array([600, 300, 0]))
    assert (curve.of_share, curve.of_rest) == (0, 0)
    np.testing.assert_allclose(curve.tell(2), (900 + 3 / 2) / 3003, rtol=1e-6)


def test_with_nothing_to_learn_from_the_members_are_taken_at_their_word() -> None:
    curve = Recalibration.fit(np.zeros(31, np.int64), np.zeros(31, np.int64))
    assert curve == AS_THEY_SAY
    np.testing.assert_allclose(curve.tell(30), (np.arange(31) + 0.5) / 31)


@given(st.integers(5, 60), st.integers(10**4, 10**7))
def test_members_that_are_right_already_are_left_as_they_are(members: int, cases: int) -> None:
    share = (np.arange(members + 1) + 0.5) / (members + 1)
    each = np.full(members + 1, cases)
    curve = Recalibration.fit(each, np.rint(each * share).astype(np.int64))
    np.testing.assert_allclose(curve.tell(members), share, atol=1e-3)


@pytest.mark.parametrize("truth", [Recalibration(-1.2, 0.8, 0.0), Recalibration(-0.5, 1.4, 0.3), AS_THEY_SAY])
def test_a_curve_is_found_again(truth: Recalibration) -> None:
    members = 30
    cases = (2e8 * 0.75 ** np.arange(members + 1)).astype(np.int64)  # few cases have many members
    found = Recalibration.fit(cases, np.rint(cases * truth.tell(members)).astype(np.int64))
    np.testing.assert_allclose(found.tell(members), truth.tell(members), rtol=1e-3)


@given(tables())
def test_a_curve_never_falls_and_stays_between_0_and_1(table: tuple[Counts, Counts]) -> None:
    curve = Recalibration.fit(*table)
    assert min(curve.of_share, curve.of_rest) >= 0
    for members in (1, 7, 250):
        told = curve.tell(members)
        assert np.isfinite(curve.log_odds(members)).all()
        assert (np.diff(told) >= 0).all()
        assert 0 <= told[0] <= told[-1] <= 1
    json.dumps(curve.to_dict(), allow_nan=False)


@given(tables())
def test_a_curve_is_no_worse_than_the_members_word(table: tuple[Counts, Counts]) -> None:
    cases, came = table
    members = len(cases) - 1
    share = (np.arange(members + 1) + 0.5) / (members + 1)
    weight, yes = cases + 1, came + share

    def surprise(odds: NDArray[np.float64]) -> float:
        return float((weight * np.logaddexp(0, odds) - yes * odds).sum())

    told = np.log(share / (1 - share))
    assert surprise(Recalibration.fit(cases, came).log_odds(members)) <= surprise(told) * (1 + 1e-9)


@given(tables((3, 2)), st.integers(0, 2), st.integers(0, 10**6))
def test_no_block_is_judged_by_what_happened_in_it(table: tuple[Counts, Counts], block: int, other: int) -> None:
    cases, came = table
    forged = came.copy()
    forged[block] = np.minimum(cases[block], other)
    before, after = (Reliability(cases.shape[2] - 1, (A, B), cases, each) for each in (came, forged))
    np.testing.assert_array_equal(before.recalibrated.probability[block], after.recalibrated.probability[block])


def test_a_block_is_judged_by_the_curve_of_all_others() -> None:
    cases = np.array([[[900, 90, 9]], [[500, 40, 20]], [[700, 10, 5]]])
    came = np.array([[[9, 9, 3]], [[100, 20, 15]], [[0, 1, 0]]])
    found = Reliability(2, (A,), cases, came)
    for block, others in enumerate(([1, 2], [0, 2], [0, 1])):
        curve = Recalibration.fit(cases[others, 0].sum(axis=0), came[others, 0].sum(axis=0))
        np.testing.assert_array_equal(found.recalibrated.probability[block, 0], curve.tell(2))
    assert found.recalibration == Recalibration.fit(cases.sum(axis=(0, 1)), came.sum(axis=(0, 1)))


def test_a_transition_is_judged_by_the_curves_of_all() -> None:
    cases = np.array([[[900, 90, 9], [50, 3, 2]], [[500, 40, 20], [80, 9, 9]]])
    came = np.array([[[9, 9, 3], [1, 0, 1]], [[100, 20, 15], [5, 5, 5]]])
    whole = Reliability(2, (A, B), cases, came)
    told = whole.recalibrated.probability
    for row, transition in enumerate((A, B)):
        alone = whole.of(transition)
        np.testing.assert_array_equal(alone.recalibrated.probability[:, 0], told[:, row])
        np.testing.assert_array_equal(alone.recalibrated.cases[:, 0], cases[:, row])
        assert alone.of(transition).held_out == whole.held_out


def test_what_no_member_foretells_is_told_0() -> None:
    cases = np.array([[[900, 90, 9], [50, 0, 0]], [[500, 40, 20], [80, 0, 0]]])
    came = np.array([[[9, 9, 3], [25, 0, 0]], [[100, 20, 15], [40, 0, 0]]])
    both, alone = Reliability(2, (A, B), cases, came), Reliability(2, (A,), cases[:, :1], came[:, :1])
    assert (both.recalibrated.probability[:, 1] == 0).all()
    assert both.recalibration == alone.recalibration


@given(tables(), st.tuples(st.floats(-5, 5), st.floats(0, 3), st.floats(0, 3)))
def test_held_probabilities_foretell_as_much_as_the_members(
    table: tuple[Counts, Counts], curve: tuple[float, float, float]
) -> None:
    cases, _ = table
    members = len(cases) - 1
    odds = Recalibration(*curve).log_odds(members)
    told = hold_total(odds, cases)
    drawn = (cases * np.arange(members + 1)).sum() / members
    np.testing.assert_allclose((cases * told).sum(), drawn, rtol=1e-7)
    assert (np.diff(told) >= 0).all()
    assert (told == 0).all() == (drawn == 0)


def test_a_held_probability_by_hand() -> None:
    # Flat odds of 2 members: 10 cells, of which one makes the change in both members and two in one: 2 of 10.
    np.testing.assert_allclose(hold_total(np.full(3, -7.0), np.array([7, 2, 1])), 0.2, rtol=1e-9)
    assert hold_total(np.full(3, -7.0), np.array([7, 0, 0])).tolist() == [0, 0, 0]
    assert hold_total(np.full(3, -7.0), np.array([0, 0, 9])).tolist() == [1, 1, 1]


def test_the_test_of_a_run_holds_the_hectares_of_each_transition() -> None:
    cases = np.array([[[900, 90, 9], [50, 3, 2]], [[500, 40, 20], [80, 9, 9]]])
    came = np.array([[[9, 9, 3], [1, 0, 1]], [[100, 20, 15], [5, 5, 5]]])
    found = Reliability(2, (A, B), cases, came)
    told, whole = found.as_in_a_run.probability, cases.sum(axis=0)
    for block, row in np.ndindex(2, 2):
        assert (told[block, row] * whole[row]).sum() == pytest.approx((whole[row] * [0, 0.5, 1]).sum())
        shift = np.log(told[block, row] / (1 - told[block, row])) - found.held_out[block].log_odds(2)
        np.testing.assert_allclose(shift, shift[0], atol=1e-9)


def test_members_that_agree_too_often_keep_their_word_once_recalibrated() -> None:
    # The members take a chance of p for one of about 3 p, everywhere alike: what one part tells holds in the others.
    members, rng = 30, np.random.default_rng(4)
    chance = rng.beta(0.4, 6, (400, 400))
    initial = np.ones(chance.shape, np.uint8)
    observed = np.where(rng.random(chance.shape) < chance, 2, 1).astype(np.uint8)
    drawn = rng.binomial(members, np.minimum(1, 3 * chance)).astype(np.uint8)
    found = tabulate_reliability(initial, observed, np.stack([members - drawn, drawn]), (1, 2), members)
    assert found.cases.shape == (BLOCKS**2, 1, members + 1)
    assert found.raw.largest_gap() > 0.3
    assert found.recalibrated.largest_gap() < 0.05
    assert found.recalibrated.skill > found.raw.skill
    assert found.to_dict()["recalibrated"]["largest_gap"] == round(found.recalibrated.largest_gap(), 6)
