"""Runs: a scenario projected on a landscape, published whole or not at all, and opened again."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalog.collections import RUNS, VECTORS
from catalog.errors import CollectionNotFound, ItemNotFound
from catalog.store import OWNER, Query
from datacommons.errors import LayerNotFound, RunNotFound
from datacommons.layers import Layer, find_layer, search_all
from scenarios.spec import Scenario, load_scenario

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from geopandas import GeoDataFrame
    from pyarrow.dataset import Dataset

    from datacommons.commons import Commons
    from datacommons.runs.estimate import Estimate
    from datacommons.runs.study import Study
    from scenarios.validation.hindcast import Hindcast


@dataclass(frozen=True, eq=False)
class Run:
    """A published run. Immutable; its cubes are read only when computed.

    Parameters
    ----------
    item : the run's STAC item, with hrefs relative to the commons
    locate : turns such an href into a path
    """

    item: dict[str, Any]
    locate: Callable[[str], str]

    def __repr__(self) -> str:
        """Name the run."""
        return f"Run({self.id!r})"

    @property
    def id(self) -> str:
        """Identifier, unique in the commons."""
        return str(self.item["id"])

    @cached_property
    def scenario(self) -> Scenario:
        """The exact scenario that was projected."""
        return load_scenario(self._path("scenario"))

    @cached_property
    def trajectory(self) -> xr.Dataset:
        """The best map of every year: ``land_cover`` (time, y, x) uint8, legend values, 0 = no data. Lazy.

        The first year is the start, as observed; the others are projected.
        """
        from datacommons.runs.cubes import open_cube

        return open_cube(self._path("trajectory"))

    @cached_property
    def probability(self) -> xr.Dataset:
        """What the members have in common. Lazy. How likely a class is, `chance` tells.

        ``probability`` (time, class, y, x): share of them in which a cell has a class, 0 to 1. ``change_share`` (y, x):
        share of them in which it changes at all, 0 to 1. ``first_change``, ``last_change`` (y, x) uint16: mean year of
        its first and of its last change, over those in which it changes; 0 = in none. With a hindcast also what makes
        chances of the shares: ``recalibration`` (time, class_at_start, class, members_drawn) and
        ``recalibrated_class`` (y, x).
        """
        from datacommons.runs.cubes import open_cube

        return open_cube(self._path("probability"))

    @property
    def chance(self) -> xr.DataArray:
        """How likely each class is in a place and year, (time, class, y, x) float32; NaN outside. Lazy.

        The members agree too often to take their share at its word: it is recalibrated by what such shares were worth
        in the hindcast. Hectares stay those of the members, and where a plan decides, its share is the chance. A run
        without a hindcast has the share as it is, and the attribute ``recalibrated`` is false.
        """
        from datacommons.runs.certainty import measure_chance

        return measure_chance(self.probability)

    @property
    def agreement(self) -> xr.DataArray:
        """Share of the members that have a cell's most frequent class, (time, y, x); NaN outside. Lazy."""
        from datacommons.runs.certainty import measure_agreement

        return measure_agreement(self.probability.probability)

    @property
    def entropy(self) -> xr.DataArray:
        """How evenly the members are spread over the classes, (time, y, x): 0 = all agree, 1 = evenly. Lazy.

        Shannon's entropy over that of equal shares; NaN outside the landscape.
        """
        from datacommons.runs.certainty import measure_entropy

        return measure_entropy(self.probability.probability)

    @cached_property
    def area_ha(self) -> pd.DataFrame:
        """Hectares of each class in the trajectory: one row per year, one column per class."""
        table = self.areas
        import pandas as pd

        return pd.DataFrame(
            table["area_ha"],
            index=pd.Index(table["years"], name="year"),
            columns=pd.Index([entry["name"] for entry in table["classes"]], name="class"),
        )

    @cached_property
    def indicators(self) -> pd.DataFrame:
        """All indicators, one row per year, class and indicator, with the members' 5, 50 and 95 % quantiles."""
        import pandas as pd

        return pd.read_parquet(self._path("indicators"))

    @property
    def changes(self) -> Dataset:
        """Every change of every member: member, year, row, column, from, to. A lazy `pyarrow.dataset.Dataset`.

        ``run.changes.to_table(filter=...)`` reads what is asked for; rows and columns count from the north-west corner
        of the grid, and classes are legend values. With the start of the trajectory, each member's every map follows.

        Raises
        ------
        LayerNotFound
            The run was made by an earlier version, which kept no changes.
        """
        import pyarrow.dataset as ds

        if "changes" not in self.item["assets"]:
            raise LayerNotFound(f"{self.id} keeps no changes: an earlier version has made it. Run its scenario again.")
        return ds.dataset(self._path("changes"))

    @cached_property
    def areas(self) -> dict[str, Any]:
        """Areas of trajectory, members and observed dates, as the page draws them."""
        return dict(json.loads(Path(self._path("areas")).read_text("utf-8")))

    @cached_property
    def validation(self) -> dict[str, Any]:
        """How well the model foretold the last observed date; empty where the history is too short to tell."""
        return dict(json.loads(Path(self._path("validation")).read_text("utf-8")))

    @cached_property
    def model(self) -> dict[str, Any]:
        """What was learned: observed transitions, yearly rates, the curve of every driver, and what was left out."""
        return dict(json.loads(Path(self._path("model")).read_text("utf-8")))

    @property
    def shortfalls(self) -> list[dict[str, Any]]:
        """Demand that could not be placed, by year: classes, hectares and cause; empty if all was."""
        return list(self.model["shortfalls"])

    def _path(self, asset: str) -> str:
        return self.locate(self.item["assets"][asset]["href"])


