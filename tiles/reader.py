"""Reads tiles of a layer's raster: exact at the cell, from overviews when zoomed out."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property, lru_cache
from typing import Any, Final

import attr
import numpy as np
import rasterio
from morecantile import Tile
from rasterio._err import CPLE_BaseError  # WarpedVRT lets GDAL's own errors through; no public name
from rasterio.errors import RasterioError
from rasterio.transform import from_bounds
from rasterio.warp import transform_bounds
from rasterio.windows import Window
from rio_tiler import reader as rio_reader
from rio_tiler.errors import TileOutsideBounds
from rio_tiler.io import Reader
from rio_tiler.models import ImageData
from rio_tiler.types import BBox, WarpResampling

from tiles.errors import LayerUnreadable
from tiles.layer import Layer, Spread
from tiles.placement import place_pixels

GDAL_ENV: Final[dict[str, Any]] = {
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",  # a COG has no sidecars: do not look for any
    "GDAL_PAM_ENABLED": False,
    "GDAL_INGESTED_BYTES_AT_OPEN": 32_768,
    "GDAL_HTTP_MERGE_CONSECUTIVE_RANGES": True,
    "VSI_CACHE": True,
}

TILE_SIZE: Final = 256

# By how much of a cell GDAL may misplace a pixel, where values are blended anyway.
_BLENDED_CELLS: Final = 0.02
# An overview a little coarser than the tile looks better than a finer one of which cells are skipped.
_OVERVIEW_SLACK: Final = 1.2
_EDGE_SLACK: Final = 0.01
_METRES_PER_DEGREE: Final = 111_320.0
_THUMBNAIL_CELLS: Final = 256
_MOST_CELLS: Final = 16_000_000

_log = logging.getLogger(__name__)


@attr.s
class LayerReader(Reader):
    """Opens a layer as a GeoTIFF, and as nothing else, for TiTiler's factories.

    Parameters
    ----------
    input : Layer
    tms : morecantile.TileMatrixSet

    Raises
    ------
    LayerUnreadable
        If the file is missing, damaged, no GeoTIFF or without CRS.
    """

    input: Any
    dataset: Any
    height: int
    width: int
    transform: Any

    def __attrs_post_init__(self) -> None:
        """Open the file and note its grid."""
        self.dataset = self._ctx_stack.enter_context(open_layer(self.input))
        self.bounds = tuple(self.dataset.bounds)
        self.crs = self.dataset.crs
        self.transform = self.dataset.transform
        self.height, self.width = self.dataset.shape
        self.colormap = {}

    def tile(  # type: ignore[override]
        self,
        tile_x: int,
        tile_y: int,
        tile_z: int,
        tilesize: int = TILE_SIZE,
        *,
        resampling: WarpResampling = "nearest",
        buffer: int = 0,
    ) -> ImageData:
        """Read a tile of the first band.

        Parameters
        ----------
        tile_x, tile_y, tile_z : int
        tilesize : int
            Pixels along each side.
        resampling : str
            With "nearest" a pixel has the value of the cell under its centre; of the cell of an overview,
            where the tile shows less than the native resolution. All others work in floating point.
        buffer : int
            Pixels to add on each side.

        Returns
        -------
        ImageData
            (1, tilesize + 2 buffer, tilesize + 2 buffer), masked where there is no data.

        Raises
        ------
        TileOutsideBounds
            If the layer does not touch the tile.
        LayerUnreadable
            If the file is damaged.
        """
        left, bottom, right, top = self.tms.xy_bounds(Tile(tile_x, tile_y, tile_z))
        margin_x, margin_y = (right - left) / tilesize * buffer, (top - bottom) / tilesize * buffer
        bounds = (left - margin_x, bottom - margin_y, right + margin_x, top + margin_y)
        if not _overlap(bounds, self._extent):
            raise TileOutsideBounds("The layer does not touch this tile.")
        cells_per_pixel = (right - left) / tilesize / self._cell
        size = tilesize + 2 * buffer
        with self._at_resolution(cells_per_pixel) as (dataset, factor), _gdal_errors(self.input):
            if resampling == "nearest":
                return self._pick_cells(dataset, bounds, size)
            return self._blend_cells(dataset, bounds, size, resampling, factor / cells_per_pixel)

    @property
    def minzoom(self) -> int:
        """The zoom at which the raster about fills a tile."""
        left, bottom, right, top = self._extent
        return int(self.tms.zoom_for_res(max(right - left, top - bottom) / TILE_SIZE))

    @property
    def maxzoom(self) -> int:
        """The zoom whose pixels are about as large as the raster's cells."""
        return int(self.tms.zoom_for_res(self._cell))

    def pixel_size_m(self, tile_z: int, tilesize: int = TILE_SIZE) -> float:
        """Return about how many metres a pixel of a tile measures at the layer's place."""
        left, _, right, _ = self.tms.xy_bounds(Tile(0, 0, tile_z))
        return (right - left) / tilesize / self._cell * self._cell_size_m

    @property
    def extent_m(self) -> float:
        """The side, in metres, of a square as large as the raster."""
        return self._cell_size_m * math.sqrt(self.width * self.height)

    def spread(self) -> Spread:
        """Estimate the spread of the values from a thumbnail.

        Raises
        ------
        LayerUnreadable
            If the file is damaged.
        """
        with _gdal_errors(self.input):
            image = rio_reader.read(self.dataset, indexes=1, max_size=_THUMBNAIL_CELLS)
        values = image.array.compressed().astype(float)
        values = values[np.isfinite(values)]
        if values.size == 0:
            return Spread(0.0, 1.0, 1.0)
        low, high = (float(edge) for edge in np.percentile(values, [2, 98]))
        return Spread(low, high if high > low else low + 1.0, float(values.std()) or 1.0)

    def _pick_cells(self, dataset: Any, bounds: BBox, size: int) -> ImageData:
        """Give every pixel the value of the cell under its centre."""
        columns, rows = place_pixels(
            bounds,
            size,
            tile_crs=self.tms.rasterio_crs.to_string(),
            raster_crs=self.crs.to_string(),
            transform=dataset.transform,
        )
        inside = (columns >= 0) & (columns < dataset.width) & (rows >= 0) & (rows < dataset.height)
        values = np.zeros((1, size, size), dtype=dataset.dtypes[0])
        missing = np.ones(values.shape, dtype=bool)
        if inside.any():
            column, row = columns[inside].astype(int), rows[inside].astype(int)
            window = Window(column.min(), row.min(), np.ptp(column) + 1, np.ptp(row) + 1)
            # Only a raster without overviews asks for more cells than this; most would fall between pixels.
            step = math.ceil(math.sqrt(window.height * window.width / _MOST_CELLS))
            shape = math.ceil(window.height / step), math.ceil(window.width / step)
            cells = dataset.read(1, window=window, out_shape=shape, masked=True)
            place = (row - row.min()) // step, (column - column.min()) // step
            values[0, inside] = cells.data[place]
            missing[0, inside] = np.ma.getmaskarray(cells)[place]
        if self._nodata is not None:
            missing |= values == self._nodata
        picked = np.ma.MaskedArray(values, mask=missing)
        return ImageData(picked, crs=self.tms.rasterio_crs, bounds=bounds, nodata=self._nodata)

    def _blend_cells(
        self, dataset: Any, bounds: BBox, size: int, resampling: WarpResampling, scale: float
    ) -> ImageData:
        """Give every pixel a mean of the cells around its centre, by GDAL's warper."""
        options = {
            "crs": self.tms.rasterio_crs,
            "transform": from_bounds(*bounds, size, size),
            "width": size,
            "height": size,
            "tolerance": _BLENDED_CELLS,
            # Whole numbers would come out in steps.
            "dtype": str(np.result_type(dataset.dtypes[0], np.float32)),
            # Left alone, GDAL widens its kernel a little differently from tile to tile.
            "XSCALE": min(scale, 1.0),
            "YSCALE": min(scale, 1.0),
        }
        return rio_reader.read(
            dataset, indexes=1, nodata=self._nodata, reproject_method=resampling, vrt_options=options
        )

    @property
    def _nodata(self) -> float | None:
        declared: float | None = self.dataset.nodata
        if declared is None and self.input.legend is not None:
            return float(self.input.legend.nodata)
        return declared

    @cached_property
    def _extent(self) -> BBox:
        """The raster's bounds in the CRS of the tiles; all of it where they cannot be told (poles, 180°)."""
        left, bottom, right, top = _project_bounds(self.crs, self.tms.rasterio_crs, self.bounds)
        finite = all(math.isfinite(edge) for edge in (left, bottom, right, top))
        if not (finite and left < right and bottom < top):
            return tuple(self.tms.xy_bbox)
        margin_x, margin_y = (right - left) * _EDGE_SLACK, (top - bottom) * _EDGE_SLACK
        return left - margin_x, bottom - margin_y, right + margin_x, top + margin_y

    @property
    def _cell(self) -> float:
        """The side of a cell in the CRS of the tiles."""
        left, bottom, right, top = self._extent
        return math.sqrt((right - left) * (top - bottom) / (self.width * self.height))

    @property
    def _cell_size_m(self) -> float:
        cell = math.sqrt(abs(self.transform.determinant))
        if not self.crs.is_geographic:
            return cell * float(self.crs.linear_units_factor[1])
        latitude = math.radians((self.bounds[1] + self.bounds[3]) / 2)
        return cell * _METRES_PER_DEGREE * math.sqrt(math.cos(latitude))

    @contextmanager
    def _at_resolution(self, cells_per_pixel: float) -> Iterator[tuple[Any, int]]:
        """Open the overview that suits, and tell by what factor it is coarser (1: the raster itself)."""
        overviews = self.dataset.overviews(1)
        suiting = [factor for factor in overviews if factor <= cells_per_pixel * _OVERVIEW_SLACK]
        if not suiting:
            yield self.dataset, 1
            return
        factor = max(suiting)
        with open_layer(self.input, OVERVIEW_LEVEL=overviews.index(factor)) as dataset:
            yield dataset, factor


