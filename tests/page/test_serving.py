"""How the page is served, whatever browser asks."""

from __future__ import annotations

from mimetypes import guess_type
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

import tiles.viewer
from tiles.viewer import add_viewer

DIST = Path(tiles.viewer.__file__).parent / "dist"
WEIGHT_KB = 400


@pytest.fixture
def client() -> TestClient:
    app = FastAPI()
    add_viewer(app)
    return TestClient(app)


def assets() -> list[Path]:
    """Return the files of the page, without what they are packed into."""
    return sorted(path for path in (DIST / "assets").iterdir() if path.suffix not in (".br", ".gz"))


def test_page_is_asked_for_again_and_its_files_are_kept(client: TestClient) -> None:
    page = client.get("/")
    assert page.status_code == 200
    assert page.headers["cache-control"] == "no-cache"
    assert client.head("/").status_code == 200
    for asset in assets():
        answer = client.get(f"/assets/{asset.name}")
        assert answer.content == asset.read_bytes()
        assert "immutable" in answer.headers["cache-control"]


def test_policy_lets_nothing_in_from_elsewhere(client: TestClient) -> None:
    rules = dict(rule.split(" ", 1) for rule in client.get("/").headers["content-security-policy"].split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == rules["connect-src"] == "'self'"
    assert not any("http" in rule or "*" in rule or "unsafe" in rule for rule in rules.values())


def test_any_site_may_hold_the_embedded_map_and_nothing_else(client: TestClient) -> None:
    page, embedded = (client.get(path).headers["content-security-policy"] for path in ("/", "/embed"))
    assert "frame-ancestors 'self'" in page
    assert embedded == page.replace("frame-ancestors 'self'", "frame-ancestors *")


def test_page_names_its_files_relative_to_itself(client: TestClient) -> None:
    page = client.get("/").text
    for asset in ("./assets/index-", "./assets/icon-"):
        assert asset in page
    assert '="/' not in page
    assert "http" not in page


def test_page_can_be_installed_and_its_worker_is_held_to_the_same_policy(client: TestClient) -> None:
    page = client.get("/")
    assert '<link rel="manifest" href="./manifest.webmanifest" />' in page.text
    manifest = client.get("/manifest.webmanifest").json()
    assert manifest["start_url"] == manifest["scope"] == "./"  # below whatever path the page is served
    for name in ["service-worker.js", "manifest.webmanifest", *(icon["src"] for icon in manifest["icons"])]:
        answer = client.get(f"/{name}")
        assert answer.status_code == client.head(f"/{name}").status_code == 200
        assert answer.headers["cache-control"] == "no-cache"
        assert answer.headers["content-security-policy"] == page.headers["content-security-policy"]
    assert client.get("/service-worker.js").headers["content-type"].startswith("text/javascript")


def test_worker_knows_every_file_of_the_page_and_imports_none(client: TestClient) -> None:
    worker = client.get("/service-worker.js").text
    assert all(f"assets/{asset.name}" in worker for asset in assets())
    assert "import(" not in worker
    assert "importScripts" not in worker


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("gzip;q=0.5, br;q=0", "gzip"),
        ("gzip", "gzip"),
        ("br", "br"),
        ("identity", None),
        ("", None),
    ],
)
def test_files_are_sent_as_they_were_packed(client: TestClient, accepted: str, coding: str | None) -> None:
    for asset in assets():
        answer = client.get(f"/assets/{asset.name}", headers={"accept-encoding": accepted})
        assert answer.headers.get("content-encoding") == coding
        assert answer.content == asset.read_bytes(), "the client has unpacked it"
        assert answer.headers["content-type"].partition(";")[0] == guess_type(asset.name)[0]
        assert "accept-encoding" in answer.headers["vary"].lower()
        assert "immutable" in answer.headers["cache-control"]


def test_packed_file_is_not_sent_again(client: TestClient) -> None:
    headers = {"accept-encoding": "br"}
    first = client.get(f"/assets/{assets()[0].name}", headers=headers)
    again = client.get(f"/assets/{assets()[0].name}", headers={**headers, "if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_what_the_first_map_needs_is_light() -> None:
    first = [asset for asset in assets() if asset.name.startswith(("index-", "page-", "landscape-map-", "icon-"))]
    packed = [asset.with_name(f"{asset.name}.gz") for asset in first]
    weight = sum(path.stat().st_size for path in [DIST / "index.html", *packed])
    assert weight < WEIGHT_KB * 1000


def test_unknown_file_is_not_found_and_not_kept(client: TestClient) -> None:
    answer = client.get("/assets/nothing.js")
    assert answer.status_code == 404
    assert "immutable" not in answer.headers.get("cache-control", "")


def test_page_that_was_not_built_says_how_to_build_it(tmp_path: Path) -> None:
    app = FastAPI()
    add_viewer(app, dist=tmp_path / "dist")
    answer = TestClient(app).get("/")
    assert answer.status_code == 503
    assert "npm run build" in answer.text
