"""Plans that turn land: `convert`, the best places by a layer, ramps and targets."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.cluster import Workers
from scenarios.errors import ScenarioInvalid
from scenarios.kernels.draws import stream
from scenarios.priority import take_best
from scenarios.projection import Model
from scenarios.spec import Scenario
from scenarios.transitions import Transition
from scenarios.yearbook import Year
from tests.scenarios.landscapes import (
    LEGEND,
    Map,
    flat_model,
    geographic_grid,
    place,
    projected_grid,
    random_map,
    random_model,
    scenario,
    walk,
)

GRID = projected_grid()
RATES = {Transition(1, 2): 0.03, Transition(1, 3): 0.02, Transition(3, 2): 0.04}
NORTH = place(GRID, (0, 20), (0, 50))
ALWAYS = (2001, 2005)


def suitability(seed: int = 0, levels: int = 20) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Return a layer with ties and missing cells."""
    rng = np.random.default_rng(seed)
    values = rng.integers(0, levels, GRID.shape).astype(np.float32)
    values[rng.random(GRID.shape) < 0.05] = np.nan
    return values


def convert(hectares: float, *sources: str, years: tuple[int, int] = ALWAYS, **fields: Any) -> dict[str, Any]:
    wanted = {"from": sources, "to": "forest", "hectares_per_year": hectares, **fields}
    return {"id": "v", "years": years, "convert": wanted}


def target(hectares: float, *sources: str, years: tuple[int, int] = ALWAYS, **fields: Any) -> dict[str, Any]:
    return {"id": "t", "years": years, "target": {"class": "forest", "hectares": hectares, "from": sources, **fields}}


def ramp(first: float, last: float, years: tuple[int, int] = ALWAYS) -> dict[str, Any]:
    return {"id": "c", "years": years, "change_rate": {"from": "forest", "to": "built", "factor": [first, last]}}


def any_model(seed: int = 0) -> Model:
    return replace(random_model(GRID, RATES, seed), layers={"quality": suitability(seed)})


def run(plans: Scenario, start: Map | None = None, model: Model | None = None, seed: int = 0, **how: Any) -> list[Year]:
    how = {"member": 1, "temperature": 1.0} | how
    return walk(model or any_model(seed), plans, random_map(GRID.shape, seed) if start is None else start, **how)


plans_of_any_kind = st.sampled_from(
    [
        [convert(20, "other", "built", where=NORTH, years=(2003, 2005))],
        [convert(20, "other", "built", priority="quality", years=(2003, 2005))],
        [convert(7.5, "other", where=NORTH, priority="quality", years=(2003, 2004))],
        [target(900, "other", "built", years=(2003, 2005))],
        [target(900, "other", where=NORTH, years=(2003, 2008))],
        [ramp(2, 0, (2003, 2005))],
    ]
)


@given(plans_of_any_kind, st.integers(0, 1000))
@settings(deadline=None, max_examples=20)
def test_before_its_first_year_a_plan_does_not_show(plans: list[dict[str, Any]], seed: int) -> None:
    with_plans, without = run(scenario(*plans), seed=seed), run(scenario(), seed=seed)
    for n, (a, b) in enumerate(zip(with_plans, without, strict=True)):
        assert (a.land_cover.tobytes() == b.land_cover.tobytes()) == (n < 2)


@given(plans_of_any_kind, st.integers(0, 1000))
@settings(deadline=None, max_examples=15)
def test_protected_and_masked_cells_never_change(plans: list[dict[str, Any]], seed: int) -> None:
    start = random_map(GRID.shape, seed)
    reserve = {"id": "p", "years": ALWAYS, "protect": {"where": NORTH, "classes": list(LEGEND.names)}}
    for step in run(scenario(*plans, reserve), start, seed=seed):
        np.testing.assert_array_equal(step.land_cover[:20], start[:20])
        np.testing.assert_array_equal(step.land_cover == 0, start == 0)


@given(plans_of_any_kind, st.integers(1, 60), st.integers(1, 4), st.integers(0, 1000))
@settings(deadline=None, max_examples=15)
def test_chunks_and_threads_do_not_show(plans: list[dict[str, Any]], chunk: int, threads: int, seed: int) -> None:
    one = run(scenario(*plans), seed=seed)
    other = run(scenario(*plans), seed=seed, chunk=chunk, workers=Workers(threads))
    assert [step.land_cover.tobytes() for step in one] == [step.land_cover.tobytes() for step in other]


def test_convert_and_restore_are_the_same() -> None:
    plan = convert(12, "other", "built", where=NORTH)
    same = {"id": "v", "years": ALWAYS, "restore": plan["convert"]}
    maps = [[step.land_cover.tobytes() for step in run(scenario(each))] for each in (plan, same)]
    assert maps[0] == maps[1]


def test_a_priority_takes_the_highest_values_first() -> None:
    start = random_map(GRID.shape)
    model = replace(flat_model(GRID, {}), layers={"quality": suitability()})
    steps = run(scenario(convert(50, "other", "built", priority="quality")), start, model)
    values, open_cells, before = model.layers["quality"], np.isin(start, [2, 3]), start
    for step in steps:
        taken = (before != 1) & (step.land_cover == 1)
        assert taken.sum() == 50
        left = open_cells & ~taken & ~np.isnan(values)
        assert values[taken].min() >= values[left].max()
        open_cells, before = open_cells & ~taken, step.land_cover
    assert steps[-1].shortfalls == ()


def test_ties_hang_on_the_draws() -> None:
    flat = replace(flat_model(GRID, {}), layers={"quality": np.zeros(GRID.shape, np.float32)})
    plans = scenario(convert(50, "other", priority="quality"))
    maps = [run(plans, model=flat, member=member)[0].land_cover.tobytes() for member in (0, 0, 1)]
    assert maps[0] == maps[1] != maps[2]


