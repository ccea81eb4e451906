"""Packed tiles: the route of a sheet's archive, and the folder in which archives are kept."""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from attrs import define
from fastapi import Depends, Request
from starlette.responses import FileResponse, Response
from titiler.core.factory import BaseFactory, FactoryExtension

from tiles.drawing.sheets import Sheet, find_matrix_set
from tiles.errors import Busy, LayerNotDrawable, TileError
from tiles.packing import choose_finest, pack_tiles
from tiles.reading.pool import DatasetPool
from tiles.routes.caching import cache_headers, is_current, make_tag
from tiles.routes.layers import SheetTiler, Version
from tiles.routes.papers import DRAWING, PATIENCE_S

MEDIA_TYPE: Final = "application/vnd.pmtiles"
MOST_TILES: Final = 1_024
"""Of one archive: a phone keeps twenty years of them."""

_MOST_BYTES: Final = 4 * 2**30
_log = logging.getLogger(__name__)


class ArchiveFolder:
    """Keeps archives of tiles; each is written when it is first asked for.

    Several servers may share a folder, and whatever is in it may be deleted at any time.

    Parameters
    ----------
    folder : Path
        Made when it is needed.
    most_bytes : int
        Of all archives together; beyond it those go that were not asked for the longest.
    """

    def __init__(self, folder: Path, most_bytes: int = _MOST_BYTES) -> None:
        self._folder, self._most_bytes = folder, most_bytes

    def fetch(self, tag: str, sheet: Sheet, credit: tuple[str, ...]) -> Path:
        """Return the archive of a sheet, written before or now.

        Parameters
        ----------
        tag : str
            Entity tag of the archive: all that it hangs on.
        sheet : Sheet
        credit : tuple of str
            Whom the data is from.

        Raises
        ------
        Busy
            If too much is being drawn already, or there is no room on the disk.
        TileError
            If the layer cannot be read.
        """
        name = tag.strip('"')
        path = self._folder / f"{name}.pmtiles"
        try:
            if not path.is_file():
                self._write(path, sheet, credit)
            os.utime(path, (time.time(), path.stat().st_mtime))
        except TileError:
            raise
        except OSError as error:
            _log.exception("Packed tiles cannot be kept")
            raise Busy(
                "The server has no room for packed tiles. Whoever runs it finds the reason in its log."
            ) from error
        return path

    def _write(self, path: Path, sheet: Sheet, credit: tuple[str, ...]) -> None:
        if not DRAWING.acquire(timeout=PATIENCE_S):
            raise Busy("Other pictures are being drawn. Ask again in a minute.")
        aside = path.with_name(uuid4().hex)
        try:
            if path.is_file():  # whoever drew before us drew the same
                return
            self._folder.mkdir(parents=True, exist_ok=True)
            _pack(sheet, aside, credit)
            aside.replace(path)
            self._drop_oldest(path)
        finally:
            DRAWING.release()
            aside.unlink(missing_ok=True)

    def _drop_oldest(self, newest: Path) -> None:
        """Keep to the limit; what a killed server left half written goes this way too."""
        found = [(path.stat(), path) for path in self._folder.iterdir() if path != newest]
        room = self._most_bytes - newest.stat().st_size
        for told, path in sorted(found, key=lambda one: one[0].st_atime, reverse=True):
            room -= told.st_size
            if room < 0:
                path.unlink(missing_ok=True)


def _pack(sheet: Sheet, path: Path, credit: tuple[str, ...]) -> None:
    """Pack the zooms that a map shows: from the whole world to where every cell is seen."""
    pool = DatasetPool()
    try:
        coverage = sheet.cover(find_matrix_set("WebMercatorQuad"), pool)
    finally:
        pool.close()
    pack_tiles(sheet, path, min_zoom=0, max_zoom=choose_finest(coverage, MOST_TILES), credit=credit)


@define(kw_only=True)
class Archives(FactoryExtension):
    """Adds the archive of all its tiles to the routes of a sheet.

    Attributes
    ----------
    folder : ArchiveFolder
    """

    folder: ArchiveFolder

    def register(self, factory: BaseFactory) -> None:
        """Register it."""
        assert isinstance(factory, SheetTiler)
        found, credit = Depends(factory.path_dependency), Depends(factory.credit_dependency)

        def archive(
            request: Request,
            version: Version = None,
            sheet: Sheet = found,
            providers: tuple[str, ...] = credit,
        ) -> Response:
            """Give all tiles of WebMercatorQuad in one file (PMTiles): to keep them, or to read them in ranges."""
            tag = make_tag(sheet.identity, "pmtiles", *providers)
            if tag is None:
                raise LayerNotDrawable(
                    "This layer has no checksum, so nobody could tell when packed tiles are out of date."
                )
            headers = cache_headers(public=sheet.public, for_good=sheet.is_named_by(version), tag=tag)
            if is_current(tag, request.headers.get("if-none-match")):
                return Response(status_code=304, headers=headers)
            path = self.folder.fetch(tag, sheet, providers)
            return FileResponse(path, media_type=MEDIA_TYPE, headers=headers, stat_result=path.stat())

        add = factory.router.add_api_route
        operation = f"{factory.operation_prefix}getArchive"
        kinds: dict[int | str, dict[str, Any]] = {200: {"content": {MEDIA_TYPE: {}}}}
        add("/tiles.pmtiles", archive, response_class=Response, responses=kinds, operation_id=operation)
        add("/tiles.pmtiles", archive, methods=["HEAD"], response_class=Response, include_in_schema=False)
