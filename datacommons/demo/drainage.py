"""Where water runs: flooding of hollows, flow to the steepest neighbour, drainage area and erosion.

The kernels see grids as flat arrays in row order. Heights that steer the water are whole centimetres, and only
``+ - * /`` and square roots are used, so that rivers take the same course on every machine.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from datacommons.demo.texture import BoolGrid, FloatGrid, IndexGrid, quantise

CENTIMETRE = 0.01
_DIAGONAL = 0.5**0.5

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Drainage:
    """The way of the water over a grid.

    Parameters
    ----------
    order : (n,) int64
        Every cell, as flat index, so that each comes after the cell it drains into.
    receiver : (n,) int64
        The cell each cell drains into; outlets, at the edge, drain into themselves.
    height : (y, x) float64
        Elevation in metres with its hollows filled.
    """

    order: Indices
    receiver: Indices
    height: FloatGrid

    def area(self) -> IndexGrid:
        """Return the number of cells that drain through each cell, itself included, (y, x) int32."""
        return _accumulate(self.order, self.receiver).reshape(self.height.shape)

    def reach(self, target: BoolGrid) -> Indices:
        """Return the first cell of a mask on the way down from each cell, (y, x) flat index, -1 for none."""
        return _reach(self.order, self.receiver, target.ravel()).reshape(self.height.shape)

    def outlet(self) -> Indices:
        """Return the outlet of each cell, (y, x) flat index."""
        return self.reach((self.receiver == np.arange(self.receiver.size)).reshape(self.height.shape))


def drain(elevation: FloatGrid) -> Drainage:
    """Fill the hollows of a terrain and send every cell's water down to an edge.

    Parameters
    ----------
    elevation : (y, x) float64, metres

    Notes
    -----
    Priority flood (Barnes, Lehman and Mulla 2014, doi:10.1016/j.cageo.2013.04.024) with one queue for each
    centimetre. A cell drains to its steepest neighbour, or, on a flat, towards the cell it was flooded from.
    """
    centimetres = np.rint(elevation / CENTIMETRE).astype(np.int64)
    lowest, (rows, columns) = centimetres.min(), elevation.shape
    filled = (centimetres - lowest).ravel()
    cells = np.arange(filled.size).reshape(rows, columns)
    receiver = np.full((rows, columns), -1)
    for side in np.s_[0, :], np.s_[-1, :], np.s_[:, 0], np.s_[:, -1]:
        receiver[side] = cells[side]
    steps = np.array([-1, 1, -columns, columns, -columns - 1, -columns + 1, columns - 1, columns + 1])
    order = np.empty_like(filled)
    queue, following = np.full((2, filled.max() + 1), -1), np.full_like(filled, -1)
    _flood(filled, receiver.ravel(), order, steps, queue, following, np.zeros(filled.size, np.bool_))
    return Drainage(order, receiver.ravel(), (filled + lowest).reshape(rows, columns) * CENTIMETRE)


def erode(drainage: Drainage, uplift: FloatGrid, strength: FloatGrid) -> FloatGrid:
    """Let rivers cut down and the land rise for one step.

    Parameters
    ----------
    drainage : Drainage
    uplift : (y, x) float64, metres in this step
    strength : (y, x) float64
        Erodibility x step / cell size: how far a river of one cell's area approaches its receiver's height.

    Returns
    -------
    (y, x) float64, metres, whole centimetres

    Notes
    -----
    Implicit stream power law, ``dz/dt = U - K A**0.5 S`` (Braun and Willett 2013,
    doi:10.1016/j.geomorph.2012.10.008).
    """
    pull = strength * np.sqrt(drainage.area())
    raised = _cut(drainage.order, drainage.receiver, drainage.height.ravel(), uplift.ravel(), pull.ravel())
    return quantise(raised.reshape(uplift.shape), CENTIMETRE)


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


@njit(cache=True)
def _accumulate(order: Indices, receiver: Indices) -> IndexGrid:
    area = np.ones(order.size, np.int32)
    for cell in order[::-1]:
        if receiver[cell] != cell:
            area[receiver[cell]] += area[cell]
    return area


@njit(cache=True)
def _reach(order: Indices, receiver: Indices, target: NDArray[np.bool_]) -> Indices:
    reached = np.full(order.size, -1, np.int64)
    for cell in order:
        reached[cell] = cell if target[cell] else (-1 if receiver[cell] == cell else reached[receiver[cell]])
    return reached


@njit(cache=True)
def _cut(
    order: Indices,
    receiver: Indices,
    height: NDArray[np.float64],
    uplift: NDArray[np.float64],
    pull: NDArray[np.float64],
) -> NDArray[np.float64]:
    cut = height.copy()
    for cell in order:
        below = receiver[cell]
        if below != cell:
            cut[cell] = (height[cell] + uplift[cell] + pull[cell] * cut[below]) / (1.0 + pull[cell])
    return cut
