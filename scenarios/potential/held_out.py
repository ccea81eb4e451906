"""What models say of cells that they did not learn from, and what each feature brings to it.

Permutation importance: Breiman 2001, doi:10.1023/A:1010933404324.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenarios.kernels import draws
from scenarios.potential.quality import (
    Quality,
    Reals,
    area_error,
    area_under_curve,
    calibration_curve,
    correct_for_sampling,
    operating_characteristic,
)

REPEATS = 5

Retelling = Callable[[Sequence[int], NDArray[np.int64]], Reals | None]
"""What is said if some features come from other cells: features and donors in, scores out, None if nothing changes."""


def exchange_parts(score: Reals, parts: Reals) -> Retelling:
    """Return what an additive model says if some features come from other cells: nothing has to be predicted anew.

    Parameters
    ----------
    score : (cell,) float64
    parts : (cell, feature) float64, what each feature adds to it
    """

    def retell(features: Sequence[int], donor: NDArray[np.int64]) -> Reals | None:
        part = parts[:, list(features)].sum(axis=1)
        return score - part + part[donor] if part.any() else None

    return retell


def permutation_importance(
    score: Reals,
    retell: Retelling,
    changed: NDArray[np.bool_],
    area_ha: Reals,
    folds: NDArray[np.int64],
    groups: Sequence[Sequence[int]],
    *,
    seed: int,
    repeats: int = REPEATS,
) -> Reals:
    """Return how much of the area under the curve is lost if features are shuffled.

    Parameters
    ----------
    score : (cell,) float64, held-out log odds
    retell : what the models say if some features come from other cells
    changed, area_ha : as for `operating_characteristic`
    folds : (cell,) int64, cells that one model was held out from; they swap with each other only
    groups : features that are shuffled together
    seed : of the draws
    repeats : how many shuffles

    Returns
    -------
    (group,) float64, mean of the shuffles; about 0 or below for a feature that tells nothing

    Notes
    -----
    A cell gets the part of another one, drawn by its area: so the feature keeps the distribution that it has in the
    landscape, not in the sample.
    """
    lost = np.zeros(len(groups))
    before = area_under_curve(changed, score, area_ha)
    for repeat in range(repeats):
        donor = _draw_donors(area_ha, folds, draws.stream(seed, repeat))
        for g, group in enumerate(groups):
            told = retell(group, donor)
            if told is not None:
                lost[g] += before - area_under_curve(changed, told, area_ha)
    return lost / repeats


def _draw_donors(area_ha: Reals, folds: NDArray[np.int64], key: np.uint64) -> NDArray[np.int64]:
    """Draw for each cell a cell of its fold, by area."""
    cells = np.arange(folds.size)
    chance = draws.uniforms(key, cells, np.zeros_like(cells))
    donor = np.empty_like(cells)
    for fold in np.unique(folds):
        mine = np.flatnonzero(folds == fold)
        reached = np.cumsum(area_ha[mine])
        place = np.searchsorted(reached, chance[mine] * reached[-1], side="right")
        donor[mine] = mine[np.minimum(place, mine.size - 1)]
    return donor


@dataclass(frozen=True, eq=False)
class HeldOut:
    """What models said of cells that they did not learn from.

    Parameters
    ----------
    score : (cell,) float64, log odds in the sample
    retell : what they say if some features come from other cells
    changed : (cell,) bool
    area_ha : (cell,) float64, hectares of the landscape that each cell stands for
    blocks : (cell,) int64, spatial block
    folds : (cell,) int64, which model it was held out from
    """

    score: Reals
    retell: Retelling
    changed: NDArray[np.bool_]
    area_ha: Reals
    blocks: NDArray[np.int64]
    folds: NDArray[np.int64]


def measure_quality(
    told: HeldOut, *, features: int, drivers: int, momentum: int, seed: int, repeats: int = REPEATS
) -> Quality:
    """Measure all there is to say of a model.

    Parameters
    ----------
    told : of held-out cells
    features : how many there are
    drivers, momentum : how many features, the first and the last ones, are drivers and windows of recent change
    seed : of the shuffling
    repeats : how many shuffles
    """
    groups = [
        *([f] for f in range(features)),
        range(drivers, features - momentum),
        range(features - momentum, features),
    ]
    sample = told.changed, told.area_ha
    lost = permutation_importance(told.score, told.retell, *sample, told.folds, groups, seed=seed, repeats=repeats)
    chance = correct_for_sampling(told.score, *sample)
    return Quality(
        auc=area_under_curve(told.changed, told.score, told.area_ha),
        auc_error=area_error(told.changed, told.score, told.area_ha, told.blocks),
        characteristic=operating_characteristic(told.changed, told.score, told.area_ha).thin(),
        calibration=calibration_curve(told.changed, chance, told.area_ha),
        importance=lost[:features],
        neighbourhood=float(lost[features]),
        momentum=float(lost[features + 1]),
    )
