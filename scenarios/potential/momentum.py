"""Momentum: change attracts change. How dense recent change was around a cell, of the same kind and of any.

With two dates only it has to be learned on the interval that it is to explain. The cell itself and the neighbours that
changed in the same stroke are then cut out: a square as large as a patch of change.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import label

from scenarios.cluster import Workers
from scenarios.demand.transitions import History, Transition
from scenarios.grid import Grid
from scenarios.kernels.windows import count_window
from scenarios.potential.bases import LINE_LEVELS

SHARE_EDGES = ((np.arange(LINE_LEVELS) + 0.5) / LINE_LEVELS).astype(np.float32)
"""Edges between the levels of a share: level n, counted from 0, stands for n / 1024."""

_CHANGED, _OTHER = 2, 1
_ROWS = 128


@dataclass(frozen=True, eq=False)
class Momentum:
    """Recent change, as it is known at the dates of a history.

    Parameters
    ----------
    history : land-cover maps of two dates or more
    radii : half widths of the windows, in cells
    grid, workers : of the landscape, and who counts
    """

    history: History
    radii: tuple[int, ...]
    grid: Grid
    workers: Workers

    @property
    def size(self) -> int:
        """How many features describe a cell: the same transition, and any change, in every window."""
        return 2 * len(self.radii)

    def name(self, feature: int) -> str:
        """Return what a feature is called."""
        kind = "same change" if feature < len(self.radii) else "any change"
        metres = self.radii[feature % len(self.radii)] * self.grid.cell_size_m
        return f"recent share of {kind} within {metres:.0f} m"

    def before(self, start: int, transition: Transition) -> Iterator[NDArray[np.float32]]:
        """Yield the features that explain a transition in the interval from a date on, each (y, x) float32.

        They are those of the interval before. The first of several intervals has none, so that nothing is known there.
        A single interval has to explain itself, with the middle of each window cut out.
        """
        years = sorted(self.history)
        place = years.index(start)
        if self._explains_itself:
            yield from self._count(years[0], years[1], transition, self._stroke(transition))
        elif place == 0:
            for _ in range(self.size):
                yield np.full(self.grid.shape, np.nan, np.float32)
        else:
            yield from self._count(years[place - 1], start, transition, None)

    def latest(self, transition: Transition) -> Iterator[NDArray[np.float32]]:
        """Yield what is known at the last date; nothing is cut out, for these cells have not changed yet."""
        years = sorted(self.history)
        yield from self._count(years[-2], years[-1], transition, None)

    @property
    def _explains_itself(self) -> bool:
        return len(self.history) == 2

    def _stroke(self, transition: Transition) -> int:
        first, last = (self.history[year] for year in sorted(self.history)[-2:])
        return stroke_radius(changed_cells(first, last, transition))

    def _count(self, first: int, last: int, transition: Transition, cut: int | None) -> Iterator[NDArray[np.float32]]:
        """Count at the pace of the last interval: a long interval has seen more change than a short one."""
        years = sorted(self.history)
        pace = (years[-1] - years[-2]) / (last - first)
        least = self._stroke(transition) + 1 if self._explains_itself else 1  # a window is wider than what is cut out
        for kind in (transition, None):
            for radius in self.radii:
                share = recent_change(
                    self.history[first],
                    self.history[last],
                    kind,
                    max(radius, least),
                    grid=self.grid,
                    workers=self.workers,
                    cut=cut,
                )
                yield share if pace == 1 else np.asarray(share * np.float32(pace))


def recent_change(
    first: NDArray[np.uint8],
    last: NDArray[np.uint8],
    transition: Transition | None,
    radius: int,
    *,
    grid: Grid,
    workers: Workers,
    cut: int | None = None,
) -> NDArray[np.float32]:
    """Return the share of cells around each cell that made a transition, or any.

    Parameters
    ----------
    first, last : (y, x) uint8, land cover at both ends of the interval, 0 = no data
    transition : which; None for any
    radius : half width of the square window, in cells
    cut : half width of the square in its middle that is left out; None leaves nothing out

    Returns
    -------
    (y, x) float32, 0 to 1; NaN where the window holds no data
    """
    seen = np.where((first != 0) & (last != 0), _OTHER, 0).astype(np.uint8)
    seen[changed_cells(first, last, transition)] = _CHANGED
    changed = _count_cells(seen, _CHANGED, radius, grid, workers).astype(np.int32)
    valid = _count_cells(seen, -1, radius, grid, workers).astype(np.int32)
    if cut is not None:
        changed -= _count_cells(seen, _CHANGED, cut, grid, workers)
        valid -= _count_cells(seen, -1, cut, grid, workers)
    share = np.full(grid.shape, np.nan, np.float32)
    return np.divide(changed, valid, out=share, where=valid > 0, casting="unsafe")


def changed_cells(
    first: NDArray[np.uint8], last: NDArray[np.uint8], transition: Transition | None
) -> NDArray[np.bool_]:
    """Return which cells made a transition (None: any) between two maps, (y, x) bool."""
    if transition is None:
        return np.asarray((first != last) & (first != 0) & (last != 0))
    return np.asarray((first == transition.source) & (last == transition.target))


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


def _count_cells(seen: NDArray[np.uint8], value: int, radius: int, grid: Grid, workers: Workers) -> NDArray[np.uint16]:
    out = workers.scratch.zeros(grid.shape, np.uint16)
    height = grid.shape[0]
    workers.map(
        lambda row: count_window(seen, value, radius, (row, min(row + _ROWS, height)), out), range(0, height, _ROWS)
    )
    return out
