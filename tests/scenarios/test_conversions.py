"""Conversion rules: the forbidden never happens, young land stays, elasticity moves less land and no area."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.calibration import Calibration, calibrate
from scenarios.cluster import ONE, Workers
from scenarios.demand.transitions import History, Transition
from scenarios.errors import HistoryInvalid, ScenarioInvalid
from scenarios.interventions.conversions import NEVER, Conversions, date_last_change
from scenarios.projection.yearbook import Year
from scenarios.spec import ConversionRule
from scenarios.validation.hindcast import hindcast
from tests.scenarios.landscapes import (
    BUILT,
    FOREST,
    LEGEND,
    OTHER,
    Map,
    World,
    flat_model,
    place,
    projected_grid,
    random_map,
    random_model,
    scenario,
    walk,
    worlds,
)

NAMES = LEGEND.names
FORTH, BACK = Transition(FOREST, BUILT), Transition(BUILT, FOREST)
PAIRS = [(a, b) for a in NAMES for b in NAMES if a != b]

rules = st.fixed_dictionaries(
    {
        "elasticity": st.dictionaries(st.sampled_from(NAMES), st.floats(0, 1), max_size=3),
        "residence_years": st.dictionaries(st.sampled_from(NAMES), st.integers(1, 6), max_size=3),
        "forbidden": st.lists(st.sampled_from(PAIRS), max_size=3, unique=True).map(
            lambda pairs: {a: [d for c, d in pairs if c == a] for a, _ in pairs}
        ),
    }
)


def hold(elasticity: Mapping[str, float], **demand: float) -> dict[str, float]:
    """Hold a demand that is written as ``forest_built=100``."""
    asked = {Transition(*(LEGEND.value_of(name) for name in key.split("_"))): ha for key, ha in demand.items()}
    held = Conversions(ConversionRule(elasticity=elasticity), LEGEND).hold(asked)
    return dict(zip(demand, held.values(), strict=True))


def test_elasticity_withholds_exchange_by_hand() -> None:
    demand = {"forest_other": 100.0, "other_forest": 60.0, "forest_built": 30.0, "built_forest": 0.0}
    assert hold({}, **demand) == demand
    # 60 ha are exchanged between forest and other; forest and built exchange nothing.
    assert hold({"forest": 0.5}, **demand) == demand | {"forest_other": 70, "other_forest": 30}
    assert hold({"forest": 0.5, "other": 0.5}, **demand) == demand | {"forest_other": 55, "other_forest": 15}
    assert hold({"other": 1}, **demand) == demand | {"forest_other": 40, "other_forest": 0}
    assert hold({"built": 1}, **demand) == demand


@given(st.lists(st.floats(0, 1e4), min_size=6, max_size=6), rules)
def test_elasticity_leaves_what_each_class_gains_on_balance(amounts: list[float], rule: dict[str, Any]) -> None:
    demand = dict(zip((f"{a}_{b}" for a, b in PAIRS), amounts, strict=True))
    held = hold(rule["elasticity"], **demand)

    def net(of: Mapping[str, float], name: str) -> float:
        won = sum(ha for key, ha in of.items() if key.endswith(f"_{name}"))
        return won - sum(ha for key, ha in of.items() if key.startswith(f"{name}_"))

    for name in NAMES:
        assert net(held, name) == pytest.approx(net(demand, name), abs=1e-6)
    assert all(0 <= held[key] <= demand[key] for key in demand)


def test_hard_classes_reach_the_same_areas_with_less_change() -> None:
    start, rates = random_map((40, 50)), {FORTH: 0.05, BACK: 0.02}
    model = random_model(projected_grid(), rates)
    easy, hard = (walk(model, scenario(conversions={"elasticity": {"built": e}}), start) for e in (0, 1))
    for one, other in zip(easy, hard, strict=True):
        np.testing.assert_allclose(one.area_ha, other.area_ha, atol=2)  # each amount is rounded to whole cells
        assert min(one.placed_ha.values()) > 5
        assert min(other.placed_ha.values()) == 0


def changes(start: Map, years: list[Year]) -> list[tuple[int, Map, Map]]:
    maps = [start, *(year.land_cover for year in years)]
    return [(year.year, before, after) for year, (before, after) in zip(years, pairwise(maps), strict=True)]


def plans(world: World, rule: dict[str, Any], residence: dict[str, int], allocation: str) -> Any:
    """Return a scenario that restores and aims at a target, as far as that is not forbidden."""
    conversions = {**rule, "residence_years": residence}
    allowed = [a for a in ("built", "other") if "forest" not in rule["forbidden"].get(a, ())]
    where = place(world.model.grid, (0, world.start.shape[0]), (0, world.start.shape[1]))
    action = {"where": where, "from": allowed, "to": "forest", "hectares_per_year": 4}
    goal = {"class": "forest", "hectares": 1e4, "from": allowed}
    acts = [{"id": "a", "years": (2001, 2005), "restore": action}, {"id": "b", "years": (2003, 2006), "target": goal}]
    how = {"conversions": conversions, "allocation": {"rule": allocation}}
    return scenario(*(acts if allowed else ()), **how, years=6)


by_both_rules = pytest.mark.parametrize("allocation", ["cells", "patches"])


@by_both_rules
@given(worlds(most=40, geographic=None), rules, st.integers(0, 2**16))
@settings(deadline=None, max_examples=25)
def test_rules_hold_year_after_year(allocation: str, world: World, rule: dict[str, Any], seed: int) -> None:
    rng = np.random.default_rng(seed)
    seen = rng.choice([NEVER, 1995, 1998, 2000], world.start.shape).astype(np.int16)
    model, residence = replace(world.model, changed=seen.copy()), rule["residence_years"]
    conversions = ConversionRule(**rule)
    last = seen.astype(np.int64)
    years = walk(model, plans(world, rule, residence, allocation), world.start, member=1)
    for year, before, after in changes(world.start, years):
        moved = before != after
        for a, b in set(zip(before[moved].tolist(), after[moved].tolist(), strict=True)):
            assert not conversions.forbids(LEGEND.get(a).name, LEGEND.get(b).name)
        for name, least in residence.items():
            left = moved & (before == LEGEND.value_of(name))
            assert (year - last[left] >= least).all()
        last[moved] = year
    np.testing.assert_array_equal(model.changed, seen)  # the model is shared by all members


@by_both_rules
@given(worlds(most=40, geographic=None), rules, st.integers(6, 50), st.sampled_from([1, 2]))
@settings(deadline=None, max_examples=10)
def test_chunks_and_threads_do_not_show(
    allocation: str, world: World, rule: dict[str, Any], chunk: int, threads: int
) -> None:
    wanted = plans(world, rule, rule["residence_years"], allocation)
    one = walk(world.model, wanted, world.start, member=1, temperature=1.0)
    other = walk(world.model, wanted, world.start, member=1, temperature=1.0, chunk=chunk, workers=Workers(threads))
    for a, b in zip(one, other, strict=True):
        assert a.land_cover.tobytes() == b.land_cover.tobytes()
        assert (a.placed_ha, a.shortfalls) == (b.placed_ha, b.shortfalls)


def test_young_land_is_missed_and_the_cause_is_told() -> None:
    grid, start = projected_grid((10, 10)), np.full((10, 10), BUILT, np.uint8)
    changed = np.full((10, 10), NEVER, np.int16)
    changed[:, :6] = 1999
    model = replace(flat_model(grid, {BACK: 1.0}), changed=changed)
    years = walk(model, scenario(conversions={"residence_years": {"built": 4}}), start)
    assert [(year.land_cover == BUILT).sum() for year in years] == [60, 60, 0, 0, 0]  # 1999 + 4 = 2003
    (shortfall,) = years[0].shortfalls
    assert shortfall.hectares == 60
    assert shortfall.cause == (
        "no more cells of the class are free to change, or have been of the class for less than 4 years"
    )


def test_the_last_change_is_dated_by_the_later_map() -> None:
    history = {
        1990: np.array([[1, 1, 1, 0, 1]], np.uint8),
        2000: np.array([[1, 2, 2, 1, 0]], np.uint8),
        2010: np.array([[1, 2, 1, 1, 2]], np.uint8),
    }
    assert date_last_change(history).tolist() == [[NEVER, 2000, 2010, NEVER, 2010]]


@pytest.fixture
def history() -> History:
    first = random_map((40, 50), seed=1, nodata=0)
    maps = {1990: first}
    rng = np.random.default_rng(2)
    for year in (2000, 2010):
        now = maps[year - 10].copy()
        for a, b, cells in ((FOREST, BUILT, 60), (BUILT, FOREST, 30), (OTHER, BUILT, 50)):
            now.ravel()[rng.choice(np.flatnonzero(maps[year - 10] == a), cells, replace=False)] = b
        maps[year] = now
    return maps


def learn(history: History, **fields: Any) -> Calibration:
    wanted = scenario(history=tuple(history), start=2010, **fields)
    return calibrate(wanted, history, {}, legend=LEGEND, grid=projected_grid(), workers=ONE)


def test_a_forbidden_conversion_is_not_learned_and_the_notes_say_so(history: History) -> None:
    free, bound = learn(history), learn(history, conversions={"forbidden": {"built": "forest"}})
    assert set(free.model.rates) - set(bound.model.rates) == {BACK}
    assert bound.model.rates[FORTH] == free.model.rates[FORTH]
    (note,) = [note for note in bound.notes if "forbidden" in note]
    assert note.startswith("built to forest: 60.0 ha observed, forbidden by the scenario")


def test_a_trend_goes_around_what_is_forbidden(history: History) -> None:
    bound = learn(history, conversions={"forbidden": {"forest": "built"}}, demand={"rule": "trend"})
    start = history[2010]
    (_, before, after), *_ = changes(start, walk(bound.model, scenario(demand={"rule": "trend"}), start))
    assert not ((before == FOREST) & (after == BUILT)).any()
    assert ((before == OTHER) & (after == BUILT)).any()


def test_a_history_of_nothing_but_the_forbidden_is_refused(history: History) -> None:
    with pytest.raises(HistoryInvalid, match="in a way that is not forbidden"):
        learn(history, conversions={"forbidden": {"built": "forest", "forest": "built", "other": "built"}})


def test_residence_counts_from_the_observed_changes(history: History) -> None:
    assert learn(history).model.changed is None
    bound = learn(history, conversions={"residence_years": {"built": 3}}).model
    np.testing.assert_array_equal(bound.changed, date_last_change(history))


def test_a_hindcast_keeps_the_rules(history: History) -> None:
    wanted = scenario(
        history=tuple(history), start=2010, conversions={"forbidden": {"built": "forest"}}, demand={"rule": "markov"}
    )
    found = hindcast(wanted, history, {}, legend=LEGEND, grid=projected_grid(), members=1)
    assert not ((history[2000] == BUILT) & (found.simulated == FOREST)).any()
    assert ((history[2000] == FOREST) & (found.simulated == BUILT)).any()


def test_classes_that_are_not_there_are_named() -> None:
    wrong = scenario(conversions={"forbidden": {"urban": ["forest", "sea"]}, "elasticity": {"moor": 1}})
    with pytest.raises(ScenarioInvalid, match=r"name 'urban', 'sea', 'moor'; the legend has forest, built, other"):
        walk(flat_model(projected_grid((4, 4)), {FORTH: 0.1}), wrong, np.ones((4, 4), np.uint8))
