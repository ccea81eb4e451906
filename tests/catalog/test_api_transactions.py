"""What clients may write by the STAC API, and what they never may."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from catalog.store import OWNER
from tests.catalog.conftest import MakeItem
from tests.catalog.service import Api

ITEMS = "/stac/collections/land-cover/items"
ELSEWHERE = {"data": {"href": "https://data.example/x.tif"}}
COLLECTION = {
    "type": "Collection",
    "stac_version": "1.1.0",
    "id": "roads",
    "description": "Roads",
    "license": "CC-BY-4.0",
    "extent": {"spatial": {"bbox": [[-180, -90, 180, 90]]}, "temporal": {"interval": [[None, None]]}},
    "links": [],
}


@pytest.fixture
def sent(make_item: MakeItem) -> dict[str, Any]:
    """An item as a stranger's tool makes it."""
    return {**make_item("a"), "assets": ELSEWHERE, "links": [{"rel": "about", "href": "https://data.example/a"}]}


def test_an_item_is_created_read_changed_and_deleted(writing_api: Api, sent: dict[str, Any]) -> None:
    created = writing_api.write("POST", ITEMS, json=sent)
    assert created.status_code == 201, created.text
    here = f"{writing_api.url}{ITEMS}/a"
    assert created.headers["location"] == here
    read = writing_api.get(here).json()
    assert read["assets"] == ELSEWHERE
    assert created.json() == read
    replaced = writing_api.write("PUT", here, json={**read, "properties": {**read["properties"], "title": "New"}})
    assert replaced.status_code == 200, replaced.text
    assert writing_api.get(here).json()["properties"]["title"] == "New"
    assert writing_api.store.item("land-cover", "a", OWNER)["links"] == sent["links"], "links of ours are not stored"
    assert writing_api.write("DELETE", here).status_code == 204
    assert writing_api.get(here).status_code == 404
    assert writing_api.write("DELETE", here).status_code == 404


def test_what_others_were_derived_from_stays(writing_api: Api, sent: dict[str, Any]) -> None:
    here = f"{writing_api.url}{ITEMS}/a"
    derived = {**sent, "id": "b", "links": [{"rel": "derived_from", "href": here}]}
    assert writing_api.write("POST", ITEMS, json=sent).status_code == 201
    made = writing_api.write("POST", ITEMS, json=derived)
    assert made.status_code == 201, made.text
    assert here in {link["href"] for link in made.json()["links"] if link["rel"] == "derived_from"}
    refused = writing_api.write("DELETE", here)
    assert refused.status_code == 409
    assert refused.json()["code"] == "StillNeeded"
    assert "'a' cannot be deleted: b was derived from it" in refused.json()["description"]
    read = writing_api.get(here).json()
    other = {"data": {"href": "https://data.example/y.tif"}}
    for method, body in (("PUT", {**read, "assets": other}), ("PATCH", {"assets": other})):
        refused = writing_api.write(method, here, json=body)
        assert refused.status_code == 409
        assert "assets of the item 'a' cannot be changed: b was derived" in refused.json()["description"]
    bulk = {"items": {"a": {**sent, "assets": other}}, "method": "upsert"}
    assert writing_api.write("POST", "/stac/collections/land-cover/bulk_items", json=bulk).status_code == 409
    assert writing_api.write("PATCH", here, json={"properties": {"title": "Told better"}}).status_code == 200
    assert writing_api.get(here).json()["assets"] == ELSEWHERE
    for name in "ba":
        assert writing_api.write("DELETE", f"{ITEMS}/{name}").status_code == 204


def test_a_created_item_is_found_and_widens_its_collection(writing_api: Api, sent: dict[str, Any]) -> None:
    writing_api.write("POST", ITEMS, json=sent)
    assert len(writing_api.get("/stac/search?bbox=10,50,11,51").json()["features"]) == 1
    assert writing_api.get("/stac/collections/land-cover").json()["extent"]["spatial"]["bbox"] == [[10, 50, 11, 51]]


def test_the_collection_comes_from_the_address(writing_api: Api, sent: dict[str, Any]) -> None:
    del sent["collection"]
    assert writing_api.write("POST", ITEMS, json=sent).json()["collection"] == "land-cover"
    wrong = writing_api.write("POST", ITEMS, json={**sent, "id": "b", "collection": "drivers"})
    assert wrong.status_code == 400
    assert "was sent to 'land-cover'" in wrong.json()["description"]


