"""Counting cells by how many members give them a class, and telling the chance that goes with it."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(nogil=True, cache=True)
def tally_shares(
    counts: NDArray[np.uint8],
    start: NDArray[np.uint8],
    places: NDArray[np.int64],
    weight: NDArray[np.int64],
    tallied: NDArray[np.int64],
) -> None:
    """Add up the cells of each class at the start by how many members give them each class.

    Parameters
    ----------
    counts : (class, y, x) uint8, how many members have the class
    start : (y, x) uint8, legend values
    places : (256,) int64, place of a legend value among the classes, -1 for a cell that is left out
    weight : (y,) int64, size of a cell of each row
    tallied : (class at the start, class, members + 1) int64, added to
    """
    for n in range(counts.shape[0]):
        for row in range(counts.shape[1]):
            for column in range(counts.shape[2]):
                source = places[start[row, column]]
                if source >= 0:
                    tallied[source, n, counts[n, row, column]] += weight[row]


@njit(nogil=True, cache=True)
def look_up_chances(
    counts: NDArray[np.uint8],
    start: NDArray[np.uint8],
    places: NDArray[np.int64],
    table: NDArray[np.float32],
    chances: NDArray[np.float32],
) -> None:
    """Look up the chance of each class; the class of the start takes the rest.

    Parameters
    ----------
    counts, start, places : as for `tally_shares`; a cell that is left out there gets the share of the members here
    table : (class at the start, class, members + 1) float32, chance of a change by how many members make it
    chances : (class, y, x) float32, written; NaN where no member has any class
    """
    members = table.shape[2] - 1
    for row in range(counts.shape[1]):
        for column in range(counts.shape[2]):
            source, drawn, changed = places[start[row, column]], 0, 0.0
            for n in range(counts.shape[0]):
                drawn += counts[n, row, column]
                if source >= 0 and n != source:
                    changed += table[source, n, counts[n, row, column]]
            for n in range(counts.shape[0]):
                if drawn == 0:
                    chances[n, row, column] = np.nan
                elif source < 0:
                    chances[n, row, column] = counts[n, row, column] / members
                elif n == source:
                    chances[n, row, column] = max(0.0, 1.0 - changed)
                else:
                    chances[n, row, column] = table[source, n, counts[n, row, column]] / max(1.0, changed)
