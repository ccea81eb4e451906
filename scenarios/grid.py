"""The grid of a landscape: an odc-geo GeoBox, with the area of its cells and the blocks that it is worked in."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from odc.geo.crs import CRS
from odc.geo.geobox import GeoBox

from scenarios.kernels.strips import STRIP, count_strips
from scenarios.kernels.tally import weigh

SQUARE_METRES_PER_HECTARE = 10_000.0

_EDGE_PARTS = 256
_DEGREE_STEP = 1e-6
_PARTS = 1 << 24  # of the smallest cell: rounding is below a ten-millionth, and a billion cells still fit 64 bits

CELLS_OF_BAND = 1 << 20
"""About how many cells a band of rows has."""

Block = tuple[int, int, int, int]
"""First row, last row, first column, last column; the ends are exclusive."""


@dataclass(frozen=True)
class Grid:
    """A landscape's raster grid.

    Parameters
    ----------
    geobox : shape (y, x), affine transform and CRS. North-up and unrotated.

    Notes
    -----
    On a projected CRS every cell has the area of its rectangle. On a geographic one a cell between the latitudes p and
    q, of longitudinal width w (radians), has the exact area ``w b²/2 (f(q) - f(p))`` on the ellipsoid, with
    ``f(p) = sin p / (1 - (e sin p)²) + artanh(e sin p) / e``; it depends on the row alone.
    """

    geobox: GeoBox

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.geobox.shape.y, self.geobox.shape.x

    @property
    def _crs(self) -> CRS:
        crs = self.geobox.crs
        assert crs is not None, "a landscape's grid has a CRS"
        return crs

    @property
    def is_geographic(self) -> bool:
        """Whether cells differ in area by row."""
        return bool(self._crs.geographic)

    @cached_property
    def row_area_ha(self) -> NDArray[np.float64]:
        """Area of one cell of each row, (y,), in hectares."""
        if self.is_geographic:
            return self._ellipsoidal_area_m2() / SQUARE_METRES_PER_HECTARE
        step = self._metres_per_unit() ** 2
        area = abs(self.geobox.resolution.x * self.geobox.resolution.y) * step
        return np.full(self.shape[0], area / SQUARE_METRES_PER_HECTARE)

    @cached_property
    def row_weight(self) -> NDArray[np.int64]:
        """Size of one cell of each row, (y,), as integers that add up in any order without a rest.

        The unit is a whole cell where all are alike, else a very small share of the smallest cell.
        """
        if self.is_geographic:
            return np.rint(self.row_area_ha / self.weight_ha).astype(np.int64)
        return np.ones(self.shape[0], np.int64)

    @property
    def weight_ha(self) -> float:
        """Hectares of one unit of `row_weight`."""
        if self.is_geographic:
            return float(self.row_area_ha.min()) / _PARTS
        return float(self.row_area_ha[0])

    @cached_property
    def cell_size_m(self) -> float:
        """Edge of a square as large as the middle cell, in metres."""
        return float(np.sqrt(self.row_area_ha[self.shape[0] // 2] * SQUARE_METRES_PER_HECTARE))

    @cached_property
    def cell_edges_m(self) -> tuple[float, float]:
        """Height and width of the middle cell, in metres; on a geographic grid they are measured on the ellipsoid."""
        height, width = abs(self.geobox.resolution.y), abs(self.geobox.resolution.x)
        if not self.is_geographic:
            return height * self._metres_per_unit(), width * self._metres_per_unit()
        geod = self._crs.proj.get_geod()
        assert geod is not None  # a geographic CRS has an ellipsoid
        degrees = np.degrees(self._crs.proj.axis_info[0].unit_conversion_factor)
        x, y = self.geobox.affine @ (self.shape[1] / 2, self.shape[0] / 2)
        _, _, metres = geod.inv(
            np.array([x, x - width / 2]) * degrees,
            np.array([y - height / 2, y]) * degrees,
            np.array([x, x + width / 2]) * degrees,
            np.array([y + height / 2, y]) * degrees,
        )
        return float(metres[0]), float(metres[1])

    def cells(self, metres: float) -> int:
        """Return a distance in whole cells, at least 1."""
        return max(1, round(metres / self.cell_size_m))

    def blocks(self, chunk: int, *, of_strips: bool = False) -> list[Block]:
        """Cut the grid into blocks of at most ``chunk`` x ``chunk`` cells; wider, to be of whole strips."""
        height, width = self.shape
        across = STRIP * count_strips(chunk) if of_strips else chunk
        return [
            (row, min(row + chunk, height), column, min(column + across, width))
            for row in range(0, height, chunk)
            for column in range(0, width, across)
        ]

    def weigh(self, classes: NDArray[np.uint8], values: tuple[int, ...]) -> NDArray[np.int64]:
        """Add up the cells of each class.

        Parameters
        ----------
        classes : (y, x) uint8
        values : the classes to weigh

        Returns
        -------
        (class,) int64, in units of `row_weight`
        """
        return weigh(classes, self.row_weight)[list(values)]

    def rasterize(self, geometry: dict[str, Any], *, all_touched: bool = False) -> NDArray[np.bool_]:
        """Return which cells have their centre in a GeoJSON geometry (WGS 84), or touch it at all, (y, x) bool.

        Raises
        ------
        ValueError
            It is no GeoJSON geometry.
        """
        from rasterio.features import geometry_mask

        place = self.project(geometry)
        transform = self.geobox.transform
        return np.asarray(geometry_mask([place], self.shape, transform, all_touched=all_touched, invert=True))

    def project(self, geometry: dict[str, Any]) -> Any:
        """Return a GeoJSON geometry (WGS 84) in the grid's CRS, as a valid shapely one.

        Raises
        ------
        ValueError
            It is no GeoJSON geometry.
        """
        import shapely
        from pyproj import Transformer

        try:
            place = shapely.make_valid(shapely.geometry.shape(geometry))
        except (AttributeError, KeyError, IndexError, TypeError, shapely.errors.ShapelyError) as error:
            raise ValueError(f"not a GeoJSON geometry: {error}") from error
        if place.is_empty:
            raise ValueError("an empty GeoJSON geometry")
        # A straight edge in degrees is bent on the grid, so it is given points on the way.
        west, south, east, north = place.bounds
        dense = shapely.segmentize(place, max(east - west, north - south, _DEGREE_STEP) / _EDGE_PARTS)
        onto_grid = Transformer.from_crs(4326, self._crs.proj, always_xy=True)
        placed = shapely.transform(dense, onto_grid.transform, interleaved=False)  # type: ignore[arg-type]
        return self._bring_round(placed) if self.is_geographic else placed

    def _bring_round(self, place: Any) -> Any:
        """Move the parts of a place by a turn around the world where that brings them onto the grid.

        A grid that goes on beyond longitude 180, or from 0 to 360, is met by what lies at -170 too.
        """
        import shapely
        from shapely.affinity import translate

        turn = 2 * np.pi / self._crs.proj.axis_info[0].unit_conversion_factor
        west, _, east, _ = self.geobox.extent.boundingbox.bbox
        if west >= -turn / 2 and east <= turn / 2:
            return place
        moved = [translate(part, step) for part in shapely.get_parts(place) for step in (-turn, 0, turn)]
        near = [part for part in moved if part.bounds[0] < east and part.bounds[2] > west]
        return shapely.union_all(near) if near else place

    def _metres_per_unit(self) -> float:
        return float(self._crs.proj.axis_info[0].unit_conversion_factor)

    def _ellipsoidal_area_m2(self) -> NDArray[np.float64]:
        crs, geod = self._crs, self._crs.proj.get_geod()
        assert geod is not None  # a geographic CRS has an ellipsoid
        radians = crs.proj.axis_info[0].unit_conversion_factor
        affine = self.geobox.affine
        latitudes = np.asarray((affine.f + affine.e * np.arange(self.shape[0] + 1)) * radians, np.float64)
        strips = np.abs(np.diff(_zone_area(latitudes, np.sqrt(geod.es))))
        return np.asarray(abs(affine.a) * radians * geod.b**2 / 2 * strips)


def bands(shape: tuple[int, ...]) -> list[slice]:
    """Cut a map into bands of whole rows, each of about a million cells: what is made of one takes little memory."""
    height = max(1, CELLS_OF_BAND // max(1, shape[1]))
    return [slice(row, min(row + height, shape[0])) for row in range(0, shape[0], height)]


def _zone_area(latitude: NDArray[np.float64], eccentricity: float) -> NDArray[np.float64]:
    """Return the area of the ellipsoid south of a latitude, up to a constant, per radian and b²/2."""
    sine = np.sin(latitude)
    if eccentricity == 0:
        return 2 * sine
    bent = eccentricity * sine
    return np.asarray(sine / (1 - bent**2) + np.arctanh(bent) / eccentricity)
