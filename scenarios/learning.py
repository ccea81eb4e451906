"""Learning an additive model of one transition from a sample of cells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenarios.kernels.draws import SCALE
from scenarios.quality import HeldOut, Quality, measure_quality

_FOLDS = 3
_STRENGTHS = (0.01, 0.1, 1.0)  # inverse of the penalty, from stiff to supple
_KNOTS = 6
_RANKS = 64
_SUPPORT = 256
_FEWEST_RANKS = 3
LINE_LEVELS = 1024
"""The highest level of a feature that acts as a straight line."""

_SURE = 3.0  # standard errors: features without any effect seem to gain two now and then
_CATEGORIES = 256
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
    weights : (cell,) float64, how many hectares of the landscape each one stands for
    categories : features whose levels are categories, without an order; 0 = missing there, too
    """

    levels: NDArray[np.int64]
    changed: NDArray[np.bool_]
    blocks: NDArray[np.int64]
    weights: NDArray[np.float64]
    categories: tuple[int, ...] = ()

    @staticmethod
    def join(parts: Sequence[Sample]) -> Sample:
        """Put the samples of several intervals into one."""
        return Sample(
            np.concatenate([p.levels for p in parts]),
            np.concatenate([p.changed for p in parts]),
            np.concatenate([p.blocks for p in parts]),
            np.concatenate([p.weights for p in parts]),
            parts[0].categories,
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
    strength : inverse penalty chosen by cross-validation
    positives : cells that changed, in the sample
    quality : measured on spatial blocks that were held out; None if it cannot be told
    refused : quality of the model with all features, if it was no better than chance and only neighbours were kept
    """

    terms: tuple[Term, ...]
    intercept: float
    strength: float
    positives: int
    quality: Quality | None = None
    refused: Quality | None = None

    @property
    def auc(self) -> float:
        """Area under the ROC curve on held-out blocks (0.5 = guessing); NaN if it cannot be told."""
        told = self.quality or self.refused
        return told.auc if told is not None else float("nan")

    def at(self, feature: int, level: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the log odds of a feature's levels."""
        term = self.terms[feature]
        return np.asarray(np.interp(level, term.level, term.log_odds))

    def fixed_point(self, feature: int, size: int) -> NDArray[np.int16]:
        """Return the look-up table of a feature: levels 0 to ``size`` - 1, int16, in 1/1024."""
        values = np.clip(self.at(feature, np.arange(size)), -_LARGEST_LOG_ODDS, _LARGEST_LOG_ODDS)
        return np.rint(values * SCALE).astype(np.int16)


def fit_additive(
    sample: Sample, *, drivers: int = 0, candidates: int = 0, carried: float = 1.0, seed: int = 0
) -> AdditiveModel | None:
    """Fit penalised splines by logistic regression, their stiffness chosen on held-out spatial blocks.

    Parameters
    ----------
    sample : cells at risk
    drivers : how many features, the first ones, are drivers; those between are shares of classes around the cell
    candidates : how many features, the last ones, act as straight lines, and stay only if they make the held-out log
        loss smaller by more than three standard errors
    carried : part of the candidates' effect that is kept
    seed : of the shuffling by which importance is measured

    Returns
    -------
    AdditiveModel, or None where fewer than 10 cells changed (or stayed): nothing can be learned

    Notes
    -----
    Each feature is put on the scale of its ranks, spanned by cubic B-splines and penalised by a ridge (Eilers and Marx
    1996, doi:10.1214/ss/1038425655). All changed cells, or many, meet a share of the unchanged; the intercept is
    corrected for it (King and Zeng 2001, doi:10.1093/oxfordjournals.pan.a004868). A model that is no better than chance
    on held-out blocks keeps the shares of classes only. The caller holds linear algebra to one thread, so that the same
    sample gives the same model.
    """
    positives = int(sample.changed.sum())
    if min(positives, sample.changed.size - positives) < _FEWEST:
        return None
    first = sample.levels.shape[1] - candidates
    bases = [_Basis.of(sample, f) if f < first else _Basis.line(level) for f, level in enumerate(sample.levels.T)]
    trial = _cross_validate(bases, sample)
    if candidates and any(basis.size for basis in bases[:first]):
        without = _cross_validate(_keep(bases, range(first)), sample)
        trial = trial if _gain(trial, without, sample.blocks) > _SURE else without
    quality, refused = _measure(trial, sample, drivers, candidates, seed), None
    neighbours = _keep(trial.bases, range(drivers, first))
    if quality is not None and not quality.beats_chance and _width(neighbours) < _width(trial.bases):
        trial, refused = _cross_validate(neighbours, sample), quality
        quality = _measure(trial, sample, drivers, candidates, seed)
    model = _settle(trial, sample, quality, refused)
    lessened = [Term(term.level, term.log_odds * carried) for term in model.terms[first:]]
    return replace(model, terms=(*model.terms[:first], *lessened))


def _settle(trial: _Trial, sample: Sample, quality: Quality | None, refused: Quality | None) -> AdditiveModel:
    """Learn from the whole sample what was tried on parts of it."""
    positives, area = int(sample.changed.sum()), sample.weights
    correction = float(np.log(area[sample.changed].mean() / area[~sample.changed].mean()))
    weights, intercept = np.empty(0), float(np.log(positives / (sample.changed.size - positives)))
    if _width(trial.bases):
        fitted = _fit(_design(trial.bases, sample), sample.changed, trial.strength)
        weights, intercept = fitted.coef_[0], float(fitted.intercept_[0])
    ends = np.cumsum([basis.size for basis in trial.bases], dtype=np.int64)
    terms = tuple(
        Term(basis.support, basis.at(basis.support) @ weights[end - basis.size : end])
        for basis, end in zip(trial.bases, ends, strict=True)
    )
    return AdditiveModel(terms, intercept + correction, trial.strength, positives, quality, refused)


def _keep(bases: Sequence[_Basis], kept: range) -> list[_Basis]:
    """Silence all features but some."""
    return [basis if f in kept else replace(basis, table=basis.table[:, :0]) for f, basis in enumerate(bases)]


def _width(bases: Sequence[_Basis]) -> int:
    return sum(basis.size for basis in bases)


def _design(bases: Sequence[_Basis], sample: Sample) -> NDArray[np.float64]:
    return np.hstack([basis.at(sample.levels[:, f]) for f, basis in enumerate(bases)])


@dataclass(frozen=True, eq=False)
class _Basis:
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
    def of(cls, sample: Sample, feature: int) -> _Basis:
        level = sample.levels[:, feature]
        return cls.tell_apart(level) if feature in sample.categories else cls.span(level)

    @classmethod
    def tell_apart(cls, category: NDArray[np.int64]) -> _Basis:
        """One column for each category that was seen; others have no effect."""
        found, count = np.unique(category[category > 0], return_counts=True)
        table = np.zeros((_CATEGORIES, found.size if found.size > 1 else 0))
        if table.size:
            table[found] = np.eye(found.size) - count / count.sum()
        return cls(np.arange(1, _CATEGORIES), np.arange(_CATEGORIES), table)

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

    @classmethod
    def line(cls, level: NDArray[np.int64]) -> _Basis:
        """Return one straight line over the levels themselves, on the scale of their spread."""
        known = level[level >= 0]
        spread = float(known.std()) if known.size else 0.0
        if not spread:
            return cls(known[:0], np.zeros(1, np.int64), np.zeros((1, 0)))
        levels = np.arange(LINE_LEVELS + 1)
        return cls(levels[1:], levels[[0, -1]], ((levels - known.mean()) / spread)[:, None])

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


@dataclass(frozen=True, eq=False)
class _Trial:
    """How well a strength does on held-out blocks: which cells were held out, and what was learned without them."""

    bases: Sequence[_Basis]
    losses: NDArray[np.float64]  # (cell,) held-out log loss; NaN where nothing was held out
    strength: float
    folds: tuple[tuple[NDArray[np.bool_], Any], ...] = ()

    @property
    def loss(self) -> float:
        """Mean held-out log loss."""
        return float(np.nanmean(self.losses))


def _gain(trial: _Trial, other: _Trial, blocks: NDArray[np.int64]) -> float:
    """Return how much smaller the held-out loss is than another's, in standard errors; 0 where it cannot be told.

    Blocks are the independent witnesses, and the two are compared block by block: the mean gain of a cell is a ratio of
    sums over blocks (Cochran 1977, chapter 11).
    """
    told = np.isfinite(trial.losses) & np.isfinite(other.losses)
    _, place = np.unique(blocks[told], return_inverse=True)
    if place.size == 0:
        return 0.0
    cells = np.bincount(place)
    won = np.bincount(place, (other.losses - trial.losses)[told])
    surplus = won - cells * won.sum() / cells.sum()
    error = float(np.sqrt(cells.size / max(cells.size - 1, 1) * (surplus**2).sum()))
    return float(won.sum()) / error if error > 0 else 0.0


def _cross_validate(bases: Sequence[_Basis], sample: Sample) -> _Trial:
    """Return the strength with the smallest held-out log loss."""
    splits = list(_split(sample)) if _width(bases) else []
    if not splits:
        return _Trial(bases, np.full(sample.changed.size, np.nan), _STRENGTHS[1])
    design = _design(bases, sample)
    trials = []
    for strength in _STRENGTHS:
        losses = np.full(sample.changed.size, np.nan)
        folds = tuple((test, _fit(design[train], sample.changed[train], strength)) for train, test in splits)
        for test, fitted in folds:
            chance = fitted.predict_log_proba(design[test])
            losses[test] = -np.where(sample.changed[test], chance[:, 1], chance[:, 0])
        trials.append(_Trial(bases, losses, strength, folds))
    return min(trials, key=lambda trial: trial.loss)


def _measure(trial: _Trial, sample: Sample, drivers: int, candidates: int, seed: int) -> Quality | None:
    """Measure the quality of the models that were learned without some blocks, on these blocks."""
    if not trial.folds:
        return None
    cells, features = sample.levels.shape
    feature = np.repeat(np.arange(features), [basis.size for basis in trial.bases])
    design = _design(trial.bases, sample)
    score, parts, folds = np.empty(cells), np.empty((cells, features)), np.full(cells, -1)
    for f, (test, fitted) in enumerate(trial.folds):
        weights = np.zeros((feature.size, features))
        weights[np.arange(feature.size), feature] = fitted.coef_[0]
        parts[test] = design[test] @ weights
        score[test] = fitted.intercept_[0] + parts[test].sum(axis=1)
        folds[test] = f
    told = folds >= 0
    held_out = HeldOut(
        score[told], parts[told], sample.changed[told], sample.weights[told], sample.blocks[told], folds[told]
    )
    return measure_quality(held_out, drivers=drivers, momentum=candidates, seed=seed)


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
