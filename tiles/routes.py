"""The routes of a layer: tiles, TileJSON, info and legend, on TiTiler's factory without its open doors."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Coroutine
from typing import Annotated, Any, Final
from urllib.parse import quote, urlencode

from attrs import define
from fastapi import Depends, Path, Query
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from morecantile.defaults import TileMatrixSets
from pydantic import Field
from rio_tiler.constants import WGS84_CRS
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from titiler.core.factory import TilerFactory

from tiles.caching import cache_headers
from tiles.errors import InvalidRequest
from tiles.layer import Layer
from tiles.legends import DEFAULT_LANGUAGE, SYNTHETIC_NOTE, choose_title, describe, draw
from tiles.painter import (
    MAX_ZOOM,
    TILE_MATRIX_SETS,
    Format,
    Frame,
    LayerSheet,
    Painter,
    find_matrix_set,
    with_spread,
)
from tiles.picture import MEDIA_TYPES
from tiles.reader import TILE_SIZE, LayerReader
from tiles.style import Style, choose_style, suiting_styles

# Zoomed in by two more levels a cell measures several pixels, and its edges are where they are on the ground.
_ZOOMS_BEYOND_NATIVE: Final = 2
# On these depends under which address a server behind a proxy believes to be known.
_FORWARDED: Final = "Forwarded, X-Forwarded-Host, X-Forwarded-Port, X-Forwarded-Prefix, X-Forwarded-Proto"

Coordinate = Annotated[int, Path(ge=0)]
# Without `Path`: FastAPI would want these two in every spelling of the URL.
Scale = Annotated[int, Field(ge=1, le=2)]
StyleName = Annotated[str | None, Query(alias="style", max_length=60, description="A style of info")]
Language = Annotated[str, Query(alias="lang", pattern=r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$", max_length=35)]
Version = Annotated[str | None, Query(alias="v", max_length=64, description="Which version, as TileJSON names it")]
MatrixSetName = Annotated[str, Path(alias="tileMatrixSetId")]


class TileRoute(APIRoute):
    """A route whose complaints about parameters are errors of ours, so that no cache keeps them."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return FastAPI's handler, with its validation errors translated."""
        handle = super().get_route_handler()

        async def translate(request: Request) -> Response:
            try:
                return await handle(request)
            except RequestValidationError as error:
                first = error.errors()[0]
                raise InvalidRequest(f"{first['loc'][-1]} in the URL is wrong: {first['msg']}.") from None

        return translate


