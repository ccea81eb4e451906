"""What a raster holds, counted before it becomes a layer: classes, cells with data, what is unusual."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from catalog.legend import Legend
from datacommons.errors import InvalidRaster
from datacommons.grids import cell_size_m
from datacommons.ingest.rasters import RasterSource
from datacommons.progress import Advance
from scenarios.grid import SQUARE_METRES_PER_HECTARE, Grid

_SHOWN_VALUES = 10


@dataclass(frozen=True)
class Tally:
    """How much there is of each class.

    Attributes
    ----------
    cells : mapping of int to int
        Cells by value.
    areas_ha : mapping of int to float
        Hectares by value: on the ellipsoid where the grid is in degrees.
    """

    cells: Mapping[int, int]
    areas_ha: Mapping[int, float]


@dataclass(frozen=True)
class Findings:
    """What a raster holds.

    Attributes
    ----------
    cells : int
        Cells with data.
    notes : tuple of str
        What was unusual and how it is dealt with.
    tally : Tally or None
        Of classes.
    """

    cells: int
    notes: tuple[str, ...] = ()
    tally: Tally | None = None


def inspect_classified(source: RasterSource, legend: Legend, advance: Advance) -> Findings:
    """Count the classes of a land-cover or zone raster and compare them with its legend.

    Parameters
    ----------
    source : RasterSource
    legend : Legend
        Its ``nodata`` is missing in the raster too, declared there or not.
    advance : callable
        Told the share of the raster that was read.

    Raises
    ------
    InvalidRaster
        If values are no whole numbers or not in the legend, a class is declared as nodata, or all is nodata.
    """
    _refuse_class_as_nodata(source, legend)
    counts, areas = _count_values(source, advance)
    missing = counts.pop(legend.nodata, 0)
    unknown = {value: n for value, n in counts.items() if value not in legend.values}
    if unknown:
        raise InvalidRaster(_unknown_classes(source, legend, unknown))
    _refuse_empty(source, counts.total())
    notes = list(_nodata_notes(source, legend, missing))
    notes += [
        f"class {c.value} {c.name!r} of the legend does not occur in {source.name}"
        for c in legend
        if c.value not in counts
    ]
    held = sorted(counts)
    tally = Tally({value: counts[value] for value in held}, {value: round(float(areas[value]), 4) for value in held})
    return Findings(counts.total(), tuple(notes), tally)


def inspect_continuous(source: RasterSource, advance: Advance) -> Findings:
    """Count the cells with data of a raster of measurements.

    Raises
    ------
    InvalidRaster
        If there are none, or values are complex numbers.
    """
    if np.dtype(source.dtype).kind not in "iuf":
        raise InvalidRaster(f"{source.name} holds {source.dtype} values; a layer needs whole or decimal numbers.")
    cells = 0
    for _, block in source.blocks():
        cells += int(block.count())
        advance(block.shape[0] / source.geobox.height)
    _refuse_empty(source, cells)
    if (source.scale, source.offset) == (1.0, 0.0):
        return Findings(cells)
    return Findings(cells, (f"stored values were scaled by {source.scale:g} and shifted by {source.offset:g}",))


def _count_values(source: RasterSource, advance: Advance) -> tuple[Counter[int], NDArray[np.float64]]:
    """Return the cells of each value, and the hectares of the values from 0 to 255, (256,)."""
    counts: Counter[int] = Counter()
    row_areas = _measure_rows(source.geobox)
    hectares = np.zeros(256)
    for window, block in source.blocks():
        values, cells = _tally(block.compressed())
        _refuse_decimals(source, values)
        counts.update(dict(zip(values.astype(np.int64).tolist(), cells.tolist(), strict=True)))
        if row_areas is not None:
            hectares += _add_up(block, row_areas[window.row_off : window.row_off + block.shape[0]])
        advance(block.shape[0] / source.geobox.height)
    if row_areas is None:
        area = cell_size_m(source.geobox) ** 2 / SQUARE_METRES_PER_HECTARE
        hectares = np.array([counts[value] * area for value in range(256)])
    return counts, hectares


def _measure_rows(geobox: GeoBox) -> NDArray[np.float64] | None:
    """Return the hectares of a cell of each row where they differ, on an upright grid in degrees."""
    grid = Grid(geobox)
    return np.abs(grid.row_area_ha) if grid.is_geographic and geobox.axis_aligned else None


def _add_up(block: np.ma.MaskedArray[Any, np.dtype[Any]], row_areas: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the hectares of each value from 0 to 255, (256,), of which a cell of each row has so many, (y,)."""
    counted = ~np.ma.getmaskarray(block) & (block.data >= 0) & (block.data <= 255)
    areas = np.broadcast_to(row_areas[:, None], block.shape)
    values = block.data[counted].astype(np.int64)
    return np.asarray(np.bincount(values, weights=areas[counted], minlength=256), np.float64)


