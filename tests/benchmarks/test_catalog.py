"""What `make bench-catalog` runs, on few items: every bar has a figure, and the last page is the last."""

from __future__ import annotations

from pathlib import Path

import pytest

import datacommons as dc
from catalog.store import ANONYMOUS, OWNER, Query
from tests.benchmarks.bars import Bench
from tests.benchmarks.catalog import QUESTIONS, compare, fill, find_pages, make_embedded, make_pgstac, measure
from tests.benchmarks.catalog_items import COLLECTION, make_items, name
from tests.catalog.postgres import Cluster
from tests.catalog.stac_validation import find_faults

pytestmark = pytest.mark.long

COUNT = 420


def test_the_items_are_valid_and_the_same_each_time() -> None:
    first, again = list(make_items(3)), list(make_items(3))
    assert first == again
    assert [item["id"] for item in first] == [name(number) for number in range(3)]
    linked = {**first[0], "links": [{"rel": "collection", "href": "collection.json"}]}
    assert find_faults(linked) == [], "the API adds the link"


def test_the_last_page_ends_the_walk(tmp_path: Path) -> None:
    root = make_embedded(tmp_path)
    with dc.open(root) as commons:
        clock, cores = fill(commons.store, COUNT)
        assert min(clock, cores) > 0
        first, last = find_pages(commons.store, COUNT)
        whole = [item["id"] for item in commons.store.search(Query(limit=COUNT), OWNER).items]
        token = last.partition("token=")[2]
        page = commons.store.search(Query(collections=(COLLECTION,), limit=100, token=token), ANONYMOUS)
    assert "token" not in first
    assert [item["id"] for item in page.items] == whole[-100:]
    assert page.next is None


def test_the_table_has_every_bar(tmp_path: Path) -> None:
    bench = Bench()
    measure(bench, "SQLite", make_embedded(tmp_path), 120, rounds=2)
    assert len(bench.barred) == 9
    assert all(row.measured > 0 for rows in bench.sections.values() for row in rows)


def test_both_stores_are_compared(tmp_path: Path, cluster: Cluster) -> None:
    bench = Bench()
    measure(bench, "SQLite", make_embedded(tmp_path), 120, rounds=2)
    with make_pgstac(tmp_path, cluster) as root:
        measure(bench, "pgSTAC", root, 120, rounds=2, barred=False)
    compare(bench)
    rows = bench.sections["SQLite / pgSTAC"]
    assert len(rows) == len(QUESTIONS) + 2
    assert all(row.has_bar and row.measured > 0 for row in rows)
    assert len(bench.barred) == 9 + len(rows), "the other bars are the embedded store's"
