"""Ensembles: counts of members that add up, whoever drew them."""

from __future__ import annotations

import gc
import tracemalloc
from collections import Counter
from threading import Lock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.cluster import Workers
from scenarios.demand.transitions import Transition
from scenarios.grid import Grid
from scenarios.indicators.area import class_area_ha
from scenarios.model import Model
from scenarios.projection.ensemble import Ensemble, draw_ensemble
from scenarios.projection.record import BLOCK, Record
from tests.scenarios.landscapes import (
    LEGEND,
    World,
    geographic_grid,
    place,
    projected_grid,
    random_map,
    random_model,
    scenario,
    walk,
    worlds,
)

RATES = {Transition(1, 2): 0.05, Transition(1, 3): 0.04, Transition(3, 1): 0.03}
PLANS = scenario(members=6, years=4)
SHAPE = (30, 35)
START = random_map(SHAPE, nodata=0.2)
WHERE = place(projected_grid(SHAPE), (5, 25), (5, 30))


def any_model(grid: Grid | None = None) -> Model:
    return random_model(grid or projected_grid(SHAPE), RATES)


@pytest.fixture(scope="module")
def ensemble() -> Ensemble:
    return draw_ensemble(any_model(), PLANS, START)


def test_shapes_are_those_of_years_classes_and_members(ensemble: Ensemble) -> None:
    assert ensemble.years == (2001, 2002, 2003, 2004)
    assert ensemble.members == 6
    assert ensemble.counts.shape == (4, 3, *SHAPE)
    assert ensemble.counts.dtype == np.uint8
    assert ensemble.area_ha.shape == (6, 4, 3)


def test_every_cell_with_data_has_a_class_in_every_member(ensemble: Ensemble) -> None:
    total = ensemble.counts.sum(axis=1)
    assert (total[:, START != 0] == 6).all()
    assert (total[:, START == 0] == 0).all()


by_both_rules = pytest.mark.parametrize("rule", ["cells", "patches"])


@by_both_rules
@given(worlds(most=30, geographic=None), st.integers(1, 5))
@settings(deadline=None, max_examples=15)
def test_shares_of_the_classes_add_up_to_one_in_any_landscape(rule: str, world: World, members: int) -> None:
    plans = scenario(members=members, years=3, allocation={"rule": rule, "temperature": world.temperature})
    counts = draw_ensemble(world.model, plans, world.start).counts
    np.testing.assert_array_equal(
        counts.sum(axis=1), np.broadcast_to(members * (world.start != 0), (3, *counts.shape[2:]))
    )


@by_both_rules
@pytest.mark.parametrize(
    "action",
    [
        {"protect": {"where": WHERE, "classes": ["forest"]}},
        {"convert": {"where": WHERE, "from": ["forest"], "to": "built", "hectares_per_year": 5}},
        {"change_rate": {"from": "forest", "to": "built", "factor": 3}},
    ],
    ids=["protect", "convert", "change rate"],
)
@pytest.mark.parametrize("year", [2002, 2004])
def test_with_and_without_an_intervention_members_are_the_same_before_its_first_year(
    rule: str, action: dict[str, object], year: int
) -> None:
    plan = {"id": "plan", "years": (year, 2004), **action}
    how = {"members": 3, "years": 4, "allocation": {"rule": rule}}
    bare, planned = (draw_ensemble(any_model(), scenario(*each, **how), START) for each in ((), (plan,)))
    before = year - 2001
    assert bare.counts[:before].tobytes() == planned.counts[:before].tobytes()
    assert (bare.counts[before:] != planned.counts[before:]).any()
    assert bare.area_ha[:, :before].tobytes() == planned.area_ha[:, :before].tobytes()


def test_counts_are_those_of_the_members_projected_alone(ensemble: Ensemble) -> None:
    expected = np.zeros_like(ensemble.counts)
    for member in range(6):
        for n, year in enumerate(walk(any_model(), PLANS, START, member=member, temperature=1.0)):
            for c, value in enumerate(LEGEND.values):
                expected[n, c] += year.land_cover == value
    np.testing.assert_array_equal(ensemble.counts, expected)


@pytest.mark.parametrize("grid", [projected_grid(SHAPE), geographic_grid(SHAPE)], ids=["metres", "degrees"])
def test_areas_equal_a_recount_of_the_maps(grid: Grid) -> None:
    found = draw_ensemble(any_model(grid), PLANS, START)
    for member in range(6):
        for n, year in enumerate(walk(any_model(grid), PLANS, START, member=member, temperature=1.0)):
            recount = class_area_ha(year.land_cover, LEGEND, grid)
            np.testing.assert_allclose(found.area_ha[member, n], recount, rtol=1e-12)
    by_count = (found.counts * grid.row_weight[:, None]).sum(axis=(2, 3)) * grid.weight_ha
    np.testing.assert_allclose(found.area_ha.sum(axis=0), by_count, rtol=1e-12)


