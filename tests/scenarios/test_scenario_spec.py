"""Scenarios as objects: frozen, validated, and the same after any writing and reading."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from scenarios.spec import Scenario, load_scenario

SQUARE = {"type": "Polygon", "coordinates": [[[10.0, 44.0], [11.0, 44.0], [11.0, 45.0], [10.0, 44.0]]]}
SMALLEST: dict[str, Any] = {"id": "bau", "title": "Any", "landscape": "valley", "start": 2000, "history": [1990, 2000]}

# What the design's example asks of this issue: no patches and no replace_driver, which come later.
EXAMPLE: dict[str, Any] = {
    "id": "restoration-2045",
    "title": {"en": "Restore the valley", "es": "Restaurar el valle"},
    "storyline": "The partnership restores degraded pasture along the river and protects the upper forest.",
    "landscape": "plum-island",
    "start": 1999,
    "years": 20,
    "history": [1985, 1991, 1999],
    "transitions": {"minimum_hectares": 20},
    "potential": {"model": "additive", "drivers": ["elevation", "slope"], "neighbourhood_m": 210},
    "demand": {"rule": "markov"},
    "allocation": {"rule": "cells"},
    "members": 30,
    "seed": 42,
    "interventions": [
        {
            "id": "reserve",
            "protect": {"where": SQUARE, "classes": ["forest"], "effectiveness": 0.9, "leakage": 0.3},
            "years": [2000, 2019],
        },
        {
            "id": "riparian",
            "restore": {"where": SQUARE, "from": ["other"], "to": "forest", "hectares_per_year": 40},
            "years": [2002, 2012],
            "cost": {"currency": "USD", "per_hectare": 1800, "per_year": 25000},
        },
        {"id": "zoning", "change_rate": {"from": "forest", "to": "built", "factor": 0.5}, "years": [2005, 2019]},
    ],
}

slugs = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,20}", fullmatch=True)
texts = st.text(st.characters(codec="utf-8", exclude_characters="\x00\x85"), max_size=30)  # PyYAML loses \x85
titles = st.dictionaries(st.sampled_from(["en", "es", "no", "null", "yes", "zh-Hant"]), texts, min_size=1)
amounts = st.floats(1e-9, 1e12)
shares = st.floats(0, 1)
names = st.lists(slugs, min_size=1, max_size=3)


def is_change(fields: dict[str, Any]) -> bool:
    return fields.get("to", fields.get("class")) not in fields["from"]


actions = st.one_of(
    st.fixed_dictionaries({"where": st.just(SQUARE), "classes": names, "effectiveness": shares, "leakage": shares}).map(
        lambda fields: {"protect": fields}
    ),
    st.fixed_dictionaries({"where": st.just(SQUARE), "from": names, "to": slugs, "hectares_per_year": amounts})
    .filter(is_change)
    .map(lambda fields: {"restore": fields}),
    st.tuples(st.lists(slugs, min_size=2, max_size=2, unique=True), st.floats(0, 100)).map(
        lambda drawn: {"change_rate": {"from": drawn[0][0], "to": drawn[0][1], "factor": drawn[1]}}
    ),
    st.fixed_dictionaries({"priority": slugs, "from": names, "to": slugs, "hectares_per_year": amounts})
    .filter(is_change)
    .map(lambda fields: {"convert": fields}),
    st.fixed_dictionaries({"class": slugs, "hectares": amounts, "from": names})
    .filter(is_change)
    .map(lambda fields: {"target": fields}),
    st.fixed_dictionaries({"driver": slugs, "layer": st.one_of(slugs, slugs.map(lambda name: {"slope_of": name}))}).map(
        lambda fields: {"replace_driver": fields}
    ),
)
costs = st.fixed_dictionaries({"currency": st.just("EUR"), "per_hectare": amounts})
plans = st.builds(
    lambda name, action, years, cost: {"id": name, "years": sorted(years), **action, **cost},
    slugs,
    actions,
    st.tuples(st.integers(2001, 2020), st.integers(2001, 2020)),
    st.one_of(st.just({}), costs.map(lambda c: {"cost": c})),
)
drivers = st.one_of(
    slugs,
    slugs.map(lambda name: {"slope_of": name}),
    slugs.map(lambda name: {"distance_to": SQUARE, "name": f"to {name}"}),
    st.fixed_dictionaries({"position_of": slugs, "radius_m": amounts}),
)
scenarios = st.builds(
    Scenario,
    id=slugs,
    title=titles,
    storyline=st.one_of(st.just({}), titles),
    landscape=slugs,
    start=st.just(2000),
    years=st.integers(20, 200),
    history=st.lists(st.integers(1900, 2000), min_size=2, max_size=5, unique=True).map(lambda y: tuple(sorted(y))),
    transitions=st.fixed_dictionaries({"minimum_hectares": st.floats(0, 1e9)}),
    potential=st.fixed_dictionaries(
        {"drivers": st.lists(drivers, max_size=3, unique_by=str), "neighbourhood_m": st.lists(amounts)}
    ),
    demand=st.sampled_from([{"rule": "markov"}, {"rule": "frozen"}]),
    allocation=st.fixed_dictionaries({"rule": st.sampled_from(["cells", "patches"]), "temperature": st.floats(0, 4)}),
    members=st.integers(1, 255),
    seed=st.integers(0, 2**32 - 1),
    interventions=st.lists(plans, max_size=4, unique_by=lambda plan: plan["id"]),
)


@given(scenarios)
@settings(deadline=None, max_examples=50)
def test_yaml_reads_back_to_an_equal_scenario(tmp_path_factory: pytest.TempPathFactory, any_scenario: Scenario) -> None:
    path = tmp_path_factory.mktemp("yaml") / "scenario.yaml"
    path.write_text(any_scenario.to_yaml(), encoding="utf-8")
    assert load_scenario(path) == any_scenario


@given(scenarios)
@settings(deadline=None, max_examples=25)
def test_json_reads_back_to_an_equal_scenario(any_scenario: Scenario) -> None:
    assert Scenario.model_validate_json(any_scenario.model_dump_json()) == any_scenario
    assert Scenario.model_validate_json(any_scenario.model_dump_json(by_alias=True)) == any_scenario


def test_the_example_of_the_design_is_a_scenario() -> None:
    found = Scenario.model_validate(EXAMPLE)
    assert found.end == 2019
    assert list(found.projected_years) == list(range(2000, 2020))
    assert found.storyline["en"].startswith("The partnership")
    assert list(found.potential.neighbourhood_m) == [210]
    assert [p.acts_in(2002) for p in found.interventions] == [True, True, False]
    reserve, riparian, zoning = found.interventions
    assert reserve.protect is not None
    assert (reserve.protect.effectiveness, reserve.protect.leakage) == (0.9, 0.3)
    assert riparian.restore is not None
    assert (riparian.restore.from_, riparian.restore.to) == (("other",), "forest")
    assert riparian.restore.hectares_per_year == 40
    assert riparian.cost is not None
    assert riparian.cost.per_year == 25000
    assert zoning.change_rate is not None
    assert (zoning.change_rate.from_, zoning.change_rate.factor) == ("forest", 0.5)


def test_an_intervention_acts_in_its_first_and_last_year() -> None:
    plan = Scenario.model_validate(EXAMPLE).interventions[1]
    assert [year for year in range(1999, 2020) if plan.acts_in(year)] == list(range(2002, 2013))


def test_the_smallest_scenario_has_defaults() -> None:
    found = Scenario.model_validate(SMALLEST)
    assert (found.years, found.demand.rule, found.allocation.rule) == (20, "markov", "cells")
    assert found.title == {"en": "Any"}


def models_of(model: BaseModel) -> list[BaseModel]:
    """Return a model and every model inside it."""
    inside = [getattr(model, name) for name in type(model).model_fields]
    flat = [v for value in inside for v in (value if isinstance(value, tuple) else (value,))]
    return [model, *(m for v in flat if isinstance(v, BaseModel) for m in models_of(v))]


def test_every_part_is_frozen() -> None:
    parts = models_of(Scenario.model_validate(EXAMPLE))
    assert len({type(part) for part in parts}) == 11
    for part in parts:
        for name in type(part).model_fields:
            with pytest.raises(ValidationError, match="frozen"):
                setattr(part, name, getattr(part, name))


def test_the_published_schema_is_json_schema() -> None:
    schema = json.loads(json.dumps(Scenario.model_json_schema()))
    jsonschema.Draft202012Validator.check_schema(schema)
    assert {"id", "title", "landscape", "start", "history"} == set(schema["required"])


def test_the_published_schema_accepts_what_the_engine_accepts() -> None:
    validator = jsonschema.Draft202012Validator(Scenario.model_json_schema())
    assert [list(validator.iter_errors(document)) for document in (SMALLEST, EXAMPLE)] == [[], []]


def test_the_published_schema_accepts_what_the_engine_writes(tmp_path: Path) -> None:
    written = yaml.safe_load(Scenario.model_validate(EXAMPLE).to_yaml())
    validator = jsonschema.Draft202012Validator(Scenario.model_json_schema())
    assert list(validator.iter_errors(written)) == []


@pytest.mark.parametrize(
    "wrong",
    [{"members": 256}, {"id": "Ä b"}, {"start": 1989}, {"history": [2000]}, {"allocation": {"rule": "fields"}}],
    ids=str,
)
def test_the_object_refuses_what_the_file_refuses(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Scenario.model_validate(SMALLEST | wrong)
