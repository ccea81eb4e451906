"""The conversion rules of a scenario file: what is refused, and how they are read and inherited."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from scenarios.demand.transitions import Transition
from scenarios.interventions.plan import Plan
from scenarios.spec import ConversionRule, Scenario, load_scenario
from tests.scenarios.landscapes import LEGEND, projected_grid, scenario

FORBIDDEN = {"conversions": {"forbidden": {"built": "forest"}}}
EVERYWHERE = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ({"forbidden": {"built": ["forest", "built"]}}, "forbids 'built' to stay what it is"),
        ({"forbidden": {"built": []}}, "at least 1 item"),
        ({"elasticity": {"built": 1.5}}, "less than or equal to 1"),
        ({"elasticity": {"built": -0.1}}, "greater than or equal to 0"),
        ({"residence_years": {"built": 0}}, "greater than or equal to 1"),
        ({"residence_years": {"built": 2.5}}, "valid integer"),
    ],
)
def test_wrong_rules_are_refused(rule: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        ConversionRule(**rule)


@pytest.mark.parametrize(
    "action",
    [
        {"restore": {"where": EVERYWHERE, "from": ["other", "built"], "to": "forest", "hectares_per_year": 1}},
        {"convert": {"where": EVERYWHERE, "from": ["built"], "to": "forest", "hectares_per_year": 1}},
        {"target": {"class": "forest", "hectares": 1, "from": ["other", "built"]}},
    ],
)
def test_a_plan_may_not_ask_for_the_forbidden(action: dict[str, Any]) -> None:
    plan = {"id": "wood", "years": (2001, 2002), **action}
    assert scenario(plan).interventions
    with pytest.raises(ValidationError, match=r"'wood' asks for built to forest, which conversions\.forbidden"):
        scenario(plan, **FORBIDDEN)


def test_a_rate_may_not_be_given_to_the_forbidden() -> None:
    demand = {"rule": "expression", "rates": {"built to forest": 0.1}}
    with pytest.raises(ValidationError, match=r"demand\.rates asks for built to forest"):
        scenario(demand=demand, **FORBIDDEN)


def test_a_changed_rate_of_the_forbidden_has_no_effect_and_says_so() -> None:
    change = {"id": "slow", "years": (2001, 2002), "change_rate": {"from": "built", "to": "forest", "factor": 2}}
    (note,) = Plan(scenario(change, **FORBIDDEN), LEGEND, projected_grid()).idle([Transition(1, 2)])
    assert note.endswith("the scenario forbids it")


def test_one_name_is_a_list_of_one() -> None:
    assert ConversionRule(forbidden={"built": "forest"}).forbidden == {"built": ("forest",)}


def test_a_variant_replaces_rule_by_rule(tmp_path: Path) -> None:
    parent = scenario(id="usual", conversions={"forbidden": {"built": "forest"}, "elasticity": {"built": 1}})
    (tmp_path / "usual.yaml").write_text(parent.to_yaml(), "utf-8")
    text = "id: hard\ntitle: Hard\nextends: usual\nconversions: {elasticity: {forest: 0.5}}\n"
    (tmp_path / "hard.yaml").write_text(text, "utf-8")
    found = load_scenario(tmp_path / "hard.yaml").conversions
    assert found == ConversionRule(forbidden={"built": ("forest",)}, elasticity={"forest": 0.5})


def test_rules_are_kept_whole_in_a_file(tmp_path: Path) -> None:
    whole = scenario(conversions={"forbidden": {"built": "forest"}, "residence_years": {"forest": 12}})
    (tmp_path / "whole.yaml").write_text(whole.to_yaml(), "utf-8")
    assert load_scenario(tmp_path / "whole.yaml") == whole
    assert Scenario.model_json_schema()["properties"]["conversions"]
