"""The demonstration landscape: a mountain basin that no map shows, generated from a seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from scipy import ndimage

from datacommons.demo.cover import draw_first_cover
from datacommons.demo.history import evolve
from datacommons.demo.legend import describe_legend
from datacommons.demo.road import Roads, build_roads
from datacommons.demo.settlement import Settlement, build_up, found_settlements
from datacommons.demo.terrain import raise_terrain, slope_degrees
from datacommons.demo.texture import BoolGrid, FloatGrid
from datacommons.demo.vector import draw_rivers, draw_roads, draw_villages
from datacommons.demo.water import Waters, paint_water, shape_waters
from datacommons.demo.zone import draw_zones, outline

if TYPE_CHECKING:
    import geopandas as gpd

LANDSCAPE_ID: Final = "quimera-valley"
TITLE: Final = "Quimera Valley (synthetic)"
DESCRIPTION: Final = (
    "A generated landscape to try things out on: terrain, rivers, settlements, roads and two decades of land-cover "
    "change come from a known process, not from observation. It lies in the open Atlantic, where no land is."
)
YEARS: Final = (2005, 2015, 2025)
SMALLEST_SHAPE: Final = 150

_CRS: Final = "EPSG:32626"
_CELL_SIZE_M: Final = 30.0
_TRANSFORM: Final = Affine(_CELL_SIZE_M, 0.0, 485_010.0, 0.0, -_CELL_SIZE_M, 4_665_000.0)


@dataclass(frozen=True)
class DemoLandscape:
    """A generated landscape on a grid.

    Parameters
    ----------
    id, title, description : str
        All that is shown of it says that it is synthetic.
    crs : str
    transform : affine.Affine
        From cells to metres, 30 m a cell.
    shape : (rows, columns)
    legend : dict
        As `catalog.legend.Legend.from_json` reads it.
    years : tuple of int
    land_cover : (time, y, x) uint8
        Legend values; 0 = nodata, outside the basin.
    drivers : dict of (y, x) float32
        elevation (m), slope (degrees), distance_to_river, distance_to_road and distance_to_settlement (m);
        NaN outside the basin.
    boundary : GeoDataFrame
        The basin, in the landscape's CRS.
    zones : dict of GeoDataFrame
        River corridor, floodplain, upper forest and catchment of the lakes, in the landscape's CRS.
    vectors : dict of GeoDataFrame
        Rivers and roads as lines, villages as points, with invented names; in the landscape's CRS.
    truth : dict
        The parameters of the process that changed the land cover; see `history.Process`.
    """

    id: str
    title: str
    description: str
    crs: str
    transform: Affine
    shape: tuple[int, int]
    legend: dict[str, Any]
    years: tuple[int, ...]
    land_cover: NDArray[np.uint8]
    drivers: dict[str, NDArray[np.float32]]
    boundary: gpd.GeoDataFrame
    zones: dict[str, gpd.GeoDataFrame]
    vectors: dict[str, gpd.GeoDataFrame]
    truth: dict[str, Any]


def generate(*, shape: tuple[int, int] = (1000, 1000), seed: int = 2025) -> DemoLandscape:
    """Generate the demonstration landscape; the same arguments give the same landscape everywhere.

    Parameters
    ----------
    shape : (rows, columns)
        At least 150 each; a smaller landscape is a whole basin too, with lower mountains and fewer villages.
    seed : int

    Returns
    -------
    DemoLandscape

    Raises
    ------
    ValueError
        Where the shape is too small for rivers and villages to form.
    """
    if min(shape) < SMALLEST_SHAPE:
        rows, columns = shape
        raise ValueError(f"The landscape has {rows} x {columns} cells: ask for at least {SMALLEST_SHAPE} each way.")
    rng = np.random.Generator(np.random.PCG64(seed))
    waters = shape_waters(raise_terrain(rng, shape))
    water = paint_water(waters)
    drivers, settlements, roads = _drivers(rng, waters, water)
    built = build_up(rng, settlements, drivers["slope"], drivers["distance_to_road"], _buildable(waters, water))
    first = draw_first_cover(rng, waters, drivers, water, built)
    land_cover, process = evolve(rng, first, drivers, YEARS)
    return DemoLandscape(
        id=LANDSCAPE_ID,
        title=TITLE,
        description=DESCRIPTION,
        crs=_CRS,
        transform=_TRANSFORM,
        shape=shape,
        legend=describe_legend(),
        years=YEARS,
        land_cover=land_cover,
        drivers={name: _publish(driver, waters.basin) for name, driver in drivers.items()},
        boundary=outline(waters.basin, _TRANSFORM, _CRS, TITLE, "Valle de Quimera (sintético)"),
        zones=draw_zones(waters, drivers, land_cover[-1], _TRANSFORM, _CRS),
        vectors={
            "rivers": draw_rivers(waters, _TRANSFORM, _CRS),
            "roads": draw_roads(roads, _TRANSFORM, _CRS),
            "villages": draw_villages(settlements, _TRANSFORM, _CRS),
        },
        truth={"seed": seed, **process.describe()},
    )


def _drivers(
    rng: np.random.Generator, waters: Waters, water: BoolGrid
) -> tuple[dict[str, FloatGrid], list[Settlement], Roads]:
    """Derive what drives change; settlements need the rivers, and roads the settlements."""
    drivers = {
        "elevation": waters.elevation_m,
        "slope": slope_degrees(waters.elevation_m, _CELL_SIZE_M),
        "distance_to_river": _distance_m(waters.streams | waters.lakes),
    }
    settlements = found_settlements(waters, drivers["slope"], drivers["distance_to_river"])
    centres = np.zeros(water.shape, np.bool_)
    centres[[place.row for place in settlements], [place.column for place in settlements]] = True
    roads = build_roads(rng, waters, settlements, water, _CELL_SIZE_M)
    drivers["distance_to_road"] = _distance_m(roads.cells)
    drivers["distance_to_settlement"] = _distance_m(centres)
    return drivers, settlements, roads


def _buildable(waters: Waters, water: BoolGrid) -> BoolGrid:
    return waters.basin & ~water & (waters.height_above_stream_m > 1.0)


def _distance_m(target: BoolGrid) -> FloatGrid:
    """Return the distance to the nearest cell of a mask, in whole metres."""
    distance: FloatGrid = np.rint(ndimage.distance_transform_edt(~target) * _CELL_SIZE_M)
    return distance


def _publish(driver: FloatGrid, basin: BoolGrid) -> NDArray[np.float32]:
    return np.where(basin, driver, np.nan).astype(np.float32)
