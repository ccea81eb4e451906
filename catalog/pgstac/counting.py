"""Aggregations over the tables of pgSTAC."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from catalog.pgstac.selection import PgSelection
from catalog.query.aggregation import Aggregation

if TYPE_CHECKING:
    from psycopg import Connection

_BUCKETS: Final = {
    "collection_frequency": 'i.collection COLLATE "C"',
    "datetime_frequency_year": "to_char(i.datetime, 'YYYY-01-01\"T00:00:00Z\"')",
    "datetime_frequency_month": "to_char(i.datetime, 'YYYY-MM-01\"T00:00:00Z\"')",
}
_FIGURES: Final = {"total_count": "count(*)", "datetime_min": "min(i.datetime)", "datetime_max": "max(i.datetime)"}


def aggregate(connection: Connection[Any], selection: PgSelection, name: str) -> Aggregation:
    """Compute one aggregation of `catalog.query.aggregation.AGGREGATIONS` over selected items."""
    if name in _BUCKETS:
        rows = connection.execute(*selection.count(f"{_BUCKETS[name]}, count(*)", "GROUP BY 1 ORDER BY 1")).fetchall()
        return Aggregation(name, buckets=tuple((str(key), int(count)) for key, count in rows))
    (figure,) = connection.execute(*selection.count(_FIGURES[name])).fetchone() or (None,)
    if isinstance(figure, datetime):
        return Aggregation(name, figure.astimezone(UTC).isoformat().replace("+00:00", "Z"))
    return Aggregation(name, figure)
