"""What clients send is read up to a polygon's worth, and no further."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Iterable
from typing import Any

import pytest
from shapely.geometry import shape
from starlette.requests import Request

from tiles.errors import InvalidRequest, TileError, TooMuch, TooSlow
from tiles.routes.body import MOST_BYTES, MOST_VERTICES, read_polygon

SQUARE = [[[0, 0], [1, 0], [1, 1], [0, 0]]]


def read(parts: Iterable[bytes], *, pause_s: float = 0, patience_s: float = 60, **headers: str) -> dict[str, Any]:
    left = list(parts)

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(pause_s)
        return {"type": "http.request", "body": left.pop(0) if left else b"", "more_body": bool(left)}

    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    request = Request({"type": "http", "method": "POST", "headers": named}, receive)
    return asyncio.run(read_polygon(request, patience_s))


def dump(document: Any) -> list[bytes]:
    return [json.dumps(document).encode()]


def test_polygons_and_features_are_read() -> None:
    polygon = {"type": "Polygon", "coordinates": SQUARE}
    several = {"type": "MultiPolygon", "coordinates": [SQUARE, SQUARE]}
    assert read(dump(polygon)) == polygon
    assert read(dump(several)) == several
    assert read(dump({"type": "Feature", "geometry": polygon, "properties": None})) == polygon
    whole = dump(polygon)[0]
    assert read([whole[:10], whole[10:]]) == polygon
    assert read(dump(polygon | {"bbox": [0, 0, 1, 1], "crs": "file:///etc/passwd"})) == polygon


def test_a_polygon_that_leaps_over_the_180th_meridian_is_cut_there() -> None:
    leaping = [[179.0, 0.0], [-179.0, 0.0], [-179.0, 1.0], [179.0, 1.0], [179.0, 0.0]]
    hole = [[-179.9, 0.2], [-179.5, 0.2], [-179.5, 0.8], [-179.9, 0.2]]
    found = shape(read(dump({"type": "Polygon", "coordinates": [leaping, hole]})))
    assert sorted(part.bounds for part in found.geoms) == [(-180, 0, -179, 1), (179, 0, 180, 1)]
    assert found.area == pytest.approx(2 - 0.4 * 0.6 / 2)
    for east in (100, 180):  # longer than most, but plainly meant, and the edge of the map of the world
        band = [[[-east, 0], [east, 0], [east, 1], [-east, 1], [-east, 0]]]
        assert read(dump({"type": "Polygon", "coordinates": band})) == {"type": "Polygon", "coordinates": band}


def test_heights_are_left_out() -> None:
    high = [[[*position, 1000] for position in SQUARE[0]]]
    assert read(dump({"type": "Polygon", "coordinates": high})) == {"type": "Polygon", "coordinates": SQUARE}


def test_a_leap_without_area_is_refused() -> None:
    ring = [[179, 0], [-179, 0], [179, 0], [-179, 0], [179, 0]]
    with pytest.raises(InvalidRequest, match="no area"):
        read(dump({"type": "Polygon", "coordinates": [ring]}))


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        7,
        "Polygon",
        {},
        {"type": "Point", "coordinates": [0, 0]},
        {"type": "GeometryCollection", "geometries": []},
        {"type": "Feature", "geometry": None},
        {"type": "Feature", "geometry": {"type": "Feature"}},
        {"type": ["Polygon"], "coordinates": SQUARE},
        {"type": "Polygon"},
        {"type": "Polygon", "coordinates": None},
        {"type": "Polygon", "coordinates": []},
        {"type": "Polygon", "coordinates": {}},
        {"type": "Polygon", "coordinates": [[]]},
        {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [0, 0]]]},
        {"type": "Polygon", "coordinates": [[["0", 0]] * 4]},
        {"type": "Polygon", "coordinates": [[[True, 0]] * 4]},
        {"type": "Polygon", "coordinates": [[[0]] * 4]},
        {"type": "Polygon", "coordinates": [[[0, 0, 0, 0]] * 4]},
        {"type": "Polygon", "coordinates": [[[181, 0]] * 4]},
        {"type": "Polygon", "coordinates": [[[0, 1e300]] * 4]},
        {"type": "Polygon", "coordinates": [[[0, 0], [500_000, 4_000_000], [1, 1], [0, 0]]]},
        {"type": "MultiPolygon", "coordinates": SQUARE},
        {"type": "MultiPolygon", "coordinates": [[]]},
        {"type": "MultiPolygon", "coordinates": "x"},
    ],
)
def test_what_is_no_polygon_is_refused(document: Any) -> None:
    with pytest.raises(InvalidRequest):
        read(dump(document))


@pytest.mark.parametrize(
    "content",
    [b"", b"<gml/>", b"{", b"\xff\xfe", b'{"a": NaN}', b"[" * 100_000, b'{"type":"Polygon","coordinates":[[[NaN,0]]]}'],
)
def test_what_is_no_json_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidRequest):
        read([content])


def test_too_many_bytes_are_not_waited_for() -> None:
    with pytest.raises(TooMuch):
        read([b"{}"], content_length=str(MOST_BYTES + 1))
    with pytest.raises(TooMuch):
        read([b"{}"], content_length="9" * 400)
    with pytest.raises(TooMuch):
        read([b" " * 100_000] * 1000)


def test_a_body_that_is_cut_off_is_refused() -> None:
    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    with pytest.raises(TooMuch, match="whole"):
        asyncio.run(read_polygon(Request({"type": "http", "method": "POST", "headers": []}, receive)))


def test_a_compressed_body_is_not_unpacked() -> None:
    with pytest.raises(InvalidRequest, match="uncompressed"):
        read([gzip.compress(b" " * 10_000_000)], content_encoding="gzip")


def test_too_many_vertices_are_refused() -> None:
    ring = [[n / MOST_VERTICES, 0] for n in range(MOST_VERTICES + 1)]
    with pytest.raises(TooMuch, match="vertices"):
        read(dump({"type": "Polygon", "coordinates": [ring]}))


def test_a_body_that_drips_is_given_up() -> None:
    with pytest.raises(TooSlow):
        read([b" "] * 100, pause_s=0.02, patience_s=0.05)


def test_every_refusal_is_an_error_of_ours() -> None:
    assert all(issubclass(error, TileError) for error in (InvalidRequest, TooMuch, TooSlow))
