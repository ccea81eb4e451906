"""Reliability against a table worked out by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest

from scenarios.demand.transitions import Transition
from scenarios.validation.reliability import Reliability, ReliabilityBin, tabulate_reliability

# Four members. Cells:  1  2  3  4  5  6  7 (no data at the end)
INITIAL = np.array([[1, 1, 1, 1, 2, 2, 1]], np.uint8)
OBSERVED = np.array([[2, 1, 2, 1, 2, 1, 0]], np.uint8)
ENDS_IN_2 = np.array([[4, 2, 1, 0, 4, 4, 3]], np.uint8)
COUNTS = np.stack([4 - ENDS_IN_2, ENDS_IN_2])


@pytest.fixture
def found() -> Reliability:
    return tabulate_reliability(INITIAL, OBSERVED, COUNTS, (1, 2), 4)


def test_cases_by_hand(found: Reliability) -> None:
    assert found.transitions == (Transition(1, 2), Transition(2, 1))
    assert found.cases.sum(axis=0).tolist() == [[1, 1, 1, 0, 1], [2, 0, 0, 0, 0]]
    assert found.happened.sum(axis=0).tolist() == [[0, 1, 0, 0, 1], [1, 0, 0, 0, 0]]


def test_cases_are_kept_apart_by_block(found: Reliability) -> None:
    # One row and seven columns are cut into 4 x 4 blocks: after none of the rows but the last, and at 1, 3 and 5.
    cells = found.cases.sum(axis=(1, 2)).reshape(4, 4)
    np.testing.assert_array_equal(cells, [[0] * 4, [0] * 4, [0] * 4, [1, 2, 2, 1]])
    np.testing.assert_array_equal(found.happened.sum(axis=(1, 2))[12:], [1, 1, 0, 1])


def test_brier_by_hand(found: Reliability) -> None:
    # 1 to 2: (1 - 1)², (1/2 - 0)², (1/4 - 1)², 0²; 2 to 1: 0², (0 - 1)². Persistence: three of six came.
    assert found.raw.brier == pytest.approx((1 / 4 + 9 / 16 + 1) / 6)
    assert found.raw.persistence_brier == pytest.approx(3 / 6)
    assert found.raw.skill == pytest.approx(1 - (29 / 16 / 6) / (1 / 2))
    alone = found.of(Transition(1, 2))
    assert alone.raw.brier == pytest.approx((1 / 4 + 9 / 16) / 4)
    assert alone.raw.persistence_brier == pytest.approx(2 / 4)


def test_the_fair_score_by_hand(found: Reliability) -> None:
    # The noise of four members: p (1 - p) / 3 of the cases with 1/2 and 1/4.
    noise = (1 / 4 + 3 / 16) / 3 / 6
    assert found.fair_skill == pytest.approx(1 - (29 / 16 / 6 - noise) / (1 / 2))


def test_the_curve_by_hand(found: Reliability) -> None:
    # Halves: below 1/2 lie 0, 0, 0 and 1/4, of which two came; above lie 1/2 and 1, of which one came.
    assert found.raw.curve(2) == (ReliabilityBin(4, 1 / 16, 2 / 4), ReliabilityBin(2, 3 / 4, 1 / 2))
    assert found.raw.curve(10)[-1] == ReliabilityBin(1, 1.0, 1.0)
    assert sum(each.cases for each in found.raw.curve()) == 6


def test_the_largest_gap_counts_only_where_there_are_enough_cases(found: Reliability) -> None:
    assert found.raw.largest_gap(1) == pytest.approx(3 / 4)  # 1/4 was foretold, and it came
    assert found.raw.largest_gap(3) == pytest.approx(1 / 3)  # three cases with 0, one of which came
    assert np.isnan(found.raw.largest_gap())


def test_members_that_follow_the_truth_are_reliable_and_fair() -> None:
    # Each cell has its own chance; world and members are drawn from it, so that the curve is all but straight.
    members, rng = 250, np.random.default_rng(1)
    chance = rng.uniform(0, 1, (300, 300))
    initial = np.ones(chance.shape, np.uint8)
    observed = np.where(rng.random(chance.shape) < chance, 2, 1).astype(np.uint8)
    changed = rng.binomial(members, chance).astype(np.uint8)
    found = tabulate_reliability(initial, observed, np.stack([members - changed, changed]), (1, 2), members)
    assert found.raw.largest_gap() < 0.02
    best = 1 - (chance * (1 - chance)).mean() / chance.mean()
    assert found.fair_skill == pytest.approx(best, abs=0.01)
    assert found.raw.skill < found.fair_skill


def test_where_nothing_changes_there_is_no_skill() -> None:
    stay = np.stack([np.full((1, 7), 4), np.zeros((1, 7), int)])
    calm = tabulate_reliability(np.ones((1, 7), np.uint8), np.ones((1, 7), np.uint8), stay, (1, 2), 4)
    assert calm.transitions == ()
    assert calm.raw.curve() == ()
    assert np.isnan(calm.raw.brier)
    json.dumps(calm.to_dict(), allow_nan=False)


def test_one_member_has_no_fair_score() -> None:
    one = tabulate_reliability(INITIAL, OBSERVED, COUNTS // 4, (1, 2), 1)
    assert np.isnan(one.fair_skill)
    json.dumps(one.to_dict(), allow_nan=False)
