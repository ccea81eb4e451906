"""Scenario files: every mistake is named with its line, its field and the mend."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from scenarios.errors import ScenarioError, ScenarioInvalid, ScenarioNotFound
from scenarios.spec import DerivedDriver, Scenario, load_scenario

GOOD = """\
id: restore
title: {en: Restore}
landscape: valley
start: 2000
years: 20
history:
  - 1990
  - 2000
transitions:
  minimum_hectares: 20
potential:
  model: additive
  drivers: [slope]
  neighbourhood_m: [100, 300]
demand:
  rule: markov
allocation:
  rule: cells
  temperature: 1
members: 10
seed: 42
interventions:
  - id: zoning
    years: [2005, 2019]
    change_rate:
      from: forest
      to: built
      factor: 0.5
  - id: river
    years: [2002, 2012]
    restore:
      where: river.geojson
      from: [other]
      to: forest
      hectares_per_year: 40
    cost:
      currency: USD
      per_hectare: 1800
  - id: reserve
    years: [2001, 2020]
    protect:
      where: river.geojson
      classes: [forest]
      effectiveness: 0.9
      leakage: 0.3
"""

RING = [[10.0, 44.0], [11.0, 44.0], [11.0, 45.0], [10.0, 45.0], [10.0, 44.0]]


def features(*geometries: dict[str, Any] | None) -> dict[str, Any]:
    items = [{"type": "Feature", "properties": {}, "geometry": geometry} for geometry in geometries]
    return {"type": "FeatureCollection", "features": items}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a place."""
    (tmp_path / "river.geojson").write_text(json.dumps(features({"type": "Polygon", "coordinates": [RING]})), "utf-8")
    return tmp_path


def read(folder: Path, text: str | bytes) -> Scenario:
    path = folder / "scenario.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return load_scenario(path)


def refusal(folder: Path, text: str | bytes) -> str:
    with pytest.raises(ScenarioInvalid) as caught:
        read(folder, text)
    return str(caught.value)


def test_the_good_file_is_read(folder: Path) -> None:
    assert [plan.id for plan in read(folder, GOOD).interventions] == ["zoning", "river", "reserve"]


