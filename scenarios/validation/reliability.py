"""Reliability: whether what the members call likely happens as often as they say.

Every cell and every class that it could change to is a case. The members give it a probability, and the observed map
says whether it happened. Brier score: Brier 1950, doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2; its correction
for few members: Ferro 2014, doi:10.1002/qj.2270.

What the members call likely is then recalibrated by what happened, and judged where it was not learned: each block of
the map by the curve of all others.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise, permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenarios.demand.transitions import Transition
from scenarios.validation.recalibration import Recalibration, hold_total

BINS = 10
BLOCKS = 4
"""Along each side of the map: cases are kept apart by block, so that a block can be judged by what others tell."""

ENOUGH_CASES = 500
"""With fewer cases, how often something happened says little."""
_FINE = 2**30  # a probability is told from the edge of a step to so small a part of it


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
class Verification:
    """Probabilities that were told, and how often what they were told of happened.

    Parameters
    ----------
    probability : float64, 0 to 1
    cases : int64, alike, how many were told this probability
    happened : int64, alike, those of them in which the change came
    """

    probability: NDArray[np.float64]
    cases: NDArray[np.int64]
    happened: NDArray[np.int64]

    @property
    def brier(self) -> float:
        """Mean squared difference of probability and what happened (1 or 0); NaN without any case."""
        p, n, yes = self.probability, self.cases, self.happened
        return _ratio(float((n * p**2 - 2 * yes * p + yes).sum()), int(n.sum()))

    @property
    def persistence_brier(self) -> float:
        """The Brier score of saying that nothing changes."""
        return _ratio(int(self.happened.sum()), int(self.cases.sum()))

    @property
    def skill(self) -> float:
        """Brier skill against persistence: 1 is perfect, 0 no better than saying that nothing changes."""
        return 1 - _ratio(self.brier, self.persistence_brier)

    def curve(self, bins: int = BINS) -> tuple[ReliabilityBin, ...]:
        """Return the reliability curve: cases by probability, in equal steps; empty steps are left out.

        Parameters
        ----------
        bins : how many steps from 0 to 1; each holds its lower edge, the last one 1 too
        """
        edge = np.rint(self.probability * bins * _FINE).astype(np.int64) // _FINE
        place = np.minimum(edge, bins - 1).ravel()
        count, came = (np.bincount(place, of.ravel(), bins).astype(np.int64) for of in (self.cases, self.happened))
        told = np.bincount(place, (self.cases * self.probability).ravel(), bins)
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
        return {
            "brier": round_known(self.brier),
            "persistence_brier": round_known(self.persistence_brier),
            "skill": round_known(self.skill),
            "largest_gap": round_known(self.largest_gap()),
            "curve": [
                {"cases": each.cases, "foretold": round(each.foretold, 4), "happened": round(each.happened, 4)}
                for each in self.curve()
            ],
        }


@dataclass(frozen=True, eq=False)
class Reliability:
    """What the members foretold against what happened, small enough to keep for any landscape.

    Parameters
    ----------
    members : how many were drawn
    transitions : changes that happened or were drawn at least once
    cases : (block, transition, n) int64, cells of the source class in which n = 0 ... members members make the
        transition, by block of the map
    happened : (block, transition, n) int64, those of them that really made it
    whole : the table that this one is a part of, whose curves it is judged by; None: it is the whole
    """

    members: int
    transitions: tuple[Transition, ...]
    cases: NDArray[np.int64]
    happened: NDArray[np.int64]
    whole: Reliability | None = None

    def of(self, transition: Transition) -> Reliability:
        """Return the part that is about one transition; it is recalibrated by the curves of all transitions."""
        row = [self.transitions.index(transition)]
        cases, happened = self.cases[:, row], self.happened[:, row]
        whole = self.whole or self
        return replace(self, transitions=(transition,), cases=cases, happened=happened, whole=whole)

    @property
    def raw(self) -> Verification:
        """The members at their word: the share of them that make the change is its probability."""
        share = np.arange(self.members + 1) / self.members
        return Verification(share, self.cases.sum(axis=(0, 1)), self.happened.sum(axis=(0, 1)))

    @property
    def recalibrated(self) -> Verification:
        """The probabilities of the curve: in each block by that of all other blocks, which has not seen it.

        What no member foretold anywhere keeps the probability 0.
        """
        told = np.stack([curve.tell(self.members) for curve in self.held_out])
        probability = told[:, None] * self._drawn[None, :, None]
        return Verification(probability, self.cases, self.happened)

    @property
    def as_in_a_run(self) -> Verification:
        """The recalibrated probabilities, held to as much change as the members make, as those of a run are.

        In a run the hectares are the scenario's own. Here they are foretold, and what is wrong in them counts.
        """
        whole = self.cases.sum(axis=0)
        odds = [curve.log_odds(self.members) for curve in self.held_out]
        probability = np.array([[hold_total(each, cases) for cases in whole] for each in odds])
        return Verification(probability.reshape(self.cases.shape), self.cases, self.happened)

    @cached_property
    def recalibration(self) -> Recalibration:
        """The curve of all blocks: what a share of the members is worth."""
        return (self.whole or self)._fit(np.ones(len(self.cases), bool))

    @cached_property
    def held_out(self) -> tuple[Recalibration, ...]:
        """For each block the curve of all others."""
        if self.whole is not None:
            return self.whole.held_out
        blocks = np.arange(len(self.cases))
        return tuple(self._fit(blocks != block) for block in blocks)

    def _fit(self, blocks: NDArray[np.bool_]) -> Recalibration:
        chosen = np.ix_(blocks, self._drawn)
        return Recalibration.fit(self.cases[chosen].sum(axis=(0, 1)), self.happened[chosen].sum(axis=(0, 1)))

    @property
    def _drawn(self) -> NDArray[np.bool_]:
        """Which transitions any member makes anywhere."""
        return np.asarray(self.cases[:, :, 1:].any(axis=(0, 2)))

    @property
    def fair_skill(self) -> float:
        """Brier skill less the noise of having so few members: what a very large ensemble would be expected to have."""
        if self.members < 2:
            return float("nan")
        raw = self.raw
        p, n = raw.probability, raw.cases
        noise = _ratio(float((n * p * (1 - p)).sum()), int(n.sum())) / (self.members - 1)
        return 1 - _ratio(raw.brier - noise, raw.persistence_brier)

    def to_dict(self) -> dict[str, Any]:
        """Return scores and curves as JSON can hold them."""
        return {
            "members": self.members,
            **self.raw.to_dict(),
            "fair_skill": round_known(self.fair_skill),
            "recalibrated": self.recalibrated.to_dict(),
            "as_in_a_run": self.as_in_a_run.to_dict(),
        }


def round_known(value: float) -> float | None:
    """Return a score as JSON can hold it, None where it cannot be told."""
    return round(value, 6) if np.isfinite(value) else None


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
    pairs = tuple(Transition(*pair) for pair in permutations(values, 2))
    tables = [
        _tabulate(initial[block], observed[block], counts[:, *block], values, members)
        for block in _blocks(initial.shape)
    ]
    cases, happened = (np.array(part, np.int64) for part in zip(*tables, strict=True))
    kept = np.asarray(cases[:, :, 1:].any(axis=(0, 2)) | happened.any(axis=(0, 2)))
    transitions = tuple(pair for pair, keep in zip(pairs, kept, strict=True) if keep)
    return Reliability(members, transitions, cases[:, kept], happened[:, kept])


def _blocks(shape: tuple[int, ...]) -> list[tuple[slice, slice]]:
    """Cut a map into blocks of about the same size."""
    rows, columns = (
        [slice(*each) for each in pairwise(np.linspace(0, edge, BLOCKS + 1).astype(int))] for edge in shape
    )
    return [(row, column) for row in rows for column in columns]


def _tabulate(
    initial: NDArray[np.uint8],
    observed: NDArray[np.uint8],
    counts: NDArray[np.integer],
    values: tuple[int, ...],
    members: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return cases and what happened of every pair of classes, (transition, n), in one block."""
    shape = (len(values) * (len(values) - 1), members + 1)
    cases, happened = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    for row, (source, target) in enumerate(permutations(values, 2)):
        at_risk = (initial == source) & (observed != 0)
        drawn = counts[values.index(target)][at_risk]
        came = observed[at_risk] == target
        cases[row] = np.bincount(drawn, minlength=members + 1)
        happened[row] = np.bincount(drawn[came], minlength=members + 1)
    return cases, happened
