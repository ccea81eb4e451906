"""Tiles in one file, for a phone or a host without a server: PMTiles."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final

from pmtiles.tile import Compression, TileType, zxy_to_tileid
from pmtiles.writer import Writer

from tiles.drawing.legends import DEFAULT_LANGUAGE, SYNTHETIC_NOTE
from tiles.drawing.picture import encode, encode_empty
from tiles.drawing.sheets import MAX_ZOOM, Coverage, Frame, Sheet, find_matrix_set
from tiles.reading.pool import DatasetPool

_E7: Final = 1e7


def pack_tiles(
    sheet: Sheet,
    path: Path,
    *,
    min_zoom: int | None = None,
    max_zoom: int | None = None,
    credit: tuple[str, ...] = (),
    advance: Callable[[float], None] = lambda _: None,
) -> int:
    """Write the tiles of a sheet that are not empty into a PMTiles archive; the first one in any case.

    Parameters
    ----------
    sheet : Sheet
    path : Path
        The archive; it is written aside and then put in place.
    min_zoom : int, optional
        The coarsest zoom; by default the one at which the layer about fills a tile.
    max_zoom : int, optional
        The finest zoom; by default the one whose pixels are about as large as the cells.
    credit : tuple of str
        Whom the data is from.
    advance : callable
        Told the share of the tiles that were drawn; 1 in all.

    Returns
    -------
    int, the number of tiles written

    Raises
    ------
    OSError
        If it cannot be written.
    TileError
        If the layer cannot be read.
    """
    pool, matrix_set = DatasetPool(), find_matrix_set("WebMercatorQuad")
    coverage = sheet.cover(matrix_set, pool)
    finest = min(coverage.native_zooms[1] if max_zoom is None else max_zoom, MAX_ZOOM)
    coarsest = min(coverage.native_zooms[0] if min_zoom is None else min_zoom, finest)
    places = _list_places(coverage, range(coarsest, finest + 1))
    draft = path.with_name(f"{path.name}.part")
    try:
        with draft.open("wb") as file:
            writer: Any = Writer(file)  # type: ignore[no-untyped-call]
            written = 0
            for number, (z, x, y) in places:
                frame = Frame(matrix_set, z, x, y)
                picture = sheet.paint(frame.view, pool)
                if not written or not (picture is None or picture.is_empty):
                    empty = encode_empty((frame.size, frame.size), "png")
                    writer.write_tile(number, empty if picture is None else encode(picture)[0])
                    written += 1
                advance(1 / len(places))
            writer.finalize(_describe_archive(coverage), _describe_tiles(sheet, credit, pool))
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
        pool.close()
    return written


def choose_finest(coverage: Coverage, most_tiles: int) -> int:
    """Return a zoom at which every cell measures a pixel or more; a coarser one where that makes too many tiles."""
    fine = min(coverage.native_zooms[1] + 1, MAX_ZOOM)
    left = most_tiles
    for zoom in range(fine + 1):
        left -= sum(1 for _ in islice(_walk(coverage, [zoom]), left + 1))
        if left < 0:
            return max(zoom - 1, 0)
    return fine


def _list_places(coverage: Coverage, zooms: Sequence[int]) -> list[tuple[int, tuple[int, int, int]]]:
    """List the tiles over an area, in the order in which an archive keeps them."""
    return sorted((zxy_to_tileid(*place), place) for place in _walk(coverage, zooms))


def _walk(coverage: Coverage, zooms: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    for tile in find_matrix_set("WebMercatorQuad").tiles(*coverage.bounds, zooms=zooms):
        yield tile.z, tile.x, tile.y


def _describe_archive(coverage: Coverage) -> dict[str, Any]:
    west, south, east, north = coverage.box
    return {
        "tile_type": TileType.PNG,
        "tile_compression": Compression.NONE,
        "min_lon_e7": round(west * _E7),
        "min_lat_e7": round(south * _E7),
        "max_lon_e7": round(east * _E7),
        "max_lat_e7": round(north * _E7),
        "center_zoom": coverage.native_zooms[0],
        "center_lon_e7": round(coverage.middle[0] * _E7),
        "center_lat_e7": round(coverage.middle[1] * _E7),
    }


def _describe_tiles(sheet: Sheet, credit: tuple[str, ...], pool: DatasetPool) -> dict[str, Any]:
    notes = [SYNTHETIC_NOTE] if sheet.synthetic else []
    return {
        "name": sheet.title,
        "type": "overlay",
        "version": sheet.edition,
        "attribution": "; ".join([*credit, *notes]),
        "legend": sheet.describe(DEFAULT_LANGUAGE, pool),
    }
