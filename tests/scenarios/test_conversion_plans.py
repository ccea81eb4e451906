"""Plans that turn land: `convert`, the best places by a layer, ramps and targets."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from scenarios.cluster import Workers
from scenarios.demand.transitions import Transition
from scenarios.errors import ScenarioInvalid
from scenarios.interventions.priority import BestPlaces, take_best
from scenarios.kernels.draws import stream
from scenarios.kernels.ranking import collect_from, count_ranks, lowest_of
from tests.scenarios.landscapes import LEGEND, flat_model, geographic_grid, random_map, random_model, scenario
from tests.scenarios.plans import (
    GRID,
    NORTH,
    RATES,
    bytes_of,
    change_rate,
    convert,
    filled,
    placed,
    protect,
    restore,
    run,
    suitability,
    target,
)

plans_of_any_kind = st.sampled_from(
    [
        [convert(20, "other", "built", where=NORTH, years=(2003, 2005))],
        [convert(20, "other", "built", priority="quality", years=(2003, 2005))],
        [convert(7.5, "other", where=NORTH, priority="quality", years=(2003, 2004))],
        [target(900, "other", "built", years=(2003, 2005))],
        [target(900, "other", where=NORTH, years=(2003, 2008))],
        [change_rate([2, 0], (2003, 2005))],
    ]
)


@given(plans_of_any_kind, st.integers(0, 1000))
@settings(deadline=None, max_examples=20)
def test_before_its_first_year_a_plan_does_not_show(plans: list[dict[str, Any]], seed: int) -> None:
    with_plans, without = bytes_of(run(scenario(*plans), seed=seed)), bytes_of(run(scenario(), seed=seed))
    assert [a == b for a, b in zip(with_plans, without, strict=True)] == [True, True, False, False, False]


@given(plans_of_any_kind, st.integers(0, 1000))
@settings(deadline=None, max_examples=15)
def test_protected_and_masked_cells_never_change(plans: list[dict[str, Any]], seed: int) -> None:
    start = random_map(GRID.shape, seed)
    reserve = protect(classes=list(LEGEND.names))
    for step in run(scenario(*plans, reserve), start, seed=seed):
        np.testing.assert_array_equal(step.land_cover[:20], start[:20])
        np.testing.assert_array_equal(step.land_cover == 0, start == 0)


@given(plans_of_any_kind, st.integers(1, 60), st.integers(1, 4), st.integers(0, 1000))
@settings(deadline=None, max_examples=15)
def test_chunks_and_threads_do_not_show(plans: list[dict[str, Any]], chunk: int, threads: int, seed: int) -> None:
    one = run(scenario(*plans), seed=seed)
    other = run(scenario(*plans), seed=seed, chunk=chunk, workers=Workers(threads))
    assert bytes_of(one) == bytes_of(other)


def test_convert_and_restore_are_the_same() -> None:
    plan = convert(12, "other", "built", where=NORTH)
    same = restore(12, "other", "built", where=NORTH, name=plan["id"])
    assert bytes_of(run(scenario(plan))) == bytes_of(run(scenario(same)))


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
    start = filled("other")
    steps = run(scenario(convert(20, "other", priority="quality")), start, model)
    assert placed(steps, 3, 1) == [20, 10, 0, 0, 0]
    assert [sum(s.hectares for s in step.shortfalls) for step in steps] == [0, 10, 20, 20, 20]
    assert (steps[-1].land_cover == 1).sum() == 30


def test_a_layer_that_is_not_there_is_named() -> None:
    with pytest.raises(ScenarioInvalid, match=r"'v' needs the layer 'beauty'; the model has quality"):
        run(scenario(convert(1, "other", priority="beauty")))


def find_free(values: NDArray[np.float32], free: NDArray[np.bool_], amount: int) -> NDArray[np.int64]:
    """Let a search that remembers a floor from when all cells were free find them."""
    search, cover = BestPlaces(GRID, Workers(2)), np.ones(GRID.shape, np.uint8)
    search.find(values, cover, {1: np.zeros(GRID.shape, np.uint8)}, amount, "account")
    return search.find(
        values, cover, {1: (~free).astype(np.uint8), 2: np.zeros(GRID.shape, np.uint8)}, amount, "account"
    )


@given(st.lists(st.floats(width=32, allow_nan=False), min_size=2, unique=True))
def test_ranks_rise_with_the_values(values: list[float]) -> None:
    rising = np.sort(np.array(values, np.float32))[None]
    cover, open_ = np.ones(rising.shape, np.uint8), np.zeros(rising.shape, np.uint8)
    ranks = [int(count_ranks(rising[:, n : n + 1], cover, 1, open_, (0, 1)).argmax()) for n in range(rising.size)]
    assert ranks == sorted(ranks)
    assert all(lowest_of(rank) <= value for rank, value in zip(ranks, rising[0], strict=True))
    assert collect_from(rising, cover, 1, open_, lowest_of(ranks[1]), (0, 1)).tolist()[-1] == rising.size - 1


@given(st.integers(0, 500), st.integers(0, 3000), st.integers(1, 30))
@settings(deadline=None, max_examples=50)
def test_the_best_are_those_of_a_plain_sort(seed: int, amount: int, levels: int) -> None:
    values, free = suitability(seed, levels), random_map(GRID.shape, seed) == 1
    taken = take_best(values, find_free(values, free, amount), amount, GRID, stream(seed))
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
    turned = np.cumsum([sum(step.placed_ha.values()) for step in steps])
    assert np.abs(turned - hectares * np.arange(1, 6)).max() <= grid.row_area_ha.max() * 1.001


def test_a_ramp_goes_on_a_straight_line() -> None:
    model = flat_model(GRID, {Transition(1, 2): 0.04})
    start = filled("forest")
    steps = run(scenario(change_rate([1, 0])), start, model)
    forest, expected = 2000.0, []
    for factor in (1, 0.75, 0.5, 0.25, 0):
        expected.append(forest * 0.04 * factor)
        forest -= expected[-1]
    assert placed(steps, 1, 2) == pytest.approx(expected, abs=1)


def test_a_ramp_between_equal_factors_is_a_constant() -> None:
    one, other = run(scenario(change_rate([0.5, 0.5]))), run(scenario(change_rate(0.5)))
    assert bytes_of(one) == bytes_of(other)


@given(st.integers(0, 1000), st.floats(700, 1100))
@settings(deadline=None, max_examples=20)
def test_a_target_is_reached_in_its_last_year(seed: int, hectares: float) -> None:
    steps = run(scenario(target(hectares, "other", "built", years=(2002, 2004))), seed=seed)
    assert steps[3].area_ha[0] == pytest.approx(hectares, abs=0.51)
    assert all(step.shortfalls == () for step in steps)


def test_a_target_is_approached_in_equal_parts() -> None:
    start = filled("other")
    steps = run(scenario(target(100, "other")), start, flat_model(GRID, {}))
    assert [step.area_ha[0] for step in steps] == [20, 40, 60, 80, 100]


def test_a_target_that_is_passed_does_nothing() -> None:
    start = random_map(GRID.shape)
    steps = run(scenario(target(10, "other")), start)
    assert bytes_of(steps) == bytes_of(run(scenario(), start))


def test_what_could_not_be_reached_is_told_in_the_last_year() -> None:
    start = filled("built")
    start[:2] = 3
    steps = run(scenario(target(150, "other")), start, flat_model(GRID, {}))
    assert [len(step.shortfalls) for step in steps] == [0, 0, 0, 0, 1]
    (told,) = steps[-1].shortfalls
    assert (told.source, told.target, told.hectares) == (3, 1, 50)
    assert "'t' is not reached" in told.cause


def test_a_target_acts_in_its_place() -> None:
    start = filled("other")
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
