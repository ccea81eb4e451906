"""The stand-in's packed maps: PMTiles archives of the very tiles that it gives one by one."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from io import BytesIO
from typing import Any, Final

from fastapi import FastAPI, HTTPException
from fastapi.responses import Response
from pmtiles.tile import Compression, TileType, zxy_to_tileid
from pmtiles.writer import Writer

from tests.page import valley
from tests.page.commons_answers import plan_of, veil_tile
from tiles.drawing.sheets import find_matrix_set

ZOOMS: Final = range(13)
"""Coarser than the map asks for at last: it has to enlarge what is kept."""

Painter = Callable[[int, int, int], bytes]


def add_archives(app: FastAPI) -> None:
    """Add the archives of runs, of where their members agree, of observed maps and of the relief."""

    @app.api_route("/runs/{run}/{year}/tiles.pmtiles", methods=["GET", "HEAD"])
    def run_archive(run: str, year: int) -> Response:
        return _answer("cover", plan_of(run), year)

    @app.api_route("/runs/{run}/{year}/agreement/tiles.pmtiles", methods=["GET", "HEAD"])
    def veil_archive(run: str, year: int, style: str) -> Response:
        return _answer(style, plan_of(run), year)

    @app.api_route("/collections/{collection}/items/{item}/tiles.pmtiles", methods=["GET", "HEAD"])
    def item_archive(collection: str, item: str, style: str = "cover") -> Response:
        if collection == "drivers":
            return _answer(style, "", 0)
        return _answer("cover", "as-before", int(item.rsplit("-", 1)[1]))


def _answer(kind: str, plan: str, year: int) -> Response:
    if kind not in {"cover", "veil", "relief"}:
        raise HTTPException(404)
    return Response(_pack(kind, plan, year), media_type="application/vnd.pmtiles")


@lru_cache(maxsize=64)
def _pack(kind: str, plan: str, year: int) -> bytes:
    paint: dict[str, Painter] = {
        "cover": lambda z, x, y: valley.cover_tile(plan, year, z, x, y),
        "veil": lambda z, x, y: veil_tile(plan, year, z, x, y),
        "relief": valley.relief_tile,
    }
    stream = BytesIO()
    writer: Any = Writer(stream)  # type: ignore[no-untyped-call]
    places = [
        (each.z, each.x, each.y) for each in find_matrix_set("WebMercatorQuad").tiles(*valley.BOUNDS, zooms=ZOOMS)
    ]
    for place in sorted(places, key=lambda one: zxy_to_tileid(*one)):
        writer.write_tile(zxy_to_tileid(*place), paint[kind](*place))
    writer.finalize({"tile_type": TileType.PNG, "tile_compression": Compression.NONE, **_bounds()}, {})
    return stream.getvalue()


def _bounds() -> dict[str, int]:
    edges = ("min_lon_e7", "min_lat_e7", "max_lon_e7", "max_lat_e7")
    return {edge: round(degrees * 1e7) for edge, degrees in zip(edges, valley.BOUNDS, strict=True)} | {
        "center_zoom": 10,
        "center_lon_e7": round((valley.WEST + valley.EAST) / 2 * 1e7),
        "center_lat_e7": round((valley.SOUTH + valley.NORTH) / 2 * 1e7),
    }
