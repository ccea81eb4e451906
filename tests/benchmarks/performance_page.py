"""The page of results: what `make bench-scale` measured, with the machine that it was measured on."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import numba
import numpy as np
import psutil
import zarr

from tests.benchmarks.bars import HEAD, Bench

_TOP = """\
# Performance

How fast and how lean the engine is on large landscapes, beside what it is compared with. `make bench-scale
REPORT=docs/performance.md` measures and writes this page anew; nothing on it was typed in. Seconds hold for this
machine; ratios compare two jobs of one process, one right after the other, and tell more. A drawn member takes cells by
their likelihood, the best map takes the likeliest.

"""


def write_page(path: Path, bench: Bench, note: str = "") -> None:
    """Write the results as a page of the documentation, a note first."""
    parts = [_TOP, note, describe_machine()]
    for heading, rows in bench.sections.items():
        parts.append(f"\n## {heading}\n\n| {' | '.join(('measure', *HEAD[1:]))} |\n|---|---:|---:|---:|---|\n")
        parts += [f"| {' | '.join(cell.strip() for cell in row.cells())} |\n" for row in rows]
    parts += ["\n", *(f"Not measured: {heading}: {reason}.\n" for heading, reason in bench.skipped.items())]
    parts.append(f"\n{str(bench).splitlines()[-1]}.\n")
    path.write_text("".join(parts), "utf-8")


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
