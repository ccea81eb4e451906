"""When cells change: the first and the last year of change, over the members of an ensemble."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenarios.kernels.tally import time_members
from scenarios.projection.record import BlockChanges


@dataclass(frozen=True, eq=False)
class Timing:
    """When the cells of a block change, over members.

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
    def of(cls, changes: BlockChanges, start: int) -> Timing:
        """Add up when the walks of a record change a block; sums of integers, whose order does not show."""
        timing = cls(start, *(np.zeros(changes.shape, dtype) for dtype in (np.uint8, np.uint16, np.uint16)))
        (rows, columns), steps = changes.where, changes.steps(start)
        time_members(changes.walk, rows, columns, steps, timing.members, timing.sum_first, timing.sum_last)
        return timing

    @property
    def first_year(self) -> NDArray[np.uint16]:
        """Mean year of the first change over the members in which the cell changes, (y, x); 0 = none of them does."""
        return self._mean_years(self.sum_first)

    @property
    def last_year(self) -> NDArray[np.uint16]:
        """Mean year of the last change over the members in which the cell changes, (y, x); 0 = none of them does."""
        return self._mean_years(self.sum_last)

    def _mean_years(self, sums: NDArray[np.uint16]) -> NDArray[np.uint16]:
        """Return means of the steps as calendar years; halves are rounded up."""
        changed = self.members > 0
        twice = 2 * self.members[changed].astype(np.uint32)
        years = np.zeros(sums.shape, np.uint16)
        years[changed] = self.start + (2 * sums[changed].astype(np.uint32) + twice // 2) // twice
        return years
