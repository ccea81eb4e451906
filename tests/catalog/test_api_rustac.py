"""The STAC API as rustac, a client in Rust, searches it: its own HTTP, JSON and paging."""

from __future__ import annotations

import pytest
import rustac

from tests.catalog.service import Api


@pytest.mark.parametrize(
    ("asked", "years"),
    [
        ({"limit": 4}, [2024 - n for n in range(25)]),
        ({"bbox": [3.1, 3.1, 5.1, 5.1]}, [2005, 2004, 2003]),
        ({"datetime": "2003-01-01T00:00:00Z/2004-12-31T00:00:00Z"}, [2004, 2003]),
        ({"ids": ["valley-2007", "valley-2001"]}, [2007, 2001]),
        ({"filter": "id = 'valley-2003' OR id = 'valley-2005'", "sortby": "id"}, [2003, 2005]),
        ({"filter": {"op": "=", "args": [{"property": "id"}, "valley-2003"]}}, [2003]),
        ({"query": {"id": {"startsWith": "valley-202"}}, "sortby": "-id"}, [2024, 2023, 2022, 2021, 2020]),
        ({"intersects": {"type": "Point", "coordinates": [9.2, 9.2]}}, [2009]),
    ],
)
def test_rustac_finds_what_there_is(api: Api, asked: dict, years: list[int]) -> None:
    found = rustac.search_sync(f"{api.url}/stac", collections=["land-cover"], **asked)
    assert [item["id"] for item in found] == [f"valley-{year}" for year in years]
