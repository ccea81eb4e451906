"""Every change of every member as a table, written while the members walk and sorted by blocks of the grid.

What a year changes comes by member after member; who asks for a place wants all members of that place. So the changes
of a walk are put aside when it ends, in the order of the map, and brought together band by band.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from tempfile import SpooledTemporaryFile
from threading import Lock
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from scenarios.projection.yearbook import Year

BLOCK: Final = 256
"""Edge, in cells, of the blocks of the grid by which the table is sorted: one row group each."""

HELD_BYTES: Final = 2**26
"""Bytes of changes that are held in memory until they are written; more of them wait on the disk."""

_COLUMNS: Final = {
    "member": "uint8",
    "year": "uint16",
    "row": "uint32",
    "column": "uint32",
    "from": "uint8",
    "to": "uint8",
}
_RISING: Final = ("row", "column")  # within a row group

CHANGE: Final = np.dtype([("cell", "<i8"), ("year", "<u2"), ("before", "u1"), ("after", "u1")])
"""A change as it waits: 12 bytes."""


class ChangeTable:
    """The changes of all walks of a run.

    The order in which walks end does not show.

    Parameters
    ----------
    shape : rows and columns of the grid
    scratch : folder for the file in which changes wait; it leaves no trace there
    held_bytes : of changes that wait in memory; more of them wait in the file

    Attributes
    ----------
    size : how many changes there are so far
    """

    def __init__(self, shape: tuple[int, int], scratch: Path, held_bytes: int = HELD_BYTES) -> None:
        self._rows, self._columns = shape
        self._file = SpooledTemporaryFile(held_bytes, dir=str(scratch))  # noqa: SIM115 (closed with the table)
        self._begins: dict[int, NDArray[np.int64]] = {}  # by member: where its bands begin in the file, and end
        self.size, self._lock = 0, Lock()

    def __enter__(self) -> Self:
        """Return the table."""
        return self

    def __exit__(self, *error: object) -> None:
        """Let go of what waits."""
        self._file.close()

    def listen(self, member: int, years: Iterator[Year]) -> Iterator[Year]:
        """Pass on the years of a walk, and put aside what they change."""
        seen = [np.empty(0, CHANGE)]
        for year in years:
            seen.append(_note(year))
            yield year
        changes = np.concatenate(seen)
        self._put(member, changes[np.argsort(changes["cell"], kind="stable")])

    def _put(self, member: int, changes: NDArray[Any]) -> None:
        edges = np.arange(0, self._rows + BLOCK, BLOCK) * self._columns
        begins = np.searchsorted(changes["cell"], edges)
        with self._lock:
            self._begins[member] = self.size + begins
            self._file.seek(self.size * CHANGE.itemsize)
            self._file.write(changes.tobytes())
            self.size += changes.size

    def write(self, path: Path, *, by_member: bool = True) -> None:
        """Write the table as Parquet.

        Within a block, changes are in the order of rows, columns, members and years.

        Parameters
        ----------
        path : of the file
        by_member : whether to say whose change it is; not where there is one walk
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        named = {name: kind for name, kind in _COLUMNS.items() if by_member or name != "member"}
        about = {"block": str(BLOCK), **({"members": str(len(self._begins))} if by_member else {})}
        schema = pa.schema([(name, pa.type_for_alias(kind)) for name, kind in named.items()], about)
        with pq.ParquetWriter(
            path,
            schema,
            compression="zstd",
            use_dictionary=[name for name in named if name not in _RISING],
            column_encoding=dict.fromkeys(_RISING, "DELTA_BINARY_PACKED"),
        ) as writer:
            for band in range(-(-self._rows // BLOCK)):
                for block in self._blocks(band):
                    writer.write_table(pa.table({name: block[name] for name in named}, schema))

    def _blocks(self, band: int) -> Iterator[dict[str, NDArray[Any]]]:
        """Yield the columns of each block of a band, from the first to the last that has changes."""
        parts = [
            (member, self._read(begins[band], begins[band + 1])) for member, begins in sorted(self._begins.items())
        ]
        changes = np.concatenate([part for _, part in parts])
        members = np.repeat(np.array([member for member, _ in parts]), [part.size for _, part in parts])
        rows, columns = np.divmod(changes["cell"], self._columns)
        blocks = columns // BLOCK
        order = np.argsort((blocks * BLOCK + rows % BLOCK) * BLOCK + columns % BLOCK, kind="stable")
        table = {
            "member": members,
            "year": changes["year"],
            "row": rows,
            "column": columns,
            "from": changes["before"],
            "to": changes["after"],
        }
        edges = np.searchsorted(blocks[order], np.arange(-(-self._columns // BLOCK) + 1))
        for first, last in pairwise(edges):
            if last > first:
                some = order[first:last]
                yield {name: values[some].astype(_COLUMNS[name]) for name, values in table.items()}

    def _read(self, first: int, last: int) -> NDArray[Any]:
        self._file.seek(int(first) * CHANGE.itemsize)
        return np.frombuffer(self._file.read(int(last - first) * CHANGE.itemsize), CHANGE)


def _note(year: Year) -> NDArray[Any]:
    changes = np.empty(year.changes.cells.size, CHANGE)
    changes["cell"], changes["year"] = year.changes.cells, year.year
    changes["before"], changes["after"] = year.changes.before, year.changes.after
    return changes