def run_scenario(
    commons: Commons,
    scenario: str | Path | Scenario,
    *,
    threads: int | None = None,
    chunk: int | None = None,
    memory_gib: float | None = None,
    progress: bool = False,
    classifier: Any = None,
    cluster: Any = None,
) -> Run:
    """Project a scenario and publish it: all of it, or nothing.

    A run that ended early, interrupted or killed, goes on from its last years when it is run again.

    Parameters
    ----------
    commons : where the landscape is, and where the run is published
    scenario : a YAML file, or the scenario itself
    threads : how many to use; all cores if not given. It does not show in the result.
    chunk : edge, in cells, of the blocks that are worked on side by side. It does not show in the result.
    memory_gib : how much large arrays may take of this process's memory; what is beyond it lies in files of the commons
        that go again. A third of what is free if not given. It does not show in the result.
    progress : whether to show a bar on stderr
    cluster : where the best map and the members are projected: ``"threads"``, if not given; ``"processes"`` or
        ``"processes:4"`` on this machine; the address of a scheduler of Dask, as ``"tcp://10.0.0.1:8786"``; or a
        `dask.distributed.Client`, as those of dask-jobqueue and dask-gateway. It does not show in the result.
    classifier : learns where a transition is likely, instead of the scenario's `potential.model`: an object with
        ``fit`` and ``predict_proba``, as scikit-learn's classifiers

    Raises
    ------
    scenarios.errors.ScenarioError, datacommons.errors.DataCommonsError
        What is wrong with the scenario or the layers that it names, and the mend. The commons is as before.
    """
    from datacommons.runs.description import RunName
    from datacommons.runs.results import publish_run
    from datacommons.runs.unfinished import begin_run
    from scenarios.cluster import open_cluster

    study = _study(
        commons,
        scenario,
        threads=threads,
        chunk=chunk,
        memory_gib=memory_gib,
        progress=progress,
        classifier=classifier,
    )
    with (
        open_cluster(cluster, threads) as processes,
        begin_run(commons.root, study.scenario, study.fingerprint, partial(_is_run, commons)) as attempt,
    ):
        name = RunName(attempt.name, datetime.now(UTC))
        return Run(publish_run(study.handed_to(processes), name, attempt), commons.locate)


