"""Lets the reference read our docstrings, which are written for `help()`: a little less formal than numpydoc has it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import griffe

# The engine leaves types to the signature: ``chunk : edge of the blocks, in cells`` has none.
_WITHOUT_TYPES = ("scenarios.", "datacommons.runs.run.")
_PARAMETER = re.compile(r"([a-z_*][\w*, ]*) : (.+)")
_ROLE = re.compile(r":[a-z]+:`~?([^`]+)`")
_INDENT = "    "


class Docstrings(griffe.Extension):
    """Rewrites docstrings before they are read."""

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:  # noqa: ARG002  (griffe passes more)
        """Rewrite the docstring of a module, class, function or attribute."""
        if obj.docstring is None:
            return
        lines = [_ROLE.sub(r"`\1`", line) for line in obj.docstring.value.splitlines() if line != "::"]
        if obj.path.startswith(_WITHOUT_TYPES):
            returned = str(obj.returns or "") if isinstance(obj, griffe.Function) else ""
            lines = list(_move_types(lines, returned))
        obj.docstring.value = "\n".join(lines)


def _move_types(lines: list[str], returned: str) -> Iterator[str]:
    """Write what a parameter is below its name, and what is returned below its type."""
    section = ""
    for line, below in zip(lines, [*lines[1:], ""], strict=True):
        if below.startswith("---"):
            section = line
        heading = below.startswith("---") or line.startswith("---")
        if section == "Parameters" and (found := _PARAMETER.fullmatch(line)):
            for name in found[1].split(", "):  # each has a type of its own
                yield from (name, _INDENT + found[2])
        elif section in ("Returns", "Yields") and line and not heading:
            yield _INDENT + line
        else:
            yield line
        if section in ("Returns", "Yields") and line.startswith("---"):
            yield returned
