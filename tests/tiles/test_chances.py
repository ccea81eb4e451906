"""Chances of a class as tiles and points tell them: those of the engine."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from scenarios.projection.chances import tell_chances as engine_chances
from tiles.reading.chances import tell_chances

CLASSES = (1, 2, 5)
MEMBERS = 6


@given(seed=st.integers(0, 10**6))
def test_chances_are_those_of_the_engine(seed: int) -> None:
    rng = np.random.default_rng(seed)
    counts = rng.multinomial(MEMBERS, [0.5, 0.3, 0.2], size=(4, 5)).transpose(2, 0, 1).astype(np.uint8)
    start = rng.choice(np.array([0, *CLASSES], np.uint8), (4, 5))
    table = rng.random((3, 3, MEMBERS + 1)).astype(np.float32)
    table[np.arange(3), np.arange(3)] = np.nan  # what stays is what is left
    found = tell_chances(counts, start, table, CLASSES)
    np.testing.assert_allclose(found, engine_chances(counts, start, table, np.array(CLASSES)), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found.sum(axis=0), 1)


def test_where_a_plan_decides_the_share_is_the_chance() -> None:
    counts, start = np.array([[6, 0], [0, 3], [0, 3]], np.uint8), np.zeros(2, np.uint8)
    table = np.full((3, 3, MEMBERS + 1), 0.25, np.float32)
    assert tell_chances(counts, start, table, CLASSES).tolist() == [[1, 0], [0, 0.5], [0, 0.5]]


def test_shares_that_were_worth_half_are_told_as_half() -> None:
    counts, start = np.array([[3], [3], [0]], np.uint8), np.array([1], np.uint8)
    table = np.zeros((3, 3, MEMBERS + 1), np.float32)
    table[0, 1, 3] = 0.25  # three of six members, one of four times
    assert tell_chances(counts, start, table, CLASSES).tolist() == [[0.75], [0.25], [0]]
