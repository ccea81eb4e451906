"""What a run will take, said beforehand: memory, disk and time."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import psutil

from datacommons.progress import progress_bar
from datacommons.runs.cubes import PROBABILITY
from datacommons.runs.probe import SAMPLE_MEMBERS, Costs, measure_costs
from datacommons.runs.results import MOST_CELLS_SIDE_BY_SIDE
from datacommons.runs.study import Study
from datacommons.runs.survey import Survey, survey_history
from scenarios.grid import CELLS_OF_BAND
from scenarios.kernels.strips import STRIP
from scenarios.potential.neighbourhood import Neighbourhood
from scenarios.projection.record import CHANGE, HELD_BYTES
from scenarios.spec import ReplaceDriver
from scenarios.validation.hindcast import MEMBERS

LIBRARIES_BYTES = 400 * 2**20
"""What Python takes with the libraries and kernels loaded, whatever is computed."""

_SAMPLE_EDGE = 1024
_DOCUMENTS_BYTES = 500_000  # tables, the model and the item
_DATES_TO_TEST = 3
_BASELINES = 3  # maps of a hindcast beside the members: best, by neighbours only, by guessing

_JOURNAL = 4  # bytes of a change in the journal of its walk

# Bytes per cell, from the types of what is held at the same moment.
_COVER = 1  # a map
_DRIVER = 4  # float32
_SCORE = 2  # 16 bits
_WALK = 4  # maps and masks of one member: now, as last seen, settled, and one on its way
_PROMISE = 8 / STRIP  # what strips promise a transition
_WORKING = 40  # of a band of rows: numbers and draws of its cells, or what they are tabulated by
_RECENT = 12  # momentum: a share and what it is counted of
_PATCHES = 16  # labels of patches
_WRITING = 2  # a map and its overviews, for every thread, and one that waits


@dataclass(frozen=True)
class Estimate:
    """What a scenario will take.

    Parameters
    ----------
    landscape : which one
    cells : of its grid
    classes, transitions, drivers, members, years : of the scenario
    threads : that are to be used
    memory_bytes : the most that is held at one moment, while learning and while projecting
    disk_bytes : of the published run, maps, trajectory, probability and documents, and of what lies there until it is
        published: journals, and arrays for which there is no memory
    seconds : on the clock of an idle machine, by what they are spent on
    free_memory_bytes, free_disk_bytes : of this machine, now
    """

    landscape: str
    cells: int
    classes: int
    transitions: int
    drivers: int
    members: int
    years: int
    threads: int
    memory_bytes: Mapping[str, int]
    disk_bytes: Mapping[str, int]
    seconds: Mapping[str, float]
    free_memory_bytes: int
    free_disk_bytes: int

    @property
    def peak_memory_bytes(self) -> int:
        """The most memory at one moment."""
        return max(self.memory_bytes.values())

    @property
    def total_disk_bytes(self) -> int:
        """Size of the published run, and of what is put aside meanwhile."""
        return sum(self.disk_bytes.values())

    @property
    def total_seconds(self) -> float:
        """From the command to the published run."""
        return sum(self.seconds.values())

    @property
    def obstacles(self) -> tuple[str, ...]:
        """What this machine lacks, and what helps; empty if nothing."""
        found = []
        for what, needed, free, mend in (
            (
                "memory",
                self.peak_memory_bytes,
                self.free_memory_bytes,
                "close other programs, or take a larger machine",
            ),
            ("disk", self.total_disk_bytes, self.free_disk_bytes, "make room, or move the commons"),
        ):
            if needed > free:
                found.append(
                    f"the run needs about {needed / 2**30:.1f} GiB of {what}, and {free / 2**30:.1f} GiB are free: "
                    f"{mend}, or project fewer years"
                )
        return tuple(found)


def estimate_run(study: Study) -> Estimate:
    """Say what a run will take on this machine.

    The history is read once, and a sample of the landscape is learned from and projected, so that times and sizes are
    those of its own maps, rules and drivers. The commons stays as it is.

    Raises
    ------
    HistoryInvalid
        Nothing changed that could be learned from.
    """
    scenario, classes = study.scenario, len(study.landscape.legend)
    with progress_bar("looking through the history", 0, shown=study.progress):
        survey = survey_history(study, _SAMPLE_EDGE)
    with progress_bar("trying a sample", 0, shown=study.progress):
        costs = measure_costs(study, survey.sample)
    cells = int(np.prod(study.grid.shape))
    stages = {"learning": _learning_bytes(study, survey), "projecting": _run_bytes(study, survey)}
    divided = {what: study.workers.scratch.divide(round(cells * each.arrays)) for what, each in stages.items()}
    working = LIBRARIES_BYTES + _WORKING * min(cells, study.workers.threads * CELLS_OF_BAND)
    working += study.workers.threads * scenario.years * classes * min(cells, PROBABILITY.block**2)  # counts of blocks
    return Estimate(
        landscape=scenario.landscape,
        cells=cells,
        classes=classes,
        transitions=len(survey.transitions),
        drivers=_count_drivers(study),
        members=scenario.members,
        years=scenario.years,
        threads=study.workers.threads,
        memory_bytes={what: working + divided[what][0] + cells * each.others for what, each in stages.items()},
        disk_bytes=_disk_bytes(study, costs, cells, max(aside for _, aside in divided.values())),
        seconds=_seconds(study, survey, costs, cells),
        free_memory_bytes=psutil.virtual_memory().available,
        free_disk_bytes=shutil.disk_usage(study.commons.root).free,
    )


class _Bytes(NamedTuple):
    """Bytes per cell of what a stage holds."""

    arrays: float  # put aside where there is no memory for them
    others: int  # in memory, wherever


def _count_drivers(study: Study) -> int:
    return len(study.scenario.potential.drivers) or len(study.inputs) - len(study.scenario.history)


def _kept_bytes(study: Study, survey: Survey) -> int:
    """Return the bytes per cell of what is there all the time: maps, layers, and the scores of the drivers."""
    scenario, made = study.scenario, len(study.inputs) + len(study.plan_layers)
    dates = len({*scenario.history, scenario.start})
    replaced = [
        plan.replace_driver for plan in scenario.interventions if isinstance(plan.replace_driver, ReplaceDriver)
    ]
    drivers = made - dates + (_count_drivers(study) if replaced else 0)
    scores = len(survey.transitions) * _SCORE * (2 if scenario.potential.momentum_m else 1)
    return dates * _COVER + drivers * _DRIVER + scores


def _view_bytes(study: Study, survey: Survey) -> tuple[float, int]:
    """Return the bytes per cell of what one member sees, and of what all members share."""
    near = Neighbourhood.of(study.grid, study.scenario.potential.neighbourhood_m, study.landscape.legend.values)
    sources = [transition.source for transition in survey.transitions]
    slots = max(sources.count(source) for source in sources)
    promised, count = len(survey.transitions) * _PROMISE, np.dtype(near.dtype).itemsize
    return len(near.windows) * count + slots * _SCORE + promised, len(near.radii) * count


def _learning_bytes(study: Study, survey: Survey) -> _Bytes:
    scenario = study.scenario
    derived = sum(not isinstance(each, str) for each in scenario.potential.drivers)
    recent = _RECENT * len(scenario.potential.momentum_m)
    labels = _PATCHES if scenario.allocation.rule == "patches" else 0
    return _Bytes(_kept_bytes(study, survey) + derived * _DRIVER, max(recent, labels))


def _run_bytes(study: Study, survey: Survey) -> _Bytes:
    scenario, threads = study.scenario, study.workers.threads
    own, shared = _view_bytes(study, survey)
    side_by_side = int(np.prod(study.grid.shape)) <= MOST_CELLS_SIDE_BY_SIDE
    # The best map walks beside the members, of which as many as there are threads walk at a time. Where there are
    # several, it is kept what all of them see at the start.
    members = min(scenario.members, threads)
    walks, views = members + side_by_side, members + (scenario.members > 1) + side_by_side
    curves = len(survey.transitions) * _SCORE * 2 if scenario.potential.uncertainty else 0
    seen = views * own + (2 if side_by_side else 1) * shared + walks * (_WALK + curves)
    labels = walks * _PATCHES if scenario.allocation.rule == "patches" else 0
    # Where the model is tested, it is learned once more beside the projection.
    tests = side_by_side and len(scenario.history) >= _DATES_TO_TEST
    again = _learning_bytes(study, survey) if tests else _Bytes(0, 0)
    arrays = _kept_bytes(study, survey) + seen + (threads + 1) * _WRITING + again.arrays
    return _Bytes(arrays, labels + again.others)


def _disk_bytes(study: Study, costs: Costs, cells: int, aside: int) -> dict[str, int]:
    scenario = study.scenario
    one, many = costs.probability_bytes
    # Measured: what another member adds shrinks with the root of their number.
    growth = (scenario.members**0.5 - 1) / (SAMPLE_MEMBERS**0.5 - 1)
    planes = scenario.years * len(study.landscape.legend)
    put_aside: dict[str, int] = {}
    changes = cells * costs.changes * scenario.members
    waiting = round(changes * CHANGE.itemsize)
    if waiting > HELD_BYTES:
        put_aside |= {"changes of members, until they are written": waiting}
    if aside:
        put_aside |= {"arrays, until the run is published": aside}
    journals = round(cells * costs.changes * (scenario.members + 1) * _JOURNAL)
    return put_aside | {
        "journals, until the run is published": journals,
        "maps": round(cells * scenario.years * costs.map_bytes),
        "trajectory": round(cells * (scenario.years + 1) * costs.trajectory_bytes),
        "probability": round(cells * planes * (one + (many - one) * growth)),
        "changes": round(changes * costs.change_bytes * (1 + 1 / scenario.members)),  # and those of the best map
        "documents": _DOCUMENTS_BYTES,
    }


def _seconds(study: Study, survey: Survey, costs: Costs, cells: int) -> dict[str, float]:
    scenario, threads = study.scenario, study.workers.threads
    more = len(survey.transitions) / costs.transitions
    fits = costs.learn_fixed_s * more / min(threads, len(survey.transitions))
    learning = fits + costs.learn_s * cells
    best, member = (cells * each * more / threads for each in (costs.best_s, costs.member_s))
    own_curves = scenario.members * fits if scenario.potential.uncertainty else 0.0
    written = len(study.landscape.legend) * costs.plane_s + costs.trajectory_s + costs.map_s
    seconds = {"reading": cells * costs.read_s * len(study.sources), "learning": learning}
    if len(scenario.history) >= _DATES_TO_TEST:
        years = scenario.history[-1] - scenario.history[-2]
        seconds["testing on the last date"] = learning + years * (MEMBERS * member + _BASELINES * best)
    return seconds | {
        "projecting": scenario.years * (best + scenario.members * member) + own_curves,
        "writing": cells * scenario.years * written / threads,
    }
