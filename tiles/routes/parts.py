"""Parts of a sheet as single pictures, under TiTiler's addresses: preview, box and polygon."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from attrs import define
from fastapi import Depends, Path
from fastapi.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from titiler.core.factory import BaseFactory, FactoryExtension

from tiles.drawing.maps import MapRequest, answer_map, draw_map
from tiles.drawing.picture import MEDIA_TYPES
from tiles.drawing.sheets import Format, Sheet, find_matrix_set
from tiles.reading.view import WGS84, View
from tiles.routes.body import POLYGON_BODY, read_polygon
from tiles.routes.caching import NO_STORE
from tiles.routes.layers import SheetTiler
from tiles.routes.views import (
    AskedSize,
    CrsName,
    describe_view,
    frame_box,
    frame_geometry,
    frame_whole,
    read_crs,
)

Number = Annotated[float, Path(allow_inf_nan=False)]
PICTURE: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {media_type: {} for media_type in MEDIA_TYPES.values()}}
}


@define
class Parts(FactoryExtension):
    """Adds pictures of a part, or of all, to the routes of a sheet."""

    def register(self, factory: BaseFactory) -> None:
        """Register them under the addresses that TiTiler's clients know."""
        assert isinstance(factory, SheetTiler)
        _add_preview(factory)
        _add_box(factory)
        _add_feature(factory)


def find_whole(tiler: SheetTiler, sheet: Sheet) -> View:
    """Return all that a sheet shows, in its own projection. Raises LayerUnreadable."""
    return sheet.cover(find_matrix_set("WebMercatorQuad"), tiler.painter.pool).whole


def describe_picture(sheet: Sheet, view: View) -> dict[str, str]:
    """Return the headers that say where and when a picture shows the world."""
    return describe_view(view) | ({"Content-Datetime": sheet.moment} if sheet.moment else {})


def _add_preview(tiler: SheetTiler) -> None:
    found = Depends(tiler.path_dependency)

    def preview(
        request: Request,
        size: AskedSize,
        format: Format = "png",  # noqa: A002 (so it is called in the URL)
        dst_crs: CrsName = None,
        sheet: Sheet = found,
    ) -> Response:
        """Draw all of it."""
        crs = read_crs(dst_crs) if dst_crs is not None else None
        return _answer(tiler, request, sheet, frame_whole(find_whole(tiler, sheet), crs, size), format)

    for ending, name in (
        ("/preview", "getPreview"),
        ("/preview.{format}", "getPreviewWithFormat"),
        ("/preview/{width}x{height}.{format}", "getPreviewWithSizeAndFormat"),
    ):
        _add(tiler, ending, preview, name)


def _add_box(tiler: SheetTiler) -> None:
    found = Depends(tiler.path_dependency)

    def box(
        request: Request,
        minx: Number,
        miny: Number,
        maxx: Number,
        maxy: Number,
        size: AskedSize,
        format: Format = "png",  # noqa: A002
        coord_crs: CrsName = None,
        dst_crs: CrsName = None,
        sheet: Sheet = found,
    ) -> Response:
        """Draw what lies in a box; x before y, in degrees if no ``coord_crs`` is named."""
        box_crs = read_crs(coord_crs) if coord_crs is not None else WGS84
        crs = read_crs(dst_crs) if dst_crs is not None else box_crs
        view = frame_box((minx, miny, maxx, maxy), box_crs, crs, find_whole(tiler, sheet), size)
        return _answer(tiler, request, sheet, view, format)

    base = "/bbox/{minx},{miny},{maxx},{maxy}"
    _add(tiler, f"{base}.{{format}}", box, "getDataForBoundingBoxWithFormat")
    _add(tiler, f"{base}/{{width}}x{{height}}.{{format}}", box, "getDataForBoundingBoxWithSizesAndFormat")


def _add_feature(tiler: SheetTiler) -> None:
    found = Depends(tiler.path_dependency)

    async def feature(
        request: Request,
        size: AskedSize,
        format: Format = "png",  # noqa: A002
        dst_crs: CrsName = None,
        sheet: Sheet = found,
    ) -> Response:
        """Draw what lies in a polygon, in longitude and latitude; nothing is shown outside."""
        crs = read_crs(dst_crs) if dst_crs is not None else WGS84
        geometry = await read_polygon(request)

        def draw() -> Response:
            view = frame_geometry(geometry, crs, find_whole(tiler, sheet), size)
            content = draw_map(MapRequest(sheet, view, format, inside=geometry), tiler.painter.pool)
            headers = NO_STORE | describe_picture(sheet, view)
            return Response(content, media_type=MEDIA_TYPES[format], headers=headers)

        return await run_in_threadpool(draw)

    for ending, name in (
        ("/feature", "postDataForGeoJSON"),
        ("/feature.{format}", "postDataForGeoJSONWithFormat"),
        ("/feature/{width}x{height}.{format}", "postDataForGeoJSONWithSizesAndFormat"),
    ):
        _add(tiler, ending, feature, name, methods=["POST"], openapi_extra=POLYGON_BODY)


def _answer(tiler: SheetTiler, request: Request, sheet: Sheet, view: View, output_format: Format) -> Response:
    asked = MapRequest(sheet, view, output_format, if_none_match=request.headers.get("if-none-match"))
    return answer_map(tiler.painter, asked, describe_picture(sheet, view))


def _add(tiler: SheetTiler, path: str, endpoint: Any, operation: str, **how: Mapping[str, Any] | list[str]) -> None:
    tiler.router.add_api_route(
        path,
        endpoint,
        name=endpoint.__name__,
        response_class=Response,
        responses=PICTURE,
        operation_id=f"{tiler.operation_prefix}{operation}",
        **how,  # type: ignore[arg-type]
    )
