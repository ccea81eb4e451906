"""Draws tiles, keeps those asked for last, and answers with what caches need to know."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from starlette.responses import Response

from tiles.drawing.picture import MEDIA_TYPES, encode, encode_empty
from tiles.drawing.sheets import Format, Frame, Sheet
from tiles.reading.pool import DatasetPool
from tiles.routes.caching import TileCache, cache_headers, is_current, make_tag


@dataclass(frozen=True, eq=False)
class TileRequest:
    """Which tile is asked for, and what the client knows of it.

    Attributes
    ----------
    sheet : Sheet
    frame : Frame
    output_format : {"png", "webp"}
    version : str or None
        As the address names it.
    if_none_match : str or None
        As the header has it.
    """

    sheet: Sheet
    frame: Frame
    output_format: Format = "png"
    version: str | None = None
    if_none_match: str | None = None

    @cached_property
    def tag(self) -> str | None:
        """The entity tag of the tile."""
        frame = self.frame
        parts = (frame.matrix_set.id, frame.z, frame.x, frame.y, frame.scale, self.output_format)
        return make_tag(self.sheet.identity, *parts)

    @property
    def headers(self) -> dict[str, str]:
        """What caches are told."""
        for_good = self.sheet.is_named_by(self.version)
        return cache_headers(public=self.sheet.public, for_good=for_good, tag=self.tag)


@dataclass(frozen=True)
class Painter:
    """Draws and answers for all routes of an application.

    Attributes
    ----------
    pool : DatasetPool
        The open files.
    cache : TileCache
        The tiles asked for last.
    """

    pool: DatasetPool = field(default_factory=DatasetPool)
    cache: TileCache = field(default_factory=TileCache)

    def answer(self, request: TileRequest) -> Response:
        """Answer a request for a tile; what the client or this process has is not drawn again."""
        return self.recall(request) or self._respond(request, self._draw(request))

    def recall(self, request: TileRequest) -> Response | None:
        """Answer without drawing, if the client or this process has the tile."""
        if is_current(request.tag, request.if_none_match):
            return Response(status_code=304, headers=request.headers)
        content = self.cache.get(request.tag)
        return None if content is None else self._respond(request, content)

    def _respond(self, request: TileRequest, content: bytes) -> Response:
        return Response(content, media_type=MEDIA_TYPES[request.output_format], headers=request.headers)

    def _draw(self, request: TileRequest) -> bytes:
        frame = request.frame
        picture = request.sheet.paint(frame.view, self.pool)
        if picture is None:
            content = encode_empty((frame.size, frame.size), request.output_format)
        else:
            content, _ = encode(picture, request.output_format)
        self.cache.put(request.tag, content)
        return content
