"""Which sets of tiles there are, and how they are cut, as OGC API - Tiles tells it; and what all this conforms to."""

from __future__ import annotations

import math
from typing import Any, Final
from urllib.parse import urlencode

from attrs import define
from fastapi import APIRouter, Depends, FastAPI
from morecantile import Tile, TileMatrixSet
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from titiler.core.factory import BaseFactory, FactoryExtension

from tiles.drawing.picture import MEDIA_TYPES
from tiles.drawing.sheets import MAX_ZOOM, TILE_MATRIX_SETS, Coverage, Sheet, find_matrix_set
from tiles.reading.projections import find_turn, name_crs, project_bounds
from tiles.reading.view import Bounds
from tiles.routes.caching import cache_headers
from tiles.routes.layers import FORWARDED, HANDED_ON, MatrixSetName, SheetTiler, TileRoute

_TILES: Final = "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf"
_MAPS: Final = "http://www.opengis.net/spec/ogcapi-maps-1/1.0/conf"
_SCHEME: Final = "http://www.opengis.net/def/rel/ogc/1.0/tiling-scheme"
_CRS84: Final = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
CONFORMS_TO: Final = (
    f"{_TILES}/core",
    f"{_TILES}/tileset",
    f"{_TILES}/tilesets-list",
    f"{_TILES}/png",
    f"{_MAPS}/core",
    f"{_MAPS}/crs",
    f"{_MAPS}/png",
)
"""What is kept in full: boxes, sizes and background colours are understood too, but not all that their classes ask."""


@define
class Tilesets(FactoryExtension):
    """Adds the list of tile sets, and the description of each, to the routes of a sheet."""

    def register(self, factory: BaseFactory) -> None:
        """Register them."""
        assert isinstance(factory, SheetTiler)
        tiler = factory
        found = Depends(tiler.path_dependency)

        def tilesets(request: Request, sheet: Sheet = found) -> Response:
            """List the tile sets."""
            coverage = sheet.cover(find_matrix_set("WebMercatorQuad"), tiler.painter.pool)
            listed = [_describe(tiler, request, sheet, name, coverage) for name in TILE_MATRIX_SETS.list()]
            return _answer({"tilesets": listed}, public=sheet.public)

        def tileset(request: Request, matrix_set_name: MatrixSetName, sheet: Sheet = found) -> Response:
            """Describe a tile set: where it is, which tiles it has, and where they are."""
            matrix_set = find_matrix_set(matrix_set_name)
            coverage = sheet.cover(matrix_set, tiler.painter.pool)
            told = _describe(tiler, request, sheet, matrix_set_name, coverage)
            limits = {"tileMatrixSetLimits": _limit(matrix_set, coverage)}
            return _answer(told | limits, public=sheet.public)

        for path, endpoint, operation in (
            ("/tiles", tilesets, "getTileSetList"),
            ("/tiles/{tileMatrixSetId}", tileset, "getTileSet"),
        ):
            tiler.router.add_api_route(
                path,
                endpoint,
                name=endpoint.__name__,
                response_class=Response,
                operation_id=f"{tiler.operation_prefix}{operation}",
            )


def add_matrix_sets(app: FastAPI) -> None:
    """Add what is the same for all: the tile matrix sets, and what the server conforms to."""
    router = APIRouter(route_class=TileRoute, tags=["tiles"])

    @router.get("/tileMatrixSets", name="tilematrixsets", response_class=Response)
    def matrix_sets(request: Request) -> Response:
        """List the tile matrix sets."""
        listed = [
            {"id": name, "links": [_link(_place_scheme(request, name), _SCHEME, name)]}
            for name in TILE_MATRIX_SETS.list()
        ]
        return _answer({"tileMatrixSets": listed}, public=True)

    @router.get("/tileMatrixSets/{tileMatrixSetId}", name="tilematrixset", response_class=Response)
    def matrix_set(matrix_set_name: MatrixSetName) -> Response:
        """Describe a tile matrix set."""
        return _answer(find_matrix_set(matrix_set_name).model_dump(mode="json", exclude_none=True), public=True)

    @router.get("/conformance", response_class=Response)
    def conformance() -> Response:
        """List what tiles and maps conform to; the STAC API has a list of its own."""
        return _answer({"conformsTo": list(CONFORMS_TO)}, public=True)

    app.include_router(router)