def _tally(cells: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.int64]]:
    if cells.dtype == np.uint8:
        # Counting needs no sorting, and nearly every land-cover map is of this type.
        counts = np.bincount(cells, minlength=256)
        return np.flatnonzero(counts), counts[counts > 0]
    return np.unique(cells, return_counts=True)


def _refuse_decimals(source: RasterSource, values: NDArray[Any]) -> None:
    if values.dtype.kind != "f":
        return
    decimals = values[values != np.round(values)]
    if decimals.size:
        shown = ", ".join(f"{value:g}" for value in decimals[:3])
        raise InvalidRaster(
            f"{source.name} is no map of classes: it holds decimal numbers, as {shown}, and classes are whole "
            "numbers. Give the map before it was resampled or averaged; measurements go to --collection drivers, "
            "without --legend."
        )


def _refuse_class_as_nodata(source: RasterSource, legend: Legend) -> None:
    if source.nodata in legend.values:
        entry = next(entry for entry in legend if entry.value == source.nodata)
        raise InvalidRaster(
            f"{source.name} declares {entry.value} as nodata, and the legend says it is {entry.name!r}. "
            f"Correct one of them: the legend, or the file with `gdal_edit.py -a_nodata {legend.nodata} {source.name}`."
        )


def _refuse_empty(source: RasterSource, cells: int) -> None:
    if cells == 0:
        declared = "NaN" if source.nodata is None else f"{source.nodata:g}"
        raise InvalidRaster(
            f"{source.name} is empty: every cell is nodata ({declared}). Check how it was cut out or exported, "
            "and which value it declares as nodata."
        )


def _unknown_classes(source: RasterSource, legend: Legend, unknown: dict[int, int]) -> str:
    listed = [f"{value} ({cells:,} cell{'s' if cells > 1 else ''})" for value, cells in sorted(unknown.items())]
    more = f" and {len(listed) - _SHOWN_VALUES} more" if len(listed) > _SHOWN_VALUES else ""
    classes = ", ".join(f"{entry.value} {entry.name}" for entry in legend)
    return (
        f"{source.name} has values that the legend does not name: {', '.join(listed[:_SHOWN_VALUES])}{more}. "
        f"The legend has {legend.nodata} nodata, {classes}. Add the classes to the legend, or declare what is no data: "
        f"`gdal_edit.py -a_nodata VALUE {source.name}`."
    )


def _nodata_notes(source: RasterSource, legend: Legend, missing: int) -> Iterator[str]:
    if source.nodata is None and missing:
        yield f"{source.name} declares no nodata; its {missing:,} cells of {legend.nodata} are nodata by the legend"
    if source.nodata is not None and source.nodata != legend.nodata:
        yield f"nodata {source.nodata:g} of {source.name} is stored as 0"
        if missing:
            yield f"its {missing:,} cells of {legend.nodata} are nodata too, by the legend"
    if legend.nodata != 0 and (missing or source.nodata == legend.nodata):
        yield f"nodata {legend.nodata} of the legend is stored as 0, as everywhere in a commons"
