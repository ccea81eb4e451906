"""Fuzzy similarity: against a map worked out by hand, and against the definition done the slow way."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.validation.fuzzy import WINDOWS, FuzzySimilarity, compare_fuzzily
from tests.scenarios.landscapes import Map, random_map


def build(changes: dict[tuple[int, int], int], shape: tuple[int, int] = (5, 9)) -> Map:
    """Return a map of forest with some cells changed."""
    cells = np.ones(shape, np.uint8)
    for place, value in changes.items():
        cells[place] = value
    return cells


FOREST = build({})
# Observed:  A (0, 0) to 2, B (2, 4) to 2, C (4, 8) to 3.
# Simulated: a (0, 0) to 2, b (3, 6) to 2, c (4, 8) to 2, d (0, 8) to 3.
OBSERVED = build({(0, 0): 2, (2, 4): 2, (4, 8): 3})
SIMULATED = build({(0, 0): 2, (3, 6): 2, (4, 8): 2, (0, 8): 3})


def test_windows_by_hand() -> None:
    # Observed on simulated: A finds a (same cell), B finds b (2 columns off: window 5), C finds d (4 rows off: 9).
    # Back: a finds A, b finds B (5), c finds B (4 columns off: 9), d finds C (9).
    # Observed 1/3, 1/3, 2/3, 2/3, 1, 1; back 1/4, 1/4, 2/4, 2/4, 1, 1.
    found = compare_fuzzily(FOREST, OBSERVED, SIMULATED)
    assert found.windows == pytest.approx({1: 1 / 4, 3: 1 / 4, 5: 2 / 4, 7: 2 / 4, 9: 1, 11: 1})


def test_decay_by_hand() -> None:
    # Distances, observed: A 0, B sqrt(1 + 4), C 4; back: a 0, b sqrt(5), c sqrt(4 + 16), d 4. Worth 2 ** (-d / 2).
    there = (1 + 2 ** (-np.sqrt(5) / 2) + 2**-2) / 3
    back = (1 + 2 ** (-np.sqrt(5) / 2) + 2 ** (-np.sqrt(20) / 2) + 2**-2) / 4
    assert back < there
    assert compare_fuzzily(FOREST, OBSERVED, SIMULATED).decayed == pytest.approx(back)


def test_the_decay_ends_with_the_largest_window() -> None:
    # In a window of 3 only A and a meet.
    assert compare_fuzzily(FOREST, OBSERVED, SIMULATED, (1, 3)).decayed == pytest.approx(1 / 4)


def test_change_strewn_all_over_is_not_near_to_everything() -> None:
    everywhere = np.full(FOREST.shape, 2, np.uint8)
    observed = build({(2, 4): 2})
    # The change finds one, but of 45 simulated changes 9 lie in the window of 3 around it.
    assert compare_fuzzily(FOREST, observed, everywhere).windows[3] == pytest.approx(9 / 45)


def test_a_change_into_another_class_is_not_found() -> None:
    found = compare_fuzzily(FOREST, build({(1, 1): 2}), build({(1, 1): 3}))
    assert found == FuzzySimilarity(dict.fromkeys(WINDOWS, 0.0), 0.0)


def test_the_perfect_the_empty_and_the_still() -> None:
    assert compare_fuzzily(FOREST, OBSERVED, OBSERVED) == FuzzySimilarity(dict.fromkeys(WINDOWS, 1.0), 1.0)
    assert compare_fuzzily(FOREST, OBSERVED, FOREST) == FuzzySimilarity(dict.fromkeys(WINDOWS, 0.0), 0.0)
    still = compare_fuzzily(FOREST, FOREST, FOREST)
    assert np.isnan([still.decayed, *still.windows.values()]).all()


def test_cells_without_data_in_any_map_are_left_out() -> None:
    initial, observed, simulated = FOREST.copy(), OBSERVED.copy(), SIMULATED.copy()
    initial[0, 0] = observed[3, 6] = simulated[4, 8] = 0
    # Left: B and d, of different classes.
    assert compare_fuzzily(initial, observed, simulated).windows[11] == 0


def test_the_mean_of_several_maps() -> None:
    parts = [FuzzySimilarity({1: 0.0, 3: 0.5}, 0.2), FuzzySimilarity({1: 0.5, 3: 1.0}, 0.6)]
    assert FuzzySimilarity.mean(parts) == FuzzySimilarity({1: 0.25, 3: 0.75}, pytest.approx(0.4))


def look_plainly(changes: Map, other: Map, reach: int) -> tuple[float, float]:
    """Return the mean worth of changes in one direction: all alike, and decayed."""
    alike, decayed = [], []
    for row, column in np.argwhere(changes):
        near = [
            float(np.hypot(row - y, column - x))
            for y, x in np.argwhere(other == changes[row, column])
            if max(abs(row - y), abs(column - x)) <= reach
        ]
        alike.append(float(bool(near)))
        decayed.append(2 ** (-min(near) / 2) if near else 0.0)
    return float(np.mean(alike)), float(np.mean(decayed))


@given(st.integers(1, 20), st.integers(1, 20), st.integers(0, 10_000), st.sampled_from([0.02, 0.1, 0.6]))
@settings(deadline=None, max_examples=60)
def test_it_is_what_the_definition_says(height: int, width: int, seed: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    initial, *others = (random_map((height, width), seed + n) for n in range(3))
    observed, simulated = (np.where(rng.random(initial.shape) < share, o, initial).astype(np.uint8) for o in others)
    found = compare_fuzzily(initial, observed, simulated)
    valid = (initial != 0) & (observed != 0) & (simulated != 0)
    seen, made = (np.where(valid & (end != initial), end, 0) for end in (observed, simulated))
    if seen.any() and made.any():
        for size, value in found.windows.items():
            plain = min(look_plainly(seen, made, size // 2)[0], look_plainly(made, seen, size // 2)[0])
            assert value == pytest.approx(plain)
        assert found.decayed == pytest.approx(min(look_plainly(seen, made, 5)[1], look_plainly(made, seen, 5)[1]))
    else:
        assert found.decayed == 0 or np.isnan(found.decayed)
