"""Races: which cells are drawn, strip by strip, at a cost of what is drawn and not of what is there.

Each cell has a clock for each transition, which strikes after an exponential time at the rate of the cell's weight,
``exp(score / temperature)``; cells are taken in the order of their clocks. The earlier, the higher the key:
``key = -temperature * ln(time)``, which is ``score + temperature * Gumbel`` with a Gumbel value of its own. Taking the
n highest keys is sampling n cells without replacement by their weights (Efraimidis and Spirakis 2006,
doi:10.1016/j.ipl.2005.11.003).

The first clock of a strip to strike does so at the rate of all weights together, and is a cell's in proportion to its
weight; the next one strikes at the rate of what is left (Rényi 1953, doi:10.1007/BF02127580). So a strip whose first
clock strikes too late is done with by one draw, and none of its cells is looked at. All draws hang on the strip and on
how many of its clocks have struck, never on how many of them somebody wants to see.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from scenarios.kernels.draws import SCALE, TIE_BITS, draw
from scenarios.kernels.keys import Claims
from scenarios.kernels.strips import STRIP, score_of, weight_of
from scenarios.kernels.windows import Int

LATEST = np.int64(-(1 << 50))
"""Key of a cell whose clock strikes too late to be seen."""

_OWN = np.uint64(0xD1B54A32D192ED03)  # the draws of races are others than those of single cells
_LN2 = 0.6931471805599453
_UNIFORM = 1.0 / 9007199254740992.0  # 53 bits
_UNIT = float(SCALE << TIE_BITS)


@njit(inline="always")
def _artanh(z: float) -> float:
    """Return the inverse hyperbolic tangent for |z| < 0.172, where each term is a 34th of the one before, or less."""
    square = z * z
    rest = 1.0 / 17.0 + square * (1.0 / 19.0)
    rest = 1.0 / 15.0 + square * rest
    rest = 1.0 / 13.0 + square * rest
    rest = 1.0 / 11.0 + square * rest
    rest = 1.0 / 9.0 + square * rest
    rest = 1.0 / 7.0 + square * rest
    rest = 1.0 / 5.0 + square * rest
    rest = 1.0 / 3.0 + square * rest
    return z * (1.0 + square * rest)


@njit(inline="always")
def log(x: float) -> float:
    """Return the natural logarithm of a positive number, to 1e-13.

    Of sums, products and quotients alone, which every machine rounds alike; the `log` of libraries differs in its last
    bits from one to the other.
    """
    bits = np.float64(x).view(np.int64)
    exponent = (bits >> np.int64(52)) - np.int64(1023)
    mantissa = np.int64((bits & np.int64(0xFFFFFFFFFFFFF)) | np.int64(0x3FF0000000000000)).view(np.float64)  # 1 to 2
    if mantissa > 1.4142135623730951:
        mantissa *= 0.5
        exponent += np.int64(1)
    return np.float64(exponent) * _LN2 + 2.0 * _artanh((mantissa - 1.0) / (mantissa + 1.0))


@njit(inline="always")
def _uniform(bits: np.uint64) -> float:
    """Return a number between 0 and 1, neither of them included."""
    return (np.float64(np.int64(bits >> np.uint64(12))) + 0.5) * (2.0 * _UNIFORM)


@njit(inline="always")
def wait(uniform: float) -> float:
    """Return an exponential time of mean 1: ``-ln(1 - uniform)``, as exact for the shortest times as for others."""
    if uniform < 0.25:
        return 2.0 * _artanh(uniform / (2.0 - uniform))
    return -log(1.0 - uniform)


@njit(inline="always")
def key_of_time(time: float, temperature: int) -> np.int64:
    """Return the key of a clock that strikes at a time."""
    return np.int64(-log(time) * (_UNIT / 1024.0) * np.float64(temperature))


@njit(inline="always")
def _strike(
    source: int,
    land_cover: NDArray[np.uint8],
    scores: NDArray[np.int16],
    slot: Int,
    ceiling: Int,
    weights: NDArray[np.int64],
    row: int,
    strip: int,
    gone: np.uint64,
    aim: Int,
) -> tuple[int, Int]:
    """Return the column of the cell whose clock strikes, and its weight.

    Parameters
    ----------
    gone : bit by bit, cells whose clock has struck
    aim : the cell strikes at which the sum of the weights passes it; less than the sum of all
    """
    passed = np.int64(0)
    for column in range(strip * STRIP, min((strip + 1) * STRIP, land_cover.shape[1])):
        if land_cover[row, column] == source and not gone >> np.uint64(column - strip * STRIP) & np.uint64(1):
            weight = weight_of(score_of(scores, slot, row, column), ceiling, weights)
            passed += weight
            if passed > aim:
                return column, weight
    return -1, np.int64(0)  # never: all weights together pass any aim


@njit(inline="always")
def _race_strip(
    source: int,
    land_cover: NDArray[np.uint8],
    barred: NDArray[np.uint8],
    scores: NDArray[np.int16],
    slot: Int,
    ceiling: Int,
    unit: float,
    weights: NDArray[np.int64],
    temperature: int,
    key_of_draws: np.uint64,
    left: Int,
    row: int,
    strip: int,
    floor: Int,
    seen: NDArray[np.int64],
) -> np.uint64:
    """Let the clocks of one strip and transition strike until they are too late; return who was seen, bit by bit.

    Parameters
    ----------
    left : what the strip promises, the weights of all its clocks together
    seen : (cell,) int64, keys; written where a clock strikes in time and the cell is free
    """
    time, latest, struck = 0.0, np.int64(1 << 62), 0
    gone = found = np.uint64(0)
    while left > 0:
        time += wait(_uniform(draw(key_of_draws, row, (strip * STRIP + struck) * 2))) / (np.float64(left) * unit)
        latest = min(latest, key_of_time(time, temperature))  # never above the one before, however it is rounded
        if latest < floor:
            break
        share = _uniform(draw(key_of_draws, row, (strip * STRIP + struck) * 2 + 1))
        aim = min(np.int64(share * np.float64(left)), left - 1)
        column, weight = _strike(source, land_cover, scores, slot, ceiling, weights, row, strip, gone, aim)
        if column < 0:
            break
        left -= weight
        place = np.uint64(column - strip * STRIP)
        gone |= np.uint64(1) << place
        struck += 1
        if not barred[row, column]:
            found |= np.uint64(1) << place
            seen[place] = latest
    return found


@njit(nogil=True, cache=True)
def race(
    claims: Claims,
    blocks: NDArray[np.int64],
    floors: NDArray[np.int64],
    cells: NDArray[np.int64],
    keys: NDArray[np.int64],
) -> int:
    """Write the cells of some blocks with at least one key on or above its floor, and these keys.

    Parameters
    ----------
    blocks : (n, 4) first row, last row, first column, last column (exclusive ends), cut between strips
    floors : (K,) smallest key of interest of each transition
    cells : (capacity,) flat indices, written strip by strip
    keys : (capacity, K), written; `LATEST` where a key is below its floor

    Returns
    -------
    int, the number found. Where it passes the capacity, the rest was not written: call again with more room.
    """
    # Arrays taken out of the tuple once: inside the loops each access would count its references.
    source, land_cover, barred, scores, slots, streams, temperature, _, weights, ceilings, units, strips, places = (
        claims
    )
    # What a strip has to promise for a uniform number of 1, and less for a smaller one, that its first clock may be of
    # interest; a little less, for what is in time is told by its key. An exponential time is never shorter than its
    # uniform number.
    hopes = np.exp(np.maximum(-700.0, floors * (1024.0 / _UNIT) / temperature - 1e-6)) / units
    seen = np.full((streams.size, STRIP), LATEST)
    found = 0
    for block in blocks:
        for row in range(block[0], block[1]):
            for strip in range(block[2] // STRIP, -(-block[3] // STRIP)):
                here = np.uint64(0)
                for k in range(streams.size):
                    left, own = strips[row, strip, places[k]], streams[k] ^ _OWN
                    if left > 0 and _uniform(draw(own, row, strip * STRIP * 2)) * hopes[k] <= np.float64(left):
                        here |= _race_strip(
                            source,
                            land_cover,
                            barred,
                            scores,
                            slots[k],
                            ceilings[k],
                            units[k],
                            weights,
                            temperature,
                            own,
                            left,
                            row,
                            strip,
                            floors[k],
                            seen[k],
                        )
                place = 0
                while here:
                    if here & np.uint64(1):
                        if found < cells.size:
                            cells[found] = row * land_cover.shape[1] + strip * STRIP + place
                            keys[found] = seen[:, place]
                        seen[:, place] = LATEST
                        found += 1
                    here >>= np.uint64(1)
                    place += 1
    return found
