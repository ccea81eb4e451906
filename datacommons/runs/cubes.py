"""A run's cubes: yearly maps and probabilities as Zarr v3, written slice by slice."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, Final, Self

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
from scenarios.grid import Block
from scenarios.projection.chances import Chances
from scenarios.projection.ensemble import Ensemble
from scenarios.projection.record import Record

_CLOSING = Lock()
_CHUNK = 512


@dataclass(frozen=True)
class Layout:
    """How an array lies on the disk: one file holds a block of the landscape, with all its years and classes.

    What follows a block through the years reads one file; what reads a year reads a part of each. Years that lie
    together hardly differ, so that they take little more room than one.

    Parameters
    ----------
    block : edge of what one file holds, in cells
    chunk : edge of what is decoded at once, in cells; the block is a multiple of it
    years : that are decoded at once
    """

    block: int
    chunk: int
    years: int

    def cut(self, shape: Mapping[str, int]) -> tuple[dict[str, int], dict[str, int]]:
        """Return the sizes of chunks and of files along the dimensions of an array."""
        chunk, block = ({"time": self.years, "class": 1, "y": edge, "x": edge} for edge in (self.chunk, self.block))
        chunks = {d: min(chunk[d], n) for d, n in shape.items()}
        whole = {d: min(block[d], n) if d in "yx" else n for d, n in shape.items()}
        return chunks, {d: -(-n // chunks[d]) * chunks[d] for d, n in whole.items()}


TRAJECTORY: Final = Layout(block=1024, chunk=512, years=8)
"""Of the maps of one walk."""

PROBABILITY: Final = Layout(block=512, chunk=256, years=10)
"""Of counts of members: more of them are looked at in parts."""


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
        layout: Layout | None = None,
    ) -> zarr.Array[Any]:
        """Add an array of zeros, to be written block by block of its layout; without one a chunk is a file.

        Empty chunks are written, for Zarr takes long to find them: whoever writes leaves out empty blocks.
        """
        shape = {d: self._sizes[d] for d in dimensions}
        if layout is None:
            chunks, shards = {d: min(_CHUNK if d in "yx" else 1, n) for d, n in shape.items()}, None
        else:
            chunks, shards = layout.cut(shape)
        about = {"grid_mapping": "spatial_ref", **attributes}
        cut = tuple(chunks.values()), None if shards is None else tuple(shards.values())
        return _add_array(self._group, name, dimensions, tuple(shape.values()), *cut, dtype, about)


def _add_array(
    group: zarr.Group,
    name: str,
    dimensions: Sequence[str],
    shape: tuple[int, ...],
    chunks: tuple[int, ...],
    shards: tuple[int, ...] | None,
    dtype: str,
    attributes: Mapping[str, Any],
) -> zarr.Array[Any]:
    return group.create_array(
        name,
        shape=shape,
        chunks=chunks,
        shards=shards,
        dtype=dtype,
        fill_value=0,
        dimension_names=list(dimensions),
        attributes=dict(attributes),
        config={"write_empty_chunks": True},
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


def write_trajectory(
    writer: CubeWriter, record: Record, start: NDArray[np.uint8], legend: Legend, first_year: int, workers: Workers
) -> zarr.Array[Any]:
    """Write the map of every year of one walk.

    Parameters
    ----------
    record : what the walk changes
    start : (y, x) uint8, the map that it begins with, in the first year
    workers : who writes blocks side by side

    Returns
    -------
    the array ``land_cover`` (time, y, x), from the first year on
    """
    array = writer.add("land_cover", ("time", "y", "x"), legend_attributes(legend), layout=TRAJECTORY)

    def write(rows: tuple[int, int]) -> None:
        for changes in record.split(rows, TRAJECTORY.block):
            maps = record.unroll(changes, start, first_year, array.shape[0] - 1)
            _put(array, changes.block, maps)

    workers.map(write, record.bands(TRAJECTORY.block))
    return array


def write_ensemble(writer: CubeWriter, ensemble: Ensemble, workers: Workers) -> None:
    """Write in how many members each cell has each class in each year, and in how many it changes, and when.

    Parameters
    ----------
    ensemble : its counts are stored as they are, and decoded by readers to shares from 0 to 1
    workers : who counts and writes blocks side by side
    """
    share = _share(ensemble, "has the class")
    counted = writer.add("probability", ("time", "class", "y", "x"), share, layout=PROBABILITY)
    changing = writer.add("change_share", ("y", "x"), _share(ensemble, "changes"))
    meaning = "mean year of the {} change, over the members in which the cell changes; 0 = in none"
    first, last = (
        writer.add(f"{name}_change", ("y", "x"), {"units": "year", "long_name": meaning.format(name)}, "uint16")
        for name in ("first", "last")
    )

    def write(rows: tuple[int, int]) -> None:
        for changes in ensemble.record.split(rows, PROBABILITY.block):
            timing = ensemble.time(changes)
            _put(counted, changes.block, ensemble.count(changes))
            for array, values in (
                (changing, timing.members),
                (first, timing.first_year),
                (last, timing.last_year),
            ):
                _put(array, changes.block, values)

    workers.map(write, ensemble.record.bands(PROBABILITY.block))


def _put(array: zarr.Array[Any], block: Block, values: NDArray[Any]) -> None:
    """Write a block; one of zeros is left out."""
    if values.any():
        top, bottom, left, right = block
        array[..., top:bottom, left:right] = values


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
        None,
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
        _add_array(group, name, (name,), size, size, None, "uint8", {"units": "1"})[:] = np.array(values, np.uint8)
    _add_array(
        group,
        "recalibration",
        ("time", *around),
        table.shape,
        (1, *table.shape[1:]),
        None,
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
