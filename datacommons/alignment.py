"""Putting a layer on the grid of its landscape, and saying what was done to it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from odc.geo.overlap import ReprojectInfo, compute_reproject_roi
from rasterio.enums import Resampling
from rasterio.warp import reproject
from rasterio.windows import Window

from datacommons.grids import grid_name, same_grid

_FINER = 2.0
_TOLERANCE_CELLS = 1e-3


@dataclass(frozen=True)
class Aligned:
    """A layer on a landscape's grid.

    Attributes
    ----------
    data : (y, x) array
        Classes as uint8 with 0 = nodata, or measurements as float32 with NaN = nodata.
    report : str
        One line: how it got there.
    """

    data: NDArray[Any]
    report: str


def align(path: str | Path, geobox: GeoBox, *, classified: bool) -> Aligned:
    """Read a layer's COG onto a grid.

    On the same grid, or one that differs by whole cells only, cells are read as they are. Else classes are
    taken from the nearest cell, or from the most frequent class where the layer is finer by two times or more;
    measurements are interpolated (bilinear), or averaged likewise.

    Parameters
    ----------
    path : str or Path
        A COG of a commons; its first band is read.
    geobox : GeoBox
        The grid wanted.
    classified : bool
        Whether values are classes, which must never be mixed.

    Examples
    --------
    ::

        align("slope.tif", landscape.geobox, classified=False).report
        # "bilinear, from EPSG:4326 (0.0008333 x 0.0008333) to EPSG:32618 (30 x 30)"
    """
    with rasterio.open(path) as dataset:
        source = GeoBox(dataset.shape, dataset.transform, dataset.crs)
        if same_grid(source, geobox):
            return Aligned(_read(dataset, None, classified), "read as it is, on the landscape's grid")
        plan = compute_reproject_roi(source, geobox, ttol=_TOLERANCE_CELLS, stol=1e-6)
        data = _empty(geobox, classified)
        if _differs_by_whole_cells(plan):
            rows, columns = (slice(part.start, part.stop) for part in plan.roi_dst)
            data[rows, columns] = _read(dataset, Window.from_slices(*plan.roi_src), classified)
            return Aligned(data, "read as it is, cut or extended to the landscape's grid")
        method = _choose_resampling(plan, classified)
        reproject(
            rasterio.band(dataset, 1),
            data,
            dst_transform=geobox.affine,
            dst_crs=str(geobox.crs.to_wkt()) if geobox.crs else None,
            dst_nodata=0 if classified else np.nan,
            resampling=method,
        )
    return Aligned(data, f"{method.name}, from {grid_name(source)} to {grid_name(geobox)}")


def _empty(geobox: GeoBox, classified: bool) -> NDArray[Any]:
    return np.zeros(geobox.shape, np.uint8) if classified else np.full(geobox.shape, np.nan, np.float32)


def _read(dataset: rasterio.DatasetReader, window: Window | None, classified: bool) -> NDArray[Any]:
    if classified:
        return np.asarray(dataset.read(1, window=window, masked=True).filled(0), np.uint8)
    return np.asarray(dataset.read(1, window=window, masked=True).astype(np.float32).filled(np.nan))


def _differs_by_whole_cells(plan: ReprojectInfo) -> bool:
    return plan.paste_ok and plan.read_shrink == 1


def _choose_resampling(plan: ReprojectInfo, classified: bool) -> Resampling:
    finer = plan.scale >= _FINER
    if classified:
        return Resampling.mode if finer else Resampling.nearest
    return Resampling.average if finer else Resampling.bilinear
