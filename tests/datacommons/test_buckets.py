"""Runs in an S3-compatible store: the bytes of the commons, and readers that need nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import obstore
import pytest
import xarray as xr
from obstore.store import from_url

import datacommons as dc
from datacommons.errors import BucketFailed
from datacommons.runs.cubes import open_cube
from tests.datacommons.bucket import bucket
from tests.datacommons.conftest import RunCli
from tests.datacommons.warm import PLANS

__all__ = ["bucket"]  # a fixture

PLACE = "s3://landscapes/valley"
RUN = "valley-usual-1"


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
