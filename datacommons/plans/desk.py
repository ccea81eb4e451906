"""The desk that takes plans on: one after the other is made, few wait, and what is done is kept for a while."""

from __future__ import annotations

import logging
import shutil
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Condition, Lock, Thread
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from catalog.collections import RUNS
from catalog.errors import CatalogError
from catalog.store import Query, Reader
from datacommons.errors import DataCommonsError
from datacommons.plans.errors import PlanNotFound, PlansBusy, PlanTooLarge
from datacommons.plans.job import Cancelled, Job
from datacommons.plans.making import Ground, make_plan
from datacommons.plans.proposal import Proposal, check_room, make_scenario
from datacommons.plans.shelf import Shelf
from datacommons.runs.run import Run
from scenarios.errors import ScenarioError
from scenarios.grid import Grid
from scenarios.spec import Scenario

if TYPE_CHECKING:
    from datacommons.commons import Commons

Make = Callable[[Job, "Commons", Shelf], None]

_log = logging.getLogger(__name__)
_FAILED: Final = "The plan could not be made; the log of the server says why."
_PATIENCE_S: Final = 10.0  # with a model that is being learned when the server ends
_USUAL_S: Final = 10.0  # what a plan takes, as long as none was made


@dataclass(frozen=True)
class Limits:
    """How much a server takes on.

    Parameters
    ----------
    waiting_of_one : plans of one visitor that wait or are being made
    waiting : plans of all visitors that do
    kept : plans that are done and kept
    kept_s : how long, in seconds
    cells : of a landscape
    """

    waiting_of_one: int = 2
    waiting: int = 16
    kept: int = 24
    kept_s: float = 3600.0
    cells: int = 30_000_000


