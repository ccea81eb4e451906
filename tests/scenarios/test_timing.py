"""The first and the last year of change: of one member by hand, and over members."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.projection.ensemble import draw_ensemble
from scenarios.projection.record import BLOCK, Record
from scenarios.projection.timing import Timing
from scenarios.projection.yearbook import Changes, Year
from scenarios.spec import Scenario
from tests.scenarios.landscapes import (
    Map,
    World,
    place,
    projected_grid,
    random_map,
    random_model,
    scenario,
    walk,
    worlds,
)
from tests.scenarios.test_projection import RATES

MEMBERS = 5


def record_of(start: Map, *walks: list[Map]) -> Record:
    """Record walks, each of the maps of its years from 2001 on."""
    record = Record(start.shape)
    for number, maps in enumerate(walks):
        years = [tell(2001 + n, *pair) for n, pair in enumerate(pairwise([start, *maps]))]
        assert list(record.listen(number, iter(years))) == years
    return record


def tell(year: int, before: Map, after: Map) -> Year:
    cells = np.flatnonzero(before != after)
    changes = Changes(cells, before.ravel()[cells], after.ravel()[cells])
    return Year(year, after, np.empty(0), {}, (), np.empty((0, 0)), changes)


def time(record: Record) -> Timing:
    (changes,) = record.split((0, record.shape[0]), BLOCK)
    return Timing.of(changes, 2000)


def test_a_walk_worked_out_by_hand() -> None:
    start = np.array([[1, 1, 1, 0]], np.uint8)
    maps = [np.array([row], np.uint8) for row in ([1, 2, 1, 0], [1, 2, 3, 0], [1, 1, 3, 0])]
    timing = time(record_of(start, maps))
    assert timing.members.tolist() == [[0, 1, 1, 0]]
    assert timing.first_year.tolist() == [[0, 2001, 2002, 0]]
    assert timing.last_year.tolist() == [[0, 2003, 2002, 0]]


def test_years_are_means_over_the_members_in_which_the_cell_changes() -> None:
    start = np.array([[1, 1, 1]], np.uint8)
    # First changes of the three cells: years 1, 2 and never; then 4, 3 and never; then never, 3 and never.
    walks = [
        [np.array([[*(1 + (n >= f) for f in first), 1]], np.uint8) for n in range(1, 6)]
        for first in ([1, 2], [4, 3], [9, 3])
    ]
    timing = time(record_of(start, *walks))
    assert timing.members.tolist() == [[2, 3, 0]]
    assert timing.first_year.tolist() == [[2003, 2003, 0]]  # (1 + 4) / 2 is rounded up, and (2 + 3 + 3) / 3 too
    assert timing.last_year.tolist() == [[2003, 2003, 0]]
    assert timing.first_year.dtype == np.uint16


def test_the_most_members_and_years_fit() -> None:
    start, later = np.ones((1, 1), np.uint8), np.full((1, 1), 2, np.uint8)
    timing = time(record_of(start, *[[*[start] * 199, later]] * 255))
    assert timing.members.tolist() == [[255]]
    assert timing.first_year.tolist() == timing.last_year.tolist() == [[2200]]


@given(worlds(most=30, geographic=None))
@settings(deadline=None, max_examples=15)
def test_timing_is_that_of_the_members_projected_alone(world: World) -> None:
    plans = scenario(members=MEMBERS, years=4, allocation={"temperature": world.temperature})
    found = draw_ensemble(world.model, plans, world.start).timing
    firsts, lasts = np.zeros((2, MEMBERS, *world.start.shape))
    for member in range(MEMBERS):
        years = walk(world.model, plans, world.start, member=member, temperature=world.temperature)
        changed = np.stack([a != b for a, b in pairwise([world.start, *(year.land_cover for year in years)])])
        steps = np.arange(1, 5)[:, None, None]
        firsts[member] = np.where(changed, steps, 9).min(axis=0) * changed.any(axis=0)
        lasts[member] = np.where(changed, steps, 0).max(axis=0)
    moved = (firsts > 0).sum(axis=0)
    np.testing.assert_array_equal(found.members, moved)
    for year, steps in ((found.first_year, firsts), (found.last_year, lasts)):
        mean = 2000 + steps.sum(axis=0) / np.maximum(moved, 1)
        np.testing.assert_array_equal(year, np.where(moved, np.floor(mean + 0.5), 0))


@given(worlds(geographic=None), st.sampled_from(["cells", "patches"]))
@settings(deadline=None, max_examples=15)
def test_the_first_change_is_never_after_the_last_and_both_are_projected(world: World, rule: str) -> None:
    found = draw_ensemble(world.model, scenario(members=MEMBERS, allocation={"rule": rule}), world.start)
    timing, moved = found.timing, found.timing.members > 0
    assert (timing.first_year <= timing.last_year).all()
    assert (timing.first_year[moved] >= 2001).all()
    assert (timing.last_year[moved] <= 2005).all()
    assert not timing.first_year[~moved].any()
    assert not timing.last_year[~moved].any()
    assert not moved[world.start == 0].any()
    # Who never changes has its first class in every member and year.
    start = np.array([world.start == value for value in world.model.legend.values])
    assert (found.counts[:, start & ~moved] == MEMBERS).all()


def changes_of(plans: Scenario, member: int) -> list[set[tuple[int, int]]]:
    """Return what one member changes in each year: cells and their new classes."""
    grid = projected_grid((30, 40))
    years = walk(random_model(grid, RATES), plans, random_map(grid.shape), member=member, temperature=1.0)
    return [set(zip(year.changes.cells.tolist(), year.changes.after.tolist(), strict=True)) for year in years]


@given(st.integers(0, 50), st.integers(2002, 2004), st.sampled_from(["cells", "patches"]))
@settings(deadline=None, max_examples=20)
def test_with_and_without_an_intervention_changes_are_the_same_before_its_first_year(
    member: int, year: int, rule: str
) -> None:
    where = place(projected_grid((30, 40)), (5, 25), (5, 30))
    protection = {"id": "reserve", "years": (year, 2005), "protect": {"where": where, "classes": ["forest"]}}
    rules = {"allocation": {"rule": rule}}
    bare, planned = changes_of(scenario(**rules), member), changes_of(scenario(protection, **rules), member)
    before = year - 2001
    assert bare[:before] == planned[:before]
    assert bare[before:] != planned[before:], "the plan shows later"
