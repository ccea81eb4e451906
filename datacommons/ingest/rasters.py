"""The user's GeoTIFFs: opened, with their heads checked, and read by stripes."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

import numpy as np
import rasterio
from odc.geo.crs import CRS
from odc.geo.geobox import GeoBox
from pyproj.exceptions import CRSError
from rasterio.errors import NotGeoreferencedWarning, RasterioError, RasterioIOError
from rasterio.windows import Window

from datacommons.errors import InvalidRaster
from datacommons.grids import crs_name
from datacommons.ingest.intake import check_source

_CELLS_AT_ONCE = 4_000_000
_LARGEST_CELLS = 10**11
_LARGEST_BLOCK = 2**30
_MANY_CELLS = 10**9
_CELLS_PER_BYTE = 20_000
"""More than that in a file of many cells is no map: an empty one takes more, for the index of its blocks."""


@dataclass(frozen=True)
class RasterSource:
    """One band of a GeoTIFF on the user's disk, georeferenced and readable as far as its head tells.

    Attributes
    ----------
    path : Path
    band : int
        Counted from 1.
    geobox : GeoBox
        Its grid, with the CRS given by the user if the file names none.
    dtype : str
        As stored.
    nodata : float or None
        As declared.
    scale, offset : float
        Stored values become ``value * scale + offset``.
    unit : str
        As declared; empty if unsaid.
    product, product_version : str
        Which product it is of, by its tags ``product`` and ``product_version``; empty if unsaid.
    notes : tuple of str
        What was unusual about its head.
    """

    path: Path
    band: int
    geobox: GeoBox
    dtype: str
    nodata: float | None
    scale: float
    offset: float
    unit: str
    product: str = ""
    product_version: str = ""
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name of the file, for messages."""
        return self.path.name

    def blocks(self) -> Iterator[tuple[Window, np.ma.MaskedArray[Any, np.dtype[Any]]]]:
        """Read the band by stripes, as stored, with nodata and NaN masked.

        Raises
        ------
        InvalidRaster
            If the file ends early or is otherwise damaged.
        """
        with rasterio.open(self.path) as dataset:
            stripe = stripe_rows(dataset.height, dataset.width, dataset.block_shapes[self.band - 1][0])
            for row in range(0, dataset.height, stripe):
                window = Window(0, row, dataset.width, min(stripe, dataset.height - row))
                try:
                    block = dataset.read(self.band, window=window, masked=True)
                except RasterioError as error:
                    raise InvalidRaster(
                        f"{self.name} is damaged: rows from {row} on cannot be read. "
                        "The file was perhaps cut short: copy or download it again."
                    ) from error
                yield window, np.ma.masked_invalid(block, copy=False)


def open_source(path: Path, *, crs: str | None = None, band: int | None = None) -> RasterSource:
    """Open a GeoTIFF and check its head.

    Parameters
    ----------
    path : Path
    crs : str, optional
        The CRS of a file that names none.
    band : int, optional
        Which band, if there are several.

    Raises
    ------
    SourceNotFound
        If there is no such file.
    InvalidRaster
        If it is no readable GeoTIFF, or lacks a CRS, a position, or a clear band.
    """
    check_source(path)
    try:
        with _open_quietly(path) as dataset:
            tags = {name.lower(): text.strip() for name, text in dataset.tags().items()}
            _refuse_bomb(path, dataset)
            return RasterSource(
                path=path,
                band=(number := _choose_band(path, dataset.count, band)),
                geobox=GeoBox(dataset.shape, _position(path, dataset), choose_crs(path, dataset.crs, crs)),
                dtype=dataset.dtypes[number - 1],
                nodata=dataset.nodatavals[number - 1],
                scale=dataset.scales[number - 1],
                offset=dataset.offsets[number - 1],
                unit=dataset.units[number - 1] or "",
                product=tags.get("product", ""),
                product_version=tags.get("product_version", ""),
            )
    except RasterioIOError as error:
        raise InvalidRaster(
            f"{path.name} cannot be read as a GeoTIFF: {_reason(path)}. Save it as a GeoTIFF, for example with "
            f"`gdal_translate {path.name} layer.tif`, or copy it again if it was cut short; points, lines and "
            "polygons go "
            "to --collection vectors."
        ) from error


