"""Learning an additive model of one transition from a sample of cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from scenarios.potential.additive import AdditiveModel
from scenarios.potential.bases import Basis
from scenarios.potential.curves import Term
from scenarios.potential.held_out import HeldOut, exchange_parts, measure_quality
from scenarios.potential.quality import Quality
from scenarios.potential.samples import Sample
from scenarios.potential.selection import choose_features, correct_intercept, is_learnable, split_blocks
from scenarios.potential.weights_of_evidence import weigh_evidence
from scenarios.spec.rules import ModelName

_STRENGTHS = (0.01, 0.1, 1.0)  # inverse of the penalty, from stiff to supple


def fit_additive(
    sample: Sample, *, model: ModelName = "additive", drivers: int = 0, candidates: int = 0, seed: int = 0
) -> AdditiveModel | None:
    """Fit one curve per feature, their stiffness chosen on held-out spatial blocks.

    Parameters
    ----------
    sample : cells at risk
    model : ``additive``, penalised splines by logistic regression; ``logistic``, straight lines by the same;
        ``weights_of_evidence``, steps by counting
    drivers : how many features, the first ones, are drivers; those between are shares of classes around the cell
    candidates : how many features, the last ones, stay only if they make the held-out log loss smaller by more than
        three standard errors; even where others are splines, they are lines
    seed : of the shuffling by which importance is measured

    Returns
    -------
    AdditiveModel, or None where fewer than 10 cells changed (or stayed): nothing can be learned

    Notes
    -----
    Splines are cubic B-splines on the scale of a feature's ranks, penalised by a ridge (Eilers and Marx 1996,
    doi:10.1214/ss/1038425655). All changed cells, or many, meet a share of the unchanged; the intercept is
    corrected for it (King and Zeng 2001, doi:10.1093/oxfordjournals.pan.a004868). A model that is no better than chance
    on held-out blocks keeps the shares of classes only. The caller holds linear algebra to one thread, so that the same
    sample gives the same model.
    """
    if not is_learnable(sample):
        return None
    features = sample.levels.shape[1]
    bases = [_choose_basis(sample, f, model, candidate=f >= features - candidates) for f in range(features)]
    learner = _Learner(sample, bases, model == "weights_of_evidence", drivers, candidates, seed)
    trial, quality, refused = choose_features(
        learner, sample.blocks, features=features, drivers=drivers, candidates=candidates
    )
    return learner.settle(trial, quality, refused)


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
    if not is_learnable(sample):
        return model
    start = _Fit(model.weights, model.intercept - correct_intercept(sample))
    trial = _Trial(range(len(model.bases)), np.empty(0), model.strength, fits=(start,))
    return _Learner(sample, model.bases, model.counted).settle(trial, model.quality, model.refused)


def _choose_basis(sample: Sample, feature: int, model: ModelName, *, candidate: bool) -> Basis:
    level, categorical = sample.levels[:, feature], feature in sample.categories
    if model == "weights_of_evidence":
        return Basis.bins(level, categorical)
    if candidate:
        return Basis.line(level)
    if model == "logistic" and not categorical:
        return Basis.straight(level, sample.values_of(feature))
    return Basis.of(level, categorical)


@dataclass(frozen=True, eq=False)
class _Learner:
    """Learns the curves of some features of a sample."""

    sample: Sample
    bases: Sequence[Basis]
    counts: bool  # weights of evidence, instead of a regression
    drivers: int = 0
    candidates: int = 0
    seed: int = 0

    def size(self, kept: range) -> int:
        """Return how many functions the curves of some features are made of."""
        return sum(self.bases[f].size for f in kept)

    def attempt(self, kept: range, start: _Trial | None = None) -> _Trial:
        """Learn without some blocks each time, with the strength that makes the loss on them smallest.

        After another trial, the same stiffness does, and what it has learned is where to start from.
        """
        folds = list(split_blocks(self.sample)) if self.size(kept) else []
        if not folds:
            return _Trial(kept, np.full(self.sample.changed.size, np.nan), _STRENGTHS[1])
        # Choosing needs no more than single precision, which takes half the time.
        design, changed = self._design(kept).astype(np.float32), self.sample.changed
        taught = [(design[~test], changed[~test]) for test in folds]
        fits: Sequence[_Fit | None] = start.fits if start is not None and start.fits else [None] * len(folds)
        trials = []
        for strength in _STRENGTHS if start is None else (start.strength,):
            # From one strength to the next, a fold goes on from where it was.
            fitted = tuple(self._fit(*fold, strength, known) for fold, known in zip(taught, fits, strict=True))
            losses = np.full(changed.size, np.nan)
            for test, (weights, intercept) in zip(folds, fitted, strict=True):
                log_odds = design[test] @ weights + intercept
                losses[test] = np.logaddexp(0, np.where(changed[test], -log_odds, log_odds))
            trials.append(_Trial(kept, losses, strength, tuple(folds), fitted))
            fits = fitted
        return min(trials, key=lambda trial: trial.loss)

    def measure(self, trial: _Trial) -> Quality | None:
        """Measure the quality of the models that were learned without some blocks, on these blocks."""
        if not trial.fits:
            return None
        cells, features = self.sample.levels.shape
        feature = np.repeat(trial.kept, [self.bases[f].size for f in trial.kept])
        design = self._design(trial.kept)
        score, parts, folds = np.empty(cells), np.empty((cells, features)), np.full(cells, -1)
        for f, (test, (coefficients, intercept)) in enumerate(zip(trial.held_out, trial.fits, strict=True)):
            weights = np.zeros((feature.size, features))
            weights[np.arange(feature.size), feature] = coefficients
            parts[test] = design[test] @ weights
            score[test] = intercept + parts[test].sum(axis=1)
            folds[test] = f
        told, sample = folds >= 0, self.sample
        retell = exchange_parts(score[told], parts[told])
        held_out = HeldOut(
            score[told], retell, sample.changed[told], sample.weights[told], sample.blocks[told], folds[told]
        )
        return measure_quality(
            held_out, features=features, drivers=self.drivers, momentum=self.candidates, seed=self.seed
        )

    def settle(self, trial: _Trial, quality: Quality | None, refused: Quality | None) -> AdditiveModel:
        """Learn from the whole sample what was tried on parts of it."""
        changed = self.sample.changed
        positives = int(changed.sum())
        weights, intercept = np.empty(0), float(np.log(positives / (changed.size - positives)))
        if self.size(trial.kept):
            start = trial.fits[0] if trial.fits else None
            weights, intercept = self._fit(self._design(trial.kept), changed, trial.strength, start)
        bases = tuple(basis if f in trial.kept else basis.silence() for f, basis in enumerate(self.bases))
        ends = np.cumsum([basis.size for basis in bases], dtype=np.int64)
        return AdditiveModel(
            terms=tuple(
                Term(basis.support, basis.at(basis.support) @ weights[end - basis.size : end])
                for basis, end in zip(bases, ends, strict=True)
            ),
            intercept=intercept + correct_intercept(self.sample),
            positives=positives,
            quality=quality,
            refused=refused,
            strength=trial.strength,
            bases=bases,
            weights=weights,
            counted=self.counts,
        )

    def _design(self, kept: range) -> NDArray[np.float64]:
        parts = [self.bases[f].at(self.sample.levels[:, f]) for f in kept]
        return np.hstack(parts) if parts else np.empty((self.sample.changed.size, 0))

    def _fit(
        self, design: NDArray[np.floating[Any]], changed: NDArray[np.bool_], strength: float, start: _Fit | None
    ) -> _Fit:
        if self.counts:
            return _Fit(*weigh_evidence(design, changed, 1 / strength))
        return _regress(design, changed, strength, start)


class _Fit(NamedTuple):
    """A sum of functions, fitted."""

    weights: NDArray[np.float64]  # (column,)
    intercept: float


def _regress(
    design: NDArray[np.floating[Any]], changed: NDArray[np.bool_], strength: float, start: _Fit | None
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

    kept: range
    losses: NDArray[np.float64]  # (cell,) held-out log loss; NaN where nothing was held out
    strength: float
    held_out: tuple[NDArray[np.bool_], ...] = ()  # (cell,) of each fold
    fits: tuple[_Fit, ...] = ()  # of each fold

    @property
    def loss(self) -> float:
        """Mean held-out log loss."""
        return float(np.nanmean(self.losses))
