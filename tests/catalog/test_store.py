"""Queries say what is wrong with them."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone

import pytest

from catalog.errors import InvalidQuery
from catalog.store import ANONYMOUS, OWNER, Query, Reader

POINT = {"type": "Point", "coordinates": [1.0, 2.0]}
DAY = datetime(2000, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"limit": 0}, "limit is 0: give a whole number from 1 to 10,000"),
        ({"limit": 10_001}, "limit is 10001"),
        ({"limit": 2.5}, "limit is 2.5"),
        ({"limit": True}, "limit is True"),
        ({"collections": "land-cover"}, "collections is 'land-cover': give a list"),
        ({"ids": [""]}, "every identifier"),
        ({"ids": ["\ud800"]}, "every identifier"),
        ({"ids": 7}, "give a list"),
        ({"bbox": (1, 2, 3)}, "give four numbers"),
        ({"bbox": (1, 2, 3, "x")}, "give four numbers"),
        ({"bbox": (1, 2, 3, math.nan)}, "finite"),
        ({"bbox": (1, 2, 3, 91)}, "latitudes from -90 to 90"),
        ({"bbox": (500_000, 0, 500_030, 30)}, "projected CRS"),
        ({"bbox": (1, 5, 3, 2)}, "south 5.0 lies above north 2.0"),
        ({"bbox": (1, 2, 3, 4), "intersects": POINT}, "both given"),
        ({"intersects": {"type": "Feature", "geometry": POINT}}, "of type 'Feature'"),
        ({"intersects": {"type": "Point"}}, "cannot be searched"),
        ({"intersects": {"type": "Polygon", "coordinates": []}}, "it is empty"),
        ({"intersects": {"type": "Point", "coordinates": [math.inf, 0]}}, "cannot be searched"),
        ({"intersects": {"type": "Polygon", "coordinates": [[[0, 0], [1, 1]]]}}, "cannot be searched"),
        ({"intersects": [1]}, "of type None"),
        ({"datetime": DAY}, "a start and an end"),
        ({"datetime": (DAY, "2001")}, "datetime objects"),
        ({"datetime": (DAY + timedelta(days=1), DAY)}, "after its end"),
        ({"q": "forest"}, "give a list"),
        ({"q": [" "]}, "at most 20 words"),
        ({"q": ["x" * 201]}, "of 200 characters"),
        ({"sortby": "gsd"}, "give a list of fields"),
        ({"sortby": [5]}, "give a list of fields|at most 8"),
        ({"sortby": ["gsd"] * 9}, "at most 8"),
        ({"sortby": ["-"]}, "no name of a property"),
        ({"sortby": ['a"b']}, "no name of a property"),
        ({"filter": "gsd ="}, "is not CQL2"),
        ({"filter": ""}, "is not CQL2"),
        ({"filter": 5}, "give CQL2"),
        ({"filter": {"op": "="}}, "is not CQL2"),
        ({"filter": {"op": "=", "args": [{"property": "a"}]}}, "'=' with 1 arguments: it takes 2"),
        ({"filter": {"op": "and", "args": []}}, "'and' of nothing"),
        ({"filter": {"op": "=", "args": [{"property": "a"}, math.nan]}}, "is not JSON"),
        ({"filter": {"op": "=", "args": [{"property": "a"}, "\ud800"]}}, "is not"),
        ({"filter": "sleep(5) = 1"}, "'sleep', which is no operator here"),
        ({"filter": "gsd"}, "the property 'gsd' where a condition belongs"),
        ({"filter": "gsd + 1"}, "'\\+' where a condition belongs"),
        ({"filter": "gsd LIKE 5"}, "5.0 where a text or a property belongs"),
        ({"filter": "gsd = TIMESTAMP('yesterday')"}, "the time 'yesterday'|is not CQL2"),
        ({"filter": "T_AFTER(datetime, 5)"}, "5.0 where a time"),
        ({"filter": "S_INTERSECTS(geometry, BBOX(0, 9, 1, 2))"}, "south 9.0 lies above north"),
        ({"filter": '"a\'b" = 1 AND "x""y" = 1'}, "is not CQL2|no name"),
        ({"filter": "(" * 2000 + "a=1" + ")" * 2000}, "nested too deeply"),
        ({"filter": "a = " + "-" * 3000 + "1"}, "nested too deeply"),
        ({"filter": "a = '" + "x" * 10_000 + "'"}, "too long"),
        ({"filter": " AND ".join(["a=1"] * 600)}, "more than 2,000 parts"),
        ({"datetime": (datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=9))), None)}, "years 1 to 9999"),
    ],
)
def test_what_makes_no_sense(fields: dict, message: str) -> None:
    with pytest.raises(InvalidQuery, match=message):
        Query(**fields)


def test_values_are_normalised() -> None:
    query = Query(collections=["a"], bbox=[1, 2, 3, 4], datetime=[datetime(2000, 1, 1), None])  # noqa: DTZ001
    assert query.collections == ("a",)
    assert query.bbox == (1.0, 2.0, 3.0, 4.0)
    assert query.datetime == (DAY, None)
    assert Query(bbox=(170, 0, -170, 5)).bbox == (170.0, 0.0, -170.0, 5.0)


def test_readers() -> None:
    assert OWNER.may_see("secret")
    assert ANONYMOUS.may_see("public")
    assert not ANONYMOUS.may_see("partners")
    assert Reader("ada", frozenset({"public", "partners"})).may_see("partners")
