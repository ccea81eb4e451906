"""Where water runs: the way down from every cell, drainage area and erosion.

The kernels see grids as flat arrays in row order. Only ``+ - * /`` and square roots are used, so that rivers take the
same course on every machine.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from datacommons.demo.texture import BoolGrid, FloatGrid, IndexGrid, quantise
from scenarios.kernels.drainage import Indices, accumulate
from scenarios.kernels.drainage import drain as fill_and_drain

CENTIMETRE = 0.01


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
        return accumulate(self.order, self.receiver).reshape(self.height.shape)

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
    Heights are whole centimetres; see `scenarios.kernels.drainage.drain`.
    """
    centimetres = np.rint(elevation / CENTIMETRE).astype(np.int64)
    lowest = centimetres.min()
    order, receiver, filled = fill_and_drain(centimetres - lowest, np.zeros(elevation.shape, np.bool_))
    return Drainage(order, receiver, (filled + lowest) * CENTIMETRE)


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
