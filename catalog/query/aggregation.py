"""What is told of items that match a query, in place of the items."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from catalog.errors import InvalidQuery

AGGREGATIONS: Final = {
    "total_count": "integer",
    "datetime_min": "datetime",
    "datetime_max": "datetime",
    "collection_frequency": "string",
    "datetime_frequency_year": "interval_year",
    "datetime_frequency_month": "interval_month",
}
"""Name to data type. Frequencies are counts by bucket; the datetime is what items are ordered by."""


@dataclass(frozen=True)
class Aggregation:
    """One figure, or counts by bucket.

    Attributes
    ----------
    name : str
        Of `AGGREGATIONS`.
    value : int, str or None
        The figure: a count, or a time in RFC 3339; None where nothing matches, and for frequencies.
    buckets : tuple of (str, int) or None
        Keys and counts, by key: ids of collections, or the first moments of years or months. None for figures.
    """

    name: str
    value: int | str | None = None
    buckets: tuple[tuple[str, int], ...] | None = None

    def to_json(self) -> dict[str, Any]:
        """Return it as the aggregation extension of the STAC API has it."""
        data_type = AGGREGATIONS[self.name]
        if self.buckets is None:
            return {"name": self.name, "data_type": data_type, "value": self.value}
        buckets = [{"key": key, "data_type": data_type, "frequency": count} for key, count in self.buckets]
        return {"name": self.name, "data_type": data_type, "buckets": buckets, "overflow": 0}


def check_names(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names of aggregations, each once. Raises InvalidQuery for one that there is not."""
    found = tuple(dict.fromkeys(names))
    if unknown := [name for name in found if name not in AGGREGATIONS]:
        raise InvalidQuery(f"There is no aggregation {unknown[0]!r:.80}: take of {', '.join(AGGREGATIONS)}.")
    return found
