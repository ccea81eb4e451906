"""Features on their way into a commons: what is wrong with their geometry, and what can be helped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numpy.typing import NDArray

from datacommons.errors import InvalidVector
from datacommons.grids import crs_name

if TYPE_CHECKING:
    import geopandas

_WGS84 = "EPSG:4326"
_HALF_TURN = 180.0
_SHOWN = 5
_SAME_AREA = 1e-9
_SLACK = 1e-6
"""Degrees by which a coordinate may pass 180 or 90: the width of a hand, from rounding."""


def check_features(frame: geopandas.GeoDataFrame, name: str) -> tuple[geopandas.GeoDataFrame, tuple[str, ...]]:
    """Refuse features that mean nothing, and mend what can be mended without a guess.

    Parameters
    ----------
    frame : GeoDataFrame
        With a CRS.
    name : str
        Of the file, for messages.

    Returns
    -------
    GeoDataFrame and tuple of str
        The features with a geometry, all valid; and notes of what was left out or mended.

    Raises
    ------
    InvalidVector
        If there is no geometry, coordinates are no numbers or lie off the globe, a ring crosses itself, or a feature
        spans half the globe.
    """
    empty = frame.geometry.isna() | frame.geometry.is_empty
    if empty.all():
        raise InvalidVector(
            f"{name} holds no geometry: all {len(frame):,} features are without one. Check how it was exported."
        )
    rows = np.flatnonzero(~empty) + 1
    kept = frame[~empty].reset_index(drop=True)
    notes = (
        [f"{int(empty.sum()):,} of {len(frame):,} features have no geometry and are left out"] if empty.any() else []
    )
    kept = kept.set_geometry(_flatten(kept.geometry.to_numpy()), crs=frame.crs)
    shapes = kept.geometry.to_numpy()
    _refuse_no_numbers(shapes, rows, name)
    _refuse_off_the_globe(kept, rows, name)
    mended, repaired = _mend(shapes, rows, name)
    if repaired:
        notes.append(f"rings that touch themselves were mended, without a change of area, in {repaired:,} features")
    return kept.set_geometry(mended, crs=frame.crs), tuple(notes)


def _flatten(shapes: NDArray[Any]) -> NDArray[Any]:
    """Leave out heights where none is known: KML writes a 0 everywhere."""
    heights = shapely.get_coordinates(shapes, include_z=True)[:, 2]
    flat = bool(((heights == 0) | np.isnan(heights)).all())
    return shapely.force_2d(shapes) if flat else shapes


def _refuse_no_numbers(shapes: NDArray[Any], rows: NDArray[np.int64], name: str) -> None:
    points, owners = shapely.get_coordinates(shapes, return_index=True)
    wrong = np.unique(owners[~np.isfinite(points).all(axis=1)])
    if wrong.size:
        raise InvalidVector(
            f"{name} has coordinates that are no numbers (NaN or infinite) in {_list_rows(rows[wrong])}. Take them "
            "out, or export the layer again."
        )


def _refuse_off_the_globe(frame: geopandas.GeoDataFrame, rows: NDArray[np.int64], name: str) -> None:
    if not frame.crs.is_geographic:
        _refuse_no_place(frame, rows, name)
        return
    bounds = frame.bounds.to_numpy(float)
    off = (np.abs(bounds) > np.array([_HALF_TURN, 90, _HALF_TURN, 90]) + _SLACK).any(axis=1)
    if off.any():
        raise InvalidVector(_describe_off(bounds, off, rows, name, crs_name_of(frame)))
    _refuse_wrapped(frame, rows, name)


def _describe_off(
    bounds: NDArray[np.float64], off: NDArray[np.bool_], rows: NDArray[np.int64], name: str, crs: str
) -> str:
    x, y = bounds[off][0, :2]
    found = f"{name} has coordinates that are no longitude and latitude in {_list_rows(rows[off])}: {x:.6g}, {y:.6g}"
    if np.abs(bounds[:, [0, 2]]).max() <= 2 * _HALF_TURN and np.abs(bounds[:, [1, 3]]).max() <= 90:
        return f"{found}. Longitudes go from -180 to 180: shift those beyond, as with `ogr2ogr -wrapdateline`."
    if np.abs(bounds[:, [0, 2]]).max() <= 90 and np.abs(bounds[:, [1, 3]]).max() <= _HALF_TURN:
        return f"{found}. They were perhaps swapped: longitude comes first."
    some = "some of " if not off.all() else ""
    return (
        f"{found}, and its CRS is {crs}. Perhaps {some}it is in a projected CRS that it does not name, as UTM: bring "
        "all "
        f"of it into one CRS, as with `ogr2ogr -s_srs EPSG:32618 -t_srs EPSG:4326 mended.geojson {name}`."
    )


def _refuse_wrapped(frame: geopandas.GeoDataFrame, rows: NDArray[np.int64], name: str) -> None:
    """Refuse lines and rings with an edge of half a turn: they cross the antimeridian, drawn the wrong way round."""
    parts, owners = shapely.get_parts(frame.geometry.to_numpy(), return_index=True)
    points, part_of = shapely.get_coordinates(parts, return_index=True)
    leaps = (np.abs(np.diff(points[:, 0])) > _HALF_TURN) & (part_of[1:] == part_of[:-1])
    wrong = np.unique(owners[part_of[1:][leaps]])
    if wrong.size:
        raise InvalidVector(
            f"{name} crosses the antimeridian (longitude 180) in {_list_rows(rows[wrong])}, which would lie the wrong "
            f"way around the globe. Cut it there: `ogr2ogr -wrapdateline -datelineoffset 20 cut.geojson {name}`."
        )


def _refuse_no_place(frame: geopandas.GeoDataFrame, rows: NDArray[np.int64], name: str) -> None:
    found = frame.geometry.to_crs(_WGS84).bounds.to_numpy(float)
    wrong = ~np.isfinite(found).all(axis=1)
    if wrong.any():
        x, y = frame.bounds.to_numpy(float)[wrong][0, :2]
        raise InvalidVector(
            f"{name} has coordinates that have no place on the globe in {_list_rows(rows[wrong])}: {x:.6g}, {y:.6g} in "
            f"{crs_name_of(frame)}. Check its CRS: `ogr2ogr -a_srs EPSG:CODE mended.gpkg {name}`."
        )


def _mend(shapes: NDArray[Any], rows: NDArray[np.int64], name: str) -> tuple[NDArray[Any], int]:
    """Mend invalid shapes whose area is not in doubt; count them."""
    invalid = np.flatnonzero(~shapely.is_valid(shapes))
    if not invalid.size:
        return shapes, 0
    mended = shapely.make_valid(shapes[invalid], method="structure")
    linework = shapely.area(shapely.make_valid(shapes[invalid], method="linework"))
    before, after = shapely.area(shapes[invalid]), shapely.area(mended)
    doubtful = (np.abs(before - after) > _SAME_AREA * after) | (np.abs(linework - after) > _SAME_AREA * after)
    if doubtful.any():
        first = invalid[doubtful][0]
        raise InvalidVector(
            f"{name} has polygons that cross themselves, so that their area is in doubt, in "
            f"{_list_rows(rows[invalid[doubtful]])} ({shapely.is_valid_reason(shapes[first])}). Mend them, as with "
            "«Fix geometries» in QGIS, and look whether they are what you meant."
        )
    result = shapes.copy()
    result[invalid] = mended
    return result, len(invalid)


def _list_rows(rows: Sequence[int] | NDArray[np.int64]) -> str:
    shown = ", ".join(str(row) for row in rows[:_SHOWN])
    more = f" and {len(rows) - _SHOWN:,} more" if len(rows) > _SHOWN else ""
    return f"feature{'s' if len(rows) > 1 else ''} {shown}{more}"


def crs_name_of(frame: geopandas.GeoDataFrame) -> str:
    """Name the CRS of a table in a message."""
    from odc.geo.crs import CRS

    return crs_name(CRS(frame.crs))
