"""The door over HTTP: files with ranges and ETags, who sees what, proxies, and silence about the machine."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx
import numpy as np
import pytest
import rasterio
from fastapi import FastAPI
from fastapi.testclient import TestClient

import datacommons as dc
from catalog.store import OWNER
from datacommons.commons import Commons
from datacommons.door.listening import listen
from datacommons.door.server import create_app
from datacommons.errors import InvalidSettings
from datacommons.plans.desk import open_desk
from tests.commands import PATIENCE_S, open_door
from tests.datacommons.conftest import WriteRaster

Cells = np.ndarray[Any, np.dtype[np.uint8]]
COG = "layers/land-cover/valley-land-cover-1990/valley-land-cover-1990.tif"


@pytest.fixture
def app(commons: Commons) -> FastAPI:
    return create_app(commons)


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def put_run(commons: Commons, access: str = "public") -> None:
    """Register a run with a cube and a map, as the engine lays them on disk."""
    folder = commons.root / "runs" / "valley" / "usual" / "run-1"
    (folder / "trajectory.zarr" / "c" / "0").mkdir(parents=True)
    (folder / "maps").mkdir()
    (folder / "trajectory.zarr" / "zarr.json").write_text("{}")
    (folder / "trajectory.zarr" / "c" / "0" / "0").write_bytes(b"chunk")
    (folder / "maps" / "2010.tif").write_bytes(b"map")
    (folder / "maps" / "2011.tif").write_bytes(b"map of no item")
    (folder / "secret.txt").write_text("of no asset")
    base = commons.store.item("land-cover", "valley-land-cover-1990", OWNER)
    properties = base["properties"] | {"landscape:access": access}
    common = base | {"properties": properties, "links": []}
    place = "runs/valley/usual/run-1"
    cube = {"href": f"{place}/trajectory.zarr", "type": "application/vnd.zarr"}
    image = {"href": f"{place}/maps/2010.tif", "type": "image/tiff"}
    commons.store.put_items(
        [
            common | {"id": "run-1", "collection": "runs", "assets": {"trajectory": cube}},
            common | {"id": "run-1-2010", "collection": "run-maps", "assets": {"map": image}},
        ]
    )


def get_raw(app: FastAPI, path: str) -> tuple[int, bytes]:
    """Ask for a path as it is; HTTP clients tidy "." and ".." away before they send it."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "method": "GET",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"testserver")],
        "scheme": "http",
        "server": ("testserver", 80),
        "client": ("testclient", 1),
    }
    asyncio.run(app(scope, receive, send))
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent)


def test_raw_requests_reach_the_files(app: FastAPI, commons: Commons) -> None:
    assert get_raw(app, f"/files/{COG}") == (200, Path(commons.locate(COG)).read_bytes())


def test_healthz(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}


def test_file_whole_and_by_head(client: TestClient, commons: Commons) -> None:
    content = Path(commons.locate(COG)).read_bytes()
    response = client.get(f"/files/{COG}")
    assert response.content == content
    assert response.headers["content-type"] == "image/tiff; application=geotiff; profile=cloud-optimized"
    assert response.headers["accept-ranges"] == "bytes"
    head = client.head(f"/files/{COG}")
    assert (head.content, head.headers["content-length"]) == (b"", str(len(content)))


def test_file_by_range(client: TestClient, commons: Commons) -> None:
    content = Path(commons.locate(COG)).read_bytes()
    response = client.get(f"/files/{COG}", headers={"Range": "bytes=10-19"})
    assert (response.status_code, response.content) == (206, content[10:20])
    assert response.headers["content-range"] == f"bytes 10-19/{len(content)}"
    assert client.get(f"/files/{COG}", headers={"Range": "bytes=-5"}).content == content[-5:]
    assert client.get(f"/files/{COG}", headers={"Range": f"bytes={len(content)}-"}).status_code == 416


