"""Hectares by class and year inside a polygon, and the classes of a point through the years."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from tiles.drawing.legends import name_class
from tiles.errors import InvalidRequest, TooMuch
from tiles.reading.chances import is_recalibrated, read_chances
from tiles.reading.changes import ChangeTable
from tiles.reading.placement import place_pixels
from tiles.reading.runs import RunCubes
from tiles.reading.view import View

MOST_CELLS: Final = 4_000_000
"""Of the rectangle around a polygon."""

_DECIMALS: Final = 4
_QUANTILES: Final = {"low_ha": 0.05, "median_ha": 0.5, "high_ha": 0.95}
_NO_QUANTILES: Final = (
    "The run {run!r} was made by an earlier version, which kept no changes of its members: how far they lie apart "
    "inside a polygon is not known. Run its scenario again to know it."
)


@dataclass(frozen=True, eq=False)
class Place:
    """The cells of a grid that lie in a polygon.

    Attributes
    ----------
    rows, columns : slice
        The rectangle around it.
    inside : (y, x) bool
        Within the rectangle.
    row_weight : (y,) int64
        Size of a cell of each row of the rectangle, in whole units.
    unit_ha : float
        Hectares of a unit.
    """

    rows: slice
    columns: slice
    inside: NDArray[np.bool_]
    row_weight: NDArray[np.int64]
    unit_ha: float

    def count(self, classes: NDArray[np.uint8], values: Sequence[int]) -> NDArray[np.int64]:
        """Return units of each class, (class,), of the rectangle, (y, x) legend values."""
        # Sums of whole numbers below 2^53 are exact in floating point.
        units = np.bincount(classes[self.inside], weights=self._weights, minlength=256)
        return np.rint(units[list(values)]).astype(np.int64)

    def follow(
        self, start: NDArray[np.int64], changes: ChangeTable, years: Sequence[int], values: Sequence[int]
    ) -> NDArray[np.int64]:
        """Return units by member, year and class, (member, year, class), in the first year and in those that follow.

        Parameters
        ----------
        start : (class,) int64
            Units of each class in the first year.
        changes : ChangeTable
            Of members, or of one map.
        years : sequence of int
            One after the other.
        values : sequence of int
            Legend values of the classes.
        """
        found = changes.read(self.rows, self.columns)
        rows = found["row"].astype(np.int64) - self.rows.start
        here = self.inside[rows, found["column"].astype(np.int64) - self.columns.start]
        found = {name: each[here].astype(np.int64) for name, each in found.items()}
        places = np.zeros(256, np.int64)
        places[list(values)] = np.arange(len(values))
        shape = changes.members, len(years), len(values)
        step = (found.get("member", 0) * len(years) + found["year"] - years[0]) * len(values)
        weights, size = self.row_weight[rows[here]].astype(np.float64), int(np.prod(shape))
        gained, lost = (np.bincount(step + places[found[name]], weights, size) for name in ("to", "from"))
        return np.asarray(start + np.cumsum(np.rint(gained - lost).astype(np.int64).reshape(shape), axis=1))

    def add_up(self, numbers: NDArray[Any]) -> NDArray[np.int64]:
        """Return the sums of whole numbers by cell, (..., y, x), times units."""
        return np.asarray(numbers[..., self.inside].astype(np.int64) @ self._weights.astype(np.int64))

    @property
    def area_ha(self) -> float:
        """Hectares of all its cells."""
        return float(self._weights.sum() * self.unit_ha)

    @cached_property
    def _weights(self) -> NDArray[np.float64]:
        return np.repeat(self.row_weight, self.inside.sum(axis=1)).astype(np.float64)


Survey = Callable[[GeoBox, Mapping[str, Any], int], Place]
"""From a grid, a GeoJSON geometry and the most cells to look at, to the place. Raises ValueError, OverflowError."""


def measure_polygon(
    runs: Sequence[RunCubes], geometry: Mapping[str, Any], survey: Survey, language: str, *, expected: bool
) -> dict[str, Any]:
    """Measure the hectares of each class in each year.

    Parameters
    ----------
    runs : sequence of RunCubes
    geometry : mapping
        GeoJSON, WGS 84.
    survey : callable
        Tells which cells lie in it, and how large they are.
    language : str
        Of the labels.
    expected : bool
        Whether to tell the mean over the members too.

    Returns
    -------
    dict
        ``runs``: for every run ``years``, ``area_ha`` by class (a list of as many numbers as years), ``quantiles`` over
        the members likewise, ``expected_ha`` and ``polygon_ha``; and ``notes``.

    Raises
    ------
    InvalidRequest, TooMuch
    """
    measured = [_measure_run(run, _survey(run, geometry, survey), language, expected=expected) for run in runs]
    notes = [_NO_QUANTILES.format(run=run.run_id) for run in runs if run.changes is None]
    return {"runs": measured, "notes": notes}


def read_point(run: RunCubes, longitude: float, latitude: float, language: str) -> dict[str, Any]:
    """Read the class of a point in each year, in which share of the members it has each class, and how likely that is.

    Raises
    ------
    InvalidRequest
        If the point lies outside the landscape.
    """
    cube = run.trajectory
    row, column = _find_cell(cube.geobox, longitude, latitude)
    values = cube.read("land_cover", slice(None), row, column)
    if not values.any():
        raise InvalidRequest(f"{longitude}, {latitude} lies outside the landscape of the run {run.run_id!r}.")
    names = {entry.value: entry.name for entry in run.legend}
    chances = run.probability
    counts = chances.read("probability", slice(None), slice(None), row, column)
    shares = np.round(counts.T / chances.members, _DECIMALS).tolist()
    return {
        "run": run.run_id,
        "coordinates": [longitude, latitude],
        "classes": [name_class(entry, language) for entry in run.legend],
        "years": list(cube.years),
        "class": [names.get(int(value)) for value in values],
        "probability_years": list(chances.years),
        "probability": {names[value]: of for value, of in zip(chances.classes, shares, strict=True)},
        "members": chances.members,
        **_tell_chance(run, row, column),
    }


def _tell_chance(run: RunCubes, row: int, column: int) -> dict[str, Any]:
    """Tell how likely each class of a cell is."""
    cube = run.probability
    names = {entry.value: entry.name for entry in run.legend}
    chances = np.array([read_chances(cube, year, row, column) for year in cube.years])
    told = np.round(chances.T, _DECIMALS).tolist()
    return {
        "chance": {names[value]: of for value, of in zip(cube.classes, told, strict=True)},
        "recalibrated": is_recalibrated(cube),
    }


def _measure_run(run: RunCubes, place: Place, language: str, *, expected: bool) -> dict[str, Any]:
    cube, values = run.trajectory, run.legend.values
    start = place.count(cube.read("land_cover", 0, place.rows, place.columns), values)
    best = _count_best(run, place, start)
    members = None if run.changes is None else place.follow(start, run.changes, cube.years, values)
    return {
        "run": run.run_id,
        "title": run.title,
        "synthetic": run.synthetic,
        "classes": [name_class(entry, language) for entry in run.legend],
        "polygon_ha": round(place.area_ha, _DECIMALS),
        "years": list(cube.years),
        "area_ha": _by_class(run, np.asarray(best.T * place.unit_ha, np.float64)),
        "quantiles": None if members is None else _spread(run, np.asarray(members * place.unit_ha, np.float64)),
        **(_expect(run, place, members) if expected else {}),
    }


def _count_best(run: RunCubes, place: Place, start: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the units of the best map by year and class, (year, class): a year changes few cells."""
    cube, values, changes = run.trajectory, run.legend.values, run.trajectory_changes
    if changes is not None:
        best: NDArray[np.int64] = place.follow(start, changes, cube.years, values)[0]
        return best
    later = (cube.read("land_cover", n, place.rows, place.columns) for n in range(1, len(cube.years)))
    return np.stack([start, *(place.count(cells, values) for cells in later)])


