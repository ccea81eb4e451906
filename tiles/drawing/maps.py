"""A part of a sheet as one picture, of any size within limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np
import orjson
from numpy.typing import NDArray
from starlette.responses import Response

from tiles.drawing.painter import Painter
from tiles.drawing.picture import MEDIA_TYPES, Picture, encode
from tiles.drawing.sheets import Format, Sheet
from tiles.reading.outlines import cover_pixels
from tiles.reading.pool import DatasetPool
from tiles.reading.view import View
from tiles.routes.caching import cache_headers, is_current, make_tag

# What is drawn at once: the places of its pixels take some fifty bytes each.
_STRIP_PIXELS: Final = 1_000_000
_OPAQUE: Final = 255


@dataclass(frozen=True, eq=False)
class MapRequest:
    """Which part of a sheet is asked for, and what the client knows of it.

    Attributes
    ----------
    sheet : Sheet
    view : View
    output_format : {"png", "webp"}
    backdrop : tuple of int or None
        Red, green, blue and alpha of what is behind; None: transparent.
    inside : mapping or None
        GeoJSON polygon, WGS 84, outside of which nothing is shown.
    if_none_match : str or None
        As the header has it.
    """

    sheet: Sheet
    view: View
    output_format: Format = "png"
    backdrop: tuple[int, int, int, int] | None = None
    inside: Mapping[str, Any] | None = field(default=None, repr=False)
    if_none_match: str | None = None

    @cached_property
    def tag(self) -> str | None:
        """The entity tag of the picture."""
        view = self.view
        shown = (view.crs, view.bounds, view.width, view.height, self.output_format, self.backdrop)
        return make_tag(self.sheet.identity, "map", *shown, orjson.dumps(self.inside))


def answer_map(painter: Painter, request: MapRequest, headers: Mapping[str, str]) -> Response:
    """Answer a request for a picture; what the client or this process has is not drawn again."""
    told = cache_headers(public=request.sheet.public, tag=request.tag) | dict(headers)
    if is_current(request.tag, request.if_none_match):
        return Response(status_code=304, headers=told)
    content = painter.cache.get(request.tag)
    if content is None:
        content = draw_map(request, painter.pool)
        painter.cache.put(request.tag, content)
    return Response(content, media_type=MEDIA_TYPES[request.output_format], headers=told)


def draw_map(request: MapRequest, pool: DatasetPool) -> bytes:
    """Draw a picture; transparent where there is nothing.

    Raises
    ------
    TileError
    """
    picture = paint_map(request.sheet, request.view, pool)
    if request.inside is not None:
        inside = cover_pixels(request.view, request.inside)
        picture = Picture(np.where(inside, picture.indices, np.uint8(0)), picture.palette)
    if request.backdrop is not None:
        picture = Picture(picture.indices, lay_over(picture.palette, request.backdrop))
    return encode(picture, request.output_format)[0]


def paint_map(sheet: Sheet, view: View, pool: DatasetPool) -> Picture:
    """Paint a view strip by strip, so that a large one takes no more memory than a few tiles."""
    palette = np.zeros((1, 4), np.uint8)
    strips: list[NDArray[np.uint8]] = []
    for strip in view.strips(_STRIP_PIXELS):
        painted = sheet.paint(strip, pool)
        if painted is not None:
            palette = painted.palette
        strips.append(np.zeros((strip.height, strip.width), np.uint8) if painted is None else painted.indices)
    return Picture(np.concatenate(strips), palette)


def lay_over(palette: NDArray[np.uint8], backdrop: tuple[int, int, int, int]) -> NDArray[np.uint8]:
    """Return the palette, (n, 4) uint8, of the same picture before a colour; a clear one shows where nothing is."""
    if backdrop[3] < _OPAQUE:
        return np.concatenate([np.array([backdrop], np.uint8), palette[1:]])
    share = palette[:, 3:] / _OPAQUE
    mixed = np.empty_like(palette)
    mixed[:, :3] = np.rint(palette[:, :3] * share + np.array(backdrop[:3]) * (1 - share))
    mixed[:, 3] = _OPAQUE
    return mixed
