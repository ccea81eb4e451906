"""Walks in processes of a Dask cluster: the same bytes as in threads, also where processes die or share no folder."""

from __future__ import annotations

import os
import pickle
import shutil
import signal
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from distributed import SchedulerPlugin

import datacommons as dc
from scenarios.cluster import Cluster, Workers, open_cluster
from scenarios.demand.transitions import Transition
from scenarios.errors import ClusterUnknown, ScenarioInvalid
from scenarios.projection import luggage
from scenarios.projection.ensemble import Ensemble, gather_ensemble
from scenarios.projection.walks import Walks, hand_over, walk_members
from scenarios.projection.yearbook import Year
from scenarios.projection.years import CENTRAL
from scenarios.validation.hindcast import hindcast
from tests.datacommons.test_unfinished import PLANS, expected, results
from tests.inventory import Inventory, unchanged
from tests.scenarios.landscapes import LEGEND, projected_grid, random_map, random_model, scenario

pytestmark = pytest.mark.long

__all__ = ["expected"]  # a fixture: what an undisturbed run in one thread leaves

PROCESSES, PATIENCE_S = 4, 120
RATES = {Transition(1, 2): 0.05, Transition(1, 3): 0.04, Transition(3, 1): 0.03}
GRID = projected_grid((270, 60))
START = random_map(GRID.shape)
LONG = scenario(members=9, years=8, allocation={"rule": "patches"})


class Blind(Cluster):
    """Processes that share no folder with this one."""

    def sees(self, folder: Path) -> bool:
        return False


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with open_cluster(f"processes:{PROCESSES}", PROCESSES) as opened:
        assert opened is not None
        yield opened


@pytest.fixture(scope="module")
def walks() -> Walks:
    return Walks(random_model(GRID, RATES), LONG, START)


@pytest.fixture(scope="module")
def drawn(walks: Walks) -> Ensemble:
    return gather_ensemble(walks, Workers(1))


def assert_same(one: Ensemble, other: Ensemble) -> None:
    assert one.counts.tobytes() == other.counts.tobytes()
    assert one.area_ha.tobytes() == other.area_ha.tobytes()
    for name in ("members", "sum_first", "sum_last"):
        assert getattr(one.timing, name).tobytes() == getattr(other.timing, name).tobytes()


@pytest.mark.parametrize("kind", [Cluster, Blind])
@pytest.mark.parametrize("chunk", [256, 1000, 2048])
def test_members_are_those_of_threads(
    cluster: Cluster, walks: Walks, drawn: Ensemble, kind: type[Cluster], chunk: int
) -> None:
    told: Counter[str] = Counter()
    own = Walks(walks.model, walks.scenario, walks.start, chunk)
    found = gather_ensemble(own, Workers(2, kind(cluster.client)), on_year=lambda: told.update(["year"]))
    assert_same(found, drawn)
    assert told["year"] == LONG.members * LONG.years


@pytest.mark.parametrize("threads", [1, 2])
def test_a_published_run_is_that_of_threads(
    cluster: Cluster, expected: Inventory, valley: Path, tmp_path: Path, threads: int
) -> None:
    root = shutil.copytree(valley, tmp_path / "valley")
    with dc.open(root) as commons:
        commons.run(PLANS, threads=threads, cluster=cluster.client)
    assert results(root) == expected


def test_a_worker_that_is_killed_costs_its_work_and_not_the_run(
    cluster: Cluster, walks: Walks, drawn: Ensemble, tmp_path: Path
) -> None:
    noted = Walks(walks.model, walks.scenario, walks.start, folder=tmp_path)
    with ThreadPoolExecutor(1) as pool:
        going = pool.submit(gather_ensemble, noted, Workers(2, cluster))
        for years in (5, 25):
            killed = kill_one_at(cluster, tmp_path, years)
        found = going.result(PATIENCE_S)
    assert killed not in cluster.client.run(os.getpid).values()
    assert_same(found, drawn)


def kill_one_at(cluster: Cluster, folder: Path, years: int) -> int:
    """Kill a worker when so many years are noted; return its process number."""
    deadline = time.monotonic() + PATIENCE_S
    while len(list(folder.glob("*/*.npz"))) < years:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    pid = int(next(iter(cluster.client.run(os.getpid).values())))
    os.kill(pid, signal.SIGKILL)
    return pid


