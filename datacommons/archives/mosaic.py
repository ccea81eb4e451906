"""Tiles of an archive put together on a grid: only the window is read, strip by strip, and what was read is kept."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil, floor
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from rasterio.enums import Resampling
from rasterio.errors import RasterioError
from rasterio.io import DatasetReader
from rasterio.warp import reproject, transform_bounds

from datacommons.archives.links import Links, RemoteFile
from datacommons.errors import RemoteFailed
from datacommons.grids import cell_size_m

_FINER = 2.0
_PLAN = "plan.json"
_STRIP_ROWS = 1024
_ROUNDING = 1e-6
# GDAL looks for files beside a file; here nobody wants them.
_QUIET = {"GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR", "GDAL_PAM_ENABLED": "NO"}


@dataclass(frozen=True)
class Mosaic:
    """What is to be read of an archive.

    Attributes
    ----------
    hrefs : tuple of str
        The tiles, unsigned. Where they overlap, the first that has data counts.
    geobox : GeoBox
        The grid wanted.
    classified : bool
        Whether values are classes, which are never mixed.
    nodata : tuple of int
        Of classes: values without data, besides what the tiles declare.
    strip_rows : int
        Rows that are read, and kept, at once.
    """

    hrefs: tuple[str, ...]
    geobox: GeoBox
    classified: bool
    nodata: tuple[int, ...] = (0,)
    strip_rows: int = _STRIP_ROWS

    @property
    def plan(self) -> dict[str, Any]:
        """What strips that are kept have to agree with."""
        return {
            "tiles": [href.partition("?")[0] for href in self.hrefs],
            "grid": [*self.geobox.shape, *self.geobox.affine[:6], str(self.geobox.crs)],
            "rows": self.strip_rows,
            "classified": self.classified,
            "nodata": list(self.nodata),
        }


def measure_tile(href: str, links: Links) -> tuple[GeoBox, float]:
    """Return the grid of a tile, and the edge of its cells in metres. Raises RemoteFailed."""
    with _open_tile(href, links) as dataset:
        geobox = GeoBox(dataset.shape, dataset.transform, dataset.crs)
        return geobox, cell_size_m(geobox)


def cut_grid(grid: GeoBox, bbox: tuple[float, float, float, float]) -> GeoBox:
    """Return the cells of a grid, also beyond its edges, that cover a box in degrees."""
    assert grid.crs is not None  # a tile without one cannot be measured
    west, south, east, north = transform_bounds("EPSG:4326", grid.crs.to_wkt(), *bbox, densify_pts=21)
    affine = grid.affine
    left, right = sorted(((west - affine.c) / affine.a, (east - affine.c) / affine.a))
    top, bottom = sorted(((south - affine.f) / affine.e, (north - affine.f) / affine.e))
    # A box that ends at an edge of cells takes in no further ones for a rounding error.
    column, row = floor(left + _ROUNDING), floor(top + _ROUNDING)
    shape = (ceil(bottom - _ROUNDING) - row, ceil(right - _ROUNDING) - column)
    return GeoBox(shape, affine @ Affine.translation(column, row), grid.crs)


def fetch_mosaic(mosaic: Mosaic, links: Links, folder: Path, advance: Callable[[float], None]) -> Path:
    """Read a mosaic into a GeoTIFF; what a folder holds of the same mosaic is not read again.

    Parameters
    ----------
    mosaic : Mosaic
    links : Links
    folder : Path
        Where strips are kept until the mosaic is whole; it may hold those of a try that failed.
    advance : callable
        Told the share of the strips that are there.

    Returns
    -------
    Path
        The GeoTIFF, in that folder: uint8 and nodata 0, or float32 and NaN.

    Raises
    ------
    RemoteFailed
        If a tile cannot be read. The strips read so far are kept.
    """
    prepare_folder(folder, mosaic.plan)
    height = mosaic.geobox.shape.y
    starts = range(0, height, mosaic.strip_rows)
    for row in starts:
        part = folder / f"rows-{row:08d}.npy"
        if not part.exists():
            strip = mosaic.geobox[row : min(height, row + mosaic.strip_rows), :]
            save_part(part, _read_strip(mosaic, strip, links))
        advance(1 / len(starts))
    return _put_together(mosaic, folder, starts)


def prepare_folder(folder: Path, plan: Mapping[str, Any]) -> None:
    """Clear a folder, unless it holds parts of the same plan."""
    path, text = folder / _PLAN, json.dumps(plan)
    if not path.is_file() or path.read_text("utf-8") != text:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        path.write_text(text, "utf-8")


def save_part(path: Path, cells: NDArray[Any]) -> None:
    """Keep a part; it has its name only when it is whole."""
    draft = path.with_suffix(".draft")
    with draft.open("wb") as file:
        np.save(file, cells)
    draft.rename(path)


def _read_strip(mosaic: Mosaic, strip: GeoBox, links: Links) -> NDArray[Any]:
    cells: NDArray[Any] = (
        np.zeros(strip.shape, np.uint8) if mosaic.classified else np.full(strip.shape, np.nan, np.float32)
    )
    for href in mosaic.hrefs:
        empty = cells == 0 if mosaic.classified else np.isnan(cells)
        if not empty.any():
            break
        with _open_tile(href, links) as dataset:
            if not _touches(dataset, strip):
                continue
            found = _warp(dataset, strip, mosaic.classified)
        if mosaic.classified:
            found[np.isin(found, mosaic.nodata)] = 0
        cells[empty] = found[empty]
    return cells


def _warp(dataset: DatasetReader, strip: GeoBox, classified: bool) -> NDArray[Any]:
    """Bring the part of a tile that lies in a strip onto its grid."""
    nodata: float = 0 if classified else float("nan")
    cells: NDArray[Any] = np.full(strip.shape, nodata, np.uint8 if classified else np.float32)
    finer = cell_size_m(strip) >= _FINER * cell_size_m(GeoBox(dataset.shape, dataset.transform, dataset.crs))
    methods = (Resampling.mode, Resampling.nearest) if classified else (Resampling.average, Resampling.bilinear)
    reproject(
        rasterio.band(dataset, 1),
        cells,
        src_nodata=dataset.nodata,
        dst_transform=strip.affine,
        dst_crs=strip.crs.to_wkt() if strip.crs else None,
        dst_nodata=nodata,
        resampling=methods[0] if finer else methods[1],
    )
    return cells if classified else cells * dataset.scales[0] + dataset.offsets[0]


def _touches(dataset: DatasetReader, strip: GeoBox) -> bool:
    wanted = transform_bounds(str(strip.crs), dataset.crs, *strip.boundingbox.bbox, densify_pts=21)
    west, south, east, north = wanted
    bounds = dataset.bounds
    return bool(west < bounds.right and east > bounds.left and south < bounds.top and north > bounds.bottom)


@contextmanager
def _open_tile(href: str, links: Links) -> Iterator[DatasetReader]:
    """Open a tile through our own reader, and raise what went wrong there in place of what GDAL makes of it."""
    opened: list[RemoteFile] = []

    def open_file(path: str, mode: str = "rb") -> RemoteFile:  # noqa: ARG001  (rasterio gives it by name)
        if "://" not in path:  # rasterio tries the function on a name of its own
            raise FileNotFoundError(path)
        opened.append(RemoteFile(path, links))
        return opened[-1]

    try:
        with rasterio.Env(**_QUIET), rasterio.open(href, opener=open_file) as dataset:
            yield dataset
    except RasterioError as error:
        for file in opened:
            if file.failure is not None:
                raise file.failure from error
        raise RemoteFailed(
            f"{href.partition('?')[0]} is no raster that can be read: it is damaged, or of another kind. Try again "
            "later."
        ) from error


def _put_together(mosaic: Mosaic, folder: Path, starts: Sequence[int]) -> Path:
    path = folder / "mosaic.tif"
    height, width = mosaic.geobox.shape
    affine: Affine = mosaic.geobox.affine
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        count=1,
        height=height,
        width=width,
        dtype="uint8" if mosaic.classified else "float32",
        nodata=0 if mosaic.classified else float("nan"),
        crs=mosaic.geobox.crs.to_wkt() if mosaic.geobox.crs else None,
        transform=affine,
        compress="LZW",
        tiled=True,
        bigtiff="if_safer",
    ) as dataset:
        for row in starts:
            cells = np.load(folder / f"rows-{row:08d}.npy")
            dataset.write(cells, 1, window=((row, row + cells.shape[0]), (0, width)))
    return path
