"""Keys of single cells: the kernels against plain NumPy."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from scenarios.kernels.draws import TIE_BITS
from scenarios.kernels.keys import Claims, collect, histogram
from tests.scenarios.landscapes import build_claims, projected_grid, random_map, random_scores
from tests.scenarios.plain import key_plainly

Block = tuple[int, int, int, int]


def collect_all(claims: Claims, block: Block, floors: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    room = claims.land_cover.size
    cells, keys = np.empty(room, np.int64), np.empty((room, floors.size), np.int64)
    found = collect(claims, np.array([block]), floors, cells, keys)
    return cells[:found], keys[:found]


def random_claims(k: int, seed: int, temperature: float) -> Claims:
    shape = (13, 17)
    barred = np.random.default_rng(seed).random(shape) < 0.2
    scores = random_scores(k, shape, seed)
    return build_claims(random_map(shape, seed), scores, temperature=temperature, barred=barred)


def free_cells(claims: Claims) -> NDArray[np.bool_]:
    return np.asarray((claims.land_cover == claims.source) & (claims.barred == 0))


many_claims = st.builds(random_claims, st.integers(1, 4), st.integers(0, 1000), st.sampled_from([0.0, 0.01, 0.06]))


@given(many_claims, st.integers(1, 20), st.floats(0, 1))
@settings(deadline=None, max_examples=40)
def test_collect_finds_what_plain_numpy_finds(claims: Claims, chunk: int, quantile: float) -> None:
    plain = key_plainly(claims)
    floors = np.quantile(plain.reshape(len(plain), -1), quantile, axis=1).astype(np.int64)
    floors[1:2] = np.iinfo(np.int64).max  # nobody wants the second transition
    expected = np.flatnonzero(free_cells(claims) & (plain >= floors[:, None, None]).any(axis=0))
    parts = [
        collect_all(claims, block, floors)
        for block in projected_grid(claims.land_cover.shape).blocks(chunk, of_strips=True)
    ]
    cells = np.concatenate([part[0] for part in parts])
    keys = np.concatenate([part[1] for part in parts])
    assert sorted(cells.tolist()) == expected.tolist()
    np.testing.assert_array_equal(keys, plain.reshape(len(plain), -1)[:, cells].T)


@given(many_claims, st.integers(20, 34))
@settings(deadline=None, max_examples=30)
def test_histogram_counts_what_plain_numpy_counts(claims: Claims, shift: int) -> None:
    plain = key_plainly(claims)[:, free_cells(claims)]
    lowest, bins = np.quantile(plain, 0.2, axis=1).astype(np.int64), 16
    height, width = claims.land_cover.shape
    counted = histogram(claims, np.array([(0, height, 0, width)]), lowest, shift, bins)
    for row, keys, edge in zip(counted, plain, lowest, strict=True):
        expected = np.bincount(np.minimum((keys[keys >= edge] - edge) >> shift, bins - 1), minlength=bins)
        assert row.tolist() == expected.tolist()


def test_collect_says_how_much_room_it_lacked() -> None:
    claims = random_claims(2, 3, 0.05)
    block, floors = (0, 13, 0, 17), np.full(2, -(2**60))
    whole = collect_all(claims, block, floors)
    cells, keys = np.full(5, -1), np.full((5, 2), -1)
    assert collect(claims, np.array([block]), floors, cells, keys) == free_cells(claims).sum()
    assert cells.tolist() == whole[0][:5].tolist()
    assert keys.tolist() == whole[1][:5].tolist()


def test_a_transition_without_potential_finds_all_cells_alike() -> None:
    claims = random_claims(1, 3, 0.0)._replace(slots=np.array([-1]), strips=np.zeros((13, 1, 1), np.int64))
    _, keys = collect_all(claims, (0, 13, 0, 17), np.array([-(2**60)]))
    assert ((keys >= 0) & (keys < 2**TIE_BITS)).all()


def test_a_strip_that_was_looked_through_promises_what_its_cells_have() -> None:
    claims = random_claims(2, 4, 0.0)
    exact = claims.strips.copy()
    claims.strips[:] += 5000  # as after scores that fell
    floors = (np.array([np.quantile(claims.strips, 0.5), 2**30]) * 2.0**TIE_BITS).astype(np.int64)
    cells, _ = collect_all(claims, (0, 13, 0, 17), floors)
    looked = (claims.strips != exact + 5000).any(axis=2)
    assert 0 < looked.sum() < looked.size
    np.testing.assert_array_equal(claims.strips[looked], exact[looked])
    again = collect_all(claims, (0, 13, 0, 17), floors)[0]
    assert again.tolist() == cells.tolist()


def test_at_temperature_0_the_best_score_wins() -> None:
    claims = random_claims(1, 4, 0.0)
    cells, keys = collect_all(claims, (0, 13, 0, 17), np.array([-(2**60)]))
    scores = claims.scores[:, :, 0].ravel()[cells]
    assert scores[keys[:, 0].argmax()] == scores.max()
    np.testing.assert_array_equal(keys[:, 0] >> TIE_BITS, scores)
