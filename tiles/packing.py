"""Tiles in one file, for a phone or a host without a server: PMTiles."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from pmtiles.tile import Compression, TileType, zxy_to_tileid
from pmtiles.writer import Writer

from tiles.drawing.legends import DEFAULT_LANGUAGE, SYNTHETIC_NOTE
from tiles.drawing.picture import encode
from tiles.drawing.sheets import MAX_ZOOM, Coverage, Frame, Sheet, find_matrix_set
from tiles.reading.pool import DatasetPool

_E7: Final = 1e7


def pack_tiles(
    sheet: Sheet,
    path: Path,
    *,
    max_zoom: int | None = None,
    credit: tuple[str, ...] = (),
    advance: Callable[[float], None] = lambda _: None,
) -> int:
    """Write the tiles of a sheet that are not empty into a PMTiles archive.

    Parameters
    ----------
    sheet : Sheet
    path : Path
        The archive; it is written aside and then put in place.
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
    places = _list_places(coverage, finest)
    draft = path.with_name(f"{path.name}.part")
    try:
        with draft.open("wb") as file:
            writer: Any = Writer(file)  # type: ignore[no-untyped-call]
            written = 0
            for number, (z, x, y) in places:
                picture = sheet.paint(Frame(matrix_set, z, x, y).view, pool)
                if picture is not None and not picture.is_empty:
                    writer.write_tile(number, encode(picture)[0])
                    written += 1
                advance(1 / len(places))
            if written:
                writer.finalize(_describe_archive(coverage), _describe_tiles(sheet, credit, pool))
        if written:
            draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
        pool.close()
    return written


def _list_places(coverage: Coverage, finest: int) -> list[tuple[int, tuple[int, int, int]]]:
    """List the tiles over an area, in the order in which an archive keeps them."""
    matrix_set = find_matrix_set("WebMercatorQuad")
    coarsest = min(coverage.native_zooms[0], finest)

    def walk() -> Iterator[tuple[int, int, int]]:
        for tile in matrix_set.tiles(*coverage.bounds, zooms=range(coarsest, finest + 1)):
            yield tile.z, tile.x, tile.y

    return sorted((zxy_to_tileid(*place), place) for place in walk())


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