def test_file_unchanged_is_304(client: TestClient, commons: Commons) -> None:
    etag = client.get(f"/files/{COG}").headers["etag"]
    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        response = client.get(f"/files/{COG}", headers={"If-None-Match": known})
        assert (response.status_code, response.content, response.headers["etag"]) == (304, b"", etag)
    assert client.get(f"/files/{COG}", headers={"If-None-Match": '"other"'}).status_code == 200


def test_asset_links_of_the_api_lead_to_the_files(client: TestClient) -> None:
    item = client.get("/stac/collections/land-cover/items/valley-land-cover-1990").json()
    href = item["assets"]["data"]["href"]
    assert href == f"http://testserver/files/{COG}"
    assert client.get(href).status_code == 200
    landscape = client.get("/stac/collections/landscapes/items/valley").json()
    legend = client.get(landscape["assets"]["legend"]["href"])
    assert legend.headers["content-type"] == "application/json"
    assert [entry["name"] for entry in legend.json()["classes"]] == ["forest", "built", "other"]


def test_cube_and_map_of_a_run(client: TestClient, commons: Commons) -> None:
    put_run(commons)
    place = "/files/runs/valley/usual/run-1"
    metadata = client.get(f"{place}/trajectory.zarr/zarr.json")
    assert metadata.headers["content-type"] == "application/json"
    chunk = client.get(f"{place}/trajectory.zarr/c/0/0")
    assert (chunk.content, chunk.headers["content-type"]) == (b"chunk", "application/octet-stream")
    assert client.get(f"{place}/maps/2010.tif").content == b"map"


@pytest.mark.parametrize(
    "path",
    [
        "commons.toml",
        "catalog.sqlite",
        "",
        "layers",
        "layers/land-cover/valley-land-cover-1990",
        "layers/land-cover/valley-land-cover-1990/",
        "layers/land-cover/valley-land-cover-1990/other.tif",
        "layers/land-cover/valley-land-cover-1991/valley-land-cover-1991.tif",
        "layers/nothing/valley-land-cover-1990/valley-land-cover-1990.tif",
        "runs/valley/usual/run-1/trajectory.zarr",
        "runs/valley/usual/run-1/trajectory.zarr/c/0",
        "runs/valley/usual/run-1/trajectory.zarr/c/0/1",
        "runs/valley/usual/run-1/trajectory.zarr/../secret.txt",
        "runs/valley/usual/run-1/trajectory.zarr/%2e%2e/secret.txt",
        "runs/valley/usual/run-1/trajectory.zarr/%2e%2e%2fsecret.txt",
        "runs/valley/usual/run-1/trajectory.zarr/..%5csecret.txt",
        "runs/valley/usual/run-1/trajectory.zarr/link.txt",
        "runs/valley/usual/run-1/trajectory.zarr/zarr.json%00",
        "runs/valley/usual/run-1/secret.txt",
        "runs/valley/usual/run-1/maps/2011.tif",
        "../sources/lc_1990.tif",
        "%2fetc%2fpasswd",
        "/etc/passwd",
        "layers//land-cover/valley-land-cover-1990/valley-land-cover-1990.tif",
        "./" + COG,
        "%2e/" + COG,
    ],
)
def test_what_no_asset_names_is_404(app: FastAPI, commons: Commons, tmp_path: Path, path: str) -> None:
    put_run(commons)
    outside = tmp_path / "outside.txt"
    outside.write_text("not of the commons")
    (commons.root / "runs/valley/usual/run-1/trajectory.zarr/link.txt").symlink_to(outside)
    status, body = get_raw(app, f"/files/{path}")
    assert status == 404
    assert str(tmp_path).encode() not in body


