"""Ranking free cells by a layer: how high the values are, and which cells reach a floor."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from scenarios.kernels.strips import STRIP

RANKS = 1 << 16
"""Ranks of float32 values: their sign, exponent and first seven bits, in rising order."""

_LOW_BITS = np.int32(16)
_ALL_BUT_SIGN = np.int32(0x7FFFFFFF)


@njit(inline="always")
def _rank_of(value: np.float32) -> np.int32:
    """Return the rank of a value: the bits of a float rise with it, those of a negative one if they are turned over."""
    bits = np.float32(value).view(np.int32)
    return ((bits ^ ((bits >> np.int32(31)) & _ALL_BUT_SIGN)) >> _LOW_BITS) + np.int32(RANKS >> 1)


def lowest_of(rank: int) -> np.float32:
    """Return the lowest value of a rank."""
    ordered = np.int32((rank - (RANKS >> 1)) << int(_LOW_BITS))
    value = np.int32(ordered ^ ((ordered >> np.int32(31)) & _ALL_BUT_SIGN)).view(np.float32)
    return np.float32(-np.inf) if np.isnan(value) else np.float32(value)


@njit(nogil=True, cache=True)
def count_ranks(
    values: NDArray[np.float32],
    land_cover: NDArray[np.uint8],
    source: int,
    closed: NDArray[np.uint8],
    rows: tuple[int, int],
) -> NDArray[np.int64]:
    """Count the free cells of a class by the rank of their values, (RANKS,) int64.

    Parameters
    ----------
    values : (y, x) float32, NaN = missing: such a cell is not counted
    land_cover : (y, x) uint8
    source : the class
    closed : (y, x) uint8, non-zero where a cell is not free
    rows : first and last (exclusive) row
    """
    out = np.zeros(RANKS, np.int64)
    for row in range(rows[0], rows[1]):
        for column in range(values.shape[1]):
            value = values[row, column]
            if land_cover[row, column] == source and not closed[row, column] and value == value:  # NaN is not itself
                out[_rank_of(value)] += 1
    return out


@njit(nogil=True, cache=True)
def collect_from(
    values: NDArray[np.float32],
    land_cover: NDArray[np.uint8],
    source: int,
    closed: NDArray[np.uint8],
    floor: np.float32,
    rows: tuple[int, int],
) -> NDArray[np.int64]:
    """Return the free cells of a class whose values are a floor or above, (n,) int64, rising flat indices."""
    cells, found, own = np.empty(1024, np.int64), 0, np.uint8(source)
    for row in range(rows[0], rows[1]):
        for start in range(0, values.shape[1], STRIP):
            end = min(start + STRIP, values.shape[1])
            some = False
            for column in range(start, end):  # without a jump: several cells are looked at at once
                some |= (values[row, column] >= floor) & (land_cover[row, column] == own) & (closed[row, column] == 0)
            for column in range(start, end if some else start):
                if values[row, column] >= floor and land_cover[row, column] == own and not closed[row, column]:
                    if found == cells.size:
                        cells = np.concatenate((cells, np.empty(found, np.int64)))
                    cells[found] = row * values.shape[1] + column
                    found += 1
    return cells[:found]
