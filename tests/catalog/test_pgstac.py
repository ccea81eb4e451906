"""The store on PostgreSQL keeps the contract, and other programs find its items in pgSTAC."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import psycopg
import pystac_client
import pytest

from catalog.collections import make_collections
from catalog.errors import InvalidItem, InvalidToken, ItemNotFound, StoreError
from catalog.pgstac.migration import migrate
from catalog.pgstac.selection import select_items
from catalog.pgstac.store import PgstacStore
from catalog.query.ordering import order_items
from catalog.query.tokens import encode_token
from catalog.store import ANONYMOUS, OWNER, Query
from tests.catalog.asking import COLLECTION, ids
from tests.catalog.conftest import MakeItem
from tests.catalog.postgres import Cluster
from tests.catalog.service import serve
from tests.catalog.store_contract import StoreContract

Ask = Callable[..., Any]


@pytest.fixture(scope="module")
def address(cluster: Cluster) -> Iterator[str]:
    """Return a database that the tests of this file share."""
    with cluster.database() as address:
        yield address


@pytest.fixture
def store(address: str) -> Iterator[PgstacStore]:
    with closing(PgstacStore(address)) as store:
        for collection in reversed(store.collections(OWNER)):  # runs go before what they were derived from
            store.delete_collection(collection["id"])
        yield store


@pytest.fixture
def ask(address: str) -> Iterator[Ask]:
    """Ask the database as another program does, and return the first value of the first row."""
    with psycopg.connect(address, autocommit=True, options="-c search_path=pgstac,public") as connection:

        def ask(sql: str, *values: object) -> Any:
            row = connection.execute(sql, values).fetchone()
            return row[0] if row else None

        yield ask


class TestPgstacStore(StoreContract):
    pass


def test_other_programs_find_the_items_in_pgstac(store: PgstacStore, ask: Ask, make_item: MakeItem) -> None:
    drivers = make_collections(name="Valley")[2]
    store.put_collection(drivers)
    items = [make_item(f"i{number}", (number, 0, number + 1, 1), collection="drivers") for number in range(3)]
    store.put_items(items)
    found = ask("SELECT search(%s)", '{"bbox": [1.5, 0.5, 1.6, 0.6], "collections": ["drivers"]}')
    assert [feature["id"] for feature in found["features"]] == ["i1"]
    assert ask("SELECT get_item(%s, %s)", "i1", "drivers") == items[1]
    assert ask("SELECT get_collection(%s)", "drivers")["extent"]["spatial"]["bbox"] == [[0, 0, 3, 1]]


def test_items_of_other_programs_are_found(store: PgstacStore, ask: Ask, make_item: MakeItem) -> None:
    store.put_collection(COLLECTION)
    item, hidden = make_item("theirs"), make_item("secret", **{"landscape:access": "partners"})
    for document in (item, hidden):
        ask("SELECT create_item(%s)", psycopg.types.json.Jsonb(document))
    assert store.item("land-cover", "theirs", ANONYMOUS) == item
    assert ids(store, ANONYMOUS, filter="landscape:id = 'valley'") == ["theirs"]
    assert ids(store) == ["secret", "theirs"]


def test_items_stay_as_they_are_when_their_collection_says_more(
    store: PgstacStore, ask: Ask, make_item: MakeItem
) -> None:
    store.put_collection(COLLECTION)
    store.put_items([make_item()])
    store.put_collection({**COLLECTION, "item_assets": {"data": {"type": "image/tiff"}, "more": {"type": "text/csv"}}})
    assert store.item("land-cover", "valley", OWNER) == make_item()
    assert ask("SELECT get_item(%s)", "valley") == make_item()


@pytest.mark.parametrize(
    "geometry",
    [
        {"type": "Point", "coordinates": [10.123456789012345, -0.1 - 0.2]},
        {"type": "Point", "coordinates": [10, 50, 1234.5]},
        {"type": "Polygon", "coordinates": [[[1, 1], [3, 3], [3, 1], [1, 3], [1, 1]]]},
    ],
    ids=["precise", "high", "crossing itself"],
)
def test_geometries_come_back_as_they_were(store: PgstacStore, make_item: MakeItem, geometry: dict[str, Any]) -> None:
    store.put_collection(COLLECTION)
    item = {**make_item(), "geometry": geometry}
    store.put_items([item])
    assert store.item("land-cover", "valley", OWNER) == item
    nearby = {"type": "Point", "coordinates": geometry["coordinates"][:2]} if geometry["type"] == "Point" else geometry
    assert ids(store, intersects=nearby) == ["valley"]


def test_what_postgresql_cannot_keep(store: PgstacStore, make_item: MakeItem) -> None:
    store.put_collection(COLLECTION)
    with pytest.raises(InvalidItem, match="a null character"):
        store.put_items([make_item("good"), make_item(note="a\0b")])
    assert ids(store) == []
    for name in ("a\0b", "\ud800"):
        with pytest.raises(ItemNotFound):
            store.item("land-cover", name, OWNER)
    store.delete_items("land-cover", ["a\0b"])
    assert ids(store, filter={"op": "=", "args": [{"property": "note"}, "a\0b"]}) == []
    assert ids(store, filter={"op": "like", "args": [{"property": "note"}, "a\0b\\"]}) == []
    assert ids(store, q=("a\0b",)) == []


@pytest.mark.parametrize(
    ("sort", "positions"),
    [("gsd", ("{", 2**62, b"x", 1.5)), ("created", ("{", 2**62, b"x", 1.5)), ("id", (2**62, b"x", 1.5))],
)
def test_forged_tokens(store: PgstacStore, make_item: MakeItem, sort: str, positions: tuple[Any, ...]) -> None:
    store.put_collection(COLLECTION)
    store.put_items([make_item()])
    order = Query(sortby=(sort,)).sortby
    for forged in positions:
        token = encode_token(order_items(order), [forged] * len(order_items(order)))
        with pytest.raises(InvalidToken):
            store.search(Query(sortby=(sort,), token=token), OWNER)


def test_a_database_that_is_not_ready(cluster: Cluster) -> None:
    with pytest.raises(StoreError, match=r"is no catalog yet\. Run `datacommons catalog migrate`"):
        PgstacStore(cluster.address("postgres"))


def test_words_are_looked_up(store: PgstacStore, address: str, make_item: MakeItem) -> None:
    store.put_collection(COLLECTION)
    store.put_items(make_item(f"i{number}", title=f"Map of rare{number}, common") for number in range(3000))
    sql, values = select_items(Query(q=("rare7", "map of rare8")), OWNER).statement()
    with psycopg.connect(address, autocommit=True, options="-c search_path=pgstac,public") as connection:
        connection.execute("ANALYZE pgstac.items")
        plan = "; ".join(row[0] for row in connection.execute(f"EXPLAIN {sql}", values))
    assert re.search(r"Bitmap Index Scan on \S*word_list", plan), plan
    assert ids(store, q=("rare7", "map of rare8")) == ["i7", "i8"]


def test_a_database_of_a_newer_version(cluster: Cluster) -> None:
    with cluster.database() as address:
        with psycopg.connect(address) as connection:
            connection.execute("UPDATE datacommons.version SET version = 99")
        with pytest.raises(StoreError, match=r"is of version 99 and this program needs 2\. Update datacommons"):
            PgstacStore(address)


def test_migrating_again_changes_nothing(cluster: Cluster, make_item: MakeItem) -> None:
    with cluster.database() as address:
        with closing(PgstacStore(address)) as store:
            store.put_collection(COLLECTION)
            store.put_items([make_item()])
        migrate(address)
        with closing(PgstacStore(address)) as store:
            assert store.item("land-cover", "valley", OWNER) == make_item()


def test_a_database_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StoreError, match="cannot be made ready") as failed:
        migrate("postgresql://ada:secret@127.0.0.1:9/none")
    assert "secret" not in str(failed.value)


def test_a_closed_store(store: PgstacStore) -> None:
    store.close()
    store.close()
    with pytest.raises(StoreError, match="was closed: open it again"):
        store.collections(OWNER)


def test_the_api_on_it(store: PgstacStore, make_item: MakeItem) -> None:
    for collection in make_collections(name="Valley Commons"):
        store.put_collection(collection)
    items = [make_item(f"valley-{year}", datetime=f"{year}-01-01T00:00:00Z") for year in range(2000, 2025)]
    store.put_items([*items, make_item("hidden", **{"landscape:access": "partners"})])
    with serve(store) as api:
        client = pystac_client.Client.open(f"{api.url}/stac")
        assert len(list(client.search(collections=["land-cover"], limit=10).items())) == 25
        found = client.search(bbox=(10, 50, 11, 51), datetime="2003-01-01/2005-12-31", limit=2)
        assert [item.id for item in found.items()] == ["valley-2005", "valley-2004", "valley-2003"]
        assert client.get_collection("land-cover").get_item("hidden") is None