def test_hidden_items_do_not_exist_on_any_path(tmp_path: Path, write_raster: WriteRaster, land_cover: Cells) -> None:
    legend = dc.Legend.from_json({"nodata": 0, "classes": {"1": "Forest", "2": "Built", "3": "Other"}})
    with dc.init(tmp_path / "valley", default_access="private") as commons:
        commons.ingest([write_raster("lc_1990.tif", land_cover)], collection="land-cover", legend=legend)
        put_run(commons, access="private")
        with TestClient(create_app(commons), raise_server_exceptions=False) as client:
            for path in (
                f"files/{COG}",
                "files/layers/landscapes/valley/legend.json",
                "files/runs/valley/usual/run-1/trajectory.zarr/zarr.json",
                "files/runs/valley/usual/run-1/maps/2010.tif",
                "stac/collections/land-cover/items/valley-land-cover-1990",
                "collections/land-cover/items/valley-land-cover-1990/WebMercatorQuad/tilejson.json",
                "runs/run-1/2010/WebMercatorQuad/tilejson.json",
            ):
                assert client.get(f"/{path}").status_code == 404, path
            assert client.get("/stac/search").json()["features"] == []


TOKEN = "a secret of the owner"
WRITER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def writable(commons: Commons) -> Iterator[TestClient]:
    with TestClient(create_app(commons, write_token=TOKEN), raise_server_exceptions=False) as client:
        yield client


def test_the_owner_writes_over_the_door(writable: TestClient) -> None:
    path = "/stac/collections/land-cover/items/valley-land-cover-1990"
    change = {"properties": {"landscape:access": "private"}}
    for stranger in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Bearer "}, {"Authorization": TOKEN}):
        assert writable.patch(path, json=change, headers=stranger).status_code == 401
    assert writable.patch(path, json=change, headers=WRITER).status_code == 200
    assert writable.get(path).status_code == 404
    assert writable.get(path, headers=WRITER).status_code == 200
    assert writable.get(f"/files/{COG}").status_code == 404


def test_a_written_item_draws_nothing_of_the_machine(writable: TestClient) -> None:
    item = writable.get("/stac/collections/land-cover/items/valley-land-cover-1990").json()
    asset = {**item["assets"]["data"], "href": "https://127.0.0.1:9/secret.tif"}
    sent = {**item, "id": "abroad", "links": [], "assets": {"data": asset}}
    assert writable.post("/stac/collections/land-cover/items", json=sent, headers=WRITER).status_code == 201
    tiles = "/collections/land-cover/items/abroad"
    for path in (f"{tiles}/WebMercatorQuad/tilejson.json", f"{tiles}/tiles/WebMercatorQuad/0/0/0", f"{tiles}/info"):
        answer = writable.get(path)
        assert answer.status_code == 400
        assert "outside the commons" in answer.json()["detail"]
    theirs = {**sent, "id": "thief", "assets": {"data": {**asset, "href": item["assets"]["data"]["href"]}}}
    assert writable.post("/stac/collections/land-cover/items", json=theirs, headers=WRITER).status_code == 400


def test_an_item_that_was_only_written_is_no_layer(writable: TestClient, commons: Commons) -> None:
    layers = commons.layers()
    item = writable.get("/stac/collections/land-cover/items/valley-land-cover-1990").json()
    bare = {**item, "id": "bare", "properties": {"datetime": "2010-01-01T00:00:00Z"}, "links": [], "assets": {}}
    thumbnail = {"href": "https://pictures.example/valley.png"}
    for sent in (bare, {**bare, "id": "abroad", "assets": {"data": thumbnail}}):
        assert writable.post("/stac/collections/land-cover/items", json=sent, headers=WRITER).status_code == 201
    assert commons.layers() == layers


def test_openapi_tells_of_every_part_of_a_path(commons: Commons) -> None:
    with open_desk(commons) as desk:
        paths = create_app(commons, write_token=TOKEN, desk=desk).openapi()["paths"]
    for path, operations in paths.items():
        for operation in operations.values():
            told = [each["name"] for each in operation.get("parameters", []) if each["in"] == "path"]
            assert sorted(told) == sorted(re.findall(r"{(\w+)}", path)), path


def test_a_token_that_can_be_guessed_is_refused(commons: Commons) -> None:
    with pytest.raises(InvalidSettings, match="has 5 characters: take at least 16"):
        create_app(commons, write_token="12345")


