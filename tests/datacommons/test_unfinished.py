"""Runs that end early go on from there, and end with the bytes that they would have had."""

from __future__ import annotations

import multiprocessing
import random
import shutil
import time
from contextlib import suppress
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any, cast

import pytest

import datacommons as dc
from catalog.store import CatalogStore
from datacommons.commons import Commons
from datacommons.runs.unfinished import UNFINISHED
from tests.datacommons.warm import PLANS
from tests.inventory import Inventory, take_inventory, unchanged

pytestmark = pytest.mark.long

KILLS, PATIENCE_S = 20, 120
YEARS = PLANS.years
RUN = "valley-usual-1"


class FullCatalog:
    """A store that takes nothing more."""

    def __init__(self, store: CatalogStore) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def put_items(self, documents: object) -> None:
        raise OSError("database or disk is full")


def results(root: Path) -> Inventory:
    """Return all that a commons holds, but for the time at which it was made."""
    held = take_inventory(root)
    for document in held.values():
        if isinstance(document, dict):
            document.get("properties", {}).pop("created", None)
    return held


def run(root: Path, **how: Any) -> None:
    with dc.open(root) as commons:
        commons.run(PLANS, **how)


@pytest.fixture(scope="module")
def expected(valley: Path, tmp_path_factory: pytest.TempPathFactory) -> Inventory:
    """Return what an undisturbed run leaves."""
    root = shutil.copytree(valley, tmp_path_factory.mktemp("expected") / "valley")
    run(root, threads=1, chunk=16)
    assert sum(name.startswith(f"runs/valley/usual/{RUN}/maps/") for name in held(root)) == YEARS
    return results(root)


def held(root: Path) -> list[str]:
    return list(take_inventory(root))


@pytest.fixture(scope="module")
def broken_off(valley: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a commons in which a run could not be published when all was computed, to be copied and not touched."""
    root = shutil.copytree(valley, tmp_path_factory.mktemp("broken") / "valley")
    with dc.open(root) as commons, unchanged(root):
        full = Commons(root, commons.settings, cast("CatalogStore", FullCatalog(commons.store)))
        with pytest.raises(dc.DataCommonsError, match=r"disk is full.*it goes on from there"):
            full.run(PLANS)
        assert commons.runs() == []
    return root


def journals(root: Path) -> dict[str, list[Path]]:
    """Return the files of each walk, by its name."""
    walks = sorted(root.glob(f"{UNFINISHED}/*/walks/*"))
    return {walk.name: sorted(walk.glob("*.npz")) for walk in walks}


def test_a_name_that_the_catalog_knows_is_not_given_again(valley: Path, tmp_path: Path) -> None:
    root = shutil.copytree(valley, tmp_path / "valley")
    run(root)
    shutil.rmtree(root / "runs")  # by somebody who did not ask
    run(root)
    with dc.open(root) as commons:
        assert commons.runs() == [RUN, "valley-usual-2"]


@pytest.mark.parametrize("years", range(YEARS + 1))
def test_it_goes_on_from_any_year(broken_off: Path, expected: Inventory, tmp_path: Path, years: int) -> None:
    root = shutil.copytree(broken_off, tmp_path / "valley")
    assert {name: len(files) for name, files in journals(root).items()} == dict.fromkeys(
        ("best", "member-0", "member-1"), YEARS
    )
    for walk, files in journals(root).items():
        for file in files[years if walk in ("best", "member-0") else YEARS - years :]:
            file.unlink()
    run(root, threads=2, chunk=1000)
    assert results(root) == expected
    assert not (root / UNFINISHED).exists()


def test_what_was_noted_is_not_computed_again(broken_off: Path, tmp_path: Path) -> None:
    root = shutil.copytree(broken_off, tmp_path / "valley")
    (last,) = root.glob(f"{UNFINISHED}/*/walks/best/2008.npz")
    (one_before,) = root.glob(f"{UNFINISHED}/*/walks/best/2007.npz")
    before = {path: path.stat().st_mtime_ns for path in (last, one_before)}
    last.unlink()
    with dc.open(root) as commons:
        full = Commons(root, commons.settings, cast("CatalogStore", FullCatalog(commons.store)))
        with pytest.raises(dc.DataCommonsError):
            full.run(PLANS)
    assert one_before.stat().st_mtime_ns == before[one_before]
    assert last.stat().st_mtime_ns > before[last]


@pytest.mark.parametrize("changed", [{"seed": 2}, {"years": 7}, {"members": 1}])
def test_another_scenario_begins_anew(broken_off: Path, tmp_path: Path, changed: dict[str, int]) -> None:
    root = shutil.copytree(broken_off, tmp_path / "valley")
    before = journals(root)
    with dc.open(root) as commons:
        assert commons.run(PLANS.model_copy(update=changed)).id == RUN
    assert journals(root) == before
    assert before


@pytest.fixture
def processes() -> ForkServerContext:
    """Return a maker of processes that begin with the engine loaded."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["datacommons.runs.results", "tests.datacommons.test_unfinished"])
    return context


def count_noted(root: Path) -> int:
    """Count the years that all walks have noted."""
    with suppress(FileNotFoundError):  # the run ends just now
        return len(list(root.glob(f"{UNFINISHED}/*/walks/*/*.npz")))
    return 0


def kill_at(root: Path, entries: int, processes: ForkServerContext) -> bool:
    """Kill a run when it has noted so many years; return whether it was killed before it ended."""
    process = processes.Process(target=run, args=(root,), kwargs={"threads": 2})
    process.start()
    deadline = time.monotonic() + PATIENCE_S
    while process.is_alive() and count_noted(root) < entries:
        assert time.monotonic() < deadline, "it neither went on nor ended"
        time.sleep(0.001)
    process.kill()
    process.join(PATIENCE_S)
    return process.exitcode != 0


def test_a_run_that_is_killed_ends_as_if_it_had_not_been(
    valley: Path, expected: Inventory, tmp_path: Path, processes: ForkServerContext
) -> None:
    rng, killed, chains = random.Random(1), 0, 0
    while killed < KILLS:
        root = shutil.copytree(valley, tmp_path / f"chain-{chains}" / "valley")
        chains += 1
        noted = 0
        for _ in range(5):
            noted = rng.randint(noted + 1, noted + YEARS)
            if not kill_at(root, noted, processes):
                break
            killed += 1
            with dc.open(root) as commons:
                assert commons.runs() == []
        else:
            run(root)
        assert results(root) == expected
        assert not (root / UNFINISHED).exists()
