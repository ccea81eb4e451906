"""A run's cubes: yearly maps and probabilities as Zarr v3, written slice by slice."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from threading import Lock
from typing import Any, Self

import numpy as np
import xarray as xr
import zarr
import zarr.storage
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from odc.geo.xr import xr_coords
from zarr.errors import ZarrUserWarning

from catalog.legend import Legend
from scenarios.cluster import Workers
from scenarios.projection.chances import Chances
from scenarios.projection.ensemble import Ensemble

_CLOSING = Lock()
_CHUNK = 512
# A year has as many planes as classes, and the time that a chunk takes to write hardly hangs on its size.
_PLANE_CHUNK = 1024


class CubeWriter:
    """A Zarr v3 group with the coordinates of a landscape, to which arrays are added.

    Parameters
    ----------
    path : Path
        The group's folder; it must not exist.
    geobox : GeoBox
        Gives ``y``, ``x`` and ``spatial_ref``.
    years : sequence of int
        ``time``, as 1 January of each year.
    legend : Legend
        Gives ``class``, the values of the legend, where an array has that dimension.
    attributes : mapping
        Of the group: title, source, history and the like (CF conventions).
    """

    def __init__(
        self, path: Path, geobox: GeoBox, years: Sequence[int], legend: Legend, attributes: Mapping[str, Any]
    ) -> None:
        self._path, self._legend, self._shape = path, legend, geobox.shape
        self._sizes = {"time": len(years), "class": len(legend), "y": geobox.shape.y, "x": geobox.shape.x}
        coordinates = xr.Dataset(
            coords=xr_coords(geobox, always_yx=True), attrs={"Conventions": "CF-1.11", **attributes}
        )
        coordinates["time"] = np.array([f"{year}-01-01" for year in years], "datetime64[ns]")
        coordinates["class"] = ("class", np.array(legend.values, np.uint8), legend_attributes(legend))
        coordinates.to_zarr(path, mode="w-", zarr_format=3, consolidated=False)
        self._group = zarr.open_group(path, mode="r+")

    def __enter__(self) -> Self:
        """Return the writer."""
        return self

    def __exit__(self, *error: object) -> None:
        """Gather the metadata, if all went well."""
        if error[0] is None:
            _gather_metadata(self._path)

    def add(
        self,
        name: str,
        dimensions: Sequence[str],
        attributes: Mapping[str, Any],
        dtype: str = "uint8",
        chunk: int = _CHUNK,
    ) -> zarr.Array[Any]:
        """Add an array of zeros; a chunk holds one year of one class, 512 x 512 cells if not said otherwise."""
        shape = tuple(self._sizes[d] for d in dimensions)
        chunks = tuple(min(chunk, n) if d in "yx" else 1 for d, n in zip(dimensions, shape, strict=True))
        return _add_array(
            self._group, name, dimensions, shape, chunks, dtype, {"grid_mapping": "spatial_ref", **attributes}
        )


def _add_array(
    group: zarr.Group,
    name: str,
    dimensions: Sequence[str],
    shape: Sequence[int],
    chunks: Sequence[int],
    dtype: str,
    attributes: Mapping[str, Any],
) -> zarr.Array[Any]:
    return group.create_array(
        name,
        shape=tuple(shape),
        chunks=tuple(chunks),
        dtype=dtype,
        fill_value=0,
        dimension_names=list(dimensions),
        attributes=dict(attributes),
    )


def _gather_metadata(path: Path) -> None:
    """Gather the metadata into one document, so that a reader over HTTP needs one request."""
    # Which warnings are shown is one setting for all threads, and two cubes may be closed side by side.
    with _CLOSING, warnings.catch_warnings():
        # Zarr v3 has no agreed form of it yet; readers that do not know this one read the metadata one by one.
        warnings.simplefilter("ignore", ZarrUserWarning)
        zarr.consolidate_metadata(path, zarr_format=3)


def legend_attributes(legend: Legend) -> dict[str, Any]:
    """Return the CF attributes of a classified array: flags by name, and the legend itself as JSON."""
    return {
        "units": "1",
        "flag_values": list(legend.values),
        "flag_meanings": " ".join(legend.names),
        "legend": json.dumps(legend.to_json(), ensure_ascii=False),
    }


def write_ensemble(writer: CubeWriter, ensemble: Ensemble, workers: Workers) -> None:
    """Write in how many members each cell has each class in each year, and in how many it changes, and when.

    Parameters
    ----------
    ensemble : its counts are stored as they are, and decoded by readers to shares from 0 to 1
    workers : who compresses and writes the years side by side
    """
    share = _share(ensemble, "has the class")
    array = writer.add("probability", ("time", "class", "y", "x"), share, chunk=_PLANE_CHUNK)

    def write_year(year: int) -> None:
        for n, plane in enumerate(ensemble.counts[year]):
            _write_plane(array, (year, n), plane)

    workers.map(write_year, range(len(ensemble.years)))
    _write_timing(writer, ensemble)


def _write_plane(array: zarr.Array[Any], place: tuple[int, int], plane: NDArray[np.uint8]) -> None:
    """Write a plane, and leave out the chunks of zeros. Zarr by itself would look for them, which is slow."""
    full, edges = array.with_config({"write_empty_chunks": True}), [range(0, n, _PLANE_CHUNK) for n in plane.shape]
    holds = [[plane[y : y + _PLANE_CHUNK, x : x + _PLANE_CHUNK].any() for x in edges[1]] for y in edges[0]]
    if all(map(all, holds)):
        full[place] = plane
        return
    for first, row in zip(edges[0], holds, strict=True):
        rows = slice(first, first + _PLANE_CHUNK)
        for some, chunks in groupby(zip(edges[1], row, strict=True), key=itemgetter(1)):
            starts = [start for start, _ in chunks]
            across = slice(starts[0], starts[-1] + _PLANE_CHUNK)
            if some:
                full[(*place, rows, across)] = plane[rows, across]


def _write_timing(writer: CubeWriter, ensemble: Ensemble) -> None:
    timing = ensemble.timing
    writer.add("change_share", ("y", "x"), _share(ensemble, "changes"))[:] = timing.members
    for name, sums in (("first", timing.sum_first), ("last", timing.sum_last)):
        meaning = f"mean year of the {name} change, over the members in which the cell changes; 0 = in none"
        array = writer.add(f"{name}_change", ("y", "x"), {"units": "year", "long_name": meaning}, "uint16")
        for first in range(0, sums.shape[0], _CHUNK):
            rows = slice(first, first + _CHUNK)
            array[rows] = timing.mean_years(sums, rows)


def write_chances(path: Path, chances: Chances, legend: Legend) -> None:
    """Add to the cube of `write_ensemble` what turns its counts into chances.

    Parameters
    ----------
    path : the cube's folder
    chances : recalibrated by a hindcast
    legend : of the landscape
    """
    group = zarr.open_group(path, mode="r+", use_consolidated=False)
    start, table = chances.start, chances.table
    around = ("class_at_start", "class", "members_drawn")
    _add_array(
        group,
        "recalibrated_class",
        ("y", "x"),
        start.shape,
        tuple(min(_CHUNK, edge) for edge in start.shape),
        "uint8",
        {
            "grid_mapping": "spatial_ref",
            "units": "1",
            "long_name": "class at the start of the cells whose shares are recalibrated; 0 = outside, or where a plan "
            "decides and the share of the members is the chance",
        },
    )[:] = start
    for name, values in (("class_at_start", legend.values), ("members_drawn", range(table.shape[-1]))):
        size = (len(values),)
        _add_array(group, name, (name,), size, size, "uint8", {"units": "1"})[:] = np.array(values, np.uint8)
    _add_array(
        group,
        "recalibration",
        ("time", *around),
        table.shape,
        (1, *table.shape[1:]),
        "float32",
        {
            "units": "1",
            "long_name": "chance of a change by how many members make it, recalibrated by the hindcast; the class of "
            "the start takes the rest",
            "references": "doi:10.1214/17-EJS1338SI",
        },
    )[:] = table
    _gather_metadata(path)


def _share(ensemble: Ensemble, what: str) -> dict[str, Any]:
    return {
        "units": "1",
        "scale_factor": 1 / ensemble.members,
        "long_name": f"share of the ensemble's members in which the cell {what}",
        "members": ensemble.members,
    }


def open_cube(path: str | Path) -> xr.Dataset:
    """Open a cube lazily, in Dask chunks as stored; nothing is read until computed.

    Parameters
    ----------
    path : a folder, or an address as ``s3://bucket/valley-usual-1/trajectory.zarr``
    """
    place: Any = path
    if "://" in str(path):
        from datacommons.runs.buckets import open_bucket

        place = zarr.storage.ObjectStore(open_bucket(str(path)), read_only=True)
    cube: xr.Dataset = xr.open_zarr(place, consolidated=True, decode_coords="all")
    return cube