def test_large_bodies_are_refused(client: TestClient, writable: TestClient) -> None:
    body = b'{"ids": ["' + b"x" * 2**20 + b'"]}'
    headers = {"Content-Type": "application/json"}
    assert client.post("/stac/search", content=body, headers=headers).status_code == 413
    assert client.post("/stac/search", content=body, headers=headers | WRITER).status_code == 413
    assert client.post("/stac/search", content=iter([body]), headers=headers).status_code in (400, 413)
    assert writable.post("/stac/search", content=body, headers=headers | WRITER).status_code == 200


@pytest.mark.parametrize("path", ["/healthz", f"/files/{COG}", "/stac"])
def test_any_origin_may_read(client: TestClient, path: str) -> None:
    response = client.get(path, headers={"Origin": "https://dashboard.example"})
    assert response.headers["access-control-allow-origin"] == "*"
    for method, status in (("POST", 200), ("DELETE", 400)):
        preflight = {"Origin": "https://dashboard.example", "Access-Control-Request-Method": method}
        assert client.options(path, headers=preflight).status_code == status


def test_links_behind_a_proxy(client: TestClient) -> None:
    forwarded = {
        "X-Forwarded-Host": "maps.example.org",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Prefix": "/valley",
    }
    item = client.get("/stac/collections/land-cover/items/valley-land-cover-1990", headers=forwarded).json()
    assert item["assets"]["data"]["href"] == f"https://maps.example.org/valley/files/{COG}"
    links = [link["href"] for link in item["links"] if "web-map" not in link["rel"]]
    assert links
    assert all(link.startswith("https://maps.example.org/valley/") for link in links)
    assert client.get(f"/files/{COG}", headers=forwarded).status_code == 200


def test_no_page_loads_from_elsewhere(client: TestClient) -> None:
    manual = client.get("/docs")
    assert "default-src 'none'" in manual.headers["content-security-policy"]
    assert "/collections/{collection_id}/items/{item_id}/info" in manual.text
    assert client.get("/redoc").status_code == 404


def test_an_unforeseen_error_tells_nothing_of_the_machine(app: FastAPI, commons: Commons) -> None:
    @app.get("/fails")
    def fail() -> None:
        raise OSError(f"cannot read {commons.root}")

    response = TestClient(app, raise_server_exceptions=False).get("/fails")
    assert response.status_code == 500
    assert response.json() == {"code": "ServerError", "description": "The server failed; its log says why."}


def test_errors_are_json(client: TestClient) -> None:
    for path in ("/files/absent", "/stac/collections/absent", "/absent"):
        response = client.get(path)
        assert response.status_code == 404
        assert response.headers["content-type"] == "application/json"


def test_listen_names_an_address_that_is_not_ours() -> None:
    with pytest.raises(OSError, match=r"cannot listen on 203.0.113.1, port 8000: .*127.0.0.1 is this machine"):
        listen("203.0.113.1", 8000)


@pytest.fixture
def address(commons: Commons) -> Iterator[str]:
    """Return the address of the commons, served by the command line in a process of its own."""
    with open_door(commons.root.parent) as address:
        yield address


def test_gdal_reads_a_search_as_one_raster(address: str, land_cover: Cells) -> None:
    search = f'STACIT:"{address}/stac/search?ids=valley-land-cover-1990":asset=data'
    with rasterio.open(search, driver="STACIT") as mosaic:
        np.testing.assert_array_equal(mosaic.read(1), land_cover)


def test_served_by_the_command_line(address: str, land_cover: Cells) -> None:
    with rasterio.open(f"/vsicurl/{address}/files/{COG}") as cog:
        np.testing.assert_array_equal(cog.read(1), land_cover)
    assert httpx.get(f"{address}/healthz", timeout=PATIENCE_S).json() == {"status": "ok"}
    with pytest.raises(OSError, match="Another program listens"):
        listen("127.0.0.1", int(address.rpartition(":")[2]))
