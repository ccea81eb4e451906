"""A small reader of a run's changes: those of a window, from the row groups that touch it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from tiles.errors import LayerUnreadable

_PLACE = ("row", "column")


@dataclass(frozen=True, eq=False)
class ChangeTable:
    """A table of changes; any number of threads may read it.

    Attributes
    ----------
    source : str
    metadata : pyarrow.parquet.FileMetaData
    edges : (row group, 2, 2) int64
        First and last row, and first and last column, of each row group.
    members : int
        How many members the changes are of; 1 where they are those of the best map.
    """

    source: str = field(repr=False)
    metadata: Any = field(repr=False)
    edges: NDArray[np.int64]
    members: int

    def read(self, rows: slice, columns: slice) -> dict[str, NDArray[Any]]:
        """Read the changes of a window: member (where it is told), year, row, column, from and to; (n,) each.

        Raises
        ------
        LayerUnreadable
            If the table is missing or damaged.
        """
        first, last = np.array([rows.start, columns.start]), np.array([rows.stop, columns.stop])
        touching = (self.edges[:, :, 0] < last) & (self.edges[:, :, 1] >= first)
        groups = np.flatnonzero(touching.all(axis=1)).tolist()
        try:
            with pq.ParquetFile(self.source, metadata=self.metadata) as file:
                table = file.read_row_groups(groups)
        except (OSError, pa.ArrowException) as error:
            raise _unreadable() from error
        found = {name: table[name].to_numpy() for name in table.column_names}
        inside = (found["row"] >= rows.start) & (found["row"] < rows.stop)
        inside &= (found["column"] >= columns.start) & (found["column"] < columns.stop)
        return {name: values[inside] for name, values in found.items()}


@lru_cache(maxsize=64)
def open_changes(source: str, version: str) -> ChangeTable:  # noqa: ARG001 (as for `open_cube`)
    """Read what a table says of its row groups.

    Parameters
    ----------
    source : str
        Path of a Parquet file.
    version : str
        Changes when the file does.

    Raises
    ------
    LayerUnreadable
        If it is missing or damaged, or no table of changes.
    """
    try:
        metadata = pq.read_metadata(source)
        names = metadata.schema.names
        groups = [metadata.row_group(n) for n in range(metadata.num_row_groups)]
        ends = [[group.column(names.index(name)).statistics for name in _PLACE] for group in groups]
        edges = np.array([[(end.min, end.max) for end in group] for group in ends], np.int64).reshape(-1, 2, 2)
        members = int((metadata.metadata or {}).get(b"members", b"1"))
    except (OSError, pa.ArrowException, AttributeError, ValueError) as error:
        raise _unreadable() from error
    return ChangeTable(source, metadata, edges, members)


def _unreadable() -> LayerUnreadable:
    return LayerUnreadable("The changes of this run are missing or damaged. Tell whoever runs this server.")