def _describe(tiler: SheetTiler, request: Request, sheet: Sheet, name: str, coverage: Coverage) -> dict[str, Any]:
    matrix_set = find_matrix_set(name)
    west, south, east, north = coverage.box
    asked = {key: value for key, value in request.query_params.items() if key in HANDED_ON}
    asked |= {"v": sheet.edition} if sheet.edition else {}
    query = f"?{urlencode(asked)}" if asked else ""
    # The names of the standard, in our order: the column before the row.
    place = {"tileMatrixSetId": name, "z": "{tileMatrix}", "x": "{tileCol}", "y": "{tileRow}"}
    items = [
        _link(tiler.url_for(request, "tile", format=ending, **place) + query, "item", sheet.title, media_type)
        | {"templated": True}
        for ending, media_type in MEDIA_TYPES.items()
    ]
    own = tiler.url_for(request, "tileset", tileMatrixSetId=name) + query
    return {
        "title": sheet.title,
        "dataType": "map",
        "crs": str(matrix_set.crs.root),
        "tileMatrixSetURI": str(matrix_set.uri) if matrix_set.uri else _place_scheme(request, name),
        "boundingBox": {"lowerLeft": [west, south], "upperRight": [east, north], "crs": _CRS84},
        "links": [_link(own, "self", name), *items, _link(_place_scheme(request, name), _SCHEME, name)],
    }


def _limit(matrix_set: TileMatrixSet, coverage: Coverage) -> list[dict[str, Any]]:
    """Tell from which to which row and column there are tiles, by zoom; none where the set does not reach."""
    whole = coverage.whole
    crs = name_crs(str(matrix_set.id))
    bounds = project_bounds(whole.crs, crs, whole.bounds)
    if bounds[2] > matrix_set.xy_bbox.right + 1e-6 and (turn := find_turn(crs)):
        # Beyond the edge of the map it goes on at the other: no range of columns but all of them holds both.
        bounds = (-turn / 2, bounds[1], turn / 2, bounds[3])
    coarsest, finest = coverage.native_zooms
    zooms = range(max(coarsest, matrix_set.minzoom), min(finest, matrix_set.maxzoom, MAX_ZOOM) + 1)
    found = (_limit_zoom(matrix_set, zoom, bounds) for zoom in zooms)
    return [limits for limits in found if limits is not None]


def _limit_zoom(matrix_set: TileMatrixSet, zoom: int, bounds: Bounds) -> dict[str, Any] | None:
    matrix, first = matrix_set.matrix(zoom), matrix_set.xy_bounds(Tile(0, 0, zoom))
    across, down = first.right - first.left, first.top - first.bottom
    most = matrix.matrixWidth - 1, matrix.matrixHeight - 1
    if all(math.isfinite(edge) for edge in bounds) and bounds[0] < bounds[2]:
        left, right = (math.floor((edge - first.left) / across) for edge in bounds[::2])
        top, bottom = (math.floor((first.top - edge) / down) for edge in bounds[:0:-2])
    else:
        left, top, right, bottom = 0, 0, *most
    if left > most[0] or right < 0 or top > most[1] or bottom < 0:
        return None
    return {
        "tileMatrix": matrix.id,
        "minTileRow": max(top, 0),
        "maxTileRow": min(bottom, most[1]),
        "minTileCol": max(left, 0),
        "maxTileCol": min(right, most[0]),
    }


def _place_scheme(request: Request, name: str) -> str:
    root = request.base_url.replace(path=request.scope.get("root_path", ""))
    return f"{root}/tileMatrixSets/{name}"


def _link(href: str, relation: str, title: str, media_type: str = "application/json") -> dict[str, Any]:
    return {"href": href, "rel": relation, "type": media_type, "title": title}


def _answer(document: dict[str, Any], *, public: bool) -> Response:
    return JSONResponse(document, headers=cache_headers(public=public) | {"Vary": FORWARDED})
