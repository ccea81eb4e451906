"""Step 2, demand: how much of each transition every year, from the history's rates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from scenarios.demand.transitions import Transition, TransitionTable
from scenarios.spec import DemandRule

Account = str | tuple[int, Transition]
"""Whose demand it is: an intervention's, by its id, or a transition's in a zone."""

_TOLERANCE = 1e-10
_ROUNDS = 5000


def annual_generator(tables: Sequence[TransitionTable]) -> NDArray[np.float64]:
    """Estimate the yearly generator of a Markov chain from one or several intervals of any length.

    Parameters
    ----------
    tables : cross-tabulations; a class without area at the start of every interval keeps its area

    Returns
    -------
    (class, class) float64, rates per year: off-diagonals are 0 or more, rows sum to 0

    Notes
    -----
    The generator of largest likelihood, found by expectation and maximisation (Bladt and Sørensen 2005,
    doi:10.1111/j.1467-9868.2005.00508.x). It is valid by construction, also where the observed matrix has no real root
    or its logarithm has negative rates, and equals that logarithm where one interval is embeddable (Israel, Rosenthal
    and Wei 2001, doi:10.1111/1467-9965.00114).
    """
    from scipy.linalg import expm

    pooled = np.sum([t.area_ha for t in tables], axis=0)
    years = np.average([t.years for t in tables], weights=[t.area_ha.sum() for t in tables])
    generator = _close_rows(transition_matrix(pooled) / years)
    size = generator.shape[0]
    for _ in range(_ROUNDS):
        exposure = np.zeros_like(generator)
        for table in tables:
            chance = expm(generator * table.years)
            ratio = np.divide(table.area_ha, chance, out=np.zeros_like(chance), where=chance > 0)
            block = np.block([[generator.T, ratio], [np.zeros((size, size)), generator.T]])
            exposure += expm(block * table.years)[:size, size:]
        held = np.diag(exposure)[:, None]
        updated = np.divide(generator * exposure, held, out=np.zeros_like(generator), where=held > 0)
        updated = _close_rows(updated)
        done = np.abs(updated - generator).max() < _TOLERANCE
        generator = updated
        if done:
            break
    return generator


def _close_rows(rates: NDArray[np.float64]) -> NDArray[np.float64]:
    """Set the diagonal so that rows sum to 0."""
    closed = rates.copy()
    np.fill_diagonal(closed, 0)
    np.fill_diagonal(closed, -closed.sum(axis=1))
    return closed


def transition_matrix(area_ha: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the shares of each row; a class without area stays what it is."""
    total = area_ha.sum(axis=1, keepdims=True)
    return np.where(total > 0, area_ha / np.where(total > 0, total, 1), np.eye(area_ha.shape[0]))


def annual_rates(
    rule: DemandRule, tables: Sequence[TransitionTable], transitions: Sequence[Transition]
) -> dict[Transition, float]:
    """Return the share of the source class that each modelled transition takes in one year."""
    from scipy.linalg import expm

    if rule.rule == "frozen":
        return dict.fromkeys(transitions, 0.0)
    yearly = expm(annual_generator(tables))
    place = {value: n for n, value in enumerate(tables[0].legend.values)}
    return {t: float(yearly[place[t.source], place[t.target]]) for t in transitions}


class Ledger:
    """Turns demands in real numbers into whole cells, year by year, and loses nothing.

    What a year's rounding leaves over is carried into the next, so that the sum placed over the years stays within one
    cell of the sum demanded.
    """

    def __init__(self, rests: Mapping[Account, float] | None = None) -> None:
        self._carried: dict[Account, float] = dict(rests or {})

    @property
    def rests(self) -> dict[Account, float]:
        """What is carried over, by account."""
        return dict(self._carried)

    def ask(self, account: Account, amount: float) -> int:
        """Return the whole amount to place now."""
        wanted = amount + self._carried.get(account, 0.0)
        whole = max(0, int(np.floor(wanted + 0.5)))
        self._carried[account] = wanted - whole
        return whole

    def carry(self, account: Account, amount: int) -> None:
        """Carry over what whole cells could not meet to the last unit; below 0, what they met too much."""
        self._carried[account] = self._carried.get(account, 0.0) + amount
