"""Classifiers: encoded as they should be, judged like any model, and refused where they cannot tell chances."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from scenarios.errors import ScenarioInvalid
from scenarios.potential.classified import ClassifierModel, fit_classifier
from scenarios.potential.classifiers import Classifier, fingerprint_classifier, make_classifier, prepare_classifier
from scenarios.potential.encoding import Encoding
from scenarios.potential.samples import Sample

Reals = NDArray[np.float64]
STUMP = DecisionTreeClassifier(max_depth=3, min_samples_leaf=50)

pytestmark = pytest.mark.usefixtures("one_thread_of_algebra")


def sample_of(levels: NDArray[np.int64], log_odds: Reals, categories: tuple[int, ...] = ()) -> Sample:
    """Return cells that changed with known odds, in 50 blocks."""
    changed = np.random.default_rng(9).random(log_odds.size) < expit(log_odds)
    return Sample(levels, changed, np.arange(log_odds.size) // 80, np.where(changed, 1.0, 3.0), categories)


@pytest.fixture(scope="module")
def sample() -> Sample:
    """Return 4,000 cells with one driver that acts, one idle one, and one share that acts against it."""
    levels = np.random.default_rng(0).integers(0, 100, (4000, 3))
    return sample_of(levels, levels[:, 0] / 20 - levels[:, 2] / 40 - 2)


def fit(sample: Sample, classifier: Classifier = STUMP, **how: int) -> ClassifierModel:
    model = fit_classifier(sample, classifier=prepare_classifier(classifier, 1), **({"drivers": 2} | how))
    assert model is not None
    return model


class Counter:
    """Counts how often change was seen below and above a bound; knows nothing of scikit-learn."""

    def fit(self, design: Reals, changed: NDArray[np.int64]) -> None:
        self.chance = [changed[(design[:, 0] >= 50) == above].mean() for above in (False, True)]

    def predict_proba(self, design: Reals) -> Reals:
        chance = np.where(design[:, 0] >= 50, self.chance[1], self.chance[0])
        return np.stack([1 - chance, chance], axis=1)


@pytest.mark.parametrize(
    "classifier",
    [
        make_classifier("random_forest"),
        make_classifier("gradient_boosting"),
        make_pipeline(StandardScaler(), LogisticRegression()),
        GaussianNB(),
        Counter(),
    ],
    ids=lambda each: type(each).__name__,
)
def test_any_classifier_learns_and_is_judged(sample: Sample, classifier: Classifier) -> None:
    model = fit(sample, classifier)
    quality = model.quality
    assert quality is not None
    assert quality.auc > 0.7
    assert quality.characteristic.area == pytest.approx(quality.auc, abs=0.002)
    assert quality.characteristic.changed_ha == pytest.approx(sample.changed.sum())
    assert quality.importance[0] > 0.1 > 5 * abs(quality.importance[1])
    for each in quality.calibration:
        assert each.happened == pytest.approx(each.foretold, abs=0.12)
    low, high = model.score(np.array([[10, 50, 50], [90, 50, 50]]))
    assert high - low > 1.2 * 1024
    curve = model.at(0, np.array([10, 90]))
    assert curve[1] - curve[0] > 1.2


def test_a_classifier_that_was_given_is_not_changed(sample: Sample) -> None:
    given = RandomForestClassifier(n_estimators=5, min_samples_leaf=50)
    fit(sample, given)
    assert not hasattr(given, "estimators_")
    assert given.random_state is None


def test_what_draws_takes_the_seed_unless_it_has_its_own_and_works_on_one_core() -> None:
    pipeline = make_pipeline(StandardScaler(), RandomForestClassifier(n_jobs=-1))
    assert prepare_classifier(pipeline, 7).named_steps["randomforestclassifier"].random_state == 7
    assert prepare_classifier(pipeline, 7).named_steps["randomforestclassifier"].n_jobs == 1
    assert prepare_classifier(RandomForestClassifier(random_state=3), 7).random_state == 3
    assert prepare_classifier(RandomForestClassifier(), 2**40 + 7).random_state == 7


def test_imbalance_moves_the_intercept_and_no_score(sample: Sample) -> None:
    rare = replace(sample, weights=np.where(sample.changed, 1.0, 300.0))
    one, other = fit(sample), fit(rare)
    np.testing.assert_array_equal(one.score(sample.levels), other.score(sample.levels))
    assert one.intercept - other.intercept == pytest.approx(np.log(100))


def test_levels_are_encoded_by_hand() -> None:
    levels = np.array([[0, 4, 2], [1, 9, 2], [-1, 0, 2], [1, 4, 2]])
    values = np.array([5.0, 8.0]), np.arange(256.0), np.arange(3.0)
    sample = Sample(levels, np.zeros(4, bool), np.zeros(4, np.int64), np.ones(4), (1,), values)
    encoding = Encoding.of(sample, range(3))
    # A value, or the mean of 5, 8 and 8; a column for each of the categories 4 and 9; none for what never varies.
    assert encoding.encode(levels).tolist() == [[5, 1, 0], [8, 0, 1], [7, 0, 0], [8, 1, 0]]
    assert encoding.used == {0, 1}
    assert Encoding.of(sample, range(1, 3)).encode(levels).tolist() == [[1, 0], [0, 1], [0, 0], [1, 0]]


def test_what_is_no_better_than_chance_keeps_the_neighbourhood() -> None:
    levels = np.random.default_rng(0).integers(0, 100, (4000, 4))
    model = fit(sample_of(levels, np.full(4000, -1.0)), drivers=1, candidates=1)
    assert model.refused is not None
    assert model.encoding.used == {1, 2}
    assert model.quality is not None
    assert model.quality.importance[[0, 3]].tolist() == [0, 0]
    assert [bool(term.log_odds.any()) for term in model.terms] == [False, True, True, False]
    assert not model.uses_last(1)
    np.testing.assert_array_equal(model.score(levels), model.score(levels[:, :3]))


@pytest.mark.parametrize("acts", [True, False])
def test_recent_change_is_kept_where_it_helps(acts: bool) -> None:
    levels = np.random.default_rng(0).integers(0, 100, (4000, 3))
    model = fit(sample_of(levels, levels[:, 0] / 20 - 3 + acts * levels[:, 2] / 30), drivers=1, candidates=1)
    assert model.uses_last(1) == acts


def test_too_little_teaches_nothing_and_nothing_that_varies_scores_nothing() -> None:
    levels = np.full((300, 2), 3)
    few = Sample(levels, np.arange(300) < 9, np.arange(300) // 30, np.ones(300))
    assert fit_classifier(few, classifier=STUMP) is None
    flat = fit(replace(few, changed=np.arange(300) % 3 == 0), drivers=1)
    assert flat.quality is None
    assert not flat.score(levels).any()


def test_none_is_surer_than_its_sample() -> None:
    levels = np.arange(400)[:, None] % 2
    sample = Sample(levels, levels[:, 0] == 1, np.arange(400) // 20, np.ones(400))
    told = fit(sample, DecisionTreeClassifier(), drivers=1).log_odds(np.array([[0], [1]]))
    assert told == pytest.approx([-np.log(401), np.log(401)])


def test_categories_have_a_curve_of_their_own() -> None:
    soil = np.random.default_rng(0).choice([2, 5, 9], (6000, 1))
    model = fit(sample_of(soil, np.where(soil[:, 0] == 5, 0.0, -2.0), (0,)), drivers=1)
    clay, loam, other = model.at(0, np.array([2, 5, 3]))
    assert loam - clay == pytest.approx(2, abs=0.25)
    assert other == 0


class OneChance(Counter):
    def predict_proba(self, design: Reals) -> Reals:
        return super().predict_proba(design)[:, 1]


class Unsure(Counter):
    def predict_proba(self, design: Reals) -> Reals:
        return super().predict_proba(design) * np.nan


@pytest.mark.parametrize(
    ("classifier", "told"),
    [
        (RandomForestClassifier, r"the class RandomForestClassifier, not an object .*RandomForestClassifier\(\)"),
        (LinearSVC(), "LinearSVC has no predict_proba.*CalibratedClassifierCV"),
        ("random_forest", "str has no fit and no predict_proba"),
        (OneChance(), r"OneChance answered \d+ cells with an array of shape \(\d+,\)"),
        (Unsure(), "Unsure .* that holds NaN"),
    ],
)
def test_what_tells_no_chances_is_refused(sample: Sample, classifier: Classifier, told: str) -> None:
    with pytest.raises(ScenarioInvalid, match=told):
        fit(sample, classifier)


def test_a_fingerprint_is_that_of_the_settings() -> None:
    one, same, other = (fingerprint_classifier(RandomForestClassifier(max_depth=depth)) for depth in (3, 3, 4))
    assert one == same != other
    unknown = GaussianNB()
    unknown.priors = lambda: None  # a function written in place
    with pytest.raises(ScenarioInvalid, match="GaussianNB cannot be pickled"):
        fingerprint_classifier(unknown)
