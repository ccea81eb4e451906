"""A trial: a model is put to a map that it did not see, by its best map and by members."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from scenarios.cluster import Workers
from scenarios.kernels.tally import tally
from scenarios.model import Model
from scenarios.projection.walks import Walks, walk_members
from scenarios.projection.yearbook import Year
from scenarios.projection.years import project
from scenarios.spec import Scenario
from scenarios.validation.fuzzy import FuzzySimilarity, compare_fuzzily
from scenarios.validation.metrics import RESOLUTIONS, Agreement, compare, figure_of_merit_at
from scenarios.validation.reliability import Reliability, tabulate_reliability


@dataclass(frozen=True)
class Score:
    """What one simulated map scores.

    Parameters
    ----------
    agreement : cell by cell
    by_resolution : figure of merit when errors inside blocks of so many cells are forgiven
    fuzzy : similarity of the changes, if being near counts
    """

    agreement: Agreement
    by_resolution: Mapping[int, float]
    fuzzy: FuzzySimilarity


@dataclass(frozen=True, eq=False)
class Trial:
    """What a model is put to: a start, and the end that it should find."""

    scenario: Scenario
    start: NDArray[np.uint8]
    observed: NDArray[np.uint8]
    chunk: int
    workers: Workers

    def project(self, model: Model, member: int, temperature: float) -> NDArray[np.uint8]:
        """Return the map at the end, (y, x) uint8."""
        steps = project(
            model,
            self.scenario,
            self.start,
            member=member,
            temperature=temperature,
            chunk=self.chunk,
            workers=self.workers,
        )
        return find_end(self.start, steps)

    def score(self, end: NDArray[np.uint8]) -> Score:
        """Compare a simulated map with the observed one."""
        maps = self.start, self.observed, end
        return Score(compare(*maps), figure_of_merit_at(*maps), compare_fuzzily(*maps))


def find_end(start: NDArray[np.uint8], years: Iterator[Year]) -> NDArray[np.uint8]:
    """Return the map of the last year."""
    end = start
    for year in years:
        end = year.land_cover
    return end


@dataclass(frozen=True, eq=False)
class Drawn:
    """What is kept of the members: never their maps, but for the first.

    Parameters
    ----------
    agreements : of each member
    by_resolution, fuzzy : mean of the members
    reliability : whether what they call likely happens as often as they say
    first : (y, x) uint8, map of the first member
    """

    agreements: tuple[Agreement, ...]
    by_resolution: Mapping[int, float]
    fuzzy: FuzzySimilarity
    reliability: Reliability
    first: NDArray[np.uint8]


def draw_members(trial: Trial, model: Model, members: int) -> Drawn:
    """Draw the members side by side. One map a thread and the counts by class are held, for any number of members."""
    values = model.legend.values
    counts = np.zeros((len(values), *trial.start.shape), np.uint8)
    first = np.empty_like(trial.start)
    scores: dict[int, Score] = {}
    lock = Lock()

    def see(member: int, years: Iterator[Year]) -> None:
        end = find_end(trial.start, years)
        with lock:
            tally(end, np.array(values, np.uint8), counts)
        if member == 0:
            first[:] = end
        scores[member] = trial.score(end)

    walk_members(Walks(model, trial.scenario, trial.start, trial.chunk), range(members), see, trial.workers)
    drawn = [scores[member] for member in range(members)]
    return Drawn(
        agreements=tuple(score.agreement for score in drawn),
        by_resolution={n: float(np.mean([score.by_resolution[n] for score in drawn])) for n in RESOLUTIONS},
        fuzzy=FuzzySimilarity.mean([score.fuzzy for score in drawn]),
        reliability=tabulate_reliability(trial.start, trial.observed, counts, values, members),
        first=first,
    )
