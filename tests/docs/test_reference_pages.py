"""The pages about commands and data name every option, setting, collection, asset and field that there is."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path

import pytest
import typer.main

from catalog.collections import make_collections
from datacommons.cli import app
from datacommons.settings import Settings
from tests.datacommons.hindcasts import make_hindcast

DOCS = Path(__file__).resolve().parents[2] / "docs"
GROUPS = typer.main.get_group(app).commands  # type: ignore[attr-defined]
COMMANDS = {
    f"{group} {name}".strip(): command
    for group, commands in GROUPS.items()
    for name, command in ({"": commands} | getattr(commands, "commands", {})).items()
}
EVERYWHERE = {"--commons", "--help"}
SCHEMAS = {
    name: json.loads((files("catalog") / "schemas" / name / "v1.0.0" / "schema.json").read_text("utf-8"))
    for name in ("landscape", "scenario")
}


def read_section(page: str, heading: str) -> str:
    """Return what stands below a heading, down to the next one."""
    text = (DOCS / page).read_text("utf-8")
    return re.split(r"^#+ ", re.split(rf"^#+ {re.escape(heading)}$", text, flags=re.MULTILINE)[1], flags=re.MULTILINE)[
        0
    ]


def read_names(section: str) -> list[str]:
    """Return the first cells of a section's tables, where they are code."""
    return re.findall(r"^\| `([^`]+)`", section, re.MULTILINE)


def test_every_command_is_described() -> None:
    headings = re.findall(r"^##+ (.+)$", (DOCS / "reference/cli.md").read_text("utf-8"), re.MULTILINE)
    assert headings == list(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_is_described(command: str) -> None:
    options = {each.opts[0] for each in COMMANDS[command].params if each.opts[0].startswith("-")}
    assert sorted(read_names(read_section("reference/cli.md", command))) == sorted(options - EVERYWHERE)


def test_every_setting_is_described() -> None:
    assert read_names(read_section("data-model.md", "On the disk")) == list(Settings.model_fields)


def test_every_collection_is_described() -> None:
    assert read_names(read_section("data-model.md", "Collections")) == [
        each["id"] for each in make_collections(name="x")
    ]


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_field_of_our_extensions_is_described(name: str) -> None:
    definitions = SCHEMAS[name]["definitions"]
    fields = [*definitions["fields"]["properties"], *definitions.get("class", {}).get("properties", {})]
    described = [each for each in read_names(read_section("data-model.md", name)) if ":" in each]
    assert sorted(described) == sorted(fields)


def test_every_score_of_a_run_is_described() -> None:
    hindcast = make_hindcast()
    rows = [line for line in read_section("data-model.md", "scenario").splitlines() if line.startswith("| `")]
    described = [name for row in rows for name in re.findall(r"`([a-z_]+)`", row.split(" | ")[0])]
    assert sorted(described) == sorted(hindcast.summary())
