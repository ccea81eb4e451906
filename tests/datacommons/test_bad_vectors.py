"""Vector files that cannot be taken: one clear message, exit code 2, and a commons that is exactly as it was."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from datacommons.commons import Commons
from tests.bounds import bounded
from tests.datacommons import bad_archives, bad_tables, bad_vectors
from tests.datacommons.bad_tables import Make
from tests.datacommons.conftest import RunCli
from tests.inventory import unchanged

CASES = bad_vectors.CASES | bad_tables.CASES | bad_archives.CASES


@pytest.mark.parametrize("make", CASES, ids=lambda make: make.__name__)
def test_bad_vectors(make: Make, commons: Commons, tmp_path: Path, cli: RunCli) -> None:
    folder = tmp_path / "user"
    folder.mkdir()
    arguments = make(folder)
    before = sorted(tmp_path.rglob("*"))
    with unchanged(commons.root), bounded():
        outcome = cli("ingest", "-C", commons.root, *arguments, "--collection", "vectors", cwd=folder)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("Error: ")
    assert outcome.err.count("\n") == 1
    assert re.search(CASES[make], outcome.err), outcome.err
    assert [path for path in sorted(tmp_path.rglob("*")) if "catalog.sqlite-" not in path.name] == [
        path for path in before if "catalog.sqlite-" not in path.name
    ], "something was written beside the file"
