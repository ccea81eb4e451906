"""Publishing: files are written aside, then put in place and registered, all of them or none."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Self

from catalog.collections import RUNS
from catalog.errors import ItemNotFound
from catalog.store import OWNER, CatalogStore
from datacommons.errors import ItemExists

STAGING_PREFIX: Final = ".staging-"
LOCK_FILE: Final = "lock"
JOURNAL_FILE: Final = "places.json"

_TRIES = 100
_PAUSE_S = 0.02


class Staging:
    """A hidden folder inside a commons, in which the folders of new items are prepared.

    Leaving the ``with`` block without :meth:`publish` leaves the commons as it was. A reader never sees
    an item before its files, for items are registered last and in one transaction. What a process leaves that is
    killed in between, :mod:`datacommons.upkeep.interruptions` settles: the folder holds a lock as long as its process
    lives, and a list of the places it was about to change.

    Parameters
    ----------
    root : Path
        The folder of the commons; staged folders are moved within it, so never copied.

    Examples
    --------
    ::

        with Staging(commons.root) as staging:
            folder = staging.folder("layers/drivers/valley-slope")
            write_cog(folder / "valley-slope.tif")
            staging.publish(commons.store, [item])
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._places: list[Path] = []

    def __enter__(self) -> Self:
        """Make the staging folder; its ``files`` mirror the commons."""
        self._aside, self._lock = _make_aside(self.root)
        self.files = self._aside / "files"
        self._replaced = self._aside / "replaced"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove what is left aside."""
        # First the journal: without one, there is nothing to settle.
        (self._aside / JOURNAL_FILE).unlink(missing_ok=True)
        remove_folder(self._aside)
        self._lock.close()

    def folder(self, place: str) -> Path:
        """Make the staged counterpart of the folder ``place``, given relative to the commons."""
        self._places.append(Path(place))
        staged = self.files / place
        staged.mkdir(parents=True)
        return staged

    def publish(self, store: CatalogStore, items: Iterable[Mapping[str, Any]], *, replace: bool = False) -> None:
        """Put the staged folders in place and register ``items``; undo all of it if any step fails.

        Parameters
        ----------
        store : CatalogStore
        items : iterable of mapping
            Taken from while the store writes.
        replace : bool
            Whether a place may be that of an item already.

        Raises
        ------
        ItemExists
            Where it may not, and another process was first.
        """
        with publishing(self.root):
            if not replace:
                self._refuse_taken(store)
            self._write_journal()
            moved: list[Path] = []
            try:
                for place in self._places:
                    moved.append(place)
                    self._put_in_place(place)
                store.put_items(items)
            except BaseException:
                for place in reversed(moved):
                    self._take_back(place)
                raise

    def _refuse_taken(self, store: CatalogStore) -> None:
        for place in self._places:
            for item in items_of(store, place):
                raise ItemExists(
                    f"{item['id']} in {item['collection']} was made by another process meanwhile: look at it, and do "
                    "it again."
                )

    def _write_journal(self) -> None:
        with (self._aside / JOURNAL_FILE).open("w", encoding="utf-8") as file:
            json.dump([place.as_posix() for place in self._places], file)
            file.flush()
            os.fsync(file.fileno())

    def _put_in_place(self, place: Path) -> None:
        target = self.root / place
        if target.exists():
            (self._replaced / place).parent.mkdir(parents=True, exist_ok=True)
            target.rename(self._replaced / place)
        target.parent.mkdir(parents=True, exist_ok=True)
        (self.files / place).rename(target)

    def _take_back(self, place: Path) -> None:
        target = self.root / place
        if not (self.files / place).exists():
            shutil.rmtree(target)
        if (self._replaced / place).exists():
            (self._replaced / place).rename(target)
        remove_empty_parents(self.root, place)


def items_of(store: CatalogStore, place: Path) -> list[dict[str, Any]]:
    """Return the item that a folder of the commons is of, if there is one."""
    match place.parts:
        case ["layers", collection, item]:
            owner = (collection, item)
        case ["runs", _, _, run]:
            owner = (RUNS, run)
        case _:
            return []
    try:
        return [store.item(*owner, OWNER)]
    except ItemNotFound:
        return []


@contextmanager
def publishing(root: Path) -> Iterator[None]:
    """Let only one process at a time put folders of a commons in place, or take them back."""
    folder = os.open(root, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def remove_empty_parents(root: Path, place: Path) -> None:
    """Remove the folders above a place, as far as they are empty and below the root."""
    for folder in list(place.parents)[:-1]:
        with suppress(OSError):  # it holds other things, or is a file, or never was made
            (root / folder).rmdir()


def remove_folder(folder: Path) -> None:
    """Remove a folder, also while a thread that was interrupted ends its last write into it."""
    for _ in range(_TRIES):
        shutil.rmtree(folder, ignore_errors=True)
        time.sleep(_PAUSE_S)
        if not folder.exists():
            break


def _make_aside(root: Path) -> tuple[Path, IO[str]]:
    """Make a staging folder, and a lock in it that the system opens when this process ends, however it ends."""
    while True:
        aside = Path(tempfile.mkdtemp(prefix=STAGING_PREFIX, dir=root))
        # Who cleans up after others may take it for abandoned until it is locked, and remove it.
        with suppress(FileNotFoundError):
            lock = (aside / LOCK_FILE).open("w")
            fcntl.flock(lock, fcntl.LOCK_EX)
            if (aside / LOCK_FILE).exists():
                return aside, lock
            lock.close()
