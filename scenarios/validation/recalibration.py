"""Recalibration: the probability of a change that goes with the share of the members that make it.

Members that are drawn sharp place change as the real landscape does, and agree too often. A hindcast tells how often
what so many of them foretold came true, and so turns their share into a probability, by beta calibration: Kull, Silva
Filho and Flach 2017, doi:10.1214/17-EJS1338SI.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq, minimize
from scipy.special import expit

from scenarios.algebra import one_thread

_FAR = 60.0  # log odds beyond which nothing is foretold of the largest landscape


@dataclass(frozen=True)
class Recalibration:
    """A curve from the share of the members to the probability; it never falls.

    Parameters
    ----------
    intercept, of_share, of_rest : c, a and b of ``logit p' = c + a ln p − b ln(1 − p)``; a and b are 0 or more

    Notes
    -----
    Of ``m`` members ``n`` make the change: ``p = (n + 1/2) / (m + 1)``, which is never 0 or 1. With 0, 1 and 1 the
    members are taken at their word.
    """

    intercept: float
    of_share: float
    of_rest: float

    @classmethod
    def fit(cls, cases: NDArray[np.int64], happened: NDArray[np.int64]) -> Recalibration:
        """Return the likeliest curve.

        Parameters
        ----------
        cases : (members + 1,) int64, cells of which n = 0 ... members members make the change
        happened : (members + 1,) int64, those of them in which it came

        Notes
        -----
        One case more for each n, in which as much happened as the members say: where nothing was seen they are taken
        at their word, and no curve runs off to infinity.
        """
        told = _shares(len(cases) - 1)
        basis = np.stack([np.ones_like(told), np.log(told), -np.log1p(-told)])
        weight, came = cases + 1.0, happened + told

        def lose(curve: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
            odds = curve @ basis
            surprise = weight * np.logaddexp(0, odds) - came * odds
            return float(surprise.sum() / came.sum()), basis @ (weight * expit(odds) - came) / came.sum()

        with one_thread:
            found = minimize(
                lose,
                x0=[0.0, 1.0, 1.0],
                jac=True,
                method="L-BFGS-B",
                bounds=[(None, None), (0, None), (0, None)],
                options={"ftol": 1e-15, "gtol": 1e-10, "maxiter": 1000},
            )
        return cls(*(float(value) for value in found.x))

    def log_odds(self, members: int) -> NDArray[np.float64]:
        """Return the logarithm of the odds where n = 0 ... members members make the change, (members + 1,) float64."""
        told = _shares(members)
        return np.asarray(self.intercept + self.of_share * np.log(told) - self.of_rest * np.log1p(-told))

    def tell(self, members: int) -> NDArray[np.float64]:
        """Return the probability where n = 0 ... members members make the change, (members + 1,) float64."""
        return np.asarray(expit(self.log_odds(members)))

    def to_dict(self) -> dict[str, float]:
        """Return the numbers of the curve as JSON can hold them."""
        return {name: round(value, 6) for name, value in asdict(self).items()}


def hold_total(log_odds: NDArray[np.float64], weight: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return probabilities that foretell as much as the members do, all odds being multiplied alike.

    Parameters
    ----------
    log_odds : (members + 1,) float64, of `Recalibration`
    weight : (members + 1,) int64, size of the cells in which n = 0 ... members members make the change

    Returns
    -------
    (members + 1,) float64; 0 where no member makes the change anywhere, 1 where all make it everywhere
    """
    members = len(weight) - 1
    drawn, most = int(weight @ np.arange(members + 1)), int(weight.sum()) * members
    if drawn in (0, most):
        return np.full(members + 1, float(drawn > 0))
    size, wanted = weight / weight.sum(), drawn / most
    low, high = -log_odds.max() - _FAR, -log_odds.min() + _FAR
    shift = brentq(lambda more: float((size * expit(log_odds + more)).sum()) - wanted, low, high, xtol=1e-12)
    return np.asarray(expit(log_odds + shift))


def _shares(members: int) -> NDArray[np.float64]:
    return (np.arange(members + 1) + 0.5) / (members + 1)
