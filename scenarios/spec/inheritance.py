"""Scenario files that build on others: `extends: business-as-usual`, so that a file says only what differs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from scenarios.errors import ScenarioInvalid, ScenarioNotFound

_OWN = ("id", "title", "storyline", "parent")  # what a scenario is called is its own
_SECTIONS = ("transitions", "conversions", "potential", "demand", "allocation")  # merged field by field
_KINDS = ("rule", "model")  # another rule has other fields, so nothing is taken over from its parent's


@dataclass(frozen=True)
class ScenarioFile:
    """One file as it is written.

    Parameters
    ----------
    path, text : where and what it is
    document : its fields
    """

    path: Path
    text: str
    document: dict[str, Any]

    def line_of(self, where: Sequence[Any]) -> int:
        """Return the line of the deepest part of a path of fields that the file has, counted from 1."""
        return self._walk(where)[0]

    def depth_of(self, where: Sequence[Any]) -> int:
        """Return how many parts of a path of fields the file has."""
        return self._walk(where)[1]

    def _walk(self, where: Sequence[Any]) -> tuple[int, int]:
        node, depth = yaml.compose(self.text, Loader=yaml.SafeLoader), 0
        for part in where:
            if isinstance(node, yaml.MappingNode):
                found = [value for key, value in node.value if key.value == str(part)]
            elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
                found = node.value[part : part + 1]
            else:
                found = []
            if not found:
                break
            node, depth = found[0], depth + 1
        return int(node.start_mark.line) + 1 if node is not None else 1, depth


@dataclass(frozen=True)
class Lineage:
    """A scenario file with all that it builds on, merged.

    Parameters
    ----------
    document : the fields of the whole, `extends` resolved
    files : the file itself, then its parent, then that one's parent
    plans : for each intervention of the whole, the file that says it and its place there
    """

    document: dict[str, Any]
    files: tuple[ScenarioFile, ...]
    plans: tuple[tuple[ScenarioFile, int], ...]

    def locate(self, where: Sequence[Any]) -> tuple[ScenarioFile, list[Any]]:
        """Return which file says a field of the whole, and where in it."""
        if len(where) > 1 and where[0] == "interventions" and isinstance(where[1], int) and where[1] < len(self.plans):
            file, index = self.plans[where[1]]
            return file, ["interventions", index, *where[2:]]
        if where and where[0] in _OWN:
            return self.files[0], list(where)
        return max(self.files, key=lambda file: file.depth_of(where)), list(where)


def read_lineage(path: Path) -> Lineage:
    """Read a scenario file and every file that it extends.

    Raises
    ------
    ScenarioNotFound
        The file, or one that it extends, is missing.
    ScenarioInvalid
        One of them is no YAML, or they extend each other in a circle.
    """
    return _merge(_read_chain(path))


def _read_chain(path: Path) -> list[ScenarioFile]:
    chain: list[ScenarioFile] = []
    following: Path | None = path
    while following is not None:
        if following.resolve() in [file.path.resolve() for file in chain]:
            circle = " -> ".join([*(file.path.name for file in chain), following.name])
            raise ScenarioInvalid(f"{path} extends itself: {circle}. Take 'extends' out of one of them.")
        chain.append(_read(following, chain[-1].path if chain else None))
        following = _parent_of(chain[-1])
    return chain


def _read(path: Path, child: Path | None) -> ScenarioFile:
    if not path.is_file():
        if child is None:
            raise ScenarioNotFound(
                f"There is no scenario file {path}. Check the name, or write one (see docs/scenarios.md)."
            )
        known = sorted(file.stem for file in path.parent.glob("*.yaml") if file != child)
        raise ScenarioNotFound(
            f"{child} extends {path}, which does not exist. Name a scenario file beside it, with or without .yaml; "
            f"there is: {', '.join(known) or 'none'}."
        )
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ScenarioInvalid(f"{path} is not written in UTF-8: {error}. Save it again as UTF-8.") from error
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ScenarioInvalid(f"{path} is not valid YAML: {error}") from error
    if not isinstance(document, dict):
        raise ScenarioInvalid(f"{path} should hold fields such as 'id: ...', but holds {type(document).__name__}.")
    return ScenarioFile(path, text, document)


def _parent_of(file: ScenarioFile) -> Path | None:
    name = file.document.get("extends")
    if name is None:
        return None
    if not isinstance(name, str) or not name.strip():
        raise ScenarioInvalid(
            f"{file.path} has errors:\nline {file.line_of(['extends'])}, extends: should name one scenario file, "
            f"found {name!r}"
        )
    path = file.path.parent / name
    return path if path.suffix in (".yaml", ".yml") else path.with_name(f"{path.name}.yaml")


def _merge(chain: list[ScenarioFile]) -> Lineage:
    whole: dict[str, Any] = {}
    plans: list[tuple[ScenarioFile, int]] = []
    for file in reversed(chain):
        whole = {key: value for key, value in whole.items() if key not in _OWN}
        for key, value in file.document.items():
            whole[key] = _merge_section(whole.get(key), value) if key in _SECTIONS else value
        plans = _merge_plans(plans, file)
    whole.pop("extends", None)
    if len(chain) > 1:
        whole["parent"] = chain[1].document.get("id")
        if isinstance(whole.get("interventions", []), list):
            whole["interventions"] = [file.document["interventions"][index] for file, index in plans]
    return Lineage(whole, tuple(chain), tuple(plans))


def _merge_section(old: Any, new: Any) -> Any:
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return new
    same = all(key not in new or new[key] == old.get(key, new[key]) for key in _KINDS)
    return {**old, **new} if same else new


def _merge_plans(plans: list[tuple[ScenarioFile, int]], file: ScenarioFile) -> list[tuple[ScenarioFile, int]]:
    """Add a file's interventions behind its parent's; one with the id of a parent's takes its place."""
    written = file.document.get("interventions")
    if not isinstance(written, list):
        return plans
    inherited = [_id_of(*plan) for plan in plans]
    out = list(plans)
    for index in range(len(written)):
        name = _id_of(file, index)
        if name is not None and name in inherited:
            out[inherited.index(name)] = (file, index)
        else:
            out.append((file, index))
    return out


def _id_of(file: ScenarioFile, index: int) -> Any:
    plan = file.document["interventions"][index]
    return plan.get("id") if isinstance(plan, dict) else None
