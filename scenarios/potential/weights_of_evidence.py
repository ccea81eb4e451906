"""Weights of evidence: how much more often a value is met where a transition happened than where it did not.

Bonham-Carter 1994, Geographic Information Systems for Geoscientists, chapter 9. In land change: Soares-Filho, Cerqueira
and Pennachin 2002, doi:10.1016/S0304-3800(02)00059-5.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_NO_PENALTY = 1e6


def weigh_evidence(
    bins: NDArray[np.floating[Any]], changed: NDArray[np.bool_], smoothing: float
) -> tuple[NDArray[np.float64], float]:
    """Return the weight of each bin, (bin,) float64, and the intercept: log odds that are counted instead of fitted.

    Parameters
    ----------
    bins : (cell, bin), 1 where a cell lies in a bin of a feature, else 0
    changed : (cell,) bool, of both kinds
    smoothing : cells without any news, changed and unchanged as in the whole sample, that are added to every bin

    Notes
    -----
    The weight of a bin is the logarithm of the ratio of two densities, that of the changed cells in it and that of the
    unchanged, so an empty bin weighs 0. The sum of the weights would be the log odds if the features told nothing of
    each other. Windows around a cell do, and would count the same news many times. So the sum is multiplied by one
    slope, by logistic regression: no place changes its rank, and the chances are as large as they should be.
    """
    from sklearn.linear_model import LogisticRegression

    share = changed.mean()
    yes, no = (np.asarray(bins[each].sum(axis=0), np.float64) for each in (changed, ~changed))
    weights = np.log(yes + smoothing * share) - np.log(no + smoothing * (1 - share)) - np.log(share / (1 - share))
    slope = LogisticRegression(C=_NO_PENALTY, solver="newton-cholesky").fit((bins @ weights)[:, None], changed)
    return slope.coef_[0, 0] * weights, float(slope.intercept_[0])
