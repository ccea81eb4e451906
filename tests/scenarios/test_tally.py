"""Tallies: how often a cell has a class."""

from __future__ import annotations

import numpy as np

from scenarios.kernels.tally import tally
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
