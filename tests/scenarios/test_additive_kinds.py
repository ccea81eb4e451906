"""Additive models by other means: straight lines, and weights of evidence counted by hand."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from scenarios.potential.bases import Basis
from scenarios.potential.learning import fit_additive
from scenarios.potential.samples import Sample
from scenarios.potential.weights_of_evidence import weigh_evidence
from scenarios.spec.rules import ModelName

Reals = NDArray[np.float64]

pytestmark = pytest.mark.usefixtures("one_thread_of_algebra")


def sample_of(levels: NDArray[np.int64], log_odds: Reals, **more: tuple[Reals, ...] | tuple[int, ...]) -> Sample:
    """Return cells that changed with known odds, in 50 blocks."""
    changed = np.random.default_rng(9).random(log_odds.size) < expit(log_odds)
    return Sample(levels, changed, np.arange(log_odds.size) * 50 // log_odds.size, np.where(changed, 1.0, 3.0), **more)


def test_weights_by_hand() -> None:
    # Two bins: of 40 changed cells 30 lie in the first, of 160 unchanged 40.
    first = np.repeat([1, 0, 1, 0], [30, 10, 40, 120])
    changed = np.arange(200) < 40
    weights, intercept = weigh_evidence(np.stack([first, 1 - first], axis=1).astype(float), changed, 0)
    assert weights == pytest.approx([np.log((30 / 40) / (40 / 160)), np.log((10 / 40) / (120 / 160))], rel=1e-3)
    assert intercept == pytest.approx(np.log(40 / 160), rel=1e-3)
    assert expit(intercept + weights) == pytest.approx([30 / 70, 10 / 130], rel=1e-3)


def test_an_empty_bin_weighs_nothing_and_a_small_one_little() -> None:
    bins = np.repeat([0, 1, 2], [100, 98, 2])
    changed = (np.arange(200) % 4 == 0) | (bins == 2)
    design = np.eye(4)[bins]
    plain, smooth = (weigh_evidence(design, changed, cells)[0] for cells in (1, 100))
    assert [plain[3], smooth[3]] == pytest.approx([0, 0], abs=1e-9)
    assert 0 < smooth[2] < plain[2] / 3


def test_features_that_say_the_same_count_once() -> None:
    rng = np.random.default_rng(0)
    bins = rng.integers(0, 5, 4000)
    changed = rng.random(4000) < expit(bins - 3.0)
    once, thrice = (weigh_evidence(np.hstack([np.eye(5)[bins]] * copies), changed, 1)[0] for copies in (1, 3))
    assert thrice.reshape(3, 5).sum(axis=0) == pytest.approx(once, rel=1e-4)


@pytest.mark.parametrize("known", [[], [4], [0] * 9 + [7], list(range(100))])
def test_bins_hold_every_level_once(known: list[int]) -> None:
    basis = Basis.bins(np.array([-1, *known], np.int64), categorical=False)
    design = basis.at(np.arange(200))
    assert basis.at(np.array([-1])).sum() == 0
    if basis.size:
        assert (design.sum(axis=1) == 1).all()
        # The curve that is kept is the step itself, level by level.
        weights = np.arange(basis.size) ** 2.0
        kept = np.interp(np.arange(200), basis.support, basis.at(basis.support) @ weights)
        np.testing.assert_array_equal(kept, design @ weights)
    assert basis.size == {0: 0, 1: 0, 10: 2, 100: 10}[len(known)]


def test_a_straight_line_is_that_of_logistic_regression() -> None:
    rng = np.random.default_rng(0)
    values = np.sort(rng.normal(size=60)) * 30
    levels = rng.integers(0, 60, (6000, 1))
    x = values[levels[:, 0]]
    sample = sample_of(levels, x / 30 - 1, values=(values,))
    found = fit_additive(sample, model="logistic", drivers=1)
    assert found is not None
    scaled = (x - x.mean()) / x.std()
    reference = LogisticRegression(C=found.strength).fit(scaled[:, None], sample.changed)
    line = found.at(0, np.arange(60))
    assert np.ptp(line - line[0] - (values - values[0]) * reference.coef_[0, 0] / x.std()) == pytest.approx(0, abs=1e-3)
    assert reference.coef_[0, 0] == pytest.approx(1, abs=0.15)


@pytest.mark.parametrize("model", ["logistic", "weights_of_evidence"])
def test_categories_have_a_step_each(model: ModelName) -> None:
    soil = np.random.default_rng(0).choice([2, 5, 9], (6000, 1))
    sample = sample_of(soil, np.where(soil[:, 0] == 5, 0.0, -2.0), categories=(0,))
    found = fit_additive(sample, model=model, drivers=1)
    assert found is not None
    clay, loam, sand, other, missing = found.at(0, np.array([2, 5, 9, 3, 0]))
    assert loam - (clay + sand) / 2 == pytest.approx(2, abs=0.25)
    assert clay == pytest.approx(sand, abs=0.25)
    assert other == missing == 0


@pytest.mark.parametrize("model", ["logistic", "weights_of_evidence"])
def test_what_is_refused_keeps_the_neighbourhood(model: ModelName) -> None:
    levels = np.random.default_rng(0).integers(0, 100, (4000, 4))
    found = fit_additive(sample_of(levels, np.full(4000, -1.0)), model=model, candidates=1, drivers=1)
    assert found is not None
    assert found.refused is not None
    assert [bool(np.ptp(term.log_odds)) for term in found.terms] == [False, True, True, False]
