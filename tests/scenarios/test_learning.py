"""Learning: known odds are found again, and nothing is learned from nothing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from scenarios.cluster import ONE
from scenarios.demand.transitions import History, Transition
from scenarios.potential.learning import fit_additive
from scenarios.potential.neighbourhood import Neighbourhood
from scenarios.potential.potential import Potential, learn_potential
from scenarios.potential.samples import Sample
from tests.scenarios.landscapes import LEGEND, projected_grid
from tests.scenarios.plain import count_plainly

Reals = NDArray[np.float64]
SHAPE = (200, 200)
TO_BUILT = Transition(1, 2)

pytestmark = pytest.mark.usefixtures("one_thread_of_algebra")


def change_by(driver: NDArray[np.float32], log_odds: Callable[[Reals], Reals], seed: int) -> History:
    """Return a forest in which cells were built on with known odds."""
    chance = 1 / (1 + np.exp(-log_odds(driver.astype(float))))
    built = np.random.default_rng([seed, 1]).random(driver.shape) < chance
    return {1990: np.ones(driver.shape, np.uint8), 2000: np.where(built, 2, 1).astype(np.uint8)}


def uniform_driver(seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).uniform(0, 100, SHAPE).astype(np.float32)


def learn(history: History, radii: tuple[int, ...] = (1,), **drivers: NDArray[np.float32]) -> Potential:
    near = Neighbourhood(projected_grid(history[1990].shape), radii, LEGEND.values)
    return learn_potential([TO_BUILT], history, drivers, near, seed=1, workers=ONE)


SHAPES: dict[str, Callable[[Reals], Reals]] = {
    "line": lambda x: 3 * x / 100,
    "falling line": lambda x: -3 * x / 100,
    "wave": lambda x: 2 * np.sin(2 * np.pi * x / 100),
    "hill": lambda x: 1 - 4 * ((x - 50) / 50) ** 2,
}


@pytest.mark.parametrize("name", SHAPES)
def test_the_learned_curve_has_the_shape_of_the_true_odds(name: str) -> None:
    driver, shape = uniform_driver(), SHAPES[name]
    curve = learn(change_by(driver, lambda x: shape(x) - 2.5, 0), x=driver).explained[0][0]
    assert curve.driver == "x"
    true = shape(curve.value)
    inner = (curve.value > 5) & (curve.value < 95)
    missed = (curve.log_odds - curve.log_odds[inner].mean() - true + true[inner].mean())[inner]
    assert np.abs(missed).max() < 0.5
    assert np.sqrt((missed**2).mean()) < 0.15
    assert np.corrcoef(curve.log_odds, true)[0, 1] > 0.98


def test_two_drivers_are_told_apart() -> None:
    acting, idle = uniform_driver(0), uniform_driver(1)
    both = learn(change_by(acting, lambda x: 4 * x / 100 - 4, 0), idle=idle, acting=acting).explained[0]
    assert [curve.driver for curve in both[:2]] == ["idle", "acting"]
    assert np.ptp(both[0].log_odds) < 0.4
    assert np.ptp(both[1].log_odds) > 3


def test_the_influence_of_neighbours_is_found() -> None:
    grid = projected_grid(SHAPE)
    near = Neighbourhood(grid, (2,), LEGEND.values)
    rng = np.random.default_rng(0)
    first = np.where(rng.random(SHAPE) < np.linspace(0, 0.6, 200), 2, 1).astype(np.uint8)
    share = count_plainly(first, 2, 2) / 25
    built = rng.random(SHAPE) < 1 / (1 + np.exp(3 - 4 * share))
    history = {1990: first, 2000: np.where(built, 2, first).astype(np.uint8)}
    potential = learn_potential([TO_BUILT], history, {}, near, seed=1, workers=ONE)
    forest, town, other = potential.explained[0]
    assert (town.driver, other.driver) == ("share of class 2 within 200 m", "share of class 3 within 200 m")
    assert (town.value[0], town.value[-1]) == (0, 1)
    # What is not forest is town here, so that the two curves together make the odds.
    together = (town.log_odds + forest.log_odds[::-1])[2:15]
    slope = np.polyfit(town.value[2:15], together, 1)[0]
    assert slope == pytest.approx(4, abs=0.8)
    assert potential.used.tolist() == [[True, True, False]]


def test_a_random_driver_foretells_nothing() -> None:
    model = learn(change_by(uniform_driver(0), lambda x: 0 * x - 2, 0), x=uniform_driver(9)).models[0]
    assert model is not None
    assert abs(model.auc - 0.5) < 0.04
    assert model.refused is not None
    assert model.quality is None  # all is forest: no neighbourhood is left to learn from
    assert (model.terms[0].log_odds == 0).all()


def test_a_strong_driver_is_known_by_its_auc() -> None:
    driver = uniform_driver()
    model = learn(change_by(driver, lambda x: 0.2 * (x - 70), 0), x=driver).models[0]
    assert model is not None
    assert model.auc > 0.9
    assert model.refused is None


def test_the_intercept_is_that_of_the_landscape_not_of_the_sample() -> None:
    # One cell in ten changes; the sample holds one in three.
    history = change_by(uniform_driver(), lambda x: 0 * x - np.log(9), 0)
    model = learn(history, x=uniform_driver(9)).models[0]
    assert model is not None
    share = (history[2000] == 2).mean()
    assert model.intercept == pytest.approx(np.log(share / (1 - share)), abs=0.05)


def test_a_missing_value_scores_nothing() -> None:
    driver = uniform_driver()
    history = change_by(driver, lambda x: 3 * x / 100 - 3, 0)
    driver[:, :40] = np.nan
    potential = learn(history, x=driver)
    assert (potential.static[0, :, :40] == 0).all()
    assert np.ptp(potential.static[0, :, 40:].astype(int)) > 2 * 1024


def test_missing_values_do_not_bend_the_curve() -> None:
    driver = uniform_driver()
    history = change_by(driver, lambda x: 4 * x / 100 - 4, 0)
    driver[np.random.default_rng(5).random(SHAPE) < 0.5] = np.nan
    curve = learn(history, x=driver).explained[0][0]
    low, high = np.interp([5, 95], curve.value, curve.log_odds)
    assert high - low == pytest.approx(4 * 0.9, abs=0.5)


def test_a_score_is_the_curve_at_the_value_of_the_driver() -> None:
    driver = uniform_driver()
    potential = learn(change_by(driver, lambda x: 3 * x / 100 - 3, 0), x=driver)
    curve = potential.explained[0][0]
    expected = np.interp(driver, curve.value, curve.log_odds)
    np.testing.assert_allclose(potential.static[0] / 1024, expected, atol=0.12)


def test_a_driver_that_is_the_same_everywhere_has_no_effect() -> None:
    driver = uniform_driver()
    history = change_by(driver, lambda x: 3 * x / 100 - 3, 0)
    flat = learn(history, x=driver, same=np.full(SHAPE, 7, np.float32), none=np.full(SHAPE, np.nan, np.float32))
    assert (flat.explained[0][1].log_odds == 0).all()
    assert (flat.explained[0][2].log_odds == 0).all()
    np.testing.assert_array_equal(flat.static, learn(history, x=driver).static)


def test_a_yes_or_no_driver_is_learned_even_if_yes_is_rare() -> None:
    road = np.zeros(SHAPE, np.float32)
    road[:, ::50] = 1  # two cells in a hundred
    potential = learn(change_by(road, lambda x: 4 * x - 3, 0), road=road)
    on_road, elsewhere = potential.static[0, 0, 0], potential.static[0, 0, 1]
    assert (int(on_road) - int(elsewhere)) / 1024 == pytest.approx(4, abs=1)


def draw_sample(positives: int, negatives: int) -> Sample:
    rng = np.random.default_rng(0)
    count = positives + negatives
    return Sample(
        levels=rng.integers(0, 100, (count, 2)),
        changed=np.arange(count) < positives,
        blocks=rng.integers(0, 20, count),
        weights=np.ones(count),
    )


@pytest.mark.parametrize(("positives", "negatives"), [(0, 500), (9, 500), (500, 9), (500, 0), (0, 0)])
def test_too_few_changes_teach_nothing(positives: int, negatives: int) -> None:
    assert fit_additive(draw_sample(positives, negatives)) is None


def sample_of(log_odds: Reals, levels: NDArray[np.int64], seed: int = 0) -> Sample:
    """Return cells that changed with known odds, in 50 blocks of 80."""
    changed = np.random.default_rng([seed, 2]).random(log_odds.size) < 1 / (1 + np.exp(-log_odds))
    return Sample(levels, changed, np.arange(log_odds.size) // 80, np.where(changed, 1.0, 3.0))


def test_what_is_refused_keeps_the_neighbourhood() -> None:
    # One driver, two shares and one window of recent change, of which nothing acts.
    levels = np.random.default_rng(0).integers(0, 100, (4000, 4))
    model = fit_additive(sample_of(np.full(4000, -1.0), levels, seed=1), candidates=1, drivers=1)
    assert model is not None
    assert model.refused is not None
    assert model.quality is not None
    assert [bool(np.ptp(term.log_odds)) for term in model.terms] == [False, True, True, False]


def test_the_quality_is_that_of_held_out_blocks() -> None:
    levels = np.random.default_rng(0).integers(0, 100, (4000, 3))
    sample = sample_of(levels[:, 0] / 20 - 4, levels)
    model = fit_additive(sample, drivers=2)
    assert model is not None
    quality = model.quality
    assert quality is not None
    assert quality.beats_chance
    assert quality.characteristic.area == pytest.approx(quality.auc, abs=0.002)
    assert quality.characteristic.extent_ha == pytest.approx(sample.weights.sum())
    assert quality.characteristic.changed_ha == pytest.approx(sample.changed.sum())
    acting, idle, share = quality.importance
    assert acting > 0.1 > 10 * max(abs(idle), abs(share))
    assert quality.neighbourhood == share
    assert quality.momentum == 0
    for each in quality.calibration:
        assert each.happened == pytest.approx(each.foretold, abs=0.06)
    # Blocks that were learned from would be told better.
    assert quality.auc < roc_auc_score(sample.changed, model.at(0, levels[:, 0]) + model.at(1, levels[:, 1]))


def test_importance_hangs_on_the_seed_and_the_model_does_not() -> None:
    levels = np.random.default_rng(0).integers(0, 100, (2000, 2))
    sample = sample_of(levels[:, 0] / 30 - 2, levels)
    one, two = (fit_additive(sample, drivers=1, seed=seed) for seed in (1, 2))
    assert one is not None
    assert two is not None
    assert one.quality is not None
    assert two.quality is not None
    assert one.quality.importance[0] != two.quality.importance[0]
    assert one.quality.auc == two.quality.auc
    np.testing.assert_array_equal(one.terms[0].log_odds, two.terms[0].log_odds)


def test_ten_changes_teach_something() -> None:
    model = fit_additive(draw_sample(10, 500))
    assert model is not None
    assert model.positives == 10
    assert len(model.terms) == 2


def test_a_landscape_with_one_block_only_has_no_auc() -> None:
    sample = draw_sample(50, 500)
    model = fit_additive(Sample(sample.levels, sample.changed, np.zeros(550, np.int64), sample.weights))
    assert model is not None
    assert np.isnan(model.auc)


def test_a_sample_without_features_is_no_crash() -> None:
    sample = draw_sample(50, 500)
    same = Sample(np.full((550, 2), 3), sample.changed, sample.blocks, sample.weights)
    none = Sample(np.empty((550, 0), np.int64), sample.changed, sample.blocks, sample.weights)
    for bare in (same, none):
        model = fit_additive(bare)
        assert model is None or all((term.log_odds == 0).all() for term in model.terms)


def test_samples_of_several_intervals_are_joined() -> None:
    parts = [draw_sample(5, 20), draw_sample(7, 30)]
    joined = Sample.join(parts)
    assert joined.levels.shape == (62, 2)
    assert joined.changed.sum() == 12
    assert fit_additive(joined) is not None
