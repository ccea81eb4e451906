"""Where water runs: flooding of hollows, flow to the steepest neighbour, and what drains through each cell.

The kernels see grids as flat arrays in row order. Heights that steer the water are whole numbers, and only ``+ - * /``
and square roots are used, so that water takes the same course on every machine.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

_DIAGONAL = 0.5**0.5

Indices = NDArray[np.int64]


def drain(levels: Indices, outlets: NDArray[np.bool_]) -> tuple[Indices, Indices, Indices]:
    """Fill the hollows of a terrain and send every cell's water down to an outlet.

    Parameters
    ----------
    levels : (y, x) int64, heights from 0 in small steps
    outlets : (y, x) bool, where water leaves, beside the grid's edge

    Returns
    -------
    (n,) int64, every cell as flat index, each after the cell that it drains into; (n,) int64, that cell, an outlet
    itself; and (y, x) int64, the heights with hollows filled

    References
    ----------
    Priority flood (Barnes, Lehman and Mulla 2014, doi:10.1016/j.cageo.2013.04.024) with one queue for each height. A
    cell drains to its steepest neighbour, or, on a flat, towards the cell that it was flooded from.
    """
    rows, columns = levels.shape
    filled = levels.ravel().copy()
    cells = np.arange(filled.size).reshape(rows, columns)
    receiver = np.where(outlets, cells, -1)
    for side in np.s_[0, :], np.s_[-1, :], np.s_[:, 0], np.s_[:, -1]:
        receiver[side] = cells[side]
    steps = np.array([-1, 1, -columns, columns, -columns - 1, -columns + 1, columns - 1, columns + 1])
    order = np.empty_like(filled)
    queue, following = np.full((2, filled.max() + 1), -1), np.full_like(filled, -1)
    flat = receiver.ravel()
    _flood(filled, flat, order, steps, queue, following, np.zeros(filled.size, np.bool_))
    return order, flat, filled.reshape(rows, columns)


@njit(cache=True)
def accumulate(order: Indices, receiver: Indices) -> NDArray[np.int32]:
    """Return the number of cells that drain through each cell, itself included, (n,) int32."""
    area = np.ones(order.size, np.int32)
    for cell in order[::-1]:
        if receiver[cell] != cell:
            area[receiver[cell]] += area[cell]
    return area


# The arrays come from outside and the code is plain because it is compiled on first use, while a user waits.
@njit(cache=True)
def _flood(
    filled: Indices,
    receiver: Indices,
    order: Indices,
    steps: Indices,
    queue: Indices,
    following: Indices,
    done: NDArray[np.bool_],
) -> None:
    for cell in range(filled.size):
        if receiver[cell] == cell:
            _join_queue(cell, filled[cell], queue, following)
    position = 0
    for water in range(queue.shape[1]):
        while queue[0, water] != -1:
            cell = queue[0, water]
            queue[0, water] = following[cell]
            order[position] = cell
            position += 1
            done[cell] = True
            steepest = np.inf if receiver[cell] == cell else 0.0
            for k in range(8):
                other = cell + steps[k]
                # Beyond a side lies the other side, whose cells are outlets already: nothing flows there.
                if other < 0 or other >= filled.size:
                    continue
                if done[other]:
                    drop = (water - filled[other]) * (1.0 if k < 4 else _DIAGONAL)
                    if drop > steepest:
                        steepest = drop
                        receiver[cell] = other
                elif receiver[other] == -1:
                    receiver[other] = cell
                    filled[other] = max(filled[other], water)
                    _join_queue(other, filled[other], queue, following)


@njit(cache=True)
def _join_queue(cell: int, water: int, queue: Indices, following: Indices) -> None:
    if queue[0, water] == -1:
        queue[0, water] = cell
    else:
        following[queue[1, water]] = cell
    queue[1, water] = cell
