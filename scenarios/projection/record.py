"""The record of some walks: every change of every one, kept by where it lies.

What a year changes comes walk after walk; who asks for a place wants all walks and years of that place. So the changes
of a walk are put aside when it ends, in the order of the map, and brought together block by block. With the map that
the walks began from they tell every later one: no map of a walk has to be kept.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from tempfile import SpooledTemporaryFile
from threading import Lock
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from scenarios.grid import Block
from scenarios.kernels.tally import unroll
from scenarios.projection.yearbook import Year

BLOCK: Final = 256
"""Edge, in cells, of the blocks that changes are kept by; others are a multiple of it."""

HELD_BYTES: Final = 2**26
"""Bytes of changes that are held in memory; more of them wait on the disk."""

CHANGE: Final = np.dtype([("cell", "<i8"), ("year", "<u2"), ("before", "u1"), ("after", "u1")])
"""A change as it waits: 12 bytes."""


@dataclass(frozen=True, eq=False)
class BlockChanges:
    """The changes in a block of the grid, in the order of rows, columns, walks and years.

    Parameters
    ----------
    block : first row, last row, first column, last column (exclusive ends)
    walk : (n,) int64, number of the walk
    year : (n,) uint16, calendar year
    row, column : (n,) int64, in the grid
    before, after : (n,) uint8, legend values
    """

    block: Block
    walk: NDArray[np.int64]
    year: NDArray[np.uint16]
    row: NDArray[np.int64]
    column: NDArray[np.int64]
    before: NDArray[np.uint8]
    after: NDArray[np.uint8]

    @property
    def size(self) -> int:
        """How many changes there are."""
        return self.year.size

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the block."""
        top, bottom, left, right = self.block
        return bottom - top, right - left

    @property
    def where(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(n,) rows and columns, counted from the corner of the block."""
        return self.row - self.block[0], self.column - self.block[2]

    def steps(self, start: int) -> NDArray[np.int64]:
        """Return the years since a start, (n,) int64."""
        return self.year.astype(np.int64) - start


class Record:
    """The changes of some walks on one grid. The order in which walks end does not show.

    Parameters
    ----------
    shape : rows and columns of the grid
    scratch : folder for the file in which changes wait, where they leave no trace; None: the system's own
    held_bytes : of changes that wait in memory; more of them wait in the file

    Attributes
    ----------
    size : how many changes there are so far
    """

    def __init__(self, shape: tuple[int, int], scratch: Path | None = None, held_bytes: int = HELD_BYTES) -> None:
        self.shape = shape
        folder = None if scratch is None else str(scratch)
        self._file = SpooledTemporaryFile(held_bytes, dir=folder)  # noqa: SIM115 (closed with the record)
        weakref.finalize(self, self._file.close)
        self._begins: dict[int, NDArray[np.int64]] = {}  # by walk: where its rows of blocks begin in the file, and end
        self.size, self._lock = 0, Lock()

    def __enter__(self) -> Self:
        """Return the record."""
        return self

    def __exit__(self, *error: object) -> None:
        """Let go of what waits."""
        self._file.close()

    @property
    def walks(self) -> list[int]:
        """The numbers of the walks that have ended."""
        return sorted(self._begins)

    def unroll(self, changes: BlockChanges, start: NDArray[np.uint8], first_year: int, years: int) -> NDArray[np.uint8]:
        """Make every map of a block, where the record is of one walk.

        Parameters
        ----------
        changes : of the block
        start : (y, x) uint8, the whole map that the walk begins with, in the first year
        years : how many it walks

        Returns
        -------
        (year, y, x) uint8, from the first year on
        """
        top, bottom, left, right = changes.block
        maps = np.repeat(start[None, top:bottom, left:right], years + 1, axis=0)
        unroll(*changes.where, changes.steps(first_year), changes.after, maps)
        return maps

    def listen(self, walk: int, years: Iterator[Year]) -> Iterator[Year]:
        """Pass on the years of a walk, and put aside what they change."""
        seen = [np.empty(0, CHANGE)]
        for year in years:
            seen.append(_note(year))
            yield year
        changes = np.concatenate(seen)
        self._put(walk, changes[np.argsort(changes["cell"], kind="stable")])

    def split(self, rows: tuple[int, int], edge: int) -> Iterator[BlockChanges]:
        """Yield the changes of each block of some rows, from left to right; also of those that have none.

        Parameters
        ----------
        rows : first and last (exclusive) row; the first a multiple of `BLOCK`, the last too or the grid's
        edge : of a block, in cells, across; a multiple of `BLOCK`
        """
        width, parts = self.shape[1], self._read(rows)
        changes = np.concatenate([np.empty(0, CHANGE), *parts.values()])
        walks = np.repeat(np.array([*parts], np.int64), [part.size for part in parts.values()])
        lines, columns = np.divmod(changes["cell"], width)
        # Walks come one after the other, and the years of each in their order: a stable sort keeps them so.
        place = (columns // edge * (rows[1] - rows[0]) + lines - rows[0]) * edge + columns % edge
        order = np.argsort(place, kind="stable")
        edges = np.searchsorted((columns // edge)[order], np.arange(-(-width // edge) + 1))
        for number, (first, last) in enumerate(pairwise(edges)):
            some = order[first:last]
            yield BlockChanges(
                block=(*rows, number * edge, min((number + 1) * edge, width)),
                walk=walks[some],
                year=changes["year"][some],
                row=lines[some],
                column=columns[some],
                before=changes["before"][some],
                after=changes["after"][some],
            )

    def bands(self, edge: int) -> list[tuple[int, int]]:
        """Return the rows of blocks of some edge, a multiple of `BLOCK`: first and last (exclusive) row of each."""
        height = self.shape[0]
        return [(row, min(row + edge, height)) for row in range(0, height, edge)]

    def _put(self, walk: int, changes: NDArray[Any]) -> None:
        edges = np.arange(0, self.shape[0] + BLOCK, BLOCK) * self.shape[1]
        begins = np.searchsorted(changes["cell"], edges)
        with self._lock:
            self._begins[walk] = self.size + begins
            self._file.seek(self.size * CHANGE.itemsize)
            self._file.write(changes.tobytes())
            self.size += changes.size

    def _read(self, rows: tuple[int, int]) -> dict[int, NDArray[Any]]:
        """Return the changes of some rows by walk, each in the order of the map."""
        first, last = rows[0] // BLOCK, -(-rows[1] // BLOCK)
        return {walk: self._read_some(*self._begins[walk][[first, last]]) for walk in self.walks}

    def _read_some(self, first: int, last: int) -> NDArray[Any]:
        with self._lock:
            self._file.seek(int(first) * CHANGE.itemsize)
            return np.frombuffer(self._file.read(int(last - first) * CHANGE.itemsize), CHANGE)


def _note(year: Year) -> NDArray[Any]:
    changes = np.empty(year.changes.cells.size, CHANGE)
    changes["cell"], changes["year"] = year.changes.cells, year.year
    changes["before"], changes["after"] = year.changes.before, year.changes.after
    return changes
