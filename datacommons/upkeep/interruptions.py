"""What a killed process left behind: undone where it was not published, cleared away where it was."""

from __future__ import annotations

import fcntl
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from catalog.store import CatalogStore
from datacommons.publication import (
    JOURNAL_FILE,
    LOCK_FILE,
    STAGING_PREFIX,
    items_of,
    publishing,
    remove_empty_parents,
    remove_folder,
)
from datacommons.upkeep.fixity import find_damage, local_files


def find_interrupted(root: Path) -> list[Path]:
    """List the staging folders in a commons whose processes are gone."""
    return [aside for aside in sorted(root.glob(f"{STAGING_PREFIX}*")) if _is_abandoned(aside)]


def read_journal(aside: Path) -> list[Path]:
    """List the places that an interrupted publication was about to change; none if it had not begun, or was done."""
    journal = aside / JOURNAL_FILE
    try:
        return [Path(place) for place in json.loads(journal.read_text("utf-8"))]
    except (FileNotFoundError, ValueError):  # a journal cut short: nothing was moved yet
        return []


def settle_interrupted(root: Path, store: CatalogStore) -> None:
    """Bring a commons into the state before or after each publication that was interrupted, and clear up."""
    for aside in find_interrupted(root):
        settle(root, store, aside)


def settle(root: Path, store: CatalogStore, aside: Path) -> None:
    """Settle one interrupted publication.

    What the catalog names stays; what it does not name is removed, and what was replaced comes back.

    Parameters
    ----------
    root : Path
        The folder of the commons.
    store : CatalogStore
        Its catalog, which has all items of a publication or none.
    aside : Path
        A staging folder of it, from :func:`find_interrupted`.
    """
    with publishing(root), _held(aside) as held:
        if held:
            for place in read_journal(aside):
                _settle_place(root, store, aside, place)
            (aside / JOURNAL_FILE).unlink(missing_ok=True)
            remove_folder(aside)


def _settle_place(root: Path, store: CatalogStore, aside: Path, place: Path) -> None:
    new, old, target = aside / "files" / place, aside / "replaced" / place, root / place
    if old.exists():
        if target.exists() and _is_whole(root, store, place):
            return
        if target.exists():
            shutil.rmtree(target)
        old.rename(target)
    elif not new.exists() and target.exists() and not items_of(store, place):
        shutil.rmtree(target)
        remove_empty_parents(root, place)


def _is_whole(root: Path, store: CatalogStore, place: Path) -> bool:
    """Tell whether the files in a place are those of its items in the catalog."""
    items = items_of(store, place)
    files = [pair for item in items for pair in local_files(item, root)]
    return bool(items) and all(find_damage(file, asset) is None for file, asset in files)


def _is_abandoned(aside: Path) -> bool:
    with _held(aside) as held:
        return held


@contextmanager
def _held(aside: Path) -> Iterator[bool]:
    """Hold the lock of a staging folder; yield False if its process lives, or the folder is gone."""
    try:
        lock = (aside / LOCK_FILE).open("r")
    except FileNotFoundError:
        yield aside.is_dir()
        return
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield aside.is_dir()
