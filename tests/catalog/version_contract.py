"""What every catalog store must keep of what others were derived from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from catalog.errors import StillNeeded
from catalog.items.versions import DERIVED_FROM, item_href
from catalog.store import OWNER, CatalogStore, Query
from tests.catalog.conftest import MakeItem


class VersionContract:
    """The part of the contract that is about sources. The fixture `store` holds the collection land-cover."""

    @pytest.fixture
    def make_derived(self, store: CatalogStore, make_item: MakeItem) -> Callable[..., dict[str, Any]]:
        """Make an item that was derived from items of land-cover."""
        store.put_collection({"type": "Collection", "id": "runs"})

        def make(item_id: str, *sources: str, collection: str = "runs") -> dict[str, Any]:
            links = [{"rel": DERIVED_FROM, "href": item_href("land-cover", source)} for source in sources]
            return {**make_item(item_id, collection=collection), "links": links}

        return make

    def test_what_was_derived_is_known(self, store: CatalogStore, make_item: MakeItem, make_derived: Any) -> None:
        store.put_items([make_item("a"), make_item("b"), make_derived("two", "a", "b", "a"), make_derived("one", "a")])
        assert store.derived_items("land-cover", "a") == [("runs", "one"), ("runs", "two")]
        assert store.derived_items("land-cover", "b") == [("runs", "two")]
        store.put_items([make_derived("two", "b"), make_derived("one"), make_derived("one", "b")])
        assert store.derived_items("land-cover", "a") == store.derived_items("runs", "one") == []
        assert store.derived_items("land-cover", "b") == [("runs", "one"), ("runs", "two")]

    def test_a_source_is_not_deleted(self, store: CatalogStore, make_item: MakeItem, make_derived: Any) -> None:
        runs = [make_derived(f"run-{n}", "a") for n in range(7)]
        store.put_items([make_item("a"), make_item("b"), *runs])
        named = r"'a' cannot be deleted: run-0, run-1, run-2, run-3, run-4 and 2 more were derived from it"
        with pytest.raises(StillNeeded, match=named):
            store.delete_items("land-cover", ["b", "a"])
        with pytest.raises(StillNeeded, match="collection 'land-cover' cannot be deleted: run-0"):
            store.delete_collection("land-cover")
        assert store.item("land-cover", "b", OWNER)["id"] == "b"
        store.delete_items("runs", [run["id"] for run in runs])
        store.delete_items("land-cover", ["a"])
        store.delete_collection("land-cover")

    def test_what_goes_together_may_go(self, store: CatalogStore, make_item: MakeItem, make_derived: Any) -> None:
        chain = [make_item("a"), make_derived("b", "a", "b", collection="land-cover")]
        store.put_items(chain)
        store.delete_items("land-cover", ["a", "b"])
        assert store.search(Query(collections=("land-cover",)), OWNER).items == ()
        store.put_items(chain)
        assert len(store.search(Query(collections=("land-cover",)), OWNER).items) == len(chain)
        store.delete_collection("land-cover")
        assert "land-cover" not in [collection["id"] for collection in store.collections(OWNER)]

    def test_the_assets_of_a_source_stay(self, store: CatalogStore, make_item: MakeItem, make_derived: Any) -> None:
        source = {**make_item("a"), "assets": {"data": {"href": "a.tif", "file:checksum": "1220aa"}}}
        store.put_items([source, make_derived("run", "a")])
        other = {**source, "assets": {"data": {"href": "a.tif", "file:checksum": "1220bb"}}}
        for replace in (
            lambda: store.put_items([make_item("b"), other]),
            lambda: store.put_items([other], expect="known"),
            lambda: store.change_item("land-cover", "a", lambda _: other),
        ):
            with pytest.raises(StillNeeded, match="assets of the item 'a' cannot be changed: run was derived from it"):
                replace()
        assert store.item("land-cover", "a", OWNER) == source
        told = {**source, "properties": {**source["properties"], "title": "Told better"}}
        store.put_items([told])
        assert store.item("land-cover", "a", OWNER) == told
        store.delete_items("runs", ["run"])
        store.put_items([other])
        assert store.item("land-cover", "a", OWNER) == other
