"""Puts the tiles of a catalog into an application."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Final

from fastapi import APIRouter, FastAPI, Path, Query
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from catalog.collections import RUN_MAPS
from catalog.store import CatalogStore, Reader
from tiles.caching import NO_STORE
from tiles.errors import TileError, http_status
from tiles.express import ExpressRoute, Line
from tiles.layer import Layer, LayerIndex
from tiles.painter import LayerSheet, Painter, Sheet
from tiles.routes import LayerTiler, TileRoute
from tiles.style import choose_style

ITEM_PREFIX: Final = "/collections/{collection_id}/items/{item_id}"
RUN_PREFIX: Final = "/runs/{run_id}/{year}"


def add_tiles(
    app: FastAPI,
    store: CatalogStore,
    *,
    locate: Callable[[str], str],
    identify: Callable[[Request], Reader],
) -> None:
    """Add the tiles, TileJSON, info and legends of every raster asset, and of every run by year.

    Parameters
    ----------
    app : FastAPI
    store : CatalogStore
        What is drawn, and who may see it.
    locate : callable
        From an href as stored, relative to the commons, to what GDAL opens: a path, or an "s3://" URL.
    identify : callable
        From a request to who reads.
    """
    index, painter = LayerIndex(store, locate), Painter()

    def find_item_layer(
        request: Request,
        collection_id: str,
        item_id: str,
        asset: Annotated[str | None, Query(max_length=100, description="Default: the first raster")] = None,
    ) -> Layer:
        return index.find(identify(request), collection_id, item_id, asset)

    def find_run_layer(request: Request, run_id: str, year: Annotated[int, Path(ge=1, le=9999)]) -> Layer:
        return index.find_run_map(identify(request), run_id, year)

    def credit_item(request: Request, collection_id: str) -> tuple[str, ...]:
        return index.credit(identify(request), collection_id)

    def credit_run(request: Request) -> tuple[str, ...]:
        return index.credit(identify(request), RUN_MAPS)

    for prefix, name, find, credit in (
        (ITEM_PREFIX, "items", find_item_layer, credit_item),
        (RUN_PREFIX, "runs", find_run_layer, credit_run),
    ):
        tiler = LayerTiler(
            router=APIRouter(route_class=TileRoute, tags=["tiles"]),
            router_prefix=prefix,
            name=name,
            path_dependency=find,
            credit_dependency=credit,
            painter=painter,
        )
        app.include_router(tiler.router, prefix=prefix)
    app.router.routes.insert(0, _make_express(index, painter, identify))
    app.add_exception_handler(TileError, _answer)


def _make_express(index: LayerIndex, painter: Painter, identify: Callable[[Request], Reader]) -> ExpressRoute:
    def find_item(reader: Reader, path: Mapping[str, str], query: Mapping[str, str]) -> Sheet:
        layer = index.find(reader, path["collection"], path["item"], query.get("asset"))
        return LayerSheet(layer, choose_style(layer, query.get("style")))

    def find_run(reader: Reader, path: Mapping[str, str], query: Mapping[str, str]) -> Sheet:
        layer = index.find_run_map(reader, path["run"], int(path["year"]))
        return LayerSheet(layer, choose_style(layer, query.get("style")))

    return ExpressRoute(
        painter,
        identify,
        Line(r"/runs/(?P<run>[^/]+)/(?P<year>[1-9]\d{0,3})", find_run),
        Line(r"/collections/(?P<collection>[^/]+)/items/(?P<item>[^/]+)", find_item),
    )


def _answer(_request: Request, error: Exception) -> Response:
    """Tell the client what was wrong; what went wrong below stays in the log."""
    status = http_status(error) if isinstance(error, TileError) else 500
    return JSONResponse({"detail": str(error)}, status_code=status, headers=NO_STORE)
