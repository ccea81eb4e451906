"""Projection: hectares add up, what may not change does not, and only the counters decide."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from scenarios.cluster import Workers
from scenarios.demand.transitions import Transition
from scenarios.grid import Grid
from scenarios.projection.yearbook import Year
from scenarios.projection.years import project
from tests.scenarios.landscapes import (
    LEGEND,
    World,
    flat_model,
    geographic_grid,
    place,
    projected_grid,
    random_map,
    random_model,
    scenario,
    walk,
    worlds,
)
from tests.scenarios.plain import project_plainly

RATES = {Transition(1, 2): 0.02, Transition(1, 3): 0.01, Transition(3, 2): 0.03}


def run(world: World, years: int = 4, rule: str = "cells", **how: object) -> list[Year]:
    plans = scenario(years=years, allocation={"rule": rule})
    return walk(world.model, plans, world.start, temperature=world.temperature, **how)


by_both_rules = pytest.mark.parametrize("rule", ["cells", "patches"])


def recount_ha(land_cover: NDArray[np.uint8], grid: Grid) -> NDArray[np.float64]:
    sizes = np.broadcast_to(grid.row_weight[:, None] * grid.weight_ha, grid.shape)
    return np.array([sizes[land_cover == value].sum() for value in LEGEND.values])


def assert_same(one: list[Year], other: list[Year]) -> None:
    for a, b in zip(one, other, strict=True):
        assert a.land_cover.tobytes() == b.land_cover.tobytes()
        assert a.area_ha.tobytes() == b.area_ha.tobytes()
        assert (a.year, a.placed_ha, a.shortfalls) == (b.year, b.placed_ha, b.shortfalls)


@by_both_rules
@given(worlds(geographic=None), st.integers(6, 80), st.sampled_from([1, 2]), st.integers(0, 5))
@settings(deadline=None, max_examples=25)
def test_chunks_and_threads_do_not_show(rule: str, world: World, chunk: int, threads: int, member: int) -> None:
    blocks = run(world, rule=rule, member=member, chunk=chunk, workers=Workers(threads))
    assert_same(blocks, run(world, rule=rule, member=member))


def test_chunks_of_one_cell_do_not_show() -> None:
    world = World(random_model(projected_grid((16, 20)), RATES), random_map((16, 20)), 1.0)
    assert_same(run(world, member=1, chunk=1), run(world, member=1))


@given(worlds(most=40, largest_rate=0.3, geographic=None), st.integers(0, 5))
@settings(deadline=None, max_examples=15)
def test_a_projection_equals_the_plain_one(world: World, member: int) -> None:
    fast = run(world, years=3, member=member)
    plain = project_plainly(world.model, scenario(years=3), world.start, member, world.temperature)
    for year, expected in zip(fast, plain, strict=True):
        np.testing.assert_array_equal(year.land_cover, expected)


@by_both_rules
@given(worlds(geographic=None))
@settings(deadline=None, max_examples=25)
def test_hectares_add_up(rule: str, world: World) -> None:
    grid = world.model.grid
    before, cell = world.start, float(grid.row_area_ha.max())
    for year in run(world, rule=rule):
        gains = {pair: np.zeros(3) for pair in year.placed_ha}
        for (source, target), hectares in year.placed_ha.items():
            gains[source, target][source - 1] -= hectares
            gains[source, target][target - 1] += hectares
        now = recount_ha(year.land_cover, grid)
        np.testing.assert_allclose(year.area_ha, now, rtol=1e-12)
        np.testing.assert_allclose(now, recount_ha(before, grid) + sum(gains.values()), rtol=1e-9, atol=cell * 1e-6)
        for (source, target), hectares in year.placed_ha.items():
            sizes = np.broadcast_to(grid.row_weight[:, None] * grid.weight_ha, grid.shape)
            changed = (before == source) & (year.land_cover == target)
            assert sizes[changed].sum() == pytest.approx(hectares, rel=1e-9, abs=1e-9)
        before = year.land_cover


@by_both_rules
@given(worlds(largest_rate=0.8, geographic=None))
@settings(deadline=None, max_examples=25)
def test_placed_and_lacking_make_the_demand(rule: str, world: World) -> None:
    grid, area = world.model.grid, recount_ha(world.start, world.model.grid)
    demanded = dict.fromkeys(world.model.rates, 0.0)
    met = dict.fromkeys(world.model.rates, 0.0)
    for year in run(world, rule=rule):
        for t, rate in world.model.rates.items():
            demanded[t] += area[t.source - 1] * rate
            met[t] += year.placed_ha.get((t.source, t.target), 0.0)
            met[t] += sum(s.hectares for s in year.shortfalls if (s.source, s.target) == (t.source, t.target))
            # Half a cell is left over by rounding; in degrees the last cell may be taken or left.
            most = grid.row_area_ha.max() if grid.is_geographic else grid.weight_ha / 2
            assert abs(met[t] - demanded[t]) <= most * 1.001
        assert all(s.year == year.year and s.cause and s.hectares > 0 for s in year.shortfalls)
        area = year.area_ha


@by_both_rules
@given(worlds(geographic=None))
@settings(deadline=None, max_examples=25)
def test_only_modelled_transitions_happen(rule: str, world: World) -> None:
    allowed = {(t.source, t.target) for t in world.model.rates}
    maps = [world.start, *(year.land_cover for year in run(world, rule=rule))]
    for before, after in pairwise(maps):
        changed = before != after
        assert set(zip(before[changed].tolist(), after[changed].tolist(), strict=True)) <= allowed
        assert (after[world.start == 0] == 0).all()
        assert set(np.unique(after).tolist()) <= {0, *LEGEND.values}


def test_years_are_those_of_the_scenario() -> None:
    model, start = flat_model(projected_grid(), RATES), random_map((40, 50))
    assert [year.year for year in walk(model, scenario(years=20), start)] == list(range(2001, 2021))


def test_the_start_is_left_alone() -> None:
    start = random_map((40, 50))
    before = start.copy()
    walk(random_model(projected_grid(), RATES), scenario(), start, member=1, temperature=1.0)
    np.testing.assert_array_equal(start, before)


def test_a_map_in_another_order_of_bytes_gives_the_same() -> None:
    model, start = random_model(projected_grid(), RATES), random_map((40, 50))
    assert_same(walk(model, scenario(), np.asfortranarray(start)), walk(model, scenario(), start))


def test_the_same_counters_give_the_same_bytes_and_others_do_not() -> None:
    world = World(random_model(projected_grid(), RATES), random_map((40, 50)), 1.0)
    maps = {
        (seed, member): walk(world.model, scenario(seed=seed), world.start, member=member, temperature=1.0)
        for seed in (1, 2)
        for member in (0, 1)
    }
    assert_same(walk(world.model, scenario(seed=1), world.start, member=0, temperature=1.0), maps[1, 0])
    assert len({steps[-1].land_cover.tobytes() for steps in maps.values()}) == 4


def test_the_name_of_the_scenario_and_its_number_of_members_do_not_matter() -> None:
    model, start = random_model(projected_grid(), RATES), random_map((40, 50))
    other = scenario(id="other", title="Other", members=3, years=7)
    one = walk(model, scenario(), start, member=1, temperature=1.0)
    assert_same(walk(model, other, start, member=1, temperature=1.0)[:5], one)


def test_members_that_walk_in_turns_do_not_touch_each_other() -> None:
    model, start = random_model(projected_grid(), RATES), random_map((40, 50))
    together = [project(model, scenario(), start, member=m, temperature=1.0) for m in (0, 1)]
    last = [b"", b""]
    for _ in range(5):
        for m in (0, 1):
            last[m] = next(together[m]).land_cover.tobytes()
    alone = [walk(model, scenario(), start, member=m, temperature=1.0)[-1].land_cover.tobytes() for m in (0, 1)]
    assert last == alone


@pytest.mark.parametrize("grid", [projected_grid(), geographic_grid()], ids=["metres", "degrees"])
def test_rates_of_zero_change_nothing(grid: Grid) -> None:
    start = random_map(grid.shape)
    for year in walk(random_model(grid, dict.fromkeys(RATES, 0.0)), scenario(), start, member=1, temperature=1.0):
        np.testing.assert_array_equal(year.land_cover, start)
        assert sum(year.placed_ha.values()) == 0
        assert year.shortfalls == ()


def test_small_demands_add_up_over_the_years() -> None:
    # 0.3 cells a year: 6 in twenty years.
    start = np.full((10, 10), 1, np.uint8)
    steps = walk(flat_model(projected_grid((10, 10)), {Transition(1, 2): 0.003}), scenario(years=20), start)
    assert (steps[-1].land_cover == 2).sum() == 6


def test_demand_beyond_the_class_is_shared_and_reported() -> None:
    start = random_map((40, 50))
    model = random_model(projected_grid(), {Transition(1, 2): 0.9, Transition(1, 3): 0.6})
    forest = (start == 1).sum()
    first, second, *_ = walk(model, scenario(), start)
    assert (first.land_cover == 1).sum() <= 1
    assert first.placed_ha[1, 2] == pytest.approx(forest * 0.6, abs=1)
    assert first.placed_ha[1, 3] == pytest.approx(forest * 0.4, abs=1)
    lacking = {(s.source, s.target): s.hectares for s in first.shortfalls}
    assert lacking == {(1, 2): pytest.approx(forest * 0.3, abs=2), (1, 3): pytest.approx(forest * 0.2, abs=2)}
    assert all("no more cells" in s.cause for s in first.shortfalls)
    assert sum(s.hectares for s in second.shortfalls) <= 2


def test_a_class_that_is_not_there_cannot_change() -> None:
    start = np.full((10, 12), 2, np.uint8)
    for year in walk(flat_model(projected_grid((10, 12)), RATES), scenario(), start):
        assert (year.land_cover == 2).all()
        assert year.shortfalls == ()


def test_a_map_without_data_stays_so() -> None:
    start = np.zeros((10, 12), np.uint8)
    steps = walk(random_model(projected_grid((10, 12)), RATES), scenario(), start, member=0, temperature=1.0)
    assert not steps[-1].land_cover.any()
    assert steps[-1].area_ha.tolist() == [0, 0, 0]


def test_a_year_can_be_without_anything_to_do() -> None:
    grid, start = projected_grid(), random_map((40, 50))
    late = {"where": place(grid, (0, 40), (0, 50)), "from": ["other"], "to": "forest", "hectares_per_year": 5}
    plans = scenario({"id": "late", "years": (2004, 2005), "restore": late})
    steps = walk(flat_model(grid, {}), plans, start)
    np.testing.assert_array_equal(steps[2].land_cover, start)
    assert steps[-1].placed_ha == {(3, 1): 5.0}