def test_cells_without_a_value_are_left_and_reported() -> None:
    values = np.full(GRID.shape, np.nan, np.float32)
    values[:3, :10] = 1
    model = replace(flat_model(GRID, {}), layers={"quality": values})
    start = np.full(GRID.shape, 3, np.uint8)
    steps = run(scenario(convert(20, "other", priority="quality")), start, model)
    assert [step.placed_ha.get((3, 1), 0) for step in steps] == [20, 10, 0, 0, 0]
    assert [sum(s.hectares for s in step.shortfalls) for step in steps] == [0, 10, 20, 20, 20]
    assert (steps[-1].land_cover == 1).sum() == 30


def test_a_layer_that_is_not_there_is_named() -> None:
    with pytest.raises(ScenarioInvalid, match=r"'v' needs the layer 'beauty'; the model has quality"):
        run(scenario(convert(1, "other", priority="beauty")))


@given(st.integers(0, 500), st.integers(0, 3000), st.integers(1, 30))
@settings(deadline=None, max_examples=50)
def test_the_best_are_those_of_a_plain_sort(seed: int, amount: int, levels: int) -> None:
    values, free = suitability(seed, levels), random_map(GRID.shape, seed) == 1
    taken = take_best(values, free, amount, GRID, stream(seed))
    known = free & ~np.isnan(values)
    assert taken.size == min(amount // int(GRID.row_weight[0]), known.sum()) or GRID.row_weight[0] > 1
    assert known.ravel()[taken].all()
    rest = known.copy()
    rest.ravel()[taken] = False
    if taken.size and rest.any():
        assert values.ravel()[taken].min() >= values[rest].max()


@pytest.mark.parametrize("cells", [0.3, 1.2, 17.7])
def test_the_best_in_degrees_reach_their_hectares_within_one_cell(cells: float) -> None:
    grid = geographic_grid()
    model = replace(flat_model(grid, {}), layers={"quality": suitability()})
    hectares = cells * float(grid.row_area_ha[20])
    steps = run(scenario(convert(hectares, "other", "built", priority="quality")), model=model)
    placed = np.cumsum([sum(step.placed_ha.values()) for step in steps])
    assert np.abs(placed - hectares * np.arange(1, 6)).max() <= grid.row_area_ha.max() * 1.001


def test_a_ramp_goes_on_a_straight_line() -> None:
    model = flat_model(GRID, {Transition(1, 2): 0.04})
    start = np.full(GRID.shape, 1, np.uint8)
    steps = run(scenario(ramp(1, 0)), start, model)
    forest, expected = 2000.0, []
    for factor in (1, 0.75, 0.5, 0.25, 0):
        expected.append(forest * 0.04 * factor)
        forest -= expected[-1]
    assert [step.placed_ha.get((1, 2), 0) for step in steps] == pytest.approx(expected, abs=1)


def test_a_ramp_between_equal_factors_is_a_constant() -> None:
    constant = {"id": "c", "years": ALWAYS, "change_rate": {"from": "forest", "to": "built", "factor": 0.5}}
    one, other = run(scenario(ramp(0.5, 0.5))), run(scenario(constant))
    assert [step.land_cover.tobytes() for step in one] == [step.land_cover.tobytes() for step in other]


@given(st.integers(0, 1000), st.floats(700, 1100))
@settings(deadline=None, max_examples=20)
def test_a_target_is_reached_in_its_last_year(seed: int, hectares: float) -> None:
    steps = run(scenario(target(hectares, "other", "built", years=(2002, 2004))), seed=seed)
    assert steps[3].area_ha[0] == pytest.approx(hectares, abs=0.51)
    assert all(step.shortfalls == () for step in steps)


def test_a_target_is_approached_in_equal_parts() -> None:
    start = np.full(GRID.shape, 3, np.uint8)
    steps = run(scenario(target(100, "other")), start, flat_model(GRID, {}))
    assert [step.area_ha[0] for step in steps] == [20, 40, 60, 80, 100]


def test_a_target_that_is_passed_does_nothing() -> None:
    start = random_map(GRID.shape)
    steps = run(scenario(target(10, "other")), start)
    assert [s.land_cover.tobytes() for s in steps] == [s.land_cover.tobytes() for s in run(scenario(), start)]


def test_what_could_not_be_reached_is_told_in_the_last_year() -> None:
    start = np.full(GRID.shape, 2, np.uint8)
    start[:2] = 3
    steps = run(scenario(target(150, "other")), start, flat_model(GRID, {}))
    assert [len(step.shortfalls) for step in steps] == [0, 0, 0, 0, 1]
    (told,) = steps[-1].shortfalls
    assert (told.source, told.target, told.hectares) == (3, 1, 50)
    assert "'t' is not reached" in told.cause


def test_a_target_acts_in_its_place() -> None:
    start = np.full(GRID.shape, 3, np.uint8)
    last = run(scenario(target(300, "other", where=NORTH)), start, flat_model(GRID, {}))[-1]
    assert (last.land_cover[:20] == 1).sum() == 300
    assert (last.land_cover[20:] == 3).all()


def test_a_target_in_degrees_is_reached_within_one_cell() -> None:
    grid = geographic_grid()
    start = random_map(grid.shape)
    model = random_model(grid, RATES)
    hectares = float(grid.weigh(start, (1,))[0]) * grid.weight_ha * 1.2
    last = run(scenario(target(hectares, "other", "built")), start, model)[-1]
    assert last.area_ha[0] == pytest.approx(hectares, abs=2 * grid.row_area_ha.max())
