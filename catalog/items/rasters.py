"""What a raster file says of itself: grid, data type, nodata, unit and statistics of its cells."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import rasterio
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from rasterio.enums import MaskFlags
from rasterio.errors import RasterioError

from catalog.errors import LayerError, UnreadableLayer


@dataclass(frozen=True)
class RasterFacts:
    """What the first band of a raster says of itself.

    Attributes
    ----------
    geobox : GeoBox
        Its grid.
    data_type : str
        NumPy's name, for example "uint8".
    nodata : float or None
    unit : str
        Empty if unknown.
    statistics : dict
        minimum, maximum, mean, stddev, count and valid_percent of the cells with data.
    values : mapping of int to int
        Cells by value in a uint8 band, ascending and without nodata; empty for other types.
    """

    geobox: GeoBox
    data_type: str
    nodata: float | None
    unit: str
    statistics: dict[str, float | int]
    values: dict[int, int]

    @property
    def band(self) -> dict[str, Any]:
        """The fields of a STAC 1.1 band."""
        nodata = {} if self.nodata is None else {"nodata": _to_json_number(self.nodata)}
        unit = {"unit": self.unit} if self.unit else {}
        return {"data_type": self.data_type, **nodata, **unit, "statistics": self.statistics}


def read_raster(path: Path) -> RasterFacts:
    """Read the first band of a raster, block by block.

    Raises
    ------
    UnreadableLayer
        Where the file is missing, cut short or no raster.
    LayerError
        Where it has no CRS or no cell with data.
    """
    try:
        with rasterio.open(path) as dataset:
            if dataset.crs is None:
                raise LayerError(f"{path.name} has no CRS: name it, for example with `gdal_edit.py -a_srs`.")
            geobox = GeoBox(dataset.shape, dataset.transform, dataset.crs)
            statistics, values = _summarise(dataset)
            data_type, nodata, unit = dataset.dtypes[0], dataset.nodata, dataset.units[0] or ""
    except (RasterioError, OSError) as error:
        raise UnreadableLayer(f"{path.name} cannot be read as a raster: {error}. Is it whole?") from error
    if statistics["count"] == 0:
        raise LayerError(f"{path.name} has no cell with data: all {geobox.shape.y * geobox.shape.x:,} are nodata.")
    return RasterFacts(geobox, data_type, nodata, unit, statistics, values)


def _summarise(dataset: rasterio.DatasetReader) -> tuple[dict[str, float | int], dict[int, int]]:
    """Return the statistics of the cells with data, and how many have which value if these are bytes."""
    cells = np.zeros(256, np.int64)
    if dataset.dtypes[0] == "uint8":
        cells = _count_bytes(dataset)
        seen = np.flatnonzero(cells)
        moments = _of_counts(seen.astype(np.float64), cells[seen])
    else:
        seen, moments = np.empty(0, np.int64), _of_blocks(dataset)
    if moments.cells == 0:
        return {"count": 0}, {}
    statistics = {
        "minimum": moments.low,
        "maximum": moments.high,
        "mean": moments.mean,
        "stddev": math.sqrt(moments.spread / moments.cells),
        "count": moments.cells,
        "valid_percent": 100 * moments.cells / (dataset.width * dataset.height),
    }
    return statistics, {int(value): int(cells[value]) for value in seen}


class _Moments(NamedTuple):
    cells: int
    mean: float
    spread: float  # sum of squared distances from the mean
    low: float
    high: float


_NO_CELLS = _Moments(0, 0.0, 0.0, math.inf, -math.inf)


def _count_bytes(dataset: rasterio.DatasetReader) -> NDArray[np.int64]:
    """Count the cells of each value that have data, (256,)."""
    count = np.zeros(256, np.int64)
    for _, window in dataset.block_windows(1):
        block = dataset.read(1, window=window)
        # A mask besides the nodata value is rare, and reading it takes longer than reading the values.
        masked = MaskFlags.per_dataset in dataset.mask_flag_enums[0]
        count += _count(block[dataset.read_masks(1, window=window) != 0] if masked else block)
    if dataset.nodata is not None and 0 <= dataset.nodata <= 255:
        count[int(dataset.nodata)] = 0
    return count


def _count(cells: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Count the cells of each value, (256,): by pairs, of which there are half as many to go through."""
    flat = np.ascontiguousarray(cells).ravel()
    pairs = np.bincount(flat[: flat.size // 2 * 2].view(np.uint16), minlength=1 << 16).reshape(256, 256)
    last = np.bincount(flat[flat.size // 2 * 2 :], minlength=256)
    return np.asarray(pairs.sum(axis=0) + pairs.sum(axis=1) + last, np.int64)


def _of_counts(values: NDArray[np.float64], count: NDArray[np.int64]) -> _Moments:
    if not values.size:
        return _NO_CELLS
    mean = float(np.average(values, weights=count))
    return _Moments(int(count.sum()), mean, float(count @ (values - mean) ** 2), int(values[0]), int(values[-1]))


def _of_blocks(dataset: rasterio.DatasetReader) -> _Moments:
    """Merge the mean and the spread of every block (Chan, Golub and LeVeque 1983)."""
    count, mean, spread, low, high = _NO_CELLS
    for _, window in dataset.block_windows(1):
        cells = dataset.read(1, window=window, masked=True).compressed()
        cells = cells[np.isfinite(cells)]
        if cells.size == 0:
            continue
        number, centre = cells.size, float(cells.mean(dtype=np.float64))
        step = centre - mean
        mean += step * number / (count + number)
        spread += float(cells.var(dtype=np.float64) * number) + step**2 * count * number / (count + number)
        count += number
        low, high = min(low, cells.min().item()), max(high, cells.max().item())
    return _Moments(count, mean, spread, low, high)


def _to_json_number(value: float) -> float | int | str:
    if math.isnan(value):
        return "nan"
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    return int(value) if value == int(value) else value
