"""Reads tiles of a layer's raster: exact at the cell, from overviews when zoomed out."""

from __future__ import annotations

import math
from functools import partial
from types import TracebackType
from typing import Any, Final

import attr
import numpy as np
from affine import Affine
from morecantile import TileMatrixSet
from numpy.typing import NDArray
from rasterio.transform import from_bounds
from rasterio.windows import Window
from rio_tiler import reader as rio_reader
from rio_tiler.io import Reader
from rio_tiler.types import WarpResampling

from tiles.reading.cells import Cells
from tiles.reading.placement import place_pixels
from tiles.reading.pool import DatasetPool, Raster, gdal_errors
from tiles.reading.projections import find_native_zooms, find_turn, overlaps, project_bounds, project_cell
from tiles.reading.view import Bounds, View
from tiles.routes.layer import Layer, Spread

# By how much of a cell GDAL may misplace a pixel, where values are blended anyway.
_BLENDED_CELLS: Final = 0.02
# An overview a little coarser than the tile looks better than a finer one of which cells are skipped.
_OVERVIEW_SLACK: Final = 1.2
_EDGE_SLACK: Final = 0.01
_METRES_PER_DEGREE: Final = 111_320.0
_THUMBNAIL_CELLS: Final = 256
_MOST_CELLS: Final = 16_000_000


