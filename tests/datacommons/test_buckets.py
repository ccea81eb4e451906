"""Runs in an S3-compatible store: the bytes of the commons, and readers that need nothing else."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import obstore
import pytest
import xarray as xr
from obstore.store import from_url

import datacommons as dc
from datacommons.errors import BucketFailed
from datacommons.runs.cubes import open_cube
from tests.datacommons.conftest import RunCli
from tests.datacommons.warm import PLANS

PATIENCE_S = 120
PLACE = "s3://landscapes/valley"
RUN = "valley-usual-1"


@pytest.fixture(scope="module")
def bucket() -> Iterator[None]:
    """Serve an empty bucket on this machine, and let the environment say where."""
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server, pytest.MonkeyPatch.context() as patch:
        assert server.stderr is not None
        address = next(line.split()[-1] for line in server.stderr if "Running on" in line)
        settings = {"ACCESS_KEY_ID": "any", "SECRET_ACCESS_KEY": "any", "REGION": "us-east-1", "ALLOW_HTTP": "true"}
        for name, value in {**settings, "ENDPOINT_URL": address}.items():
            patch.setenv(f"AWS_{name}", value)
        for name in ("NO_PROXY", "no_proxy"):
            patch.setenv(name, "127.0.0.1")
        _make_bucket(address.removeprefix("http://"))
        yield
        server.kill()


def _make_bucket(host: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            connection = http.client.HTTPConnection(host, timeout=PATIENCE_S)
            connection.request("PUT", "/landscapes")
        except ConnectionError:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        else:
            assert connection.getresponse().status == 200
            connection.close()
            return


def test_a_run_in_a_bucket_is_that_of_the_commons(bucket: None, commons: dc.commons.Commons, cli: RunCli) -> None:
    run = commons.run(PLANS)
    with pytest.raises(dc.DataCommonsError, match="no run 'valley-usual-2'"):
        commons.copy_run("valley-usual-2", PLACE)
    told = cli("publish", RUN, PLACE, "-C", commons.root)
    assert (told.code, told.out) == (0, f"Copied: {PLACE}/{RUN}/item.json\n")

    folder = commons.root / "runs" / "valley" / "usual" / RUN
    store = from_url(f"{PLACE}/{RUN}")
    held = {meta["path"]: bytes(obstore.get(store, meta["path"]).bytes()) for b in obstore.list(store) for meta in b}
    item = json.loads(held.pop("item.json"))
    assert held == {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }
    assert {asset["href"].removeprefix("./").split("/")[0] for asset in item["assets"].values()} <= {
        path.name for path in folder.iterdir()
    }
    for name, here in (("trajectory", run.trajectory), ("probability", run.probability)):
        there = open_cube(f"{PLACE}/{RUN}/{name}.zarr")
        assert there.chunks == here.chunks
        xr.testing.assert_identical(there.compute(), here.compute())

    with pytest.raises(BucketFailed, match="has this run already"):
        commons.copy_run(RUN, PLACE)
    with pytest.raises(BucketFailed, match=r"cannot be written to"):
        commons.copy_run(RUN, "s3://nowhere/valley")


def test_what_is_no_bucket_is_refused(commons: dc.commons.Commons, tmp_path: Path) -> None:
    with pytest.raises(BucketFailed, match=r"no place in a bucket.*s3://bucket/folder"):
        open_cube("ftq://landscapes/valley.zarr")
