"""What plans do to a projection, and what they leave alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.legend import Legend
from scenarios.demand.transitions import Transition
from scenarios.model import Model
from tests.scenarios.landscapes import LEGEND, flat_model, geographic_grid, place, random_map, random_model, scenario
from tests.scenarios.plans import (
    ALWAYS,
    GRID,
    NORTH,
    RATES,
    bytes_of,
    change_rate,
    filled,
    placed,
    protect,
    restore,
    run,
)

some_plans = st.sampled_from(
    [
        [protect((2003, 2005))],
        [protect((2003, 2004), effectiveness=0.5, leakage=0.2)],
        [restore(20, "other", "built", years=(2003, 2005))],
        [change_rate(0, (2003, 2005))],
        [protect((2003, 2005)), restore(7.5, "other", years=(2004, 2005)), change_rate(3, (2004, 2004))],
    ]
)


@given(some_plans, st.integers(0, 1000))
@settings(deadline=None, max_examples=20)
def test_before_its_first_year_a_plan_does_not_show(plans: list[dict[str, Any]], seed: int) -> None:
    with_plans, without = bytes_of(run(scenario(*plans), seed=seed)), bytes_of(run(scenario(), seed=seed))
    assert [a == b for a, b in zip(with_plans, without, strict=True)] == [True, True, False, False, False]


@given(st.integers(0, 1000), st.lists(st.sampled_from(["forest", "built", "other"]), min_size=1, unique=True))
@settings(deadline=None, max_examples=20)
def test_protected_cells_never_change(seed: int, classes: list[str]) -> None:
    start = random_map(GRID.shape, seed)
    kept = np.isin(start, [LEGEND.value_of(name) for name in classes])
    kept[20:] = False
    for step in run(scenario(protect(classes=classes)), start, seed=seed):
        np.testing.assert_array_equal(step.land_cover[kept], start[kept])


def test_protected_cells_are_not_restored_either() -> None:
    start = random_map(GRID.shape)
    steps = run(scenario(protect(classes=["other"]), restore(50, "other")), start)
    kept = (start == 3) & (np.arange(40) < 20)[:, None]
    assert (steps[-1].land_cover[kept] == 3).all()


def test_after_its_last_year_protection_ends() -> None:
    start = random_map(GRID.shape)
    steps = run(scenario(protect((2001, 2002))), start)
    north = start[:20] == 1
    assert (steps[1].land_cover[:20][north] == 1).all()
    assert (steps[2].land_cover[:20][north] != 1).any()


def test_with_full_leakage_as_much_changes_but_elsewhere() -> None:
    model = flat_model(GRID, {Transition(1, 2): 0.03})
    free, kept = run(scenario(), model=model), run(scenario(protect()), model=model)
    assert placed(free, 1, 2) == placed(kept, 1, 2)
    assert (kept[-1].land_cover[20:] == 2).sum() > (free[-1].land_cover[20:] == 2).sum()


def test_without_leakage_the_share_of_the_place_is_spared() -> None:
    model = flat_model(GRID, {Transition(1, 2): 0.1})
    start = random_map(GRID.shape)
    forest, north = (start == 1).sum(), (start[:20] == 1).sum()
    for leakage in (0.0, 0.4):
        first = run(scenario(protect(leakage=leakage)), start, model=model)[0]
        expected = 0.1 * (forest - (1 - leakage) * north)
        assert first.placed_ha[1, 2] == pytest.approx(expected, abs=0.51)


def test_spared_change_is_what_the_potential_sees_in_the_place() -> None:
    # The south is e⁻³ as likely as the north: protecting the north spares 95 % of the change, not 50 %.
    model = flat_model(GRID, {Transition(1, 2): 0.1})
    model.potential.static[0, 20:] = -3 * 1024
    first = run(scenario(protect(leakage=0)), filled("forest"), model=model)[0]
    assert first.placed_ha[1, 2] == pytest.approx(200 * np.exp(-3) / (1 + np.exp(-3)), abs=0.51)


def test_what_protection_does_not_touch_draws_the_same_numbers() -> None:
    # One transition: of the free cells, those that changed without protection change with it, too.
    model, start = random_model(GRID, {Transition(1, 2): 0.1}), random_map(GRID.shape)
    free, kept = run(scenario(), start, model=model)[0], run(scenario(protect()), start, model=model)[0]
    changed_south = (start[20:] == 1) & (free.land_cover[20:] == 2)
    assert changed_south.any()
    assert (kept.land_cover[20:][changed_south] == 2).all()


def test_a_factor_of_zero_stops_a_transition() -> None:
    start = random_map(GRID.shape)
    steps = run(scenario(change_rate(0)), start)
    assert placed(steps, 1, 2) == [0] * 5
    assert ((start == 1) & (steps[0].land_cover == 2)).sum() == 0
    assert min(placed(steps, 1, 3)) > 0


def test_a_factor_multiplies_the_hectares_of_its_years() -> None:
    start = random_map(GRID.shape)
    forest = (start == 1).sum()
    once, thrice = run(scenario(), start), run(scenario(change_rate(3, (2001, 2001))), start)
    assert placed(once, 1, 2)[0] == pytest.approx(0.03 * forest, abs=0.51)
    assert placed(thrice, 1, 2)[0] == pytest.approx(0.09 * forest, abs=0.51)
    assert placed(thrice, 1, 2)[1] < placed(thrice, 1, 2)[0] / 2


@pytest.mark.parametrize("sources", [("other",), ("other", "built")])
def test_restoration_reaches_its_hectares_every_year(sources: tuple[str, ...]) -> None:
    start = random_map(GRID.shape)
    steps = run(scenario(restore(30, *sources)), start)
    before = start
    for step in steps:
        assert sum(step.placed_ha.get((LEGEND.value_of(name), 1), 0.0) for name in sources) == 30
        assert ((before != 1) & (step.land_cover == 1)).sum() == 30
        assert step.shortfalls == ()
        before = step.land_cover


def test_parts_of_a_cell_are_restored_in_a_later_year() -> None:
    steps = run(scenario(restore(2.4, "other")))
    assert np.cumsum(placed(steps, 3, 1)).tolist() == [2, 5, 7, 10, 12]


def test_restoration_stays_in_its_place() -> None:
    start = random_map(GRID.shape)
    steps = run(scenario(restore(40, "other", where=NORTH)), start, model=flat_model(GRID, {}))
    assert (steps[-1].land_cover[20:] == start[20:]).all()
    assert (steps[-1].land_cover[:20] != start[:20]).sum() == 200


def test_where_land_runs_out_restoration_says_so() -> None:
    small = place(GRID, (0, 5), (0, 10))
    start = filled("built")
    start[:5, :10] = 3
    steps = run(scenario(restore(20, "other", where=small, name="river")), start, model=flat_model(GRID, {}))
    assert placed(steps, 3, 1) == [20, 20, 10, 0, 0]
    assert [sum(s.hectares for s in step.shortfalls) for step in steps] == [0, 0, 10, 20, 20]
    last = steps[-1].shortfalls[0]
    assert (last.year, last.source, last.target) == (2005, 3, 1)
    assert "'river'" in last.cause
    assert "no more land" in last.cause


def test_restoration_acts_where_nothing_else_changes() -> None:
    model = flat_model(GRID, dict.fromkeys(RATES, 0.0))
    steps = run(scenario(restore(5, "built"), demand={"rule": "frozen"}), model=model)
    assert [step.placed_ha[2, 1] for step in steps] == [5] * 5
    assert [sum(step.placed_ha.values()) for step in steps] == [5] * 5


def test_two_restorations_share_a_place() -> None:
    plans = scenario(restore(9, "other", name="a"), restore(4, "other", name="b"))
    assert placed(run(plans), 3, 1) == [13] * 5


def test_no_cell_is_changed_twice_in_a_year() -> None:
    start = random_map(GRID.shape)
    model = random_model(GRID, {Transition(1, 2): 0.5, Transition(3, 2): 0.5})
    for plans in (
        scenario(restore(200, "other")),
        scenario(restore(200, "other"), protect(classes=["other", "forest"])),
    ):
        first = run(plans, start, model=model)[0]
        assert (first.land_cover != start).sum() == sum(first.placed_ha.values())


@pytest.mark.parametrize("name", ["change", "restore", "seed", "0"])
def test_any_name_does_for_an_intervention(name: str) -> None:
    clear = {"where": NORTH, "from": ["forest"], "to": "other", "hectares_per_year": 10}
    one, other = (run(scenario({"id": i, "years": ALWAYS, "restore": clear})) for i in (name, "river"))
    assert bytes_of(one) == bytes_of(other)


# Four classes in degrees, where cells differ in area and no demand is met exactly.
FOUR = Legend.from_json({"nodata": 0, "classes": {"1": "Forest", "2": "Built", "3": "Crops", "4": "Pasture"}})


@pytest.mark.parametrize("cells", [0.3, 1.2, 4.0, 17.7])
@pytest.mark.parametrize("sources", [("crops",), ("built", "crops", "pasture")], ids=len)
def test_restoration_in_degrees_reaches_its_hectares_within_one_cell(cells: float, sources: tuple[str, ...]) -> None:
    grid = geographic_grid()
    start = np.random.default_rng(0).integers(1, 5, grid.shape).astype(np.uint8)
    hectares = cells * float(grid.row_area_ha[20])
    plain = flat_model(grid, {Transition(1, 2): 0.0})
    steps = run(
        scenario(restore(hectares, *sources, where=place(grid, (0, 40), (0, 50)))),
        start,
        model=Model(grid, FOUR, plain.potential, plain.rates),
    )
    restored = np.cumsum([sum(step.placed_ha.values()) for step in steps])
    assert np.abs(restored - hectares * np.arange(1, 6)).max() <= grid.row_area_ha.max() * 1.001
    assert [step.shortfalls for step in steps] == [()] * 5


def test_a_plan_means_the_same_in_metres_and_in_degrees() -> None:
    for grid in (GRID, geographic_grid()):
        start = random_map(grid.shape)
        north = protect(where=place(grid, (0, 20), (0, 50)))
        steps = run(scenario(north), start, model=random_model(grid, RATES))
        kept = (start == 1) & (np.arange(40) < 20)[:, None]
        assert (steps[-1].land_cover[kept] == 1).all()
        assert (steps[-1].land_cover[20:] != start[20:]).any()
