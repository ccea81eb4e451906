"""The conformance page tells the truth: each class that it lists is shown to be kept, by one question at least."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest

from catalog.api.conformance import TRANSACTIONS, list_classes
from catalog.collections import COMMONS_COLLECTIONS, make_collections
from tests.catalog.conftest import STORES, MakeItem, open_empty
from tests.catalog.service import Api, serve

_STAC: Final = "https://api.stacspec.org"
_OGC: Final = "http://www.opengis.net/spec"
_ITEMS: Final = "/stac/collections/land-cover/items"
_CRS: Final = "http://www.opengis.net/def/rel/ogc/1.0"

Check = Callable[[Api], bool]


def finds(names: str, **asked: Any) -> Check:
    """Both searches by GET, and the one by POST where it is asked alike, find these items in this order."""

    def check(api: Api) -> bool:
        answers = [api.get(path, params=asked) for path in ("/stac/search", _ITEMS)]
        return all([item["id"] for item in answer.json()["features"]] == names.split() for answer in answers)

    return check


def filters(names: str, text: str) -> Check:
    return finds(names, filter=text, sortby="id")


def on(path: str, check: Callable[[Any], bool], **asked: Any) -> Check:
    return lambda api: check(api.get(path, params=asked).json())


def collections(names: str, **asked: Any) -> Check:
    return lambda api: (
        [each["id"] for each in api.get("/stac/collections", params=asked).json()["collections"]] == (names.split())
    )


def counts(number: int, **asked: Any) -> Check:
    return lambda api: api.get("/stac/aggregate", params=asked).json()["aggregations"][0]["value"] == number


def links(*rels: str) -> Check:
    return on("/stac", lambda page: set(rels) <= {link["rel"] for link in page["links"]})


def creates(path: str, body: Callable[[Api], Any]) -> Check:
    return lambda api: api.write("POST", path, json=body(api)).status_code == 201


def _roads(api: Api) -> dict[str, Any]:
    return {**api.get("/stac/collections/drivers").json(), "id": "roads", "item_assets": {}, "links": []}


def _new_item(api: Api) -> dict[str, Any]:
    return {**api.get(f"{_ITEMS}/a").json(), "id": "new", "assets": {}, "links": []}


CHECKS: Final[dict[str, Check]] = {
    f"{_STAC}/v1.0.0/core": links("self", "root", "service-desc", "service-doc", "child"),
    f"{_STAC}/v1.0.0/collections": collections(" ".join(sorted(COMMONS_COLLECTIONS))),
    f"{_STAC}/v1.0.0/ogcapi-features": finds("c b a", limit=9),
    f"{_STAC}/v1.0.0/item-search": finds(
        "b", ids="b", collections="land-cover", bbox="2,0,3,1", datetime="2001-01-01T00:00:00Z"
    ),
    f"{_OGC}/ogcapi-features-1/1.0/conf/core": finds("c b", bbox="2.5,0,4.5,1", limit=2),
    f"{_OGC}/ogcapi-features-1/1.0/conf/geojson": lambda api: (
        api.get(_ITEMS).headers["content-type"] == "application/geo+json"
    ),
    f"{_STAC}/v1.0.0/item-search#fields": lambda api: (
        "geometry" not in api.get("/stac/search?fields=-geometry").json()["features"][0]
    ),
    f"{_STAC}/v1.0.0/ogcapi-features#fields": lambda api: (
        "geometry" not in api.get(f"{_ITEMS}?fields=-geometry").json()["features"][0]
    ),
    f"{_STAC}/v1.0.0/item-search#query": finds("b", query='{"gsd": {"eq": 20}}'),
    f"{_STAC}/v1.0.0/ogcapi-features#query": finds("b a", query='{"gsd": {"lte": 20}}'),
    **{f"{_STAC}/v1.{minor}.0/item-search#sort": finds("a b c", sortby="gsd") for minor in (0, 1)},
    **{f"{_STAC}/v1.{minor}.0/ogcapi-features#sort": finds("c b a", sortby="-id") for minor in (0, 1)},
    f"{_STAC}/v1.1.0/item-search#sortables": on("/stac/sortables", lambda page: "gsd" in page["properties"]),
    f"{_OGC}/ogcapi-features-5/1.0/conf/sortables": on(
        "/stac/collections/land-cover/sortables", lambda page: "gsd" in page["properties"]
    ),
    f"{_STAC}/v1.0.0-rc.2/item-search#filter": filters("b", "gsd = 20"),
    f"{_STAC}/v1.0.0-rc.1/item-search#free-text": finds("a", q="forêt"),
    f"{_STAC}/v1.0.0-rc.1/ogcapi-features#free-text": finds("b a", q="FORET,road"),
    f"{_STAC}/v1.0.0-rc.1/collection-search": collections("runs", bbox="50,50,51,51", limit=1, q="hindcast"),
    f"{_STAC}/v1.0.0-rc.1/collection-search#fields": on(
        "/stac/collections", lambda page: "extent" not in page["collections"][0], fields="-extent"
    ),
    f"{_STAC}/v1.0.0-rc.1/collection-search#filter": collections("runs", filter="id = 'runs'"),
    f"{_STAC}/v1.0.0-rc.1/collection-search#free-text": collections("drivers", q="terrain"),
    f"{_STAC}/v1.1.0/collection-search#sort": collections("runs run-maps", sortby="-title", filter="id LIKE 'run%'"),
    f"{_OGC}/ogcapi-common-2/1.0/conf/simple-query": collections("drivers", limit=1),
    f"{_OGC}/ogcapi-features-3/1.0/conf/filter": filters("b", "gsd = 20"),
    f"{_OGC}/ogcapi-features-3/1.0/conf/features-filter": filters("b", "gsd = 20"),
    f"{_OGC}/ogcapi-features-3/1.0/conf/queryables": links(f"{_CRS}/queryables"),
    f"{_OGC}/cql2/1.0/conf/cql2-text": filters("a", "gsd = 10 AND id = 'a'"),
    f"{_OGC}/cql2/1.0/conf/cql2-json": finds(
        "a", filter='{"op": "=", "args": [{"property": "gsd"}, 10]}', **{"filter-lang": "cql2-json"}
    ),
    f"{_OGC}/cql2/1.0/conf/basic-cql2": filters("b c", "NOT (gsd < 20 OR gsd IS NULL) AND size IS NULL OR id = 'c'"),
    f"{_OGC}/cql2/1.0/conf/advanced-comparison-operators": filters(
        "a b", "title LIKE '%o%' AND gsd BETWEEN 10 AND 20 AND id IN ('a', 'b')"
    ),
    f"{_OGC}/cql2/1.0/conf/case-insensitive-comparison": filters("b", "CASEI(title) = CASEI('rOAD')"),
    f"{_OGC}/cql2/1.0/conf/accent-insensitive-comparison": filters("a", "ACCENTI(title) = ACCENTI('Foret')"),
    f"{_OGC}/cql2/1.0/conf/basic-spatial-functions": filters("b", "S_INTERSECTS(geometry, POINT(2.5 0.5))"),
    f"{_OGC}/cql2/1.0/conf/basic-spatial-functions-plus": filters(
        "a b", "S_INTERSECTS(geometry, LINESTRING(0 0.5, 3 0.5))"
    ),
    f"{_OGC}/cql2/1.0/conf/spatial-functions": filters(
        "a",
        "S_EQUALS(geometry, POLYGON((0 0, 1 0, 1 1, 0 1, 0 0))) AND S_TOUCHES(geometry, POINT(0 0)) "
        "AND S_WITHIN(geometry, BBOX(0, 0, 1, 1)) AND S_CONTAINS(geometry, POINT(0.5 0.5)) "
        "AND S_DISJOINT(geometry, POINT(9 9)) AND S_OVERLAPS(geometry, BBOX(0.5, 0.5, 2, 2)) "
        "AND NOT S_CROSSES(geometry, POINT(0.5 0.5))",
    ),
    f"{_OGC}/cql2/1.0/conf/temporal-functions": filters(
        "b",
        "T_AFTER(datetime, TIMESTAMP('2000-01-01T00:00:00Z')) AND T_BEFORE(datetime, DATE('2002-01-01')) "
        "AND T_DURING(INTERVAL(start_datetime, end_datetime), INTERVAL('2000-06-01', '2001-06-01')) "
        "AND T_INTERSECTS(datetime, INTERVAL('2001-01-01T00:00:00Z', '..')) "
        "AND T_EQUALS(datetime, TIMESTAMP('2001-01-01T00:00:00Z')) AND NOT T_DISJOINT(datetime, DATE('2001-01-01'))",
    ),
    f"{_OGC}/cql2/1.0/conf/array-functions": filters(
        "c", "A_CONTAINS(marks, (1, 'x')) AND A_OVERLAPS(marks, ('x', 9)) AND NOT A_EQUALS(marks, ('x'))"
    ),
    f"{_OGC}/cql2/1.0/conf/property-property": filters("c", "gsd = size"),
    f"{_OGC}/cql2/1.0/conf/arithmetic": filters("b", "gsd * 2 + 10 = 50 AND gsd % 3 = 2 AND gsd div 3 = 6"),
    f"{_STAC}/v0.3.0/aggregation": counts(3),
    f"{_STAC}/v0.3.0/aggregation#filter": counts(1, filter="gsd = 20"),
    f"{_STAC}/v0.3.0/aggregation#query": counts(2, query='{"gsd": {"gt": 10}}'),
    TRANSACTIONS[0]: creates(_ITEMS, _new_item),
    TRANSACTIONS[1]: creates("/stac/collections", _roads),
}


@pytest.fixture(scope="module", params=STORES)
def full_api(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with open_empty(request, tmp_path_factory) as store, serve(store, writing=True) as api:
        yield api


@pytest.fixture
def orchard(full_api: Api, make_item: MakeItem) -> Api:
    for collection in make_collections(name="Valley Commons"):
        full_api.store.put_collection(collection)
    full_api.store.put_items(
        [
            make_item("a", (0, 0, 1, 1), "2000-01-01T00:00:00Z", gsd=10, title="Forêt"),
            make_item("b", (2, 0, 3, 1), "2001-01-01T00:00:00Z", gsd=20, title="Road", deprecated=False),
            make_item("c", (4, 0, 5, 1), "2002-01-01T00:00:00Z", gsd=30, size=30, marks=["x", 1, 2]),
        ]
    )
    return full_api


def test_every_class_is_shown() -> None:
    assert list_classes(writing=True) == sorted(CHECKS)


def test_the_page_lists_them(orchard: Api) -> None:
    assert orchard.get("/stac/conformance").json()["conformsTo"] == list_classes(writing=True)


@pytest.mark.parametrize("name", sorted(CHECKS))
def test_the_class_is_kept(orchard: Api, name: str) -> None:
    try:
        assert CHECKS[name](orchard)
    finally:
        orchard.store.delete_items("land-cover", ["new"])
        if name == TRANSACTIONS[1]:
            orchard.store.delete_collection("roads")


def test_what_a_store_lacks_is_not_listed() -> None:
    lacking = frozenset({f"{_OGC}/cql2/1.0/conf/arithmetic"})
    assert set(list_classes(writing=False)) - set(list_classes(writing=False, lacking=lacking)) == lacking