def stripe_rows(height: int, width: int, tall: int) -> int:
    """Return how many rows to read at once: some millions of cells, in whole blocks."""
    stripe = max(1, _CELLS_AT_ONCE // width)
    return min(height, max(tall, stripe // tall * tall))


def refuse_unbounded(path: Path, shape: tuple[int, int], size: int, block: int) -> None:
    """Refuse a raster that would take more memory or time to read than any map does.

    Parameters
    ----------
    path : Path
        For the message.
    shape : tuple of int
        Rows and columns.
    size : int
        Bytes on the disk.
    block : int
        Bytes that are read at once, at least.

    Raises
    ------
    InvalidRaster
        Says how large it is.
    """
    cells = shape[0] * shape[1]
    told = f"{path.name} says that it has {shape[0]:,} x {shape[1]:,} cells"
    if cells > _LARGEST_CELLS or (cells > _MANY_CELLS and cells > _CELLS_PER_BYTE * size):
        raise InvalidRaster(
            f"{told}, in {size:,} bytes: that is no map, or far more of one than a landscape. Cut out the landscape: "
            f"`gdalwarp -te WEST SOUTH EAST NORTH {path.name} part.tif`."
        )
    if block > _LARGEST_BLOCK:
        raise InvalidRaster(
            f"{told}, stored in blocks of {block / 2**30:,.1f} GiB, which have to be read whole. Write it in tiles: "
            f"`gdal_translate -co TILED=YES {path.name} tiled.tif`."
        )


def _refuse_bomb(path: Path, dataset: rasterio.DatasetReader) -> None:
    tall, wide = dataset.block_shapes[0]
    block = tall * wide * max(np.dtype(dtype).itemsize for dtype in dataset.dtypes)
    refuse_unbounded(path, dataset.shape, path.stat().st_size, block)


def _open_quietly(path: Path) -> rasterio.DatasetReader:
    # That a file has no geotransform is no warning here but an error with a mend.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        return rasterio.open(path, driver="GTiff")


def _choose_band(path: Path, count: int, band: int | None) -> int:
    if band is None and count == 1:
        return 1
    if band is None:
        raise InvalidRaster(
            f"{path.name} has {count} bands and a layer is one: say which one is meant, as in --band 1."
        )
    if not 1 <= band <= count:
        raise InvalidRaster(f"{path.name} has no band {band}: it has {count}, counted from 1.")
    return band


def _position(path: Path, dataset: rasterio.DatasetReader) -> Any:
    if dataset.transform.is_identity:
        raise InvalidRaster(
            f"{path.name} does not say where it lies (no geotransform). Give it its corners, for example with "
            f"`gdal_edit.py -a_ullr WEST NORTH EAST SOUTH {path.name}`."
        )
    if not abs(dataset.transform.determinant) > 0:
        raise InvalidRaster(
            f"{path.name} has cells of no extent ({dataset.transform.a:g} x {dataset.transform.e:g}). Give it its "
            "corners, "
            f"for example with `gdal_edit.py -a_ullr WEST NORTH EAST SOUTH {path.name}`."
        )
    return dataset.transform


def choose_crs(path: PurePath, found: Any, given: str | None) -> CRS:
    """Return the CRS that a file names, or the one given for a file that names none.

    Raises
    ------
    InvalidRaster
        If there is none, or the two contradict each other.
    """
    if not found and given is None:
        raise InvalidRaster(
            f"{path.name} has no coordinate reference system (CRS). If you know it, say it, as in --crs EPSG:32618."
        )
    try:
        named = CRS(given) if given is not None else None
    except CRSError as error:
        raise InvalidRaster(f"--crs {given} is not a known CRS: write a code, as in EPSG:32618.") from error
    if found and named is not None and named != CRS(found):
        raise InvalidRaster(
            f"{path.name} says its CRS is {crs_name(CRS(found))}, and --crs says {given}. Leave out --crs, which "
            "is for files that name none; if the file is wrong, correct it with `gdal_edit.py -a_srs`."
        )
    return CRS(found) if named is None else named


def _reason(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(2)
    if not head:
        return "it is empty"
    if head in (b"II", b"MM"):
        return "it begins as a TIFF but is damaged"
    return "it is another kind of file"
