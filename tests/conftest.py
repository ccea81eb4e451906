"""What all tests share: where a test may skip on a user's machine, it fails in CI."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.catalog.postgres import Cluster, find_lack, run_cluster

SHARED = Path(__file__).resolve().parents[2] / "shared"  # what lies beside the repository

# How long an example takes, or is looked for, depends on the machine, and is no fault.
settings.register_profile(
    "steady",
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("steady")


@pytest.fixture(scope="session")
def pie() -> Path:
    """Return the folder of the Plum Island data."""
    folder = SHARED / "data" / "pie"
    if not folder.is_dir():
        pytest.skip("the Plum Island data is not beside the repository (../shared/data/pie)")
    return folder


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """Return a PostgreSQL with PostGIS that is stopped when the tests are done."""
    if lack := find_lack():
        pytest.skip(lack)
    with run_cluster() as cluster:
        yield cluster


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let no test skip in CI: a browser or data that is missing there is a fault of the set-up."""
    report = yield
    if os.environ.get("CI") and report.skipped and not hasattr(report, "wasxfail"):
        reason: Any = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome, report.longrepr = "failed", f"skipped, which CI does not allow: {reason}"
    return report
