"""Learning a transition with a classifier: its features chosen, its quality measured and its curves asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from scenarios.potential.classifiers import Classifier, ask_classifier, teach_classifier
from scenarios.potential.curves import Term, TransitionModel, to_fixed_point
from scenarios.potential.encoding import Encoding
from scenarios.potential.held_out import HeldOut, measure_quality
from scenarios.potential.quality import Quality
from scenarios.potential.samples import Sample
from scenarios.potential.selection import choose_features, correct_intercept, is_learnable, split_blocks

_REPEATS = 1  # each shuffle asks the classifier anew
_CURVE_POINTS = 17
_CURVE_CELLS = 200
_CATEGORIES = 256

Reals = NDArray[np.float64]
Levels = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class ClassifierModel(TransitionModel):
    """A fitted classifier; its curves are partial dependences (Friedman 2001, doi:10.1214/aos/1013203451).

    Parameters
    ----------
    classifier : fitted; None where no feature varies
    encoding : what it is given for the levels of each feature
    origin : log odds in the sample that score 0
    cells : how many it was learned from
    """

    classifier: Classifier | None = field(kw_only=True)
    encoding: Encoding = field(kw_only=True)
    origin: float = field(kw_only=True)
    cells: int = field(kw_only=True)

    def uses_last(self, features: int) -> bool:
        """Return whether any of so many features, the last ones, counts."""
        return max(self.encoding.used, default=-1) >= len(self.encoding.tables) - features

    def score(self, levels: Levels) -> NDArray[np.int16]:
        """Return the scores of cells, (cell,) int16, in 1/1024.

        Parameters
        ----------
        levels : (cell, feature) int64, as in the sample; features at the end that were not kept may be missing
        """
        return to_fixed_point(self.log_odds(levels) - self.origin)

    def log_odds(self, levels: Levels) -> Reals:
        """Return what the classifier says of cells, (cell,) float64, log odds in the sample."""
        if self.classifier is None:
            return np.full(levels.shape[0], self.origin)
        return ask_classifier(self.classifier, self.encoding.encode(levels), self.cells)


def fit_classifier(
    sample: Sample, *, classifier: Classifier, drivers: int = 0, candidates: int = 0, seed: int = 0
) -> ClassifierModel | None:
    """Fit a classifier, its features chosen and its quality measured on held-out spatial blocks.

    Parameters
    ----------
    sample : cells at risk
    classifier : from `prepare_classifier`
    drivers, candidates, seed : as for `scenarios.potential.learning.fit_additive`

    Returns
    -------
    ClassifierModel, or None where fewer than 10 cells changed (or stayed): nothing can be learned

    Notes
    -----
    It learns from the case-control sample as it is, every cell alike; the odds are corrected afterwards. So the
    imbalance of the landscape cannot distort the ranking.
    """
    if not is_learnable(sample):
        return None
    features = sample.levels.shape[1]
    learner = _Learner(sample, classifier, drivers, candidates, seed)
    trial, quality, refused = choose_features(
        learner, sample.blocks, features=features, drivers=drivers, candidates=candidates
    )
    model = learner.settle(trial, quality, refused)
    return replace(model, terms=tuple(_depend(model, sample, f) for f in range(features)))


def refit_classifier(model: ClassifierModel, sample: Sample) -> ClassifierModel:
    """Teach a classifier anew with another sample; features, curves and what is told of its quality stay.

    Parameters
    ----------
    model : as fitted by `fit_classifier`
    sample : cells at risk, described as those that it was fitted to

    Returns
    -------
    ClassifierModel, the given one where fewer than 10 cells changed (or stayed)
    """
    if not is_learnable(sample):
        return model
    trial = _Trial(model.encoding, np.empty(0), np.empty(0), ())
    fitted = _Learner(sample, model.classifier).settle(trial, model.quality, model.refused)
    return replace(fitted, terms=model.terms)


@dataclass(frozen=True, eq=False)
class _Trial:
    """What classifiers that learned without some blocks say of these blocks."""

    encoding: Encoding
    score: Reals  # (cell,) held-out log odds; NaN where nothing was held out
    losses: Reals
    folds: tuple[tuple[Flags, Classifier], ...]


@dataclass(frozen=True, eq=False)
class _Learner:
    """Teaches copies of a classifier some features of a sample."""

    sample: Sample
    classifier: Classifier
    drivers: int = 0
    candidates: int = 0
    seed: int = 0

    def size(self, kept: range) -> int:
        """Return how many columns some features have."""
        return Encoding.of(self.sample, kept).size

    def attempt(self, kept: range, start: _Trial | None = None) -> _Trial:  # noqa: ARG002  # no classifier goes on
        """Learn without some blocks each time."""
        changed, encoding, folds = self.sample.changed, Encoding.of(self.sample, kept), []
        score, losses = np.full(changed.size, np.nan), np.full(changed.size, np.nan)
        design = encoding.encode(self.sample.levels)
        for test in split_blocks(self.sample) if encoding.size else ():
            fitted = teach_classifier(self.classifier, design[~test], changed[~test])
            score[test] = ask_classifier(fitted, design[test], int((~test).sum()))
            losses[test] = np.logaddexp(0, np.where(changed[test], -score[test], score[test]))
            folds.append((test, fitted))
        return _Trial(encoding, score, losses, tuple(folds))

    def measure(self, trial: _Trial) -> Quality | None:
        """Measure the quality of the classifiers that were learned without some blocks, on these blocks."""
        if not trial.folds:
            return None
        fold = np.full(self.sample.changed.size, -1)
        for f, (test, _) in enumerate(trial.folds):
            fold[test] = f
        told, sample = fold >= 0, self.sample
        levels, fold = sample.levels[told], fold[told]

        def retell(features: Sequence[int], donor: Levels) -> Reals | None:
            if trial.encoding.used.isdisjoint(features):
                return None
            mixed, score = levels.copy(), np.empty(fold.size)
            mixed[:, list(features)] = levels[donor][:, list(features)]
            for f, (test, fitted) in enumerate(trial.folds):
                score[fold == f] = ask_classifier(fitted, trial.encoding.encode(mixed[fold == f]), int((~test).sum()))
            return score

        held_out = HeldOut(
            trial.score[told], retell, sample.changed[told], sample.weights[told], sample.blocks[told], fold
        )
        how = {"features": levels.shape[1], "drivers": self.drivers, "momentum": self.candidates, "seed": self.seed}
        return measure_quality(held_out, **how, repeats=_REPEATS)

    def settle(self, trial: _Trial, quality: Quality | None, refused: Quality | None) -> ClassifierModel:
        """Learn from the whole sample; the curves are still to be asked for."""
        changed, encoding = self.sample.changed, trial.encoding
        positives = int(changed.sum())
        origin = float(logit(positives / changed.size))
        design = encoding.encode(self.sample.levels)
        return ClassifierModel(
            terms=(),
            intercept=origin + correct_intercept(self.sample),
            positives=positives,
            quality=quality,
            refused=refused,
            classifier=teach_classifier(self.classifier, design, changed) if encoding.size else None,
            encoding=encoding,
            origin=origin,
            cells=changed.size,
        )


def _depend(model: ClassifierModel, sample: Sample, feature: int) -> Term:
    """Return the mean log odds of some cells of the sample if a feature alone takes one level after another."""
    level = sample.levels[:, feature]
    categorical = feature in sample.categories
    known = np.sort(level[level >= int(categorical)])
    if feature not in model.encoding.used or not known.size:
        return Term(np.zeros(1, np.int64), np.zeros(1))
    ranks = np.linspace(0, known.size - 1, _CURVE_POINTS).astype(np.int64)
    reached = np.unique(known if categorical else known[ranks])
    cells = sample.levels[:: max(1, len(sample.levels) // _CURVE_CELLS)]
    asked = np.tile(cells, (reached.size, 1))
    asked[:, feature] = np.repeat(reached, len(cells))
    mean = model.log_odds(asked).reshape(reached.size, -1).mean(axis=1)
    centred = mean - np.interp(known, reached, mean).mean()
    if not categorical:
        return Term(reached, centred)
    effect = np.zeros(_CATEGORIES)  # 0 where nothing was seen of a category
    effect[reached] = centred
    return Term(np.arange(_CATEGORIES), effect)
