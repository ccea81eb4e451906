"""Rivers, roads and villages as lines and points, with names that nobody gave them."""

from __future__ import annotations

from typing import Any, Final

import geopandas as gpd
import numpy as np
import shapely
from affine import Affine
from numpy.typing import NDArray
from scipy import ndimage
from shapely.geometry.base import BaseGeometry

from datacommons.demo.road import Roads
from datacommons.demo.settlement import Settlement
from datacommons.demo.texture import FloatGrid
from datacommons.demo.water import MAPPED, Waters

_RIVERS: Final = (
    *("Río Quimera", "Río Brumal", "Río Alcora", "Río Sombrío", "Río Verdeja", "Río Telmar", "Río Nublo"),
    *("Río Cantil", "Río Oriva", "Río Lamedal", "Río Farola", "Río Zorzal", "Río Pedrusco", "Río Umbrío"),
)
_SETTLEMENTS: Final = (
    *("Quimera", "Alcora del Río", "Brumal", "Telmar", "Verdeja", "Oriva", "Cantil", "Lamedal", "Sombría"),
    *("San Zorzal", "Puente Nublo", "Farolejo", "Pedrusca", "Vado Umbrío", "Las Garzas Viejas", "Cumbrela"),
    *("Tres Molinos de la Ribera Alta", "Ajenjal", "Rocanublo", "El Tojar", "Marjala", "Ventisca", "Hontanilla"),
    *("Piedralar", "Navalera", "Corzuela", "Los Alisos Altos", "Bajomonte", "Quebrantos", "Helechal", "Zarzamar"),
    *("Oteruelo del Lago", "Almenaz", "Turberas", "Risco Pardo", "La Umbrela", "Cañamar", "Vallefondo"),
)
_ROAD_CLASSES: Final = ("primary", "secondary", "tertiary")
_TOWNS, _VILLAGES = 3, 14
_PEOPLE_PER_HA: Final = 25
_SMOOTHING: Final = 2.0  # cells: rivers run from cell to cell in eight directions
_FEWEST: Final = 2
_OFF: Final = 0.25  # cells by which a line may be off

_Table = dict[str, list[Any]]


def draw_rivers(waters: Waters, transform: Affine, crs: str) -> gpd.GeoDataFrame:
    """Follow each river from its spring to where it joins a larger one; the largest have names.

    Parameters
    ----------
    waters : Waters
    transform : affine.Affine
        From cells to the CRS.
    crs : str

    Returns
    -------
    GeoDataFrame
        The largest first: name (or none), waterway ("river" or "stream"), synthetic.
    """
    courses = _follow(waters)
    area = waters.drainage.area().ravel() / waters.basin.sum()
    sizes = [area[course[-2]] for course in courses]  # above the confluence
    large = [size >= MAPPED for size in sizes]
    names = [_RIVERS[place] if each and place < len(_RIVERS) else None for place, each in enumerate(large)]
    columns = waters.basin.shape[1]
    lines = [_smooth(np.stack(np.divmod(course, columns), axis=1) + 0.5) for course in courses]
    table: _Table = {"name": names, "waterway": ["river" if each else "stream" for each in large]}
    return _to_frame([_draw(line, transform) for line in lines], crs, table)


def draw_roads(roads: Roads, transform: Affine, crs: str) -> gpd.GeoDataFrame:
    """Return roads as lines with their class ("primary", "secondary" or "tertiary"), as `draw_rivers` does."""
    table = {"highway": [_ROAD_CLASSES[rank - 1] for rank in roads.ranks]}
    return _to_frame([_draw(line, transform) for line in roads.lines], crs, table)


def draw_villages(settlements: list[Settlement], transform: Affine, crs: str) -> gpd.GeoDataFrame:
    """Return settlements as points with name, place ("town", "village" or "hamlet") and population."""
    cell_ha = abs(transform.a * transform.e) / 1e4
    count = len(settlements)
    table: _Table = {
        "name": [*_SETTLEMENTS, *(f"Quimera {number}" for number in range(count))][:count],
        "place": [("town" if n < _TOWNS else "village" if n < _VILLAGES else "hamlet") for n in range(count)],
        "population": [round(place.cells * cell_ha * _PEOPLE_PER_HA) for place in settlements],
    }
    points = [shapely.Point(transform * (place.column + 0.5, place.row + 0.5)) for place in settlements]
    return _to_frame(points, crs, table)


def _follow(waters: Waters) -> list[NDArray[np.int64]]:
    """Return every stream down to the cell where it joins a larger one, the largest first, as flat indices."""
    area, receiver = waters.drainage.area().ravel(), waters.drainage.receiver
    stream = np.flatnonzero(waters.streams.ravel())
    stream = stream[np.argsort(-area[stream], kind="stable")]
    above: dict[int, int] = {}  # of each cell, the one that brings it the most
    for cell in stream[receiver[stream] != stream]:
        above.setdefault(int(receiver[cell]), int(cell))
    courses = []
    for cell in stream:
        below = int(receiver[cell])
        if above.get(below) == cell:
            continue  # it lies on a course that goes on
        course = list(dict.fromkeys((below, int(cell))))
        while course[-1] in above:
            course.append(above[course[-1]])
        if len(course) > _FEWEST:
            courses.append(np.array(course[::-1]))
    return courses


def _smooth(line: FloatGrid) -> FloatGrid:
    smooth: FloatGrid = ndimage.gaussian_filter1d(line, _SMOOTHING, axis=0, mode="nearest")
    smooth[[0, -1]] = line[[0, -1]]
    return smooth


def _draw(line: FloatGrid, transform: Affine) -> BaseGeometry:
    """Bring rows and columns to the CRS, with no more points than it takes."""
    rows, columns = line.T
    east, north = transform * (columns, rows)
    return shapely.LineString(np.stack([east, north], axis=1)).simplify(_OFF * transform.a)


def _to_frame(shapes: list[Any], crs: str, table: _Table) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({**table, "synthetic": [True] * len(shapes)}, geometry=shapes, crs=crs)
