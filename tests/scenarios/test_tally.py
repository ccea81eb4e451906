"""Tallies: how often a cell has a class."""

from __future__ import annotations

import numpy as np

from scenarios.kernels.tally import move_weights, tally, weigh
from tests.scenarios.landscapes import LEGEND, random_map


def test_members_are_counted_by_class() -> None:
    counts = np.zeros((3, 6, 7), np.uint8)
    members = [random_map((6, 7), seed, nodata=0.3) for seed in range(5)]
    for land_cover in members:
        tally(land_cover, np.array(LEGEND.values, np.uint8), counts)
    expected = np.stack([sum((m == value).astype(int) for m in members) for value in LEGEND.values])
    np.testing.assert_array_equal(counts, expected)


def test_the_most_members_fit() -> None:
    counts = np.zeros((1, 2, 2), np.uint8)
    for _ in range(255):
        tally(np.ones((2, 2), np.uint8), np.ones(1, np.uint8), counts)
    assert (counts == 255).all()


def test_cells_are_weighed_by_their_rows() -> None:
    land_cover, row_weight = random_map((6, 7), 1), np.arange(1, 7) * 10**12
    found = weigh(land_cover, row_weight)
    assert found.shape == (256,)
    for value in (0, *LEGEND.values):
        assert found[value] == ((land_cover == value).sum(axis=1) * row_weight).sum()
    assert found.sum() == 7 * row_weight.sum()


def test_areas_follow_the_cells_that_change() -> None:
    before, zones = random_map((6, 7), 1, nodata=0), np.repeat([0, 1], [3, 4])[None].repeat(6, axis=0).astype(np.uint8)
    after, row_weight, place = random_map((6, 7), 2, nodata=0), np.arange(1, 7), np.zeros(256, np.int64)
    place[list(LEGEND.values)] = np.arange(3)
    areas = [
        np.array(
            [
                [((each == value) & (zones == zone)).sum(axis=1) @ row_weight for value in LEGEND.values]
                for zone in (0, 1)
            ]
        )
        for each in (before, after)
    ]
    cells = np.flatnonzero(before != after)
    move_weights(cells, before.ravel()[cells], after.ravel()[cells], zones, row_weight, place, areas[0])
    np.testing.assert_array_equal(*areas)
