"""Learning an additive model of one transition from a sample of cells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from scenarios.additive import AdditiveModel, Term
from scenarios.bases import Basis
from scenarios.quality import HeldOut, Quality, measure_quality
from scenarios.samples import Sample

_FOLDS = 3
_STRENGTHS = (0.01, 0.1, 1.0)  # inverse of the penalty, from stiff to supple
_SURE = 3.0  # standard errors: features without any effect seem to gain two now and then
_FEWEST = 10  # positives, below which nothing is learned


def fit_additive(sample: Sample, *, drivers: int = 0, candidates: int = 0, seed: int = 0) -> AdditiveModel | None:
    """Fit penalised splines by logistic regression, their stiffness chosen on held-out spatial blocks.

    Parameters
    ----------
    sample : cells at risk
    drivers : how many features, the first ones, are drivers; those between are shares of classes around the cell
    candidates : how many features, the last ones, act as straight lines, and stay only if they make the held-out log
        loss smaller by more than three standard errors
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
    bases = [
        Basis.of(level, f in sample.categories) if f < first else Basis.line(level)
        for f, level in enumerate(sample.levels.T)
    ]
    trial = _choose_features(bases, first, sample)
    quality, refused = _measure(trial, sample, drivers, candidates, seed), None
    neighbours = _keep(trial.bases, range(drivers, first))
    if quality is not None and not quality.beats_chance and _width(neighbours) < _width(trial.bases):
        trial, refused = _cross_validate(neighbours, sample), quality
        quality = _measure(trial, sample, drivers, candidates, seed)
    return _settle(trial, sample, quality, refused)


def refit_additive(model: AdditiveModel, sample: Sample) -> AdditiveModel:
    """Learn a model anew from another sample; features, stiffness and what is told of its quality stay.

    Parameters
    ----------
    model : as fitted by `fit_additive`
    sample : cells at risk, described as those that it was fitted to

    Returns
    -------
    AdditiveModel, the given one where fewer than 10 cells changed (or stayed)
    """
    positives = int(sample.changed.sum())
    if min(positives, sample.changed.size - positives) < _FEWEST:
        return model
    start = _Fit(model.weights, model.intercept - _correct_sampling(sample))
    trial = _Trial(model.bases, np.empty(0), model.strength, fits=(start,))
    return _settle(trial, sample, model.quality, model.refused)


def _choose_features(bases: Sequence[Basis], first: int, sample: Sample) -> _Trial:
    """Leave out the candidates, those from the first one on, unless they surely help."""
    known = _keep(bases, range(first))
    without = _cross_validate(known, sample)
    if _width(bases) == _width(known):
        return without
    if not _width(known):
        return _cross_validate(bases, sample)
    # The same stiffness does for both, and what was learned without them is where to start from.
    trial = _cross_validate(bases, sample, (without.strength,), without.fits)
    return trial if _gain(trial, without, sample.blocks) > _SURE else without


def _settle(trial: _Trial, sample: Sample, quality: Quality | None, refused: Quality | None) -> AdditiveModel:
    """Learn from the whole sample what was tried on parts of it."""
    positives = int(sample.changed.sum())
    weights, intercept = np.empty(0), float(np.log(positives / (sample.changed.size - positives)))
    if _width(trial.bases):
        start = trial.fits[0] if trial.fits else None
        weights, intercept = _fit(_design(trial.bases, sample), sample.changed, trial.strength, start)
    ends = np.cumsum([basis.size for basis in trial.bases], dtype=np.int64)
    terms = tuple(
        Term(basis.support, basis.at(basis.support) @ weights[end - basis.size : end])
        for basis, end in zip(trial.bases, ends, strict=True)
    )
    intercept += _correct_sampling(sample)
    return AdditiveModel(terms, intercept, trial.strength, positives, quality, refused, tuple(trial.bases), weights)


def _correct_sampling(sample: Sample) -> float:
    """Return what is added to the log odds of the sample to have those of the landscape."""
    area = sample.weights
    return float(np.log(area[sample.changed].mean() / area[~sample.changed].mean()))


def _keep(bases: Sequence[Basis], kept: range) -> list[Basis]:
    """Silence all features but some."""
    return [basis if f in kept else replace(basis, table=basis.table[:, :0]) for f, basis in enumerate(bases)]


def _width(bases: Sequence[Basis]) -> int:
    return sum(basis.size for basis in bases)


def _design(bases: Sequence[Basis], sample: Sample) -> NDArray[np.float64]:
    return np.hstack([basis.at(sample.levels[:, f]) for f, basis in enumerate(bases)])


class _Fit(NamedTuple):
    """A fitted logistic regression."""

    weights: NDArray[np.float64]  # (column,)
    intercept: float


