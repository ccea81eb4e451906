"""How the STAC API answers: ETags, compression, long pages, and a manual without other servers."""

from __future__ import annotations

import re

import pytest

from tests.catalog.conftest import MakeItem
from tests.catalog.service import Api

ITEM = "/stac/collections/land-cover/items/valley-2003"


@pytest.mark.parametrize(
    "path",
    [
        "/stac",
        "/stac/conformance",
        "/stac/collections",
        "/stac/collections/land-cover",
        "/stac/collections/land-cover/items",
        ITEM,
        "/stac/search?limit=3",
        "/stac/queryables",
        "/stac/aggregate",
    ],
)
def test_what_a_client_has_already_is_not_sent_again(api: Api, path: str) -> None:
    first = api.get(path)
    tag = first.headers["etag"]
    assert first.headers["cache-control"] == "no-cache"
    for known in (tag, tag.removeprefix("W/"), f'"other", {tag}', "*"):
        again = api.get(path, headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert api.get(path, headers={"If-None-Match": '"other"'}).content == first.content


def test_another_state_has_another_etag(api: Api, make_item: MakeItem) -> None:
    path = "/stac/collections/land-cover/items/changing"
    api.store.put_items([make_item("changing", note=1)])
    before = api.get(path).headers["etag"]
    api.store.put_items([make_item("changing", note=2)])
    after = api.get(path, headers={"If-None-Match": before})
    api.store.delete_items("land-cover", ["changing"])
    assert after.status_code == 200
    assert after.headers["etag"] != before


def test_what_a_known_reader_gets_is_kept_by_no_proxy(api: Api) -> None:
    answer = api.get("/stac/collections/drivers/items/hidden", headers={"Authorization": "partner"})
    assert answer.headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize("encoding", ["gzip", "zstd", "br"])
@pytest.mark.parametrize("path", ["/stac/search?limit=25", "/stac/collections", "/stac/queryables"])
def test_answers_are_compressed(api: Api, path: str, encoding: str) -> None:
    plain = api.get(path, headers={"Accept-Encoding": "identity"})
    with api.client.stream("GET", path, headers={"Accept-Encoding": encoding}) as answer:
        sent = sum(len(part) for part in answer.iter_raw())
    assert "content-encoding" not in plain.headers
    assert answer.headers["content-encoding"] == encoding
    assert "accept-encoding" in answer.headers["vary"].lower()
    assert answer.headers["etag"] == plain.headers["etag"]
    assert sent < len(plain.content) / 2


def test_a_long_page_is_sent_in_parts(empty_api: Api, make_item: MakeItem) -> None:
    api = empty_api
    api.store.put_collection({"type": "Collection", "id": "long"})
    api.store.put_items(make_item(f"i{number:04}", collection="long") for number in range(1207))
    try:
        whole = api.get("/stac/collections/long/items?limit=10000").json()
        assert [item["id"] for item in whole["features"]] == [f"i{number:04}" for number in range(1207)]
        assert whole["numberReturned"] == 1207
        assert {link["rel"] for link in whole["links"]} == {"root", "parent", "collection", "self"}
        first = api.get("/stac/search?collections=long&limit=700&fields=id,-geometry").json()
        (following,) = [link["href"] for link in first["links"] if link["rel"] == "next"]
        rest = api.get(following).json()
        assert (len(first["features"]), len(rest["features"])) == (700, 507)
        assert "geometry" not in first["features"][650]
        assert not [link for link in rest["links"] if link["rel"] == "next"]
        posted = api.post("/stac/search", json={"collections": ["long"], "limit": 1207}).json()
        assert posted["features"] == whole["features"]
        assert not [link for link in posted["links"] if link["rel"] == "next"]
    finally:
        api.store.delete_collection("long")


def test_the_manual_tells_every_path_and_loads_nothing(api: Api) -> None:
    page = api.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert not re.search(r"(?:src|@import|url\()", page.text.replace("default-src", ""))
    for path in api.get("/openapi.json").json()["paths"]:
        assert path in page.text


def test_the_manual_behind_a_proxy(api: Api) -> None:
    headers = {"X-Forwarded-Host": "maps.example", "X-Forwarded-Proto": "https", "X-Forwarded-Prefix": "/geo"}
    text = api.get("/docs", headers=headers).text
    assert "https://maps.example/geo/openapi.json" in text
    assert "https://maps.example/geo/stac/" in text
