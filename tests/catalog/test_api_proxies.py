"""The STAC API behind a proxy, or below a path: every address is the public one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from catalog.api.app import add_stac_api
from tests.catalog.service import Api, identify

FORWARDED = {
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "maps.valley.example",
    "X-Forwarded-Port": "8443",
    "X-Forwarded-Prefix": "/commons",
}


def hrefs(document: Any) -> Iterator[str]:
    if isinstance(document, dict):
        yield from (document["href"],) if isinstance(document.get("href"), str) else ()
        document = list(document.values())
    if isinstance(document, list):
        for each in document:
            yield from hrefs(each)


@pytest.mark.parametrize(
    "path",
    [
        "/stac",
        "/stac/",
        "/stac/collections",
        "/stac/collections/land-cover",
        "/stac/collections/land-cover/items?limit=2",
        "/stac/collections/land-cover/items/valley-2003",
        "/stac/search?limit=2",
    ],
)
def test_behind_a_proxy_every_address_is_the_public_one(api: Api, path: str) -> None:
    answer = api.get(path, headers=FORWARDED)
    assert answer.status_code == 200
    found = list(hrefs(answer.json()))
    assert found
    assert {href for href in found if not href.startswith("https://maps.valley.example:8443/commons/")} == set()
    assert api.url not in answer.text


@pytest.mark.parametrize(
    ("headers", "root"),
    [
        ({"Forwarded": "for=1.2.3.4;proto=https;host=maps.example"}, "https://maps.example/"),
        ({"Forwarded": 'for="[::1]:5";Proto=HTTPS; Host="maps.example:8443"'}, "https://maps.example:8443/"),
        ({"Forwarded": "host=first.example;proto=https, host=inner.example;proto=http"}, "https://first.example/"),
        ({"Forwarded": 'host="[2001:db8::1]:81";proto=http'}, "http://[2001:db8::1]:81/"),
        ({"Forwarded": "host=a.example", "X-Forwarded-Host": "b.example"}, "http://a.example/"),
        ({"X-Forwarded-Host": "a.example, b.example", "X-Forwarded-Proto": "https, http"}, "https://a.example/"),
        ({"X-Forwarded-Host": "a.example:8080"}, "http://a.example:8080/"),
        ({"X-Forwarded-Host": "a.example:443", "X-Forwarded-Proto": "https"}, "https://a.example/"),
        ({"X-Forwarded-Proto": "https", "Host": "a.example:444"}, "https://a.example:444/"),
        ({"X-Forwarded-Port": "8443", "X-Forwarded-Proto": "https", "Host": "a.example"}, "https://a.example:8443/"),
        ({"X-Forwarded-Prefix": "/geo/, /inner", "Host": "a.example"}, "http://a.example/geo/"),
        ({"Host": "[::1]:8000"}, "http://[::1]:8000/"),
        ({"X-Forwarded-Host": "evil.example/x?<script>", "Host": "a.example"}, "http://a.example/"),
        ({"X-Forwarded-Proto": "javascript", "Host": "a.example"}, "http://a.example/"),
        ({"X-Forwarded-Prefix": '/x"><script>', "Host": "a.example"}, "http://a.example/"),
        ({"X-Forwarded-Prefix": "//evil.example", "Host": "a.example"}, "http://a.example/"),
        ({"Forwarded": "nonsense", "Host": "a.example"}, "http://a.example/"),
    ],
)
def test_what_a_proxy_may_say(api: Api, headers: dict[str, str], root: str) -> None:
    found = list(hrefs(api.get("/stac/", headers=headers).json()))
    assert found
    assert {href for href in found if not href.startswith(root)} == set()
    assert f"{root}stac/" in found


def test_behind_a_proxy_the_posted_search_goes_on_there(api: Api) -> None:
    page = api.post("/stac/search", json={"limit": 2}, headers=FORWARDED).json()
    (link,) = [link for link in page["links"] if link["rel"] == "next"]
    assert link["href"] == "https://maps.valley.example:8443/commons/stac/search"
    assert link["method"] == "POST"
    assert link["body"]["limit"] == 2
    assert link["merge"] is False


def test_behind_a_proxy_our_schemas_have_the_public_address(api: Api) -> None:
    schema = api.get("/schemas/landscape/v1.0.0/schema.json", headers=FORWARDED).json()
    assert schema["$id"].startswith("https://maps.valley.example:8443/commons/schemas/landscape/")


def test_under_a_root_path(api: Api) -> None:
    app = FastAPI(docs_url=None, redoc_url=None)
    add_stac_api(app, api.store, title="Valley Commons", description="A test.", identify=identify)
    found = list(hrefs(TestClient(app, root_path="/geo").get("/stac/").json()))
    assert found
    assert all(href.startswith("http://testserver/geo/") for href in found)