def _spread(run: RunCubes, members_ha: NDArray[np.float64]) -> dict[str, Any]:
    """Return the quantiles over the members of (member, year, class) hectares, from the first year on."""
    found = {name: np.quantile(members_ha, level, axis=0) for name, level in _QUANTILES.items()}
    return {
        "members": members_ha.shape[0],
        "years": list(run.trajectory.years),
        **{name: _by_class(run, of.T) for name, of in found.items()},
    }


def _expect(run: RunCubes, place: Place, members: NDArray[np.int64] | None) -> dict[str, Any]:
    """Return the mean hectares over the members, of the projected years."""
    years = run.trajectory.years[1:]
    if members is not None:
        units, drawn = members[:, 1:].sum(axis=0), members.shape[0]
    else:
        units, drawn = _add_counts(run, place), run.probability.members
    means = np.asarray(units.T * place.unit_ha / drawn, np.float64)
    return {"members": drawn, "expected_years": list(years), "expected_ha": _by_class(run, means)}


def _add_counts(run: RunCubes, place: Place) -> NDArray[np.int64]:
    """Return units by year and class, added up over the members by how many have each class in each cell."""
    cube = run.probability
    order = [cube.classes.index(value) for value in run.legend.values]
    years = range(len(cube.years))
    return np.stack(
        [place.add_up(cube.read("probability", n, slice(None), place.rows, place.columns))[order] for n in years]
    )


def _by_class(run: RunCubes, areas: NDArray[np.float64]) -> dict[str, list[float]]:
    """Label (class, year) hectares."""
    rounded = np.round(areas, _DECIMALS).tolist()
    return dict(zip(run.legend.names, rounded, strict=True))


def _survey(run: RunCubes, geometry: Mapping[str, Any], survey: Survey) -> Place:
    try:
        place = survey(run.trajectory.geobox, geometry, MOST_CELLS)
    except OverflowError as error:
        raise TooMuch(f"The polygon is too large: {error}. Ask for a smaller one.") from None
    except ValueError as error:
        raise InvalidRequest(f"The polygon cannot be measured: {error}.") from None
    if not place.inside.any():
        raise InvalidRequest(f"The polygon holds no cell of the run {run.run_id!r}: it lies outside, or is too small.")
    return place


def _find_cell(geobox: GeoBox, longitude: float, latitude: float) -> tuple[int, int]:
    place = place_pixels(View.at(longitude, latitude), raster_crs=str(geobox.crs), transform=geobox.affine)
    column, row = (float(each[0, 0]) for each in place)
    if not (0 <= column < geobox.shape.x and 0 <= row < geobox.shape.y):
        raise InvalidRequest(f"{longitude}, {latitude} lies outside the landscape.")
    return int(row), int(column)