WRONG = [  # what stands there, what is written instead, line, field, what the message also says
    ("id: restore", "id: Restore!", 1, "id", "small letters"),
    ("title: {en: Restore}", "title: {}", 2, "title", "at least 1"),
    ("title: {en: Restore}", "title: [a]", 2, "title", "dictionary"),
    ("landscape: valley", "landscape: my valley", 3, "landscape", "small letters"),
    ("landscape: valley\n", "", 1, "landscape", "add the field"),
    ("start: 2000", "start: soon", 4, "start", "integer"),
    ("start: 2000", "start: 20000", 4, "start", "less than or equal to 3000"),
    ("years: 20", "years: 0", 5, "years", "greater than or equal to 1"),
    ("  - 1990", "  - early", 7, "history[0]", "integer"),
    ("  - 1990\n", "", 7, "history", "at least 2"),
    ("minimum_hectares: 20", "minimum_hectares: -1", 10, "transitions.minimum_hectares", "greater than or equal to 0"),
    ("minimum_hectares: 20", "minimum_acres: 20", 10, "transitions.minimum_acres", "no such field"),
    ("model: additive", "model: forest", 12, "potential.model", "'additive', 'logistic', 'weights_of_evidence'"),
    ("drivers: [slope]", "drivers: [1]", 13, "potential.drivers[0]", "string"),
    ("drivers: [slope]", "drivers: [{}]", 13, "potential.drivers[0]", "exactly one of distance_to, slope_of"),
    ("[slope]", "[{slope_of: a, position_of: a}]", 13, "potential.drivers[0]", "found slope_of and position_of"),
    ("[slope]", "[{slope_of: a, radius_m: 9}]", 13, "potential.drivers[0]", "'radius_m' is for 'position_of' only"),
    ("[slope]", "[{slope_of: 1}]", 13, "potential.drivers[0].slope_of", "string"),
    ("[slope]", "[slope, {steepness_of: a}]", 13, "potential.drivers[1].steepness_of", "no such field"),
    ("[slope]", "[{distance_to: {type: Point}}]", 13, "potential.drivers[0]", "needs a 'name'"),
    ("drivers: [slope]", "drivers: [slope, a, slope]", 12, "potential", "names the driver 'slope' twice"),
    ("[100, 300]", "[100, 0]", 14, "potential.neighbourhood_m[1]", "greater than 0"),
    ("rule: markov", "rule: guess", 16, "demand.rule", "'markov'"),
    ("rule: markov", "rule: table", 16, "demand", "needs a 'table'"),
    ("rule: markov", "table: {year: [2020]}", 16, "demand", "needs 'rule: table'"),
    ("rule: cells", "rule: fields", 18, "allocation.rule", "'cells' or 'patches'"),
    ("temperature: 1", "temperature: 5", 19, "allocation.temperature", "less than or equal to 4"),
    ("members: 10", "members: 256", 20, "members", "less than or equal to 255"),
    ("seed: 42", "seed: -1", 21, "seed", "greater than or equal to 0"),
    ("seed: 42", "sed: 42", 21, "sed", "no such field"),
    ("id: zoning", "id: Zoning", 23, "interventions[0].id", "small letters"),
    ("years: [2005, 2019]", "years: [2005]", 24, "interventions[0].years[1]", "add the field"),
    ("years: [2005, 2019]", "years: [2019, 2005]", 23, "interventions[0]", "put the earlier year first"),
    ("      from: forest\n", "", 26, "interventions[0].change_rate.from", "add the field"),
    ("factor: 0.5", "factor: -1", 28, "interventions[0].change_rate.factor", "greater than or equal to 0"),
    ("factor: 0.5", "factor: .nan", 28, "interventions[0].change_rate.factor", "a finite number, found nan"),
    ("from: [other]", "from: []", 33, "interventions[1].restore.from", "at least 1"),
    ("      to: forest\n", "", 32, "interventions[1].restore.to", "add the field"),
    ("_per_year: 40", "_per_year: 0", 35, "interventions[1].restore.hectares_per_year", "greater than 0"),
    ("_per_year: 40", "_per_year: .inf", 35, "interventions[1].restore.hectares_per_year", "finite"),
    ("currency: USD", "currency: dollars", 37, "interventions[1].cost.currency", "[A-Z]{3}"),
    ("per_hectare: 1800", "per_hectare: -1", 38, "interventions[1].cost.per_hectare", "greater than or equal to 0"),
    ("classes: [forest]", "classes: []", 43, "interventions[2].protect.classes", "at least 1"),
    ("effectiveness: 0.9", "effectiveness: 9", 44, "interventions[2].protect.effectiveness", "less than or equal to 1"),
    ("leakage: 0.3", "leakage: lots", 45, "interventions[2].protect.leakage", "number"),
    ("where: river.geojson\n      from", "where: 5\n      from", 32, "interventions[1].restore.where", "string"),
]


@pytest.mark.parametrize(("good", "bad", "line", "field", "mend"), WRONG, ids=[f"{w[3]}: {w[1]!r}" for w in WRONG])
def test_a_wrong_field_is_named(folder: Path, good: str, bad: str, line: int, field: str, mend: str) -> None:
    assert GOOD.count(good) >= 1
    message = refusal(folder, GOOD.replace(good, bad, 1))
    told = next((told for told in message.splitlines() if told.startswith(f"line {line}, {field}")), None)
    assert told is not None, message
    assert mend in told


