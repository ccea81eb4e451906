"""Models by name, and classifiers from Python: what each finds out of a known process, and what the engine promises."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any, get_args

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import spearmanr
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from datacommons.reports.hindcast import render_report
from scenarios.calibration import Calibration, calibrate
from scenarios.cluster import ONE, Workers
from scenarios.demand.transitions import Transition
from scenarios.errors import ScenarioInvalid
from scenarios.potential.classifiers import Classifier
from scenarios.projection.view import View
from scenarios.projection.yearbook import Year
from scenarios.spec.rules import ModelName
from scenarios.validation.hindcast import hindcast
from tests.scenarios.landscapes import BUILT, FOREST, LEGEND, OTHER, place, scenario, walk
from tests.scenarios.processes import KnownLandscape, Law, make_landscape

CLEARING, BUILDING = Transition(FOREST, OTHER), Transition(OTHER, BUILT)
LAWS = (
    Law(CLEARING, 0.01, {"road": lambda x: 4 * (1 - x)}),
    Law(BUILDING, 0.02, {"height": lambda x: -3 * x}, neighbours=3.0),
)
NAMES = get_args(ModelName)
STRAIGHT = make_pipeline(StandardScaler(), LogisticRegression())
FEW_TREES = RandomForestClassifier(n_estimators=10, min_samples_leaf=20)
BOOSTED = HistGradientBoostingClassifier(max_iter=15, max_leaf_nodes=8, early_stopping=False)


@pytest.fixture(scope="module")
def known() -> KnownLandscape:
    """Return a landscape where roads bring clearing, and towns grow downhill; the soil is idle."""
    return make_landscape(LAWS, years=(2000, 2006, 2012), idle=("soil",), shape=(120, 120), seed=3)


def learn(
    known: KnownLandscape, classifier: Classifier | None = None, threads: int = 1, **potential: Any
) -> Calibration:
    years = tuple(sorted(known.history))
    rules = {"potential": {"neighbourhood_m": [300]} | potential, "transitions": {"minimum_hectares": 100}}
    asked = scenario(start=years[-1], history=years, **rules)
    how: Any = {"legend": LEGEND, "grid": known.grid, "workers": Workers(threads), "classifier": classifier}
    return calibrate(asked, known.history, known.drivers, **how)


@pytest.fixture(scope="module", params=[*NAMES, "from Python"])
def learned(request: pytest.FixtureRequest, known: KnownLandscape) -> Calibration:
    return learn(known, STRAIGHT) if request.param == "from Python" else learn(known, model=request.param)


@pytest.fixture(scope="module")
def forest(known: KnownLandscape) -> Calibration:
    return learn(known, FEW_TREES)


def test_a_known_process_is_found(known: KnownLandscape, learned: Calibration) -> None:
    potential, start = learned.model.potential, known.history[2012]
    scores = View.of(potential, start, ONE).scores[:, :, potential.slot(CLEARING)]
    here = start == FOREST
    # One driver decides alone: the scores rank the cells as it does, whatever the kind of model.
    assert spearmanr(scores[here], -known.drivers["road"][here]).statistic > 0.85
    for transition, acting in ((CLEARING, "road"), (BUILDING, "height")):
        row = potential.transitions.index(transition)
        fitted, curves = potential.models[row], {curve.driver: curve for curve in potential.explained[row]}
        assert fitted is not None
        assert fitted.quality is not None
        importance = dict(zip(curves, fitted.quality.importance, strict=True))
        assert importance[acting] > 0.05 > 3 * abs(importance["soil"])
        # True curves are straight, and what a year adds up to in six is nearly so.
        truth = (-4 if acting == "road" else -3) * curves[acting].value
        assert np.corrcoef(curves[acting].log_odds, truth)[0, 1] > 0.93
        assert np.ptp(curves[acting].log_odds) > 4 * np.ptp(curves["soil"].log_odds)


def test_the_intercept_is_that_of_the_landscape(known: KnownLandscape, learned: Calibration) -> None:
    potential = learned.model.potential
    row = potential.transitions.index(CLEARING)
    model = potential.models[row]
    assert model is not None
    maps = [known.history[year] for year in sorted(known.history)]
    here = np.concatenate([first[first == FOREST] for first in maps[:-1]]).size
    changed = sum(int(((a == FOREST) & (b == OTHER)).sum()) for a, b in pairwise(maps))
    assert expit(model.intercept) == pytest.approx(changed / here, rel=0.5)


def test_what_it_was_learned_by_is_said(learned: Calibration) -> None:
    learner = learned.model.potential.learner
    told = [note for note in learned.notes if "a classifier from Python" in note]
    if learner in NAMES:
        assert not told
    else:
        assert learner.startswith("Pipeline(steps=[('standardscaler', StandardScaler())")
        assert learner in told[0]


def project(known: KnownLandscape, learned: Calibration, *plans: dict[str, Any], **how: Any) -> list[Year]:
    asked = scenario(*plans, start=2012, history=(2000, 2006, 2012), years=8, demand={"uncertainty": False})
    return walk(learned.model, asked, known.history[2012], member=3, temperature=1.0, **how)


@pytest.mark.parametrize("classifier", [FEW_TREES, BOOSTED, STRAIGHT], ids=lambda each: type(each).__name__)
def test_chunks_and_threads_do_not_show(known: KnownLandscape, classifier: Classifier) -> None:
    one, many = learn(known, classifier), learn(known, classifier, threads=3)
    plain = project(known, one)
    for chunk, threads in ((512, 2), (17, 3)):
        others = project(known, many, chunk=chunk, workers=Workers(threads))
        assert [year.land_cover.tobytes() for year in others] == [year.land_cover.tobytes() for year in plain]


def test_a_forest_meets_demand_and_spares_what_is_protected(known: KnownLandscape, forest: Calibration) -> None:
    grid, start = known.grid, known.history[2012]
    kept = {
        "id": "park",
        "years": (2013, 2020),
        "protect": {"where": place(grid, (0, 40), (0, 120)), "classes": ["forest"]},
    }
    years = project(known, forest, kept)
    np.testing.assert_array_equal(years[-1].land_cover[:40][start[:40] == FOREST], FOREST)
    before, open_rest = start, 0.0
    for year in years:
        assert not year.shortfalls
        moved = {t: ((before == t.source) & (year.land_cover == t.target)).sum() for t in forest.model.rates}
        assert {(t.source, t.target): cells for t, cells in moved.items()} == year.placed_ha
        # What is less than a cell waits for the next year. Protection does away with a part of the clearing.
        open_rest += forest.model.rates[BUILDING] * (before == OTHER).sum() - moved[BUILDING]
        assert abs(open_rest) <= 0.5
        before = year.land_cover


def test_what_is_seen_again_is_what_a_fresh_look_sees(known: KnownLandscape, forest: Calibration) -> None:
    potential, start = forest.model.potential, known.history[2012]
    view = View.of(potential, start, ONE)
    later = start.copy()
    later[50:53, 50:53] = BUILT
    fresh = View.of(potential, later, ONE)
    stale = np.zeros(start.shape, np.uint8)
    stale[40:63, 40:63] = 1
    view.counts[:] = fresh.counts
    view.rescore(later, stale, ONE)
    assert not stale.any()
    modelled = np.isin(later, [FOREST, OTHER])
    np.testing.assert_array_equal(view.scores[modelled], fresh.scores[modelled])


def test_a_forest_reads_other_values_of_a_driver(known: KnownLandscape, forest: Calibration) -> None:
    potential, start = forest.model.potential, known.history[2012]
    same = potential.seen_with(known.drivers, ONE)
    turned = potential.seen_with({**known.drivers, "road": 1 - known.drivers["road"]}, ONE)
    before, again, other = (View.of(each, start, ONE).scores for each in (potential, same, turned))
    assert again.tobytes() == before.tobytes()
    here = (start == FOREST) & (known.drivers["road"] < 0.2)
    assert other[here, 0].mean() < before[here, 0].mean() - 1024


def test_a_test_is_passed_by_a_classifier_too(known: KnownLandscape) -> None:
    asked = scenario(start=2012, history=(2000, 2006, 2012), potential={"neighbourhood_m": [300]})
    how: Any = {"legend": LEGEND, "grid": known.grid, "members": 2, "classifier": STRAIGHT}
    found = hindcast(asked, known.history, known.drivers, **how)
    assert found.central.figure_of_merit > 1.5 * found.guessing.figure_of_merit
    assert any("a classifier from Python" in note for note in found.notes)
    assert found.evidence["forest to other"].to_dict()["importance"]["road"] > 0.05
    assert "How it acts" in render_report(found, title="Valley")


def test_what_tells_no_chances_is_refused_before_anything_is_learned(known: KnownLandscape) -> None:
    with pytest.raises(ScenarioInvalid, match="dict has no fit"):
        learn(known, {})


def test_a_landscape_without_features_is_drawn_at_random(known: KnownLandscape) -> None:
    bare = replace(known, drivers={})
    found = learn(bare, model="random_forest", neighbourhood_m=[], momentum_m=[])
    assert not View.of(found.model.potential, known.history[2012], ONE).scores.any()
