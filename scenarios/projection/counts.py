"""Where the counts of an ensemble are kept: in memory, or on the disk where they are too many."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenarios.cluster import Workers
from scenarios.scratch import IN_MEMORY, Scratch

_ROWS = 128

MOST_IN_MEMORY = 2**30
"""Bytes of counts that are held in memory; what is looked at all the time has more use of it."""


class Counts:
    """Small integers by year: zeros at first, to be added to and read.

    Parameters
    ----------
    years : how many
    shape : of the counts of one year
    scratch : where they are put; aside where they are more than a gigabyte
    """

    def __init__(self, years: int, shape: tuple[int, ...], scratch: Scratch = IN_MEMORY) -> None:
        aside = years * prod(shape) > MOST_IN_MEMORY
        make = scratch.zeros_aside if aside else scratch.zeros
        self._years: list[NDArray[np.uint8]] = [make(shape, np.uint8) for _ in range(years)]

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

    def add_up(self, begin: Callable[[slice], NDArray[np.uint8]], workers: Workers) -> None:
        """Turn what each year adds to the one before, modulo 256, into the counts themselves.

        Parameters
        ----------
        begin : returns some rows of the counts before the first year, (..., y, x)
        workers : who works on the rows side by side
        """
        for year, counts in enumerate(self._years):

            def add_rows(first: int, year: int = year, counts: NDArray[np.uint8] = counts) -> None:
                rows = slice(first, first + _ROWS)
                before = begin(rows) if year == 0 else self._years[year - 1][..., rows, :]
                np.add(counts[..., rows, :], before, out=counts[..., rows, :])

            workers.map(add_rows, range(0, counts.shape[-2], _ROWS))
