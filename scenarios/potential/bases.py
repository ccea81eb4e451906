"""What the curves of an additive model are made of: functions of a feature's level."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

_KNOTS = 6
_RANKS = 64
_SUPPORT = 256
_FEWEST_RANKS = 3
_CATEGORIES = 256
_BINS = 10
LINE_LEVELS = 1024
"""The highest level of a feature that acts as a straight line."""

_STRAIGHT = 0.8  # share of the sample up to which a line is straight (measured: docs/decisions/0010)


@dataclass(frozen=True, eq=False)
class Basis:
    """Cubic B-splines over the ranks of one feature's levels, or its categories, each centred on the sample.

    Parameters
    ----------
    edges : (rank - 1,) int64, rising levels at which the rank rises
    support : levels at which a curve is kept
    table : (rank, spline) float64, value of each spline at each rank; no splines for a feature that never varies
    """

    edges: NDArray[np.int64]
    support: NDArray[np.int64]
    table: NDArray[np.float64]

    @classmethod
    def of(cls, level: NDArray[np.int64], categorical: bool) -> Basis:
        """Return a curve over levels, or one step for each category."""
        return cls.tell_apart(level) if categorical else cls.span(level)

    @classmethod
    def tell_apart(cls, category: NDArray[np.int64], *, centred: bool = True) -> Basis:
        """One column for each category that was seen; others have no effect."""
        found, count = np.unique(category[category > 0], return_counts=True)
        table = np.zeros((_CATEGORIES, found.size if found.size > 1 else 0))
        if table.size:
            table[found] = np.eye(found.size) - (count / count.sum() if centred else 0)
        return cls(np.arange(1, _CATEGORIES), np.arange(_CATEGORIES), table)

    @classmethod
    def span(cls, level: NDArray[np.int64]) -> Basis:
        """Return splines over the ranks of the levels."""
        known = level[level >= 0]
        if not known.size:
            return cls(known, np.zeros(1, np.int64), np.zeros((1, 0)))
        quantiles = np.linspace(0, 1, _RANKS + 1)[1:-1]
        edges = np.unique(np.quantile(known, quantiles, method="lower").astype(np.int64))
        found = np.unique(known)
        table = _splines(edges.size + 1)
        rank = np.searchsorted(edges, known, side="right")
        return cls(edges, found[:: max(1, found.size // _SUPPORT)], table - table[rank].mean(axis=0))

    @classmethod
    def line(cls, level: NDArray[np.int64]) -> Basis:
        """Return one line over the levels, straight up to where they are rare, on the scale of their spread."""
        known = level[level >= 0]
        bend = int(np.quantile(known, _STRAIGHT, method="lower")) if known.size else 0
        height = np.minimum(np.arange(LINE_LEVELS + 1), bend)
        spread = float(height[known].std()) if known.size else 0.0
        if not spread:
            return cls(known[:0], np.zeros(1, np.int64), np.zeros((1, 0)))
        return cls(
            np.arange(1, LINE_LEVELS + 1),
            np.array([0, bend, LINE_LEVELS]),
            ((height - height[known].mean()) / spread)[:, None],
        )

    @classmethod
    def straight(cls, level: NDArray[np.int64], values: NDArray[np.float64]) -> Basis:
        """Return one straight line over the values that the levels stand for, on the scale of their spread.

        Parameters
        ----------
        level : (cell,) int64, below 0 = missing
        values : (level,) float64
        """
        known = values[level[level >= 0]]
        spread = float(known.std()) if known.size else 0.0
        levels = np.arange(values.size)
        if not spread:
            return cls(levels[:0], np.zeros(1, np.int64), np.zeros((1, 0)))
        return cls(levels[1:], levels, ((values - known.mean()) / spread)[:, None])

    @classmethod
    def bins(cls, level: NDArray[np.int64], categorical: bool) -> Basis:
        """Return a step for each of a few bins of about equally many cells, or for each category that was seen."""
        if categorical:
            return cls.tell_apart(level, centred=False)
        known = level[level >= 0]
        quantiles = np.linspace(0, 1, _BINS + 1)[1:-1]
        tops = np.unique(np.quantile(known, quantiles, method="lower").astype(np.int64) if known.size else known)
        edges = tops[tops < known.max(initial=0)] + 1  # so that the commonest share, none at all, has its own bin
        if not edges.size:
            return cls(edges, np.zeros(1, np.int64), np.zeros((1, 0)))
        return cls(edges, np.union1d(edges - 1, edges), np.eye(edges.size + 1))

    def silence(self) -> Basis:
        """Return a basis without any function."""
        return replace(self, table=self.table[:, :0])

    @property
    def size(self) -> int:
        """How many functions there are."""
        return int(self.table.shape[1])

    def at(self, level: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the (n, spline) design; a missing level (below 0) has no effect."""
        design = self.table[np.searchsorted(self.edges, level, side="right")]
        design[level < 0] = 0
        return np.asarray(design)


@lru_cache(maxsize=_RANKS + 1)
def _splines(ranks: int) -> NDArray[np.float64]:
    """Return cubic B-splines at evenly spaced ranks, (rank, spline); none where there are fewer than three ranks."""
    from sklearn.preprocessing import SplineTransformer

    if ranks < _FEWEST_RANKS:
        return np.zeros((ranks, 0))
    knots = np.linspace(0, 1, _KNOTS)[:, None]
    spline = SplineTransformer(knots=knots, degree=3, include_bias=False, extrapolation="constant")
    return np.asarray(spline.fit_transform(np.linspace(0, 1, ranks)[:, None]))