def test_many_items_are_created_all_or_none(writing_api: Api, sent: dict[str, Any]) -> None:
    several = {"type": "FeatureCollection", "features": [{**sent, "id": name} for name in "abc"]}
    assert writing_api.write("POST", ITEMS, json=several).status_code == 201
    again = {"type": "FeatureCollection", "features": [{**sent, "id": name} for name in "dea"]}
    assert writing_api.write("POST", ITEMS, json=again).status_code == 409
    assert writing_api.get(f"{ITEMS}?sortby=id&fields=id").json()["numberMatched"] == 3
    bulk = {"items": {name: {**sent, "id": name} for name in "xyz"}, "method": "insert"}
    path = "/stac/collections/land-cover/bulk_items"
    assert writing_api.write("POST", path, json=bulk).json()["success"] == 3
    assert writing_api.write("POST", path, json=bulk).status_code == 409
    assert writing_api.write("POST", path, json={**bulk, "method": "upsert"}).status_code == 200
    assert writing_api.write("POST", path, json={"items": {"k": sent}}).status_code == 400
    assert writing_api.write("POST", path, json={"items": {"a": {**sent, "geometry": 5}}}).status_code == 400
    homeless = {"items": {"a": {name: value for name, value in sent.items() if name != "collection"}}}
    assert writing_api.write("POST", "/stac/collections/none/bulk_items", json=homeless).status_code == 404


def test_patches(writing_api: Api, sent: dict[str, Any]) -> None:
    writing_api.write("POST", ITEMS, json=sent)
    path = f"{ITEMS}/a"

    def patch(body: Any, kind: str) -> Any:
        return writing_api.write("PATCH", path, json=body, headers={"Content-Type": kind})

    merged = patch({"properties": {"gsd": 10, "landscape:id": None}}, "application/merge-patch+json")
    assert merged.status_code == 200, merged.text
    assert merged.json()["properties"] == {"datetime": "2000-01-01T00:00:00Z", "gsd": 10}
    operations = [
        {"op": "test", "path": "/properties/gsd", "value": 10},
        {"op": "replace", "path": "/properties/gsd", "value": 20},
        {"op": "add", "path": "/properties/note", "value": "x"},
        {"op": "copy", "from": "/properties/note", "path": "/properties/title"},
        {"op": "remove", "path": "/properties/note"},
    ]
    listed = patch(operations, "application/json-patch+json")
    assert listed.status_code == 200, listed.text
    assert writing_api.get(path).json()["properties"] == {
        "datetime": "2000-01-01T00:00:00Z",
        "gsd": 20,
        "title": "x",
    }
    refused = patch([{"op": "test", "path": "/properties/gsd", "value": 10}], "application/json-patch+json")
    assert refused.status_code == 400
    for wrong in ({"id": "b"}, {"collection": "drivers"}, {"properties": None}, {"geometry": {"type": "Blob"}}):
        assert patch(wrong, "application/merge-patch+json").status_code == 400, wrong
    assert writing_api.write("PATCH", f"{ITEMS}/none", json={}).status_code == 404
    assert writing_api.get(path).json() == listed.json()


def test_a_patch_that_doubles_again_and_again_is_stopped(writing_api: Api, sent: dict[str, Any]) -> None:
    writing_api.write("POST", ITEMS, json={**sent, "properties": {**sent["properties"], "a": {"x": "y" * 1000}}})
    doubling = [{"op": "copy", "from": "/properties/a", "path": f"/properties/a/b{number}"} for number in range(60)]
    answer = writing_api.write(
        "PATCH", f"{ITEMS}/a", json=doubling, headers={"Content-Type": "application/json-patch+json"}
    )
    assert answer.status_code == 400
    assert "more than 16 MiB" in answer.json()["description"]


def test_who_did_not_see_the_last_change_does_not_undo_it(writing_api: Api, sent: dict[str, Any]) -> None:
    writing_api.write("POST", ITEMS, json=sent)
    path = f"{ITEMS}/a"
    before = writing_api.get(path)
    changed = writing_api.write("PATCH", path, json={"properties": {"gsd": 5}})
    assert changed.headers["etag"] == writing_api.get(path).headers["etag"]
    late = writing_api.write("PUT", path, json=before.json(), headers={"If-Match": before.headers["etag"]})
    assert late.status_code == 412
    assert writing_api.get(path).json()["properties"]["gsd"] == 5
    known = {"If-Match": changed.headers["etag"]}
    assert writing_api.write("PUT", path, json=before.json(), headers=known).status_code == 200


def test_no_patch_is_lost(writing_api: Api, sent: dict[str, Any]) -> None:
    writing_api.write("POST", ITEMS, json=sent)

    def patch(number: int) -> int:
        return writing_api.write("PATCH", f"{ITEMS}/a", json={"properties": {f"n{number}": number}}).status_code

    with ThreadPoolExecutor(4) as writers:
        assert set(writers.map(patch, range(24))) == {200}
    assert {f"n{number}" for number in range(24)} <= writing_api.get(f"{ITEMS}/a").json()["properties"].keys()


