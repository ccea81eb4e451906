"""Hectares by class and year inside a polygon, and the classes of a point through the years."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from pyproj import Transformer

from tiles.drawing.legends import name_class
from tiles.errors import InvalidRequest, TooMuch
from tiles.reading.runs import RunCubes

MOST_CELLS: Final = 4_000_000
"""Of the rectangle around a polygon."""

_DECIMALS: Final = 4
_NO_QUANTILES: Final = (
    "The spread of a polygon's hectares between members cannot be told: a run keeps how many members have each class "
    "in each cell, not which ones. What the members have on average (expected_ha) is exact."
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

    def weigh(self, cells: NDArray[Any], size: int) -> NDArray[np.float64]:
        """Return hectares by value, (size,), of cells of the rectangle, (y, x) of small whole numbers."""
        # Sums of whole numbers below 2^53 are exact in floating point.
        units = np.bincount(cells[self.inside], weights=self._weights, minlength=size)
        return np.asarray(units[:size] * self.unit_ha)

    def add_up(self, shares: NDArray[Any]) -> NDArray[np.float64]:
        """Return the sums of whole numbers by cell, (..., y, x), times hectares."""
        return np.asarray(shares[..., self.inside].astype(np.int64) @ self._weights.astype(np.int64) * self.unit_ha)

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
        ``runs``: for every run years, ``area_ha`` by class (a list of as many numbers as years), and
        ``expected_ha``; ``polygon_ha``; ``notes``.

    Raises
    ------
    InvalidRequest, TooMuch
    """
    measured = [_measure_run(run, _survey(run, geometry, survey), language, expected=expected) for run in runs]
    return {"runs": measured, "quantiles": None, "notes": [_NO_QUANTILES]}


def read_point(run: RunCubes, longitude: float, latitude: float, language: str) -> dict[str, Any]:
    """Read the class of a point in each year, and in which share of the members it has each class.

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
    }


def _measure_run(run: RunCubes, place: Place, language: str, *, expected: bool) -> dict[str, Any]:
    cube, values = run.trajectory, list(run.legend.values)
    cells = cube.read("land_cover", slice(None), place.rows, place.columns)
    areas = np.stack([place.weigh(year, 256)[values] for year in cells])
    return {
        "run": run.run_id,
        "title": run.title,
        "synthetic": run.synthetic,
        "classes": [name_class(entry, language) for entry in run.legend],
        "polygon_ha": round(place.area_ha, _DECIMALS),
        "years": list(cube.years),
        "area_ha": _by_class(run, areas.T),
        **(_expect(run, place) if expected else {}),
    }


def _expect(run: RunCubes, place: Place) -> dict[str, Any]:
    """Return the mean hectares over the members: the sum of the chances of cells is exact, whoever goes with whom."""
    cube = run.probability
    years = range(len(cube.years))
    counts = np.stack(
        [place.add_up(cube.read("probability", n, slice(None), place.rows, place.columns)) for n in years]
    )
    by_value = dict(zip(cube.classes, (counts / cube.members).T, strict=True))
    means = np.stack([by_value[value] for value in run.legend.values])
    return {"members": cube.members, "expected_years": list(cube.years), "expected_ha": _by_class(run, means)}


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
    assert geobox.crs is not None
    x, y = Transformer.from_crs(4326, geobox.crs.proj, always_xy=True).transform(longitude, latitude)
    column, row = ~geobox.affine @ (x, y)
    if not (0 <= column < geobox.shape.x and 0 <= row < geobox.shape.y):
        raise InvalidRequest(f"{longitude}, {latitude} lies outside the landscape.")
    return int(row), int(column)