CONTRADICTIONS = [
    ("  - 2000", "  - 1980", ["history", "rising", "[1990, 1980]"]),
    ("start: 2000", "start: 1999", ["history ends in 2000", "start 1999", "end it at or before"]),
    ("id: river", "id: zoning", ["share an id", "zoning"]),
    ("[2005, 2019]", "[2021, 2030]", ["'zoning'", "2021 to 2030", "outside the projected years 2001 to 2020", "move"]),
    ("[2005, 2019]", "[1995, 2000]", ["'zoning'", "outside the projected years"]),
    ("    change_rate:\n      from: forest\n      to: built\n      factor: 0.5\n", "", ["interventions[0]", "none"]),
    ("to: built", "to: forest", ["interventions[0].change_rate", "forest"]),
    ("from: [other]", "from: [other, forest]", ["interventions[1].restore", "forest"]),
    (
        "      where: river.geojson\n      from",
        "      from",
        ["interventions[1].restore", "add where, priority"],
    ),
    ("factor: 0.5", "factor: [1, -1]", ["line 28, interventions[0].change_rate.factor[1]", "greater than or equal"]),
    (
        "[2005, 2019]\n    change_rate:\n      from: forest\n      to: built\n      factor: 0.5",
        "[2005, 2005]\n    change_rate:\n      from: forest\n      to: built\n      factor: [1, 0.5]",
        ["interventions[0]", "a ramp needs two years"],
    ),
]


@pytest.mark.parametrize(("good", "bad", "told"), CONTRADICTIONS, ids=[c[1].strip() or "none" for c in CONTRADICTIONS])
def test_a_contradiction_is_explained(folder: Path, good: str, bad: str, told: list[str]) -> None:
    message = refusal(folder, GOOD.replace(good, bad, 1))
    assert [part for part in told if part not in message] == []


def test_two_actions_in_one_intervention_are_refused(folder: Path) -> None:
    rate = "    change_rate: {from: other, to: built, factor: 2}\n"
    message = refusal(folder, GOOD.replace("    restore:\n", rate + "    restore:\n"))
    assert "interventions[1]" in message
    assert "restore and change_rate" in message


def test_all_mistakes_are_told_at_once(folder: Path) -> None:
    message = refusal(folder, GOOD.replace("seed: 42", "seed: x").replace("years: 20", "years: 0"))
    assert "line 5, years" in message
    assert "line 21, seed" in message


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "5\n", "id: [\n", "id: x\n\tstart: 3\n", "id: a\x00\n"], ids=repr)
def test_what_is_no_scenario_is_refused_with_the_name_of_the_file(folder: Path, text: str) -> None:
    assert "scenario.yaml" in refusal(folder, text)


@pytest.mark.parametrize("value", ["5", "abc", "{id: x}", "[abc]", "[5]", "null"])
def test_interventions_of_a_wrong_kind_are_refused(folder: Path, value: str) -> None:
    text = GOOD[: GOOD.index("interventions:")] + f"interventions: {value}\n"
    assert "line 22, interventions" in refusal(folder, text)


def test_a_file_in_another_encoding_is_refused(folder: Path) -> None:
    assert "scenario.yaml" in refusal(folder, GOOD.encode() + b"storyline: caf\xe9\n")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ScenarioNotFound, match=r"nowhere\.yaml") as caught:
        load_scenario(tmp_path / "nowhere.yaml")
    assert isinstance(caught.value, FileNotFoundError)


def test_a_place_becomes_its_geometry(folder: Path) -> None:
    for plan in read(folder, GOOD).interventions[1:]:
        action = plan.restore or plan.protect
        assert action is not None
        assert isinstance(action.where, dict)
        assert action.where["type"] == "Polygon"
        assert sorted(map(tuple, action.where["coordinates"][0])) == sorted(map(tuple, RING))


def test_a_scenario_is_whole_without_its_places(folder: Path) -> None:
    before = read(folder, GOOD)
    (folder / "river.geojson").unlink()
    assert read(folder, before.to_yaml()) == before


def test_a_geometry_may_stand_in_the_file_itself(folder: Path) -> None:
    found = read(folder, GOOD.replace("river.geojson", json.dumps({"type": "Polygon", "coordinates": [RING]})))
    assert found == read(folder, GOOD)


def test_several_polygons_become_one_place(folder: Path) -> None:
    far = [[[x + 5, y] for x, y in RING]]
    both = features({"type": "Polygon", "coordinates": [RING]}, {"type": "Polygon", "coordinates": far})
    (folder / "river.geojson").write_text(json.dumps(both), "utf-8")
    action = read(folder, GOOD).interventions[1].restore
    assert action is not None
    assert isinstance(action.where, dict)
    assert action.where["type"] == "MultiPolygon"


