"""What the strips of a landscape promise, before anything is known of them, and of claims of their own."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from scenarios.cluster import Workers
from scenarios.kernels.keys import TEMPERATURE_ONE, Claims
from scenarios.kernels.strips import count_strips, promise, unit_weights, weight_table

LOWEST_TEMPERATURE: Final = 1 / 4
"""Below it weights span more than an integer holds: single cells are drawn, not strips."""

NO_WEIGHTS: Final = np.empty(0, np.int64)
UNKNOWN: Final = np.empty((0, 0, 0), np.int64)
"""Strips of claims that nothing is known of."""

_ROWS = 128


def choose_weights(temperature: float) -> NDArray[np.int64]:
    """Return the weights of the scores at a temperature; none where cells are not drawn by strips."""
    as_drawn = round(temperature * TEMPERATURE_ONE) / TEMPERATURE_ONE
    return weight_table(as_drawn) if as_drawn >= LOWEST_TEMPERATURE else NO_WEIGHTS


def weigh_units(ceilings: NDArray[np.int64], temperature: int) -> NDArray[np.float64]:
    """Return what a weight of 1 stands for below each ceiling, (K,) float64; nothing where cells are drawn one by one.

    Parameters
    ----------
    ceilings : (K,) int64, that no score passes, in 1/1024
    temperature : in 1/1024
    """
    as_drawn = temperature / TEMPERATURE_ONE
    return unit_weights(ceilings, as_drawn) if as_drawn >= LOWEST_TEMPERATURE else np.ones(ceilings.size)


def look_at_strips(claims: Claims, workers: Workers) -> Claims:
    """Return claims that know what the strips promise; those that know it already as they are."""
    if claims.strips.size:
        return claims
    height, width = claims.land_cover.shape
    strips = np.empty((claims.slots.size, height, count_strips(width)), np.int64)

    def look(first: int) -> None:
        rows = first, min(first + _ROWS, height)
        for slot, ceiling, out in zip(claims.slots, claims.ceilings, strips, strict=True):
            promise(claims.land_cover, claims.source, claims.scores, slot, ceiling, claims.weights, rows, out)

    workers.map(look, range(0, height, _ROWS))
    known = np.ascontiguousarray(strips.transpose(1, 2, 0))
    return claims._replace(strips=known, places=np.arange(claims.slots.size))