class CountTasks(SchedulerPlugin):
    """Counts what the scheduler is given to do, and how much of it there is to read."""

    def __init__(self) -> None:
        self.tasks = 0

    def update_graph(self, scheduler: Any, *, tasks: list[str], **_: Any) -> None:
        self.tasks += len(tasks)


def test_the_graph_has_a_task_for_each_walk(cluster: Cluster, walks: Walks) -> None:
    count = CountTasks()
    scheduler = cluster.client.cluster.scheduler
    scheduler.add_plugin(count, name="count")
    try:
        walk_members(walks, [CENTRAL, 0, 1, 2, 3, 4], lambda _, years: list(years), Workers(1, cluster))
    finally:
        scheduler.remove_plugin("count")
    assert count.tasks == 6


def test_what_walks_begin_with_is_handed_over_once(cluster: Cluster, walks: Walks, tmp_path: Path) -> None:
    noted = Walks(walks.model, walks.scenario, walks.start, folder=tmp_path)
    workers = Workers(1, cluster)
    with hand_over(noted, workers) as packed, hand_over(packed, workers) as again:
        assert again is packed
        begun = luggage.unpack(packed.packed)
        assert begun.view.potential is begun.model.potential
        assert packed.packed.stat().st_size > walks.model.potential.static.nbytes + begun.view.scores.nbytes
    assert not any(path.is_file() for path in tmp_path.iterdir())


def test_one_who_is_interrupted_goes_on_later(cluster: Cluster, walks: Walks, drawn: Ensemble, tmp_path: Path) -> None:
    noted = Walks(walks.model, walks.scenario, walks.start, folder=tmp_path)
    seen: list[int] = []

    def see(member: int, years: Iterator[Year]) -> None:
        seen.append(member)
        if len(seen) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        walk_members(noted, range(9), see, Workers(2, cluster))
    left = len(list(tmp_path.glob("*/*.npz")))
    assert 2 * LONG.years <= left < 9 * LONG.years
    assert_same(gather_ensemble(noted, Workers(2, cluster)), drawn)
    assert_same(gather_ensemble(noted, Workers(2)), drawn)


def test_an_error_in_a_process_is_told_here(cluster: Cluster, walks: Walks) -> None:
    swap = {"id": "road", "years": (2001, 2002), "replace_driver": {"driver": "hill", "layer": "ring"}}
    lacking = Walks(walks.model, scenario(swap), START)
    with pytest.raises(ScenarioInvalid, match="'hill', which the model was not learned from"):
        walk_members(lacking, [0], lambda _, years: None, Workers(1, cluster))


def test_a_hindcast_is_that_of_threads(cluster: Cluster) -> None:
    rows, columns = np.indices(START.shape)
    wood = np.where(START == 0, 0, 1).astype(np.uint8)
    history = {1980 + 10 * n: np.where(rows + columns < 40 * n, 2 * wood, wood) for n in range(3)}
    plans = scenario(
        start=2000,
        history=tuple(history),
        transitions={"minimum_hectares": 0},
        potential={"neighbourhood_m": [300], "momentum_m": []},
    )
    how: Any = {"legend": LEGEND, "grid": GRID, "members": 3}
    here, there = (hindcast(plans, history, {}, workers=Workers(1, each), **how) for each in (None, cluster))
    assert there.to_dict() == here.to_dict()
    assert there.simulated.tobytes() == here.simulated.tobytes()


@pytest.mark.parametrize("how", ["process", "processes:0", "processes:two", "10.0.0.1:8786"])
def test_what_is_no_cluster_is_refused(commons: Any, how: str) -> None:
    with unchanged(commons.root), pytest.raises(ClusterUnknown, match=r"threads, processes, processes:4.*found '"):
        commons.run(PLANS, cluster=how)


def test_threads_are_no_cluster() -> None:
    for how in (None, "threads"):
        with open_cluster(how) as opened:
            assert opened is None


def test_workers_go_elsewhere_without_their_cluster(cluster: Cluster) -> None:
    workers = Workers(3, cluster)
    again = pickle.loads(pickle.dumps(workers))
    assert again == Workers(3)
    assert again.cluster is None
