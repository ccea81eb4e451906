"""Reliability: whether what the members call likely happens as often as they say.

Every cell and every class that it could change to is a case. The members give it a probability, and the observed map
says whether it happened. Brier score: Brier 1950, doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2; its correction
for few members: Ferro 2014, doi:10.1002/qj.2270.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenarios.transitions import Transition

BINS = 10
ENOUGH_CASES = 500
"""With fewer cases, how often something happened says little."""


@dataclass(frozen=True)
class ReliabilityBin:
    """Cases that were given about the same probability.

    Parameters
    ----------
    cases : how many
    foretold : their mean probability, 0 to 1
    happened : share of them in which the change came, 0 to 1
    """

    cases: int
    foretold: float
    happened: float


@dataclass(frozen=True, eq=False)
class Reliability:
    """What the members foretold against what happened, small enough to keep for any landscape.

    Parameters
    ----------
    members : how many were drawn
    transitions : changes that happened or were drawn at least once
    cases : (transition, n) int64, cells of the source class in which n = 0 ... members members make the transition
    happened : (transition, n) int64, those of them that really made it
    """

    members: int
    transitions: tuple[Transition, ...]
    cases: NDArray[np.int64]
    happened: NDArray[np.int64]

    def of(self, transition: Transition) -> Reliability:
        """Return the part that is about one transition."""
        row = [self.transitions.index(transition)]
        return Reliability(self.members, (transition,), self.cases[row], self.happened[row])

    @property
    def _probability(self) -> NDArray[np.float64]:
        return np.arange(self.members + 1) / self.members

    @property
    def brier(self) -> float:
        """Mean squared difference of probability and what happened (1 or 0); NaN without any case."""
        p, n, yes = self._probability, self.cases.sum(axis=0), self.happened.sum(axis=0)
        return _ratio(float((n * p**2 - 2 * yes * p + yes).sum()), int(n.sum()))

    @property
    def persistence_brier(self) -> float:
        """The Brier score of saying that nothing changes."""
        return _ratio(int(self.happened.sum()), int(self.cases.sum()))

    @property
    def skill(self) -> float:
        """Brier skill against persistence: 1 is perfect, 0 no better than saying that nothing changes."""
        return 1 - _ratio(self.brier, self.persistence_brier)

    @property
    def fair_skill(self) -> float:
        """Brier skill less the noise of having so few members: what a very large ensemble would be expected to have."""
        if self.members < 2:
            return float("nan")
        p = self._probability
        noise = _ratio(float((self.cases.sum(axis=0) * p * (1 - p)).sum()), int(self.cases.sum())) / (self.members - 1)
        return 1 - _ratio(self.brier - noise, self.persistence_brier)

    def curve(self, bins: int = BINS) -> tuple[ReliabilityBin, ...]:
        """Return the reliability curve: cases by probability, in equal steps; empty steps are left out.

        Parameters
        ----------
        bins : how many steps from 0 to 1; each holds its lower edge, the last one 1 too
        """
        n, yes = self.cases.sum(axis=0), self.happened.sum(axis=0)
        drawn = np.arange(self.members + 1)
        place = np.minimum(drawn * bins // self.members, bins - 1)
        count, came = (np.bincount(place, of, bins).astype(np.int64) for of in (n, yes))
        told = np.bincount(place, n * drawn, bins) / self.members
        return tuple(
            ReliabilityBin(int(count[b]), float(told[b] / count[b]), float(came[b] / count[b]))
            for b in np.flatnonzero(count)
        )

    def largest_gap(self, enough: int = ENOUGH_CASES) -> float:
        """Return the largest distance of the curve from the diagonal where there are enough cases; NaN if nowhere."""
        gaps = [abs(each.foretold - each.happened) for each in self.curve() if each.cases >= enough]
        return max(gaps, default=float("nan"))

    def to_dict(self) -> dict[str, Any]:
        """Return scores and curve as JSON can hold them."""
        scores = {
            "brier": self.brier,
            "persistence_brier": self.persistence_brier,
            "skill": self.skill,
            "fair_skill": self.fair_skill,
            "largest_gap": self.largest_gap(),
        }
        return {
            "members": self.members,
            **{name: round(value, 6) if np.isfinite(value) else None for name, value in scores.items()},
            "curve": [
                {"cases": each.cases, "foretold": round(each.foretold, 4), "happened": round(each.happened, 4)}
                for each in self.curve()
            ],
        }


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")


def tabulate_reliability(
    initial: NDArray[np.uint8],
    observed: NDArray[np.uint8],
    counts: NDArray[np.integer],
    values: tuple[int, ...],
    members: int,
) -> Reliability:
    """Count the cases by how many members foretold the change, and how many of them changed.

    Parameters
    ----------
    initial, observed : (y, x) uint8, legend values, 0 = no data; cells without data in either are left out
    counts : (class, y, x), how many members end in the class
    values : the legend values of the first axis of ``counts``
    members : how many there are
    """
    kept, cases, happened = [], [], []
    for source, target in permutations(values, 2):
        at_risk = (initial == source) & (observed != 0)
        drawn = counts[values.index(target)][at_risk]
        came = observed[at_risk] == target
        if drawn.any() or came.any():
            kept.append(Transition(source, target))
            cases.append(np.bincount(drawn, minlength=members + 1))
            happened.append(np.bincount(drawn[came], minlength=members + 1))
    shape = (len(kept), members + 1)
    return Reliability(
        members,
        tuple(kept),
        np.array(cases, np.int64).reshape(shape),
        np.array(happened, np.int64).reshape(shape),
    )
