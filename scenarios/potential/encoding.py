"""Encoding: numbers that a classifier is given for the levels of features."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenarios.potential.samples import Sample

_CATEGORIES = 256


@dataclass(frozen=True, eq=False)
class Encoding:
    """Numbers for levels: the value of a level, the mean if it is missing, a column of its own for each category.

    Parameters
    ----------
    tables : for each feature, (level + 1, column) float64, the last row for missing; no columns if it is not used
    """

    tables: tuple[NDArray[np.float64], ...]

    @classmethod
    def of(cls, sample: Sample, kept: range) -> Encoding:
        """Encode the features that are kept and vary."""
        return cls(
            tuple(_tabulate(sample, f) if f in kept else np.empty((1, 0)) for f in range(sample.levels.shape[1]))
        )

    @property
    def used(self) -> frozenset[int]:
        """The features that have a column."""
        return frozenset(f for f, table in enumerate(self.tables) if table.shape[1])

    @property
    def size(self) -> int:
        """How many columns there are."""
        return sum(table.shape[1] for table in self.tables)

    def encode(self, levels: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the classifier's input, (cell, column)."""
        return np.hstack([np.empty((len(levels), 0)), *(self.tables[f][levels[:, f]] for f in sorted(self.used))])


def _tabulate(sample: Sample, feature: int) -> NDArray[np.float64]:
    level, values = sample.levels[:, feature], sample.values_of(feature)
    if feature in sample.categories:
        found = np.unique(level[level > 0])
        table = np.zeros((_CATEGORIES + 1, found.size if found.size > 1 else 0))
        table[found] = np.eye(found.size)[:, : table.shape[1]]
        return table
    known = values[level[level >= 0]]
    if not known.size or not np.ptp(known):
        return np.empty((1, 0))
    return np.append(values, known.mean())[:, None]
