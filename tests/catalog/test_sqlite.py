"""The embedded store keeps the contract, and its file outlives versions, processes and accidents."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from catalog.errors import StoreError
from catalog.items.versions import item_href
from catalog.query.queryables import QUERYABLES
from catalog.sqlite.migrations import MIGRATIONS
from catalog.sqlite.store import SqliteStore
from catalog.store import OWNER, Query
from tests.catalog.asking import COLLECTION, ids
from tests.catalog.conftest import MakeItem
from tests.catalog.store_contract import StoreContract

REPOSITORY = Path(__file__).resolve().parents[2]


class TestSqliteStore(StoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[SqliteStore]:
        store = SqliteStore(tmp_path / "catalog.sqlite")
        yield store
        store.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "catalog.sqlite"


def test_what_was_stored_is_there_after_reopening(path: Path, make_item: MakeItem) -> None:
    with closing(SqliteStore(path)) as store:
        store.put_collection(COLLECTION)
        store.put_items([make_item()])
    with closing(SqliteStore(path)) as store:
        assert [item["id"] for item in store.search(Query(bbox=(10, 50, 11, 51)), OWNER).items] == ["valley"]


def test_the_file_says_its_version(path: Path) -> None:
    SqliteStore(path).close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_file_of_the_first_version_is_brought_up_to_date(path: Path, make_item: MakeItem) -> None:
    old = [make_item("a", gsd=10, title="Old forest", created="2000-01-01T00:00:00Z"), make_item("b", deprecated=True)]
    old[1]["links"] = [{"rel": "derived_from", "href": item_href("land-cover", "a")}]
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in MIGRATIONS[0]:
            connection.execute(statement)
        connection.execute("PRAGMA user_version = 1")
        connection.execute("INSERT INTO collections VALUES (?, 'public', ?)", ("land-cover", json.dumps(COLLECTION)))
        for key, item in enumerate(old):
            row = (key, "land-cover", item["id"], "public", 0, 0, 0, 10, 50, 11, 51, json.dumps(item))
            connection.execute(f"INSERT INTO items VALUES ({', '.join('?' * len(row))})", row)
            connection.execute("INSERT INTO footprints VALUES (?, 10, 11, 50, 51)", (2 * key,))
    with closing(SqliteStore(path)) as store:
        assert store.item("land-cover", "a", OWNER) == old[0]
        assert ids(store, filter="gsd = 10") == ids(store, q=("forest",)) == ["a"]
        assert ids(store, filter="created = TIMESTAMP('2000-01-01T01:00:00+01:00')") == ["a"]
        assert ids(store, filter="deprecated = true", bbox=(10, 50, 11, 51)) == ["b"]
        assert store.derived_items("land-cover", "a") == [("land-cover", "b")]
        store.put_items([{**old[0], "properties": {**old[0]["properties"], "gsd": 20}}])
        assert ids(store, filter="gsd = 20", sortby=("-gsd",)) == ["a"]


def test_the_file_has_a_column_and_an_index_for_each_declared_property(path: Path) -> None:
    SqliteStore(path).close()
    with closing(sqlite3.connect(path)) as connection:
        columns = {row[1] for row in connection.execute("PRAGMA table_info(items)")}
        indexes = {row[1] for row in connection.execute("PRAGMA index_list(items)")}
    assert set(QUERYABLES) <= columns
    assert {f"items_by_{name}" for name in QUERYABLES} <= indexes


def test_a_file_of_a_newer_version_is_left_alone(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreError, match="is of version 99 and this program knows up to 3: update"):
        SqliteStore(path)


def test_a_file_that_is_no_catalog(path: Path) -> None:
    path.write_text("not a database, but long enough to be taken for one" * 20)
    with pytest.raises(StoreError, match="is no catalog"):
        SqliteStore(path)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="Is its folder there"):
        SqliteStore(tmp_path / "none" / "catalog.sqlite")


def test_a_closed_store(path: Path) -> None:
    store = SqliteStore(path)
    store.close()
    store.close()
    with pytest.raises(StoreError, match="was closed: open it again"):
        store.collections(OWNER)


def test_two_stores_on_one_file_see_each_other(path: Path, make_item: MakeItem) -> None:
    with closing(SqliteStore(path)) as one, closing(SqliteStore(path)) as other:
        one.put_collection(COLLECTION)
        other.put_items([make_item()])
        page = one.search(Query(limit=1), OWNER)
        one.put_items([make_item("second")])
        assert page.items[0]["id"] == "valley"
        assert len(other.search(Query(), OWNER).items) == 2


def test_an_unfinished_search_does_not_hold_back_a_writer(path: Path, make_item: MakeItem) -> None:
    with closing(SqliteStore(path)) as store:
        store.put_collection(COLLECTION)
        store.put_items(make_item(f"i{number}") for number in range(50))
        for round_ in range(3):
            assert store.search(Query(limit=2), OWNER).next is not None
            store.put_items([make_item(f"new-{round_}")])
        assert store.search(Query(), OWNER).matched == 53


def test_a_writer_that_is_killed_leaves_nothing_half_done(path: Path, make_item: MakeItem) -> None:
    with closing(SqliteStore(path)) as store:
        store.put_collection(COLLECTION)
        store.put_items([make_item("before")])
    code = f"""
import json, os, sys
from catalog.sqlite.store import SqliteStore
item = json.loads(sys.argv[1])
def items():
    for number in range(500):
        yield {{**item, "id": f"i{{number}}"}}
    os.kill(os.getpid(), 9)
SqliteStore({str(path)!r}).put_items(items())
"""
    done = subprocess.run([sys.executable, "-c", code, json.dumps(make_item())], cwd=REPOSITORY, check=False)
    assert done.returncode == -9
    with closing(SqliteStore(path)) as store:
        assert [item["id"] for item in store.search(Query(), OWNER).items] == ["before"]
        assert [item["id"] for item in store.search(Query(bbox=(10, 50, 11, 51)), OWNER).items] == ["before"]
