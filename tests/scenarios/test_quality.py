"""Quality of a model: curves worked out by hand, properties that always hold, and truths that are found again."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.metrics import roc_auc_score

from scenarios.potential.held_out import exchange_parts, permutation_importance
from scenarios.potential.quality import (
    CalibrationBin,
    area_error,
    area_under_curve,
    calibration_curve,
    correct_for_sampling,
    operating_characteristic,
)

Reals = NDArray[np.float64]
Flags = NDArray[np.bool_]

# Six places, the likeliest first; two of them are told to be equally likely.
CHANGED = np.array([True, False, True, False, False, True])
SCORE = np.array([0.9, 0.7, 0.5, 0.5, 0.3, 0.1])
AREA_HA = np.array([2.0, 10, 3, 20, 40, 5])


def test_the_characteristic_by_hand() -> None:
    found = operating_characteristic(CHANGED, SCORE, AREA_HA)
    # Foretold: 2, then 10 more, then 3 + 20 at once, then 40, then 5; hits: 2, 2, 5, 5, 10.
    assert found.foretold_ha.tolist() == [0, 2, 12, 35, 75, 80]
    assert found.hits_ha.tolist() == [0, 2, 2, 5, 5, 10]
    assert (found.extent_ha, found.changed_ha) == (80, 10)
    # Below the curve, over false alarms 0, 0, 10, 30, 70, 70: 10 x 2 + 20 x 3.5 + 40 x 5 = 290 of 10 x 70.
    assert found.area == pytest.approx(290 / 700)


def test_the_parallelogram_by_hand() -> None:
    found = operating_characteristic(CHANGED, SCORE, AREA_HA)
    assert found.bounds() == ((0, 0), (10, 10), (80, 10), (70, 0))
    assert found.hits_at(23.5) == pytest.approx(3.5)


def test_the_area_is_how_often_the_changed_is_ranked_first() -> None:
    # Area above which unchanged: 2 of all 70; 3 of 40 and half of 20; 5 of none.
    by_hand = (2 * 70 + 3 * (40 + 10) + 5 * 0) / (10 * 70)
    assert area_under_curve(CHANGED, SCORE, AREA_HA) == pytest.approx(by_hand)
    assert operating_characteristic(CHANGED, SCORE, AREA_HA).area == pytest.approx(by_hand)


def test_a_thinned_curve_keeps_its_ends_and_the_point_of_equal_amounts() -> None:
    rng = np.random.default_rng(0)
    changed, score, area = rng.random(5000) < 0.1, rng.random(5000), rng.random(5000) + 0.5
    full = operating_characteristic(changed, score, area)
    thin = full.thin()
    assert thin.foretold_ha.size <= 101
    assert (thin.extent_ha, thin.changed_ha) == (full.extent_ha, full.changed_ha)
    assert full.changed_ha in thin.foretold_ha
    assert thin.area == pytest.approx(full.area, abs=0.002)
    assert operating_characteristic(CHANGED, SCORE, AREA_HA).thin().foretold_ha.size == 6


@st.composite
def samples(draw: st.DrawFn) -> tuple[Flags, Reals, Reals]:
    """Draw places of which some changed and some did not, with ties."""
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    cells = draw(st.integers(2, 60))
    changed = rng.random(cells) < draw(st.sampled_from([0.1, 0.5]))
    changed[:2] = True, False
    return changed, rng.integers(0, draw(st.sampled_from([2, 10, 1000])), cells) / 7, rng.random(cells) + 0.1


@given(samples())
@settings(deadline=None, max_examples=100)
def test_area_and_characteristic_agree_with_each_other_and_with_scikit_learn(
    sample: tuple[Flags, Reals, Reals],
) -> None:
    changed, score, area = sample
    found = area_under_curve(changed, score, area)
    assert found == pytest.approx(roc_auc_score(changed, score, sample_weight=area))
    curve = operating_characteristic(changed, score, area)
    assert found == pytest.approx(curve.area)
    best = np.minimum(curve.foretold_ha, curve.changed_ha)
    worst = np.maximum(0, curve.foretold_ha - (curve.extent_ha - curve.changed_ha))
    assert ((curve.hits_ha <= best + 1e-9) & (curve.hits_ha >= worst - 1e-9)).all()
    assert ((np.diff(curve.hits_ha) >= -1e-12) & (np.diff(curve.foretold_ha) > 0)).all()


@given(samples())
@settings(deadline=None, max_examples=50)
def test_copies_of_a_cell_in_its_block_are_no_news(sample: tuple[Flags, Reals, Reals]) -> None:
    changed, score, area = sample
    single, cells = area_error(changed, score, area, np.arange(changed.size)), np.arange(changed.size)
    copies = (np.repeat(each, 3) for each in (changed, score, area))
    assert area_error(*copies, np.repeat(cells, 3)) == pytest.approx(single, nan_ok=True)


def test_the_error_of_blocks_is_the_spread_over_landscapes() -> None:
    def draw(seed: int) -> tuple[float, float]:
        rng = np.random.default_rng(seed)
        blocks = np.repeat(np.arange(40), 25)
        score = rng.normal(size=40)[blocks] + rng.normal(size=1000)
        changed = rng.random(1000) < expit(score + rng.normal(size=40)[blocks] - 2)
        return area_under_curve(changed, score, np.ones(1000)), area_error(changed, score, np.ones(1000), blocks)

    areas, errors = np.array([draw(seed) for seed in range(300)]).T
    assert np.sqrt((errors**2).mean()) == pytest.approx(areas.std(), rel=0.15)
    alone = area_error(*_one_block_each(7))
    assert alone < errors.mean()


def _one_block_each(seed: int) -> tuple[Flags, Reals, Reals, NDArray[np.int64]]:
    rng = np.random.default_rng(seed)
    score = rng.normal(size=1000) * np.sqrt(2)
    return rng.random(1000) < expit(score - 2), score, np.ones(1000), np.arange(1000)


def test_one_block_tells_no_error() -> None:
    assert np.isnan(area_error(CHANGED, SCORE, AREA_HA, np.zeros(6, np.int64)))
    assert np.isnan(area_error(CHANGED, SCORE, AREA_HA, np.where(CHANGED, 1, np.arange(6))))


def test_calibration_by_hand() -> None:
    changed = np.array([False, True, False, True])
    chance = np.array([0.1, 0.1, 0.6, 0.4])
    # Two parts of 100 ha: 0.1 twice (90 + 10 ha), then 0.4 (20 ha) and 0.6 (80 ha).
    assert calibration_curve(changed, chance, np.array([90.0, 10, 80, 20]), bins=2) == (
        CalibrationBin(100, pytest.approx(0.1), pytest.approx(0.1)),
        CalibrationBin(100, pytest.approx(0.56), pytest.approx(0.2)),
    )


def test_cells_of_equal_chance_stay_together() -> None:
    found = calibration_curve(np.array([True, False, False]), np.full(3, 0.2), np.ones(3))
    assert found == (CalibrationBin(3, pytest.approx(0.2), pytest.approx(1 / 3)),)


def test_sampling_is_corrected_by_hand() -> None:
    # In the sample 1 in 2, even odds; each changed cell stands for 1 ha and each unchanged for 99.
    chance = correct_for_sampling(np.zeros(2), np.array([True, False]), np.array([1.0, 99]))
    assert chance == pytest.approx([0.01, 0.01])


def test_a_true_model_is_calibrated_whatever_the_sampling() -> None:
    rng = np.random.default_rng(0)
    log_odds = rng.normal(-4, 1, 400_000)
    changed = rng.random(log_odds.size) < expit(log_odds)
    kept = np.concatenate([np.flatnonzero(changed), rng.choice(np.flatnonzero(~changed), 20_000, replace=False)])
    area = np.where(changed, 1.0, (~changed).sum() / 20_000)[kept]
    sampled = log_odds[kept] + np.log(area.max())  # what a logistic regression of the sample would say
    chance = correct_for_sampling(sampled, changed[kept], area)
    bins = calibration_curve(changed[kept], chance, area)
    assert [each.area_ha for each in bins] == pytest.approx([40_000] * 10, rel=0.01)
    for each in bins:
        assert each.happened == pytest.approx(each.foretold, rel=0.12)


@pytest.fixture
def parts() -> Reals:
    """Return what three features add: one much, one little, one nothing."""
    rng = np.random.default_rng(0)
    return np.column_stack([rng.normal(0, 2, 4000), rng.normal(0, 0.5, 4000), np.zeros(4000)])


def lose(parts: Reals, groups: list[list[int]], seed: int = 1, folds: int = 3) -> list[float]:
    score = parts.sum(axis=1)
    fold = np.arange(score.size) % folds
    lost = permutation_importance(
        score, exchange_parts(score, parts), draw_changes(score), np.ones(score.size), fold, groups, seed=seed
    )
    return [float(each) for each in lost]


def draw_changes(log_odds: Reals) -> Flags:
    return np.random.default_rng(5).random(log_odds.size) < expit(log_odds)


def test_importance_ranks_what_matters(parts: Reals) -> None:
    much, little, nothing, both = lose(parts, [[0], [1], [2], [0, 1]])
    assert much > 0.2
    assert 0.005 < little < 0.05
    assert nothing == 0
    whole = parts.sum(axis=1)
    assert both == pytest.approx(area_under_curve(draw_changes(whole), whole, np.ones(whole.size)) - 0.5, abs=0.02)


def test_importance_hangs_on_the_seed_alone(parts: Reals) -> None:
    assert lose(parts, [[0]]) == lose(parts, [[0]])
    assert lose(parts, [[0]], seed=2) != lose(parts, [[0]])
    assert lose(parts, [[1], [0]])[1] == lose(parts, [[0]])[0]


def test_cells_swap_within_their_fold_only(parts: Reals) -> None:
    assert lose(parts, [[0], [1]], folds=4000) == [0, 0]


def test_a_feature_keeps_the_distribution_of_the_landscape() -> None:
    # In a tenth of the sample the feature is 3, but these cells stand for next to nothing: no cell is given their part.
    rng = np.random.default_rng(0)
    rare = np.arange(1000) % 10 == 0
    other, area = rng.normal(size=1000), np.where(rare, 1e-12, 1)
    parts = np.column_stack([np.where(rare, 3.0, 0), other])
    score = parts.sum(axis=1)
    changed = rng.random(1000) < expit(score)
    lost = permutation_importance(
        score, exchange_parts(score, parts), changed, area, np.zeros(1000, np.int64), [[0]], seed=0
    )
    alone = area_under_curve(changed, other, area)
    assert lost[0] == pytest.approx(area_under_curve(changed, score, area) - alone)