def _fit(
    design: NDArray[np.floating[Any]], changed: NDArray[np.bool_], strength: float, start: _Fit | None = None
) -> _Fit:
    """Fit a logistic regression with a ridge, in the precision of its design.

    Parameters
    ----------
    design : (cell, column)
    start : where to start from; columns that it does not know, the last ones, start at 0
    """
    from sklearn import config_context
    from sklearn.linear_model import LogisticRegression

    single = design.dtype == np.float32
    model = LogisticRegression(
        C=strength, solver="newton-cholesky", tol=1e-4 if single else 1e-5, max_iter=50, warm_start=True
    )
    if start is not None:
        known = np.zeros((1, design.shape[1]), design.dtype)
        known[0, : start.weights.size] = start.weights
        model.coef_, model.intercept_ = known, np.array([start.intercept], design.dtype)
    with config_context(assume_finite=True, skip_parameter_validation=True):  # it is fitted thousands of times
        model.fit(design, changed)
    return _Fit(model.coef_[0].astype(np.float64), float(model.intercept_[0]))


@dataclass(frozen=True, eq=False)
class _Trial:
    """How well a strength does on held-out blocks: which cells were held out, and what was learned without them."""

    bases: Sequence[Basis]
    losses: NDArray[np.float64]  # (cell,) held-out log loss; NaN where nothing was held out
    strength: float
    held_out: tuple[NDArray[np.bool_], ...] = ()  # (cell,) of each fold
    fits: tuple[_Fit, ...] = ()  # of each fold

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


def _cross_validate(
    bases: Sequence[Basis],
    sample: Sample,
    strengths: Sequence[float] = _STRENGTHS,
    starts: Sequence[_Fit | None] = (),
) -> _Trial:
    """Return the strength with the smallest held-out log loss.

    Parameters
    ----------
    starts : where the fit of each fold starts from
    """
    splits = list(_split(sample)) if _width(bases) else []
    if not splits:
        return _Trial(bases, np.full(sample.changed.size, np.nan), _STRENGTHS[1])
    # Choosing needs no more than single precision, which takes half the time.
    design = _design(bases, sample).astype(np.float32)
    folds = [(design[~test], sample.changed[~test]) for test in splits]
    starts = starts or [None] * len(splits)
    fits: list[_Fit] = []
    trials = []
    for strength in strengths:
        # From one strength to the next, a fold goes on from where it was.
        fits = [_fit(*fold, strength, start) for fold, start in zip(folds, fits or starts, strict=True)]
        losses = np.full(sample.changed.size, np.nan)
        for test, (weights, intercept) in zip(splits, fits, strict=True):
            log_odds = design[test] @ weights + intercept
            losses[test] = np.logaddexp(0, np.where(sample.changed[test], -log_odds, log_odds))
        trials.append(_Trial(bases, losses, strength, tuple(splits), tuple(fits)))
    return min(trials, key=lambda trial: trial.loss)


def _measure(trial: _Trial, sample: Sample, drivers: int, candidates: int, seed: int) -> Quality | None:
    """Measure the quality of the models that were learned without some blocks, on these blocks."""
    if not trial.fits:
        return None
    cells, features = sample.levels.shape
    feature = np.repeat(np.arange(features), [basis.size for basis in trial.bases])
    design = _design(trial.bases, sample)
    score, parts, folds = np.empty(cells), np.empty((cells, features)), np.full(cells, -1)
    for f, (test, (coefficients, intercept)) in enumerate(zip(trial.held_out, trial.fits, strict=True)):
        weights = np.zeros((feature.size, features))
        weights[np.arange(feature.size), feature] = coefficients
        parts[test] = design[test] @ weights
        score[test] = intercept + parts[test].sum(axis=1)
        folds[test] = f
    told = folds >= 0
    held_out = HeldOut(
        score[told], parts[told], sample.changed[told], sample.weights[told], sample.blocks[told], folds[told]
    )
    return measure_quality(held_out, drivers=drivers, momentum=candidates, seed=seed)


def _split(sample: Sample) -> Iterator[NDArray[np.bool_]]:
    """Deal whole blocks, the fullest first, to the folds; yield the folds that have both outcomes on both sides."""
    blocks, members = np.unique(sample.blocks, return_inverse=True)
    rank = np.empty(blocks.size, np.int64)
    rank[np.argsort(-np.bincount(members, weights=sample.changed), kind="stable")] = np.arange(blocks.size)
    fold = rank[members] % _FOLDS
    for f in range(_FOLDS):
        test = fold == f
        if all(np.unique(sample.changed[side]).size == 2 for side in (test, ~test)):
            yield test
