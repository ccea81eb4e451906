"""A query as SQL over the tables of the embedded store, and the tokens that page through it."""

from __future__ import annotations

import base64
import json
import sqlite3
from collections.abc import Iterator
from typing import Any, Final

import orjson

from catalog.errors import InvalidQuery, InvalidToken
from catalog.footprints import Place
from catalog.index import microseconds
from catalog.store import Query, Reader

# With more candidates than this in its box, a search walks the items by time and checks each one's box.
_FEW_CANDIDATES: Final = 2000
_IN_BOX: Final = "west <= ? AND east >= ? AND south <= ? AND north >= ?"
_LISTED: Final = "IN (SELECT value FROM json_each(?))"

Condition = tuple[str, list[Any]]
Position = tuple[int, str, str]


def read_place(query: Query) -> Place | None:
    """Return the place a query asks for, None if it asks for none."""
    if query.bbox is None and query.intersects is None:
        return None
    try:
        return Place(query.bbox, query.intersects)
    except ValueError as error:
        raise InvalidQuery(f"The place cannot be searched: {error}.") from None


def select_items(
    connection: sqlite3.Connection, query: Query, place: Place | None, reader: Reader
) -> tuple[str, list[Any]]:
    """Write the SQL of a search: a superset of what matches in space, in order, without a limit."""
    conditions = [*_match_names(query), *_match_time(query), *_match_access(reader), *_match_token(query)]
    narrow = query.ids is not None
    if place is not None:
        few = _has_few_candidates(connection, place)
        conditions.append(_match_tree(place) if few else _match_boxes(place))
        narrow = narrow or few
    where = " AND ".join(f"({text})" for text, _ in conditions) or "1"
    # "+" keeps SQLite from walking all items in order where few candidates are known by key.
    first = "+i.sorted_at" if narrow else "i.sorted_at"
    columns = "i.sorted_at, i.id, i.collection, i.west, i.south, i.east, i.north, i.document"
    order = f"{first} DESC, i.id, i.collection"
    sql = f"SELECT {columns} FROM items i WHERE {where} ORDER BY {order}"  # noqa: S608  (values are bound)
    return sql, [value for _, values in conditions for value in values]


def _match_names(query: Query) -> Iterator[Condition]:
    if query.collections is not None and len(query.collections) == 1:
        yield "i.collection = ?", [query.collections[0]]
    elif query.collections is not None:
        yield f"i.collection {_LISTED}", [json.dumps(query.collections)]
    if query.ids is not None:
        yield f"i.id {_LISTED}", [json.dumps(query.ids)]


def _match_time(query: Query) -> Iterator[Condition]:
    start, end = query.datetime or (None, None)
    if start is not None:
        yield "i.ends >= ?", [microseconds(start)]
    if end is not None:
        yield "i.starts <= ?", [microseconds(end)]


def _match_access(reader: Reader) -> Iterator[Condition]:
    if not reader.sees_all:
        labels = json.dumps(sorted(reader.access))
        yield f"+i.access {_LISTED}", [labels]
        yield f"+i.collection IN (SELECT id FROM collections WHERE access {_LISTED})", [labels]  # noqa: S608


def _match_token(query: Query) -> Iterator[Condition]:
    if query.token is not None:
        at, item_id, collection = decode_token(query.token)
        yield (
            "i.sorted_at <= ? AND (i.sorted_at < ? OR (i.id, i.collection) > (?, ?))",
            [at, at, item_id, collection],
        )


def _match_tree(place: Place) -> Condition:
    text = " OR ".join([_IN_BOX] * len(place.boxes))
    return f"i.key IN (SELECT key / 2 FROM footprints WHERE {text})", _box_values(place)  # noqa: S608


def _match_boxes(place: Place) -> Condition:
    one = (
        "i.south <= ? AND i.north >= ? AND CASE WHEN i.west <= i.east THEN i.west <= ? AND i.east >= ? "
        "ELSE i.west <= ? OR i.east >= ? END"
    )
    values = [value for west, south, east, north in place.boxes for value in (north, south, east, west, east, west)]
    return " OR ".join([f"({one})"] * len(place.boxes)), values


def _box_values(place: Place) -> list[float]:
    return [value for west, south, east, north in place.boxes for value in (east, west, north, south)]


def _has_few_candidates(connection: sqlite3.Connection, place: Place) -> bool:
    text = " OR ".join([_IN_BOX] * len(place.boxes))
    sql = f"SELECT count(*) FROM (SELECT 1 FROM footprints WHERE {text} LIMIT {_FEW_CANDIDATES + 1})"  # noqa: S608
    return bool(connection.execute(sql, _box_values(place)).fetchone()[0] <= _FEW_CANDIDATES)


def encode_token(position: Position) -> str:
    """Write the place of the last item of a page (time, id, collection) as an opaque token."""
    return base64.urlsafe_b64encode(orjson.dumps(position)).decode().rstrip("=")


def decode_token(token: str) -> Position:
    """Read a token that `encode_token` wrote. Raises InvalidToken."""
    try:
        padded = token.encode("ascii") + b"=" * (-len(token) % 4)
        match orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True)):
            case [int(at), str(item_id), str(collection)] if -(2**63) <= at < 2**63:
                return at, item_id, collection
    except ValueError:
        pass
    raise InvalidToken(f"The token {token[:80]!r} is not one of ours: begin again without a token.")
