"""Windows: counts by running sums against a plain convolution."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from scenarios.kernels.windows import count_window, move_counts, share_level, share_levels
from tests.scenarios.landscapes import LEGEND, Map, random_map
from tests.scenarios.plain import count_plainly

sizes = st.integers(1, 25)
radii = st.integers(0, 30)  # wider than the map, too
seeds = st.integers(0, 1000)


def count(land_cover: Map, value: int, radius: int) -> NDArray[np.uint16]:
    out = np.empty(land_cover.shape, np.uint16)
    count_window(land_cover, value, radius, (0, land_cover.shape[0]), out)
    return out


@given(sizes, sizes, radii, st.sampled_from([-1, *LEGEND.values]), seeds)
@settings(deadline=None, max_examples=60)
def test_counts_equal_a_convolution(height: int, width: int, radius: int, value: int, seed: int) -> None:
    land_cover = random_map((height, width), seed)
    np.testing.assert_array_equal(count(land_cover, value, radius), count_plainly(land_cover, value, radius))


@given(sizes, sizes, radii, st.integers(1, 30), seeds)
@settings(deadline=None, max_examples=40)
def test_blocks_of_rows_fill_what_the_whole_does(height: int, width: int, radius: int, rows: int, seed: int) -> None:
    land_cover = random_map((height, width), seed)
    out = np.full(land_cover.shape, 9999, np.uint16)
    for first in reversed(range(0, height, rows)):
        count_window(land_cover, 1, radius, (first, min(first + rows, height)), out)
    np.testing.assert_array_equal(out, count_plainly(land_cover, 1, radius))


def test_rows_outside_the_block_are_left_alone() -> None:
    out = np.full((9, 7), 9999, np.uint16)
    count_window(random_map((9, 7)), 1, 2, (3, 5), out)
    assert (out[:3] == 9999).all()
    assert (out[5:] == 9999).all()
    assert (out[3:5] <= 25).all()


def test_the_largest_window_fits_its_type() -> None:
    land_cover = np.ones((300, 260), np.uint8)
    assert count(land_cover, 1, 127).max() == 255 * 255


@given(sizes, sizes, st.lists(radii, min_size=1, max_size=3), seeds)
@settings(deadline=None, max_examples=40)
def test_moved_counts_equal_a_recount(height: int, width: int, edges: list[int], seed: int) -> None:
    before, after = random_map((height, width), seed), random_map((height, width), seed + 1, nodata=0)
    after[before == 0] = 0
    windows = [(radius, value) for radius in edges for value in LEGEND.values]
    counts = np.stack([count(before, value, radius) for radius, value in windows], axis=-1)
    stale = move(counts, windows, before, after)
    for counted, (radius, value) in zip(np.moveaxis(counts, -1, 0), windows, strict=True):
        np.testing.assert_array_equal(counted, count_plainly(after, value, radius))
    near_change = count_plainly((before != after).astype(np.uint8), 1, max(edges)) > 0
    np.testing.assert_array_equal(stale == 1, near_change)


def test_without_windows_only_the_changed_cells_are_stale() -> None:
    before, after = random_map((8, 9), 1), random_map((8, 9), 2)
    stale = move(np.empty((8, 9, 0), np.uint16), [], before, after)
    np.testing.assert_array_equal(stale == 1, before != after)


def move(counts: NDArray[np.uint16], windows: list[tuple[int, int]], before: Map, after: Map) -> Map:
    """Move counts from one map to another; return what was marked as stale."""
    cells = np.flatnonzero(before != after)
    stale = np.zeros(before.shape, np.uint8)
    moved = np.array(windows, np.int64).reshape(-1, 2)
    sources, targets = before.ravel()[cells], after.ravel()[cells]
    move_counts(counts, moved[:, 0].copy(), moved[:, 1].copy(), cells, sources, targets, stale)
    return stale


def test_a_share_beside_cells_without_data_is_scaled_up() -> None:
    # 3 of the 4 cells that have data: three quarters of a window of 9 are 6.75, that is 7.
    assert share_level(3, 4, 9, 0) == 7
    assert share_level(3, 9, 9, 0) == 3
    assert share_level(600, 961, 961, 1) == 300


def test_a_share_never_leaves_its_table() -> None:
    for size in (9, 49, 441, 65025):
        shift = max(0, size.bit_length() - 10)
        for valid in {1, 2, size // 2, size - 1, size}:
            assert 0 <= share_level(valid, valid, size, shift) <= 1024


def test_levels_of_cells_are_their_shares() -> None:
    counts = np.array([[0, 4, 9], [2, 3, 1]], np.uint16)
    valid = np.array([[9, 9, 9], [4, 4, 1]], np.uint16)
    found = share_levels(counts, valid, 9, 0, np.arange(6))
    # 2/4 of 9 = 4.5 and 3/4 of 9 = 6.75, rounded half up; 1/1 of 9 = 9
    assert found.tolist() == [0, 4, 9, 5, 7, 9]
