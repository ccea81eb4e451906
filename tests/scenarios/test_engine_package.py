"""The package: who imports whom, what is public, and work done side by side."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Barrier, Event

import pytest

import scenarios
from scenarios.cluster import ONE, Workers

PACKAGE = Path(scenarios.__file__).parent
ROOMS = sorted(PACKAGE.rglob("*.py"))


def imports_of(path: Path) -> Iterator[str]:
    """Yield every module that a file imports, at its top or inside a function."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} has a relative import"
            yield node.module or ""


def rooms_that_import(package: str) -> list[str]:
    return [
        path.relative_to(PACKAGE).as_posix()
        for path in ROOMS
        if any(name == package or name.startswith(f"{package}.") for name in imports_of(path))
    ]


def test_only_one_room_imports_dask() -> None:
    assert rooms_that_import("dask") == ["cluster.py"]


def test_kernels_know_numpy_and_numba_only() -> None:
    allowed = {"__future__", "collections", "heapq", "itertools", "typing", "numpy", "numba", "scenarios.kernels"}
    for path in (PACKAGE / "kernels").glob("*.py"):
        parts = [name.split(".") for name in imports_of(path)]
        assert {".".join(part[: 2 if part[0] == "scenarios" else 1]) for part in parts} <= allowed, path.name


def test_the_engine_takes_the_legend_from_the_catalog_and_knows_no_other_package() -> None:
    ours = {"catalog", "tiles", "datacommons"}
    found = {name for path in ROOMS for name in imports_of(path) if name.split(".")[0] in ours}
    assert found == {"catalog.legend"}


def test_importing_the_engine_is_light() -> None:
    look = "import sys, scenarios; print(*sorted({'sklearn', 'dask', 'numba', 'scipy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True, cwd=PACKAGE.parent)
    assert done.stdout.strip() == ""


def test_public_names_are_pinned() -> None:
    assert sorted(scenarios.__all__) == [
        "Grid",
        "Scenario",
        "ScenarioError",
        "Workers",
        "calibrate",
        "draw_ensemble",
        "hindcast",
        "load_scenario",
        "project",
    ]
    for name in scenarios.__all__:
        assert getattr(scenarios, name).__name__ == name


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nothing_of_the_kind"):
        _ = scenarios.nothing_of_the_kind


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_results_come_in_the_order_of_the_items(threads: int) -> None:
    assert Workers(threads).map(lambda n: n * n, range(40)) == [n * n for n in range(40)]


@pytest.mark.parametrize("threads", [1, 3])
def test_items_are_handed_over_as_they_are(threads: int) -> None:
    items = [{"a": [1, 2]}, ["b"], (), None]
    assert all(a is b for a, b in zip(Workers(threads).map(lambda item: item, items), items, strict=True))


@pytest.mark.parametrize("threads", [1, 3])
def test_an_error_in_the_work_is_raised(threads: int) -> None:
    with pytest.raises(ZeroDivisionError):
        Workers(threads).map(lambda n: 1 // n, [2, 1, 0, 3])


@pytest.mark.parametrize("threads", [1, 2])
def test_two_jobs_may_use_the_workers_themselves(threads: int) -> None:
    workers = Workers(threads)
    done = workers.both(lambda: workers.map(str, range(5)), lambda: sum(workers.map(abs, range(-4, 5))))
    assert done == (["0", "1", "2", "3", "4"], 20)


def test_two_jobs_are_done_at_the_same_time() -> None:
    meeting = Barrier(2, timeout=60)  # neither job ends unless the other has begun
    assert set(Workers(2).both(meeting.wait, meeting.wait)) == {0, 1}


@pytest.mark.parametrize("blocks", [1, 4])
def test_a_job_that_fails_stops_the_other_and_waits_for_it(blocks: int) -> None:
    workers, begun, ended = Workers(2), Event(), Event()

    def fail() -> None:
        assert begun.wait(60)
        raise ZeroDivisionError

    def go_on() -> None:
        try:
            for _ in range(1_000_000):
                workers.map(lambda block: begun.set(), range(blocks))
        finally:
            ended.set()

    with pytest.raises(ZeroDivisionError):
        workers.both(fail, go_on)
    assert ended.is_set()
    assert workers.map(abs, [-1, -2]) == [1, 2], "the workers are free for the next call"


@pytest.mark.parametrize("threads", [1, 3])
def test_no_items_are_no_work(threads: int) -> None:
    assert Workers(threads).map(lambda n: n, []) == []


def test_there_is_at_least_one_thread() -> None:
    assert ONE.threads == 1
    assert Workers().threads >= 1
    with pytest.raises(ValueError, match="at least 1 thread; found 0"):
        Workers(0)
