"""Intensity analysis: which intervals, classes and transitions change faster than evenly spread change would.

Three questions, from the coarse to the fine, each beside the intensity that would be seen if the change were uniform
(Aldwaik and Pontius 2012, doi:10.1016/j.landurbplan.2012.02.010). All intensities are shares per year. Above the
uniform one a class is active or a transition is targeted; below it, dormant or avoided.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenarios.demand.transitions import TransitionTable


@dataclass(frozen=True, eq=False)
class IntervalIntensity:
    """How fast each interval changed.

    Parameters
    ----------
    change : (interval,) share of the landscape that changed per year
    uniform : the same over all intervals together
    """

    change: NDArray[np.float64]
    uniform: float


@dataclass(frozen=True, eq=False)
class ClassIntensity:
    """How fast each class gained and lost in one interval; NaN where the class has no area.

    Parameters
    ----------
    gain : (class,) gain per year, as a share of the class at the end
    loss : (class,) loss per year, as a share of the class at the start
    uniform : change of the landscape per year
    """

    gain: NDArray[np.float64]
    loss: NDArray[np.float64]
    uniform: float


@dataclass(frozen=True, eq=False)
class TransitionIntensity:
    """How fast each transition went in one interval; NaN on the diagonal and where there is no area.

    Parameters
    ----------
    gain : (class, class) transition from i to j per year, as a share of i at the start
    gain_uniform : (class,) the gain of j, as a share of all that was not j at the start
    loss : (class, class) transition from i to j per year, as a share of j at the end
    loss_uniform : (class,) the loss of i, as a share of all that is not i at the end
    """

    gain: NDArray[np.float64]
    gain_uniform: NDArray[np.float64]
    loss: NDArray[np.float64]
    loss_uniform: NDArray[np.float64]


def interval_intensity(tables: Sequence[TransitionTable]) -> IntervalIntensity:
    """Compare intervals: ``S_t = change_t / (landscape · years_t)``; the uniform one sums over all t."""
    change = np.array([table.change_ha.sum() for table in tables])
    exposed = np.array([table.area_ha.sum() * table.years for table in tables])
    return IntervalIntensity(change / exposed, float(change.sum() / exposed.sum()))


def class_intensity(table: TransitionTable) -> ClassIntensity:
    """Compare classes: ``G_j = gain_j / (years · end_j)`` and ``L_i = loss_i / (years · start_i)``."""
    start, end = table.area_ha.sum(axis=1), table.area_ha.sum(axis=0)
    uniform = float(table.change_ha.sum() / (table.area_ha.sum() * table.years))
    return ClassIntensity(_share(table.gain_ha, end * table.years), _share(table.loss_ha, start * table.years), uniform)


def transition_intensity(table: TransitionTable) -> TransitionIntensity:
    """Compare transitions: ``R_ij = area_ij / (years · start_i)`` and ``Q_ij = area_ij / (years · end_j)``."""
    start, end = table.area_ha.sum(axis=1), table.area_ha.sum(axis=0)
    total, years = table.area_ha.sum(), table.years
    off_diagonal = np.where(np.eye(start.size, dtype=bool), np.nan, table.area_ha)
    return TransitionIntensity(
        gain=_share(off_diagonal, start[:, None] * years),
        gain_uniform=_share(table.gain_ha, (total - start) * years),
        loss=_share(off_diagonal, end[None, :] * years),
        loss_uniform=_share(table.loss_ha, (total - end) * years),
    )


def _share(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    whole = np.broadcast_to(whole, part.shape)
    return np.asarray(np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0), np.float64)
