"""Scores: tables added up in integers, and only where something changed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from scenarios.cluster import ONE
from scenarios.kernels.potential import add_curves, find_levels, levels
from scenarios.kernels.scores import ODDS_ONE, odds_table, rescore, sum_odds
from scenarios.kernels.strips import LARGEST_SCORE
from scenarios.potential.potential import Potential
from tests.scenarios.landscapes import (
    EVERY_TRANSITION,
    Map,
    projected_grid,
    random_map,
    random_potential,
    random_scores,
)
from tests.scenarios.plain import score_plainly

SHAPE = (12, 15)


@pytest.fixture
def potential() -> Potential:
    return random_potential(projected_grid(SHAPE), EVERY_TRANSITION, seed=5)


def score(potential: Potential, land_cover: Map, stale: Map, scores: NDArray[np.int16]) -> None:
    near = potential.neighbourhood
    counts = np.empty((*SHAPE, len(near.windows)), near.dtype)
    valid = np.empty((len(near.radii), *SHAPE), near.dtype)
    near.count(land_cover, counts, valid, ONE)
    rescore(potential.tables, land_cover, counts, valid, stale, (0, SHAPE[0]), scores)


def test_scores_add_up_the_tables(potential: Potential) -> None:
    land_cover = random_map(SHAPE, 5, nodata=0.3)
    scores = np.zeros((*SHAPE, 2), np.int16)
    score(potential, land_cover, np.ones(SHAPE, np.uint8), scores)
    for t, transition in enumerate(potential.transitions):
        here = land_cover == transition.source
        expected = score_plainly(potential, land_cover, t)
        np.testing.assert_array_equal(scores[here, potential.slot(transition)], expected[here])


def test_only_stale_cells_are_scored_and_then_they_are_fresh(potential: Potential) -> None:
    stale = (np.random.default_rng(1).random(SHAPE) < 0.3).astype(np.uint8)
    wanted = (stale == 1) & (random_map(SHAPE) != 0)
    scores = np.full((*SHAPE, 2), 32_000, np.int16)
    score(potential, random_map(SHAPE), stale, scores)
    np.testing.assert_array_equal((scores != 32_000).all(axis=-1), wanted)
    assert not stale.any()


def test_scores_are_cut_and_never_wrap_round(potential: Potential) -> None:
    potential.static[:] = 32_000
    potential.curves[:] = 32_000
    scores = np.zeros((*SHAPE, 2), np.int16)
    land_cover = random_map(SHAPE, nodata=0)
    score(potential, land_cover, np.ones(SHAPE, np.uint8), scores)
    assert (scores == LARGEST_SCORE).all()


def test_levels_count_the_edges_on_or_below() -> None:
    edges = np.array([0, 1, 5], np.float32)
    values = np.array([np.nan, -1, 0, 0.5, 1, 4.9, 5, 9, np.inf], np.float32)
    assert levels(values, edges).tolist() == [0, 1, 2, 2, 3, 3, 4, 4, 4]
    assert levels(values[:2], edges[:0]).tolist() == [0, 1]


@given(seed=st.integers(0, 10**6), edges=st.lists(st.floats(-(2.0**100), 2.0**100, width=32), max_size=40, unique=True))
def test_levels_are_found_as_by_a_search(seed: int, edges: list[float]) -> None:
    rng, rising = np.random.default_rng(seed), np.sort(np.array(edges, np.float32))
    near = np.nextafter(rising, rng.choice([-np.inf, np.inf], rising.size)).astype(np.float32)
    values = np.concatenate([rising, near, rng.normal(size=20).astype(np.float32), [np.inf, -np.inf]])
    values = np.concatenate([values, np.full(1, np.nan)]).astype(np.float32)
    assert levels(values, rising).tolist() == [*(np.searchsorted(rising, values[:-1], side="right") + 1), 0]


def test_categories_are_levels_too() -> None:
    values = np.arange(256, dtype=np.uint8)
    edges = np.array([0.5, 7.5, 200.5], np.float32)
    assert levels(values, edges).tolist() == [1 + int((edges <= value).sum()) for value in values]


def test_curves_are_added_in_their_block_only() -> None:
    first, second = np.array([[np.nan, 0, 2], [2, 0, 2]], np.float32), np.array([[1, 0, 0], [0, 9, 9]], np.uint8)
    curves = np.array([[0, 10, 20, 0, 1, 2], [0, -1, -2, 0, 0, 5]], np.int16)  # of both, one after the other
    out, block = np.full((2, 2, 3), 100, np.int16), (0, 2, 0, 2)
    found = np.zeros((2, 2, 2), np.uint16)
    for values, level in zip((first, second), found, strict=True):
        find_levels(values, np.array([1], np.float32), block, level)
    add_curves(found, curves, np.array([0, 3]), block, out)
    assert out.tolist() == [[[102, 111, 100], [121, 112, 100]], [[105, 99, 100], [98, 104, 100]]]


def test_strong_drivers_do_not_wrap_round() -> None:
    # Three drivers of +12 log odds each, the largest that a curve may hold, are +36: not -28.
    curve = np.full((1, 3), 12 * 1024, np.int16)
    for sign in (1, -1):
        out = np.zeros((1, 1, 1), np.int16)
        add_curves(np.zeros((3, 1, 1), np.uint16), sign * curve, np.arange(3), (0, 1, 0, 1), out)
        assert out[0, 0, 0] == sign * 31 * 1024


def test_odds_are_exponentials_that_every_machine_rounds_alike() -> None:
    table = odds_table()
    assert [int(table[n]) for n in (0, 8 * 1024, -1)] == [round(np.exp(s) * ODDS_ONE) for s in (-8, 0, 8)]
    exact = np.exp(np.arange(-8 * 1024, 8 * 1024 + 1) / 1024) * ODDS_ONE
    assert np.abs(table - exact).max() <= 0.5
    assert np.abs(exact - np.floor(exact) - 0.5).min() > 1e-6


def test_odds_are_added_over_a_class_and_its_kept_part() -> None:
    land_cover, scores = random_map(SHAPE, 2), random_scores(1, SHAPE)[0] * 3
    kept = np.random.default_rng(0).random(SHAPE) < 0.4
    odds = np.exp(np.clip(scores / 1024, -8, 8)) * ODDS_ONE
    held, everywhere = sum_odds(land_cover, 2, kept, scores, odds_table())
    assert held == pytest.approx(odds[(land_cover == 2) & kept].sum(), abs=SHAPE[0] * SHAPE[1])
    assert everywhere == pytest.approx(odds[land_cover == 2].sum(), abs=SHAPE[0] * SHAPE[1])
