"""Quality of a transition's model, measured on cells of spatial blocks that it did not learn from.

Total operating characteristic: Pontius and Si 2014, doi:10.1080/13658816.2013.862623. Its area and the standard error
of it: Hanley and McNeil 1982, doi:10.1148/radiology.143.1.7063747; DeLong, DeLong and Clarke-Pearson 1988,
doi:10.2307/2531595; Obuchowski 1997, doi:10.2307/2533958 for cells that come in blocks.

The cells are a case-control sample: changed ones are far more frequent in it than in the landscape. So each has a
weight, the area that it stands for, and every figure here is one of the landscape.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BINS = 10
_POINTS = 101

Reals = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class OperatingCharacteristic:
    """Total operating characteristic: what is hit if ever more area, the likeliest first, is said to change.

    Parameters
    ----------
    foretold_ha : (point,) float64, rising from 0 to the area at risk: hits and false alarms, hectares
    hits_ha : (point,) float64, rising from 0 to the area that changed, hectares
    """

    foretold_ha: Reals
    hits_ha: Reals

    @property
    def extent_ha(self) -> float:
        """Area at risk: all that could have changed."""
        return float(self.foretold_ha[-1])

    @property
    def changed_ha(self) -> float:
        """Area that changed."""
        return float(self.hits_ha[-1])

    @property
    def area(self) -> float:
        """Share of the bounding parallelogram below the curve, 0.5 = guessing: the area under the ROC curve."""
        false_alarms = self.foretold_ha - self.hits_ha
        return float(np.trapezoid(self.hits_ha, false_alarms) / (self.changed_ha * false_alarms[-1]))

    def hits_at(self, foretold_ha: Reals | float) -> Reals:
        """Return the hits if so many hectares are said to change; between two points, along the line."""
        return np.asarray(np.interp(foretold_ha, self.foretold_ha, self.hits_ha))

    def bounds(self) -> tuple[tuple[float, float], ...]:
        """Return the corners (foretold, hits) of the parallelogram that no curve can leave: best first, then worst."""
        changed, extent = self.changed_ha, self.extent_ha
        return (0.0, 0.0), (changed, changed), (extent, changed), (extent - changed, 0.0)

    def thin(self, points: int = _POINTS) -> OperatingCharacteristic:
        """Return the curve with fewer points: evenly spaced, and where as much is foretold as changed."""
        if self.foretold_ha.size <= points:
            return self
        kept = np.union1d(np.linspace(0, self.extent_ha, points - 1), self.changed_ha)
        return OperatingCharacteristic(kept, self.hits_at(kept))


@dataclass(frozen=True)
class CalibrationBin:
    """Cells that were given about the same chance.

    Parameters
    ----------
    area_ha : hectares that they stand for
    foretold : their mean chance, 0 to 1
    happened : share of their area that changed, 0 to 1
    """

    area_ha: float
    foretold: float
    happened: float


@dataclass(frozen=True, eq=False)
class Quality:
    """How well a model tells where a transition happens, in blocks that it did not learn from.

    Parameters
    ----------
    auc : how often a place that changed was ranked above one that did not; 0.5 = guessing
    auc_error : its standard error, by blocks
    characteristic : total operating characteristic
    calibration : foretold against observed shares, in parts of the landscape of equal size, the unlikeliest first
    importance : (feature,) float64, how much AUC is lost if the feature is shuffled
    neighbourhood, momentum : the same if all shares of classes, or all windows of recent change, are shuffled at once
    """

    auc: float
    auc_error: float
    characteristic: OperatingCharacteristic
    calibration: tuple[CalibrationBin, ...]
    importance: Reals
    neighbourhood: float
    momentum: float

    @property
    def beats_chance(self) -> bool:
        """Whether the model is better than guessing by more than the standard error."""
        return self.auc - self.auc_error > 0.5


def operating_characteristic(
    changed: NDArray[np.bool_], score: Reals, area_ha: NDArray[np.float64]
) -> OperatingCharacteristic:
    """Return the total operating characteristic.

    Parameters
    ----------
    changed : (cell,) bool
    score : (cell,) float64, the larger the likelier; cells of equal score come at once
    area_ha : (cell,) float64, hectares that each cell stands for
    """
    values, place = np.unique(-score, return_inverse=True)
    area = np.bincount(place, area_ha, values.size)
    hits = np.bincount(place, np.where(changed, area_ha, 0), values.size)
    return OperatingCharacteristic(*(np.concatenate([[0.0], np.cumsum(each)]) for each in (area, hits)))


def correct_for_sampling(log_odds: Reals, changed: NDArray[np.bool_], area_ha: Reals) -> Reals:
    """Return the chance in the landscape, (cell,) float64, of cells whose log odds were learned from a sample.

    Parameters
    ----------
    log_odds : (cell,) float64, in the sample
    changed, area_ha : as for `operating_characteristic`

    Notes
    -----
    The odds of the landscape are those of the sample times the ratio of the mean weights of changed and unchanged
    cells (King and Zeng 2001, doi:10.1093/oxfordjournals.pan.a004868).
    """
    from scipy.special import expit

    ratio = area_ha[changed].mean() / area_ha[~changed].mean()
    return np.asarray(expit(log_odds + np.log(ratio)))


def calibration_curve(
    changed: NDArray[np.bool_], chance: Reals, area_ha: Reals, bins: int = BINS
) -> tuple[CalibrationBin, ...]:
    """Return foretold and observed shares in parts of the landscape of about equal size, the unlikeliest first.

    Parameters
    ----------
    changed, area_ha : as for `operating_characteristic`
    chance : (cell,) float64, of the landscape, 0 to 1; cells of equal chance stay together, so parts can be missing
    bins : how many parts
    """
    values, place = np.unique(chance, return_inverse=True)
    area = np.bincount(place, area_ha, values.size)
    middle = (np.cumsum(area) - area / 2) / area.sum()
    part = np.minimum((middle * bins).astype(np.int64), bins - 1)[place]
    total, told, came = (
        np.bincount(part, each, bins) for each in (area_ha, area_ha * chance, np.where(changed, area_ha, 0))
    )
    return tuple(
        CalibrationBin(float(total[b]), float(told[b] / total[b]), float(came[b] / total[b]))
        for b in np.flatnonzero(total)
    )


def area_under_curve(changed: NDArray[np.bool_], score: Reals, area_ha: Reals) -> float:
    """Return how often a place that changed has the larger score than one that did not; a tie is half.

    Parameters
    ----------
    changed, score, area_ha : as for `operating_characteristic`, whose `area` this is
    """
    return float(np.average(_placements(score[changed], score[~changed], area_ha[~changed]), weights=area_ha[changed]))


def _placements(score: Reals, others: Reals, area_ha: Reals) -> Reals:
    """Return, for each score, the share of the area of the others that lies below it; a tie is half."""
    order = np.argsort(others)
    below = np.concatenate([[0.0], np.cumsum(area_ha[order])])
    low, high = (below[np.searchsorted(others, score, side, sorter=order)] for side in ("left", "right"))
    return np.asarray((low + high) / (2 * below[-1]))


def area_error(changed: NDArray[np.bool_], score: Reals, area_ha: Reals, blocks: NDArray[np.int64]) -> float:
    """Return the standard error of the area under the curve, where cells of a block depend on each other.

    Parameters
    ----------
    changed, score, area_ha : as for `operating_characteristic`
    blocks : (cell,) int64; with one cell in each, this is the error by DeLong et al. 1988

    Returns
    -------
    float, NaN where the changed or the unchanged cells all lie in one block
    """
    names, member = np.unique(blocks, return_inverse=True)
    parts, factors = [], []
    for mine, placed in ((changed, 1.0), (~changed, -1.0)):
        share = area_ha[mine] / area_ha[mine].sum()
        placement = placed * _placements(score[mine], score[~mine], area_ha[~mine])
        parts.append(np.bincount(member[mine], share * (placement - share @ placement), names.size))
        seen = np.unique(member[mine]).size
        factors.append(seen / (seen - 1) if seen > 1 else float("nan"))
    (yes, no), both = parts, names.size / max(names.size - 1, 1)
    variance = factors[0] * (yes @ yes) + factors[1] * (no @ no) + 2 * both * (yes @ no)
    return float(np.sqrt(np.maximum(variance, 0)))
