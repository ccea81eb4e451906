"""Which features the model of a transition keeps, judged on spatial blocks that were held out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from scenarios.potential.quality import Quality
from scenarios.potential.samples import Sample

_FOLDS = 3
_SURE = 3.0  # standard errors: features without any effect seem to gain two now and then
_FEWEST = 10  # positives, below which nothing is learned


class Trial(Protocol):
    """What came of learning from some features."""

    @property
    def losses(self) -> NDArray[np.float64]:
        """Held-out log loss, (cell,); NaN where nothing was held out."""


Tried = TypeVar("Tried", bound=Trial)


class Learner(Protocol[Tried]):
    """Learns from some features of a sample."""

    def size(self, kept: range) -> int:
        """Return how much there is to learn of some features; 0 where they never vary."""

    def attempt(self, kept: range, start: Tried | None = None) -> Tried:
        """Learn without some blocks each time; start, where that helps, from what fewer features have taught."""

    def measure(self, trial: Tried) -> Quality | None:
        """Measure the quality on the held-out blocks; None where nothing was held out."""


def is_learnable(sample: Sample) -> bool:
    """Return whether at least 10 cells changed, and 10 stayed."""
    positives = int(sample.changed.sum())
    return min(positives, sample.changed.size - positives) >= _FEWEST


def correct_intercept(sample: Sample) -> float:
    """Return what the log odds of the landscape are above those of the sample.

    Notes
    -----
    The ratio of the mean weights of changed and unchanged cells (King and Zeng 2001,
    doi:10.1093/oxfordjournals.pan.a004868).
    """
    weights = sample.weights
    return float(np.log(weights[sample.changed].mean() / weights[~sample.changed].mean()))


def choose_features(
    learner: Learner[Tried], blocks: NDArray[np.int64], *, features: int, drivers: int, candidates: int
) -> tuple[Tried, Quality | None, Quality | None]:
    """Keep the candidates where they help, and the neighbourhood alone where all together are no better than chance.

    Parameters
    ----------
    learner : of the features
    blocks : (cell,) int64, spatial block of each cell of the sample
    features, drivers, candidates : how many there are, and how many of them, the first and the last ones, are drivers
        and candidates; those between are shares of classes

    Returns
    -------
    What was tried with the features that are kept, its quality, and the quality of what was refused, if anything was
    """
    kept, every = range(features - candidates), range(features)
    if not learner.size(kept):
        kept = every
    trial = learner.attempt(kept)
    if learner.size(every) > learner.size(kept):
        more = learner.attempt(every, trial)
        if _gain(more, trial, blocks) > _SURE:
            trial, kept = more, every
    quality, neighbours = learner.measure(trial), range(drivers, features - candidates)
    if quality is None or quality.beats_chance or learner.size(neighbours) == learner.size(kept):
        return trial, quality, None
    left = learner.attempt(neighbours)
    return left, learner.measure(left), quality


def split_blocks(sample: Sample) -> Iterator[NDArray[np.bool_]]:
    """Deal whole blocks, the fullest first, to the folds; yield the folds that have both outcomes on both sides."""
    blocks, members = np.unique(sample.blocks, return_inverse=True)
    rank = np.empty(blocks.size, np.int64)
    rank[np.argsort(-np.bincount(members, weights=sample.changed), kind="stable")] = np.arange(blocks.size)
    fold = rank[members] % _FOLDS
    for f in range(_FOLDS):
        test = fold == f
        if all(np.unique(sample.changed[side]).size == 2 for side in (test, ~test)):
            yield test


def _gain(trial: Trial, other: Trial, blocks: NDArray[np.int64]) -> float:
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