@pytest.mark.parametrize(("threads", "chunk"), [(2, 512), (4, 11)])
def test_threads_and_chunks_do_not_show(ensemble: Ensemble, threads: int, chunk: int) -> None:
    other = draw_ensemble(any_model(), PLANS, START, chunk=chunk, workers=Workers(threads))
    assert other.counts.tobytes() == ensemble.counts.tobytes()
    assert other.area_ha.tobytes() == ensemble.area_ha.tobytes()
    for name in ("members", "sum_first", "sum_last"):
        assert getattr(other.timing, name).tobytes() == getattr(ensemble.timing, name).tobytes()


def test_members_differ_but_not_in_their_demand(ensemble: Ensemble) -> None:
    unsure = (ensemble.counts > 0) & (ensemble.counts < 6)
    assert unsure[-1].any()
    # What one year takes of a class hangs on its area, which all members share.
    assert (ensemble.area_ha == ensemble.area_ha[:1]).all()


def test_at_temperature_0_members_agree_where_scores_differ() -> None:
    calm = draw_ensemble(any_model(), scenario(members=3, years=1, allocation={"temperature": 0}), START)
    hot = draw_ensemble(any_model(), scenario(members=3, years=1, allocation={"temperature": 4}), START)
    unsure = [((e.counts > 0) & (e.counts < 3)).sum() for e in (calm, hot)]
    assert unsure[0] < unsure[1] / 5


def test_adding_members_leaves_the_others_as_they_were(ensemble: Ensemble) -> None:
    fewer = draw_ensemble(any_model(), scenario(members=2, years=4), START)
    np.testing.assert_array_equal(fewer.area_ha, ensemble.area_ha[:2])
    assert (fewer.counts <= ensemble.counts).all()


@pytest.mark.parametrize("threads", [1, 2])
def test_progress_is_told_once_a_year_and_member(threads: int) -> None:
    told: Counter[str] = Counter()
    lock = Lock()

    def on_year() -> None:
        with lock:
            told["years"] += 1

    draw_ensemble(any_model(), PLANS, START, workers=Workers(threads), on_year=on_year)
    assert told["years"] == 24


def measure_peak(model: Model, start: np.ndarray, members: int) -> int:
    """Return the most bytes that were held at once while an ensemble was drawn, one member after the other."""
    plans = scenario(members=members, years=2)
    draw_ensemble(model, plans, start)  # what is made once, like tables and compiled kernels
    gc.collect()
    tracemalloc.start()
    try:
        with Record(start.shape, held_bytes=2**15) as record:
            draw_ensemble(model, plans, start, record=record)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_members() -> None:
    grid = projected_grid((250, 250))
    model, start = any_model(grid), random_map(grid.shape)
    few, many = (measure_peak(model, start, members) for members in (12, 42))
    # What waits to be collected differs by a map or two; thirty maps would be 1.9 MB.
    assert many - few < 3 * start.nbytes


def test_quantiles_of_areas_are_those_of_the_members() -> None:
    area = np.array([[[1.0, 9.0]], [[2.0, 8.0]], [[6.0, 4.0]]])
    found = Ensemble(2000, (1, 2), np.ones((1, 1), np.uint8), Record((1, 1)), area)
    assert (found.members, found.years) == (3, (2001,))
    assert found.area_quantile_ha(0.5).tolist() == [[2.0, 8.0]]
    assert found.area_quantile_ha(1.0).tolist() == [[6.0, 9.0]]


@pytest.mark.parametrize("edge", [BLOCK, 2 * BLOCK])
def test_blocks_make_up_the_whole(edge: int) -> None:
    grid = projected_grid((600, 300))  # three by two blocks, or two by one
    found = draw_ensemble(any_model(grid), scenario(members=3, years=2), random_map(grid.shape, nodata=0.1))
    seen = np.zeros(grid.shape, np.uint8)
    for rows in found.record.bands(edge):
        for changes in found.record.split(rows, edge):
            top, bottom, left, right = changes.block
            seen[top:bottom, left:right] += 1
            np.testing.assert_array_equal(found.count(changes), found.counts[:, :, top:bottom, left:right])
            for name in ("members", "sum_first", "sum_last"):
                whole = getattr(found.timing, name)[top:bottom, left:right]
                np.testing.assert_array_equal(getattr(found.time(changes), name), whole)
    assert (seen == 1).all()
