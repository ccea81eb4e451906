"""Searches of the embedded store look where few candidates are, or walk an index that has them in order."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from catalog.query.queryables import QUERYABLES
from catalog.sqlite.functions import add_functions, naming_places
from catalog.sqlite.selection import select_items
from catalog.sqlite.store import SqliteStore
from catalog.store import ANONYMOUS, OWNER, Query, Reader
from tests.catalog.asking import COLLECTION

MANY = 2100  # more than a search looks up one by one


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    path = tmp_path_factory.mktemp("plans") / "catalog.sqlite"
    point = {"type": "Point", "coordinates": [0.5, 0.5]}

    def item(number: int) -> dict[str, Any]:
        # Half of the items are alike; each of the others is one of its kind.
        rare = number % 2 == 0
        place = number / 100 if rare else 0.5
        properties = {
            "datetime": f"{2000 + number % 20}-01-01T00:00:00Z",
            "landscape:id": f"l{number}" if rare else "valley",
            "gsd": number if rare else 30,
            "title": f"rare{number}" if rare else "common",
        }
        return {
            "type": "Feature",
            "id": f"i{number}",
            "collection": "land-cover",
            "geometry": {**point, "coordinates": [place, 0.5]},
            "bbox": [place, 0.5, place, 0.5],
            "properties": properties,
            "assets": {},
            "links": [],
        }

    with closing(SqliteStore(path)) as store:
        store.put_collection(COLLECTION)
        store.put_items(map(item, range(2 * MANY)))
    with closing(sqlite3.connect(path)) as found:
        add_functions(found)
        yield found


def explain(connection: sqlite3.Connection, reader: Reader = OWNER, **fields: Any) -> str:
    """How the first statement of a search is run."""
    with naming_places() as register:
        selection = select_items(connection, Query(**fields), reader, register)
        sql, values = next(selection.statements())
        return "; ".join(row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", values))


@pytest.mark.parametrize(
    ("fields", "index"),
    [
        ({}, "items_by_time"),
        ({"collections": ("land-cover",)}, "items_by_collection_and_time"),
        ({"sortby": ("datetime",)}, "items_by_time"),
        ({"sortby": ("-id",)}, "items_by_id"),
        ({"sortby": ("gsd",)}, "items_by_gsd"),
        ({"sortby": ("-landscape:id",)}, "items_by_landscape:id"),
        ({"filter": "landscape:id = 'valley'"}, "items_by_landscape:id"),
        ({"filter": "gsd = 30 AND title = 'common'"}, "items_by_gsd"),
        ({"filter": "gsd <= 30 OR gsd > 40"}, "items_by_time"),
        ({"bbox": (0, 0, 1, 1)}, "items_by_time"),
        ({"bbox": (0, 0, 1, 1), "collections": ("land-cover",)}, "items_by_collection_and_time"),
        ({"filter": "S_INTERSECTS(geometry, BBOX(0, 0, 1, 1))"}, "items_by_time"),
        ({"q": ("common",)}, "items_by_time"),
    ],
)
@pytest.mark.parametrize("reader", [OWNER, ANONYMOUS])
def test_many_candidates_are_walked_in_order(
    connection: sqlite3.Connection, reader: Reader, fields: dict[str, Any], index: str
) -> None:
    plan = explain(connection, reader, **fields)
    assert re.search(rf"INDEX {index}( |;|$)", plan), plan
    assert "TEMP B-TREE" not in plan, plan


@pytest.mark.parametrize(
    ("fields", "looked_up"),
    [
        ({"ids": ("i0", "i2")}, "INDEX items_by_id (id=?"),
        ({"filter": "landscape:id = 'l4'"}, "INDEX items_by_landscape:id (landscape:id=?"),
        ({"filter": "'l4' = landscape:id AND title <> 'x'"}, "INDEX items_by_landscape:id (landscape:id=?"),
        ({"filter": "gsd > 4000"}, "INDEX items_by_gsd (gsd>?"),
        ({"filter": "gsd BETWEEN 3000 AND 3050", "sortby": ("title",)}, "INDEX items_by_gsd (gsd>? AND gsd<?"),
        ({"filter": "gsd IN (2, 4, 6)"}, "INDEX items_by_gsd (gsd=?"),
        ({"bbox": (10, 0, 11, 1)}, "VIRTUAL TABLE INDEX"),
        ({"filter": "S_WITHIN(geometry, BBOX(10, 0, 11, 1))"}, "VIRTUAL TABLE INDEX"),
        ({"q": ("rare4",)}, "VIRTUAL TABLE INDEX"),
        ({"bbox": (0, 0, 30, 1), "filter": "gsd = 4", "sortby": ("id",)}, "INDEX items_by_gsd (gsd=?"),
    ],
)
def test_few_candidates_are_looked_up(connection: sqlite3.Connection, fields: dict[str, Any], looked_up: str) -> None:
    plan = explain(connection, **fields)
    assert looked_up in plan, plan
    assert not plan.startswith("SCAN i "), plan


@pytest.mark.parametrize("name", QUERYABLES)
def test_every_declared_property_is_looked_up(connection: sqlite3.Connection, name: str) -> None:
    literal = "TIMESTAMP('2000-01-01T00:00:00Z')" if QUERYABLES[name].kind == "time" else "'x'"
    assert f"INDEX items_by_{name} ({name}=?" in explain(connection, filter=f'"{name}" = {literal}')


def test_the_next_page_is_looked_up(connection: sqlite3.Connection) -> None:
    from catalog.query.ordering import order_items
    from catalog.query.tokens import encode_token

    for sortby, index, position in (
        ((), "items_by_time (sorted_at<?", [10**15, "i5", "land-cover"]),
        (("gsd",), "items_by_gsd (gsd>?", [30, 10**15, "i5", "land-cover"]),
        (("-gsd",), "items_by_gsd (gsd>? AND gsd<?", [30, 10**15, "i5", "land-cover"]),
    ):
        order = order_items(Query(sortby=sortby).sortby)
        plan = explain(connection, sortby=sortby, token=encode_token(order, position))
        assert index in plan, plan
        assert "TEMP B-TREE" not in plan, plan
