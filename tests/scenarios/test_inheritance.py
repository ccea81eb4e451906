"""Scenario files that build on others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from scenarios.errors import ScenarioInvalid, ScenarioNotFound
from scenarios.spec import load_scenario

BASE = """\
id: bau
title: Business as usual
storyline: It goes on.
landscape: valley
start: 2000
years: 10
history: [1990, 2000]
potential: {drivers: [slope], neighbourhood_m: 300}
interventions:
  - id: zoning
    years: [2001, 2005]
    change_rate: {from: forest, to: built, factor: 0.5}
  - id: roads
    years: [2001, 2005]
    change_rate: {from: forest, to: built, factor: 2}
"""
RING = [[10.0, 44.0], [11.0, 44.0], [11.0, 45.0], [10.0, 45.0], [10.0, 44.0]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "bau.yaml").write_text(BASE, "utf-8")
    return tmp_path


def write(folder: Path, text: str, name: str = "child.yaml") -> Path:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize("name", ["bau", "bau.yaml", "./bau.yaml"])
def test_a_file_says_only_what_differs(folder: Path, name: str) -> None:
    found = load_scenario(write(folder, f"extends: {name}\nid: slow\ntitle: Slow\nyears: 15\n"))
    base = load_scenario(folder / "bau.yaml")
    own = {"id": "slow", "parent": "bau", "title": {"en": "Slow"}, "storyline": {}, "years": 15}
    assert found == base.model_copy(update=own)


def test_interventions_are_added_and_the_same_id_replaces(folder: Path) -> None:
    text = """\
extends: bau
id: slow
title: Slow
interventions:
  - {id: more, years: [2002, 2003], change_rate: {from: other, to: built, factor: 3}}
  - {id: zoning, years: [2001, 2009], change_rate: {from: forest, to: built, factor: 0.1}}
"""
    found = load_scenario(write(folder, text)).interventions
    assert [plan.id for plan in found] == ["zoning", "roads", "more"]
    assert found[0].years == (2001, 2009)


def test_sections_are_merged_by_field(folder: Path) -> None:
    found = load_scenario(write(folder, "extends: bau\nid: a\ntitle: A\npotential: {neighbourhood_m: 100}\n"))
    assert (found.potential.drivers, found.potential.neighbourhood_m) == (("slope",), (100,))


def test_a_parent_may_have_a_parent_in_another_folder(folder: Path) -> None:
    (folder / "zone.geojson").write_text(json.dumps({"type": "Polygon", "coordinates": [RING]}), "utf-8")
    middle = """\
extends: bau
id: middle
title: M
interventions:
  - {id: reserve, years: [2001, 2002], protect: {where: zone.geojson, classes: [forest]}}
"""
    write(folder, middle, "middle.yaml")
    found = load_scenario(write(folder, "extends: ../middle\nid: leaf\ntitle: L\nseed: 7\n", "deep/leaf.yaml"))
    assert (found.parent, found.seed, found.years) == ("middle", 7, 10)
    assert [plan.id for plan in found.interventions] == ["zoning", "roads", "reserve"]
    protect = found.interventions[2].protect
    assert protect is not None
    assert isinstance(protect.where, dict)


def test_the_written_scenario_is_whole(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    found = load_scenario(write(folder, "extends: bau\nid: slow\ntitle: Slow\n"))
    written = found.to_yaml()
    assert "extends" not in yaml.safe_load(written)
    assert yaml.safe_load(written)["parent"] == "bau"
    assert load_scenario(write(tmp_path_factory.mktemp("elsewhere"), written)) == found


def test_a_circle_is_explained(folder: Path) -> None:
    write(folder, "extends: b\nid: a\n", "a.yaml")
    write(folder, "extends: a\nid: b\n", "b.yaml")
    with pytest.raises(ScenarioInvalid, match=r"a\.yaml -> b\.yaml -> a\.yaml"):
        load_scenario(folder / "a.yaml")


def test_a_missing_parent_is_named_with_those_there_are(folder: Path) -> None:
    with pytest.raises(ScenarioNotFound, match=r"child\.yaml extends .*bua\.yaml.*there is: bau"):
        load_scenario(write(folder, "extends: bua\nid: a\n"))


@pytest.mark.parametrize("name", ["[a, b]", "5", "''"])
def test_a_parent_that_is_no_name_is_refused(folder: Path, name: str) -> None:
    with pytest.raises(ScenarioInvalid, match="line 2, extends"):
        load_scenario(write(folder, f"id: a\nextends: {name}\n"))


def test_a_mistake_in_the_parent_is_shown_there(folder: Path) -> None:
    write(folder, BASE.replace("factor: 2", "factor: -2").replace("years: 10", "years: 0"), "bau.yaml")
    text = """\
id: a
title: A
extends: bau
sed: 1
interventions:
  - {id: x, years: [2001, 2002]}
"""
    with pytest.raises(ScenarioInvalid) as caught:
        load_scenario(write(folder, text))
    message = str(caught.value)
    assert "line 6 of bau.yaml, years:" in message
    assert "line 15 of bau.yaml, interventions[1].change_rate.factor:" in message
    assert "line 4, sed:" in message
    assert "line 6, interventions[0]: needs exactly one" in message


def test_a_child_needs_its_own_name(folder: Path) -> None:
    with pytest.raises(ScenarioInvalid, match=r"line 1, id: Field required"):
        load_scenario(write(folder, "extends: bau\ntitle: A\n"))
