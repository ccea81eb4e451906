"""A cluster of processes that share no folder, and data in an S3-compatible store: the same bytes as on one machine."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import obstore
import pytest
from distributed import Client
from obstore.store import from_url

import datacommons as dc
from catalog.collections import DRIVERS, LAND_COVER
from catalog.store import OWNER
from datacommons.commons import Commons
from datacommons.errors import LayerDamaged
from scenarios.cluster import Cluster, open_cluster
from scenarios.errors import ClusterFailed
from tests.datacommons.bucket import PATIENCE_S, bucket
from tests.datacommons.warm import PLANS

pytestmark = pytest.mark.long

__all__ = ["bucket"]  # a fixture

HOSTS = 3
HERE = Path("/proc/self/cwd")
"""Another folder for each process: what lies in it is seen by none of the others."""


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start a scheduler and workers that each have a folder of their own; return its address."""
    place = tmp_path_factory.mktemp("hosts")
    told = place / "scheduler.json"
    own = ["--scheduler-file", str(told), "--no-dashboard"]
    with ExitStack() as stack:
        _start(stack, place, "scheduler", [*own, "--host", "127.0.0.1", "--port", "0"])
        for n in range(HOSTS):
            folder = place / f"host-{n}"
            folder.mkdir()
            _start(stack, folder, "worker", [*own, "--local-directory", str(folder), "--nthreads", "1", "--no-nanny"])
        deadline = time.monotonic() + PATIENCE_S
        while not told.exists() or not told.read_text("utf-8"):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        address = str(json.loads(told.read_text("utf-8"))["address"])
        with Client(address, timeout=PATIENCE_S) as client:
            client.wait_for_workers(HOSTS, timeout=PATIENCE_S)
        yield address


def _start(stack: ExitStack, folder: Path, what: str, options: list[str]) -> None:
    command = [sys.executable, "-m", f"distributed.cli.dask_{what}", *options]
    errors = stack.enter_context((folder / f"{what}.log").open("w"))
    process = subprocess.Popen(command, cwd=folder, stderr=errors)
    stack.callback(process.wait)
    stack.callback(process.terminate)


def move_layers(commons: Commons, url: str) -> int:
    """Move the land cover and drivers of a commons into a bucket; return how many."""
    store, moved = from_url(url), []
    for layer in commons.layers():
        if layer.collection in (LAND_COVER, DRIVERS):
            item = commons.store.item(layer.collection, layer.item, OWNER)
            file = commons.root / layer.href
            obstore.put(store, file.name, file)
            file.unlink()
            item["assets"]["data"]["href"] = f"{url}/{file.name}"
            moved.append(item)
    commons.store.put_items(moved)
    return len(moved)


def copy_of(valley: Path, place: Path) -> Path:
    place.mkdir()
    return Path(shutil.copytree(valley, place / "valley"))


def read_bucket(url: str) -> dict[str, bytes]:
    """Return all objects by name, but for the item, which tells when the run was made."""
    store = from_url(url)
    held = {meta["path"]: bytes(obstore.get(store, meta["path"]).bytes()) for b in obstore.list(store) for meta in b}
    del held["item.json"]
    return held


def test_three_hosts_with_data_in_a_bucket_leave_the_bytes_of_one(
    bucket: None, scheduler: str, valley: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with dc.open(copy_of(valley, tmp_path / "alone")) as commons:
        alone = commons.run(PLANS, threads=1)
        commons.copy_run(alone.id, "s3://landscapes/alone")
    copy_of(valley, tmp_path / "spread")
    monkeypatch.chdir(tmp_path / "spread")
    with dc.open(HERE / "valley") as commons:
        assert move_layers(commons, "s3://landscapes/layers") == 2
        with Client(scheduler) as client:
            assert len(client.nthreads()) == HOSTS
            assert not Cluster(client).sees(HERE / "valley")
        spread = commons.run(PLANS, cluster=scheduler)
        commons.copy_run(spread.id, "s3://landscapes/spread")
    expected = read_bucket(f"s3://landscapes/alone/{alone.id}")
    assert len(expected) > PLANS.years
    assert read_bucket(f"s3://landscapes/spread/{spread.id}") == expected


def test_a_layer_that_is_missing_in_a_bucket_is_told(bucket: None, valley: Path, tmp_path: Path) -> None:
    with dc.open(copy_of(valley, tmp_path / "lost")) as commons:
        move_layers(commons, "s3://landscapes/lost")
        obstore.delete(from_url("s3://landscapes/lost"), Path(commons.layers()[0].href).name)
        with pytest.raises(LayerDamaged, match=r"its file s3://landscapes/lost/.* is missing or damaged"):
            commons.run(PLANS, threads=1)


@pytest.mark.parametrize("listens", [False, True])
def test_nobody_at_the_address_is_told_in_time(listens: bool) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        if listens:  # and says nothing
            silent.listen()
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        told = re.escape(f"No scheduler answers at {address} in 1 s. Check the address")
        with pytest.raises(ClusterFailed, match=told), open_cluster(address, patience_s=1):
            pass
