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
def unroll(
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    steps: NDArray[np.int64],
    after: NDArray[np.uint8],
    maps: NDArray[np.uint8],
) -> None:
    """Make the map of every year of one walk.

    Parameters
    ----------
    rows, columns : (n,) int64, where it changes; the changes of one cell in the order of the years
    steps : (n,) int64, years since the start, from 1 on
    after : (n,) uint8, legend values
    maps : (year, y, x) uint8, from the start on; at first that of the start in every year, then what it becomes
    """
    for n in range(rows.size):
        for step in range(steps[n], maps.shape[0]):
            maps[step, rows[n], columns[n]] = after[n]


@njit(nogil=True, cache=True)
def count_members(
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    steps: NDArray[np.int64],
    before: NDArray[np.uint8],
    after: NDArray[np.uint8],
    start: NDArray[np.uint8],
    values: NDArray[np.uint8],
    place: NDArray[np.int64],
    members: int,
    counts: NDArray[np.uint8],
) -> None:
    """Count in how many members each cell has each class in each year.

    Parameters
    ----------
    rows, columns : (n,) int64, where members change
    steps : (n,) int64, years since the start, from 1 on
    before, after : (n,) uint8, legend values
    start : (y, x) uint8, land cover that all members begin with, 0 = no data
    values : (class,) uint8, legend values in the order of ``counts``
    place : (256,) int64, row of ``counts`` by legend value
    members : how many there are, at most 255
    counts : (year, class, y, x) uint8, zeros at first; written
    """
    for n in range(rows.size):  # what each year adds to the one before, modulo 256
        counts[steps[n] - 1, place[before[n]], rows[n], columns[n]] -= np.uint8(1)
        counts[steps[n] - 1, place[after[n]], rows[n], columns[n]] += np.uint8(1)
    for n in range(values.size):
        for row in range(start.shape[0]):
            for column in range(start.shape[1]):
                counts[0, n, row, column] += np.uint8(members) * np.uint8(start[row, column] == values[n])
    for year in range(1, counts.shape[0]):
        for n in range(values.size):
            for row in range(start.shape[0]):
                for column in range(start.shape[1]):
                    counts[year, n, row, column] += counts[year - 1, n, row, column]


@njit(nogil=True, cache=True)
def time_members(
    walks: NDArray[np.int64],
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    steps: NDArray[np.int64],
    members: NDArray[np.uint8],
    sum_first: NDArray[np.uint16],
    sum_last: NDArray[np.uint16],
) -> None:
    """Add up when members change: the first and the last step of each one that changes a cell.

    Parameters
    ----------
    walks, rows, columns, steps : (n,) int64, who changes which cell when: by rows, columns, walks, steps in this order
    members : (y, x) uint8, in how many members the cell changes; added to
    sum_first, sum_last : (y, x) uint16, sums over these members; added to
    """
    for n in range(walks.size):
        row, column, step = rows[n], columns[n], np.uint16(steps[n])
        if n == 0 or rows[n - 1] != row or columns[n - 1] != column or walks[n - 1] != walks[n]:
            members[row, column] += np.uint8(1)
            sum_first[row, column] += step
        if n == walks.size - 1 or rows[n + 1] != row or columns[n + 1] != column or walks[n + 1] != walks[n]:
            sum_last[row, column] += step