def validate_scenario(
    commons: Commons,
    scenario: str | Path | Scenario,
    *,
    threads: int | None = None,
    chunk: int | None = None,
    memory_gib: float | None = None,
    progress: bool = False,
    members: int | None = None,
    classifier: Any = None,
    cluster: Any = None,
) -> Hindcast:
    """Learn from all dates of the scenario's history but the last, project to it, and compare.

    Parameters
    ----------
    commons, scenario, threads, chunk, memory_gib, progress, classifier, cluster : as for `run_scenario`
    members : how many maps to draw by likelihood; 8 if not given

    Raises
    ------
    scenarios.errors.HistoryInvalid
        The history has fewer than three dates.
    """
    from scenarios.cluster import open_cluster

    study = _study(
        commons,
        scenario,
        threads=threads,
        chunk=chunk,
        memory_gib=memory_gib,
        progress=progress,
        classifier=classifier,
    )
    with open_cluster(cluster, threads) as processes:
        study = study.handed_to(processes)
        return study.hindcast() if members is None else study.hindcast(members)


def plan_scenario(
    commons: Commons,
    scenario: str | Path | Scenario,
    *,
    threads: int | None = None,
    chunk: int | None = None,
    memory_gib: float | None = None,
    progress: bool = False,
) -> Estimate:
    """Say what a run of a scenario will take on this machine, and publish nothing.

    Parameters
    ----------
    commons, scenario, threads, chunk, memory_gib, progress : as for `run_scenario`

    Raises
    ------
    scenarios.errors.ScenarioError, datacommons.errors.DataCommonsError
        What is wrong with the scenario or the layers that it names, and the mend.
    """
    from datacommons.runs.estimate import estimate_run

    study = _study(commons, scenario, threads=threads, chunk=chunk, memory_gib=memory_gib, progress=progress)
    return estimate_run(study)


def _study(commons: Commons, scenario: str | Path | Scenario, **options: Any) -> Study:
    """Return a scenario with its layers; the options are those of `Study.of`."""
    from datacommons.runs.study import Study

    found, places = read_scenario(commons, scenario)
    return Study.of(commons, found, places=places, **options)


def load_run(commons: Commons, run_id: str) -> Run:
    """Open a published run.

    Raises
    ------
    RunNotFound
        Lists those there are.
    """
    try:
        return Run(commons.store.item(RUNS, run_id, OWNER), commons.locate)
    except ItemNotFound as error:
        known = ", ".join(list_runs(commons)) or "none yet; make one with `datacommons run SCENARIO`"
        raise RunNotFound(f"The commons has no run {run_id!r}. It has: {known}.") from error


def _is_run(commons: Commons, run_id: str) -> bool:
    try:
        return bool(commons.store.item(RUNS, run_id, OWNER))
    except (CollectionNotFound, ItemNotFound):
        return False


def list_runs(commons: Commons) -> list[str]:
    """List the ids of all runs, oldest first."""
    items = search_all(commons.store, Query(collections=(RUNS,), limit=1000))
    return [item["id"] for item in sorted(items, key=lambda item: str(item["properties"]["created"]))]


def read_scenario(commons: Commons, scenario: str | Path | Scenario) -> tuple[Scenario, tuple[Layer, ...]]:
    """Read a scenario from its file, and return it with the vector layers of the commons that it names."""
    if isinstance(scenario, Scenario):
        return scenario, ()
    named: dict[str, Layer] = {}

    def read_features(landscape: str, name: str) -> GeoDataFrame:
        features = commons.features(landscape, name)
        named[name] = find_layer(commons.layers(landscape), landscape, name, VECTORS)
        return features

    return load_scenario(scenario, read_features), tuple(named.values())
