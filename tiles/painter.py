"""Draws tiles, keeps those asked for last, and answers with what caches need to know."""

from __future__ import annotations

from dataclasses import dataclass, field

from starlette.responses import Response

from tiles.caching import TileCache, cache_headers, is_current, make_tag
from tiles.picture import MEDIA_TYPES, encode, encode_empty
from tiles.pool import DatasetPool
from tiles.sheets import Format, Frame, Sheet


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

    def answer(
        self, sheet: Sheet, frame: Frame, output_format: Format, *, version: str | None, if_none_match: str | None
    ) -> Response:
        """Answer a request for a tile; what the client or this process has is not drawn again."""
        tag = make_tag(sheet.identity, frame.matrix_set.id, frame.z, frame.x, frame.y, frame.scale, output_format)
        headers = cache_headers(public=sheet.public, for_good=sheet.is_named_by(version), tag=tag)
        if is_current(tag, if_none_match):
            return Response(status_code=304, headers=headers)
        content = self.cache.get(tag)
        if content is None:
            content = self._draw(sheet, frame, output_format)
            self.cache.put(tag, content)
        return Response(content, media_type=MEDIA_TYPES[output_format], headers=headers)

    def _draw(self, sheet: Sheet, frame: Frame, output_format: Format) -> bytes:
        picture = sheet.paint(frame, self.pool)
        if picture is None:
            return encode_empty((frame.size, frame.size), output_format)
        return encode(picture, output_format)[0]
