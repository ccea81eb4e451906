"""Fuzzy similarity of change: a change foretold nearby is half right.

The two-way similarity of the maps of differences, as modellers know it from Dinamica EGO (Almeida et al. 2008,
doi:10.1080/13658810701731168), on the fuzzy set comparison of maps by Hagen 2003, doi:10.1080/13658810210157822.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenarios.kernels.nearness import find_nearest

Map = NDArray[np.uint8]

WINDOWS = (1, 3, 5, 7, 9, 11)
"""Edges of the square windows, in cells, inside which a change counts as found."""

HALVING = 2.0
"""Distance in cells over which the exponential decay halves what a change is worth (Hagen 2003)."""


@dataclass(frozen=True)
class FuzzySimilarity:
    """How alike two maps of change are, if being near counts; 0 (nothing near) to 1, NaN without any change.

    Parameters
    ----------
    windows : by window, share of the changes with one into the same class in the window around them: all count alike
    decayed : the same in the largest window, where a change at the distance d counts for 2 to the power of -d / 2
    """

    windows: Mapping[int, float]
    decayed: float

    @staticmethod
    def mean(each: Sequence[FuzzySimilarity]) -> FuzzySimilarity:
        """Return the mean over several maps."""
        windows = {size: float(np.mean([one.windows[size] for one in each])) for size in each[0].windows}
        return FuzzySimilarity(windows, float(np.mean([one.decayed for one in each])))


def compare_fuzzily(
    initial: Map, observed: Map, simulated: Map, windows: Sequence[int] = WINDOWS, halving: float = HALVING
) -> FuzzySimilarity:
    """Compare where a map changed with where another did, forgiving short distances.

    Parameters
    ----------
    initial, observed, simulated : (y, x) uint8, legend values, 0 = no data; cells without data in any are left out
    windows : edges of the square windows, in cells: odd numbers
    halving : distance in cells over which a change comes to be worth half

    Notes
    -----
    A map of differences holds the class that a cell turned into, and nothing where it stayed. Every change on one is
    worth what the nearest change into the same class on the other is worth at its distance, and the similarity is the
    mean. It is taken both ways, observed to simulated and back, and the smaller one counts: else a map on which
    change is strewn all over would be near to everything.
    """
    valid = (initial != 0) & (observed != 0) & (simulated != 0)
    seen, made = (np.where(valid & (end != initial), end, 0).astype(np.uint8) for end in (observed, simulated))
    reach = max(windows) // 2
    there, back = _look(seen, made, reach), _look(made, seen, reach)
    return FuzzySimilarity(
        {size: _smaller(there.share_within(size // 2), back.share_within(size // 2)) for size in windows},
        _smaller(there.worth(halving), back.worth(halving)),
    )


@dataclass(frozen=True, eq=False)
class _Look:
    """What one map of differences finds on the other: see `find_nearest`."""

    ring: NDArray[np.int64]
    square: NDArray[np.int64]

    def share_within(self, reach: int) -> float:
        return float(np.mean(self.ring <= reach)) if self.ring.size else float("nan")

    def worth(self, halving: float) -> float:
        if not self.square.size:
            return float("nan")
        # Distances are few, so that they are counted: the sum has no order of cells to hang on.
        count = np.bincount(self.square[self.square >= 0])
        return float(count @ 2 ** (-np.sqrt(np.arange(count.size)) / halving) / self.square.size)


def _look(changes: Map, other: Map, reach: int) -> _Look:
    rows, columns = np.nonzero(changes)
    ring, square = np.empty(rows.size, np.int64), np.empty(rows.size, np.int64)
    find_nearest(changes[rows, columns], rows, columns, other, reach, ring, square)
    return _Look(ring, square)


def _smaller(there: float, back: float) -> float:
    """Return the smaller of the two ways; 0 if only one map changed at all."""
    if np.isnan(there) and np.isnan(back):
        return float("nan")
    return 0.0 if np.isnan(there) or np.isnan(back) else min(there, back)
