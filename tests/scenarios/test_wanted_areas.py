"""Demand by trend and by table: areas that add up, transitions near the observed ones, and plain refusals."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from scenarios.calibration import Calibration, calibrate
from scenarios.cluster import ONE
from scenarios.demand.areas import table_areas, trend_areas
from scenarios.demand.biproportional import fit_margins
from scenarios.demand.transitions import History, TransitionTable
from scenarios.errors import ScenarioInvalid, ScenarioNotFound
from scenarios.spec import load_scenario
from scenarios.validation.hindcast import hindcast
from tests.scenarios.conftest import PlumIsland
from tests.scenarios.landscapes import LEGEND, projected_grid, random_map, scenario, walk

pytestmark = pytest.mark.usefixtures("one_thread_of_algebra")

SHAPE = (40, 50)
GRID = projected_grid(SHAPE)  # a cell is a hectare
ALL = np.ones(3, bool)


def test_a_fit_worked_out_by_hand() -> None:
    # A 2 x 2 table keeps its odds ratio, here 4. With margins 30, 30 and 20, 40: x (10 + x) = 4 (30 - x) (20 - x).
    fitted = fit_margins(np.array([[2.0, 1.0], [1.0, 2.0]]), np.array([30.0, 30.0]), np.array([20.0, 40.0]))
    assert fitted is not None
    x = (210 - np.sqrt(210**2 - 4 * 3 * 2400)) / 6
    np.testing.assert_allclose(fitted, [[x, 30 - x], [20 - x, 10 + x]], rtol=1e-8)


@given(st.lists(st.floats(1e-4, 0.05), min_size=6, max_size=6), st.lists(st.floats(-0.3, 0.3), min_size=3, max_size=3))
@settings(deadline=None, max_examples=50)
def test_a_fit_has_the_margins_and_the_odds_of_the_table(rates: list[float], growth: list[float]) -> None:
    before = np.array([5000.0, 2000.0, 3000.0])
    matrix = np.zeros((3, 3))
    matrix[~np.eye(3, dtype=bool)] = rates
    np.fill_diagonal(matrix, 1 - matrix.sum(axis=1))
    after = before * np.exp(growth)
    after *= before.sum() / after.sum()
    fitted = fit_margins(matrix * before[:, None], before, after)
    assert fitted is not None
    np.testing.assert_allclose(fitted.sum(axis=1), before, rtol=1e-6)
    np.testing.assert_allclose(fitted.sum(axis=0), after, rtol=1e-6)

    def odds(m: NDArray[np.float64]) -> float:
        return float(m[0, 1] * m[1, 2] * m[2, 0] / (m[1, 0] * m[2, 1] * m[0, 2]))

    assert odds(fitted) == pytest.approx(odds(matrix), rel=1e-3)


def test_a_fit_that_must_lose_a_transition_is_found_and_an_impossible_one_is_not() -> None:
    only_loss = np.array([[90.0, 10.0], [0.0, 100.0]])
    fitted = fit_margins(only_loss, np.array([100.0, 100.0]), np.array([100.0, 100.0]))
    assert fitted is not None
    np.testing.assert_allclose(fitted, [[100, 0], [0, 100]], atol=1e-3)
    assert fit_margins(only_loss, np.array([100.0, 100.0]), np.array([120.0, 80.0])) is None


def test_a_class_without_area_can_appear_and_one_can_vanish() -> None:
    observed = np.array([[80.0, 20.0, 5.0], [0.0, 0.0, 0.0], [10.0, 5.0, 50.0]])
    fitted = fit_margins(observed, np.array([100.0, 0.0, 50.0]), np.array([110.0, 40.0, 0.0]))
    assert fitted is not None
    np.testing.assert_allclose(fitted.sum(axis=0), [110, 40, 0], atol=1e-3)


def tables(*areas: list[float]) -> list[TransitionTable]:
    """Return tables with these areas at following dates, ten years apart."""
    dated = list(enumerate(pairwise(areas)))
    return [TransitionTable(1980 + 10 * n, 1990 + 10 * n, LEGEND, np.outer(a, b) / sum(a)) for n, (a, b) in dated]


def test_a_trend_goes_on_in_log_ratios_by_hand() -> None:
    # Built doubles against forest every ten years: 80, 10 → 80, 20 → 80, 40, closed to 90 here.
    seen = tables([80.0, 10.0, 10.0], [72.0, 18.0, 10.0])
    found = trend_areas(seen, np.array([72.0, 18.0, 10.0]), np.array([True, True, False]), 10)
    ratio = (18 / 72) / (10 / 80) * (18 / 72)
    np.testing.assert_allclose(found[-1], [90 / (1 + ratio), 90 * ratio / (1 + ratio), 10])
    np.testing.assert_allclose(found[0], [72, 18, 10])


@given(st.lists(st.lists(st.floats(0, 1e4), min_size=3, max_size=3), min_size=2, max_size=5), st.integers(1, 200))
@settings(deadline=None, max_examples=50)
def test_trends_stay_positive_and_add_up(history: list[list[float]], years: int) -> None:
    dates = [list(np.array(areas) + 0.01) for areas in history]
    found = trend_areas(tables(*dates), np.array(dates[-1]), ALL, years)
    assert (found >= 0).all()
    np.testing.assert_allclose(found.sum(axis=1), sum(dates[-1]), rtol=1e-9)


def history(cells: int = 60) -> History:
    first = random_map(SHAPE, nodata=0)
    last = first.copy()
    for source, target in ((1, 2), (3, 1)):
        free = np.flatnonzero((first == source) & (last == source))
        last.ravel()[free[:cells]] = target
    return {1990: first, 2000: last}


def learn(maps: History, **demand: Any) -> Calibration:
    return calibrate(scenario(demand=demand), maps, {}, legend=LEGEND, grid=GRID, workers=ONE)


def area_of(maps: History) -> NDArray[np.float64]:
    return np.array([(maps[2000] == value).sum() for value in LEGEND.values], float)


def columns(*rows: tuple[int, float, float, float]) -> dict[str, list[float]]:
    return dict(zip(("year", *LEGEND.names), map(list, zip(*rows, strict=True)), strict=True))


def test_a_table_is_reached_and_met_in_between() -> None:
    maps = history()
    forest, built, other = area_of(maps)
    wanted = columns(
        (2000, 1, 2, 3), (2003, forest, built + 30, other - 30), (2010, forest - 70, built + 100, other - 30)
    )
    demand = {"rule": "table", "table": wanted}
    steps = walk(learn(maps, **demand).model, scenario(demand=demand), maps[2000])
    np.testing.assert_allclose(steps[2].area_ha, [forest, built + 30, other - 30], atol=2)
    np.testing.assert_allclose(steps[4].area_ha, [forest - 20, built + 50, other - 30], atol=2)
    assert all(not step.shortfalls for step in steps)


def test_a_trend_is_met() -> None:
    maps = history()
    found = learn(maps, rule="trend")
    steps = walk(found.model, scenario(demand={"rule": "trend"}), maps[2000])
    wanted = trend_areas(found.tables, area_of(maps), ALL, 5)
    np.testing.assert_allclose([step.area_ha for step in steps], wanted[1:], atol=2)


def test_a_trend_that_lacks_a_source_goes_as_far_as_it_can() -> None:
    maps = history()
    first, last = (maps[year].copy() for year in (1990, 2000))
    last.ravel()[np.flatnonzero((first == 2) & (last == 2))[:19]] = 3  # too little to be modelled
    last.ravel()[np.flatnonzero((first == 1) & (last == 1))[-19:]] = 3
    last.ravel()[np.flatnonzero((first == 3) & (last == 1))[25:]] = 3
    maps = {1990: first, 2000: last}
    found = learn(maps, rule="trend")
    assert any("as far as" in note and "other lacks a source" in note for note in found.notes)
    start = np.array([(last == value).sum() for value in LEGEND.values], float)
    ends = walk(found.model, scenario(demand={"rule": "trend"}), last)[-1].area_ha
    assert ends.sum() == start.sum()
    assert ends[2] <= start[2]


def test_a_table_that_is_a_little_off_is_rescaled_with_a_note() -> None:
    maps = history()
    wanted = columns((2010, *(area_of(maps) * 1.005)))
    assert any("rescaled" in note and "2010" in note for note in learn(maps, rule="table", table=wanted).notes)
    exact = learn(maps, rule="table", table=columns((2010, *area_of(maps))))
    assert not any("rescaled" in note for note in exact.notes)


def refuse(table: dict[str, list[float]] | str) -> str:
    with pytest.raises(ScenarioInvalid) as caught:
        learn(history(), rule="table", table=table)
    return str(caught.value)


def test_infeasible_tables_are_explained() -> None:
    forest, built, other = area_of(history())
    assert "add up to" in refuse(columns((2010, forest * 1.1, built, other)))
    assert "ends in 2004, the scenario in 2005" in refuse(columns((2004, forest, built, other)))
    no_source = refuse(columns((2010, forest - 50, built, other + 50)))
    assert "wanted in 2001" in no_source
    assert "other lacks a source of 5.0 ha (no modelled change leads to it)" in no_source
    stuck = refuse(columns((2010, forest + 50, built - 50, other)))
    assert "built should lose 5.0 ha more than it can (no modelled change leads out of it)" in stuck
    assert "no column for other" in refuse({"year": [2010], "forest": [forest], "built": [built]})
    assert "no class: water" in refuse({**columns((2010, forest, built, other)), "water": [0]})
    assert "load_scenario" in refuse("areas.csv")


def test_interpolation_by_hand() -> None:
    plans = scenario(demand={"rule": "table", "table": columns((2002, 60, 30, 10), (2006, 40, 50, 10))})
    found, notes = table_areas(plans, LEGEND, np.array([70.0, 20.0, 10.0]))
    assert notes == []
    np.testing.assert_allclose(found[:, 0], [70, 65, 60, 55, 50, 45])


FILE = "id: a\ntitle: A\nlandscape: v\nstart: 2000\nhistory: [1990, 2000]\ndemand: {rule: table, table: areas.csv}\n"


def load(folder: Path, table: str | None) -> Any:
    (folder / "a.yaml").write_text(FILE, "utf-8")
    if table is not None:
        (folder / "areas.csv").write_text(table, "utf-8")
    return load_scenario(folder / "a.yaml")


def test_a_table_becomes_part_of_the_scenario(tmp_path: Path) -> None:
    found = load(tmp_path, "year, forest,built\n2010,50,49.5\n\n2020,40,60\n")
    assert found.demand.table == {"year": (2010, 2020), "forest": (50, 40), "built": (49.5, 60)}
    (tmp_path / "areas.csv").unlink()
    (tmp_path / "b.yaml").write_text(found.to_yaml(), "utf-8")
    assert load_scenario(tmp_path / "b.yaml") == found


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ("", "line of names"),
        ("year,forest\n2010,many\n", "'forest': 'many' is not a number"),
        ("year,forest\n2010\n", "row 2: 1 values for 2 columns"),
        ("year,forest,forest\n2010,1,2\n", "two columns of one name"),
        ("date,forest\n2010,1\n", "column 'year'"),
        ("year,forest\n2010,1\n2005,1\n", r"rising whole years without repeats; found \[2010, 2005\]"),
        ("year,forest\n2010,-1\n", "-1 ha of 'forest'"),
        ("year,forest\n2010,nan\n", "finite"),
    ],
)
def test_a_wrong_table_is_explained(tmp_path: Path, table: str, told: str) -> None:
    with pytest.raises(ScenarioInvalid, match=told):
        load(tmp_path, table)


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(ScenarioNotFound, match=r"areas\.csv"):
        load(tmp_path, None)


def test_plum_island_reaches_the_observed_areas(plum_island: PlumIsland) -> None:
    p = plum_island
    areas = np.genfromtxt(p.folder / "demand_1991_1999_A_observed.csv", delimiter=",", names=True)
    table = {name: areas[name].tolist() for name in ("year", *p.legend.names)}
    trial = p.scenario.model_copy(update={"start": 1991, "years": 8, "history": (1985, 1991)})
    trial = trial.model_validate({**trial.model_dump(), "demand": {"rule": "table", "table": table}})
    past = {year: p.history[year] for year in trial.history}
    found = calibrate(trial, past, {}, legend=p.legend, grid=p.grid, workers=ONE)
    assert any("rescaled" in note for note in found.notes)  # its hectares are cells, which are a little smaller
    last = walk(found.model, trial, past[1991])[-1].land_cover
    cells = [(last == value).sum() for value in p.legend.values]
    np.testing.assert_allclose(cells, [areas[name][-1] for name in p.legend.names], atol=2)


def test_a_hindcast_does_not_use_the_table() -> None:
    maps = history()
    past = {1980: maps[1990], 1990: maps[2000], 2000: maps[2000]}
    plans = scenario(demand={"rule": "table", "table": columns((2010, *area_of(maps)))})
    found = hindcast(plans, past, {}, legend=LEGEND, grid=GRID)
    assert any("demand table" in note for note in found.notes)
