"""Races: the kernel against plain Python, and the chances that the keys stand for."""

from __future__ import annotations

import math
from collections import Counter
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import chisquare, expon, kstest

from scenarios.cluster import ONE
from scenarios.kernels import draws
from scenarios.kernels.draws import SCALE, TIE_BITS
from scenarios.kernels.keys import TEMPERATURE_ONE, Claims
from scenarios.kernels.races import LATEST, key_of_time, log, race, wait
from scenarios.kernels.strips import LARGEST_SCORE, STRIP, unit_weights, weight_table
from scenarios.projection.strips import NO_WEIGHTS, UNKNOWN, choose_weights, look_at_strips, weigh_units
from tests.scenarios.landscapes import build_claims, projected_grid, random_map, random_scores
from tests.scenarios.plain import race_plainly

SHAPE = (7, 150)  # three strips, the last one short
ALL = np.array([-(2**60)])

Block = tuple[int, int, int, int]


def race_all(claims: Claims, block: Block, floors: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    room = claims.land_cover.size
    cells, keys = np.empty(room, np.int64), np.empty((room, floors.size), np.int64)
    found = race(claims, np.array([block]), floors, cells, keys)
    return cells[:found], keys[:found]


def random_claims(k: int, seed: int, temperature: float) -> Claims:
    barred = np.random.default_rng(seed).random(SHAPE) < 0.2
    return build_claims(random_map(SHAPE, seed), random_scores(k, SHAPE, seed), temperature=temperature, barred=barred)


many_claims = st.builds(random_claims, st.integers(1, 4), st.integers(0, 1000), st.sampled_from([1 / 4, 0.5, 1.0, 4.0]))


@given(many_claims, st.integers(1, 200), st.floats(0, 1))
@settings(deadline=None, max_examples=20)
def test_a_race_ends_as_in_plain_python_whoever_looks_at_how_much_of_it(
    claims: Claims, chunk: int, quantile: float
) -> None:
    plain = race_plainly(claims)
    free = (claims.land_cover == claims.source) & (claims.barred == 0)
    floors = np.quantile(plain[:, free], quantile, axis=1).astype(np.int64)
    floors[1:2] = np.iinfo(np.int64).max  # nobody wants the second transition
    expected = np.where(free & (plain >= floors[:, None, None]), plain, LATEST)
    parts = [race_all(claims, block, floors) for block in projected_grid(SHAPE).blocks(chunk, of_strips=True)]
    cells = np.concatenate([part[0] for part in parts])
    keys = np.concatenate([part[1] for part in parts])
    assert sorted(cells.tolist()) == np.flatnonzero((expected > LATEST).any(axis=0)).tolist()
    np.testing.assert_array_equal(keys, expected.reshape(len(plain), -1)[:, cells].T)


def test_a_race_says_how_much_room_it_lacked() -> None:
    claims, block, floors = random_claims(2, 3, 1.0), (0, SHAPE[0], 0, SHAPE[1]), np.repeat(ALL, 2)
    whole = race_all(claims, block, floors)
    cells, keys = np.full(5, -1), np.full((5, 2), -1)
    assert race(claims, np.array([block]), floors, cells, keys) == whole[0].size > 5
    assert cells.tolist() == whole[0][:5].tolist()
    assert keys.tolist() == whole[1][:5].tolist()


def test_barring_a_cell_leaves_the_keys_of_the_others() -> None:
    claims, block = random_claims(2, 5, 1.0), (0, SHAPE[0], 0, SHAPE[1])
    kept = claims.barred.copy()
    kept[:, ::3] = 1
    before, after = (race_all(each, block, np.repeat(ALL, 2)) for each in (claims, claims._replace(barred=kept)))
    free = kept.ravel()[before[0]] == 0
    assert after[0].tolist() == before[0][free].tolist()
    assert after[1].tolist() == before[1][free].tolist()


def choose_many(log_weights: list[float], take: int, temperature: float, times: int) -> Counter[tuple[int, ...]]:
    """Draw ``take`` cells, best first, again and again with new streams."""
    scores = np.rint(np.array(log_weights) * SCALE).astype(np.int16).reshape(1, 1, -1)
    claims = build_claims(np.ones(scores.shape[1:], np.uint8), scores, temperature=temperature)
    found: Counter[tuple[int, ...]] = Counter()
    for n in range(times):
        cells, keys = race_all(
            claims._replace(streams=np.array([n * 0x9E3779B9], np.uint64)), (0, 1, 0, len(log_weights)), ALL
        )
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


def test_cells_of_different_strips_run_the_same_race() -> None:
    found = choose_many([0.0] * STRIP + [1.0], 1, 1.0, 6000)
    last = math.e / (STRIP + math.e)
    assert chisquare([found[STRIP,], 6000 - found[STRIP,]], [6000 * last, 6000 * (1 - last)]).pvalue > 0.001


@pytest.mark.parametrize("temperature", [0.5, 1.0, 4.0])
def test_keys_are_scores_with_gumbel_noise(temperature: float) -> None:
    shape = (200, 130)
    claims = build_claims(np.ones(shape, np.uint8), random_scores(1, shape), temperature=temperature)
    cells, keys = race_all(claims, (0, shape[0], 0, shape[1]), ALL)
    noise = (keys[:, 0] / 2.0**TIE_BITS - claims.scores[:, :, 0].ravel()[cells]) / SCALE / temperature
    assert cells.size == claims.land_cover.size
    assert kstest(np.exp(-noise), expon.cdf).pvalue > 0.001


@given(st.floats(1e-300, 1e300))
@settings(max_examples=300)
def test_the_logarithm_is_that_of_the_library(x: float) -> None:
    assert log(x) == pytest.approx(math.log(x), rel=1e-13, abs=1e-15)


@given(st.integers(0, 2**52 - 1))
@settings(max_examples=300)
def test_waiting_times_are_exponential(number: int) -> None:
    uniform = (number + 0.5) / 2**52
    assert wait(uniform) == pytest.approx(-math.log1p(-uniform), rel=1e-12)
    assert wait(uniform) >= uniform


@given(st.floats(1e-12, 1e12), st.floats(0, 1e-3), st.sampled_from([64, 1024, 4096]))
def test_who_strikes_later_has_no_higher_key(time: float, later: float, temperature: int) -> None:
    assert key_of_time(time * (1 + later), temperature) <= key_of_time(time, temperature)
    assert key_of_time(time, temperature) == pytest.approx(-math.log(time) * temperature * 2**TIE_BITS, abs=1)


@pytest.mark.parametrize("temperature", [1 / 4, 1.0, 4.0])
def test_no_weight_lies_where_machines_could_round_differently(temperature: float) -> None:
    below = np.arange(-2 * LARGEST_SCORE, 1) / SCALE
    scaled = np.ldexp(np.frexp(np.exp(below / temperature))[0], 24)
    assert np.abs(scaled - np.floor(scaled) - 0.5).min() > 2e-8  # a last bit of `exp` is 4e-9 here
    weights = weight_table(temperature)
    assert weights.dtype == np.int64
    assert weights[-1] == 2**56
    assert weights.min() == 1 or temperature > 1
    large = weights > 2**30
    np.testing.assert_allclose(weights[large] / 2.0**56, np.exp(below / temperature)[large], rtol=1e-7)


def test_a_weight_stands_for_the_same_below_any_ceiling() -> None:
    weights, ceilings = weight_table(0.5), np.array([0, 4000, 9000])
    for score in (-3000, 0):
        worth = weights[score - ceilings + 2 * LARGEST_SCORE] * unit_weights(ceilings, 0.5)
        np.testing.assert_allclose(worth, np.exp(score / SCALE / 0.5), rtol=1e-6)


def test_a_ceiling_above_all_scores_shows_in_no_key() -> None:
    claims = random_claims(1, 8, 1.0)
    ceilings = claims.ceilings + 2500
    higher = claims._replace(ceilings=ceilings, units=weigh_units(ceilings, claims.temperature), strips=UNKNOWN)
    block = (0, SHAPE[0], 0, SHAPE[1])
    before, after = (race_all(each, block, ALL) for each in (claims, look_at_strips(higher, ONE)))
    assert before[0].tolist() == after[0].tolist()
    np.testing.assert_allclose(before[1], after[1], atol=SCALE << TIE_BITS >> 20)


def test_cells_are_drawn_one_by_one_where_weights_would_span_too_much() -> None:
    assert choose_weights(0.2) is NO_WEIGHTS
    assert choose_weights(0.0) is NO_WEIGHTS
    assert int(choose_weights(1 / 4).max()) * STRIP < 2**63  # a strip of the largest
    assert draws.SCALE == TEMPERATURE_ONE  # a key is the logarithm of a time in these units
