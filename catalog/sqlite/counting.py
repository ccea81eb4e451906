"""Aggregations over the tables of the embedded store."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from typing import Final

from catalog.query.aggregation import Aggregation
from catalog.sqlite.selection import Selection

_SECOND: Final = 1_000_000
_FIGURES: Final = {
    "total_count": "count(*)",
    "datetime_min": "min(i.sorted_at)",
    "datetime_max": "max(i.sorted_at)",
}
# The seconds are rounded down before 1970 too, as a plain division would not.
_MOMENT: Final = f"(i.sorted_at - ((i.sorted_at % {_SECOND}) + {_SECOND}) % {_SECOND}) / {_SECOND}"
_BUCKETS: Final = {
    "collection_frequency": "i.collection",
    "datetime_frequency_year": f"strftime('%Y-01-01T00:00:00Z', {_MOMENT}, 'unixepoch')",
    "datetime_frequency_month": f"strftime('%Y-%m-01T00:00:00Z', {_MOMENT}, 'unixepoch')",
}


def aggregate(connection: sqlite3.Connection, selection: Selection, name: str) -> Aggregation:
    """Compute one aggregation of `catalog.query.aggregation.AGGREGATIONS` over selected items."""
    if name in _BUCKETS:
        rows = connection.execute(*selection.count(f"{_BUCKETS[name]}, count(*)", "GROUP BY 1 ORDER BY 1"))
        return Aggregation(name, buckets=tuple(rows.fetchall()))
    (figure,) = connection.execute(*selection.count(_FIGURES[name])).fetchone()
    if name == "total_count" or figure is None:
        return Aggregation(name, figure)
    return Aggregation(name, _write_time(figure))


def _write_time(microseconds: int) -> str:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
    return moment.isoformat().replace("+00:00", "Z")
