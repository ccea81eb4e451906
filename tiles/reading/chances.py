"""How likely a class is in a place: what the members' shares are worth, as the hindcast of the run has it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiles.reading.cube import Cube

_KEPT = 0
"""Class at the start of cells whose share is the chance: those outside, and where a plan decides."""


def read_chances(cube: Cube, year: int, *place: Any) -> NDArray[np.float64]:
    """Read how likely each class is in a year, (class, ...) 0 to 1; of a run without a hindcast, the members' shares.

    Parameters
    ----------
    cube : Cube
        What the members of a run have in common.
    year : int
        One of its years.
    *place : int or slice
        Row and column, or slices of them.

    Raises
    ------
    LayerUnreadable
        If an array is missing or damaged.
    """
    at = cube.years.index(year)
    counts = cube.read("probability", at, slice(None), *place)
    if not is_recalibrated(cube):
        return np.asarray(counts / cube.members)
    start, table = cube.read("recalibrated_class", *place), cube.read("recalibration", at)
    return tell_chances(counts, start, table, cube.classes)


def is_recalibrated(cube: Cube) -> bool:
    """Tell whether a run knows what its members' shares are worth."""
    return cube.holds("recalibration")


def tell_chances(
    counts: NDArray[np.uint8], start: NDArray[np.uint8], table: NDArray[np.float32], classes: Sequence[int]
) -> NDArray[np.float64]:
    """Turn counts of members into chances.

    Parameters
    ----------
    counts : (class, ...) uint8
        How many members have each class.
    start : (...) uint8
        Class at the start of cells that are recalibrated, as legend values; 0 elsewhere.
    table : (class at the start, class, n) float32
        Chance of a change that n members make.
    classes : sequence of int
        Legend values, in the order of both.

    Returns
    -------
    (class, ...) float64, 0 to 1
    """
    chances = np.asarray(counts / (table.shape[2] - 1))
    for value in np.unique(start):
        if value == _KEPT:
            continue
        here, own = start == value, classes.index(int(value))
        told = np.take_along_axis(table[own].astype(np.float64), counts[:, here].astype(np.intp), axis=1)
        told[own] = 0
        changed = told.sum(axis=0)
        told /= np.maximum(changed, 1)
        told[own] = np.maximum(1 - changed, 0)
        chances[:, here] = told
    return chances
