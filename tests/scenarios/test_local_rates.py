"""Rates changed inside a place: so much more or less there, and as much as before everywhere else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.cluster import Workers
from scenarios.demand.transitions import Transition
from scenarios.errors import ScenarioInvalid
from scenarios.interventions.local_rates import LocalRate
from scenarios.kernels.draws import SCALE
from scenarios.projection.years import Year
from scenarios.spec import Scenario
from tests.scenarios.landscapes import (
    BUILT,
    FOREST,
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

SHAPE = (60, 80)
GRID = projected_grid(SHAPE)
WEST = (slice(None), slice(0, 40))
FORTH, ASIDE = Transition(FOREST, BUILT), Transition(FOREST, OTHER)


def change(factor: Any, columns: tuple[int, int] = (0, 40), name: str = "zoning", **fields: Any) -> dict[str, Any]:
    rate = {"from": "forest", "to": "built", "factor": factor, "where": place(GRID, (0, 60), columns)}
    return {"id": name, "years": (2001, 2005), "change_rate": rate | fields}


def built_over(start: Map, year: Year) -> tuple[int, int]:
    """Return how many cells of forest were built over in the west and in the east."""
    new = (start == FOREST) & (year.land_cover == BUILT)
    return int(new[WEST].sum()), int(new.sum() - new[WEST].sum())


def all_forest() -> Map:
    return np.full(SHAPE, FOREST, np.uint8)


def test_scores_are_shifted_by_the_logarithm_of_the_factors() -> None:
    inside, top = np.array([[True, True, False]]), np.array([[True, False, False]])
    rate = LocalRate.of([(inside, 2.0), (top, 0.5), (~inside, 3.0)])
    assert rate.shift.tolist() == [[0, 710, 1125]]  # 1024 ln 2 and 1024 ln 3
    assert not rate.stopped.any()
    assert rate.see(np.array([[5, 31_700, -31_744]], np.int16)).tolist() == [[5, 31_744, -30_619]]
    assert LocalRate.of([(inside, 2.0), (top, 0.0)]).stopped.tolist() == [[True, False, False]]


def test_demand_is_lifted_by_the_odds_in_the_place_by_hand() -> None:
    # Odds of 1, 1, e and 1; the last is of another class. Doubled in the first two: (2 + 2 + e) / (2 + e).
    land_cover, scores = np.array([[1, 1, 1, 2]], np.uint8), np.array([[0, 0, 1024, 0]], np.int16)
    inside = np.array([[True, True, False, True]])
    assert LocalRate.of([(inside, 2.0)]).lift(land_cover, 1, scores) == pytest.approx((4 + np.e) / (2 + np.e), rel=1e-3)
    assert LocalRate.of([(inside, 0.0)]).lift(land_cover, 1, scores) == pytest.approx(np.e / (2 + np.e), rel=1e-4)
    assert LocalRate.of([(inside, 0.0)]).lift(land_cover, 3, scores) == 1


@pytest.mark.parametrize("factor", [0.25, 0.5, 2, 3])
def test_the_place_changes_by_the_factor_and_the_rest_does_not(factor: float) -> None:
    model, start = flat_model(GRID, {FORTH: 0.05}), all_forest()
    wests, easts = [], []
    for member in range(6):
        first = walk(model, scenario(change(factor), years=1), start, member=member, temperature=1.0)[0]
        west, east = built_over(start, first)
        assert west + east == pytest.approx(4800 * 0.05 * (1 + factor) / 2, abs=1)
        wests.append(west)
        easts.append(east)
    # 120 cells each without the plan: the mean of six draws strays by 4 to 5 of them.
    assert np.mean(wests) == pytest.approx(120 * factor, abs=20)
    assert np.mean(easts) == pytest.approx(120, abs=20)


def test_a_factor_of_one_is_no_plan() -> None:
    model, start = random_model(GRID, {FORTH: 0.04, ASIDE: 0.02}), random_map(SHAPE)
    for a, b in zip(
        walk(model, scenario(change(1)), start, member=1, temperature=1.0),
        walk(model, scenario(), start, member=1, temperature=1.0),
        strict=True,
    ):
        assert a.land_cover.tobytes() == b.land_cover.tobytes()


def test_a_place_that_is_everywhere_is_a_plain_change_of_the_rate() -> None:
    model, start = random_model(GRID, {FORTH: 0.04, ASIDE: 0.02}), random_map(SHAPE)
    local = walk(model, scenario(change(0.5, (0, 80))), start)
    plain = walk(model, scenario(change(0.5, where=None)), start)
    for a, b in zip(local, plain, strict=True):
        assert a.area_ha == pytest.approx(b.area_ha, abs=1.5)


def test_two_places_that_overlap_multiply() -> None:
    model, start = flat_model(GRID, {FORTH: 0.05}), all_forest()
    both = scenario(change(2, (0, 40)), change(3, (20, 60), "more"), years=1)
    first = walk(model, both, start, member=3, temperature=1.0)[0]
    # Quarters of 60 cells each, times 2, 6, 3 and 1.
    assert first.placed_ha[FOREST, BUILT] == pytest.approx(60 * 12, abs=2)
    assert built_over(start, first)[0] == pytest.approx(60 * 8, abs=60)


@pytest.mark.parametrize("rule", ["cells", "patches"])
@given(worlds(most=40, geographic=None), st.integers(0, 5), st.integers(6, 50), st.sampled_from([1, 2]))
@settings(deadline=None, max_examples=15)
def test_what_is_stopped_in_a_place_never_happens_there(
    rule: str, world: World, member: int, chunk: int, threads: int
) -> None:
    height, width = world.start.shape
    grid = world.model.grid
    stop = {"from": "forest", "to": "built", "factor": 0, "where": place(grid, (0, height), (0, width // 2))}
    slow = {"from": "forest", "to": "other", "factor": [1, 3], "where": place(grid, (0, height // 2), (0, width))}
    plans: Scenario = scenario(
        {"id": "stop", "years": (2001, 2005), "change_rate": stop},
        {"id": "slow", "years": (2002, 2005), "change_rate": slow},
        allocation={"rule": rule},
    )
    how = {"member": member, "temperature": world.temperature}
    years = walk(world.model, plans, world.start, **how)
    inside, before = grid.rasterize(stop["where"]), world.start
    for year in years:
        assert not ((before == FOREST) & (year.land_cover == BUILT) & inside).any()
        before = year.land_cover
    other = walk(world.model, plans, world.start, chunk=chunk, workers=Workers(threads), **how)
    for a, b in zip(years, other, strict=True):
        assert a.land_cover.tobytes() == b.land_cover.tobytes()
        assert (a.placed_ha, a.shortfalls) == (b.placed_ha, b.shortfalls)


def test_what_finds_no_cell_outside_is_a_shortfall() -> None:
    start = all_forest()
    start[:, 40:] = OTHER
    start[:5, 40] = FOREST
    model = flat_model(GRID, {FORTH: 1.0})
    static = model.potential.static.copy()
    static[0, :5, 40] = 3 * SCALE
    model = replace(model, potential=replace(model.potential, static=static))
    first = walk(model, scenario(change(0), years=1), start)[0]
    assert built_over(start, first) == (0, 5)
    # All 2405 cells are demanded, and of their odds 5 e^3 lie outside.
    expected = 2405 * 5 * np.exp(3) / (5 * np.exp(3) + 2400)
    assert sum(shortfall.hectares for shortfall in first.shortfalls) == pytest.approx(expected - 5, abs=1)


def test_a_place_outside_the_landscape_is_refused() -> None:
    far = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}
    with pytest.raises(ScenarioInvalid, match="place of intervention 'zoning' holds no cell"):
        walk(flat_model(GRID, {FORTH: 0.05}), scenario(change(0.5, where=far)), all_forest())
