"""Journals: a walk goes on from what was noted, as if it had never ended, and can be told again."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.calibration import calibrate
from scenarios.cluster import ONE
from scenarios.demand.transitions import Transition
from scenarios.model import Model
from scenarios.projection.journal import FolderJournal, HeldJournal, replay
from scenarios.projection.yearbook import Year
from scenarios.projection.years import CENTRAL, project
from scenarios.spec import Scenario
from tests.scenarios.landscapes import (
    LEGEND,
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

RATES = {Transition(1, 2): 0.05, Transition(1, 3): 0.04, Transition(3, 1): 0.06}
SHAPE = (30, 35)
START = random_map(SHAPE)
GRID = projected_grid(SHAPE)


def tell(year: Year) -> tuple[Any, ...]:
    """Return all of a year, so that two can be compared to the last bit."""
    changes = year.changes
    arrays = (year.land_cover, year.area_ha, year.zone_area_ha, changes.cells, changes.before, changes.after)
    return year.year, *(each.tobytes() for each in arrays), dict(year.placed_ha), year.shortfalls


def walk_on(model: Model, plans: Scenario, start: Map, stop: int, **how: Any) -> tuple[list[Year], HeldJournal]:
    """End a walk after some years, and walk again with the journal that it has left."""
    journal = HeldJournal()
    for _ in islice(project(model, plans, start, journal=journal, **how), stop):
        pass
    assert len(journal.packed) == stop
    return walk(model, plans, start, journal=journal, **how), journal


@given(
    worlds(most=35, geographic=None),
    st.integers(0, 6),
    st.sampled_from(["cells", "patches"]),
    st.integers(1, 4),
    st.sampled_from([CENTRAL, 0, 3]),
)
@settings(max_examples=40)
def test_a_walk_goes_on_as_if_it_had_never_ended(world: World, stop: int, rule: str, pace: int, member: int) -> None:
    model = replace(world.model, pace=pace)
    rules = {"residence_years": {"forest": 3}, "elasticity": {"built": 0.3}}
    plans = scenario(years=6, allocation={"rule": rule}, conversions=rules)
    how = {"member": member, "temperature": world.temperature}
    expected = walk(model, plans, world.start, **how)
    found, journal = walk_on(model, plans, world.start, stop, **how)
    assert [tell(year) for year in found] == [tell(year) for year in expected]
    again = replay(journal.entries(), world.start, model.grid.weight_ha)
    assert [tell(year) for year in again] == [tell(year) for year in expected]


WHERE = place(GRID, (5, 25), (5, 30))
PLANS = (
    {"id": "keep", "years": (2002, 2006), "protect": {"where": WHERE, "classes": ["forest"], "leakage": 0.5}},
    {"id": "wood", "years": (2001, 2005), "restore": {"where": WHERE, "from": ["other", "built"], "to": "forest",
                                                      "hectares_per_year": 7.3}},
    {"id": "town", "years": (2003, 2006), "target": {"class": "built", "hectares": 500, "from": ["forest"]}},
    {"id": "slow", "years": (2002, 2004), "change_rate": {"from": "forest", "to": "built", "factor": 0.4,
                                                          "where": WHERE}},
)  # fmt: skip


@pytest.mark.parametrize("stop", range(7))
def test_plans_go_on_as_well(stop: int) -> None:
    model, plans = random_model(GRID, RATES), scenario(*PLANS, years=6)
    expected = walk(model, plans, START, member=2, temperature=1.0)
    found, _ = walk_on(model, plans, START, stop, member=2, temperature=1.0)
    assert [tell(year) for year in found] == [tell(year) for year in expected]


SWAP = {"id": "road", "years": (2002, 2004), "replace_driver": {"driver": "hill", "layer": "ring"}}


@pytest.mark.parametrize("stop", [1, 3, 5])
@pytest.mark.parametrize("model", ["additive", "gradient_boosting"])
def test_learned_models_of_members_go_on_too(model: str, stop: int) -> None:
    rows, columns = np.indices(SHAPE).astype(np.float32)
    wood = np.where(START == 0, 0, 1).astype(np.uint8)
    history = {1990: wood, 2000: np.where(rows + columns < 20, 2 * wood, wood).astype(np.uint8)}
    plans = scenario(
        SWAP,
        years=6,
        potential={"model": model, "uncertainty": True, "drivers": ["hill"], "neighbourhood_years": 2},
        demand={"zones": {"west": place(GRID, (0, 30), (0, 15))}},
        transitions={"minimum_hectares": 0},
    )
    learned = calibrate(plans, history, {"hill": rows}, legend=LEGEND, grid=GRID, workers=ONE).model
    ready = replace(learned, layers={"hill": rows, "ring": columns})
    expected = walk(ready, plans, history[2000], member=1, temperature=1.0)
    found, _ = walk_on(ready, plans, history[2000], stop, member=1, temperature=1.0)
    assert [tell(year) for year in found] == [tell(year) for year in expected]


def test_a_damaged_file_is_done_again(tmp_path: Path) -> None:
    model, plans, journal = random_model(GRID, RATES), scenario(years=6), FolderJournal(tmp_path / "walk", 2001)
    expected = [tell(year) for year in walk(model, plans, START, journal=journal)]
    assert journal.years == 6
    whole = {path.name: path.read_bytes() for path in journal.folder.iterdir()}
    for name, torn in (("2003.npz", whole["2003.npz"][:-40]), ("2004.npz", b""), ("2002.npz", b"PK" + bytes(300))):
        (journal.folder / name).write_bytes(torn)
        assert [tell(year) for year in walk(model, plans, START, journal=journal)] == expected
        assert {path.name: path.read_bytes() for path in journal.folder.iterdir()} == whole


def test_a_year_takes_a_few_bytes_a_change() -> None:
    journal = HeldJournal()
    model = random_model(projected_grid((400, 400)), RATES)
    years = walk(model, scenario(years=2), random_map((400, 400)), journal=journal)
    changes = sum(year.changes.cells.size for year in years)
    assert changes > 10_000
    assert sum(map(len, journal.packed)) < 5 * changes


def test_changes_are_what_differs_from_the_year_before() -> None:
    before = START
    for year in walk(random_model(GRID, RATES), scenario(years=4), START, member=1, temperature=1.0):
        cells = np.flatnonzero(before != year.land_cover)
        np.testing.assert_array_equal(year.changes.cells, cells)
        np.testing.assert_array_equal(year.changes.before, before.ravel()[cells])
        np.testing.assert_array_equal(year.changes.after, year.land_cover.ravel()[cells])
        before = year.land_cover
    assert set(np.unique(before)) <= {0, *LEGEND.values}