@contextmanager
def open_layer(layer: Layer, **options: Any) -> Iterator[Any]:
    """Open the file of a layer by the GeoTIFF driver alone: a VRT could name any other file or host.

    Raises
    ------
    LayerUnreadable
        If the file is missing, damaged, no GeoTIFF or without CRS.
    """
    with _gdal_errors(layer):
        dataset = rasterio.open(layer.source, driver="GTiff", **options)
    with dataset:
        if dataset.crs is None:
            raise LayerUnreadable(f"The file of {layer.item_id!r} has no CRS. Ingest it again, with --crs.")
        yield dataset


@contextmanager
def _gdal_errors(layer: Layer) -> Iterator[None]:
    """Keep GDAL's messages, which name paths, to the log."""
    try:
        yield
    except (RasterioError, CPLE_BaseError) as error:
        _log.exception("Cannot read %s", layer.source)
        raise LayerUnreadable(
            f"The file of the asset {layer.asset_key!r} of {layer.item_id!r} is missing or damaged. "
            "Tell whoever runs this server; the layer has to be ingested again."
        ) from error


@lru_cache(maxsize=256)
def _project_bounds(source: Any, target: Any, bounds: BBox) -> BBox:
    try:
        projected: BBox = transform_bounds(source, target, *bounds, densify_pts=21)
    except (RasterioError, CPLE_BaseError):
        return math.inf, math.inf, math.inf, math.inf
    return projected


def _overlap(one: BBox, other: BBox) -> bool:
    return one[0] < other[2] and one[2] > other[0] and one[1] < other[3] and one[3] > other[1]