@define(kw_only=True)
class LayerTiler(TilerFactory):
    """Makes the routes of the layer that `path_dependency` finds.

    Unlike the stock factory it takes no URL, expression, colour map, size or other knob from the client: what
    is read is found in the catalog, and how it is drawn is a named style.

    Attributes
    ----------
    path_dependency : callable
        FastAPI dependency that returns a `Layer`.
    credit_dependency : callable
        FastAPI dependency that returns the names of those the data is from.
    painter : Painter
        Draws the tiles.
    router_prefix : str
        Under which the router is included, with the parameters of `path_dependency`.
    """

    credit_dependency: Callable[..., tuple[str, ...]]
    painter: Painter
    reader: type[LayerReader] = LayerReader
    supported_tms: TileMatrixSets = TILE_MATRIX_SETS

    def register_routes(self) -> None:
        """Register what we want to answer, and nothing else."""
        self.tile()
        self.tilejson()
        self.info()
        self.legend()

    def tile(self) -> None:
        """Register the tiles, in the spellings that clients use for the scale and the format."""
        found = Depends(self.path_dependency)

        def tile(
            request: Request,
            matrix_set_name: MatrixSetName,
            z: Coordinate,
            x: Coordinate,
            y: Coordinate,
            scale: Scale = 1,
            format: Format = "png",  # noqa: A002 (so it is called in the URL)
            style_name: StyleName = None,
            version: Version = None,
            layer: Layer = found,
        ) -> Response:
            """Draw a tile; it is transparent where there is no data.

            An address that names a version never shows other pixels, so that caches keep it for good.
            """
            frame = Frame(find_matrix_set(matrix_set_name), z, x, y, scale)
            sheet = LayerSheet(layer, choose_style(layer, style_name))
            known = request.headers.get("if-none-match")
            return self.painter.answer(sheet, frame, format, version=version, if_none_match=known)

        base = "/tiles/{tileMatrixSetId}/{z}/{x}/{y}"
        for ending in ("@{scale}x.{format}", ".{format}@{scale}x", "@{scale}x", ".{format}", ""):
            self.router.add_api_route(
                base + ending,
                tile,
                name="tile",
                response_class=Response,
                responses={200: {"content": {media_type: {} for media_type in MEDIA_TYPES.values()}}},
                operation_id=f"{self.operation_prefix}getTile{_camel(ending)}",
            )

    def tilejson(self) -> None:
        """Register the TileJSON document."""
        found, credit = Depends(self.path_dependency), Depends(self.credit_dependency)

        def tilejson(
            request: Request,
            matrix_set_name: MatrixSetName,
            style_name: StyleName = None,
            tile_format: Format = "png",
            layer: Layer = found,
            providers: tuple[str, ...] = credit,
        ) -> Response:
            """Describe the tiles as TileJSON 3: what a map client needs to draw them."""
            matrix_set = find_matrix_set(matrix_set_name)
            style = choose_style(layer, style_name)
            url = self.url_for(
                request, "tile", tileMatrixSetId=matrix_set.id, z="{z}", x="{x}", y="{y}", format=tile_format
            )
            asked = {key: value for key, value in request.query_params.items() if key in ("asset", "style")}
            asked |= {"v": layer.edition} if layer.edition else {}
            url += f"?{urlencode(asked)}" if asked else ""
            with self.painter.open(layer, matrix_set) as source:
                document = _describe_tiles(layer, style, source, providers) | {"tiles": [url]}
            headers = cache_headers(public=layer.public) | {"Vary": _FORWARDED}
            return JSONResponse(document, headers=headers)

        self._add("/{tileMatrixSetId}/tilejson.json", tilejson, "getTileJSON")

    def info(self) -> None:
        """Register what the raster is."""
        found = Depends(self.path_dependency)

        def info(layer: Layer = found) -> Response:
            """Tell the raster's grid and the styles it can be drawn in."""
            with self.painter.open(layer, find_matrix_set("WebMercatorQuad")) as source:
                raster = source.info().model_dump(mode="json", exclude_none=True)
                geographic = source.get_geographic_bounds(WGS84_CRS)
            styles = [{"name": style.name, "title": dict(style.title)} for style in suiting_styles(layer)]
            ours = {"asset": layer.asset_key, "styles": styles, "geographic_bounds": geographic}
            return JSONResponse(raster | ours, headers=cache_headers(public=layer.public))

        self._add("/info", info, "getInfo")

    def legend(self) -> None:
        """Register the legend as JSON and PNG."""
        found = Depends(self.path_dependency)

        def legend_json(
            style_name: StyleName = None,
            language: Language = DEFAULT_LANGUAGE,
            layer: Layer = found,
        ) -> Response:
            """Describe the classes, or the ramp, a layer is drawn in."""
            return JSONResponse(self._legend(layer, style_name, language), headers=cache_headers(public=layer.public))

        def legend_png(
            style_name: StyleName = None,
            language: Language = DEFAULT_LANGUAGE,
            layer: Layer = found,
        ) -> Response:
            """Draw the legend."""
            content = draw(self._legend(layer, style_name, language))
            return Response(content, media_type="image/png", headers=cache_headers(public=layer.public))

        self._add("/legend.json", legend_json, "getLegend")
        self._add("/legend.png", legend_png, "getLegendPicture")

    def url_for(self, request: Request, name: str, **path_params: Any) -> str:
        """Return the public URL of a route of this layer; parameters in braces stay as they are."""
        given = {key: quote(str(value), safe="") for key, value in request.path_params.items()}
        prefix = self.router_prefix.format_map(given)
        path = self.router.url_path_for(name, **path_params)
        # `base_url` alone would leave out where this application is mounted in another.
        root = request.base_url.replace(path=request.scope.get("root_path", ""))
        return f"{root}{prefix}{quote(str(path), safe='/{}@')}"

    def _add(self, path: str, endpoint: Callable[..., Response], operation: str) -> None:
        self.router.add_api_route(
            path,
            endpoint,
            name=endpoint.__name__,
            response_class=Response,
            operation_id=f"{self.operation_prefix}{operation}",
        )

    def _legend(self, layer: Layer, style_name: str | None, language: str) -> dict[str, Any]:
        style = choose_style(layer, style_name)
        if layer.legend is None and layer.spread is None:
            with self.painter.open(layer, find_matrix_set("WebMercatorQuad")) as source:
                layer = with_spread(layer, source)
        return describe(layer, style, language)


def _describe_tiles(layer: Layer, style: Style, source: LayerReader, providers: tuple[str, ...]) -> dict[str, Any]:
    """Say what a TileJSON says about a layer, but for where its tiles are."""
    notes = [SYNTHETIC_NOTE] if layer.synthetic else []
    west, south, east, north = source.get_geographic_bounds(WGS84_CRS)
    return {
        "tilejson": "3.0.0",
        "version": "1.0.0",
        "scheme": "xyz",
        "name": layer.title,
        "description": ". ".join([choose_title(style.title, DEFAULT_LANGUAGE), *notes]),
        # Map clients put it into the page as HTML.
        "attribution": html.escape("; ".join([*providers, *notes])),
        "tileSize": TILE_SIZE,
        "bounds": [west, south, east, north],
        "center": [(west + east) / 2, (south + north) / 2, source.minzoom],
        "minzoom": source.tms.minzoom,
        "maxzoom": min(source.maxzoom + _ZOOMS_BEYOND_NATIVE, source.tms.maxzoom, MAX_ZOOM),
    }


def _camel(ending: str) -> str:
    """Name a spelling of the tile's URL for OpenAPI: "@{scale}x.{format}" becomes "ScaleFormat"."""
    return "".join(word.title() for word in re.findall(r"{(\w+)}", ending))
