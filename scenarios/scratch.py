"""Room for arrays as large as a landscape: memory as long as it lasts, then files that nobody else sees.

To whoever computes they are arrays like any other. What lies in files is read and written by the system as it is
touched; what was not touched for a while is let go of, so that it counts no longer as memory of this process.
"""

from __future__ import annotations

import mmap
import os
import tempfile
import weakref
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from threading import Event, Lock, RLock, Thread
from typing import Any, Final

import numpy as np
import psutil
from numpy.typing import DTypeLike, NDArray

FREE_SHARE: Final = 1 / 3
"""Part of the free memory that is taken where nobody says how much."""

_OF_FILES: Final = 1 / 4  # of what may be held is left to pages of files, and at most:
_MOST_OF_FILES: Final = 1 << 29
_SMALL_BYTES: Final = 1 << 16  # not worth a file
_PAUSE_S: Final = 0.02  # two cores touch some hundred megabytes meanwhile
_STATM: Final = Path("/proc/self/statm")


@dataclass(eq=False)
class Scratch:
    """Where large arrays are put.

    Parameters
    ----------
    most_bytes : that may be held in memory, by arrays and by pages of files together; None: all arrays are held in
        memory
    folder : for the files; they have no names, and are gone with their arrays, however the process ends
    """

    most_bytes: int | None = None
    folder: Path | None = None
    _held: int = field(default=0, init=False)
    _aside: int = field(default=0, init=False)
    _lock: Any = field(default_factory=RLock, init=False)  # rubbish may be collected while a thread holds it
    _keeper: _Keeper | None = field(default=None, init=False)

    @classmethod
    def by_free_memory(cls, folder: Path) -> Scratch:
        """Return a room that holds a third of the memory that is free now."""
        return cls(int(psutil.virtual_memory().available * FREE_SHARE), folder)

    def __str__(self) -> str:
        """Say how much it holds."""
        if self.most_bytes is None:
            return "all in memory"
        aside = f", {self._aside / 2**30:.1f} GiB in files" if self._aside else ""
        return f"up to {self.most_bytes / 2**30:.1f} GiB in memory{aside}"

    @property
    def bytes_aside(self) -> int:
        """Bytes of the arrays that lie in files now."""
        return self._aside

    def divide(self, size: int) -> tuple[int, int]:
        """Return how many bytes of so many are held in memory at the most, and how many lie in files."""
        if self.most_bytes is None:
            return size, 0
        held = min(size, self.most_bytes - self._page_bytes)
        return held + min(size - held, self._page_bytes), size - held

    def empty(self, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
        """Return an array of any values.

        Raises
        ------
        OSError
            The disk has no room for the file.
        """
        size = prod(shape) * np.dtype(dtype).itemsize
        if not self._take(size):
            return self._put_aside(shape, dtype, size)
        array = np.empty(shape, dtype)
        weakref.finalize(array, self._give_back, size, aside=False)
        return array

    def zeros(self, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
        """Return an array of zeros; raises as `empty`."""
        size = prod(shape) * np.dtype(dtype).itemsize
        if not self._take(size):
            return self._put_aside(shape, dtype, size)  # files are zeros at first
        array = np.zeros(shape, dtype)
        weakref.finalize(array, self._give_back, size, aside=False)
        return array

    def copy(self, array: NDArray[Any]) -> NDArray[Any]:
        """Return a copy; raises as `empty`."""
        out = self.empty(array.shape, array.dtype)
        out[...] = array
        return out

    @property
    def _page_bytes(self) -> int:
        """How many bytes of files are held in memory."""
        return min(int((self.most_bytes or 0) * _OF_FILES), _MOST_OF_FILES)

    def _take(self, size: int) -> bool:
        """Take so many bytes of the memory, if they are to be had."""
        with self._lock:
            most = None if self.most_bytes is None else self.most_bytes - self._page_bytes
            fits = most is None or size < _SMALL_BYTES or self._held + size <= most
            self._held += size if fits else 0
            self._aside += 0 if fits else size
            return fits

    def _give_back(self, size: int, *, aside: bool) -> None:
        with self._lock:
            if aside:
                self._aside -= size
            else:
                self._held -= size

    def _put_aside(self, shape: tuple[int, ...], dtype: DTypeLike, size: int) -> NDArray[Any]:
        with tempfile.TemporaryFile(dir=self.folder) as file:
            if hasattr(os, "posix_fallocate"):  # a full disk is told now, and not by a signal when it is written to
                os.posix_fallocate(file.fileno(), 0, size)
            else:
                file.truncate(size)
            content = mmap.mmap(file.fileno(), size)
        weakref.finalize(content, self._give_back, size, aside=True)
        self._watch(content)
        return np.frombuffer(content, dtype).reshape(shape)

    def _watch(self, content: mmap.mmap) -> None:
        with self._lock:
            if self._keeper is None or not self._keeper.add(content):
                self._keeper = _Keeper(self._page_bytes)
                self._keeper.add(content)
                self._keeper.start()


IN_MEMORY: Final = Scratch()
"""All arrays are held in memory."""


class _Keeper(Thread):
    """Lets go of pages of files as soon as too many are held; the system keeps them as long as it has room.

    Whoever touches one again finds it as it was. It ends with the last of the files.
    """

    def __init__(self, most_bytes: int) -> None:
        super().__init__(name="scratch", daemon=True)
        self._most = most_bytes + _count_file_bytes()
        self._files: weakref.WeakSet[mmap.mmap] = weakref.WeakSet()
        self._lock, self._over, self._pause = Lock(), False, Event()

    def add(self, content: mmap.mmap) -> bool:
        """Keep another file small; False where the last one is gone, and with it the thread."""
        with self._lock:
            if not self._over:
                self._files.add(content)
            return not self._over

    def run(self) -> None:
        """Look from time to time."""
        while not self._pause.wait(_PAUSE_S) and self._look():
            pass

    def _look(self) -> bool:
        """Let go if there is too much, and return whether there will be any more to do."""
        with self._lock:
            files = list(self._files)
            self._over = not files
        if _count_file_bytes() > self._most:
            for content in files:
                content.madvise(mmap.MADV_DONTNEED)
        return bool(files)


def _count_file_bytes() -> int:
    """Return how many bytes of files this process has in memory; 0 where the system does not tell."""
    if not _STATM.exists():
        return 0
    return int(_STATM.read_text("ascii").split()[2]) * mmap.PAGESIZE
