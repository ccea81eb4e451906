"""What strangers try: nothing makes the server fail, read what it should not, call anybody, or tell of its machine."""

from __future__ import annotations

import asyncio
import gzip
import json
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import rasterio
from affine import Affine
from fastapi import FastAPI

import datacommons as dc
from catalog.store import OWNER
from datacommons.door.server import create_app
from datacommons.plans.desk import open_desk
from tests.datacommons.map_attacks import POLYGONS, REFUSED

CANARY = "canary-7c1f"
TILE = "tiles/WebMercatorQuad/8/128/100.png"
ITEM = "/collections/land-cover/items/valley-land-cover-1990"
RUN = "/runs/valley-roads-1/2001"
SQUARE = {"type": "Polygon", "coordinates": [[[-75, 36.1], [-74.9, 36.1], [-74.9, 36.2], [-75, 36.1]]]}
# Written as they go over the wire; clients would tidy some of them.
UP = ["../../../etc/passwd", "..%2f..%2f..%2fetc%2fpasswd", "%2e%2e/%2e%2e/etc/passwd", "..%252f..%252fetc%252fpasswd"]
UP += ["....//....//etc/passwd", "..%5c..%5c..%5cwindows%5cwin.ini", "..%c0%af..%c0%afetc/passwd", "%00/etc/passwd"]
UP += ["..;/..;/etc/passwd", "%ef%bc%8e%ef%bc%8e/etc/passwd", "outside.txt", "../outside.txt", "%2e%2e%2foutside.txt"]


class Attack(NamedTuple):
    """A request, byte by byte."""

    path: str
    query: str = ""
    method: str = "GET"
    body: bytes = b""
    headers: tuple[tuple[bytes, bytes], ...] = ()


def body(document: Any, query: str = "", **headers: str) -> Attack:
    content = document if isinstance(document, bytes) else json.dumps(document).encode()
    named = tuple((name.replace("_", "-").encode(), value.encode()) for name, value in headers.items())
    return Attack("/runs/valley-roads-1/statistics", query, "POST", content, named)


def ring(*positions: Any) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": [list(positions)]}


