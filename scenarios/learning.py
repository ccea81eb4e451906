"""Learning an additive model of one transition from a sample of cells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenarios.kernels.draws import SCALE

_FOLDS = 3
_STRENGTHS = (0.01, 0.1, 1.0)  # inverse of the penalty, from stiff to supple
_KNOTS = 6
_RANKS = 64
_SUPPORT = 256
_FEWEST_RANKS = 3
_FEWEST = 10  # positives, below which nothing is learned
_LARGEST_LOG_ODDS = 12.0


@dataclass(frozen=True, eq=False)
class Sample:
    """Cells at risk of one transition.

    Parameters
    ----------
    levels : (cell, feature) int64, level of each driver or share; below 0 = missing
    changed : (cell,) bool, whether the cell made the transition
    blocks : (cell,) int64, spatial block of the cell, for cross-validation
    weights : (cell,) float64, how many cells of the landscape each one stands for
    """

    levels: NDArray[np.int64]
    changed: NDArray[np.bool_]
    blocks: NDArray[np.int64]
    weights: NDArray[np.float64]

    @staticmethod
    def join(parts: Sequence[Sample]) -> Sample:
        """Put the samples of several intervals into one."""
        return Sample(
            np.concatenate([p.levels for p in parts]),
            np.concatenate([p.changed for p in parts]),
            np.concatenate([p.blocks for p in parts]),
            np.concatenate([p.weights for p in parts]),
        )


@dataclass(frozen=True, eq=False)
class Term:
    """One feature's part in an additive model: log odds by level, linear between, constant beyond."""

    level: NDArray[np.int64]
    log_odds: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class AdditiveModel:
    """A fitted additive model.

    Parameters
    ----------
    terms : one per feature, in the order of the sample's columns
    intercept : log odds over the interval of a cell with average drivers, corrected for the sampling
    auc : area under the ROC curve on spatial blocks that were held out (0.5 = guessing); NaN if it cannot be told
    strength : inverse penalty chosen by cross-validation
    positives : cells that changed, in the sample
    """

    terms: tuple[Term, ...]
    intercept: float
    auc: float
    strength: float
    positives: int

    def at(self, feature: int, level: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the log odds of a feature's levels."""
        term = self.terms[feature]
        return np.asarray(np.interp(level, term.level, term.log_odds))

    def fixed_point(self, feature: int, size: int) -> NDArray[np.int16]:
        """Return the look-up table of a feature: levels 0 to ``size`` - 1, int16, in 1/1024."""
        values = np.clip(self.at(feature, np.arange(size)), -_LARGEST_LOG_ODDS, _LARGEST_LOG_ODDS)
        return np.rint(values * SCALE).astype(np.int16)


def fit_additive(sample: Sample, candidates: int = 0) -> AdditiveModel | None:
    """Fit penalised splines by logistic regression, their stiffness chosen on held-out spatial blocks.

    Parameters
    ----------
    sample : cells at risk
    candidates : how many features, the last ones, stay only if they make the held-out log loss smaller

    Returns
    -------
    AdditiveModel, or None where fewer than 10 cells changed (or stayed): nothing can be learned

    Notes
    -----
    Each feature is put on the scale of its ranks, spanned by cubic B-splines and penalised by a ridge (Eilers and Marx
    1996, doi:10.1214/ss/1038425655). All changed cells, or many, meet a share of the unchanged; the intercept is
    corrected for it (King and Zeng 2001, doi:10.1093/oxfordjournals.pan.a004868). The caller
    holds linear algebra to one thread, so that the same sample gives the same model.
    """
    positives = int(sample.changed.sum())
    if min(positives, sample.changed.size - positives) < _FEWEST:
        return None
    bases = [_Basis.span(sample.levels[:, f]) for f in range(sample.levels.shape[1])]
    correction = np.log(sample.weights[sample.changed].mean() / sample.weights[~sample.changed].mean())
    if not any(basis.size for basis in bases):
        flat = tuple(Term(basis.support, np.zeros(basis.support.size)) for basis in bases)
        average = np.log(positives / (sample.changed.size - positives))
        return AdditiveModel(flat, float(average + correction), float("nan"), _STRENGTHS[0], positives)
    design = np.hstack([basis.at(sample.levels[:, f]) for f, basis in enumerate(bases)])
    trial = _cross_validate(design, sample)
    plain = design[:, : sum(basis.size for basis in bases[: len(bases) - candidates])]
    if candidates and plain.shape[1]:
        without = _cross_validate(plain, sample)
        if without.loss <= trial.loss:
            design, trial = plain, without
    fitted = _fit(design, sample.changed, trial.strength)
    weights = np.pad(fitted.coef_[0], (0, sum(basis.size for basis in bases) - design.shape[1]))
    parts = np.split(weights, np.cumsum([basis.size for basis in bases])[:-1])
    terms = tuple(Term(basis.support, basis.at(basis.support) @ part) for basis, part in zip(bases, parts, strict=True))
    return AdditiveModel(terms, float(fitted.intercept_[0] + correction), trial.auc, trial.strength, positives)


@dataclass(frozen=True, eq=False)
class _Basis:
    """Cubic B-splines over the ranks of one feature's levels, each centred on the sample.

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
    def span(cls, level: NDArray[np.int64]) -> _Basis:
        known = level[level >= 0]
        if not known.size:
            return cls(known, np.zeros(1, np.int64), np.zeros((1, 0)))
        quantiles = np.linspace(0, 1, _RANKS + 1)[1:-1]
        edges = np.unique(np.quantile(known, quantiles, method="lower").astype(np.int64))
        found = np.unique(known)
        table = _splines(edges.size + 1)
        rank = np.searchsorted(edges, known, side="right")
        return cls(edges, found[:: max(1, found.size // _SUPPORT)], table - table[rank].mean(axis=0))

    @property
    def size(self) -> int:
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


def _fit(design: NDArray[np.float64], changed: NDArray[np.bool_], strength: float) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=strength, solver="newton-cholesky", tol=1e-5, max_iter=50).fit(design, changed)


@dataclass(frozen=True)
class _Trial:
    """How well a strength does on held-out blocks."""

    loss: float
    auc: float
    strength: float


def _cross_validate(design: NDArray[np.float64], sample: Sample) -> _Trial:
    """Return the strength with the smallest held-out log loss."""
    from sklearn.metrics import log_loss, roc_auc_score

    folds = list(_split(sample))
    if not folds:
        return _Trial(float("inf"), float("nan"), _STRENGTHS[1])
    trials = []
    for strength in _STRENGTHS:
        chance = np.full(sample.changed.size, np.nan)
        for train, test in folds:
            chance[test] = _fit(design[train], sample.changed[train], strength).predict_proba(design[test])[:, 1]
        told = np.isfinite(chance)
        loss = float(log_loss(sample.changed[told], chance[told]))
        trials.append(_Trial(loss, float(roc_auc_score(sample.changed[told], chance[told])), strength))
    return min(trials, key=lambda trial: trial.loss)


def _split(sample: Sample) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
    """Deal whole blocks, the fullest first, to the folds; yield the folds that have both outcomes on both sides."""
    blocks, members = np.unique(sample.blocks, return_inverse=True)
    rank = np.empty(blocks.size, np.int64)
    rank[np.argsort(-np.bincount(members, weights=sample.changed), kind="stable")] = np.arange(blocks.size)
    fold = rank[members] % _FOLDS
    for f in range(_FOLDS):
        test = fold == f
        if all(np.unique(sample.changed[side]).size == 2 for side in (test, ~test)):
            yield ~test, test
