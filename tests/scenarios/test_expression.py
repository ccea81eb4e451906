"""Rates by expression: arithmetic of the year and nothing else."""

from __future__ import annotations

import math

import numpy as np
import pytest
from pydantic import ValidationError

from scenarios.calibration import calibrate
from scenarios.cluster import ONE
from scenarios.demand.transitions import Transition
from scenarios.errors import ScenarioInvalid
from scenarios.spec import DemandRule, Scenario
from scenarios.spec.expression import rate_in
from tests.scenarios.landscapes import LEGEND, projected_grid, random_map, scenario, walk


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.01", 0.01),
        ("0.004 * 1.02 ** (year - 2020)", 0.004 * 1.02**5),
        ("-0.1 + year / 20250", 0.0),
        ("min(0.02, max(0, 0.001 * (year - 2020)), 1)", 0.005),
        ("exp(-5) / 2 + log(1)", math.exp(-5) / 2),
        (" 1e-3 ", 0.001),
    ],
)
def test_arithmetic_by_hand(text: str, value: float) -> None:
    assert rate_in(text, 2025) == pytest.approx(value, abs=1e-15)


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os')",
        "year.real",
        "open('x')",
        "(lambda: 1)()",
        "[1][0]",
        "'a' * 9",
        "True",
        "1j",
        "year if year else 0",
        "year % 2",
        "min()",
        "exp(x=1)",
        "month",
        "min(*year)",
        "max",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="allowed are numbers, year"):
        rate_in(text, 2020)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("0.1 *", "no expression"),
        ("", "no expression"),
        ("1 / (year - 2020)", "no value in 2020"),
        ("9 ** 9 ** 9 ** 9", "no value in 2020"),
        ("log(0)", "no value in 2020"),
        ("(-1) ** 0.5", "no value in 2020"),
        ("exp(1, 2)", "no value in 2020"),
        ("2019.5 - year", "-0.5 in 2020; a rate is from 0 to 1"),
        ("1e999 - 1e999", "nan in 2020"),
        ("1 + " * 60 + "1", "at most 200"),
        ("-" * 199 + "1", "-1 in 2020"),
    ],
)
def test_what_has_no_rate_is_explained(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        rate_in(text, 2020)


def plans(**rates: str | float) -> Scenario:
    return scenario(demand={"rule": "expression", "rates": {k.replace("_", " "): v for k, v in rates.items()}})


def test_a_rate_that_leaves_its_bounds_in_any_year_is_refused_at_once() -> None:
    with pytest.raises(ValidationError, match=r"1\.2 in 2005"):
        plans(forest_to_built="0.3 * (year - 2001)")


def test_rule_and_rates_belong_together() -> None:
    with pytest.raises(ValidationError, match="needs 'rates'"):
        DemandRule(rule="expression")
    with pytest.raises(ValidationError, match="'rates' need 'rule: expression'"):
        DemandRule(rates={"forest to built": "0.1"})


def history() -> dict[int, np.ndarray[tuple[int, int], np.dtype[np.uint8]]]:
    first = random_map((40, 50), nodata=0)
    last = first.copy()
    for source, target in ((1, 2), (3, 1)):
        last.ravel()[np.flatnonzero((first == source) & (last == source))[:60]] = target
    return {1990: first, 2000: last}


def test_the_given_rate_holds_and_the_others_go_on() -> None:
    maps, grid = history(), projected_grid((40, 50))
    given = plans(forest_to_built="0.02 + 0.01 * (year - 2001)")
    model = calibrate(given, maps, {}, legend=LEGEND, grid=grid, workers=ONE).model
    start = maps[2000]
    steps = walk(model, given, start)
    forest = [(start == 1).sum(), *(step.area_ha[0] for step in steps)]
    for n, step in enumerate(steps):
        assert step.placed_ha[1, 2] == pytest.approx(forest[n] * (0.02 + 0.01 * n), abs=1)
    markov = walk(model, scenario(), start)
    assert steps[0].placed_ha[3, 1] == markov[0].placed_ha[3, 1]
    assert model.rates[Transition(3, 1)] > 0


def test_a_rate_of_what_is_not_modelled_is_refused() -> None:
    with pytest.raises(ScenarioInvalid, match=r"'built to forest'.*modelled are forest to built, other to forest"):
        calibrate(plans(built_to_forest=0.1), history(), {}, legend=LEGEND, grid=projected_grid((40, 50)), workers=ONE)


def test_expressions_are_written_and_read() -> None:
    given = plans(forest_to_built="0.02", other_to_forest=0.01)
    assert Scenario.model_validate_json(given.model_dump_json()) == given
