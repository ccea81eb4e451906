"""All or nothing: whatever fails, the folder is as before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from catalog.sqlite.store import SqliteStore
from datacommons.publication import Staging
from tests.inventory import unchanged


class RefusingStore(SqliteStore):
    """A store whose disk is full."""

    def put_items(self, items: Iterable[Mapping[str, Any]]) -> None:
        raise OSError("disk full")


def lay(root: Path, place: str, text: str) -> None:
    (root / place).mkdir(parents=True)
    (root / place / "a.tif").write_text(text)


def stage(staging: Staging, place: str, text: str = "new") -> None:
    (staging.folder(place) / "a.tif").write_text(text)


def files(root: Path) -> dict[str, str]:
    found = (path for path in root.rglob("*") if path.is_file() and not path.name.startswith("catalog"))
    return {path.relative_to(root).as_posix(): path.read_text() for path in found}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path


def test_publish_moves_new_and_replaces_old(root: Path) -> None:
    lay(root, "layers/drivers/a", "old")
    store = SqliteStore(root / "catalog.sqlite")
    publish_two(root, store)
    store.close()
    assert files(root) == {"layers/drivers/a/a.tif": "new", "layers/land-cover/b/a.tif": "new"}


def publish_two(root: Path, store: SqliteStore) -> None:
    with Staging(root) as staging:
        stage(staging, "layers/drivers/a")
        stage(staging, "layers/land-cover/b")
        staging.publish(store, [])


def stage_and_fail(root: Path) -> None:
    with Staging(root) as staging:
        stage(staging, "layers/drivers/b")
        raise RuntimeError


def test_failure_before_publishing_leaves_nothing(root: Path) -> None:
    lay(root, "layers/drivers/a", "old")
    with unchanged(root), pytest.raises(RuntimeError):
        stage_and_fail(root)


def test_failure_of_the_store_takes_files_back(root: Path) -> None:
    lay(root, "layers/drivers/a", "old")
    store = RefusingStore(root / "catalog.sqlite")
    with unchanged(root), pytest.raises(OSError, match="disk full"):
        publish_two(root, store)
    store.close()


def test_failure_of_a_move_takes_the_others_back(root: Path) -> None:
    lay(root, "layers/drivers/a", "old")
    (root / "layers" / "land-cover").write_text("a file in the way")
    store = SqliteStore(root / "catalog.sqlite")
    with unchanged(root), pytest.raises(OSError, match="land-cover"):
        publish_two(root, store)
    store.close()
