"""What every catalog store must keep when many write: expectations, changes in place, deletion."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from catalog.errors import AlreadyThere, CollectionNotFound, InvalidCollection, InvalidItem, ItemNotFound
from catalog.store import OWNER, CatalogStore
from tests.catalog.asking import COLLECTION, ids
from tests.catalog.conftest import MakeItem


class WriteContract:
    """The part of the contract that is about writing. The fixture `store` holds the collection land-cover."""

    def test_new_items_replace_none(self, store: CatalogStore, make_item: MakeItem) -> None:
        store.put_items([make_item("a")], expect="new")
        with pytest.raises(AlreadyThere, match="an item 'a' already"):
            store.put_items([make_item("b"), make_item("a", note="other")], expect="new")
        assert ids(store) == ["a"]
        assert "note" not in store.item("land-cover", "a", OWNER)["properties"]

    def test_known_items_are_there(self, store: CatalogStore, make_item: MakeItem) -> None:
        store.put_items([make_item("a")])
        with pytest.raises(ItemNotFound, match="no item 'b'"):
            store.put_items([make_item("a", note="other"), make_item("b")], expect="known")
        assert "note" not in store.item("land-cover", "a", OWNER)["properties"]
        store.put_items([make_item("a", note="other")], expect="known")
        assert store.item("land-cover", "a", OWNER)["properties"]["note"] == "other"

    def test_expectations_of_collections(self, store: CatalogStore) -> None:
        with pytest.raises(AlreadyThere, match="a collection 'land-cover' already"):
            store.put_collection({**COLLECTION, "title": "New"}, expect="new")
        with pytest.raises(CollectionNotFound, match="no collection 'roads'"):
            store.put_collection({**COLLECTION, "id": "roads"}, expect="known")
        assert store.collections(OWNER) == [COLLECTION]
        store.put_collection({**COLLECTION, "id": "roads"}, expect="new")
        store.put_collection({**COLLECTION, "title": "New"}, expect="known")
        assert [each["title"] for each in store.collections(OWNER)] == ["New", "Land cover"]

    def test_no_change_is_lost(self, store: CatalogStore, make_item: MakeItem) -> None:
        store.put_items([make_item("a", count=0, gsd=0)])

        def count_on(item: dict[str, Any]) -> dict[str, Any]:
            number = item["properties"]["count"] + 1
            return {**item, "properties": {**item["properties"], "count": number, "gsd": number}}

        with ThreadPoolExecutor(4) as writers:
            list(writers.map(lambda _: store.change_item("land-cover", "a", count_on), range(40)))
        assert store.item("land-cover", "a", OWNER)["properties"]["count"] == 40
        assert ids(store, filter="gsd = 40") == ["a"]
        assert ids(store, filter="gsd < 40") == []

    def test_a_change_that_fails_changes_nothing(self, store: CatalogStore, make_item: MakeItem) -> None:
        store.put_items([make_item("a")])

        def fail(item: dict[str, Any]) -> dict[str, Any]:
            item["properties"].clear()
            raise RuntimeError("no")

        with pytest.raises(RuntimeError, match="no"):
            store.change_item("land-cover", "a", fail)
        with pytest.raises(InvalidItem, match="would become"):
            store.change_item("land-cover", "a", lambda item: {**item, "id": "b"})
        with pytest.raises(InvalidItem, match="has no time"):
            store.change_item("land-cover", "a", lambda item: {**item, "properties": {}})
        with pytest.raises(ItemNotFound):
            store.change_item("land-cover", "b", lambda item: item)
        assert store.item("land-cover", "a", OWNER) == make_item("a")

    def test_collections_change_in_place(self, store: CatalogStore, make_item: MakeItem) -> None:
        store.put_items([make_item("a")])
        changed = store.change_collection("land-cover", lambda found: {**found, "title": "New"})
        assert changed == {**COLLECTION, "title": "New"} == store.collection("land-cover", OWNER)
        with pytest.raises(InvalidCollection, match="would become"):
            store.change_collection("land-cover", lambda found: {**found, "id": "roads"})
        with pytest.raises(CollectionNotFound):
            store.change_collection("roads", lambda found: found)
        assert ids(store) == ["a"]

    def test_a_collection_goes_with_its_items(self, store: CatalogStore, make_item: MakeItem) -> None:
        store.put_collection({"type": "Collection", "id": "drivers"})
        store.put_items([make_item("a", title="Slope"), make_item("b", title="Slope", collection="drivers")])
        store.delete_collection("land-cover")
        assert ids(store) == ids(store, bbox=(10, 50, 11, 51)) == ids(store, q=("slope",)) == ["b"]
        with pytest.raises(CollectionNotFound):
            store.collection("land-cover", OWNER)
        with pytest.raises(CollectionNotFound):
            store.delete_collection("land-cover")
        store.put_collection(COLLECTION)
        assert ids(store, collections=("land-cover",)) == []
