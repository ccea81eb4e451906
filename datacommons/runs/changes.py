"""Every change of every member as a table, sorted by blocks of the grid."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from scenarios.projection.record import BLOCK, Record

_COLUMNS: Final = {
    "member": ("walk", "uint8"),
    "year": ("year", "uint16"),
    "row": ("row", "uint32"),
    "column": ("column", "uint32"),
    "from": ("before", "uint8"),
    "to": ("after", "uint8"),
}
_RISING: Final = ("row", "column")  # within a row group


def write_changes(record: Record, path: Path, *, by_member: bool = True) -> None:
    """Write a record as Parquet, a row group for each block of `BLOCK` cells.

    Within a block, changes are in the order of rows, columns, members and years.

    Parameters
    ----------
    record : of some walks
    path : of the file
    by_member : whether to say whose change it is; not where there is one walk
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    named = {name: column for name, column in _COLUMNS.items() if by_member or name != "member"}
    about = {"block": str(BLOCK), **({"members": str(len(record.walks))} if by_member else {})}
    schema = pa.schema([(name, pa.type_for_alias(kind)) for name, (_, kind) in named.items()], about)
    with pq.ParquetWriter(
        path,
        schema,
        compression="zstd",
        use_dictionary=[name for name in named if name not in _RISING],
        column_encoding=dict.fromkeys(_RISING, "DELTA_BINARY_PACKED"),
    ) as writer:
        for rows in record.bands(BLOCK):
            for block in record.split(rows, BLOCK):
                if block.size:
                    table = {name: getattr(block, of).astype(kind) for name, (of, kind) in named.items()}
                    writer.write_table(pa.table(table, schema))
