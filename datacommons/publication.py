"""Publishing: files are written aside, then put in place and registered, all of them or none."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from catalog.store import CatalogStore

_TRIES = 100
_PAUSE_S = 0.02


class Staging:
    """A hidden folder inside a commons, in which the folders of new items are prepared.

    Leaving the ``with`` block without :meth:`publish` leaves the commons as it was. A reader never sees
    an item before its files, for items are registered last and in one transaction.

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
        self._aside = Path(tempfile.mkdtemp(prefix=".staging-", dir=self.root))
        self.files = self._aside / "files"
        self._replaced = self._aside / "replaced"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove what is left aside."""
        _remove(self._aside)

    def folder(self, place: str) -> Path:
        """Make the staged counterpart of the folder ``place``, given relative to the commons."""
        self._places.append(Path(place))
        staged = self.files / place
        staged.mkdir(parents=True)
        return staged

    def publish(self, store: CatalogStore, items: Iterable[Mapping[str, Any]]) -> None:
        """Put the staged folders in place and register ``items``; undo all of it if any step fails."""
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
        for folder in place.parents:
            with suppress(OSError):  # it holds other things, or is a file, or never was made
                (self.root / folder).rmdir()


def _remove(folder: Path) -> None:
    """Remove a folder, also while a thread that was interrupted ends its last write into it."""
    for _ in range(_TRIES):
        shutil.rmtree(folder, ignore_errors=True)
        time.sleep(_PAUSE_S)
        if not folder.exists():
            break
