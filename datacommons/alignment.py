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

from datacommons.cloud import reach
from datacommons.grids import grid_name, same_grid
from scenarios.scratch import IN_MEMORY, Scratch

_FINER = 2.0
_TOLERANCE_CELLS = 1e-3
_ROWS = 512  # as many as a tile of a COG has


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


def align(path: str | Path, geobox: GeoBox, *, classified: bool, scratch: Scratch = IN_MEMORY) -> Aligned:
    """Read a layer's COG onto a grid.

    On the same grid, or one that differs by whole cells only, cells are read as they are. Else classes are
    taken from the nearest cell, or from the most frequent class where the layer is finer by two times or more;
    measurements are interpolated (bilinear), or averaged likewise.

    Parameters
    ----------
    path : str or Path
        A COG of a commons, or its address in a bucket; its first band is read.
    geobox : GeoBox
        The grid wanted.
    classified : bool
        Whether values are classes, which must never be mixed.
    scratch : Scratch
        Where the array is put.

    Examples
    --------
    ::

        align("slope.tif", landscape.geobox, classified=False).report
        # "bilinear, from EPSG:4326 (0.0008333 x 0.0008333) to EPSG:32618 (30 x 30)"
    """
    with reach(str(path)) as place, rasterio.open(place) as dataset:
        source = GeoBox(dataset.shape, dataset.transform, dataset.crs)
        data = scratch.empty(tuple(geobox.shape), np.uint8 if classified else np.float32)
        if same_grid(source, geobox):
            _read(dataset, (0, 0), data)
            return Aligned(data, "read as it is, on the landscape's grid")
        plan = compute_reproject_roi(source, geobox, ttol=_TOLERANCE_CELLS, stol=1e-6)
        data[...] = 0 if classified else np.nan
        if _differs_by_whole_cells(plan):
            rows, columns = (slice(part.start, part.stop) for part in plan.roi_dst)
            _read(dataset, (plan.roi_src[0].start, plan.roi_src[1].start), data[rows, columns])
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


def _read(dataset: rasterio.DatasetReader, corner: tuple[int, int], out: NDArray[Any]) -> None:
    """Read what begins at a row and a column of the first band, some rows at a time."""
    missing = 0 if out.dtype == np.uint8 else np.nan
    for first in range(0, out.shape[0], _ROWS):
        rows = out[first : first + _ROWS]
        window = Window(corner[1], corner[0] + first, rows.shape[1], rows.shape[0])
        rows[...] = dataset.read(1, window=window, masked=True).astype(out.dtype, copy=False).filled(missing)


def _differs_by_whole_cells(plan: ReprojectInfo) -> bool:
    return plan.paste_ok and plan.read_shrink == 1


def _choose_resampling(plan: ReprojectInfo, classified: bool) -> Resampling:
    finer = plan.scale >= _FINER
    if classified:
        return Resampling.mode if finer else Resampling.nearest
    return Resampling.average if finer else Resampling.bilinear
