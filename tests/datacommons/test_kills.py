"""Thirty processes are killed at each kind of writing: nothing acknowledged is lost, nothing half done is seen."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import datacommons as dc
from catalog.store import Query
from datacommons.commons import Commons
from datacommons.layers import search_all
from datacommons.upkeep.doctor import examine
from tests.datacommons.conftest import raster_writer
from tests.datacommons.victims import BATCH

pytestmark = pytest.mark.long

REPOSITORY = Path(__file__).resolve().parents[2]
KILLS = 30
KILLED = -9


class Killer:
    """Orders victims, and knows what they have acknowledged."""

    def __init__(self, root: Path, process: subprocess.Popen[str]) -> None:
        self.root = root
        self.acknowledged = root.with_suffix(".acknowledged")
        self._process = process

    def order(self, job: str, **order: Any) -> int:
        """Let a victim work, and return its exit code."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        order |= {"job": job, "root": str(self.root), "acknowledged": str(self.acknowledged)}
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def done(self) -> list[str]:
        """What was acknowledged so far."""
        return self.acknowledged.read_text().split() if self.acknowledged.exists() else []

    def choose_points(self, job: str, **order: Any) -> list[int]:
        """Let a victim do all its work, and choose some of its changes of the disk, with those that publish."""
        assert self.order(job, **order) == 0
        changes = json.loads(self.acknowledged.with_suffix(".changes").read_text())
        renames = [number for number, change in enumerate(changes) if change == "os.rename"][-KILLS // 2 - 1 :]
        points = [*renames, renames[-1] + 1]
        before = np.linspace(0, renames[0], KILLS - len(points), endpoint=False, dtype=int)
        return [*before.tolist(), *points]


@pytest.fixture(scope="module")
def process() -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.datacommons.victims"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=REPOSITORY, **pipes) as process:
        yield process
        process.kill()


@pytest.fixture
def killer(process: subprocess.Popen[str], lived_in: Path, tmp_path: Path) -> Killer:
    return Killer(shutil.copytree(lived_in, tmp_path / "valley"), process)


def heal(commons: Commons) -> None:
    """Let the doctor leave nothing to mend."""
    assert [str(finding) for finding in examine(commons, repair=True) if not finding.repaired] == []
    assert examine(commons) == []


def test_killed_while_layers_are_replaced(killer: Killer, tmp_path: Path) -> None:
    write = raster_writer(tmp_path / "new")

    def files(version: int) -> list[str]:
        return [str(write(f"{name}-{version}/{name}.tif", np.full((40, 60), version))) for name in ("a", "b")]

    for version in range(KILLS + 1):
        for name in ("a", "b"):
            (tmp_path / "new" / f"{name}-{version}").mkdir()
    points = killer.choose_points("ingest", version=0, files=files(0))
    for version, kill_at in enumerate(points, start=1):
        assert killer.order("ingest", version=version, files=files(version), kill_at=kill_at) == KILLED
        with dc.open(killer.root) as commons:
            replaced = [layer for layer in commons.layers("valley") if layer.name in ("a", "b")]
            assert [layer.name for layer in replaced] == ["a", "b"]
            (seen,) = {int(layer.product_version) for layer in replaced}
            assert seen in (int(killer.done()[-1]), version)
            assert all((commons.layer("valley", name) == seen).all() for name in ("a", "b"))
            heal(commons)


def test_killed_while_runs_are_published(killer: Killer) -> None:
    points = killer.choose_points("run")
    for kill_at in points:
        assert killer.order("run", kill_at=kill_at) == KILLED
        with dc.open(killer.root) as commons:
            assert {"valley-roads-1", *killer.done()} <= set(commons.runs())
            for name in commons.runs():
                maps = {f"{name}-{year}" for year in (2001, 2002)}
                assert {item["id"] for item in search_all(commons.store, Query(ids=tuple(maps)))} == maps
                assert commons.open_run(name).trajectory.land_cover.values.any()
            heal(commons)


def test_killed_while_many_items_are_put(killer: Killer) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    generator, version = random.Random(seed), 0
    for _ in range(KILLS):
        before = len(killer.done())
        while len(killer.done()) == before:
            assert killer.order("put", version=version, seconds=generator.uniform(0.2, 1.2)) == KILLED
        last = int(killer.done()[-1])
        with dc.open(killer.root) as commons:
            found = [item for item in search_all(commons.store, Query(limit=1000)) if item["id"].startswith("bulk-")]
            (seen,) = {int(item["properties"]["version"]) for item in found}
            assert len(found) == BATCH
            assert seen in (last, last + 1)
            heal(commons)
        version = seen + 1
