"""Plans on a landscape: names become values, places become masks, and what does not fit is said."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from scenarios.demand.transitions import Transition
from scenarios.errors import ScenarioInvalid
from scenarios.interventions.plan import Plan
from tests.scenarios.landscapes import LEGEND, geographic_grid, place, projected_grid, scenario

GRID = projected_grid()
NORTH = place(GRID, (0, 20), (0, 50))
WEST = place(GRID, (0, 40), (0, 25))
YEARS = {"years": (2002, 2004)}


def protect(name: str = "p", where: Any = NORTH, **fields: Any) -> dict[str, Any]:
    return {"id": name, **YEARS, "protect": {"where": where, "classes": ["forest"], **fields}}


def restore(name: str = "r", /, **fields: Any) -> dict[str, Any]:
    good = {"where": NORTH, "from": ["other"], "to": "forest", "hectares_per_year": 5}
    return {"id": name, **YEARS, "restore": good | fields}


def rate(factor: float, name: str = "c", source: str = "forest", target: str = "built") -> dict[str, Any]:
    return {"id": name, **YEARS, "change_rate": {"from": source, "to": target, "factor": factor}}


def plan(*interventions: dict[str, Any], seed: int = 1) -> Plan:
    return Plan(scenario(*interventions, seed=seed), LEGEND, GRID)


@pytest.mark.parametrize(
    "wrong",
    [
        protect(classes=["forest", "swamp"]),
        restore(**{"from": ["swamp"]}),
        restore(to="swamp"),
        rate(2, source="swamp"),
        rate(2, target="swamp"),
    ],
    ids=["protect", "restore from", "restore to", "rate from", "rate to"],
)
def test_an_unknown_class_is_named_with_those_there_are(wrong: dict[str, Any]) -> None:
    with pytest.raises(ScenarioInvalid) as caught:
        plan(wrong)
    message = str(caught.value)
    assert repr(wrong["id"]) in message
    assert "'swamp'" in message
    assert "forest, built, other" in message


@pytest.mark.parametrize("make", [protect, restore])
def test_a_place_outside_the_landscape_is_refused(make: Any) -> None:
    elsewhere = place(geographic_grid(), (0, 5), (0, 5))
    with pytest.raises(ScenarioInvalid, match=r"'x' holds no cell of 'any'.*longitude, latitude"):
        plan(make("x", where=elsewhere))


@pytest.mark.parametrize("make", [protect, restore])
def test_a_file_that_was_not_read_is_refused(make: Any) -> None:
    with pytest.raises(ScenarioInvalid, match=r"'x'.*'river.geojson'.*load_scenario"):
        plan(make("x", where="river.geojson"))


@pytest.mark.parametrize("geometry", [{"foo": 1}, {"type": "Polygon", "coordinates": "here"}, {}], ids=str)
def test_a_place_that_is_no_geometry_is_refused_with_the_intervention(geometry: dict[str, Any]) -> None:
    with pytest.raises(ScenarioInvalid, match="x"):
        plan(protect("x", where=geometry))


def test_protection_acts_on_its_classes_in_its_years_and_place() -> None:
    found = plan(protect())
    expected = np.zeros(GRID.shape, bool)
    expected[:20] = True
    barred = {year: found.barred(1, year) for year in range(2001, 2006)}
    assert [barred[year] is None for year in range(2001, 2006)] == [True, False, False, False, True]
    for year in (2002, 2003, 2004):
        np.testing.assert_array_equal(barred[year], expected)
    assert found.barred(2, 2003) is None


def test_protections_add_up() -> None:
    found = plan(protect("a", leakage=0.7), protect("b", WEST, leakage=0.2))
    expected = np.zeros(GRID.shape, bool)
    expected[:20] = expected[:, :25] = True
    np.testing.assert_array_equal(found.barred(1, 2002), expected)
    assert found.leakage(1, 2002) == 0.2
    assert found.leakage(1, 2001) == 1
    assert found.leakage(3, 2002) == 1


def test_effectiveness_is_the_share_that_is_kept() -> None:
    kept = plan(protect(effectiveness=0.7)).barred(1, 2003)
    assert kept is not None
    assert not kept[20:].any()
    assert kept[:20].mean() == pytest.approx(0.7, abs=0.06)  # 1000 cells: four standard errors


def test_the_cells_that_are_kept_are_the_same_every_year() -> None:
    found = plan(protect(effectiveness=0.5))
    np.testing.assert_array_equal(found.barred(1, 2002), found.barred(1, 2004))


def test_the_cells_that_are_kept_hang_on_the_seed_and_the_name() -> None:
    variants = (("p", 1), ("q", 1), ("p", 2))
    masks = [plan(protect(name, effectiveness=0.5), seed=seed).barred(1, 2002) for name, seed in variants]
    assert len({mask.tobytes() for mask in masks if mask is not None}) == 3


def test_protection_without_effect_keeps_nothing() -> None:
    kept = plan(protect(effectiveness=0)).barred(1, 2002)
    assert kept is None or not kept.any()


def test_rates_are_multiplied() -> None:
    found = plan(rate(0.5), rate(3, "d"), rate(7, "e", "other", "built"))
    assert found.factor(Transition(1, 2), 2002) == 1.5
    assert found.factor(Transition(3, 2), 2002) == 7
    assert found.factor(Transition(2, 1), 2002) == 1
    assert found.factor(Transition(1, 2), 2005) == 1


def test_a_rate_that_is_not_modelled_is_reported() -> None:
    found = plan(rate(0.5), rate(2, "d", "other", "built"), restore(), protect())
    assert found.idle([Transition(1, 2), Transition(3, 2)]) == []
    (note,) = found.idle([Transition(1, 2)])
    assert "'d'" in note
    assert "other to built is not modelled" in note


def test_restorations_are_given_in_their_years() -> None:
    found = plan(restore(**{"from": ["other", "built"]}))
    assert list(found.restorations(2001)) == []
    (restoration,) = found.restorations(2002)
    assert (restoration.id, restoration.sources, restoration.target) == ("r", (3, 2), 1)
    assert restoration.hectares == 5
    assert restoration.place is not None
    assert restoration.place.sum() == 1000
