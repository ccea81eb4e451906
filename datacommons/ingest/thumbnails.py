"""Small pictures of layers, for catalogs and browsers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from PIL import Image
from rasterio.enums import Resampling

from catalog.legend import Legend

_LONGEST_SIDE = 256
_LOW, _HIGH = 2, 98  # percentiles: outliers would leave the rest of the picture grey
_DARK, _LIGHT = (38, 54, 62), (240, 236, 226)


def write_thumbnail(path: Path, target: Path, legend: Legend | None) -> None:
    """Draw a layer as a PNG of at most 256 pixels a side; cells without data are transparent.

    Parameters
    ----------
    path : Path
        A COG of a commons.
    target : Path
        The PNG.
    legend : Legend or None
        Its colours; without one the values go from dark to light, between their 2nd and 98th percentile.
    """
    with rasterio.open(path) as dataset:
        share = min(1.0, _LONGEST_SIDE / max(dataset.shape))
        shape = tuple(max(1, round(side * share)) for side in dataset.shape)
        method = Resampling.nearest if legend else Resampling.average
        cells = dataset.read(1, out_shape=shape, resampling=method, masked=True)
    picture = _draw_classes(cells, legend) if legend else _draw_values(np.ma.masked_invalid(cells))
    Image.fromarray(picture, "RGBA").quantize(256).save(target, optimize=True)


def _draw_classes(cells: np.ma.MaskedArray[Any, Any], legend: Legend) -> NDArray[np.uint8]:
    palette = np.zeros((256, 4), np.uint8)
    for value, colour in legend.colormap().items():
        palette[value] = colour
    return np.asarray(palette[cells.filled(legend.nodata)])


def _draw_values(cells: np.ma.MaskedArray[Any, Any]) -> NDArray[np.uint8]:
    known = cells.compressed().astype(np.float64)
    low, high = np.percentile(known, [_LOW, _HIGH]) if known.size else (0.0, 1.0)
    spread = (high - low) or 1.0
    share = np.clip((cells.filled(low).astype(np.float64) - low) / spread, 0, 1)[..., None]
    picture = np.empty((*cells.shape, 4), np.uint8)
    picture[..., :3] = np.rint(np.array(_DARK) * (1 - share) + np.array(_LIGHT) * share)
    picture[..., 3] = np.where(np.ma.getmaskarray(cells), 0, 255)
    return picture
