"""Maps of a sheet as OGC API - Maps asks for them."""

from __future__ import annotations

import re
from typing import Annotated, Final

from attrs import define
from fastapi import Depends, Query
from PIL import ImageColor
from starlette.requests import Request
from starlette.responses import Response
from titiler.core.factory import BaseFactory, FactoryExtension

from tiles.drawing.maps import MapRequest, answer_map
from tiles.drawing.sheets import Format, Sheet
from tiles.errors import InvalidRequest
from tiles.reading.view import WGS84, Bounds, View
from tiles.routes.layers import SheetTiler
from tiles.routes.parts import PICTURE, describe_picture, find_whole
from tiles.routes.views import CrsName, Side, Size, frame_box, frame_whole, read_crs, starts_north

_NUMBER: Final = r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?"
_BOX: Final = re.compile(rf"{_NUMBER}(,{_NUMBER}){{3}}", re.ASCII)
_HEX: Final = re.compile(r"(0x|#)[0-9a-f]{6}", re.IGNORECASE | re.ASCII)
_NAME: Final = re.compile(r"[a-z]{3,24}", re.IGNORECASE | re.ASCII)

Box = Annotated[str | None, Query(max_length=200, description="Four numbers, in the order of bbox-crs")]
BoxCrs = Annotated[str | None, Query(alias="bbox-crs", max_length=60, description="Default: longitude, latitude")]
Colour = Annotated[str | None, Query(max_length=30, description="0xRRGGBB, or a name of a web colour")]


@define
class Maps(FactoryExtension):
    """Adds ``/map`` to the routes of a sheet."""

    def register(self, factory: BaseFactory) -> None:
        """Register it."""
        assert isinstance(factory, SheetTiler)
        tiler = factory
        found = Depends(tiler.path_dependency)

        def ogc_map(
            request: Request,
            bbox: Box = None,
            bbox_crs: BoxCrs = None,
            crs: CrsName = None,
            width: Side = None,
            height: Side = None,
            bgcolor: Colour = None,
            transparent: bool | None = None,
            f: Format = "png",
            sheet: Sheet = found,
        ) -> Response:
            """Draw a map: of all, or of a box; in its own projection, or another."""
            size = Size(width, height)
            view = _frame(find_whole(tiler, sheet), bbox, bbox_crs, crs, size)
            backdrop = choose_backdrop(bgcolor, transparent)
            asked = MapRequest(sheet, view, f, backdrop, if_none_match=request.headers.get("if-none-match"))
            return answer_map(tiler.painter, asked, describe_picture(sheet, view))

        tiler.router.add_api_route(
            "/map",
            ogc_map,
            name="map",
            response_class=Response,
            responses=PICTURE,
            operation_id=f"{tiler.operation_prefix}getMap",
        )


def choose_backdrop(colour: str | None, transparent: bool | None) -> tuple[int, int, int, int] | None:
    """Return what is behind a map: transparent unless a colour is named or it is said to be opaque.

    Raises
    ------
    InvalidRequest
        If there is no such colour.
    """
    clear = (colour is None) if transparent is None else transparent
    if clear and colour is None:
        return None
    named = (colour or "white").strip()
    known = _HEX.fullmatch(named) or (_NAME.fullmatch(named) and named.lower() in ImageColor.colormap)
    if not known:
        raise InvalidRequest(f"{named!r} is no colour. Give it as 0xRRGGBB, or by the name of a web colour.")
    red, green, blue = ImageColor.getrgb(re.sub("^0x", "#", named.lower()))[:3]
    return red, green, blue, 0 if clear else 255


def _frame(whole: View, bbox: str | None, bbox_crs: str | None, crs: str | None, size: Size) -> View:
    asked = read_crs(crs) if crs is not None else None
    if bbox is None:
        return frame_whole(whole, asked, size)
    box_crs = read_crs(bbox_crs) if bbox_crs is not None else WGS84
    box = read_box(bbox)
    # CRS84 is what we call EPSG:4326, and has the longitude first; whoever says EPSG:4326 means the latitude.
    says_crs84 = bbox_crs is None or "CRS84" in bbox_crs.upper()
    if not says_crs84 and starts_north(box_crs):
        box = (box[1], box[0], box[3], box[2])
    return frame_box(box, box_crs, asked or whole.crs, whole, size)


def read_box(text: str) -> Bounds:
    """Read four numbers with commas between. Raises InvalidRequest."""
    if not _BOX.fullmatch(text.replace(" ", "")):
        raise InvalidRequest("bbox in the URL is wrong: it needs four numbers, as bbox=-71,42.5,-70.9,42.7.")
    left, bottom, right, top = (float(number) for number in text.split(","))
    return left, bottom, right, top