class Desk:
    """Takes plans on, and makes them one after the other with all threads.

    Parameters
    ----------
    commons : whose runs are changed
    folder : for the files of plans, outside of the commons
    limits : how much it takes on
    make : makes a plan
    """

    def __init__(self, commons: Commons, folder: Path, limits: Limits | None = None, make: Make = make_plan) -> None:
        self.limits, self._make_plan = limits or Limits(), make
        self.shelf = Shelf(folder)
        self._commons, self._folder = commons, folder
        self._jobs: dict[str, Job] = {}
        self._queue: deque[Job | str] = deque()  # plans, and ids of runs whose model is to be learned
        self._change, self._open = Condition(), True
        self._took_s = _USUAL_S
        self._checking = Lock()  # it takes maps of the landscape's size: one visitor after the other
        self._worker = Thread(target=self._work, name="plans", daemon=True)
        self._worker.start()

    def cancel_all(self) -> None:
        """Take no more plans on, and end those under way at their next year."""
        with self._change:
            self._open = False
            for job in self._jobs.values():
                job.turn("cancelled")
            self._change.notify_all()

    def close(self) -> None:
        """End all that is under way, and wait for it."""
        self.cancel_all()
        self._worker.join(_PATIENCE_S)

    def find_base(self, landscape: str, base: str | None, reader: Reader) -> Run:
        """Find the run whose scenario is changed: the newest without interventions, else the newest, if none is named.

        Raises
        ------
        PlanNotFound
        """
        asked = Query(collections=(RUNS,), ids=None if base is None else (base,), limit=1000)
        found = [
            item
            for item in self._commons.store.search(asked, reader).items
            if item["properties"].get("landscape:id") == landscape and "scenario" in item["assets"]
        ]
        if not found:
            named = "no run" if base is None else f"no run {base!r}"
            raise PlanNotFound(f"There is {named} of {landscape!r} to change. 'runs' lists them.")
        found.sort(key=lambda item: str(item["properties"].get("created", "")))
        plain = [item for item in found if not item["properties"].get("scenario:interventions")]
        return Run((plain or found)[-1], self._commons.locate)

    def warm(self, run: Run) -> None:
        """Learn the model of a run's scenario when nothing else is to be done, so that its first plan need not wait."""
        with self._change:
            if run.id not in self._queue:
                self._queue.append(run.id)
                self._change.notify_all()

    def take(self, landscape: str, proposal: Proposal, reader: Reader, visitor: str) -> Job:
        """Take a plan on.

        Raises
        ------
        PlanInvalid, PlanNotFound, PlanTooLarge, scenarios.errors.ScenarioInvalid
            It cannot be made: the message says why, and how to mend it.
        PlansBusy
            Too many wait.
        """
        self._refuse_crowd(visitor)
        run = self.find_base(landscape, proposal.base, reader)
        place = self._commons.landscape(landscape)
        rows, columns = place.geobox.shape
        if rows * columns > self.limits.cells:
            raise PlanTooLarge(
                f"{landscape} has {rows * columns:,} cells, and plans are made here for {self.limits.cells:,} at most. "
                "Run the scenario with `datacommons run`."
            )
        scenario = make_scenario(proposal, run.scenario, place.legend)
        own = scenario.interventions[len(run.scenario.interventions) :]
        with self._checking:
            check_room(own, scenario, place.legend, Grid(place.geobox), self._read_start(scenario))
        job = Job(proposal, run.id, scenario, visitor, self._folder)
        with self._change:
            if not self._open:
                raise PlansBusy("The server is ending. Try again later.", round(_USUAL_S))
            self._refuse_crowd(visitor)
            self._forget()
            self._jobs[job.id] = job
            self._queue.append(job)
            self._change.notify_all()
        return job

    def _read_start(self, scenario: Scenario) -> NDArray[np.uint8]:
        layers = self._commons.layers(scenario.landscape)
        versions = tuple(layer.checksum for layer in layers if layer.year == scenario.start)
        return self._commons.remember(
            ("plans start", scenario.landscape, scenario.start, versions),
            lambda: np.ascontiguousarray(self._commons.land_cover(scenario.landscape, [scenario.start]).values[0]),
        )

    def find(self, plan: str) -> Job:
        """Find a plan. Raises PlanNotFound."""
        with self._change:
            self._forget()
            if plan not in self._jobs:
                raise PlanNotFound("There is no such plan, or it is no longer kept. Make it again.")
            return self._jobs[plan]

    def drop(self, plan: str) -> None:
        """Cancel a plan, and forget it. Raises PlanNotFound."""
        job = self.find(plan)
        job.turn("cancelled")
        with self._change:
            if job in self._queue:
                self._queue.remove(job)
            # What is being made is cleared away once more when it has ended.
            self._remove(job)

    def count_ahead(self, job: Job) -> int:
        """Return how many plans are made before this one begins."""
        with self._change:
            waiting = [each for each in self._jobs.values() if not each.is_over]
        return waiting.index(job) if job in waiting else 0

    def _refuse_crowd(self, visitor: str) -> None:
        waiting = [job for job in tuple(self._jobs.values()) if not job.is_over]
        wait_s = max(1, round(self._took_s * len(waiting)))
        if sum(job.visitor == visitor for job in waiting) >= self.limits.waiting_of_one:
            raise PlansBusy(
                f"{self.limits.waiting_of_one} of your plans are being made. Wait until one is done, or cancel one.",
                max(1, round(self._took_s)),
            )
        if len(waiting) >= self.limits.waiting:
            raise PlansBusy(f"{len(waiting)} plans wait already. Try again in {wait_s} seconds.", wait_s)

    def _forget(self) -> None:
        """Forget what was done long ago, and the oldest of what is too much."""
        over = sorted((job for job in self._jobs.values() if job.is_over), key=lambda job: job.ended or 0.0)
        late = time.monotonic() - self.limits.kept_s
        for n, job in enumerate(over):
            if (job.ended or 0.0) < late or len(over) - n > self.limits.kept:
                self._remove(job)

    def _remove(self, job: Job) -> None:
        self._jobs.pop(job.id, None)
        self.shelf.clear(job.id)
        shutil.rmtree(job.folder, ignore_errors=True)

    def _work(self) -> None:
        while (task := self._next()) is not None:
            if isinstance(task, Job):
                began = time.monotonic()
                self._make(task)
                self._took_s = (self._took_s + time.monotonic() - began) / 2
            else:
                self._learn(task)

    def _next(self) -> Job | str | None:
        """Wait for something to do: plans go before learning ahead; None when the desk closes."""
        with self._change:
            self._change.wait_for(lambda: self._queue or not self._open)
            if not self._open:
                return None
            task = next((each for each in self._queue if isinstance(each, Job)), self._queue[0])
            self._queue.remove(task)
            return task

    def _make(self, job: Job) -> None:
        try:
            job.check()
            self._make_plan(job, self._commons, self.shelf)
            job.turn("done")
        except Cancelled:
            _log.info("A plan was cancelled.")
        except ScenarioError as error:
            job.turn("failed", str(error))
        except Exception:  # noqa: BLE001 (whatever it is, the next plan is to be made)
            _log.exception("A plan failed.")
            job.turn("failed", _FAILED)
        finally:
            if job.state == "cancelled":
                self._remove(job)

    def _learn(self, run: str) -> None:
        try:
            Ground.of(self._commons, self._commons.open_run(run))
        except (DataCommonsError, ScenarioError, CatalogError) as error:
            _log.warning("The model of %s could not be learned ahead: %s", run, error)
        except Exception:  # noqa: BLE001 (whatever it is, plans are to be made)
            _log.exception("The model of %s could not be learned ahead.", run)


@contextmanager
def open_desk(commons: Commons, limits: Limits | None = None, make: Make = make_plan) -> Iterator[Desk]:
    """Take plans on as long as the block lasts; their files end with it."""
    with tempfile.TemporaryDirectory(prefix="datacommons-plans-", ignore_cleanup_errors=True) as folder:
        desk = Desk(commons, Path(folder), limits, make)
        try:
            yield desk
        finally:
            desk.close()
