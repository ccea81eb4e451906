"""Chances against a table worked out by hand: as much as the members change, and nothing where a plan decides."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from scenarios.cluster import Workers
from scenarios.demand.transitions import Transition
from scenarios.interventions.plan import Plan
from scenarios.projection.chances import Chances, tell_chances
from scenarios.projection.ensemble import Ensemble, draw_ensemble
from scenarios.validation.recalibration import Recalibration
from tests.scenarios.landscapes import LEGEND, World, place, projected_grid, random_map, random_model, scenario, worlds

SHAPE = (30, 35)
GRID = projected_grid(SHAPE)
START = random_map(SHAPE, nodata=0.2)
MODEL = random_model(GRID, {Transition(1, 2): 0.05, Transition(1, 3): 0.04, Transition(3, 1): 0.03})
TOO_SURE = Recalibration(-1.0, 0.8, 0.2)
WHERE = place(GRID, (5, 25), (5, 30))
INSIDE = np.zeros(SHAPE, bool)
INSIDE[5:25, 5:30] = True


def chances_of(*plans: dict[str, Any], workers: Workers | None = None) -> tuple[Ensemble, Chances]:
    """Draw an ensemble of a few years, and recalibrate it."""
    asked = scenario(*plans, members=6, years=4)
    ensemble, plan = draw_ensemble(MODEL, asked, START), Plan(asked, LEGEND, GRID)
    return ensemble, Chances.of(ensemble, TOO_SURE, START, plan, workers or Workers(1))


def tell(ensemble: Ensemble, chances: Chances, year: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    return tell_chances(ensemble.counts[year], chances.start, chances.table[year], LEGEND.values)


def test_chances_by_hand() -> None:
    # Two members, forest at the start but in the last two cells: raw there, and outside.
    # Cells: both stay; one builds; one builds, one goes to other; both build; raw; no data
    counts = np.array([[2, 1, 0, 0, 1, 0], [0, 1, 1, 2, 1, 0], [0, 0, 1, 0, 0, 0]], np.uint8)[:, None]
    table = np.full((3, 3, 3), np.nan, np.float32)
    table[0, 1], table[0, 2] = (0.1, 0.3, 0.9), (0.2, 0.6, 0.7)
    told = tell_chances(counts, np.array([[1, 1, 1, 1, 0, 0]], np.uint8), table, LEGEND.values)
    nan = np.nan
    # The fourth comes to 0.9 + 0.2 and is scaled down; the class of the start takes what is left of 1.
    by_hand = [
        [0.7, 0.5, 0.1, 0.0, 0.5, nan],
        [0.1, 0.3, 0.3, 9 / 11, 0.5, nan],
        [0.2, 0.2, 0.6, 2 / 11, 0.0, nan],
    ]
    np.testing.assert_allclose(told[:, 0], by_hand, atol=1e-6)
    assert told.dtype == np.float32


def test_a_table_by_hand() -> None:
    ensemble, chances = chances_of()
    year = 3
    built = ensemble.counts[year][1][START == 1]
    cells = np.bincount(built, minlength=7)
    told = chances.table[year, 0, 1].astype(float)
    # All odds of the curve are multiplied by the same number,
    ratio = np.log(told / (1 - told)) - TOO_SURE.log_odds(6)
    np.testing.assert_allclose(ratio, ratio[0], atol=1e-5)
    # so that as much is foretold as the members build.
    assert (cells * told).sum() == pytest.approx(built.sum() / 6, rel=1e-6)
    np.testing.assert_allclose(told, expit(TOO_SURE.log_odds(6) + ratio[0]), rtol=1e-5)
    assert (chances.table[:, 1, 2] == 0).all()  # never drawn
    assert np.isnan(chances.table[:, range(3), range(3)]).all()


def add_up(cells: Any, start: Any, weight: Any) -> list[list[float]]:
    """Return the hectares of each class by class at the start."""
    return [[float((weight * np.where(start == a, each, 0)).sum()) for each in cells] for a in LEGEND.values]


@given(worlds(most=30, geographic=None), st.integers(1, 5))
@settings(deadline=None, max_examples=25)
def test_hectares_are_those_of_the_members_in_any_landscape(world: World, members: int) -> None:
    asked = scenario(members=members, years=2)
    ensemble = draw_ensemble(world.model, asked, world.start)
    grid = world.model.grid
    calm = Recalibration(-2.0, 0.7, 0.1)
    chances = Chances.of(ensemble, calm, world.start, Plan(asked, LEGEND, grid))
    weight = grid.row_area_ha[:, None]
    inside = world.start != 0
    for year in range(2):
        told = tell(ensemble, chances, year).astype(float)
        np.testing.assert_allclose(told[:, inside].sum(axis=0), 1, atol=1e-6)
        assert np.isnan(told[:, ~inside]).all()
        assert (told[:, inside] >= 0).all()
        table = chances.table[year]
        changed = sum(table[a, b, -1] for a in range(3) for b in range(3) if a != b)
        if changed <= 1:  # no cell can be scaled down
            np.testing.assert_allclose(
                add_up(told, world.start, weight),
                add_up(ensemble.counts[year] / members, world.start, weight),
                rtol=1e-5,
                atol=1e-5,
            )


def test_the_order_of_the_members_is_kept() -> None:
    ensemble, chances = chances_of()
    told, built = tell(ensemble, chances, 3)[1], ensemble.counts[3][1]
    mean = [float(told[(START == 1) & (built == n)].max()) for n in np.unique(built[START == 1])]
    assert mean == sorted(mean)
    assert len(set(mean)) > 2


def test_threads_do_not_show() -> None:
    (_, one), (_, other) = chances_of(), chances_of(workers=Workers(3))
    assert one.table.tobytes() == other.table.tobytes()
    assert one.start.tobytes() == other.start.tobytes()


def test_what_is_kept_has_no_chance_to_change() -> None:
    keep = {"id": "keep", "years": (2001, 2004), "protect": {"where": WHERE, "classes": ["forest"]}}
    ensemble, chances = chances_of(keep)
    kept = INSIDE & (START == 1)
    np.testing.assert_array_equal(chances.start, np.where(kept, 0, START))
    told = tell(ensemble, chances, 3)
    assert (told[0, kept] == 1).all()
    free = ~INSIDE & (START == 1)
    assert (told[1, free] > 0).all()


def test_what_a_plan_converts_in_a_place_keeps_the_members_share() -> None:
    action = {"where": WHERE, "from": ["forest"], "to": "other", "hectares_per_year": 20}
    ensemble, chances = chances_of({"id": "turn", "years": (2001, 2004), "restore": action})
    decided = INSIDE & (START == 1)
    share = (ensemble.counts[3] / 6).astype(np.float32)
    np.testing.assert_array_equal(tell(ensemble, chances, 3)[:, decided], share[:, decided])
    assert (chances.start[~decided] == START[~decided]).all()
    assert share[2, decided].max() == 1


def test_what_a_plan_converts_anywhere_keeps_the_members_share() -> None:
    action = {"class": "other", "hectares": 400.0, "from": ["built"]}
    ensemble, chances = chances_of({"id": "reach", "years": (2001, 2004), "target": action})
    np.testing.assert_allclose(chances.table[3, 1, 2], np.arange(7) / 6, rtol=1e-6)
    np.testing.assert_array_equal(chances.start, START)
    # Where all members convert a cell, what else may become of it is small, and comes off.
    counts = ensemble.counts[3][2]
    open_cells = (START == 2) & (counts < 6)
    np.testing.assert_allclose(tell(ensemble, chances, 3)[2, open_cells], counts[open_cells] / 6, rtol=1e-6)
    sure = (START == 2) & (counts == 6)
    assert ((tell(ensemble, chances, 3)[2, sure] > 0.9) & (tell(ensemble, chances, 3)[2, sure] <= 1)).all()
