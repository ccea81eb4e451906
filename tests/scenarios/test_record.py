"""The record of walks: what they change, block by block, and the maps that follow from it."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.projection.record import BLOCK, Record
from scenarios.projection.yearbook import Changes, Year
from tests.scenarios.landscapes import Map, random_map

FIRST = 2000
shapes = st.tuples(st.integers(1, 2 * BLOCK + 40), st.integers(1, 2 * BLOCK + 40))


def tell(year: int, before: Map, after: Map) -> Year:
    cells = np.flatnonzero(before != after)
    changes = Changes(cells, before.ravel()[cells], after.ravel()[cells])
    return Year(year, after, np.empty(0), {}, (), np.empty((0, 0)), changes)


def make_walk(shape: tuple[int, int], years: int, seed: int) -> list[Map]:
    """Return a map and those of the years that follow; a cell may change often, and back."""
    rng, maps = np.random.default_rng(seed), [random_map(shape, seed)]
    for _ in range(years):
        maps.append(np.where(rng.random(shape) < 0.05, random_map(shape, int(rng.integers(1000))), maps[-1]))
    return maps


def listen(record: Record, walk: int, maps: list[Map]) -> None:
    years = [tell(FIRST + n, *pair) for n, pair in enumerate(pairwise(maps), start=1)]
    assert list(record.listen(walk, iter(years))) == years


@given(shapes, st.integers(0, 6), st.integers(0, 1000), st.sampled_from([BLOCK, 2 * BLOCK]))
@settings(deadline=None, max_examples=20)
def test_the_start_and_the_changes_give_every_map(shape: tuple[int, int], years: int, seed: int, edge: int) -> None:
    maps, found = make_walk(shape, years, seed), np.zeros((years + 1, *shape), np.uint8)
    with Record(shape) as record:
        listen(record, 0, maps)
        for rows in record.bands(edge):
            for changes in record.split(rows, edge):
                top, bottom, left, right = changes.block
                found[:, top:bottom, left:right] = record.unroll(changes, maps[0], FIRST, years)
    np.testing.assert_array_equal(found, maps)


@given(shapes, st.integers(1, 4), st.permutations(range(3)), st.integers(0, 1000))
@settings(deadline=None, max_examples=15)
def test_a_block_tells_what_every_walk_changes_in_its_order(
    shape: tuple[int, int], years: int, order: list[int], seed: int
) -> None:
    walks = [make_walk(shape, years, seed + n) for n in range(3)]
    truth = [
        (int(row), int(column), walk, FIRST + year, int(maps[year - 1][row, column]), int(maps[year][row, column]))
        for walk, maps in enumerate(walks)
        for year in range(1, years + 1)
        for row, column in np.argwhere(maps[year - 1] != maps[year])
    ]
    told = []
    with Record(shape, held_bytes=1000) as record:
        for walk in order:
            listen(record, walk, walks[walk])
        assert record.size == len(truth)
        assert record.walks == [0, 1, 2]
        for rows in record.bands(BLOCK):
            for each in record.split(rows, BLOCK):
                columns = (each.row, each.column, each.walk, each.year, each.before, each.after)
                block = list(zip(*(values.tolist() for values in columns), strict=True))
                assert block == sorted(block)
                top, bottom, left, right = each.block
                assert all(top <= row < bottom and left <= column < right for row, column, *_ in block)
                told += block
    assert sorted(told) == sorted(truth)


@pytest.mark.parametrize("held_bytes", [2**20, 100])
def test_what_waits_on_the_disk_leaves_no_trace(tmp_path: Path, held_bytes: int) -> None:
    with Record((40, 30), tmp_path, held_bytes) as record:
        listen(record, 0, make_walk((40, 30), 3, seed=1))
        assert list(tmp_path.iterdir()) == []
        (block,) = record.split((0, 40), BLOCK)
        assert block.size == record.size > 0


def test_a_walk_that_ends_early_is_not_recorded() -> None:
    maps = make_walk((20, 20), 3, seed=2)
    with Record((20, 20)) as record:
        years = record.listen(0, (tell(FIRST + n, *pair) for n, pair in enumerate(pairwise(maps), start=1)))
        next(years)
        del years
        assert (record.size, record.walks) == (0, [])
