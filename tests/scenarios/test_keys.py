"""Keys: the kernels against plain NumPy, and the chances that they stand for."""

from __future__ import annotations

from collections import Counter
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import chisquare

from scenarios.kernels.draws import SCALE, TIE_BITS
from scenarios.kernels.keys import Claims, collect, histogram
from tests.scenarios.landscapes import build_claims, projected_grid, random_map, random_scores
from tests.scenarios.plain import key_plainly

Block = tuple[int, int, int, int]


def collect_all(claims: Claims, block: Block, floors: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    room = claims.land_cover.size
    cells, keys = np.empty(room, np.int64), np.empty((room, floors.size), np.int64)
    found = collect(claims, block, floors, cells, keys)
    return cells[:found], keys[:found]


def random_claims(k: int, seed: int, temperature: float) -> Claims:
    shape = (13, 17)
    barred = np.random.default_rng(seed).random(shape) < 0.2
    scores = random_scores(k, shape, seed)
    return build_claims(random_map(shape, seed), scores, temperature=temperature, barred=barred)


def free_cells(claims: Claims) -> NDArray[np.bool_]:
    return np.asarray((claims.land_cover == claims.source) & (claims.barred == 0))


many_claims = st.builds(random_claims, st.integers(1, 4), st.integers(0, 1000), st.sampled_from([0.0, 0.5, 1.0, 4.0]))


@given(many_claims, st.integers(1, 20), st.floats(0, 1))
@settings(deadline=None, max_examples=40)
def test_collect_finds_what_plain_numpy_finds(claims: Claims, chunk: int, quantile: float) -> None:
    plain = key_plainly(claims)
    floors = np.quantile(plain.reshape(len(plain), -1), quantile, axis=1).astype(np.int64)
    floors[1:2] = np.iinfo(np.int64).max  # nobody wants the second transition
    expected = np.flatnonzero(free_cells(claims) & (plain >= floors[:, None, None]).any(axis=0))
    parts = [collect_all(claims, block, floors) for block in projected_grid(claims.land_cover.shape).blocks(chunk)]
    cells = np.concatenate([part[0] for part in parts])
    keys = np.concatenate([part[1] for part in parts])
    assert sorted(cells.tolist()) == expected.tolist()
    np.testing.assert_array_equal(keys, plain.reshape(len(plain), -1)[:, cells].T)


@given(many_claims, st.integers(20, 34))
@settings(deadline=None, max_examples=30)
def test_histogram_counts_what_plain_numpy_counts(claims: Claims, shift: int) -> None:
    plain = key_plainly(claims)[:, free_cells(claims)]
    lowest, bins = np.quantile(plain, 0.2, axis=1).astype(np.int64), 16
    counted = histogram(claims, (0, *claims.land_cover.shape[:1], 0, claims.land_cover.shape[1]), lowest, shift, bins)
    for row, keys, edge in zip(counted, plain, lowest, strict=True):
        expected = np.bincount(np.minimum((keys[keys >= edge] - edge) >> shift, bins - 1), minlength=bins)
        assert row.tolist() == expected.tolist()


def test_collect_says_how_much_room_it_lacked() -> None:
    claims = random_claims(2, 3, 1.0)
    block, floors = (0, 13, 0, 17), np.full(2, -(2**60))
    whole = collect_all(claims, block, floors)
    cells, keys = np.full(5, -1), np.full((5, 2), -1)
    assert collect(claims, block, floors, cells, keys) == free_cells(claims).sum()
    assert cells.tolist() == whole[0][:5].tolist()
    assert keys.tolist() == whole[1][:5].tolist()


def test_a_transition_without_potential_finds_all_cells_alike() -> None:
    claims = random_claims(1, 3, 0.0)._replace(slots=np.array([-1]))
    _, keys = collect_all(claims, (0, 13, 0, 17), np.array([-(2**60)]))
    assert ((keys >= 0) & (keys < 2**TIE_BITS)).all()


def test_at_temperature_0_the_best_score_wins() -> None:
    claims = random_claims(1, 4, 0.0)
    cells, keys = collect_all(claims, (0, 13, 0, 17), np.array([-(2**60)]))
    scores = claims.scores[0].ravel()[cells]
    assert scores[keys[:, 0].argmax()] == scores.max()
    np.testing.assert_array_equal(keys[:, 0] >> TIE_BITS, scores)


def choose_many(log_weights: list[float], take: int, temperature: float, times: int) -> Counter[tuple[int, ...]]:
    """Draw ``take`` cells, best first, again and again with new streams."""
    scores = np.rint(np.array(log_weights) * SCALE).astype(np.int16).reshape(1, 1, -1)
    claims = build_claims(np.ones(scores.shape[1:], np.uint8), scores, temperature=temperature)
    block, floor = (0, 1, 0, len(log_weights)), np.array([-(2**60)])
    found: Counter[tuple[int, ...]] = Counter()
    for n in range(times):
        cells, keys = collect_all(claims._replace(streams=np.array([n * 0x9E3779B9], np.uint64)), block, floor)
        found[tuple(int(c) for c in cells[np.argsort(-keys[:, 0])][:take])] += 1
    return found


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_the_chance_of_a_cell_is_the_exponential_of_its_score(temperature: float) -> None:
    scores = [0.0, 0.5, 1.0, 1.5, -1.0, 2.0]
    found = choose_many(scores, 1, temperature, 6000)
    weights = np.exp(np.array(scores) / temperature)
    expected = 6000 * weights / weights.sum()
    assert chisquare([found[n,] for n in range(6)], expected).pvalue > 0.001


def test_several_cells_are_drawn_without_replacement_by_weight() -> None:
    scores = [0.0, 1.0, -0.5, 0.7]
    found = choose_many(scores, 2, 1.0, 6000)
    w = np.exp(scores)
    pairs = list(permutations(range(4), 2))
    expected = [6000 * w[a] / w.sum() * w[b] / (w.sum() - w[a]) for a, b in pairs]
    assert chisquare([found[pair] for pair in pairs], expected).pvalue > 0.001
