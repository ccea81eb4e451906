"""The effect of each intervention: with it and without it, on the same draws."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from scenarios.interventions.effects import compare_effects
from tests.scenarios.landscapes import flat_model, place, random_map, random_model, scenario, walk
from tests.scenarios.plans import GRID, NORTH, RATES, filled, protect, restore

START = random_map(GRID.shape)
RESERVE = protect((2002, 2005), "reserve", leakage=0)
RIVER = restore(12, "other", name="river", where=NORTH)


def test_effects_are_differences_of_projections() -> None:
    model = random_model(GRID, RATES)
    plans = [RESERVE, RIVER]
    found = compare_effects(model, scenario(*plans), START, member=3, temperature=1.0)
    assert list(found.columns) == ["intervention", "year", "class", "alone_ha", "added_ha"]
    assert list(dict.fromkeys(found["intervention"])) == ["reserve", "river", "together"]
    assert list(dict.fromkeys(found["year"])) == list(range(2001, 2006))

    def areas(*chosen: dict[str, Any]) -> Any:
        steps = walk(model, scenario(*chosen), START, member=3, temperature=1.0)
        return np.concatenate([step.area_ha for step in steps])

    def column(name: str, of: str) -> Any:
        return found.loc[found["intervention"] == name, of].to_numpy()

    none, both = areas(), areas(*plans)
    for name, one, other in (("reserve", plans[0], plans[1]), ("river", plans[1], plans[0])):
        np.testing.assert_array_equal(column(name, "alone_ha"), areas(one) - none)
        np.testing.assert_array_equal(column(name, "added_ha"), both - areas(other))
    np.testing.assert_array_equal(column("together", "alone_ha"), both - none)
    np.testing.assert_array_equal(column("together", "added_ha"), both - none)


def test_what_is_won_by_a_class_is_lost_by_others() -> None:
    found = compare_effects(random_model(GRID, RATES), scenario(RESERVE, RIVER), START)
    sums = found.groupby(["intervention", "year"])[["alone_ha", "added_ha"]].sum()
    np.testing.assert_allclose(sums, 0, atol=1e-6)


def test_before_its_first_year_an_intervention_has_no_effect() -> None:
    found = compare_effects(random_model(GRID, RATES), scenario(RESERVE), START)
    before = found["year"] == 2001
    assert (found.loc[before, ["alone_ha", "added_ha"]] == 0).all(axis=None)
    forest = found.loc[~before & (found["class"] == "forest"), "alone_ha"]
    assert (forest > 0).all()


def test_interventions_that_compete_show_it() -> None:
    # 50 ha of land for two plans of 40 ha a year: alone each gets all of it, and neither adds to the other.
    small = place(GRID, (0, 5), (0, 10))
    start = filled("built")
    start[:5, :10] = 3
    plans = scenario(*(restore(40, "other", name=name, where=small) for name in "ab"))
    found = compare_effects(flat_model(GRID, {}), plans, start)
    last = found[(found["year"] == 2005) & (found["class"] == "forest")].set_index("intervention")
    assert last["alone_ha"].to_dict() == pytest.approx({"a": 50, "b": 50, "together": 50})
    assert last["added_ha"].to_dict() == pytest.approx({"a": 0, "b": 0, "together": 50})


def test_a_scenario_without_interventions_has_no_effects() -> None:
    found = compare_effects(flat_model(GRID, RATES), scenario(), START)
    assert set(found["intervention"]) == {"together"}
    assert (found[["alone_ha", "added_ha"]] == 0).all(axis=None)
