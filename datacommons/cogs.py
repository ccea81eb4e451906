"""Writing layers as Cloud Optimized GeoTIFFs, with GDAL's COG driver."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import rasterio.shutil
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from rasterio.windows import Window

from catalog.legend import Legend
from datacommons.ingest.rasters import RasterSource
from datacommons.overviews import TILE, make_overviews
from datacommons.progress import Advance
from scenarios.scratch import IN_MEMORY, Scratch

_CACHE_BYTES = 64 * 2**20  # of GDAL's: each tile is written once, and by itself it takes a twentieth of the memory
NODATA = 0
"""Nodata of every classified layer in a commons, whatever the source had."""


def write_classified(source: RasterSource, path: Path, legend: Legend, advance: Advance) -> None:
    """Write a classified raster as a COG: uint8, nodata 0, colours of the legend, mode overviews.

    Parameters
    ----------
    source : RasterSource
        Inspected before: all its values are in the legend or nodata.
    path : Path
        The COG, in a folder that exists.
    legend : Legend
        Its own nodata value becomes 0 as well.
    advance : callable
        Told the share of the work done; 1 in all.
    """
    draft = path.with_suffix(".draft.tif")
    with rasterio.open(draft, "w", **_profile(source.geobox, "uint8", NODATA)) as dataset:
        dataset.write_colormap(1, _colours(legend))
        for window, block in source.blocks():
            missing = np.ma.getmaskarray(block) | (block.data == legend.nodata)
            dataset.write(np.where(missing, NODATA, block.data).astype(np.uint8), 1, window=window)
            advance(block.shape[0] / source.geobox.height / 2)
    _compress(draft, path, overview_resampling="MODE")
    advance(0.5)


def write_continuous(source: RasterSource, path: Path, advance: Advance) -> None:
    """Write a raster of measurements as a COG: predictor, average overviews, its own nodata or NaN.

    Values that were stored scaled are written as float32 in their own unit.
    """
    draft = path.with_suffix(".draft.tif")
    scaled = (source.scale, source.offset) != (1.0, 0.0)
    dtype = "float32" if scaled else source.dtype
    nodata = _continuous_nodata(source, dtype, scaled)
    with rasterio.open(draft, "w", **_profile(source.geobox, dtype, nodata)) as dataset:
        dataset.set_band_unit(1, source.unit)
        for window, block in source.blocks():
            values = block * source.scale + source.offset if scaled else block
            dataset.write(_filled(values, dtype, nodata), 1, window=window)
            advance(block.shape[0] / source.geobox.height / 2)
    _compress(draft, path, overview_resampling="AVERAGE", predictor="YES")
    advance(0.5)


def write_map(
    path: Path, classes: NDArray[np.uint8], geobox: GeoBox, legend: Legend, scratch: Scratch = IN_MEMORY
) -> None:
    """Write a map that was computed as a COG: uint8, nodata 0, colours of the legend, mode overviews.

    Parameters
    ----------
    path : Path
        The COG, in a folder that exists.
    classes : (y, x) uint8
        Values of the legend, 0 = nodata.
    geobox : GeoBox
        Their grid.
    legend : Legend
    scratch : Scratch
        Where overviews are put.
    """
    with rasterio.Env(GDAL_CACHEMAX=_CACHE_BYTES):
        _write_map(path, classes, geobox, legend, scratch)


def _write_map(path: Path, classes: NDArray[np.uint8], geobox: GeoBox, legend: Legend, scratch: Scratch) -> None:
    draft = path.with_suffix(".draft.tif")
    with rasterio.open(draft, "w", **_profile(geobox, "uint8", NODATA)) as dataset:
        dataset.write_colormap(1, _colours(legend))
        _write_rows(dataset, classes)
    # GDAL takes them for the draft's: each is the overview of the file that its name begins with.
    coarser, overviews = draft, []
    for cells in make_overviews(classes, scratch):
        coarser = coarser.with_name(f"{coarser.name}.ovr")
        overviews.append(coarser)
        with rasterio.open(coarser, "w", **_profile(geobox.zoom_to(cells.shape), "uint8", NODATA)) as dataset:
            _write_rows(dataset, cells)
    # Of classes, LZW makes as little as DEFLATE does, in half the time.
    _compress(draft, path, overviews="FORCE_USE_EXISTING", compress="LZW")
    for overview in overviews:
        overview.unlink()


def _write_rows(dataset: rasterio.io.DatasetWriter, classes: NDArray[np.uint8]) -> None:
    """Write a map, a row of tiles at a time: GDAL makes a copy of what it is given at once."""
    for first in range(0, classes.shape[0], TILE):
        rows = classes[first : first + TILE]
        dataset.write(rows, 1, window=Window(0, first, rows.shape[1], rows.shape[0]))


def _colours(legend: Legend) -> dict[int, tuple[int, int, int, int]]:
    return legend.colormap() | {NODATA: (0, 0, 0, 0)}


def _profile(geobox: GeoBox, dtype: str, nodata: float | None) -> dict[str, Any]:
    height, width = geobox.shape
    return {
        "driver": "GTiff",
        "height": height,
        "width": width,
        "count": 1,
        "dtype": dtype,
        "crs": geobox.crs.to_wkt() if geobox.crs else None,
        "transform": geobox.affine,
        "nodata": nodata,
        "tiled": True,
        "blockxsize": TILE,
        "blockysize": TILE,
        "bigtiff": "if_safer",
    }


def _continuous_nodata(source: RasterSource, dtype: str, scaled: bool) -> float | None:
    if np.dtype(dtype).kind == "f" and (source.nodata is None or scaled):
        return float("nan")
    return source.nodata


def _filled(values: np.ma.MaskedArray[Any, Any], dtype: str, nodata: float | None) -> NDArray[Any]:
    return (values.data if nodata is None else values.filled(nodata)).astype(dtype, copy=False)


def _compress(draft: Path, path: Path, compress: str = "DEFLATE", **options: str) -> None:
    with rasterio.Env(GDAL_NUM_THREADS="ALL_CPUS"):
        rasterio.shutil.copy(
            draft, path, driver="COG", compress=compress, blocksize=TILE, bigtiff="IF_SAFER", **options
        )
    draft.unlink()