def test_polygons_that_overlap_or_cross_themselves_become_one_place(folder: Path) -> None:
    bow_tie = [[10.0, 44.0], [11.0, 45.0], [11.0, 44.0], [10.0, 45.0], [10.0, 44.0]]
    both = features({"type": "Polygon", "coordinates": [bow_tie]}, {"type": "Polygon", "coordinates": [RING]})
    (folder / "river.geojson").write_text(json.dumps(both), "utf-8")
    try:
        action = read(folder, GOOD).interventions[1].restore
    except ScenarioInvalid as error:
        assert "river.geojson" in str(error)  # noqa: PT017 - helped or refused, both are right; a bare crash is not
    else:
        assert action is not None


LINE = {"type": "LineString", "coordinates": [[10.0, 44.0], [10.5, 44.5]]}


def test_the_distance_to_a_file_becomes_that_to_its_geometry(folder: Path) -> None:
    (folder / "roads.geojson").write_text(json.dumps(features(LINE)), "utf-8")
    text = GOOD.replace("drivers: [slope]", "drivers: [slope, {distance_to: built}, {distance_to: roads.geojson}]")
    swap = "{replace_driver: {driver: distance to roads, layer: {distance_to: river.geojson}}"
    found = read(folder, f"{text}  - {swap}, id: ring, years: [2005, 2019]}}\n")
    layer, town, roads = found.potential.drivers
    assert layer == "slope"
    assert isinstance(town, DerivedDriver)
    assert isinstance(roads, DerivedDriver)
    assert (town.distance_to, town.title) == ("built", "distance to built")
    assert isinstance(roads.distance_to, dict)
    assert (roads.distance_to["type"], roads.title) == ("LineString", "distance to roads")
    assert found.interventions[-1].layers == ("distance to roads", "distance to river")
    (folder / "roads.geojson").unlink()
    (folder / "river.geojson").unlink()
    assert read(folder, found.to_yaml()) == found


@pytest.mark.parametrize(("name", "content"), [("roads.geojson", "{"), ("none.geojson", json.dumps(features(None)))])
def test_a_file_without_anything_to_be_distant_from_is_refused(folder: Path, name: str, content: str) -> None:
    (folder / name).write_text(content, "utf-8")
    assert name in refusal(folder, GOOD.replace("[slope]", f"[{{distance_to: {name}}}]"))


def test_two_drivers_of_one_name_are_refused(folder: Path) -> None:
    roads = json.dumps(LINE)
    text = GOOD.replace("[slope]", f"[{{distance_to: {roads}, name: roads}}]")
    swap = "replace_driver: {driver: roads, layer: {slope_of: height, name: roads}}"
    message = refusal(folder, f"{text}  - {{id: ring, years: [2005, 2019], {swap}}}\n")
    assert "two drivers are called 'roads'; give that of 'ring' another 'name'" in message


def test_a_missing_place_is_named(folder: Path) -> None:
    (folder / "river.geojson").unlink()
    with pytest.raises(ScenarioNotFound, match=r"river\.geojson"):
        read(folder, GOOD)


POINT = {"type": "Point", "coordinates": [10.0, 44.0]}


@pytest.mark.parametrize(
    "content",
    ["", "{", json.dumps(features()), json.dumps(features(None)), json.dumps(features(POINT))],
    ids=["empty", "broken", "no feature", "no geometry", "a point"],
)
def test_a_place_without_a_polygon_is_refused(folder: Path, content: str) -> None:
    (folder / "river.geojson").write_text(content, "utf-8")
    assert "river.geojson" in refusal(folder, GOOD)


def test_errors_are_also_of_a_standard_type() -> None:
    kinds = ScenarioError.__subclasses__()
    assert len(kinds) >= 3
    for kind in kinds:
        assert issubclass(kind, ValueError | LookupError | OSError | RuntimeError)
