"""The page about scenario files says what the models say: every field, default and example."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest
import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from scenarios import spec
from scenarios.errors import ScenarioInvalid
from scenarios.spec import load_scenario

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "scenarios.md").read_text("utf-8")
SECTIONS: dict[str, type[BaseModel]] = {
    "The fields": spec.Scenario,
    "transitions": spec.TransitionRule,
    "conversions": spec.ConversionRule,
    "potential": spec.PotentialRule,
    "Derived drivers": spec.DerivedDriver,
    "demand": spec.DemandRule,
    "allocation": spec.AllocationRule,
    "Interventions": spec.Intervention,
    "protect": spec.Protect,
    "restore": spec.Restore,
    "convert": spec.Convert,
    "change_rate": spec.ChangeRate,
    "target": spec.Target,
    "replace_driver": spec.ReplaceDriver,
    "cost": spec.Cost,
}
MODELS = [each for each in vars(spec).values() if isinstance(each, type) and issubclass(each, BaseModel)]
FENCE = re.compile(r"^ *```yaml(?P<title>[^\n]*)\n(?P<text>.*?)^ *```$", re.MULTILINE | re.DOTALL)
EXAMPLES = [(found["title"], found["text"]) for found in FENCE.finditer(PAGE)]
GOOD = [text for title, text in EXAMPLES if "wrong" not in title]
SHORTEST = {"id": "a", "title": "A", "landscape": "valley", "start": 1999, "history": [1985, 1999]}
RING = [[-71.0, 42.5], [-70.9, 42.5], [-70.9, 42.6], [-71.0, 42.5]]
PLACE = {"type": "Feature", "properties": {"name": "north"}, "geometry": {"type": "Polygon", "coordinates": [RING]}}


def read_table(heading: str) -> dict[str, list[str]]:
    """Return the cells of the table of fields below a heading, by field."""
    section = re.split(rf"^#+ {re.escape(heading)}$", PAGE, maxsplit=1, flags=re.MULTILINE)[1]
    section = re.split(r"^#+ ", section, maxsplit=1, flags=re.MULTILINE)[0]
    rows = [
        [cell.strip() for cell in line.strip("| ").split(" | ")] for line in section.splitlines() if line[:2] == "| "
    ]
    return {row[0].strip("`"): row for row in rows if row[0].startswith("`")}


def describe_default(field: FieldInfo) -> object:
    if field.is_required():
        return "required"
    default = field.get_default(call_default_factory=True)
    assert default is not PydanticUndefined
    if default is None:
        return "none"
    return "see below" if isinstance(default, BaseModel) else json.loads(json.dumps(default))


def test_every_model_has_a_section() -> None:
    written = {model.__name__ for model in SECTIONS.values()}
    assert {model.__name__ for model in MODELS if model.model_fields} == written


@pytest.mark.parametrize("heading", SECTIONS)
def test_the_table_has_the_fields_of_the_model(heading: str) -> None:
    fields = SECTIONS[heading].model_fields
    assert list(read_table(heading)) == [field.alias or name for name, field in fields.items()]


@pytest.mark.parametrize("heading", SECTIONS)
def test_the_table_has_the_defaults_of_the_model(heading: str) -> None:
    table = read_table(heading)
    for name, field in SECTIONS[heading].model_fields.items():
        written = table[field.alias or name][2]
        told = yaml.safe_load(written.strip("`")) if written.startswith("`") else written
        assert told == describe_default(field), name


@pytest.mark.parametrize("heading", SECTIONS)
def test_the_table_names_every_choice(heading: str) -> None:
    table = read_table(heading)
    for name, field in SECTIONS[heading].model_fields.items():
        if get_origin(field.annotation) is Literal:
            assert re.findall(r"`([^`]+)`", table[name][1]) == list(get_args(field.annotation))


@pytest.mark.parametrize("page", ["scenarios.md", "quickstart.md", "../README.md"])
def test_the_page_has_examples(page: str) -> None:
    assert FENCE.search((DOCS / page).read_text("utf-8"))


def examples_of(page: str) -> list[str]:
    found = FENCE.finditer((DOCS / page).read_text("utf-8"))
    return [each["text"] for each in found if "wrong" not in each["title"]]


ALL_EXAMPLES = [*GOOD, *examples_of("quickstart.md"), *examples_of("../README.md")]


@pytest.mark.parametrize("text", ALL_EXAMPLES, ids=lambda text: text.split("\n", 1)[0])
def test_an_example_is_valid(text: str, tmp_path: Path) -> None:
    document: Any = yaml.safe_load(text)
    whole = {**SHORTEST, "interventions": document} if isinstance(document, list) else document
    for place in re.findall(r"(?:where|zones|distance_to): ([\w./-]+\.geojson)", text):
        path = tmp_path / place
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(PLACE), "utf-8")
    (tmp_path / "areas.csv").write_text("year,forest\n2030,100\n", "utf-8")
    if "extends" in whole:
        (tmp_path / f"{whole['extends']}.yaml").write_text(yaml.safe_dump(SHORTEST), "utf-8")
    path = tmp_path / "scenario.yaml"
    path.write_text(yaml.safe_dump(whole), "utf-8")
    assert load_scenario(path).id == whole["id"]


def test_the_wrong_example_gives_the_message_that_is_shown(tmp_path: Path) -> None:
    (text,) = [text for title, text in EXAMPLES if "wrong" in title]
    path = tmp_path / "wrong.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(ScenarioInvalid) as caught:
        load_scenario(path)
    shown = re.findall(r"^line \d+, .*$", PAGE, re.MULTILINE)
    assert shown == str(caught.value).splitlines()[1:]
