"""Hindcasts: three dates, nothing from the future, and numbers that can be published."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from scenarios.cluster import Workers
from scenarios.demand.transitions import History
from scenarios.errors import HistoryInvalid
from scenarios.validation.fuzzy import compare_fuzzily
from scenarios.validation.hindcast import MEMBERS, Hindcast, hindcast
from scenarios.validation.metrics import compare, map_outcomes
from scenarios.validation.patterns import measure_patterns
from tests.scenarios.conftest import PlumIsland
from tests.scenarios.landscapes import LEGEND, Map, projected_grid, random_map, scenario

SHAPE = (60, 50)
GRID = projected_grid(SHAPE)
DRIVER = np.broadcast_to(np.linspace(0, 1, 60, dtype=np.float32)[:, None], SHAPE).copy()


def build_north(land_cover: Map, seed: int) -> Map:
    """Return the map with forest built on, more of it in the north, and some other land become forest."""
    rng = np.random.default_rng([seed, 1])
    out = land_cover.copy()
    out[(land_cover == 1) & (rng.random(SHAPE) < 0.3 * (1 - DRIVER) ** 2)] = 2
    out[(land_cover == 3) & (rng.random(SHAPE) < 0.06)] = 1
    return out


@pytest.fixture(scope="module")
def history() -> History:
    first = random_map(SHAPE, 0)
    second = build_north(first, 1)
    return {1990: first, 1996: second, 2003: build_north(second, 2)}


def look_back(history: History, *plans: Any, workers: Workers | None = None, chunk: int = 512) -> Hindcast:
    asked = scenario(*plans, start=2003, history=tuple(sorted(history)))
    return hindcast(
        asked, history, {"north": DRIVER}, legend=LEGEND, grid=GRID, chunk=chunk, workers=workers or Workers(1)
    )


@pytest.fixture(scope="module")
def found(history: History) -> Hindcast:
    return look_back(history)


def test_the_last_date_is_kept_for_the_test(found: Hindcast, history: History) -> None:
    assert (found.learned_from, found.start, found.end) == ((1990, 1996), 1996, 2003)
    assert found.central == compare(history[1996], history[2003], found.simulated)


def test_a_rule_that_can_be_learned_is_learned(found: Hindcast) -> None:
    assert found.central.figure_of_merit > 1.3 * found.guessing.figure_of_merit
    assert found.auc["forest to built"] is not None
    assert found.auc["forest to built"] > 0.6
    assert set(found.auc) == {"forest to built", "other to forest"}


def test_the_past_speaks_for_the_model(found: Hindcast, history: History) -> None:
    evidence = found.evidence["forest to built"]
    assert evidence.auc is not None
    assert found.auc["forest to built"] == round(evidence.auc, 4)
    assert evidence.importance["north"] > 0.05
    assert next(iter(evidence.importance)) == "north"
    told = found.to_dict()["evidence"]["forest to built"]
    assert told["importance"]["north"] == round(evidence.importance["north"], 4)
    # A curve of the interval that was learned from, in hectares; here a cell is one.
    assert evidence.quality is not None
    curve = evidence.quality.characteristic
    at_risk = (history[1990] == 1) & (history[1996] != 0)
    assert curve.extent_ha == pytest.approx(at_risk.sum())
    assert curve.changed_ha == pytest.approx((at_risk & (history[1996] == 2)).sum())


def test_guessing_places_the_same_amounts(found: Hindcast) -> None:
    assert found.guessing.simulated_change == pytest.approx(found.central.simulated_change, abs=0.01)
    assert found.guessing.quantity == pytest.approx(found.central.quantity, abs=0.005)


def test_baselines_stand_beside_the_model(found: Hindcast, history: History) -> None:
    assert found.nothing == compare(history[1996], history[2003], history[1996])
    assert found.nothing.figure_of_merit == 0
    assert found.nothing.kappa_simulation == pytest.approx(0)
    assert found.neighbourhood.simulated_change == pytest.approx(found.central.simulated_change, abs=0.01)
    # The rule hangs on the driver alone; neighbours tell little of it.
    assert found.central.figure_of_merit > found.neighbourhood.figure_of_merit > 0


def test_without_drivers_the_neighbourhood_is_the_model(history: History) -> None:
    alone = hindcast(scenario(start=2003, history=tuple(history)), history, {}, legend=LEGEND, grid=GRID, members=1)
    assert alone.neighbourhood == alone.central


def test_the_table_has_the_model_and_its_baselines(found: Hindcast) -> None:
    table = found.to_frame()
    assert list(table.index) == ["best map", "members", "neighbourhood only", "guessing", "no change"]
    assert table.loc["best map", "figure_of_merit"] == found.central.figure_of_merit
    assert table.loc["members", "figure_of_merit"] == pytest.approx(found.members)
    assert table.loc["guessing", "figure_of_merit_32"] == found.by_resolution["guessing"][32]
    assert table.loc["best map", "fuzzy_similarity_5"] == found.fuzzy["best map"].windows[5]
    assert table.loc["members", "fuzzy_similarity"] == found.fuzzy["members"].decayed
    assert (table.loc["no change"].filter(like="figure_of_merit") == 0).all()
    assert (table.loc["no change"].filter(like="fuzzy") == 0).all()


def test_fuzzy_similarity_is_that_of_the_maps(found: Hindcast, history: History) -> None:
    assert found.fuzzy["best map"] == compare_fuzzily(history[1996], history[2003], found.simulated)
    assert set(found.fuzzy) == set(found.by_resolution)
    for each in found.fuzzy.values():
        assert list(each.windows.values()) == sorted(each.windows.values())
        assert each.windows[1] <= each.decayed <= each.windows[11]


def test_members_are_counted_once_each(found: Hindcast, history: History) -> None:
    assert len(found.drawn) == found.reliability.members == MEMBERS
    told = found.reliability
    foretold = (told.cases @ np.arange(MEMBERS + 1)).sum() / MEMBERS
    valid = (history[1996] != 0) & (history[2003] != 0)
    assert foretold == pytest.approx(np.mean([each.simulated_change for each in found.drawn]) * valid.sum())
    assert told.happened.sum() == ((history[1996] != history[2003]) & valid).sum()


def test_outcomes_and_patterns_are_those_of_the_maps(found: Hindcast, history: History) -> None:
    np.testing.assert_array_equal(found.outcomes, map_outcomes(history[1996], history[2003], found.simulated))
    np.testing.assert_array_equal(found.observed, history[2003])
    known = np.where(history[1996] == 0, 0, history[2003])
    assert found.patterns["observed"] == measure_patterns(known.astype(np.uint8), LEGEND.values, GRID)
    assert set(found.patterns) == {"observed", "best map", "first member"}


def test_nothing_after_the_start_is_used(history: History, found: Hindcast) -> None:
    future: NDArray[np.uint8] = random_map(SHAPE, 77, nodata=0.3)
    other = look_back({**history, 2003: future})
    np.testing.assert_array_equal(other.simulated, found.simulated)
    assert other.central != found.central


def test_interventions_play_no_part(history: History, found: Hindcast) -> None:
    stop = {"id": "s", "years": (1990, 2008), "change_rate": {"from": "forest", "to": "built", "factor": 0}}
    np.testing.assert_array_equal(look_back(history, stop).simulated, found.simulated)


def test_threads_and_chunks_do_not_show(history: History, found: Hindcast) -> None:
    other = look_back(history, workers=Workers(2), chunk=23)
    assert other.simulated.tobytes() == found.simulated.tobytes()
    assert other.to_dict() == found.to_dict()


@pytest.mark.parametrize("years", [(), (1990,), (1990, 1996)])
def test_three_dates_are_needed(history: History, years: tuple[int, ...]) -> None:
    with pytest.raises(HistoryInvalid, match="three dates") as caught:
        hindcast(scenario(), {year: history[year] for year in years}, {}, legend=LEGEND, grid=GRID)
    assert str(list(years)) in str(caught.value)


def test_the_report_is_json(found: Hindcast) -> None:
    report = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert report["figure_of_merit"] == round(found.central.figure_of_merit, 4)
    assert report["central"]["hits"] == found.central.hits
    assert set(found.summary()) <= set(report)
    assert set(report["figure_of_merit_by_resolution"]) == {"1", "2", "4", "8", "16", "32"}


def test_a_report_without_any_change_is_json_too(history: History) -> None:
    # Nothing happens after 1996, and so little is demanded that nothing is simulated.
    calm = {1990: history[1990], 1996: history[1990].copy(), 2003: history[1990]}
    calm[1996].ravel()[np.flatnonzero(calm[1990] == 1)[:1]] = 2
    asked = scenario(start=2003, history=(1990, 1996, 2003), transitions={"minimum_hectares": 0.5})
    asked = asked.model_copy(update={"demand": type(asked.demand)(rule="frozen")})
    found = hindcast(asked, {**calm, 2003: calm[1996]}, {}, legend=LEGEND, grid=GRID)
    report = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert report["observed_change"] == report["simulated_change"] == 0
    # What is a share of the changes is not defined, and no number stands in for it.
    undefined = {"figure_of_merit", "random_figure_of_merit", "found", "kappa_simulation", "brier_skill"}
    assert {report[name] for name in undefined} == {None}


def test_plum_island_is_foretold_better_than_others_do(plum_island_hindcast: Hindcast) -> None:
    found = plum_island_hindcast
    assert found.central.figure_of_merit >= 0.04
    assert found.central.figure_of_merit > 1.5 * found.guessing.figure_of_merit
    assert found.members > found.guessing.figure_of_merit
    assert found.central.cells == 113_563
    assert found.central.observed_change == pytest.approx(0.0419, abs=0.0001)
    for row in found.by_resolution.values():
        assert list(row.values()) == sorted(row.values())
    assert found.by_resolution["members"][8] > found.by_resolution["guessing"][8]
    assert found.reliability.fair_skill > -0.12  # members are too sure of where change comes
    assert found.reliability.raw.largest_gap() > 0.2
    assert found.reliability.recalibrated.largest_gap() < 0.1
    assert found.reliability.recalibrated.skill > 0 > found.reliability.raw.skill
    assert sum(each.observed for each in found.transitions) == 4756


def test_plum_island_gets_the_reference_demand(plum_island: PlumIsland, plum_island_hindcast: Hindcast) -> None:
    # The last row of demand_1991_1999_B_markov.csv.
    cells = [(plum_island_hindcast.simulated == value).sum() for value in plum_island.legend.values]
    np.testing.assert_allclose(cells, [44510, 44434, 24619], atol=2)


def test_plum_islands_report_is_json(plum_island_hindcast: Hindcast) -> None:
    summary = plum_island_hindcast.summary()
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary
    asked_for = {"figure_of_merit", "random_figure_of_merit", "quantity_disagreement", "allocation_disagreement"}
    assert asked_for <= set(summary)
