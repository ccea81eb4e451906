"""The six collections of a commons are valid and say whose they are."""

from __future__ import annotations

import pytest

from catalog.collections import make_collections, widen_extent
from tests.catalog.conftest import MakeItem
from tests.catalog.stac_validation import find_faults

COLLECTIONS = make_collections(
    name="Valley Commons", licence="CC-BY-4.0", contact="team@valley.example", access="partners"
)


@pytest.mark.parametrize("collection", COLLECTIONS, ids=lambda each: each["id"])
def test_every_collection_is_valid(collection: dict) -> None:
    assert find_faults(collection) == []
    assert collection["license"] == "CC-BY-4.0"
    assert collection["landscape:access"] == "partners"
    assert collection["providers"] == [{"name": "Valley Commons", "roles": ["host"]}]
    assert collection["contacts"][0]["emails"] == [{"value": "team@valley.example"}]


def test_their_names() -> None:
    assert [each["id"] for each in COLLECTIONS] == [
        "landscapes",
        "land-cover",
        "drivers",
        "vectors",
        "runs",
        "run-maps",
    ]


def test_a_contact_that_is_no_address() -> None:
    (contact,) = make_collections(name="V", contact="Ada, Valley office")[0]["contacts"]
    assert contact == {"name": "Ada, Valley office", "roles": ["contact"]}
    assert "contacts" not in make_collections(name="V")[0]


def test_the_extent_grows_with_the_items(make_item: MakeItem) -> None:
    years = {"start_datetime": "1985-01-01T00:00:00Z", "end_datetime": "1985-12-31T23:59:59Z"}
    first = widen_extent(COLLECTIONS[1], [make_item(box=(10, 50, 11, 51))])
    both = widen_extent(first, [make_item(box=(9, 49, 10, 52), datetime="1985-01-01T00:00:00Z", **years)])
    assert first["extent"]["spatial"]["bbox"] == [[10, 50, 11, 51]]
    assert both["extent"]["spatial"]["bbox"] == [[9, 49, 11, 52]]
    assert both["extent"]["temporal"]["interval"] == [["1985-01-01T00:00:00Z", "2000-01-01T00:00:00Z"]]
    assert COLLECTIONS[1]["extent"]["spatial"]["bbox"] == [[-180, -90, 180, 90]]
    assert find_faults(both) == []


def test_no_items_no_change() -> None:
    assert widen_extent(COLLECTIONS[1], []) == COLLECTIONS[1]


def test_items_across_the_antimeridian(make_item: MakeItem) -> None:
    fiji = make_item(box=(177, -20, -178, -15))
    assert widen_extent(COLLECTIONS[1], [fiji])["extent"]["spatial"]["bbox"] == [[177, -20, -178, -15]]
    both = widen_extent(COLLECTIONS[1], [fiji, make_item(box=(0, 0, 1, 1))])
    assert both["extent"]["spatial"]["bbox"] == [[-180, -20, 180, 1]]
