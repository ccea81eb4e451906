"""Neighbourhoods of a grid: which windows are counted, for which classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike, NDArray

from scenarios.cluster import Workers
from scenarios.errors import ScenarioInvalid
from scenarios.grid import Grid, bands
from scenarios.kernels.windows import Counts, count_window

LEVELS = 1024
"""A share is looked up in at most so many levels; larger windows drop low bits of their count."""

_LARGEST_RADIUS = 127  # a window's count fits 16 bits
_LARGEST_OF_8_BITS = 255
_ROWS = 128


@dataclass(frozen=True, eq=False)
class Neighbourhood:
    """Square windows around each cell, one for every class and radius.

    Parameters
    ----------
    grid : the landscape's grid
    radii : half widths in cells
    values : legend values whose shares are counted
    """

    grid: Grid
    radii: tuple[int, ...]
    values: tuple[int, ...]

    @classmethod
    def of(cls, grid: Grid, metres: Sequence[float], values: Sequence[int]) -> Neighbourhood:
        """Build the windows of given half widths in metres.

        Raises
        ------
        ScenarioInvalid
            A window is wider than 255 cells.
        """
        radii = sorted({grid.cells(m) for m in metres})
        if radii and radii[-1] > _LARGEST_RADIUS:
            raise ScenarioInvalid(
                f"A neighbourhood of {max(metres):g} m is {radii[-1]} cells of {grid.cell_size_m:.0f} m; "
                f"the most is {_LARGEST_RADIUS} cells. Choose at most {_LARGEST_RADIUS * grid.cell_size_m:.0f} m."
            )
        return cls(grid, tuple(radii), tuple(values))

    @property
    def windows(self) -> list[tuple[int, int]]:
        """(radius index, class value) of each window."""
        return [(r, value) for r in range(len(self.radii)) for value in self.values]

    @property
    def radius_of(self) -> NDArray[np.int64]:
        """(window,) index of each window's radius."""
        return np.array([r for r, _ in self.windows], np.int64)

    @property
    def window_radii(self) -> NDArray[np.int64]:
        """(window,) half width of each window in cells."""
        return np.array([self.radii[r] for r, _ in self.windows], np.int64)

    @property
    def window_values(self) -> NDArray[np.int64]:
        """(window,) class value of each window."""
        return np.array([value for _, value in self.windows], np.int64)

    @property
    def sizes(self) -> NDArray[np.int64]:
        """(radius,) cells of a full window."""
        return np.array([(2 * r + 1) ** 2 for r in self.radii], np.int64)

    @property
    def shifts(self) -> NDArray[np.int64]:
        """(radius,) bits dropped from a count so that it has at most `LEVELS` levels."""
        return np.array([max(0, int(size).bit_length() - LEVELS.bit_length() + 1) for size in self.sizes], np.int64)

    @property
    def window_of(self) -> NDArray[np.int64]:
        """(radius, 256) the window of each class; -1 where it has none."""
        out = np.full((len(self.radii), 256), -1, np.int64)
        for window, (r, value) in enumerate(self.windows):
            out[r, value] = window
        return out

    @property
    def dtype(self) -> DTypeLike:
        """The smallest type that holds the cells of a full window."""
        return np.uint8 if (self.sizes <= _LARGEST_OF_8_BITS).all() else np.uint16

    def count(self, land_cover: NDArray[np.uint8], counts: Counts, valid: Counts, workers: Workers) -> None:
        """Count the classes of a map, and the cells with data, in every window.

        Parameters
        ----------
        land_cover : (y, x) uint8
        counts : (y, x, window), written
        valid : (radius, y, x), written
        """
        jobs = [(self.radii[r], value, counts[:, :, w]) for w, (r, value) in enumerate(self.windows)]
        jobs += [(radius, -1, valid[r]) for r, radius in enumerate(self.radii)]
        height = land_cover.shape[0]

        def fill(task: tuple[int, int]) -> None:
            job, row = task
            radius, value, out = jobs[job]
            count_window(land_cover, value, radius, (row, min(row + _ROWS, height)), out)

        workers.map(fill, [(job, row) for job in range(len(jobs)) for row in range(0, height, _ROWS)])

    def count_at(
        self, cells: NDArray[np.int64], land_cover: NDArray[np.uint8], workers: Workers
    ) -> tuple[NDArray[np.uint16], NDArray[np.uint16]]:
        """Count around some cells only, some rows of the map at a time.

        Parameters
        ----------
        cells : (n,) int64, flat indices

        Returns
        -------
        (1, n, window) and (radius, 1, n) uint16: what `count` writes of these cells
        """
        jobs = [(self.radii[r], value) for r, value in self.windows] + [(radius, -1) for radius in self.radii]
        found = np.zeros((len(jobs), 1, cells.size), np.uint16)
        lines, columns = np.divmod(cells, self.grid.shape[1])

        def count(rows: slice) -> None:
            here = np.flatnonzero((lines >= rows.start) & (lines < rows.stop))
            for job, (radius, value) in enumerate(jobs if here.size else ()):
                top = max(0, rows.start - radius)
                part = land_cover[top : rows.stop + radius]  # all that a window of these rows can reach
                counts = np.empty(part.shape, np.uint16)
                count_window(part, value, radius, (rows.start - top, rows.stop - top), counts)
                found[job, 0, here] = counts[lines[here] - top, columns[here]]

        workers.map(count, bands(self.grid.shape))
        return np.moveaxis(found[: len(self.windows)], 0, -1), found[len(self.windows) :]