def test_collections(writing_api: Api, sent: dict[str, Any]) -> None:
    created = writing_api.write("POST", "/stac/collections", json=COLLECTION)
    assert created.status_code == 201, created.text
    path = created.headers["location"]
    assert writing_api.write("POST", "/stac/collections", json=COLLECTION).status_code == 409
    assert writing_api.write("PUT", path, json={**COLLECTION, "title": "Roads"}).status_code == 200
    patched = writing_api.write("PATCH", path, json={"keywords": ["road"]})
    assert (patched.json()["title"], patched.json()["keywords"]) == ("Roads", ["road"])
    assert writing_api.write("PUT", path, json={**COLLECTION, "id": "other"}).status_code == 400
    assert writing_api.write("PUT", f"{path}x", json={**COLLECTION, "id": "roadsx"}).status_code == 404
    assert writing_api.write("POST", "/stac/collections", json={**COLLECTION, "extent": 5}).status_code == 400
    item = {**sent, "collection": "roads"}
    assert writing_api.write("POST", f"{path}/items", json=item).status_code == 201
    assert writing_api.write("DELETE", path).status_code == 409
    writing_api.write("DELETE", f"{path}/items/a")
    assert writing_api.write("DELETE", path).status_code == 204
    assert writing_api.get(path).status_code == 404


WRITES = [
    ("POST", ITEMS),
    ("PUT", f"{ITEMS}/a"),
    ("PATCH", f"{ITEMS}/a"),
    ("DELETE", f"{ITEMS}/a"),
    ("POST", "/stac/collections"),
    ("PUT", "/stac/collections/land-cover"),
    ("PATCH", "/stac/collections/land-cover"),
    ("DELETE", "/stac/collections/land-cover"),
    ("POST", "/stac/collections/land-cover/bulk_items"),
]


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_only_the_writer_writes(writing_api: Api, sent: dict[str, Any], method: str, path: str) -> None:
    writing_api.store.put_items([sent])
    body = {"items": {}} if "bulk" in path else {**COLLECTION, "id": "land-cover"} if "items" not in path else sent
    answer = writing_api.client.request(method, path, json=body)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert writing_api.store.item("land-cover", "a", OWNER) == sent


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_nobody_writes_where_it_is_not_allowed(api: Api, sent: dict[str, Any], method: str, path: str) -> None:
    answer = api.write(method, path, json=sent)
    assert answer.status_code in (404, 405)
    assert not any("transaction" in name for name in api.get("/stac/conformance").json()["conformsTo"])


@pytest.mark.parametrize(
    "href",
    [
        "layers/land-cover/other/secret.tif",
        "commons.toml",
        "catalog.sqlite",
        "/etc/passwd",
        "../outside.tif",
        "file:///etc/passwd",
        "/vsicurl/http://127.0.0.1/x.tif",
        "vrt://x",
        "javascript:alert(1)",
        "data:text/html,x",
        "//evil.example/x",
        "http:evil",
        "https://x y/",
        "https://a\nb/",
        "",
        "{url}/files/layers/land-cover/other/secret.tif",
        "{url}/files/%2e%2e/outside.tif",
    ],
)
def test_no_client_names_files_of_the_machine(writing_api: Api, sent: dict[str, Any], href: str) -> None:
    href = href.replace("{url}", writing_api.url)
    for bad in (
        {**sent, "assets": {"data": {"href": href, "type": "image/tiff; application=geotiff"}}},
        {**sent, "links": [{"rel": "about", "href": href}]},
    ):
        assert writing_api.write("POST", ITEMS, json=bad).status_code == 400, bad
        bulk = {"items": {"a": bad}, "method": "upsert"}
        assert writing_api.write("POST", "/stac/collections/land-cover/bulk_items", json=bulk).status_code == 400
    writing_api.store.put_items([sent])
    patch = {"assets": {"data": {"href": href}}}
    assert writing_api.write("PATCH", f"{ITEMS}/a", json=patch).status_code == 400
    assert writing_api.store.item("land-cover", "a", OWNER) == sent


def test_files_that_an_item_has_it_keeps(writing_api: Api, make_item: MakeItem) -> None:
    stored = make_item("a")
    writing_api.store.put_items([stored])
    published = writing_api.get(f"{ITEMS}/a").json()
    assert published["assets"]["data"]["href"].startswith(writing_api.url)
    assert writing_api.write("PUT", f"{ITEMS}/a", json=published).status_code == 200
    assert writing_api.store.item("land-cover", "a", OWNER) == stored
    behind = {"X-Forwarded-Host": "maps.example", "X-Forwarded-Proto": "https", "X-Forwarded-Prefix": "/geo"}
    published = writing_api.get(f"{ITEMS}/a", headers=behind).json()
    assert writing_api.write("PUT", f"{ITEMS}/a", json=published, headers=behind).status_code == 200
    assert writing_api.store.item("land-cover", "a", OWNER) == stored


@pytest.mark.parametrize("body", ["", "{", "[]", "null", "5", '{"type": "Feature"}', '{"type": "FeatureCollection"}'])
def test_bad_bodies(writing_api: Api, body: str) -> None:
    for method, path in WRITES:
        if method != "DELETE" and (method, body) != ("PATCH", "[]"):
            headers = {"Content-Type": "application/json"}
            answer = writing_api.write(method, path, content=body, headers=headers)
            assert answer.status_code in (400, 404), (method, path, answer.text)
