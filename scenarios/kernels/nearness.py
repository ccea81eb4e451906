"""How far from a change the nearest change into the same class is, on another map."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(nogil=True, cache=True)
def find_nearest(
    ends: NDArray[np.uint8],
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    other: NDArray[np.uint8],
    radius: int,
    ring: NDArray[np.int64],
    square: NDArray[np.int64],
) -> None:
    """Look for the nearest cell of the same class around each change, in a square of the other map of changes.

    Parameters
    ----------
    ends : (n,) uint8, class that each cell turned into
    rows, columns : (n,) int64, where they are
    other : (y, x) uint8, class that each cell turned into on the other map, 0 where nothing changed
    radius : half width of the square, in cells
    ring : (n,) int64, written: half width of the smallest square that holds such a cell; ``radius`` + 1 if none does
    square : (n,) int64, written: square of the distance between centres, in cells; -1 if none lies in the square
    """
    height, width = other.shape
    for n in range(ends.size):
        ring[n], square[n] = radius + 1, -1
        for r in range(radius + 1):
            if 0 <= square[n] <= r * r:
                break  # farther rings cannot be nearer
            for dy in range(-r, r + 1):
                y = rows[n] + dy
                if y < 0 or y >= height:
                    continue
                step = 1 if abs(dy) == r else 2 * r
                for dx in range(-r, r + 1, step):
                    x = columns[n] + dx
                    if x < 0 or x >= width or other[y, x] != ends[n]:
                        continue
                    ring[n] = min(ring[n], r)
                    if square[n] < 0 or dy * dy + dx * dx < square[n]:
                        square[n] = dy * dy + dx * dx
