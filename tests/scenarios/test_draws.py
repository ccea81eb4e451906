"""Random draws: their distribution, and that nothing but the counters matters."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit
from numpy.typing import NDArray
from scipy.stats import kstest

from scenarios.kernels.draws import SCALE, draw, gumbel, gumbel_table, gumbel_values, stream, uniforms

_MASK = (1 << 64) - 1
_CELLS = np.indices((400, 500)).reshape(2, -1)


@njit(cache=True)
def draw_gumbel(key: np.uint64, count: int, table: NDArray[np.int16]) -> NDArray[np.int64]:
    out = np.empty(count, np.int64)
    for n in range(count):
        out[n] = gumbel(draw(key, n // 1000, n % 1000), table)
    return out


def uniform_map(*counters: int) -> NDArray[np.float64]:
    return np.asarray(uniforms(stream(*counters), *_CELLS))


def split_mix_64(state: int) -> int:
    """Return SplitMix64's output from a state, as its authors publish it."""
    z = (state + 0x9E3779B97F4A7C15) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return z ^ (z >> 31)


def test_draws_are_split_mix_64_by_published_values() -> None:
    # The first outputs of SplitMix64 seeded with 1234567; cell n of row 0 is the n-th of its stream.
    published = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431]
    assert [int(draw(np.uint64(1234567), 0, n)) for n in (1, 2, 3, 4)] == published


@given(st.integers(0, _MASK), st.integers(0, 2**31 - 1), st.integers(1, 2**31 - 1))
@settings(deadline=None, max_examples=50)
def test_a_draw_is_split_mix_64_of_key_and_cell(key: int, row: int, column: int) -> None:
    state = key + ((row << 32 | column) - 1) * 0x9E3779B97F4A7C15
    assert int(draw(np.uint64(key), row, column)) == split_mix_64(state & _MASK)


def test_gumbel_has_mean_and_variance_of_the_distribution() -> None:
    values = draw_gumbel(stream(1, 2, 3), 1_000_000, gumbel_table()) / SCALE
    # Standard errors: 0.0013 and 0.0035.
    assert abs(values.mean() - np.euler_gamma) < 0.005
    assert abs(values.var() - np.pi**2 / 6) < 0.014


def test_the_gumbel_table_has_the_mean_of_the_distribution() -> None:
    # The cells of the table are 256 to every halving of (0, 1), so their widths are chances.
    octave, _ = np.divmod(np.arange(gumbel_table().size), 256)
    width = np.ldexp(1 / 256, octave - 45)
    assert width.sum() == pytest.approx(1)
    assert (width * gumbel_table() / SCALE).sum() == pytest.approx(np.euler_gamma, abs=3e-4)


def test_the_largest_gumbel_draws_follow_the_distribution() -> None:
    values = draw_gumbel(stream(4), 1_000_000, gumbel_table()) / SCALE
    for level in (2.0, 4.0, 6.0, 8.0):
        expected = 1_000_000 * -np.expm1(-np.exp(-level))
        assert abs((values > level).sum() - expected) < 5 * np.sqrt(expected) + 0.004 * expected


def test_no_gumbel_value_lies_where_machines_could_round_differently() -> None:
    scaled = gumbel_values() * SCALE
    to_half = np.abs(scaled - np.floor(scaled) - 0.5)
    assert to_half.min() > 1e-9 * SCALE


def test_the_gumbel_table_is_whole_and_falls() -> None:
    table = gumbel_table()
    assert table.shape == (11_520,)
    assert table.dtype == np.int16
    assert (np.diff(table.astype(int)) <= 0).all()
    np.testing.assert_allclose(table / SCALE, gumbel_values(), atol=0.5 / SCALE)


def test_uniforms_are_uniform() -> None:
    values = uniform_map(7)
    assert values.min() >= 0
    assert values.max() < 1
    assert kstest(values, "uniform").pvalue > 0.001


@given(st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 5000)), min_size=1, max_size=50), st.randoms())
@settings(deadline=None, max_examples=25)
def test_a_draw_does_not_depend_on_the_draws_beside_it(cells: list[tuple[int, int]], random: object) -> None:
    key = stream(1)
    together = uniforms(key, *np.array(cells, np.int64).T)
    alone = [uniforms(key, *np.array([cell], np.int64).T)[0] for cell in reversed(cells)]
    assert together.tolist() == alone[::-1]


def test_streams_of_different_counters_differ() -> None:
    counters = [
        (seed, member, year, source, target)
        for seed in (0, 1, 42)
        for member in (0, 1, 2**31)
        for year in range(2000, 2020)
        for source in range(1, 6)
        for target in range(1, 6)
    ]
    assert len({int(stream(*c)) for c in counters}) == len(counters)


def test_counters_count_by_place() -> None:
    keys = [stream(1, 2), stream(2, 1), stream(1), stream(1, 0), stream(0, 1), stream()]
    assert len({int(key) for key in keys}) == len(keys)


def test_streams_of_neighbouring_counters_are_uncorrelated() -> None:
    base = uniform_map(42, 0, 2001, 1, 2)
    others = [(43, 0, 2001, 1, 2), (42, 1, 2001, 1, 2), (42, 0, 2002, 1, 2), (42, 0, 2001, 2, 2), (42, 0, 2001, 1, 3)]
    for other in others:
        assert abs(np.corrcoef(base, uniform_map(*other))[0, 1]) < 0.012  # 5 standard errors


def test_neighbouring_cells_are_uncorrelated() -> None:
    values = uniform_map(42).reshape(400, 500)
    for here, there in ((values[1:], values[:-1]), (values[:, 1:], values[:, :-1]), (values[1:, 1:], values[:-1, :-1])):
        assert abs(np.corrcoef(here.ravel(), there.ravel())[0, 1]) < 0.012


def test_rows_and_columns_are_told_apart() -> None:
    values = uniforms(stream(3), *np.indices((60, 60)).reshape(2, -1))
    assert np.unique(values).size == 3600
