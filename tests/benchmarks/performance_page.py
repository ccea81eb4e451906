"""The page of results: what `make bench-scale` and `make bench` measured, and on which machine.

Each writes its own part of the page, between two marks, and leaves the other's as it is.
"""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numba
import numpy as np
import psutil
import zarr

from tests.benchmarks.bars import HEAD, Bench

_TOP = """\
# Performance

How fast and how lean the engine is on large landscapes, beside what it is compared with. `make bench-scale
REPORT=docs/performance.md` and `make bench REPORT=docs/performance.md` measure, and write their parts of this page
anew; nothing on it was typed in. Seconds hold for this machine; ratios compare jobs of one run, one right after the
other, and tell more. A drawn member takes cells by their likelihood, the best map takes the likeliest.
"""
_PARTS = {"scale": "Against the bars", "members": "Members, by threads and by processes"}
_WRITING = "test_write_as_many_maps"
_ABOUT_MEMBERS = """\
Drawing an ensemble of a landscape of patches whose cells are all alike, {years}, with a neighbourhood of 7 x 7 cells:
in seconds, and as a multiple of the time to write as many maps as one member has.
"""


def write_bars(path: Path, bench: Bench, note: str = "") -> None:
    """Write the results of `make bench-scale`, a note first."""
    parts = [note, describe_machine()]
    for heading, rows in bench.sections.items():
        parts.append(f"\n### {heading}\n\n| {' | '.join(('measure', *HEAD[1:]))} |\n|---|---:|---:|---:|---|\n")
        parts += [f"| {' | '.join(cell.strip() for cell in row.cells())} |\n" for row in rows]
    parts += ["\n", *(f"Not measured: {heading}: {reason}.\n" for heading, reason in bench.skipped.items())]
    parts.append(f"\n{str(bench).splitlines()[-1]}.\n")
    _write_part(path, "scale", "".join(parts))


def write_members(path: Path, benchmarks: Sequence[Mapping[str, Any]]) -> None:
    """Write the results of `make bench`: what pytest-benchmark says of the members, beside writing their maps."""
    writing = {each["params"]["millions"]: each for each in benchmarks if each["name"].startswith(_WRITING)}
    drawn = [each for each in benchmarks if each["params"] and "members" in each["params"]]
    years = drawn[0]["group"].partition(", ")[2]
    parts = [
        describe_machine(),
        f"\n{_ABOUT_MEMBERS.format(years=years)}",
        "\n| million cells | transitions | members | by | seconds | writing, seconds | times writing |\n",
        "|---:|---:|---:|---|---:|---:|---:|\n",
    ]
    for each in sorted(drawn, key=_order):
        told, seconds = each["params"], each["stats"]["min"]
        write = writing[told["millions"]]["stats"]["min"]
        cells = f"{told['millions']:g} | {told['transitions']} | {told['members']} | {told['kind']}"
        parts.append(f"| {cells} | {seconds:.2f} | {write:.2f} | {seconds / write:.2f} |\n")
    _write_part(path, "members", "".join(parts))


def _order(benchmark: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(benchmark["params"][name] for name in ("millions", "transitions", "members", "kind"))


def _write_part(path: Path, name: str, text: str) -> None:
    """Put a part between its marks, and leave the others."""
    known = path.read_text("utf-8") if path.exists() else ""
    page = [_TOP]
    for each, heading in _PARTS.items():
        begin, end = f"<!-- {each}: begin -->", f"<!-- {each}: end -->"
        kept = known.partition(begin)[2].partition(end)[0].strip() or f"## {heading}\n\nNot measured yet."
        page.append(f"\n{begin}\n\n{f'## {heading}{chr(10) * 2}{text}'.strip() if each == name else kept}\n\n{end}\n")
    path.write_text("".join(page), "utf-8")


def describe_machine() -> str:
    """Return a sentence on the machine, the libraries and the day."""
    cores, memory = len(os.sched_getaffinity(0)), psutil.virtual_memory().total / 2**30
    libraries = f"NumPy {np.__version__}, Numba {numba.__version__}, Zarr {zarr.__version__}"
    return (
        f"Measured on {datetime.now(UTC):%d %B %Y} by datacommons {version('datacommons')}: {_name_processor()}, "
        f"{cores} cores, {memory:.0f} GiB, {platform.system()}, Python {platform.python_version()}, {libraries}.\n"
    )


def _name_processor() -> str:
    told = Path("/proc/cpuinfo")
    lines = told.read_text("utf-8").splitlines() if told.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


if __name__ == "__main__":
    results, page = map(Path, sys.argv[1:])
    write_members(page, json.loads(results.read_text("utf-8"))["benchmarks"])
