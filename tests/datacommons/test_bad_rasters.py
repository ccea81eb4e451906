"""Rasters and legends that cannot be taken: one clear message, exit code 2, and a commons that is exactly as it was."""

from __future__ import annotations

import os
import re
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from datacommons.commons import Commons
from tests.bounds import bounded
from tests.commands import SCRIPT
from tests.datacommons.bad_archives import zip_bomb
from tests.datacommons.bad_rasters import BOMBS, CASES, DRIVERS, Make, tiff
from tests.datacommons.bad_vectors import kml_that_explodes
from tests.datacommons.conftest import RunCli
from tests.inventory import unchanged

MEMORY = 6 * 2**30  # of addresses, most of which the libraries only reserve: GDAL, Arrow and the linear algebra
SECONDS = 60  # of the processor, most of which the imports take


@pytest.mark.parametrize("make", CASES, ids=lambda make: make.__name__)
def test_bad_rasters(make: Make, commons: Commons, tmp_path: Path, cli: RunCli) -> None:
    folder = tmp_path / "user"
    folder.mkdir()
    arguments = make(folder)
    with unchanged(commons.root), bounded():
        outcome = cli("ingest", "-C", commons.root, *arguments, cwd=folder)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("Error: ")
    assert outcome.err.count("\n") == 1
    assert re.search(CASES[make], outcome.err), outcome.err


VECTOR_BOMBS: dict[Make, str] = {
    zip_bomb: r"bomb.zip would unpack from .* to 209,715,200 bytes.*ZIP bomb",
    kml_that_explodes: r"laughs.kml cannot be read as KML.*export it again",
}


@pytest.mark.parametrize("make", BOMBS | VECTOR_BOMBS, ids=lambda make: make.__name__)
def test_bombs_do_not_go_off(make: Make, commons: Commons, tmp_path: Path) -> None:
    """In a process that may take no more memory and time than reading a small map does."""
    folder = tmp_path / "user"
    folder.mkdir()
    arguments = make(folder)
    collection = () if make in BOMBS else ("--collection", "vectors")
    with unchanged(commons.root):
        ended = subprocess.run(
            [SCRIPT, "ingest", "-C", commons.root, *arguments, *collection],
            capture_output=True,
            text=True,
            check=False,
            preexec_fn=_bound,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)},
        )
    assert ended.returncode == 2, ended.stderr[-2000:]
    assert re.search((BOMBS | VECTOR_BOMBS)[make], ended.stderr), ended.stderr
    assert ended.stderr.count("\n") == 1


def test_a_file_that_may_not_be_read(commons: Commons, tmp_path: Path) -> None:
    path = tiff(tmp_path / "slope.tif")
    path.chmod(0)
    # Root may read all, unless it gives that up.
    powerless = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    assert not powerless or shutil.which("setpriv"), "setpriv (of util-linux) lets root try to be powerless"
    with unchanged(commons.root):
        ended = subprocess.run(
            [*powerless, SCRIPT, "ingest", "-C", commons.root, path, *DRIVERS],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
    assert ended.returncode == 2, ended.stderr
    assert re.search(r"slope.tif cannot be ingested: it cannot be opened \(Permission denied\)", ended.stderr), (
        ended.stderr
    )


def _bound() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
