"""Where the counts of an ensemble are kept: in memory, or on the disk where they are too many."""

from __future__ import annotations

import mmap
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenarios.cluster import Workers

_ROWS = 128

MOST_IN_MEMORY = 2**30
"""Bytes of counts that are held in memory."""


class Counts:
    """Small integers by year: zeros at first, to be added to and read.

    Parameters
    ----------
    years : how many
    shape : of the counts of one year
    scratch : folder for a file that takes their place where they are more than a gigabyte; it leaves no trace there
    """

    def __init__(self, years: int, shape: tuple[int, ...], scratch: Path | None = None) -> None:
        size = int(np.prod(shape))
        self._files: list[mmap.mmap] = []
        if scratch is None or years * size <= MOST_IN_MEMORY:
            self._years: list[NDArray[np.uint8]] = list(np.zeros((years, *shape), np.uint8))
            return
        for _ in range(years):
            with tempfile.TemporaryFile(dir=scratch) as file:  # nameless: it ends with the map of it
                file.truncate(size)
                self._files.append(mmap.mmap(file.fileno(), size))
        self._years = [np.frombuffer(file, np.uint8).reshape(shape) for file in self._files]

    def __len__(self) -> int:
        """How many years."""
        return len(self._years)

    def __getitem__(self, year: int) -> NDArray[np.uint8]:
        """Return the counts of a year, to read or add to."""
        return self._years[year]

    def __iter__(self) -> Iterator[NDArray[np.uint8]]:
        """Yield the counts of each year."""
        return iter(self._years)

    def __array__(self, dtype: np.dtype[Any] | None = None, copy: bool | None = None) -> NDArray[Any]:
        """Return a copy of all years, (year, ...)."""
        if copy is False:
            raise ValueError("The years are kept apart, so that all of them can only be had as a copy.")
        return np.asarray(np.stack(self._years), dtype)

    def add_up(self, first: NDArray[np.uint8], workers: Workers) -> None:
        """Turn what each year adds to the one before, modulo 256, into the counts themselves.

        Parameters
        ----------
        first : the counts before the first year
        workers : who works on the rows side by side
        """
        for year, counts in enumerate(self._years):
            before = first if year == 0 else self._years[year - 1]

            def add_rows(begin: int, before: NDArray[np.uint8] = before, counts: NDArray[np.uint8] = counts) -> None:
                rows = (..., slice(begin, begin + _ROWS), slice(None))
                np.add(counts[rows], before[rows], out=counts[rows])

            workers.map(add_rows, range(0, first.shape[-2], _ROWS))
            if year > 0:
                self.let_go(year - 1)

    def let_go(self, year: int) -> None:
        """Leave a year to the disk until it is asked for again."""
        if self._files and hasattr(mmap, "MADV_DONTNEED"):
            self._files[year].madvise(mmap.MADV_DONTNEED)
