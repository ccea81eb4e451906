"""Counter-based random draws: a pure function of (seed, member, year, transition, row, column).

A draw has no state, so any chunk, thread or process that looks at a cell sees the same number. The mixing function is
the finaliser of SplitMix64 (Steele, Lea and Flood 2014, doi:10.1145/2660193.2660195).
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

SCALE = 1024
"""Fixed-point units of one natural-log unit: every score and every Gumbel draw is a multiple of 1/1024."""

TIE_BITS = 20
"""Low bits of a draw, which break ties between equal keys; the other 44 make the Gumbel value."""

_MANTISSA_BITS = 8
_UNIFORM_BITS = 64 - TIE_BITS
_MASK = (1 << 64) - 1


def _mix_int(z: int) -> int:
    """SplitMix64's finaliser on a Python integer."""
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return z ^ (z >> 31)


def stream(*counters: int) -> np.uint64:
    """Return the key of one stream of draws, e.g. ``stream(seed, member, year, source, target)``.

    The scenario is not among the counters: two scenarios that agree in a place and a year draw the same numbers there.
    """
    key = 0x9E3779B97F4A7C15
    for counter in counters:
        key = _mix_int((key ^ (counter & _MASK)) + 0x9E3779B97F4A7C15 & _MASK)
    return np.uint64(key)


@njit(inline="always")
def draw(key: np.uint64, row: int, column: int) -> np.uint64:
    """Return 64 random bits of one cell."""
    z = key + (np.uint64(row) << np.uint64(32) | np.uint64(column)) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@njit(inline="always")
def gumbel(bits: np.uint64, table: NDArray[np.int16]) -> int:
    """Return the standard Gumbel value of 64 random bits, in 1/1024."""
    odd = np.float64(np.int64((bits >> np.uint64(TIE_BITS)) << np.uint64(1) | np.uint64(1)))
    # The exponent and the first mantissa bits of the (exact) float are the row of the table: no logarithm is taken.
    row = (odd.view(np.int64) >> np.int64(52 - _MANTISSA_BITS)) - (np.int64(1023) << _MANTISSA_BITS)
    return int(table[np.uint64(row)])


def gumbel_values() -> NDArray[np.float64]:
    """Return the exact Gumbel value at the middle of every cell of the table, in natural-log units."""
    octave, mantissa = np.divmod(np.arange((_UNIFORM_BITS + 1) << _MANTISSA_BITS), 1 << _MANTISSA_BITS)
    uniform = np.ldexp(1 + (mantissa + 0.5) / (1 << _MANTISSA_BITS), octave - _UNIFORM_BITS - 1)
    return np.asarray(-np.log(-np.log1p(-uniform)))


def gumbel_table() -> NDArray[np.int16]:
    """Return the table behind `gumbel`: 11,520 values, int16, in 1/1024.

    Rounding hides how each machine's `log` rounds its last bit (a test checks that no value lies near a half).
    """
    return np.rint(gumbel_values() * SCALE).astype(np.int16)


@njit(inline="always")
def uniform(key: np.uint64, row: int, column: int) -> np.float64:
    """Return one uniform number in [0, 1) of one cell."""
    return np.float64(np.int64(draw(key, row, column) >> np.uint64(11))) / 9007199254740992.0


@njit(nogil=True, cache=True)
def uniforms(key: np.uint64, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return one uniform number in [0, 1) for each cell (row, column)."""
    out = np.empty(rows.size, np.float64)
    for n in range(rows.size):
        out[n] = uniform(key, rows[n], columns[n])
    return out
