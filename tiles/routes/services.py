"""The routes beside tiles: WMTS capabilities of items and runs, and names that lead to the newest run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import quote, urlencode

from fastapi import APIRouter, FastAPI
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from catalog.collections import RUNS
from catalog.store import Query, Reader
from tiles.drawing.painter import Painter
from tiles.drawing.sheets import Coverage, LayerSheet, find_matrix_set
from tiles.drawing.style import suiting_styles
from tiles.errors import LayerNotFound
from tiles.routes.caching import cache_headers
from tiles.routes.layer import Layer, LayerIndex
from tiles.routes.layers import FORWARDED, TileRoute
from tiles.routes.wmts import WmtsLayer, write_capabilities

_LATEST: Final = "latest"
_LATEST_S: Final = 60
_TILE: Final = "tiles/{TileMatrixSet}/{TileMatrix}/{TileCol}/{TileRow}"


def add_services(app: FastAPI, index: LayerIndex, painter: Painter, identify: Callable[[Request], Reader]) -> None:
    """Add WMTS capabilities, and addresses of the newest run of a scenario.

    Parameters
    ----------
    app : FastAPI
    index : LayerIndex
    painter : Painter
    identify : callable
        From a request to who reads.
    """
    router = APIRouter(route_class=TileRoute, tags=["tiles"])

    @router.get("/runs/{family}-latest/{rest:path}", response_class=Response, status_code=307)
    def latest(request: Request, family: str, rest: str) -> Response:
        """Lead to the newest run of a scenario, in the version that caches may keep for good."""
        run = find_latest(index, identify(request), family)
        query = request.query_params.multi_items()
        if "/tiles/" in f"/{rest}" and "difference/" not in rest:
            query = [(name, text) for name, text in query if name != "v"]
            query.append(("v", str(run["properties"].get("created", ""))))
        told = f"?{urlencode(query)}" if query else ""
        # Whatever a proxy says of the prefix, the visitor stays on this host.
        root = "/".join(["", *filter(None, str(request.scope.get("root_path", "")).split("/"))])
        place = f"{root}/runs/{quote(str(run['id']), safe='')}/{quote(rest)}{told}"
        headers = {"Cache-Control": f"private, max-age={_LATEST_S}"}
        return RedirectResponse(place, 307, headers=headers)

    @router.get("/collections/{collection_id}/items/{item_id}/WMTSCapabilities.xml", response_class=Response)
    def item_capabilities(request: Request, collection_id: str, item_id: str) -> Response:
        """Describe the layer of an item, in all its styles, as WMTS."""
        layer = index.find(identify(request), collection_id, item_id)
        place = f"{_root(request)}/collections/{quote(collection_id, safe='')}/items/{quote(item_id, safe='')}"
        told = _describe(layer, painter, f"{place}/{_TILE}", f"{place}/legend.png")
        return _answer(layer, request, [told])

    @router.get("/runs/{run_id}/WMTSCapabilities.xml", response_class=Response)
    def run_capabilities(request: Request, run_id: str) -> Response:
        """Describe all years of a run, in all styles, as WMTS with the dimension Time."""
        reader = identify(request)
        run, _ = index.find_document(reader, RUNS, run_id)
        years = read_years(run)
        layer = index.find_run_map(reader, run_id, years[-1])
        place = f"{_root(request)}/runs/{quote(run_id, safe='')}"
        told = _describe(layer, painter, f"{place}/{{Time}}/{_TILE}", f"{place}/{years[-1]}/legend.png")
        title = str(run["properties"].get("title") or run_id)
        return _answer(layer, request, [replace(told, identifier=run_id, title=title, years=years)])

    app.include_router(router)


def find_latest(index: LayerIndex, reader: Reader, family: str) -> dict[str, Any]:
    """Return the newest run of ``{landscape}-{scenario}`` that a reader may see.

    Raises
    ------
    LayerNotFound
    """
    query: Query | None = Query(collections=(RUNS,), limit=1000)
    found: list[tuple[int, dict[str, Any]]] = []
    while query is not None:
        page = index.store.search(query, reader)
        for item in page.items:
            name, _, number = str(item["id"]).rpartition("-")
            if name == family and number.isdecimal():
                found.append((int(number), item))
        query = replace(query, token=page.next) if page.next else None
    if not found:
        raise LayerNotFound(f"There is no run of {family!r}. The STAC collection {RUNS!r} lists those there are.")
    return max(found, key=lambda pair: pair[0])[1]


def read_years(run: Mapping[str, Any]) -> list[int]:
    """Return the projected years of a run. Raises LayerNotFound."""
    properties = run["properties"]
    try:
        start = int(str(properties["scenario:baseline_datetime"])[:4])
        return list(range(start + 1, start + 1 + int(properties["scenario:horizon_years"])))
    except (KeyError, ValueError):
        raise LayerNotFound(f"The run {run['id']!r} does not tell its years.") from None


def _describe(layer: Layer, painter: Painter, template: str, legend: str) -> WmtsLayer:
    sheet = LayerSheet(layer, suiting_styles(layer)[0])
    coverage: Coverage = sheet.cover(find_matrix_set("WebMercatorQuad"), painter.pool)
    return WmtsLayer(layer.item_id, layer.title, coverage.box, suiting_styles(layer), template, legend)


def _answer(layer: Layer, request: Request, layers: list[WmtsLayer]) -> Response:
    address = f"{_root(request)}{quote(request.scope['path'].removeprefix(request.scope.get('root_path', '')))}"
    content = write_capabilities(layers[0].title, address, layers)
    headers = cache_headers(public=layer.public) | {"Vary": FORWARDED}
    return Response(content, media_type="application/xml", headers=headers)


def _root(request: Request) -> str:
    return str(request.base_url.replace(path=request.scope.get("root_path", "")))
