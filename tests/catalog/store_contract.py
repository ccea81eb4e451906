"""What every catalog store must do: subclass `StoreContract` and give it the fixture `store`."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from catalog.collections import make_collections
from catalog.errors import (
    CollectionNotFound,
    InvalidCollection,
    InvalidItem,
    InvalidToken,
    ItemNotFound,
)
from catalog.store import ANONYMOUS, OWNER, CatalogStore, Query, Reader
from tests.catalog.asking import COLLECTION, PARTNER, ids
from tests.catalog.conftest import MakeItem
from tests.catalog.query_contract import QueryContract
from tests.catalog.version_contract import VersionContract
from tests.catalog.write_contract import WriteContract


class StoreContract(QueryContract, WriteContract, VersionContract):
    """The contract suite. The fixture `store` is an empty store."""

    @pytest.fixture(autouse=True)
    def _with_a_collection(self, store: CatalogStore) -> None:
        store.put_collection(COLLECTION)

    def test_documents_come_back_as_they_were(self, store: CatalogStore, make_item: MakeItem) -> None:
        item = make_item(note="Flussaue, Nuñoa, 森林", nested={"a": [1, 2.5, None, True]})
        store.put_items([item])
        assert store.item("land-cover", "valley", OWNER) == item
        assert store.search(Query(), OWNER).items == (item,)
        assert store.collection("land-cover", OWNER) == COLLECTION

    def test_what_comes_back_can_be_changed_without_harm(self, store: CatalogStore, make_item: MakeItem) -> None:
        store.put_items([make_item()])
        store.item("land-cover", "valley", OWNER)["properties"].clear()
        assert store.item("land-cover", "valley", OWNER)["properties"]["landscape:id"] == "valley"

    def test_collections_are_listed_by_id_and_replaced(self, store: CatalogStore) -> None:
        store.put_collection({"type": "Collection", "id": "drivers"})
        store.put_collection({**COLLECTION, "title": "New"})
        assert [(each["id"], each.get("title")) for each in store.collections(OWNER)] == [
            ("drivers", None),
            ("land-cover", "New"),
        ]

    def test_replacing_a_collection_keeps_its_items(self, store: CatalogStore, make_item: MakeItem) -> None:
        store.put_items([make_item()])
        store.put_collection({**COLLECTION, "title": "New"})
        assert ids(store) == ["valley"]

    def test_extents_cover_what_readers_may_see_whoever_writes(self, store: CatalogStore, make_item: MakeItem) -> None:
        store.put_collection(make_collections(name="Valley")[1])
        hidden = make_item("hidden", (60, 0, 61, 1))
        hidden["properties"]["landscape:access"] = "private"
        items = [make_item(f"i{number}", (number, 50, number + 1, 51)) for number in range(20)]
        with ThreadPoolExecutor(4) as writers:
            list(writers.map(lambda item: store.put_items([item]), [*items, hidden]))
        assert store.collection("land-cover", OWNER)["extent"]["spatial"]["bbox"] == [[0, 50, 20, 51]]

    def test_the_same_id_replaces(self, store: CatalogStore, make_item: MakeItem) -> None:
        store.put_items([make_item(box=(0, 0, 1, 1), datetime="1990-01-01T00:00:00Z")])
        store.put_items([make_item(box=(20, 20, 21, 21), datetime="2010-01-01T00:00:00Z")])
        assert ids(store, bbox=(0, 0, 1, 1)) == []
        assert ids(store, bbox=(20, 20, 21, 21)) == ["valley"]
        assert ids(store, datetime=(None, datetime(2000, 1, 1, tzinfo=UTC))) == []
        assert ids(store) == ["valley"]

    def test_an_id_is_unique_only_in_its_collection(self, store: CatalogStore, make_item: MakeItem) -> None:
        store.put_collection({"type": "Collection", "id": "drivers"})
        store.put_items([make_item(), make_item(collection="drivers")])
        assert ids(store) == ["valley", "valley"]
        store.delete_items("drivers", ["valley"])
        assert store.item("land-cover", "valley", OWNER)["collection"] == "land-cover"

    def test_what_is_not_there(self, store: CatalogStore) -> None:
        with pytest.raises(CollectionNotFound, match="no collection 'none'"):
            store.collection("none", OWNER)
        with pytest.raises(ItemNotFound, match="no item 'none' in the collection 'land-cover'"):
            store.item("land-cover", "none", OWNER)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"id": "a/b"}, "has the id 'a/b'"),
            ({"id": ""}, "has the id ''"),
            ({"id": None}, "has the id None"),
            ({"collection": None}, "names the collection None"),
            ({"properties": None}, 'has no "properties"'),
            ({"properties": {}}, "has no time"),
            ({"properties": {"datetime": None, "start_datetime": "2000-01-01T00:00:00Z"}}, "has no time"),
            ({"properties": {"datetime": "yesterday"}}, "has datetime 'yesterday'"),
            ({"properties": {"datetime": "2000-01-01T00:00:00"}}, "write it as 1999-01-01T00:00:00Z"),
            ({"properties": {"datetime": "2000-01-01T00:00:00Z", "landscape:access": ""}}, "landscape:access ''"),
            ({"properties": {"datetime": "2000-01-01T00:00:00Z", "x": object()}}, "not JSON"),
            ({"bbox": None}, "has the bbox None"),
            ({"bbox": [1, 2, 3]}, "has the bbox"),
            ({"bbox": [0, 9, 1, 2]}, "south before north"),
            ({"bbox": [500_000, 0, 500_030, 30]}, "longitude first"),
            ({"geometry": {"type": "Polygon"}}, "geometry that cannot be read"),
            ({"geometry": {"type": "Point", "coordinates": []}}, "it is empty"),
        ],
    )
    def test_items_that_cannot_be_stored(
        self, store: CatalogStore, make_item: MakeItem, change: dict[str, Any], message: str
    ) -> None:
        with pytest.raises(InvalidItem, match=message):
            store.put_items([make_item("good"), {**make_item(), **change}])
        assert ids(store) == []

    @pytest.mark.parametrize("change", [{"id": "a b"}, {"type": "Catalog"}, {"landscape:access": "*"}, {"x": object()}])
    def test_collections_that_cannot_be_stored(self, store: CatalogStore, change: dict[str, Any]) -> None:
        with pytest.raises(InvalidCollection):
            store.put_collection({**COLLECTION, **change})
        assert store.collections(OWNER) == [COLLECTION]

    def test_items_of_an_unknown_collection(self, store: CatalogStore, make_item: MakeItem) -> None:
        with pytest.raises(CollectionNotFound, match="'roads', which is not there; there are: land-cover"):
            store.put_items([make_item("good"), make_item(collection="roads")])
        assert ids(store) == []

    def test_all_or_none_when_the_source_fails(self, store: CatalogStore, make_item: MakeItem) -> None:
        def fail() -> Any:
            yield make_item()
            raise RuntimeError("the disk is full")

        with pytest.raises(RuntimeError, match="disk"):
            store.put_items(fail())
        assert ids(store) == []

    def test_deleting(self, store: CatalogStore, make_item: MakeItem) -> None:
        store.put_items([make_item("a"), make_item("b")])
        store.delete_items("land-cover", ["a", "never there"])
        assert ids(store) == ["b"]
        assert ids(store, bbox=(10, 50, 11, 51)) == ["b"]

    def test_newest_first_then_by_id(self, store: CatalogStore, make_item: MakeItem) -> None:
        years = {"b": 2000, "a": 2000, "c": 2010, "d": 1990}
        store.put_items(make_item(name, datetime=f"{year}-01-01T00:00:00Z") for name, year in years.items())
        assert ids(store) == ["c", "a", "b", "d"]

    @pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
    def test_paging_finds_each_item_once_in_order(self, store: CatalogStore, make_item: MakeItem, limit: int) -> None:
        names = [f"i{number:02}" for number in range(20)]
        shuffled = random.Random(limit).sample(names, len(names))
        store.put_items(make_item(name, datetime=f"{2000 + int(name[1:]) // 6}-01-01T00:00:00Z") for name in shuffled)
        whole = ids(store, limit=100)
        assert sorted(whole) == names
        assert ids(store, limit=limit) == whole
        assert ids(store, limit=limit, bbox=(10.5, 50, 12, 52), collections=("land-cover",)) == whole

    def test_a_page_stays_in_place_when_items_are_added(self, store: CatalogStore, make_item: MakeItem) -> None:
        store.put_items(make_item(name) for name in "bdf")
        page = store.search(Query(limit=2), OWNER)
        store.put_items(make_item(name) for name in "ae")
        rest = store.search(Query(limit=9, token=page.next), OWNER)
        assert [item["id"] for item in rest.items] == ["e", "f"]

    def test_the_number_matched_is_true_where_it_is_told(self, store: CatalogStore, make_item: MakeItem) -> None:
        store.put_items(make_item(name) for name in "abc")
        assert store.search(Query(), OWNER).matched == 3
        assert store.search(Query(limit=2), OWNER).matched in (None, 3)

    @pytest.mark.parametrize("token", ["", "x", "é", "bm9uc2Vuc2U", "WzEsMl0", "WzEsMiwzXQ", "W10=" * 99])
    def test_tokens_of_others(self, store: CatalogStore, token: str) -> None:
        with pytest.raises(InvalidToken):
            store.search(Query(token=token), OWNER)

    def test_by_collection_and_id(self, store: CatalogStore, make_item: MakeItem) -> None:
        store.put_collection({"type": "Collection", "id": "drivers"})
        store.put_items([make_item("a"), make_item("b"), make_item("c", collection="drivers")])
        assert ids(store, collections=("drivers",)) == ["c"]
        assert ids(store, collections=("drivers", "land-cover")) == ["a", "b", "c"]
        assert ids(store, collections=()) == []
        assert ids(store, ids=("b", "c", "x")) == ["b", "c"]
        assert ids(store, ids=("b", "c"), collections=("land-cover",)) == ["b"]

    def test_by_box(self, store: CatalogStore, make_item: MakeItem) -> None:
        store.put_items([make_item("west", (10, 50, 11, 51)), make_item("east", (12, 50, 13, 51))])
        assert ids(store, bbox=(9, 49, 10.5, 50.5)) == ["west"]
        assert ids(store, bbox=(11, 50, 12, 51)) == ["east", "west"], "touching is meeting"
        assert ids(store, bbox=(11.1, 50, 11.9, 51)) == []
        assert ids(store, bbox=(10.2, 50.2, 10.3, 50.3)) == ["west"], "inside is meeting"

    def test_by_geometry_exactly(self, store: CatalogStore, make_item: MakeItem) -> None:
        triangle = make_item("triangle", (0, 0, 10, 10))
        triangle["geometry"] = {"type": "Polygon", "coordinates": [[[0, 0], [10, 0], [0, 10], [0, 0]]]}
        store.put_items([triangle])
        assert ids(store, bbox=(8, 8, 9, 9)) == [], "its box is met, the triangle is not"
        assert ids(store, bbox=(4, 4, 9, 9)) == ["triangle"]
        assert ids(store, intersects={"type": "Point", "coordinates": [8, 8]}) == []
        assert ids(store, intersects={"type": "Point", "coordinates": [2, 2]}) == ["triangle"]
        line = {"type": "LineString", "coordinates": [[9, -1], [11, 5]]}
        assert ids(store, intersects=line) == ["triangle"]
        bow = {"type": "Polygon", "coordinates": [[[1, 1], [3, 3], [3, 1], [1, 3], [1, 1]]]}
        assert ids(store, intersects=bow) == ["triangle"], "a ring that crosses itself is mended"

    def test_the_page_is_full_after_the_exact_check(self, store: CatalogStore, make_item: MakeItem) -> None:
        def slanted(name: str, met: bool) -> dict[str, Any]:
            item = make_item(name, (0, 0, 10, 10))
            corner = [0, 0] if met else [10, 10]
            item["geometry"] = {"type": "Polygon", "coordinates": [[[10, 0], corner, [0, 10], [10, 0]]]}
            return item

        store.put_items(slanted(f"i{number:02}", met=number % 3 == 0) for number in range(12))
        page = store.search(Query(bbox=(1, 1, 2, 2), limit=3), OWNER)
        assert [item["id"] for item in page.items] == ["i00", "i03", "i06"]
        assert page.next is not None
        assert ids(store, bbox=(1, 1, 2, 2), limit=3) == ["i00", "i03", "i06", "i09"]

    def test_across_the_antimeridian(self, store: CatalogStore, make_item: MakeItem) -> None:
        fiji = make_item("fiji", (177, -20, -178, -15))
        parts = [[[177, -20], [180, -20], [180, -15], [177, -15]], [[-180, -20], [-178, -20], [-178, -15], [-180, -15]]]
        fiji["geometry"] = {"type": "MultiPolygon", "coordinates": [[[*part, part[0]]] for part in parts]}
        store.put_items([fiji, make_item("samoa", (-173, -15, -171, -13)), make_item("alps", (6, 44, 15, 48))])
        assert ids(store, bbox=(178, -18, 179, -17)) == ["fiji"]
        assert ids(store, bbox=(-179, -18, -178.5, -17)) == ["fiji"]
        assert ids(store, bbox=(0, -30, 20, 50)) == ["alps"]
        assert ids(store, bbox=(170, -30, -170, 0)) == ["fiji", "samoa"]
        assert ids(store, bbox=(179.5, -16, -179.5, -15.5), limit=1) == ["fiji"]
        assert ids(store, bbox=(-180, -90, 180, 90)) == ["alps", "fiji", "samoa"]

    def test_without_a_place(self, store: CatalogStore, make_item: MakeItem) -> None:
        nowhere = {**make_item("nowhere"), "geometry": None}
        del nowhere["bbox"]
        store.put_items([nowhere])
        assert ids(store) == ["nowhere"]
        assert ids(store, bbox=(-180, -90, 180, 90)) == []

    def test_many_items_in_a_box(self, store: CatalogStore, make_item: MakeItem) -> None:
        # More than a store will look up one by one: it may find them by another way, but the same ones.
        near, far = (0.0, 0.0, 1.0, 1.0), (100.0, 0.0, 101.0, 1.0)
        store.put_items(make_item(f"i{number:04}", near if number % 2 else far) for number in range(4400))
        wide = [f"i{number:04}" for number in range(1, 4400, 2)]
        assert ids(store, bbox=(0, 0, 1, 1), limit=1000) == wide
        assert ids(store, bbox=(170, -5, 1, 5), limit=1000) == wide

    def test_by_time(self, store: CatalogStore, make_item: MakeItem) -> None:
        spans = {"start_datetime": "2000-01-01T00:00:00Z", "end_datetime": "2020-12-31T23:59:59Z"}
        store.put_items(
            [
                make_item("day", datetime="2005-06-01T12:00:00+02:00"),
                make_item("span", datetime=None, **spans),
                make_item("old", datetime="1850-01-01T00:00:00Z"),
            ]
        )

        def between(start: str | None, end: str | None) -> list[str]:
            moments = [None if text is None else datetime.fromisoformat(text) for text in (start, end)]
            return sorted(ids(store, datetime=(moments[0], moments[1])))

        assert between("2005-06-01T10:00:00+00:00", "2005-06-01T10:00:00+00:00") == ["day", "span"]
        assert between("2010-01-01T00:00:00+00:00", "2010-02-01T00:00:00+00:00") == ["span"]
        assert between("2020-12-31T23:59:59+00:00", None) == ["span"]
        assert between("2021-01-01T00:00:00+00:00", None) == []
        assert between(None, "1999-12-31T00:00:00+00:00") == ["old"]
        assert between(None, None) == ["day", "old", "span"]

    def test_hidden_items_do_not_exist(self, store: CatalogStore, make_item: MakeItem) -> None:
        labels = {"a": "public", "b": "partners", "c": "private"}
        store.put_items(make_item(name, **{"landscape:access": label}) for name, label in labels.items())
        assert ids(store, ANONYMOUS) == ["a"]
        assert ids(store, PARTNER) == ["a", "b"]
        assert ids(store, OWNER) == ["a", "b", "c"]
        assert store.search(Query(), ANONYMOUS).matched == 1
        assert store.search(Query(limit=1), ANONYMOUS).next is None
        assert ids(store, ANONYMOUS, ids=("b",)) == ids(store, ANONYMOUS, bbox=(10, 50, 11, 51), ids=("c",)) == []
        with pytest.raises(ItemNotFound) as hidden:
            store.item("land-cover", "b", ANONYMOUS)
        with pytest.raises(ItemNotFound) as absent:
            store.item("land-cover", "x", ANONYMOUS)
        assert str(hidden.value).replace("'b'", "'x'") == str(absent.value)
        assert store.item("land-cover", "b", PARTNER)["id"] == "b"

    def test_hidden_collections_hide_their_items(self, store: CatalogStore, make_item: MakeItem) -> None:
        store.put_items([make_item()])
        store.put_collection({**COLLECTION, "landscape:access": "partners"})
        assert store.collections(ANONYMOUS) == []
        assert ids(store, ANONYMOUS) == ids(store, ANONYMOUS, ids=("valley",)) == []
        with pytest.raises(CollectionNotFound):
            store.collection("land-cover", ANONYMOUS)
        with pytest.raises(ItemNotFound):
            store.item("land-cover", "valley", ANONYMOUS)
        assert ids(store, PARTNER) == ["valley"]

    def test_a_reader_without_labels_sees_nothing(self, store: CatalogStore, make_item: MakeItem) -> None:
        store.put_items([make_item()])
        nobody = Reader("nobody", frozenset())
        assert store.collections(nobody) == []
        assert ids(store, nobody) == []

    def test_from_many_threads(self, store: CatalogStore, make_item: MakeItem) -> None:
        def work(number: int) -> int:
            store.put_items(make_item(f"{number}-{part}") for part in range(5))
            assert store.item("land-cover", f"{number}-0", OWNER)["id"] == f"{number}-0"
            return len(store.search(Query(ids=tuple(f"{number}-{part}" for part in range(5))), OWNER).items)

        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(work, range(24))) == [5] * 24
        assert len(ids(store)) == 120
