"""Room for large arrays: the same arrays in memory and in files, and no more memory than was allowed."""

from __future__ import annotations

import errno
import gc
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from scenarios.cluster import Workers
from scenarios.demand.transitions import Transition
from scenarios.projection.ensemble import gather_ensemble
from scenarios.projection.walks import Walks, walk_members
from scenarios.projection.yearbook import Year
from scenarios.projection.years import CENTRAL
from scenarios.scratch import IN_MEMORY, Scratch
from tests.scenarios.landscapes import projected_grid, random_map, random_model, scenario

MB = 2**20
GRID = projected_grid((300, 400))
RATES = {Transition(1, 2): 0.03, Transition(3, 1): 0.02}


def test_arrays_are_in_memory_as_long_as_they_fit(tmp_path: Path) -> None:
    scratch = Scratch(4 * MB, tmp_path)
    held = [scratch.zeros((1024, 1024), np.uint8) for _ in range(5)]
    assert scratch.bytes_aside == 2 * MB  # a quarter is left to pages of files
    assert all(not each.any() for each in held)
    del held[0]
    again = scratch.empty((512, 1024), np.uint16)
    assert scratch.bytes_aside == 2 * MB
    assert again.shape == (512, 1024)
    held.clear()
    gc.collect()
    assert scratch.bytes_aside == 0
    assert list(tmp_path.iterdir()) == []


def test_without_a_bound_all_is_in_memory() -> None:
    IN_MEMORY.zeros((2000, 2000), np.uint8)
    assert IN_MEMORY.bytes_aside == 0


def test_a_copy_is_one(tmp_path: Path) -> None:
    first = np.arange(100_000, dtype=np.int16).reshape(100, 1000)
    copy = Scratch(0, tmp_path).copy(first)
    np.testing.assert_array_equal(copy, first)
    copy[0] = 7
    assert first[0, 0] == 0


def test_pages_are_let_go_of_and_found_again(tmp_path: Path) -> None:
    scratch, process = Scratch(16 * MB, tmp_path), psutil.Process()
    before, most = process.memory_info().rss, 0
    large = scratch.zeros((100, MB), np.uint8)
    for n, row in enumerate(large):
        row[:] = n
        time.sleep(0.005)
        most = max(most, process.memory_info().rss)
    assert most - before < 60 * MB, "a hundred were written to"
    assert [int(row[12345]) for row in large] == list(range(100))
    del large, row
    gc.collect()
    deadline = time.monotonic() + 30
    while any(thread.name == "scratch" for thread in threading.enumerate()):
        assert time.monotonic() < deadline, "whoever looks after the files goes with the last of them"
        time.sleep(0.01)
    assert not scratch.zeros((20, MB), np.uint8).any(), "and comes back with the next"


def test_a_full_disk_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(OSError) as told:  # noqa: PT011 - the number says which
        Scratch(0, tmp_path).zeros((2**30, 2**20), np.uint8)
    assert told.value.errno in (errno.ENOSPC, errno.EFBIG)


@pytest.mark.parametrize("rule", ["cells", "patches"])
def test_a_run_in_files_is_that_in_memory(tmp_path: Path, rule: str) -> None:
    wanted = scenario(members=3, years=4, allocation={"rule": rule})
    walks = Walks(random_model(GRID, RATES), wanted, random_map(GRID.shape), chunk=100)
    found = []
    for scratch in (IN_MEMORY, Scratch(0, tmp_path)):
        workers, maps, aside = Workers(2, scratch=scratch), [], []

        def see(_: int, years: Iterator[Year], maps: list[bytes] = maps, aside: list[int] = aside) -> None:
            for year in years:
                maps.append(year.land_cover.tobytes())
                aside.append(scratch.bytes_aside)  # noqa: B023 (called before the next turn)

        walk_members(walks, [CENTRAL], see, workers)
        drawn = gather_ensemble(walks, workers)
        found.append((maps, drawn.counts.tobytes(), drawn.timing.first_year.tobytes()))
        assert (min(aside) > 0) == (scratch is not IN_MEMORY)
    assert found[0] == found[1]
