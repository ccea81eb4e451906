"""Momentum: change attracts change. How dense the same transition was around a cell in the last interval.

With two dates only it has to be learned on the interval that it is to explain. The cell itself and the neighbours that
changed in the same stroke are then cut out: a square as large as a patch of change.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import label

from scenarios.cluster import Workers
from scenarios.grid import Grid
from scenarios.kernels.windows import count_window
from scenarios.transitions import Transition

SHARE_EDGES = np.concatenate([[1e-7], np.geomspace(1e-4, 1, 62)]).astype(np.float32)
"""Edges of the levels of a share: none at all, then steps of about a sixth."""

_CHANGED, _OTHER = 2, 1
_ROWS = 128


def recent_change(
    first: NDArray[np.uint8],
    last: NDArray[np.uint8],
    transition: Transition,
    radius: int,
    *,
    grid: Grid,
    workers: Workers,
    cut: int | None = None,
) -> NDArray[np.float32]:
    """Return the share of cells around each cell that made a transition.

    Parameters
    ----------
    first, last : (y, x) uint8, land cover at both ends of the interval, 0 = no data
    transition : which
    radius : half width of the square window, in cells
    cut : half width of the square in its middle that is left out; None leaves nothing out

    Returns
    -------
    (y, x) float32, 0 to 1; NaN where the window holds no data
    """
    seen = np.where((first != 0) & (last != 0), _OTHER, 0).astype(np.uint8)
    seen[(first == transition.source) & (last == transition.target)] = _CHANGED
    changed = _count(seen, _CHANGED, radius, grid, workers).astype(np.int32)
    valid = _count(seen, -1, radius, grid, workers).astype(np.int32)
    if cut is not None:
        changed -= _count(seen, _CHANGED, cut, grid, workers)
        valid -= _count(seen, -1, cut, grid, workers)
    share = np.full(grid.shape, np.nan, np.float32)
    return np.divide(changed, valid, out=share, where=valid > 0, casting="unsafe")


def stroke_radius(changed: NDArray[np.bool_]) -> int:
    """Return the half width, in cells, of the patch that a changed cell lies in on average.

    Parameters
    ----------
    changed : (y, x) bool

    Notes
    -----
    The mean over changed cells, not over patches, of the size of their patch (8 neighbours), as a square.
    """
    patches, _ = label(changed, np.ones((3, 3), bool))
    size = np.bincount(patches.ravel())[1:].astype(np.float64)
    if not size.size:
        return 0
    return round(float(np.sqrt((size**2).sum() / size.sum())) / 2)


def _count(seen: NDArray[np.uint8], value: int, radius: int, grid: Grid, workers: Workers) -> NDArray[np.uint16]:
    out = np.zeros(grid.shape, np.uint16)
    height = grid.shape[0]
    workers.map(
        lambda row: count_window(seen, value, radius, (row, min(row + _ROWS, height)), out), range(0, height, _ROWS)
    )
    return out
