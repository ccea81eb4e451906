"""Places that the scenarios speak of, as polygons."""

from __future__ import annotations

from typing import Final

import geopandas as gpd
import numpy as np
from affine import Affine
from numpy.typing import NDArray
from rasterio import features
from scipy import ndimage
from shapely.geometry import shape as geometry_of

from datacommons.demo.legend import FOREST
from datacommons.demo.texture import BoolGrid, FloatGrid, smooth
from datacommons.demo.water import MAPPED, Waters

_SMALLEST_HA: Final = 5.0
_TITLES: Final = {
    "river-corridor": ("River corridor", "Corredor fluvial"),
    "floodplain": ("Floodplain", "Llanura de inundación"),
    "upper-forest": ("Upper forest reserve", "Reserva del bosque alto"),
    "lake-catchment": ("Catchment of the lakes", "Cuenca de los lagos"),
}


def draw_zones(
    waters: Waters, drivers: dict[str, FloatGrid], land_cover: NDArray[np.uint8], transform: Affine, crs: str
) -> dict[str, gpd.GeoDataFrame]:
    """Outline the zones of the scenarios.

    Parameters
    ----------
    waters : Waters
    drivers : dict of (y, x) float64
    land_cover : (y, x) uint8
        At the last date, legend values.
    transform : affine.Affine
    crs : str

    Returns
    -------
    dict of GeoDataFrame
        River corridor, floodplain, upper forest and catchment of the lakes, each with one row.
    """
    masks = {
        "river-corridor": _along_rivers(waters, transform.a, 240.0),
        "floodplain": _along_rivers(waters, transform.a, 700.0) & (waters.height_above_stream_m < 4.0),
        "upper-forest": _upper_forest(drivers, land_cover, waters.basin),
        "lake-catchment": (waters.drainage.reach(waters.lakes) >= 0) & ~waters.lakes,
    }
    return {name: outline(mask & waters.basin, transform, crs, *_TITLES[name]) for name, mask in masks.items()}


def outline(mask: BoolGrid, transform: Affine, crs: str, title: str, title_es: str) -> gpd.GeoDataFrame:
    """Return a mask as one multipolygon with its titles and its area in hectares."""
    smoothed = smooth(mask.astype(np.float64), 1.5) > 0.5
    parts = features.shapes(smoothed.astype(np.uint8), mask=smoothed, transform=transform)
    polygons = gpd.GeoSeries([geometry_of(part) for part, _ in parts], crs=crs)
    # Simplified by just under a cell, which turns the stairs of the grid into lines.
    whole = polygons[polygons.area >= _SMALLEST_HA * 1e4].simplify(0.8 * transform.a).union_all()
    row = {"title": [title], "title_es": [title_es], "area_ha": [round(whole.area / 1e4, 1)], "synthetic": [True]}
    return gpd.GeoDataFrame(row, geometry=[whole], crs=crs)


def _along_rivers(waters: Waters, cell_size_m: float, width_m: float) -> BoolGrid:
    rivers = waters.streams & (waters.drainage.area() >= MAPPED * waters.basin.sum())
    near: BoolGrid = ndimage.distance_transform_edt(~rivers) * cell_size_m <= width_m
    return near & ~waters.lakes


def _upper_forest(drivers: dict[str, FloatGrid], land_cover: NDArray[np.uint8], basin: BoolGrid) -> BoolGrid:
    """Find the two largest closed forests of the upper quarter of the basin."""
    elevation = drivers["elevation"]
    high = elevation > np.sort(elevation[basin], kind="stable")[int(0.72 * basin.sum())]
    closed = smooth(((land_cover == FOREST) & high).astype(np.float64), 6.0) > 0.6
    forest, count = ndimage.label(closed)
    cells = np.bincount(forest.ravel(), minlength=count + 1)[1:]
    return np.isin(forest, 1 + np.argsort(-cells, kind="stable")[:2])
