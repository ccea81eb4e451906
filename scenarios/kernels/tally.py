"""Counting, over members, how often a cell has a class, and when it changes."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

_LANES = 4  # neighbours are mostly of one class; counting each in another row, none waits for the one before


@njit(nogil=True, cache=True)
def weigh(land_cover: NDArray[np.uint8], row_weight: NDArray[np.int64]) -> NDArray[np.int64]:
    """Add up the weights of the cells of each value, (256,) int64.

    Parameters
    ----------
    land_cover : (y, x) uint8
    row_weight : (y,) int64, of one cell of each row
    """
    total, counts = np.zeros(256, np.int64), np.zeros((_LANES, 256), np.int64)
    for row in range(land_cover.shape[0]):
        for column in range(land_cover.shape[1]):
            counts[column % _LANES, land_cover[row, column]] += 1
        for lane in range(_LANES):
            for value in range(256):
                total[value] += counts[lane, value] * row_weight[row]
                counts[lane, value] = 0
    return total


@njit(nogil=True, cache=True)
def move_weights(
    cells: NDArray[np.int64],
    before: NDArray[np.uint8],
    after: NDArray[np.uint8],
    zones: NDArray[np.integer],
    row_weight: NDArray[np.int64],
    place: NDArray[np.int64],
    area: NDArray[np.int64],
) -> None:
    """Move cells that change from a class to another in the areas of their zones.

    Parameters
    ----------
    cells : (n,) int64, flat indices
    before, after : (n,) uint8, legend values
    zones : (y, x), number of the zone of each cell
    row_weight : (y,) int64, of one cell of each row
    place : (256,) int64, column of ``area`` by legend value
    area : (zone, class) int64, changed
    """
    for n in range(cells.size):
        row, column = divmod(cells[n], zones.shape[1])
        area[zones[row, column], place[before[n]]] -= row_weight[row]
        area[zones[row, column], place[after[n]]] += row_weight[row]


@njit(nogil=True, cache=True)
def tally(land_cover: NDArray[np.uint8], values: NDArray[np.uint8], counts: NDArray[np.uint8]) -> None:
    """Add one member's map to the counts.

    Parameters
    ----------
    land_cover : (y, x) uint8
    values : (class,) uint8, legend value of each row of ``counts``
    counts : (class, y, x) uint8, added to
    """
    for row in range(land_cover.shape[0]):
        for n in range(values.size):
            for column in range(land_cover.shape[1]):
                counts[n, row, column] += np.uint8(land_cover[row, column] == values[n])


@njit(nogil=True, cache=True)
def move_members(
    cells: NDArray[np.int64],
    before: NDArray[np.uint8],
    after: NDArray[np.uint8],
    place: NDArray[np.int64],
    counts: NDArray[np.uint8],
) -> None:
    """Move one member from a class to another in the cells that it changes.

    Parameters
    ----------
    cells : (n,) int64, flat indices
    before, after : (n,) uint8, legend values
    place : (256,) int64, row of ``counts`` by legend value
    counts : (class, y * x) uint8, added to and subtracted from; below 0 it goes on at 255
    """
    for n in range(cells.size):
        counts[place[before[n]], cells[n]] -= np.uint8(1)
        counts[place[after[n]], cells[n]] += np.uint8(1)


@njit(nogil=True, cache=True)
def note_changes(cells: NDArray[np.int64], step: int, first: NDArray[np.uint8], last: NDArray[np.uint8]) -> None:
    """Note in which step the cells of one member change.

    Parameters
    ----------
    cells : (n,) int64, flat indices of those that change in this step
    step : years since the start, 1 to 255
    first, last : (y * x,) uint8, step of the first and of the last change, 0 = none yet; written where a cell changes
    """
    for cell in cells:
        last[cell] = step
        if first[cell] == 0:
            first[cell] = step


@njit(nogil=True, cache=True)
def tally_changes(
    first: NDArray[np.uint8],
    last: NDArray[np.uint8],
    members: NDArray[np.uint8],
    sum_first: NDArray[np.uint16],
    sum_last: NDArray[np.uint16],
) -> None:
    """Add the steps of one member's changes to those of the others.

    Parameters
    ----------
    first, last : (y, x) uint8, from `note_changes`
    members : (y, x) uint8, in how many members the cell changes; added to
    sum_first, sum_last : (y, x) uint16, sums over these members; added to
    """
    for row in range(first.shape[0]):
        for column in range(first.shape[1]):
            members[row, column] += np.uint8(first[row, column] != 0)
            sum_first[row, column] += np.uint16(first[row, column])
            sum_last[row, column] += np.uint16(last[row, column])
