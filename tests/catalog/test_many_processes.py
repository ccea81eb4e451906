"""Three processes write and eight read at once for a minute: no error, nothing half done, no update lost.

`CROWD_SECONDS=8` lets them be content with less.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from catalog.store import OWNER, Query
from datacommons.founding import open_store
from tests.catalog.asking import COLLECTION, ids
from tests.catalog.crowd import SHARED, make_item
from tests.catalog.postgres import Cluster

pytestmark = pytest.mark.long

REPOSITORY = Path(__file__).resolve().parents[2]
SECONDS = os.environ.get("CROWD_SECONDS", "60")
PATIENCE_S = 180


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Return where a new catalog is: a file, and a database."""
    if request.param == "sqlite":
        yield str(tmp_path / "catalog.sqlite")
        return
    cluster: Cluster = request.getfixturevalue("cluster")
    with cluster.database() as address:
        yield address


def start(role: str, place: str, number: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.catalog.crowd", role, place, str(number), SECONDS]
    return subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_writers_and_readers_at_once(place: str) -> None:
    with closing(open_store(place)) as store:
        store.put_collection(COLLECTION)
        store.put_items([make_item(SHARED, count=0)])
    crowd = [*(start("writer", place, number) for number in range(3)), *(start("reader", place, n) for n in range(8))]
    try:
        told = [process.communicate(timeout=PATIENCE_S + float(SECONDS)) for process in crowd]
    finally:
        for process in crowd:
            process.kill()
    assert [(process.returncode, complaint) for process, (_, complaint) in zip(crowd, told, strict=True)] == [
        (0, "")
    ] * 11
    done = [json.loads(out) for out, _ in told]
    writers, readers = done[:3], done[3:]
    assert all(writer["counted"] > 0 for writer in writers)
    assert all(reader["looked"] > 0 for reader in readers)
    with closing(open_store(place)) as store:
        count = store.item("land-cover", SHARED, OWNER)["properties"]["count"]
        assert count == sum(writer["counted"] for writer in writers)
        left = [f"own-{number}-{each}" for number, writer in enumerate(writers) for each in range(writer["left"])]
        assert sorted(ids(store, filter="id LIKE 'own-%'", limit=500)) == sorted(left)
        (total,) = store.aggregate(Query(q=("word0", "word1", "word2")), ["total_count"], OWNER)
        assert total.value == len(left), "the words are those of what is there"
        (placed,) = store.aggregate(Query(bbox=(-180, -90, 180, 90)), ["total_count"], OWNER)
        assert placed.value == len(left) + 7, "so are the places"
