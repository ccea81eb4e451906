"""The properties that a commons declares for filters and orders, and what a store keeps of each."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson

Value = str | int | float | bytes | None
"""What a store compares: numbers come before texts, texts before bytes; truth values and lists are bytes."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_LARGEST: Final = 2**63
_WORD: Final = re.compile(r"[^\W_]+")
TRUE, FALSE = b"\x01", b"\x00"


@dataclass(frozen=True)
class Queryable:
    """A property of items that can be searched by an index.

    Parameters
    ----------
    title : str
    kind : str
        ``text``, ``number``, ``integer``, ``boolean`` or ``time``. A time is compared as a moment, however written.
    collections : frozenset of str
        The collections of a commons whose items have it; empty: all.
    """

    title: str
    kind: str
    collections: frozenset[str] = frozenset()

    def to_schema(self) -> dict[str, Any]:
        """Return it as JSON Schema."""
        if self.kind == "time":
            return {"title": self.title, "type": "string", "format": "date-time"}
        return {"title": self.title, "type": "string" if self.kind == "text" else self.kind}


_MAPS: Final = frozenset({"land-cover", "drivers", "run-maps"})
_RUNS: Final = frozenset({"runs", "run-maps"})
QUERYABLES: Final[dict[str, Queryable]] = {
    "landscape:id": Queryable("Landscape", "text"),
    "landscape:layer": Queryable("Name of the layer", "text", _MAPS | {"runs"}),
    "landscape:product": Queryable("Product that the layer was taken from", "text", _MAPS - {"run-maps"}),
    "landscape:synthetic": Queryable("Generated, not observed", "boolean"),
    "scenario:id": Queryable("Scenario", "text", _RUNS),
    "scenario:run": Queryable("Run", "text", _RUNS),
    "scenario:parent": Queryable("Scenario that this one extends", "text", _RUNS),
    "scenario:horizon_years": Queryable("Years projected", "integer", _RUNS),
    "gsd": Queryable("Edge of a cell in metres", "number", _MAPS),
    "proj:code": Queryable("Projection", "text"),
    "version": Queryable("Version", "text"),
    "deprecated": Queryable("Replaced by a later version", "boolean"),
    "created": Queryable("When the metadata were made", "time"),
    "updated": Queryable("When the metadata were last changed", "time"),
    "eo:cloud_cover": Queryable("Cloud cover in percent", "number", _MAPS - {"run-maps"}),
}
"""Name of the property to what it is. A store has an index for each."""


def find_property(holder: Any, name: str) -> Any:
    """Return the value of a property, None if there is none. Dots lead into objects."""
    for part in name.split("."):
        holder = holder.get(part) if isinstance(holder, Mapping) else None
    return holder


def comparable(value: Any) -> Value:
    """Return a JSON value as stores compare it: of two kinds, none is equal to the other."""
    if isinstance(value, bool):
        return TRUE if value else FALSE
    if isinstance(value, int) and not -_LARGEST <= value < _LARGEST:
        return float(value) if abs(value) < 10**300 else str(value)
    if value is None or isinstance(value, str | int | float):
        return value
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def read_time(text: object) -> int | None:
    """Return the microseconds from 1970 to a time in RFC 3339, None where it is none."""
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
        return microseconds(moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment)
    except ValueError:
        return None


def microseconds(moment: datetime) -> int:
    """Return the microseconds from 1970 to a moment, exactly."""
    return (moment - _EPOCH) // _MICROSECOND


def index_property(name: str, value: Any) -> Value:
    """Return what a store keeps of a declared property."""
    if QUERYABLES[name].kind == "time" and (moment := read_time(value)) is not None:
        return moment
    return comparable(value)


def list_words(document: Mapping[str, Any]) -> str:
    """Return the texts of an item or a collection that a free-text search looks into."""
    properties = document.get("properties")
    holder = properties if isinstance(properties, Mapping) else document
    keywords = holder.get("keywords")
    texts = [document.get("id"), holder.get("title"), holder.get("description")]
    texts += keywords if isinstance(keywords, list) else []
    return "\n".join(text for text in texts if isinstance(text, str))


def mentions(text: str, terms: Iterable[str]) -> bool:
    """Tell whether a text has one of these words or phrases, whatever the case and the accents."""
    found = f" {' '.join(_words(text))} "
    return any(f" {' '.join(words)} " in found for term in terms if (words := _words(term)))


def fold_accents(text: str) -> str:
    """Return a text without accents."""
    return "".join(char for char in unicodedata.normalize("NFD", text) if not unicodedata.combining(char))


def _words(text: str) -> list[str]:
    return _WORD.findall(fold_accents(text).casefold())
