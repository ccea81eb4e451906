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
from scenarios.kernels.strips import NOTHING, STRIP, score_of
from scenarios.kernels.windows import Int

TEMPERATURE_ONE = 1024
"""Fixed-point one of the temperature."""

_TIE_MASK = np.uint64((1 << TIE_BITS) - 1)


class Claims(NamedTuple):
    """What the keys of all transitions out of one class are made of; shared by all blocks of a year."""

    source: int  # legend value of the class that the cells have now
    land_cover: NDArray[np.uint8]  # (y, x) state at the beginning of the year
    barred: NDArray[np.uint8]  # (y, x) non-zero where no transition out of this class may happen
    scores: NDArray[np.int16]  # (y, x, slot) in 1/1024
    slots: NDArray[np.int64]  # (K,) place in `scores` of each transition; below 0: all cells alike
    streams: NDArray[np.uint64]  # (K,) key of the draws of each transition
    temperature: int  # in 1/1024
    gumbel: NDArray[np.int16]
    weights: NDArray[np.int64]  # of the scores, at this temperature; empty where cells are not drawn by strips
    ceilings: NDArray[np.int64]  # (K,) that no score of a transition passes
    units: NDArray[np.float64]  # (K,) what a weight of 1 stands for
    strips: NDArray[np.int64]  # (y, strip, T) what the strips promise; empty: not known
    places: NDArray[np.int64]  # (K,) place in `strips` of each transition


@njit(inline="always")
def key_of(stream: np.uint64, row: int, column: int, score: Int, temperature: int, table: NDArray[np.int16]) -> Int:
    """Return the key of one cell for one transition, from its score and the stream of the transition's draws."""
    bits = draw(stream, row, column)
    return ((score + ((temperature * gumbel(bits, table)) >> 10)) << np.int64(TIE_BITS)) | np.int64(bits & _TIE_MASK)


@njit(inline="always")
def _find_hopes(floors: NDArray[np.int64], temperature: int, table: NDArray[np.int16]) -> NDArray[np.int64]:
    """Return scores from which on the key of a cell may be on or above a floor, if it is lucky."""
    luckiest = (temperature * int(table.max()) >> 10) + 1
    return (floors >> np.int64(TIE_BITS)) - luckiest


@njit(inline="always")
def _is_hopeful(
    strips: NDArray[np.int64], places: NDArray[np.int64], hopes: NDArray[np.int64], row: int, strip: int
) -> bool:
    """Tell whether any cell of a strip may be of interest to any transition."""
    hope = False
    for k in range(hopes.size):
        hope |= strips[row, strip, places[k]] >= hopes[k]
    return hope


@njit(nogil=True, cache=True)
def histogram(
    claims: Claims, blocks: NDArray[np.int64], lowest: NDArray[np.int64], shift: int, bins: int
) -> NDArray[np.int64]:
    """Count keys per bin and transition in some blocks.

    Parameters
    ----------
    blocks : (n, 4) first row, last row, first column, last column (exclusive ends), cut between strips
    lowest : (K,) key at the lower edge of bin 0; smaller keys are not counted
    shift : a bin is ``2**shift`` keys wide
    bins : keys above the last bin are counted in it

    Returns
    -------
    (K, bins) int64, cells
    """
    # Arrays taken out of the tuple once: inside the loops each access would count its references.
    source, land_cover, barred, scores, slots, streams, temperature, table, _, _, _, strips, places = claims
    out, hopes = np.zeros((slots.size, bins), np.int64), _find_hopes(lowest, temperature, table)
    for block in blocks:
        for row in range(block[0], block[1]):
            for strip in range(block[2] // STRIP, -(-block[3] // STRIP)):
                hopeful = _is_hopeful(strips, places, hopes, row, strip)
                for column in range(strip * STRIP, min((strip + 1) * STRIP, block[3]) if hopeful else 0):
                    free = land_cover[row, column] == source and not barred[row, column]
                    for k in range(slots.size if free else 0):
                        score = score_of(scores, slots[k], row, column)
                        key = key_of(streams[k], row, column, score, temperature, table)
                        if key >= lowest[k]:
                            out[k, min((key - lowest[k]) >> shift, bins - 1)] += 1
    return out


@njit(inline="always")
def _is_wanted(
    claims: Claims,
    hopes: NDArray[np.int64],
    floors: NDArray[np.int64],
    row: int,
    column: int,
    highest: NDArray[np.int64],
) -> bool:
    """Tell whether a cell of the class has a key on or above its floor; raise the highest scores to its own."""
    _, _, barred, scores, slots, streams, temperature, table, _, _, _, _, _ = claims
    wanted = False
    for k in range(slots.size):
        score = score_of(scores, slots[k], row, column)
        highest[k] = max(highest[k], score)
        # Most cells are out by their score alone, and nothing is drawn for them.
        if score >= hopes[k] and not barred[row, column]:
            wanted |= key_of(streams[k], row, column, score, temperature, table) >= floors[k]
    return wanted


@njit(nogil=True, cache=True)
def collect(
    claims: Claims,
    blocks: NDArray[np.int64],
    floors: NDArray[np.int64],
    cells: NDArray[np.int64],
    keys: NDArray[np.int64],
) -> int:
    """Write the cells of some blocks with at least one key on or above its floor, and all their keys.

    Parameters
    ----------
    claims : what the strips promise is written where they were looked through: no more than their cells have
    blocks : (n, 4) first row, last row, first column, last column (exclusive ends), cut between strips
    floors : (K,) smallest key of interest of each transition
    cells : (capacity,) flat indices, written in row order
    keys : (capacity, K), written

    Returns
    -------
    int, the number found. Where it passes the capacity, the rest was not written: call again with more room.
    """
    # Arrays taken out of the tuple once: inside the loops each access would count its references.
    source, land_cover, _, scores, slots, streams, temperature, table, _, _, _, strips, places = claims
    found, hopes, highest = 0, _find_hopes(floors, temperature, table), np.empty(slots.size, np.int64)
    for block in blocks:
        for row in range(block[0], block[1]):
            for strip in range(block[2] // STRIP, -(-block[3] // STRIP)):
                if not _is_hopeful(strips, places, hopes, row, strip):
                    continue
                highest[:] = NOTHING
                for column in range(strip * STRIP, min((strip + 1) * STRIP, block[3])):
                    mine = land_cover[row, column] == source
                    if mine and _is_wanted(claims, hopes, floors, row, column, highest):
                        if found < cells.size:
                            cells[found] = row * land_cover.shape[1] + column
                            for k in range(slots.size):
                                score = score_of(scores, slots[k], row, column)
                                keys[found, k] = key_of(streams[k], row, column, score, temperature, table)
                        found += 1
                for k in range(slots.size):
                    strips[row, strip, places[k]] = highest[k]
    return found
