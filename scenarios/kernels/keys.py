"""Keys: each cell's claim to change, one integer per transition out of its class.

``key = (score + temperature * Gumbel) << 20 | tie``: taking the n largest keys is sampling n cells without replacement
with weights ``exp(score / temperature)`` (the Gumbel top-n trick; Kool, van Hoof and Welling 2019, arXiv:1903.06059).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from scenarios.kernels.draws import TIE_BITS, draw, gumbel
from scenarios.kernels.strips import STRIP
from scenarios.kernels.windows import Int

TEMPERATURE_ONE = 1024
"""Fixed-point one of the temperature."""

_TIE_MASK = np.uint64((1 << TIE_BITS) - 1)


class Claims(NamedTuple):
    """What the keys of all transitions out of one class are made of; shared by all blocks of a year."""

    source: int  # legend value of the class that the cells have now
    land_cover: NDArray[np.uint8]  # (y, x) state at the beginning of the year
    barred: NDArray[np.uint8]  # (y, x) non-zero where no transition out of this class may happen
    scores: NDArray[np.int16]  # (slot, y, x) in 1/1024
    slots: NDArray[np.int64]  # (K,) row in `scores` of each transition; below 0: all cells alike
    streams: NDArray[np.uint64]  # (K,) key of the draws of each transition
    temperature: int  # in 1/1024
    gumbel: NDArray[np.int16]
    weights: NDArray[np.float64]  # of the scores, at this temperature; empty where cells are not drawn by strips
    strips: NDArray[np.float64]  # (K, y, strip) what the strips promise each transition; empty: not known


@njit(inline="always")
def key_of(stream: np.uint64, row: int, column: int, score: Int, temperature: int, table: NDArray[np.int16]) -> Int:
    """Return the key of one cell for one transition, from its score and the stream of the transition's draws."""
    bits = draw(stream, row, column)
    return ((score + ((temperature * gumbel(bits, table)) >> 10)) << np.int64(TIE_BITS)) | np.int64(bits & _TIE_MASK)


@njit(inline="always")
def score_of(scores: NDArray[np.int16], slot: Int, row: int, column: int) -> Int:
    """Return the score of one cell in a slot; 0 below slot 0."""
    return np.int64(scores[slot, row, column]) if slot >= 0 else np.int64(0)


@njit(nogil=True, cache=True)
def histogram(
    claims: Claims, block: tuple[int, int, int, int], lowest: NDArray[np.int64], shift: int, bins: int
) -> NDArray[np.int64]:
    """Count keys per bin and transition in one block.

    Parameters
    ----------
    block : first row, last row, first column, last column (exclusive ends)
    lowest : (K,) key at the lower edge of bin 0; smaller keys are not counted
    shift : a bin is ``2**shift`` keys wide
    bins : keys above the last bin are counted in it

    Returns
    -------
    (K, bins) int64, cells
    """
    # Arrays taken out of the tuple once: inside the loops each access would count its references.
    source, land_cover, barred, scores, slots, streams, temperature, table, _, _ = claims
    n = slots.size
    out = np.zeros((n, bins), np.int64)
    for row in range(block[0], block[1]):
        for column in range(block[2], block[3]):
            if land_cover[row, column] != source or barred[row, column]:
                continue
            for k in range(n):
                key = key_of(streams[k], row, column, score_of(scores, slots[k], row, column), temperature, table)
                if key >= lowest[k]:
                    out[k, min((key - lowest[k]) >> shift, bins - 1)] += 1
    return out


@njit(inline="always")
def _is_hopeful(strips: NDArray[np.float64], hopes: NDArray[np.float64], row: int, strip: int) -> bool:
    """Tell whether any cell of a strip may be of interest to any transition."""
    hope = False
    for k in range(hopes.size):
        hope |= strips[k, row, strip] >= hopes[k]
    return hope


@njit(nogil=True, cache=True)
def collect(
    claims: Claims,
    block: tuple[int, int, int, int],
    floors: NDArray[np.int64],
    cells: NDArray[np.int64],
    keys: NDArray[np.int64],
) -> int:
    """Write the cells of one block with at least one key on or above its floor, and all their keys.

    Parameters
    ----------
    block : first row, last row, first column, last column (exclusive ends), cut between strips
    floors : (K,) smallest key of interest of each transition
    cells : (capacity,) flat indices, written in row order
    keys : (capacity, K), written

    Returns
    -------
    int, the number found. Where it passes the capacity, the rest was not written: call again with more room.
    """
    # Arrays taken out of the tuple once: inside the loops each access would count its references.
    source, land_cover, barred, scores, slots, streams, temperature, table, _, strips = claims
    n = slots.size
    width = land_cover.shape[1]
    found = 0
    luckiest = (temperature * int(table.max()) >> 10) + 1
    hopes = np.empty(n)  # scores from which on a cell may be of interest, if it is lucky
    for k in range(n):
        hopes[k] = float(floors[k] >> np.int64(TIE_BITS)) - luckiest
    for row in range(block[0], block[1]):
        for strip in range(block[2] // STRIP, -(-block[3] // STRIP)):
            last = min((strip + 1) * STRIP, block[3]) if _is_hopeful(strips, hopes, row, strip) else 0
            for column in range(strip * STRIP, last):
                wanted = False
                for k in range(n if land_cover[row, column] == source and not barred[row, column] else 0):
                    score = score_of(scores, slots[k], row, column)
                    # Most cells are out by their score alone, and nothing is drawn for them.
                    if score >= hopes[k]:
                        wanted |= key_of(streams[k], row, column, score, temperature, table) >= floors[k]
                if wanted:
                    if found < cells.size:
                        cells[found] = row * width + column
                        for k in range(n):
                            score = score_of(scores, slots[k], row, column)
                            keys[found, k] = key_of(streams[k], row, column, score, temperature, table)
                    found += 1
    return found
