"""When cells change: the first and the last year of change, over the members of an ensemble."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenarios.kernels.tally import note_changes, tally_changes
from scenarios.projection.yearbook import Changes
from scenarios.scratch import IN_MEMORY, Scratch


@dataclass(frozen=True, eq=False)
class Moves:
    """In which year the cells of one member change, kept while it walks.

    Parameters
    ----------
    first, last : (y, x) uint8, years from the start to the first and to the last change, 0 = none yet
    """

    first: NDArray[np.uint8]
    last: NDArray[np.uint8]

    @classmethod
    def none(cls, shape: tuple[int, int], scratch: Scratch = IN_MEMORY) -> Moves:
        """Begin a walk."""
        return cls(scratch.zeros(shape, np.uint8), scratch.zeros(shape, np.uint8))

    def see(self, changes: Changes, step: int) -> None:
        """Note what has changed since the year before.

        Parameters
        ----------
        step : years since the start, from 1 on; a scenario has at most 200
        """
        note_changes(changes.cells, step, self.first.ravel(), self.last.ravel())


@dataclass(frozen=True, eq=False)
class Timing:
    """When cells change, over members: five bytes a cell, for any number of members and years.

    Parameters
    ----------
    start : the year that the projection starts from
    members : (y, x) uint8, in how many members the cell changes
    sum_first, sum_last : (y, x) uint16, sum over these members of the years from the start to the first and to the last
        change; 255 members and 200 years stay below 65,536
    """

    start: int
    members: NDArray[np.uint8]
    sum_first: NDArray[np.uint16]
    sum_last: NDArray[np.uint16]

    @classmethod
    def none(cls, start: int, shape: tuple[int, int], scratch: Scratch = IN_MEMORY) -> Timing:
        """Return the timing of no members."""
        return cls(start, *(scratch.zeros(shape, dtype) for dtype in (np.uint8, np.uint16, np.uint16)))

    def add(self, moves: Moves) -> None:
        """Add one member. Sums of integers: the order of the members does not show."""
        tally_changes(moves.first, moves.last, self.members, self.sum_first, self.sum_last)

    @property
    def first_year(self) -> NDArray[np.uint16]:
        """Mean year of the first change over the members in which the cell changes, (y, x); 0 = none of them does."""
        return self.mean_years(self.sum_first)

    @property
    def last_year(self) -> NDArray[np.uint16]:
        """Mean year of the last change over the members in which the cell changes, (y, x); 0 = none of them does."""
        return self.mean_years(self.sum_last)

    def mean_years(self, sums: NDArray[np.uint16], rows: slice = slice(None)) -> NDArray[np.uint16]:
        """Return means of `sum_first` or `sum_last`, all or some rows, as calendar years; halves are rounded up."""
        members, steps = self.members[rows], sums[rows]
        changed = members > 0
        twice = 2 * members[changed].astype(np.uint32)
        years = np.zeros(steps.shape, np.uint16)
        years[changed] = self.start + (2 * steps[changed].astype(np.uint32) + twice // 2) // twice
        return years
