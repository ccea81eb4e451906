"""A run that fails half-way was never there: nothing of it is visible, and no file of it stays behind."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, cast

import pytest

import datacommons as dc
from catalog.store import CatalogStore
from datacommons.commons import Commons
from datacommons.runs.run import Run
from datacommons.settings import read_settings
from tests.bounds import files_no_larger_than
from tests.commands import PATIENCE_S, command, complaints, start
from tests.end_to_end.conftest import RUN, SCENARIO
from tests.inventory import unchanged

QUICK = (
    SCENARIO.replace("years: 20", "years: 2")
    .replace("[1985, 1991, 1999]", "[1985, 1991]")
    .replace("members: 4", "members: 1")
)
RUNS = Path("plum-island") / "runs" / "plum-island"


@pytest.fixture(scope="module")
def folder(copy_commons: Callable[[], Path]) -> Path:
    """Return a user's folder with a commons in which no run succeeds."""
    folder = copy_commons()
    (folder / "quick.yaml").write_text(QUICK, "utf-8")
    return folder


class FickleCatalog:
    """A store that can refuse one way of writing, and does the rest as the store behind it."""

    def __init__(self, store: CatalogStore) -> None:
        self._store = store
        self._refused = ""

    def __getattr__(self, name: str) -> Any:
        return self._refuse if name == self._refused else getattr(self._store, name)

    def _refuse(self, *documents: object) -> None:
        raise OSError("database or disk is full")

    @contextmanager
    def refusing(self, name: str) -> Iterator[None]:
        self._refused = name
        try:
            yield
        finally:
            self._refused = ""


@pytest.fixture(scope="module")
def catalog(folder: Path) -> Iterator[FickleCatalog]:
    with dc.open(folder / "plum-island") as commons:
        yield FickleCatalog(commons.store)


@pytest.fixture(scope="module")
def commons(folder: Path, catalog: FickleCatalog) -> Commons:
    """Return the commons; one for all, for it remembers what it learned, so that runs fail the sooner."""
    root = folder / "plum-island"
    return Commons(root, read_settings(root), cast("CatalogStore", catalog))


@contextmanager
def nothing_published(commons: Commons) -> Iterator[None]:
    """Fail if the block leaves a trace in the commons."""
    known = commons.runs()
    with unchanged(commons.root):
        yield
        assert commons.runs() == known


@pytest.mark.parametrize("size", [pytest.param(8_192, id="cube"), pytest.param(60_000, id="maps")])
def test_the_disk_is_full(commons: Commons, folder: Path, size: int) -> None:
    full = pytest.raises(OSError, match=r"(?i)too large|write failed")
    with nothing_published(commons), files_no_larger_than(size), full:
        commons.run(folder / "quick.yaml")


@pytest.fixture
def obstacle(folder: Path) -> Iterator[Path]:
    """Put a file where the folder of the scenario's runs would be."""
    path = folder / RUNS / "in-the-way"
    path.write_text("a note")
    (folder / "in-the-way.yaml").write_text(QUICK.replace("id: business-as-usual", "id: in-the-way"), "utf-8")
    yield path
    path.unlink()


def test_a_file_is_in_the_way(commons: Commons, folder: Path, obstacle: Path) -> None:
    with nothing_published(commons), pytest.raises(OSError, match="in-the-way"):
        commons.run(folder / "in-the-way.yaml")


def test_the_command_line_says_so_without_a_traceback(folder: Path, obstacle: Path) -> None:
    with unchanged(folder / "plum-island"):
        outcome = command("run", "in-the-way.yaml", folder=folder)
    assert outcome.code == 1
    assert outcome.out == ""
    assert outcome.err.startswith("Error: ")
    assert "in-the-way" in outcome.err


def test_the_catalog_cannot_be_written(commons: Commons, catalog: FickleCatalog, folder: Path) -> None:
    full = pytest.raises(OSError, match="disk is full")
    with nothing_published(commons), catalog.refusing("put_items"), full:
        commons.run(folder / "quick.yaml")


def test_the_user_interrupts(copy_commons: Callable[[], Path]) -> None:
    folder = copy_commons()
    long = SCENARIO.replace("[1985, 1991, 1999]", "[1985, 1991]").replace("members: 4", "members: 200")
    (folder / "long.yaml").write_text(long, "utf-8")
    with unchanged(folder / "plum-island"):
        with start("run", "long.yaml", folder=folder) as process:
            wait_until_written_aside(folder / "plum-island", process)
            # On its way out Python leaves a second press to the system, which a shell tells as 130 too.
            assert interrupt(process) in (1, 130, -signal.SIGINT)
        assert "Traceback" not in complaints(folder)


def interrupt(process: subprocess.Popen[str]) -> int:
    """Press Ctrl+C until it ends: Python loses an interrupt that falls into a finaliser, and a user presses again."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            return process.wait(3)
    raise AssertionError("it did not end")


def wait_until_written_aside(root: Path, process: subprocess.Popen[str]) -> None:
    """Wait until some of a run's files are written, but not in place."""
    deadline = time.monotonic() + 5 * PATIENCE_S
    while not list(root.glob(".staging-*/**/trajectory.zarr/zarr.json")):
        assert process.poll() is None, "it ended before it wrote anything"
        assert time.monotonic() < deadline, "it wrote nothing"
        time.sleep(0.02)


def test_two_who_run_the_same_scenario_at_once_get_a_run_each(copy_commons: Callable[[], Path]) -> None:
    folder = copy_commons()
    seeds = (1, 2)
    for seed in seeds:
        (folder / f"quick-{seed}.yaml").write_text(f"{QUICK}seed: {seed}\n", "utf-8")

    def run(seed: int) -> tuple[str, int]:
        with dc.open(folder / "plum-island") as commons:
            made = commons.run(folder / f"quick-{seed}.yaml", threads=1)
            return made.id, made.scenario.seed

    with ThreadPoolExecutor(len(seeds)) as pool:
        made = dict(pool.map(run, seeds))
    with dc.open(folder / "plum-island") as commons:
        published = [commons.open_run(name) for name in commons.runs() if name != RUN]
        assert {each.id: each.scenario.seed for each in published} == made
        assert sorted(made.values()) == list(seeds)
        assert all(is_whole(each) for each in published)


def is_whole(run: Run) -> bool:
    return bool((run.trajectory.land_cover > 0).any()) and len(run.area_ha) == 3