PATHS = [
    *(Attack(f"{prefix}{up}") for up in UP for prefix in ("/files/", "/collections/land-cover/items/", "/")),
    *(Attack(f"/runs/{up}/2001/{TILE}") for up in UP),
    *(Attack(f"/files/layers/land-cover/valley-land-cover-1990/{up}") for up in UP),
]
TILES = [
    Attack(f"{ITEM}/tiles/WebMercatorQuad/{place}")
    for place in (
        "60/0/0",
        "24/99999999/99999999",
        f"8/{10**40}/0",
        "8/-1/0",
        "-8/0/0",
        "nan/nan/nan",
        "inf/0/0",
        "0x8/0/0",
        "8/1e3/0",
        "8/0/0@1000x",
        "8/0/0@2x.png@2x",
        "8/0/0.svg",
        "8/0/0.png.exe",
        "8/0/0%0d%0aSet-Cookie:%20a=b",
        "8/%EF%BC%91/0",
        "8/²/0",
        f"8/{'1' * 5000}/0",
        "{z}/{x}/{y}",
    )
]
QUERIES = [
    Attack(f"{ITEM}/{TILE}", query)
    for query in (
        "url=http://127.0.0.1:{port}/a.tif",
        "url=file:///etc/passwd",
        "asset=../../../etc/passwd",
        "asset=/vsicurl/http://127.0.0.1:{port}/a.tif",
        "asset=data&asset=other",
        "style=legend%00",
        "style=legend%0d%0aX-Evil:%201",
        "v=%0d%0aSet-Cookie:%20a=b",
        "v=" + "x" * 100_000,
        "%",
        "%zz=%zz",
        "=&=&=",
        "&".join("a" for _ in range(100_000)),
        "style=%f0%28%8c%28",
        "expression=__import__('os').system('id')",
        "colormap={{}}&rescale=nan,inf&tilesize=100000&buffer=1e9",
        "algorithm=hillshade&algorithm_params=%7B%7D",
    )
]
COMPARED = [
    Attack(f"{RUN}/difference/{TILE}", query)
    for query in (
        "since=-1",
        "since=9999999999999999",
        "since=nan",
        "against=../../../etc/passwd",
        "against=land-cover/../../x",
        "against=http://127.0.0.1:{port}/a",
        "against=" + "a/" * 5000,
        "against=drivers/valley-rights",
        "since=2000&class=" + "%2e%2e%2f" * 20,
        "since=2000&class=<script>alert(1)</script>",
    )
]
HEADERS = [
    Attack(f"{ITEM}/WebMercatorQuad/tilejson.json", headers=(pair,))
    for pair in (
        (b"host", b"evil.example\r\nSet-Cookie: a=b"),
        (b"host", b""),
        (b"host", b"[::"),
        (b"x-forwarded-host", b"evil.example/<script>"),
        (b"x-forwarded-prefix", b"//evil.example"),
        (b"x-forwarded-port", b"99999999"),
        (b"x-forwarded-proto", b"javascript"),
        (b"forwarded", b"host=" + b"a" * 100_000),
        (b"if-none-match", b'"' * 10_000),
        (b"if-none-match", b"\xff\xfe"),
        (b"range", b"bytes=0-" + b"9" * 400),
        (b"accept-language", b"../" * 1000),
    )
]
BODIES = [
    body(b""),
    body(b"null"),
    body(b"[" * 500_000),
    body(b'{"a":' * 100_000),
    body(b"\x00\xff"),
    body(b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'),
    body(b" " * 2_000_000),
    body(SQUARE, content_length="99999999999"),
    body(SQUARE, content_length="-1"),
    body(SQUARE, content_length="1e3"),
    body(gzip.compress(b" " * 5_000_000), content_encoding="gzip"),
    body(ring(*[[n / 20_000, 0] for n in range(20_000)])),
    body(ring(*[[float(f"1e{n}"), 0] for n in range(300, 304)])),
    body(ring([-180, -90], [180, -90], [180, 90], [-180, 90], [-180, -90])),
    body(ring([0, 0], [0, 0], [0, 0], [0, 0])),
    body(ring([179, 0], [-179, 0], [179, 0], [-179, 0], [179, 0])),
    body(ring([179, 89], [-60, 90], [-179, -90], [180, -90], [-180, 90], [179, 89])),
    body(ring(*[[180 * (-1) ** n, n / 200] for n in range(9_999)])),
    body(ring([-75, 36.1], [-74.9, 36.2], [-75, 36.2], [-74.9, 36.1], [-75, 36.1])),
    body(ring([-75, 36], [-75, 36], [-75, 36])),
    body(b'{"type":"Polygon","coordinates":[[[NaN,0],[1,0],[1,1],[NaN,0]]]}'),
    body(b'{"type":"Polygon","coordinates":[[[1e999,0],[1,0],[1,1],[1e999,0]]]}'),
    body(SQUARE | {"coordinates": {"$ref": "file:///etc/passwd"}}),
    body(SQUARE, "with=../../../etc/passwd"),
    body(SQUARE, "&".join(f"with=run-{n}" for n in range(1000))),
    body(SQUARE, "expected=maybe"),
    body(SQUARE, "lang=../../etc"),
    *(Attack(f"/runs/valley-roads-1/point/{place}") for place in ("nan,nan", "inf,0", "1e999,0", "0,0,0", "a,b", ",")),
    *(Attack(f"{ITEM}/{TILE}", method=method) for method in ("POST", "PUT", "DELETE", "TRACE", "PATCH", "BREW")),
]
WISH = {"kind": "convert", "where": SQUARE, "classes": ["forest"], "to": "built", "hectares": 1}
PLANNED = [
    *(Attack(f"{prefix}{up}{tail}") for up in UP for prefix, tail in (("/plans/", "/scenario.yaml"), ("/plans/", ""))),
    *(Attack(f"/landscapes/{up}/plans", "base=../../etc") for up in UP),
    Attack("/plans/plan-0/events", headers=((b"last-event-id", b"9" * 10_000),)),
    Attack("/plans/plan-0%0d%0ax-evil:1", method="DELETE"),
    *(
        each._replace(path="/landscapes/valley/plans")
        for each in (
            *BODIES[:12],
            body({"title": "x", "interventions": [WISH] * 10_000}),
            body({"title": "x", "interventions": [WISH | {"where": "../../../etc/passwd"}]}),
            body({"title": "x", "interventions": [WISH | {"where": {"layer": "rights"}}]}),
            body({"title": "x", "interventions": [WISH | {"priority": "rights"}]}),
            body({"title": "x", "interventions": [WISH | {"classes": ["!!python/object/apply:os.system [id]"]}]}),
            body({"title": "x", "interventions": [WISH | {"from": 10**30}]}),
            body({"title": "x", "interventions": [WISH | {"hectares": 10**400}]}),
            body({"title": "x", "base": "../../../etc/passwd", "interventions": [WISH]}),
            body({"title": "x", "base": "valley-roads-1' OR 1=1 --", "interventions": [WISH]}),
            body({"title": "x", "members": 10**9, "interventions": [WISH]}),
            body(
                {"title": "x\r\nx-evil: 1", "interventions": [WISH | {"where": ring([-180, -90], [180, 90], [0, 90])}]}
            ),
        )
    ),
]
MAPS = [Attack(*url.partition("?")[::2]) for url in REFUSED]
ATTACKS = [*PATHS, *TILES, *QUERIES, *COMPARED, *HEADERS, *BODIES, *PLANNED, *MAPS]
HREFS = [
    "/etc/passwd",
    "../outside.tif",
    "layers/../../outside.tif",
    "http://127.0.0.1:{port}/a.tif",
    "/vsicurl/http://127.0.0.1:{port}/a.tif",
    "/vsizip//vsicurl/http://127.0.0.1:{port}/a.zip/a.tif",
    "vrt:///etc/passwd",
    "GTIFF_DIR:1:../outside.tif",
    "WMS:http://127.0.0.1:{port}/",
    "inline.vrt",
    "remote.vrt",
    "bomb.tif",
]


class Answer(NamedTuple):
    status: int
    headers: dict[bytes, bytes]
    body: bytes


def send(app: FastAPI, attack: Attack, port: int) -> Answer:
    """Hand a request to the application as a server does that takes everything."""
    raw, query = attack.path.encode(), attack.query.replace("{port}", str(port)).encode()
    path = _decode(raw)
    headers = list(attack.headers)
    headers += [] if any(name == b"host" for name, _ in headers) else [(b"host", b"localhost")]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": attack.method,
        "scheme": "http",
        "path": path,
        "raw_path": raw,
        "query_string": query,
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 5),
        "server": ("127.0.0.1", 80),
    }
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": attack.body, "more_body": False}

    async def collect(message: Any) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, collect))
    content = b"".join(message.get("body", b"") for message in sent)
    return Answer(sent[0]["status"], dict(sent[0]["headers"]), content)