@attr.s
class LayerReader(Reader):
    """Opens a layer as a GeoTIFF, and as nothing else, for TiTiler's factories.

    Parameters
    ----------
    input : Layer
    tms : morecantile.TileMatrixSet
    pool : DatasetPool
        Lends the file.

    Raises
    ------
    LayerUnreadable
        If the file is missing, damaged, no GeoTIFF or without CRS.
    """

    input: Any
    pool: DatasetPool = attr.ib(factory=DatasetPool, kw_only=True)
    dataset: Any
    height: int
    width: int
    transform: Any

    def __attrs_post_init__(self) -> None:
        """Borrow the file and note its grid."""
        self._raster: Raster = self._ctx_stack.enter_context(self.pool.lend(self.input))
        self.dataset = self._raster.dataset
        self.bounds = self._raster.bounds
        self.crs = self.dataset.crs
        self.transform = self._raster.transform
        self.height, self.width = self._raster.height, self._raster.width
        self.colormap = {}

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the file back, and tell the pool if it turned out to be damaged."""
        self._ctx_stack.__exit__(kind, error, trace)

    def see(self, view: View, *, resampling: WarpResampling = "nearest", buffer: int = 0) -> Cells | None:
        """Read what a view shows of the first band.

        Parameters
        ----------
        view : View
        resampling : str
            With "nearest" a pixel has the value of the cell under its centre; of the cell of an overview,
            where the view shows less than the native resolution. All others work in floating point.
        buffer : int
            Pixels to add on each side.

        Returns
        -------
        Cells or None
            (height + 2 buffer, width + 2 buffer); None if the layer does not touch the view.

        Raises
        ------
        LayerUnreadable
            If the file is damaged.
        """
        wide = view.widen(buffer) if buffer else view
        if not self._touches(wide):
            return None
        cells_per_pixel = view.pixel / project_cell(self.whole, view.crs)
        raster, factor = self._at_resolution(cells_per_pixel)
        with gdal_errors(self.input):
            if resampling == "nearest":
                return self._pick_cells(raster, wide)
            blend = partial(self._blend_cells, raster, wide, resampling, factor / cells_per_pixel)
            return _lay_together([blend(shift) for shift in _find_shifts(raster, wide)])

    def read_point(self, longitude: float, latitude: float) -> float | None:
        """Read the value of the cell at a point; None where there is none. Raises LayerUnreadable."""
        cells = self.see(View.at(longitude, latitude))
        if cells is None or cells.missing[0, 0]:
            return None
        value: float = cells.values[0, 0].item()
        return value if math.isfinite(value) else None

    @property
    def minzoom(self) -> int:
        """The zoom at which the raster about fills a tile."""
        return find_native_zooms(self.whole, self.tms)[0]

    @property
    def maxzoom(self) -> int:
        """The zoom whose pixels are about as large as the raster's cells."""
        return find_native_zooms(self.whole, self.tms)[1]

    @property
    def whole(self) -> View:
        """All of the raster, cell by cell."""
        return View(self._raster.crs, self.bounds, self.width, self.height)

    def pixel_size_m(self, view: View) -> float:
        """Return about how many metres a pixel of a view measures at the layer's place."""
        return view.pixel / project_cell(self.whole, view.crs) * self._cell_size_m

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
        with gdal_errors(self.input):
            image = rio_reader.read(self.dataset, indexes=1, max_size=_THUMBNAIL_CELLS)
        values = image.array.compressed().astype(float)
        values = values[np.isfinite(values)]
        if values.size == 0:
            return Spread(0.0, 1.0, 1.0)
        low, high = (float(edge) for edge in np.percentile(values, [2, 98]))
        return Spread(low, high if high > low else low + 1.0, float(values.std()) or 1.0)

    def _pick_cells(self, raster: Raster, view: View) -> Cells:
        """Give every pixel the value of the cell under its centre."""
        columns, rows = place_pixels(view, raster_crs=raster.crs, transform=raster.transform)
        inside = (columns >= 0) & (columns < raster.width) & (rows >= 0) & (rows < raster.height)
        if not inside.all():
            return self._pick_some(raster, columns, rows, inside)
        values, missing = self._read_at(raster, columns.astype(np.int32), rows.astype(np.int32))
        return Cells(values, missing)

    def _pick_some(self, raster: Raster, columns: NDArray[Any], rows: NDArray[Any], inside: NDArray[np.bool_]) -> Cells:
        values = np.zeros(inside.shape, dtype=raster.dtype)
        missing = ~inside
        if inside.any():
            places = columns[inside].astype(np.int32), rows[inside].astype(np.int32)
            values[inside], missing[inside] = self._read_at(raster, *places)
        return Cells(values, missing)

    def _read_at(
        self, raster: Raster, column: NDArray[np.int32], row: NDArray[np.int32]
    ) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """Return the values of cells, and which are missing."""
        if not raster.goes_around:
            return self._read_window(raster, column, row)
        # A view across the edge of the map shows both ends: what lies between is not read.
        values, missing = np.zeros(column.shape, raster.dtype), np.zeros(column.shape, bool)
        eastern = column >= raster.width // 2
        for half in (eastern, ~eastern):
            if half.any():
                values[half], missing[half] = self._read_window(raster, column[half], row[half])
        return values, missing

    def _read_window(
        self, raster: Raster, column: NDArray[np.int32], row: NDArray[np.int32]
    ) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        left, top = int(column.min()), int(row.min())
        window = Window(left, top, int(column.max()) - left + 1, int(row.max()) - top + 1)
        # Only a raster without overviews asks for more cells than this; most would fall between pixels.
        step = math.ceil(math.sqrt(window.height * window.width / _MOST_CELLS))
        shape = math.ceil(window.height / step), math.ceil(window.width / step)
        place = (row - top) // step * shape[1] + (column - left) // step
        values = raster.dataset.read(1, window=window, out_shape=shape).ravel().take(place)
        nodata = self._nodata
        missing = np.zeros(place.shape, dtype=bool) if nodata is None else values == nodata
        if nodata != nodata:  # NaN is not even the same as itself
            missing = np.isnan(values)
        if raster.has_mask:
            missing |= raster.dataset.read_masks(1, window=window, out_shape=shape).ravel().take(place) == 0
        return values, missing

    def _blend_cells(self, raster: Raster, view: View, resampling: WarpResampling, scale: float, shift: float) -> Cells:
        """Give every pixel a mean of the cells around its centre, by GDAL's warper, of the raster moved east."""
        dataset = raster.dataset
        moved = {"src_transform": Affine.translation(shift, 0) @ raster.transform} if shift else {}
        options = {
            **moved,
            "crs": view.crs,
            "transform": from_bounds(*view.bounds, view.width, view.height),
            "width": view.width,
            "height": view.height,
            "tolerance": _BLENDED_CELLS,
            # Whole numbers would come out in steps.
            "dtype": str(np.result_type(dataset.dtypes[0], np.float32)),
            # Left alone, GDAL widens its kernel a little differently from tile to tile.
            "XSCALE": min(scale, 1.0),
            "YSCALE": min(scale, 1.0),
        }
        image = rio_reader.read(
            dataset, indexes=1, nodata=self._nodata, reproject_method=resampling, vrt_options=options
        )
        return Cells(image.array.data[0], np.ma.getmaskarray(image.array)[0])

    @property
    def _nodata(self) -> float | None:
        declared = self._raster.nodata
        if declared is None and self.input.legend is not None:
            return float(self.input.legend.nodata)
        return declared

    def _touches(self, view: View) -> bool:
        """Tell whether a view may show anything of the raster."""
        left, bottom, right, top = project_bounds(self._raster.crs, view.crs, self.bounds)
        if not (_is_finite((left, bottom, right, top)) and left < right and bottom < top):
            return True  # it cannot be told: look
        margin_x, margin_y = (right - left) * _EDGE_SLACK, (top - bottom) * _EDGE_SLACK
        extent = left - margin_x, bottom - margin_y, right + margin_x, top + margin_y
        turn = find_turn(view.crs)
        return bool(overlaps(view.bounds, extent, turn)) or (turn is None and self._reaches(view))

    def _reaches(self, view: View) -> bool:
        """Ask the other way round: a projection of a small part of the world misplaces what is far from there."""
        seen = project_bounds(view.crs, self._raster.crs, view.bounds)
        return not _is_finite(seen) or bool(overlaps(seen, self.whole.bounds, find_turn(self._raster.crs)))

    @property
    def _cell_size_m(self) -> float:
        cell = math.sqrt(abs(self.transform.determinant))
        if not self.crs.is_geographic:
            return cell * float(self.crs.linear_units_factor[1])
        latitude = math.radians((self.bounds[1] + self.bounds[3]) / 2)
        return cell * _METRES_PER_DEGREE * math.sqrt(math.cos(latitude))

    def _at_resolution(self, cells_per_pixel: float) -> tuple[Raster, int]:
        """Borrow the overview that suits, and tell by what factor it is coarser (1: the raster itself)."""
        overviews = self._raster.overviews
        suiting = [factor for factor in overviews if factor <= cells_per_pixel * _OVERVIEW_SLACK]
        if not suiting:
            return self._raster, 1
        lent = self.pool.lend(self.input, overviews.index(max(suiting)))
        return self._ctx_stack.enter_context(lent), max(suiting)


def read_layer(layer: Layer, matrix_set: TileMatrixSet, pool: DatasetPool) -> LayerReader:
    """Open a layer for reading; close it by `with`."""
    # rio-tiler names the type of its own inputs, which are paths.
    return LayerReader(layer, tms=matrix_set, pool=pool)  # type: ignore[arg-type]


def _is_finite(bounds: Bounds) -> bool:
    return all(math.isfinite(edge) for edge in bounds)


def _find_shifts(raster: Raster, view: View) -> list[float]:
    """Tell by how much a raster has to be moved east, around the world, to lie where a view looks for it.

    From another projection places come onto the map; in its own they stay where they are. One of these is always there.
    """
    turn = find_turn(raster.crs)
    if turn is None:
        return [0.0]
    sought = view.bounds if view.crs == raster.crs else (-turn / 2, -math.inf, turn / 2, math.inf)
    return [number * turn for number in overlaps(raster.bounds, sought, turn)] or [0.0]


def _lay_together(parts: list[Cells]) -> Cells:
    """Put together what a view shows of a raster moved around the world; the first has precedence."""
    first, *others = parts
    values, missing = first.values, first.missing
    for other in others:
        values, missing = np.where(missing, other.values, values), missing & other.missing
    return Cells(values, missing)
