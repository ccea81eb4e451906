"""What every catalog store must find: filters, orders, words, fields, collections and counts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import cql2
import pytest

from catalog.errors import InvalidQuery, InvalidToken
from catalog.store import ANONYMOUS, OWNER, CatalogStore, Fields, Query
from tests.catalog.asking import PARTNER, ids
from tests.catalog.conftest import MakeItem

# name: box, datetime, properties
ITEMS: dict[str, tuple[tuple[float, float, float, float], str, dict[str, Any]]] = {
    "ash": ((0, 0, 1, 1), "1990-01-01T00:00:00Z", {"gsd": 10, "landscape:id": "valley", "note": "old 100%"}),
    "birch": ((2, 0, 3, 1), "2000-06-01T00:00:00Z", {"gsd": 30, "landscape:id": "delta", "note": "Old_school"}),
    "cedar": ((4, 0, 5, 1), "2000-06-01T00:00:00Z", {"gsd": 30.5, "landscape:id": "valley", "deprecated": True}),
    "date": ((6, 0, 7, 1), "2010-03-01T00:00:00Z", {"landscape:id": "delta", "deprecated": False, "rank": 5}),
    "elm": ((8, 0, 9, 1), "2015-12-31T23:59:59Z", {"gsd": 250, "rank": 7, "note": "it's 'quoted'"}),
}
ALL = "ash birch cedar date elm"


class QueryContract:
    """The part of the contract that is about finding. The fixture `store` holds the collection land-cover."""

    @pytest.fixture
    def grove(self, store: CatalogStore, make_item: MakeItem) -> CatalogStore:
        items = [make_item(name, box, moment) for name, (box, moment, _) in ITEMS.items()]
        for item, (_, moment, properties) in zip(items, ITEMS.values(), strict=True):
            item["properties"] = {"datetime": moment, **properties}
        store.put_items(items)
        return store

    @pytest.mark.parametrize(
        ("text", "names"),
        [
            ("gsd = 30", "birch"),
            ("30 = gsd", "birch"),
            ("gsd <> 30", "ash cedar elm"),
            ("gsd < 30", "ash"),
            ("gsd <= 30", "ash birch"),
            ("gsd > 30", "cedar elm"),
            ("30 <= gsd", "birch cedar elm"),
            ("properties.gsd = 10", "ash"),
            ("gsd BETWEEN 10 AND 30", "ash birch"),
            ("gsd NOT BETWEEN 10 AND 30", "cedar elm"),
            ("gsd IN (10, 250, 999)", "ash elm"),
            ("NOT gsd IN (10, 250)", "birch cedar"),
            ("gsd IS NULL", "date"),
            ("gsd IS NOT NULL", "ash birch cedar elm"),
            ("landscape:id = 'valley'", "ash cedar"),
            ("landscape:id = 'Valley'", ""),
            ("landscape:id > 'e'", "ash cedar"),
            ("note = 'it''s ''quoted'''", "elm"),
            ("note = '\"; DROP TABLE items; --'", ""),
            ("deprecated = true", "cedar"),
            ("deprecated = false", "date"),
            ("deprecated <> true", "date"),
            ("gsd = 30 AND landscape:id = 'delta'", "birch"),
            ("gsd = 10 OR rank = 7", "ash elm"),
            ("NOT (gsd = 10 OR gsd = 250)", "birch cedar"),
            ("NOT (gsd = 10 OR rank = 7)", ""),  # what is not there is neither so nor not so
            ("(gsd = 10 OR gsd = 30) AND NOT landscape:id = 'valley'", "birch"),
            ("id = 'ash' OR id IN ('elm')", "ash elm"),
            ("collection = 'land-cover'", ALL),
            ("collection <> 'land-cover'", ""),
            ("absent = 1", ""),
            ("true", ALL),
            ("false", ""),
            ("gsd + 5 = 35", "birch"),
            ("gsd / 10 > rank + 10", "elm"),
            ("rank ^ 2 = 49", "elm"),
            ("note LIKE 'old%'", "ash"),
            ("note LIKE 'Old_school'", "birch"),
            ("note LIKE 'old 100\\%'", "ash"),
            ("note NOT LIKE 'old%'", "birch elm"),
            ("casei(note) LIKE casei('OLD%')", "ash birch"),
            ("casei(landscape:id) = casei('VALLEY')", "ash cedar"),
            ("datetime = TIMESTAMP('2000-06-01T00:00:00Z')", "birch cedar"),
            ("datetime > TIMESTAMP('2000-06-01T02:00:00+02:00')", "date elm"),
            ("datetime >= DATE('2000-06-01') AND datetime < DATE('2011-01-01')", "birch cedar date"),
            ("datetime BETWEEN DATE('1990-01-01') AND TIMESTAMP('2000-12-31T00:00:00Z')", "ash birch cedar"),
            ("T_AFTER(datetime, TIMESTAMP('2010-03-01T00:00:00Z'))", "elm"),
            ("T_BEFORE(datetime, TIMESTAMP('2000-06-01T00:00:00Z'))", "ash"),
            ("T_DURING(datetime, INTERVAL('2000-01-01T00:00:00Z', '2012-01-01T00:00:00Z'))", "birch cedar date"),
            ("T_INTERSECTS(datetime, INTERVAL('..', '2000-06-01T00:00:00Z'))", "ash birch cedar"),
            ("S_INTERSECTS(geometry, BBOX(2.5, 0.5, 4.5, 0.6))", "birch cedar"),
            ("S_INTERSECTS(geometry, POINT(8.5 0.5))", "elm"),
            ("S_INTERSECTS(geometry, POLYGON((0 0, 2.5 0, 2.5 1, 0 0)))", "ash birch"),
            ("S_WITHIN(geometry, POLYGON((-1 -1, 3.5 -1, 3.5 2, -1 2, -1 -1)))", "ash birch"),
            ("S_DISJOINT(geometry, BBOX(-1, -1, 5.5, 2))", "date elm"),
            ("S_INTERSECTS(geometry, BBOX(0, 0, 9, 1)) AND gsd = 10", "ash"),
            ("S_INTERSECTS(geometry, BBOX(0, 0, 1, 1)) OR gsd = 250", "ash elm"),
            ("NOT S_INTERSECTS(geometry, BBOX(0, 0, 5, 1))", "date elm"),
        ],
    )
    def test_by_filter(self, grove: CatalogStore, text: str, names: str) -> None:
        assert sorted(ids(grove, filter=text)) == names.split()
        as_json = cql2.parse_text(text).to_json()
        if isinstance(as_json, dict):
            assert sorted(ids(grove, filter=as_json)) == names.split()

    def test_a_filter_narrows_what_else_is_asked(self, grove: CatalogStore) -> None:
        assert ids(grove, filter="gsd >= 30", bbox=(0, 0, 5, 1)) == ["birch", "cedar"]
        assert ids(grove, filter="gsd >= 30", datetime=(datetime(2012, 1, 1, tzinfo=UTC), None)) == ["elm"]
        assert ids(grove, filter="gsd >= 30", ids=("ash", "elm"), limit=1) == ["elm"]
        assert ids(grove, filter="gsd >= 30", collections=("drivers",)) == []

    def test_a_filter_does_not_show_what_is_hidden(self, store: CatalogStore, make_item: MakeItem) -> None:
        store.put_items([make_item("open"), make_item("secret", **{"landscape:access": "partners"})])
        for text in ("true", "landscape:id = 'valley' OR true", "id = 'secret' OR id = 'open'"):
            assert ids(store, ANONYMOUS, filter=text) == ["open"]
            assert ids(store, PARTNER, filter=text) == ["open", "secret"]

    @pytest.mark.parametrize("limit", [1, 2, 3, 100])
    @pytest.mark.parametrize(
        ("order", "names"),
        [
            (("id",), "ash birch cedar date elm"),
            (("-id",), "elm date cedar birch ash"),
            (("datetime", "id"), "ash birch cedar date elm"),
            (("-datetime", "-id"), "elm date cedar birch ash"),
            (("+properties.datetime", "-id"), "ash cedar birch date elm"),
            (("landscape:id", "-gsd"), None),
            (("gsd",), None),
            (("-gsd",), None),
            (("rank", "id"), None),
            (("-deprecated", "rank", "-note"), None),
        ],
    )
    def test_orders(self, grove: CatalogStore, order: tuple[str, ...], names: str | None, limit: int) -> None:
        found = ids(grove, sortby=order, limit=limit)
        assert sorted(found) == ALL.split(), "each item is found once"
        if names is not None:
            assert found == names.split()

    @pytest.mark.parametrize("limit", [1, 2, 100])
    def test_orders_by_a_property_that_some_lack(self, grove: CatalogStore, limit: int) -> None:
        with_gsd = "gsd IS NOT NULL"
        assert ids(grove, sortby=("gsd",), filter=with_gsd, limit=limit) == ["ash", "birch", "cedar", "elm"]
        assert ids(grove, sortby=("-gsd",), filter=with_gsd, limit=limit) == ["elm", "cedar", "birch", "ash"]
        found = ids(grove, sortby=("gsd",), limit=limit)
        assert [name for name in found if name != "date"] == ["ash", "birch", "cedar", "elm"]

    @pytest.mark.parametrize("limit", [1, 3])
    def test_orders_with_a_place(self, grove: CatalogStore, limit: int) -> None:
        assert ids(grove, sortby=("-id",), bbox=(0, 0, 5, 1), limit=limit) == ["cedar", "birch", "ash"]

    def test_a_token_is_good_for_its_order_only(self, grove: CatalogStore) -> None:
        page = grove.search(Query(sortby=("id",), limit=2), OWNER)
        with pytest.raises(InvalidToken):
            grove.search(Query(sortby=("-id",), limit=2, token=page.next), OWNER)

    def test_a_sorted_page_stays_in_place_when_items_are_added(self, grove: CatalogStore, make_item: MakeItem) -> None:
        page = grove.search(Query(sortby=("id",), limit=2), OWNER)
        grove.put_items([make_item("aspen"), make_item("elder")])
        rest = grove.search(Query(sortby=("id",), limit=9, token=page.next), OWNER)
        assert [item["id"] for item in rest.items] == ["cedar", "date", "elder", "elm"]

    def test_by_words(self, store: CatalogStore, make_item: MakeItem) -> None:
        store.put_items(
            [
                make_item("a", title="Dense Forest of the Valley"),
                make_item("b", description="Roads, and forest roads."),
                make_item("c", keywords=["Water", "open pasture"]),
                make_item("d", title="FOREST!", **{"landscape:access": "partners"}),
            ]
        )
        assert ids(store, q=("forest",)) == ["a", "b", "d"]
        assert ids(store, ANONYMOUS, q=("forest",)) == ["a", "b"]
        assert ids(store, q=("water", "valley")) == ["a", "c"]
        assert ids(store, q=("forest roads",)) == ["b"]
        assert ids(store, q=("open pasture", "nothing"), limit=1) == ["c"]
        assert ids(store, q=("fore",)) == []
        for odd in ('"', "AND", "forest OR water NOT", "a:b*", "'--", "(", "\\", "%"):
            assert ids(store, q=(f"nothing {odd}",)) == []
        assert ids(store, q=("forest",), filter="id = 'b'") == ["b"]

    def test_words_of_what_was_replaced_or_deleted(self, store: CatalogStore, make_item: MakeItem) -> None:
        store.put_items([make_item("a", title="Forest"), make_item("b", title="Forest")])
        store.put_items([make_item("a", title="Water")])
        store.delete_items("land-cover", ["b"])
        assert ids(store, q=("forest",)) == []
        assert ids(store, q=("water",)) == ["a"]
        assert ids(store, filter="title = 'Forest'") == []

    def test_fields(self, grove: CatalogStore) -> None:
        def one(fields: Fields) -> dict[str, Any]:
            (item,) = grove.search(Query(ids=("ash",), fields=fields), OWNER).items
            return item

        whole = grove.item("land-cover", "ash", OWNER)
        brief = one(Fields())
        assert brief["properties"] == {"datetime": "1990-01-01T00:00:00Z"}
        assert brief["geometry"] == whole["geometry"]
        assert one(Fields(include=("properties.gsd",))) == {
            "id": "ash",
            "collection": "land-cover",
            "properties": {"gsd": 10},
        }
        rest = one(Fields(exclude=("geometry", "properties.gsd")))
        assert rest.keys() == whole.keys() - {"geometry"}
        assert rest["properties"].keys() == whole["properties"].keys() - {"gsd"}
        assert one(Fields(include=("properties.gsd",), exclude=("properties",)))["properties"] == {"gsd": 10}
        assert one(Fields(include=("properties",), exclude=("properties.gsd",)))["properties"].keys() == {
            "datetime",
            "landscape:id",
            "note",
        }
        assert {"id", "collection"} <= one(Fields(exclude=("id", "collection"))).keys()
        assert one(Fields(include=("absent.deep",))).keys() == {"id", "collection"}
        assert one(Fields(include=("*",))) == whole
        assert grove.item("land-cover", "ash", OWNER) == whole

    def test_collections_are_searched(self, store: CatalogStore) -> None:
        def collection(name: str, west: float, year: int, **fields: Any) -> dict[str, Any]:
            extent = {
                "spatial": {"bbox": [[west, 0, west + 10, 10]]},
                "temporal": {"interval": [[f"{year}-01-01T00:00:00Z", f"{year + 5}-01-01T00:00:00Z"]]},
            }
            return {"type": "Collection", "id": name, "extent": extent, "description": "", **fields}

        store.put_collection(collection("roads", 0, 2000, title="Roads and tracks", license="CC-BY-4.0"))
        store.put_collection(collection("rivers", 20, 2010, keywords=["water"], license="CC-BY-4.0"))
        store.put_collection(collection("secrets", 20, 2010, **{"landscape:access": "partners"}))

        def names(**fields: Any) -> list[str]:
            return [each["id"] for each in store.search_collections(Query(**fields), ANONYMOUS).items]

        assert names() == ["land-cover", "rivers", "roads"]
        assert names(ids=("roads", "secrets")) == ["roads"]
        assert names(bbox=(5, 5, 6, 6)) == ["roads"]
        assert names(bbox=(12, 5, 14, 6)) == []
        assert names(datetime=(datetime(2012, 1, 1, tzinfo=UTC), None), bbox=(0, 0, 90, 9)) == ["rivers"]
        assert names(q=("water", "tracks")) == ["rivers", "roads"]
        assert names(filter="license = 'CC-BY-4.0' AND title LIKE 'Roads%'") == ["roads"]
        assert names(sortby=("-id",)) == ["roads", "rivers", "land-cover"]
        page = store.search_collections(Query(limit=2), ANONYMOUS)
        rest = store.search_collections(Query(limit=2, token=page.next), ANONYMOUS)
        assert [each["id"] for each in (*page.items, *rest.items)] == ["land-cover", "rivers", "roads"]
        assert rest.next is None
        with pytest.raises(InvalidQuery):
            names(collections=("roads",))

    def test_aggregations(self, grove: CatalogStore) -> None:
        wanted = ("total_count", "datetime_min", "datetime_max", "collection_frequency", "datetime_frequency_year")
        total, first, last, by_collection, by_year = grove.aggregate(Query(limit=1), wanted, ANONYMOUS)
        assert (total.value, first.value, last.value) == (5, "1990-01-01T00:00:00Z", "2015-12-31T23:59:59Z")
        assert by_collection.buckets == (("land-cover", 5),)
        years = {1990: 1, 2000: 2, 2010: 1, 2015: 1}
        assert by_year.buckets == tuple((f"{year}-01-01T00:00:00Z", count) for year, count in years.items())
        (by_month,) = grove.aggregate(Query(filter="gsd >= 30"), ["datetime_frequency_month"], ANONYMOUS)
        assert by_month.buckets == (("2000-06-01T00:00:00Z", 2), ("2015-12-01T00:00:00Z", 1))

    def test_aggregations_of_nothing_and_of_what_is_hidden(self, grove: CatalogStore, make_item: MakeItem) -> None:
        grove.put_items([make_item("fir", datetime="1960-05-05T05:05:05Z", **{"landscape:access": "partners"})])
        for reader, count in ((ANONYMOUS, 5), (PARTNER, 6)):
            (total,) = grove.aggregate(Query(), ["total_count"], reader)
            assert total.value == count
        (before_1970,) = grove.aggregate(Query(ids=("fir",)), ["datetime_frequency_month"], PARTNER)
        assert before_1970.buckets == (("1960-05-01T00:00:00Z", 1),)
        total, first = grove.aggregate(Query(bbox=(50, 50, 51, 51)), ["total_count", "datetime_min"], ANONYMOUS)
        assert (total.value, first.value) == (0, None)
        with pytest.raises(InvalidQuery, match="no aggregation 'mood'"):
            grove.aggregate(Query(), ["mood"], ANONYMOUS)
