"""Resampling of the potential: what hangs on the draw, and how far the curves of the members spread."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.tree import DecisionTreeClassifier

from scenarios.calibration import Calibration, calibrate
from scenarios.cluster import ONE, Workers
from scenarios.demand.transitions import Transition
from scenarios.errors import ScenarioInvalid
from scenarios.model import Model
from scenarios.potential.bootstrap import Bootstrap
from scenarios.potential.samples import Sample
from scenarios.projection.ensemble import draw_ensemble
from scenarios.projection.view import View
from scenarios.spec import Scenario
from tests.scenarios.landscapes import FOREST, LEGEND, OTHER, place, scenario, walk
from tests.scenarios.processes import KnownLandscape, Law, make_landscape

CLEARING, REGROWTH = Transition(FOREST, OTHER), Transition(OTHER, FOREST)
LAWS = (
    Law(CLEARING, 0.01, {"height": lambda x: -2 * x}, neighbours=2.0),
    Law(REGROWTH, 0.006, {"height": lambda x: 2 * x}),
)
MEMBERS = 4


@pytest.fixture(scope="module")
def known() -> KnownLandscape:
    return make_landscape(LAWS, years=(2000, 2005, 2010), shape=(160, 160), seed=3)


def asked(*plans: dict[str, object], **changes: object) -> Scenario:
    rules = {"start": 2010, "history": (2000, 2005, 2010), "years": 3, "potential": {"uncertainty": True}}
    return scenario(*plans, **{**rules, "members": MEMBERS, **changes})


SURE = asked(potential={"uncertainty": False})


def learn(known: KnownLandscape, plans: Scenario, workers: Workers = ONE) -> Calibration:
    return calibrate(plans, known.history, known.drivers, legend=LEGEND, grid=known.grid, workers=workers)


@pytest.fixture(scope="module")
def model(known: KnownLandscape) -> Model:
    return learn(known, asked()).model


@pytest.fixture(scope="module")
def sure(known: KnownLandscape) -> Model:
    return learn(known, SURE).model


class Once(Bootstrap):
    """Draws every block once."""

    def draw_blocks(self, seed: int, member: int) -> np.ndarray:
        return np.ones(np.unique(np.concatenate([sample.blocks for sample in self.samples])).size, np.int64)


def kept(model: Model) -> Bootstrap:
    assert model.potential.bootstrap is not None
    return model.potential.bootstrap


def test_cells_are_repeated_and_left_out() -> None:
    sample = Sample(
        np.array([[1, 2], [3, 4], [5, 6]]),
        np.array([True, False, True]),
        np.array([7, 8, 9]),
        np.array([1.0, 2.0, 3.0]),
    )
    drawn = sample.repeat(np.array([2, 0, 1]))
    assert drawn.levels.tolist() == [[1, 2], [1, 2], [5, 6]]
    assert drawn.changed.tolist() == [True, True, True]
    assert drawn.blocks.tolist() == [7, 7, 9]
    assert drawn.weights.tolist() == [1.0, 1.0, 3.0]


@given(st.integers(0, 2**32 - 1), st.integers(0, 254))
def test_as_many_blocks_are_drawn_as_there_are(model: Model, seed: int, member: int) -> None:
    drawn = kept(model).draw_blocks(seed, member)
    assert drawn.sum() == drawn.size == 64
    np.testing.assert_array_equal(drawn, kept(model).draw_blocks(seed, member))


def test_blocks_are_drawn_with_equal_chance_and_replacement(model: Model) -> None:
    drawn = np.stack([kept(model).draw_blocks(1, member) for member in range(2000)])
    # Binomial of 64 trials at 1/64: mean 1, variance 63/64. Five standard errors of the mean of 2,000.
    np.testing.assert_allclose(drawn.mean(axis=0), 1, atol=5 * np.sqrt(63 / 64 / 2000))
    assert drawn.var(axis=0).mean() == pytest.approx(63 / 64, rel=0.05)


def test_every_block_once_gives_the_potential_itself(model: Model) -> None:
    once = Once(kept(model).samples, kept(model).drivers, kept(model).momentum)
    again = replace(model.potential, bootstrap=once).resample(seed=42, member=0, workers=ONE)
    for name in ("static", "curves", "used", "recent"):
        # It is found again from where it was, to the tolerance of the fit; scores are in 1/1024 log odds.
        one, other = (np.asarray(getattr(each, name), np.int32) for each in (again, model.potential))
        np.testing.assert_allclose(one, other, atol=4)


def test_features_and_stiffness_stay(model: Model) -> None:
    again = model.potential.resample(seed=42, member=1, workers=ONE)
    for one, other in zip(model.potential.models, again.models, strict=True):
        assert one is not None
        assert other is not None
        assert other.strength == one.strength
        assert other.quality is one.quality
        assert [term.log_odds.any() for term in other.terms] == [term.log_odds.any() for term in one.terms]
        assert any((a.log_odds != b.log_odds).any() for a, b in zip(one.terms, other.terms, strict=True))


def test_a_driver_replaced_by_itself_is_seen_as_before(known: KnownLandscape, model: Model) -> None:
    own = model.potential.resample(seed=42, member=1, workers=ONE)
    np.testing.assert_array_equal(own.seen_with(known.drivers, ONE).static, own.static)
    assert (own.static != model.potential.static).any()


def test_curves_spread_as_far_as_sampling_lets_them(known: KnownLandscape, model: Model) -> None:
    """The spread of a linear effect over members, beside the standard error that its sample size lets expect."""
    t = model.potential.transitions.index(REGROWTH)
    sample = kept(model).samples[t]
    level = np.arange(int(sample.levels[:, 0].max()) + 1)
    curves = []
    for member in range(25):
        again = kept(model).learn_again(model.potential.models, seed=1, member=member)[t]
        assert again is not None
        curves.append(again.at(0, level))
    # Cells change on their own here. One direction of a curve is known to a variance of 1/n1 + 1/n0; a stiff spline on
    # six knots has more than one and fewer than eight of them.
    spread = np.stack(curves)[:, level.size // 20 : -level.size // 20].var(axis=0).mean()
    one = 1 / sample.changed.sum() + 1 / (~sample.changed).sum()
    assert one < spread < 8 * one


def test_few_cells_that_changed_leave_the_model_as_it_is(model: Model) -> None:
    nothing = [sample.repeat(np.zeros(sample.changed.size, np.int64)) for sample in kept(model).samples]
    models = model.potential.models
    empty = Once(tuple(nothing), kept(model).drivers, kept(model).momentum)
    assert empty.learn_again(models, seed=1, member=1) == models


def test_the_best_map_keeps_the_curves_of_all_places(known: KnownLandscape, model: Model, sure: Model) -> None:
    start = known.history[2010]
    one, other = walk(model, asked(), start), walk(sure, SURE, start)
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a.land_cover, b.land_cover)


def test_members_differ_more_with_curves_of_their_own(known: KnownLandscape, model: Model) -> None:
    calm = {"allocation": {"temperature": 0}, "demand": {"uncertainty": False}}
    start = known.history[2010]
    shared = draw_ensemble(model, asked(potential={"uncertainty": False}, **calm), start)
    own = draw_ensemble(model, asked(**calm), start)
    unsure = [int(((e.counts > 0) & (e.counts < MEMBERS)).sum()) for e in (shared, own)]
    assert unsure[0] < unsure[1] / 5


@pytest.mark.parametrize(("threads", "chunk"), [(2, 512), (4, 37)])
def test_threads_and_chunks_do_not_show(known: KnownLandscape, model: Model, threads: int, chunk: int) -> None:
    start, workers = known.history[2010], Workers(threads)
    one = draw_ensemble(model, asked(), start)
    other = draw_ensemble(learn(known, asked(), workers).model, asked(), start, chunk=chunk, workers=workers)
    assert one.counts.tobytes() == other.counts.tobytes()
    assert one.timing.sum_first.tobytes() == other.timing.sum_first.tobytes()


def test_a_member_of_an_ensemble_is_the_one_that_is_projected_alone(known: KnownLandscape, model: Model) -> None:
    start = known.history[2010]
    counts = draw_ensemble(model, asked(members=1), start).counts
    for n, year in enumerate(walk(model, asked(), start, member=0, temperature=1.0)):
        for c, value in enumerate(LEGEND.values):
            np.testing.assert_array_equal(counts[n, c], year.land_cover == value)


def test_scenarios_share_the_curves_of_a_member(known: KnownLandscape, model: Model) -> None:
    where = place(known.grid, (10, 120), (10, 120))
    plan = {"id": "reserve", "years": (2013, 2013), "protect": {"where": where, "classes": ["forest"]}}
    start = known.history[2010]
    bare, planned = (walk(model, plans, start, member=2, temperature=1.0) for plans in (asked(), asked(plan)))
    for before in (0, 1):
        np.testing.assert_array_equal(bare[before].land_cover, planned[before].land_cover)
    assert (bare[2].land_cover != planned[2].land_cover).any()


def test_a_model_that_kept_nothing_is_refused_with_the_mend(known: KnownLandscape, sure: Model) -> None:
    with pytest.raises(ScenarioInvalid, match=r"potential\.uncertainty.*Calibrate it with this scenario"):
        walk(sure, asked(), known.history[2010], member=0)


def test_classifiers_are_taught_anew_too(known: KnownLandscape) -> None:
    plans = asked(potential={"uncertainty": True, "neighbourhood_m": [300]})
    how: Any = {"legend": LEGEND, "grid": known.grid, "workers": ONE}
    stump = DecisionTreeClassifier(max_depth=4, min_samples_leaf=30)
    model = calibrate(plans, known.history, known.drivers, classifier=stump, **how).model
    best, one, again, other = (
        View.of(each.potential, known.history[2010], ONE).scores.tobytes()
        for each in (model, *(model.resample(plans, member, ONE) for member in (0, 0, 1)))
    )
    assert one == again
    assert len({best, one, other}) == 3
