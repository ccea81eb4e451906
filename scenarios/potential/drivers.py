"""Drivers: what is known of a place, as a layer says it, or derived of classes, places, heights and the history.

A driver that depends on the land cover, such as the distance to a class, is seen as it was in a year: an interval is
learned from the maps up to its first date, and a projection starts from the map that it starts from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, partial
from itertools import pairwise
from typing import cast

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from catalog.legend import Legend
from scenarios.demand.transitions import History
from scenarios.errors import ScenarioInvalid
from scenarios.grid import Grid
from scenarios.potential import terrain
from scenarios.spec.drivers import TIME_SINCE_CHANGE, DerivedDriver, name_driver

Measurements = NDArray[np.float32]
Driver = Measurements | NDArray[np.uint8]
Drivers = Mapping[str, Driver]
"""Drivers by name, each (y, x) on the landscape's grid: measurements as float32, NaN = missing; categories as uint8,
0 = missing."""

DriversByYear = Callable[[int], Drivers]
"""Drivers as they were in a year, the same ones every year."""

_TERRAIN: Mapping[str, Callable[[Measurements, Grid], Measurements]] = {
    "slope_of": terrain.slope,
    "northness_of": terrain.northness,
    "eastness_of": terrain.eastness,
    "roughness_of": lambda heights, _: terrain.roughness(heights),
    "wetness_of": terrain.wetness,
}
_MOST_CATEGORIES = 255


def derive_drivers(
    wanted: Sequence[str | DerivedDriver], layers: Drivers, history: History, *, legend: Legend, grid: Grid
) -> DriversByYear:
    """Return the drivers that a scenario names, as they were in any year from the first date on.

    Parameters
    ----------
    wanted : layers by name and derived drivers, in order; empty: every layer
    layers : what they are made of
    history : land cover by year; a year sees the maps up to itself only
    legend, grid : of the landscape

    Raises
    ------
    ScenarioInvalid
        A layer or class is not there, or a layer is not what a driver is made of.
    """
    if not wanted:
        return lambda _: layers
    standing: dict[str, Driver] = {}
    dated: dict[str, Callable[[int], Driver]] = {}
    for each in wanted:
        name = name_driver(each)
        if isinstance(each, DerivedDriver) and isinstance(each.distance_to, str):
            value = _find_class(each.distance_to, legend)
            dated[name] = cache(partial(_class_distance, history, value, grid))
        elif each == TIME_SINCE_CHANGE and each not in layers:
            dated[name] = cache(partial(years_since_change, history))
        elif isinstance(each, str):
            standing[name] = _find_layer(each, layers, name)
        else:
            standing[name] = _derive(each, layers, grid)
    names = [name_driver(each) for each in wanted]
    return lambda year: {name: dated[name](year) if name in dated else standing[name] for name in names}


def check_drivers(wanted: Iterable[str | DerivedDriver], *, legend: Legend, grid: Grid) -> None:
    """Refuse distances to what is not there, before anything is computed.

    Raises
    ------
    ScenarioInvalid
        A class is not in the legend, or a place touches no cell.
    """
    for driver in wanted:
        if isinstance(driver, DerivedDriver) and isinstance(driver.distance_to, str):
            _find_class(driver.distance_to, legend)
        elif isinstance(driver, DerivedDriver) and driver.distance_to is not None:
            _find_place(driver, grid)


def distance_to(target: NDArray[np.bool_], grid: Grid) -> Measurements:
    """Return the distance from each cell's centre to that of the nearest cell of a mask, in metres.

    Parameters
    ----------
    target : (y, x) bool

    Returns
    -------
    (y, x) float32, 0 in the mask; NaN everywhere if the mask is empty

    Notes
    -----
    Straight lines over cells as large as the middle cell. On a geographic grid of 2 degrees from south to north at 45
    north, this misses the width of the outer cells by 1.8 %.
    """
    if not target.any():
        return np.full(target.shape, np.nan, np.float32)
    return np.asarray(distance_transform_edt(~target, sampling=grid.cell_edges_m), np.float32)


def years_since_change(history: History, year: int) -> Measurements:
    """Return how many years before a date each cell last changed, (y, x) float32.

    A change between two dates is taken to lie in the middle between them. A cell that was not seen to change counts
    from its first date on: it stayed for that long at least. NaN where fewer than two dates up to the year are known.
    """
    dates = [date for date in sorted(history) if date <= year]
    years = np.full(history[dates[0]].shape, np.nan, np.float32)
    for first, last in pairwise(dates):
        before, after = history[first], history[last]
        known = (before != 0) & (after != 0)
        years[known & np.isnan(years)] = year - first
        years[known & (before != after)] = year - (first + last) / 2
    return years


def as_categories(values: Driver, name: str) -> NDArray[np.uint8]:
    """Return a layer as categories, (y, x) uint8, 0 = missing.

    Raises
    ------
    ScenarioInvalid
        A value is not a whole number from 0 to 255.
    """
    if values.dtype == np.uint8:
        return cast("NDArray[np.uint8]", values)
    codes = np.where(np.isnan(values), 0, values)
    wrong = codes[(codes != np.rint(codes)) | (codes < 0) | (codes > _MOST_CATEGORIES)]
    if wrong.size:
        raise ScenarioInvalid(
            f"The layer {name!r} holds {wrong[0]:g}, and categories are whole numbers from 1 to {_MOST_CATEGORIES} "
            "(0 = missing). Name it in potential.drivers without categories_of, or give the categories such numbers."
        )
    return codes.astype(np.uint8)


def _derive(driver: DerivedDriver, layers: Drivers, grid: Grid) -> Driver:
    """Return a derived driver that holds for all years."""
    if isinstance(driver.distance_to, dict):
        return distance_to(_find_place(driver, grid), grid)
    assert driver.layer is not None  # every other kind is of a layer
    values = _find_layer(driver.layer, layers, driver.title)
    if driver.categories_of is not None:
        return as_categories(values, driver.layer)
    if values.dtype == np.uint8:
        raise ScenarioInvalid(
            f"The driver {driver.title!r} is made of heights, and the layer {driver.layer!r} holds categories. Name a "
            "layer of measurements."
        )
    heights = cast("Measurements", values)
    if driver.position_of is not None:
        return terrain.position(heights, grid, driver.radius)
    return _TERRAIN[driver.kind](heights, grid)


def _find_place(driver: DerivedDriver, grid: Grid) -> NDArray[np.bool_]:
    assert isinstance(driver.distance_to, dict)
    try:
        target = grid.rasterize(driver.distance_to, all_touched=True)
    except ValueError as error:
        raise ScenarioInvalid(f"The place of the driver {driver.title!r} is {error}. Give GeoJSON.") from error
    if not target.any():
        raise ScenarioInvalid(
            f"What the driver {driver.title!r} is the distance to touches no cell of the landscape. Check its "
            "coordinates: GeoJSON is longitude, latitude."
        )
    return target


def _class_distance(history: History, value: int, grid: Grid, year: int) -> Measurements:
    return distance_to(history[max(date for date in history if date <= year)] == value, grid)


def _find_class(name: str, legend: Legend) -> int:
    if name not in legend.names:
        raise ScenarioInvalid(
            f"The driver 'distance to {name}' names no class of the legend: {', '.join(legend.names)}. A file has an "
            "ending, as in roads.geojson, and is read by load_scenario."
        )
    return legend.value_of(name)


def _find_layer(name: str, layers: Drivers, driver: str) -> Driver:
    if name not in layers:
        what = f"The driver {driver!r} needs the layer" if driver != name else "potential.drivers names the layer"
        raise ScenarioInvalid(f"{what} {name!r}; there is {', '.join(sorted(layers)) or 'none'}.")
    return layers[name]