def _decode(raw: bytes) -> str:
    from urllib.parse import unquote_to_bytes

    return unquote_to_bytes(raw).decode("utf-8", "replace")


@pytest.fixture(scope="module")
def ear() -> Iterator[socket.socket]:
    """Listen whether the server calls anybody."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.01)
        yield listener


@pytest.fixture(scope="module")
def target(lived_in: Path, tmp_path_factory: pytest.TempPathFactory, ear: socket.socket) -> Iterator[FastAPI]:
    """Return the application of a commons with secrets beside it and hostile items in it."""
    folder = tmp_path_factory.mktemp("attacked")
    root = shutil.copytree(lived_in, folder / "valley")
    for place in (folder, root):
        (place / "outside.txt").write_text(CANARY)
    profile = {"driver": "GTiff", "count": 1, "dtype": "uint8", "crs": "EPSG:32618", "nodata": 0}
    grid = {"transform": Affine(30, 0, 500_000, 0, -30, 4_000_000)}
    with rasterio.open(folder / "outside.tif", "w", width=40, height=40, **profile, **grid) as file:
        file.write(np.full((1, 40, 40), 2, np.uint8))
    bomb = {"width": 12_000, "height": 12_000, "compress": "deflate", "tiled": True, "sparse_ok": True}
    with rasterio.open(root / "bomb.tif", "w", **profile, **grid, **bomb):
        pass
    (root / "inline.vrt").write_text(_vrt(str(folder / "outside.tif")))
    (root / "remote.vrt").write_text(_vrt(f"/vsicurl/http://127.0.0.1:{ear.getsockname()[1]}/a.tif"))
    with dc.open(root) as commons:
        item = commons.store.item("land-cover", "valley-land-cover-1990", OWNER)
        for number, href in enumerate(HREFS):
            asset = item["assets"]["data"] | {"href": href.format(port=ear.getsockname()[1])}
            commons.store.put_items([item | {"id": f"hostile-{number}", "assets": {"data": asset}}])
        with open_desk(commons) as desk:
            yield create_app(commons, desk=desk)


def _vrt(source: str) -> str:
    return (
        "<VRTDataset rasterXSize='40' rasterYSize='40'><SRS>EPSG:32618</SRS>"
        "<GeoTransform>500000,30,0,4000000,0,-30</GeoTransform><VRTRasterBand dataType='Byte' band='1'><SimpleSource>"
        f"<SourceFilename>{source}</SourceFilename><SourceBand>1</SourceBand></SimpleSource></VRTRasterBand></VRTDataset>"
    )


def check(answer: Answer, ear: socket.socket) -> None:
    """Make sure that nothing failed, was told, was set or was called."""
    assert answer.status < 500
    for secret in (CANARY, "root:x:", "/tmp/", "/home/", "Traceback", "site-packages", "canary"):
        assert secret.encode() not in answer.body
    assert b"set-cookie" not in answer.headers
    assert b"x-evil" not in answer.headers
    assert not any(b"\r" in part or b"\n" in part for pair in answer.headers.items() for part in pair)
    if answer.status >= 400 and answer.headers.get(b"content-type", b"").startswith(b"application/json"):
        json.loads(answer.body)
    with pytest.raises(TimeoutError):
        ear.accept()


def test_there_are_enough_attacks() -> None:
    assert len({*ATTACKS}) >= 60


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: f"{attack.method} {attack.path}?{attack.query}"[:80])
def test_nothing_fails_and_nothing_is_told(target: FastAPI, ear: socket.socket, attack: Attack) -> None:
    check(send(target, attack, ear.getsockname()[1]), ear)


@pytest.mark.parametrize("attack", MAPS, ids=lambda attack: f"{attack.path}?{attack.query}"[:80])
def test_what_is_no_map_gets_a_clear_no(target: FastAPI, ear: socket.socket, attack: Attack) -> None:
    answer = send(target, attack, ear.getsockname()[1])
    assert 400 <= answer.status < 500
    assert len(json.loads(answer.body)["detail"]) > 5


@pytest.mark.parametrize("path", POLYGONS)
def test_no_hostile_polygon_is_drawn(target: FastAPI, ear: socket.socket, path: str) -> None:
    for attack in BODIES:
        if attack.body:
            check(send(target, attack._replace(path=path, query=""), ear.getsockname()[1]), ear)


@pytest.mark.parametrize(
    "tail", [TILE, "info", "WebMercatorQuad/tilejson.json", "legend.json", "legend.svg", "map", "picture.png"]
)
@pytest.mark.parametrize("number", range(len(HREFS)), ids=HREFS)
def test_a_hostile_item_is_not_followed(target: FastAPI, ear: socket.socket, number: int, tail: str) -> None:
    base = f"/collections/land-cover/items/hostile-{number}"
    answer = send(target, Attack(f"{base}/{tail}"), ear.getsockname()[1])
    check(answer, ear)
    assert (answer.status < 400) is (
        HREFS[number] == "bomb.tif" or (tail.startswith("legend") and "vrt" in HREFS[number][-3:])
    )


def test_a_difference_with_a_hostile_item_is_not_followed(target: FastAPI, ear: socket.socket) -> None:
    for number in range(len(HREFS)):
        query = f"against=land-cover/hostile-{number}"
        check(send(target, Attack(f"{RUN}/difference/{TILE}", query), ear.getsockname()[1]), ear)


def test_what_is_hidden_is_as_if_it_were_not_there(target: FastAPI, ear: socket.socket) -> None:
    for tail in (
        TILE,
        "info",
        "legend.svg",
        "WebMercatorQuad/tilejson.json",
        "map",
        "picture.png",
        "tiles",
        "point/0,0",
    ):
        hidden = send(target, Attack(f"/collections/drivers/items/valley-rights/{tail}"), 0)
        missing = send(target, Attack(f"/collections/drivers/items/valley-nothing/{tail}"), 0)
        assert hidden.status == missing.status == 404
        assert hidden.body.replace(b"rights", b"nothing") == missing.body
