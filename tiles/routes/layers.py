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
from morecantile import TileMatrixSet
from morecantile.defaults import TileMatrixSets
from pydantic import Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from titiler.core.factory import TilerFactory

from tiles.drawing.legends import DEFAULT_LANGUAGE, SYNTHETIC_NOTE, choose_title, draw, draw_vector
from tiles.drawing.painter import Painter, TileRequest
from tiles.drawing.picture import MEDIA_TYPES
from tiles.drawing.sheets import MAX_ZOOM, TILE_MATRIX_SETS, Coverage, Format, Frame, Sheet, find_matrix_set
from tiles.errors import InvalidRequest
from tiles.reading.projections import TILE_SIZE
from tiles.reading.reader import LayerReader
from tiles.routes.caching import cache_headers

HANDED_ON: Final = ("asset", "style", "since", "against", "class")
"""Parameters of a sheet that the addresses of its tiles need too."""

# Zoomed in by two more levels a cell measures several pixels, and its edges are where they are on the ground.
_ZOOMS_BEYOND_NATIVE: Final = 2
# An SVG is a page to browsers: whatever stood in one, nothing of it would run or load.
_INERT: Final = {"Content-Security-Policy": "default-src 'none'; sandbox"}
# On these depends under which address a server behind a proxy believes to be known.
FORWARDED: Final = "Forwarded, X-Forwarded-Host, X-Forwarded-Port, X-Forwarded-Prefix, X-Forwarded-Proto"

Coordinate = Annotated[int, Path(ge=0)]
# Without `Path`: FastAPI would want these two in every spelling of the URL.
Scale = Annotated[int, Field(ge=1, le=2)]
Language = Annotated[str, Query(alias="lang", pattern=r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$", max_length=35)]
Version = Annotated[str | None, Query(alias="v", max_length=64, description="Which version, as TileJSON names it")]
Longitude = Annotated[float, Path(ge=-180, le=180)]
Latitude = Annotated[float, Path(ge=-90, le=90)]
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
class SheetTiler(TilerFactory):
    """Makes the routes of the sheet that `path_dependency` finds.

    Unlike the stock factory it takes no URL, expression, colour map, size or other knob from the client: what
    is read is found in the catalog, and how it is drawn is a named style.

    Attributes
    ----------
    path_dependency : callable
        FastAPI dependency that returns a `Sheet`.
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
            version: Version = None,
            sheet: Sheet = found,
        ) -> Response:
            """Draw a tile; it is transparent where there is no data.

            An address that names a version never shows other pixels, so that caches keep it for good.
            """
            frame = Frame(find_matrix_set(matrix_set_name), z, x, y, scale)
            known = request.headers.get("if-none-match")
            return self.painter.answer(TileRequest(sheet, frame, format, version, known))

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
            tile_format: Format = "png",
            sheet: Sheet = found,
            providers: tuple[str, ...] = credit,
        ) -> Response:
            """Describe the tiles as TileJSON 3: what a map client needs to draw them."""
            matrix_set = find_matrix_set(matrix_set_name)
            url = self.url_for(
                request, "tile", tileMatrixSetId=matrix_set.id, z="{z}", x="{x}", y="{y}", format=tile_format
            )
            asked = {key: value for key, value in request.query_params.items() if key in HANDED_ON}
            asked |= {"v": sheet.edition} if sheet.edition else {}
            url += f"?{urlencode(asked)}" if asked else ""
            coverage = sheet.cover(matrix_set, self.painter.pool)
            document = _describe_tiles(sheet, matrix_set, coverage, providers) | {"tiles": [url]}
            headers = cache_headers(public=sheet.public) | {"Vary": FORWARDED}
            return JSONResponse(document, headers=headers)

        self._add("/{tileMatrixSetId}/tilejson.json", tilejson, "getTileJSON")

    def legend(self) -> None:
        """Register the legend as JSON and PNG."""
        found = Depends(self.path_dependency)

        def legend_json(
            language: Language = DEFAULT_LANGUAGE,
            sheet: Sheet = found,
        ) -> Response:
            """Describe the classes, or the ramp, of the tiles."""
            return JSONResponse(sheet.describe(language, self.painter.pool), headers=cache_headers(public=sheet.public))

        def legend_png(
            language: Language = DEFAULT_LANGUAGE,
            sheet: Sheet = found,
        ) -> Response:
            """Draw the legend."""
            content = draw(sheet.describe(language, self.painter.pool))
            return Response(content, media_type="image/png", headers=cache_headers(public=sheet.public))

        def legend_svg(
            language: Language = DEFAULT_LANGUAGE,
            sheet: Sheet = found,
        ) -> Response:
            """Draw the legend for any size."""
            content = draw_vector(sheet.describe(language, self.painter.pool))
            headers = cache_headers(public=sheet.public) | _INERT
            return Response(content, media_type="image/svg+xml", headers=headers)

        self._add("/legend.svg", legend_svg, "getLegendVector")
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


def _describe_tiles(
    sheet: Sheet, matrix_set: TileMatrixSet, coverage: Coverage, providers: tuple[str, ...]
) -> dict[str, Any]:
    """Say what a TileJSON says about a sheet, but for where its tiles are."""
    notes = [SYNTHETIC_NOTE] if sheet.synthetic else []
    coarse, fine = coverage.native_zooms
    return {
        "tilejson": "3.0.0",
        "version": "1.0.0",
        "scheme": "xyz",
        "name": sheet.title,
        "description": ". ".join([choose_title(sheet.style_title, DEFAULT_LANGUAGE), *notes]),
        # Map clients put it into the page as HTML.
        "attribution": html.escape("; ".join([*providers, *notes])),
        "tileSize": TILE_SIZE,
        "bounds": list(coverage.box),
        "center": [*coverage.middle, coarse],
        "minzoom": matrix_set.minzoom,
        "maxzoom": min(fine + _ZOOMS_BEYOND_NATIVE, matrix_set.maxzoom, MAX_ZOOM),
    }


def _camel(ending: str) -> str:
    """Name a spelling of the tile's URL for OpenAPI: "@{scale}x.{format}" becomes "ScaleFormat"."""
    return "".join(word.title() for word in re.findall(r"{(\w+)}", ending))
