"""NetCDF and Zarr: one variable at one time, as a raster to ingest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from odc.geo.crs import CRS
from odc.geo.geobox import GeoBox
from rasterio.windows import Window

from datacommons.errors import InvalidRaster
from datacommons.ingest.rasters import RasterSource, choose_crs, refuse_unbounded, stripe_rows

if TYPE_CHECKING:
    import xarray as xr

_AXES = {
    "x": ("x", "lon", "longitude", "long", "easting", "projection_x_coordinate", "grid_longitude"),
    "y": ("y", "lat", "latitude", "northing", "projection_y_coordinate", "grid_latitude"),
    "time": ("time", "t", "year", "date"),
}
_DEGREES = ("lon", "longitude", "long", "lat", "latitude")
_EVEN = 0.01
"""By what share of a cell a coordinate may be off an even step: single precision rounds that much."""
_ZARR_HEADS = ("zarr.json", ".zgroup", ".zarray", ".zmetadata")
_SIGNATURES = (b"\x89HDF\r\n\x1a\n", b"CDF\x01", b"CDF\x02", b"CDF\x05")


@dataclass(frozen=True)
class DatasetSource(RasterSource):
    """One variable of a NetCDF file or a Zarr folder, at one time.

    Attributes
    ----------
    variable : str
    selection : mapping
        Dimension to the index chosen.
    axes : tuple of str
        The dimensions of y and x.
    turned : tuple of bool
        Whether rows run from south to north, and columns from east to west.
    """

    variable: str = ""
    selection: Mapping[str, int] | None = None
    axes: tuple[str, str] = ("y", "x")
    turned: tuple[bool, bool] = (False, False)

    def blocks(self) -> Iterator[tuple[Window, np.ma.MaskedArray[Any, np.dtype[Any]]]]:
        """Read the variable by stripes from north to south, as stored, with nodata and NaN masked."""
        height, width = self.geobox.shape
        with open_dataset(self.path) as dataset:
            plane = dataset[self.variable].isel(dict(self.selection or {})).transpose(*self.axes)
            steps = [slice(None, None, -1 if turned else 1) for turned in self.turned]
            plane = plane.isel(dict(zip(self.axes, steps, strict=True)))
            stripe = stripe_rows(height, width, 1)
            for row in range(0, height, stripe):
                rows = min(stripe, height - row)
                cells = self._read(plane.isel({self.axes[0]: slice(row, row + rows)}), row)
                missing = np.zeros(cells.shape, bool) if self.nodata is None else cells == self.nodata
                yield Window(0, row, width, rows), np.ma.masked_invalid(np.ma.array(cells, mask=missing), copy=False)

    def _read(self, plane: xr.DataArray, row: int) -> NDArray[Any]:
        try:
            return np.asarray(plane.values)
        except (OSError, ValueError, RuntimeError, KeyError) as error:
            raise InvalidRaster(
                f"{self.name} is damaged: rows from {row} on cannot be read. "
                "The file was perhaps cut short: copy or download it again."
            ) from error


def is_dataset(path: Path) -> bool:
    """Tell whether a file is NetCDF or HDF5 by how it begins, or a folder a Zarr by what it holds or is called."""
    if path.is_dir():
        return path.suffix == ".zarr" or any((path / name).is_file() for name in _ZARR_HEADS)
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(8).startswith(_SIGNATURES)


def open_variable(
    path: Path, *, crs: str | None = None, variable: str | None = None, time: str | None = None
) -> DatasetSource:
    """Open one variable of a NetCDF file or a Zarr folder, at one time.

    Parameters
    ----------
    path : Path
    crs : str, optional
        The CRS of a file that names none.
    variable : str, optional
        Which, if there are several.
    time : str, optional
        Which, if there are several: how its ISO date begins, as ``2000`` or ``2000-07``.

    Raises
    ------
    InvalidRaster
        If it is damaged, or lacks coordinates, a CRS, an even grid, or a clear variable and time.
    """
    with open_dataset(path) as dataset:
        name = _choose_variable(path, dataset, variable)
        array = dataset[name]
        place = find_place(path, dataset, array, crs=crs)
        selection = _choose_indices(path, array, place.axes, time)
        shape = (place.geobox.shape.y, place.geobox.shape.x)
        refuse_unbounded(path, shape, _size_on_disk(path), _chunk_bytes(array))
        attrs = {**array.attrs, **array.encoding}
        return DatasetSource(
            path=path,
            band=1,
            geobox=place.geobox,
            dtype=str(array.dtype),
            nodata=_find_nodata(array, attrs),
            scale=float(attrs.get("scale_factor", 1.0)),
            offset=float(attrs.get("add_offset", 0.0)),
            unit=str(attrs.get("units", "")),
            product=str(dataset.attrs.get("product", "")),
            product_version=str(dataset.attrs.get("product_version", "")),
            variable=name,
            selection=selection,
            axes=place.axes,
            turned=place.turned,
            notes=(*place.notes, *_note_gaps(path, name, attrs)),
        )


class Place(NamedTuple):
    """Where an array lies: its grid, north up; its dimensions of y and x, and which were turned for that; notes."""

    geobox: GeoBox
    axes: tuple[str, str]
    turned: tuple[bool, bool]
    notes: tuple[str, ...]


def find_place(path: PurePath, dataset: xr.Dataset, array: xr.DataArray, *, crs: str | None) -> Place:
    """Tell where an array of a dataset lies, by its coordinates and their CRS.

    Raises
    ------
    InvalidRaster
        If it lacks coordinates or a CRS, or is not even.
    """
    axes = (_find_axis(path, array, "y"), _find_axis(path, array, "x"))
    measured = [_measure_axis(path, array, name) for name in axes]
    known, notes = _find_crs(dataset, array, axes)
    shape = (array.sizes[axes[0]], array.sizes[axes[1]])
    geobox, turned = _find_grid(shape, measured, choose_crs(path, known, crs))
    return Place(geobox, axes, turned, notes)


@contextmanager
def open_dataset(path: Path) -> Iterator[xr.Dataset]:
    """Open a NetCDF file or a Zarr folder, with cells as stored. Raises InvalidRaster."""
    import xarray as xr

    kind = "Zarr" if path.is_dir() else "NetCDF"
    # Of a dataset with times that no calendar here knows, everything else can still be read.
    opened = None
    for decode_times in (True, False):
        try:
            opened = xr.open_dataset(
                path,
                engine=_engine(path),
                decode_coords="all",
                mask_and_scale=False,
                decode_times=decode_times,
                backend_kwargs={"consolidated": False} if kind == "Zarr" else None,
            )
            break
        except (OSError, ValueError, KeyError, TypeError, RuntimeError, ImportError) as error:
            cause = error
    if opened is None:
        said = (str(cause).strip().splitlines() or ["no reason given"])[0]
        raise InvalidRaster(
            f"{path.name} cannot be read as {kind}: {said}. It was perhaps cut short or written by half: copy it or "
            "write it again."
        ) from cause
    with opened:
        yield opened


def _engine(path: Path) -> str:
    if path.is_dir():
        return "zarr"
    with path.open("rb") as file:
        return "scipy" if file.read(3) == b"CDF" else "h5netcdf"


def _choose_variable(path: Path, dataset: xr.Dataset, variable: str | None) -> str:
    known = [str(name) for name, array in dataset.data_vars.items() if array.ndim >= 2]
    if variable is not None and variable not in known:
        raise InvalidRaster(f"{path.name} has no variable {variable!r} with rows and columns; it has: {_list(known)}.")
    if variable is not None:
        return variable
    if len(known) == 1:
        return known[0]
    if not known:
        raise InvalidRaster(f"{path.name} has no variable with rows and columns; it has: {_list(dataset.variables)}.")
    raise InvalidRaster(
        f"{path.name} has several variables and a layer is one: {_list(known)}. Say which, as in --variable {known[0]}."
    )


def _find_axis(path: PurePath, array: xr.DataArray, axis: str) -> str:
    """Return the dimension of an axis, by its name or what its coordinate says of itself."""
    for name in map(str, array.dims):
        attrs = array.coords[name].attrs if name in array.coords else {}
        said = {name.lower(), str(attrs.get("standard_name", "")), str(attrs.get("axis", "")).lower()}
        if said & set(_AXES[axis]):
            return name
    raise InvalidRaster(
        f"{path.name} has no coordinates for {axis} of {array.name!r}: its dimensions are {_list(array.dims)}. Give it "
        "coordinates called x and y, or longitude and latitude, of its cell centres."
    )


def _choose_indices(path: Path, array: xr.DataArray, axes: Sequence[str], time: str | None) -> dict[str, int]:
    """Return one index for every dimension besides rows and columns."""
    chosen: dict[str, int] = {}
    for name in map(str, array.dims):
        if name in axes:
            continue
        if name.lower() in _AXES["time"] or np.dtype(array[name].dtype).kind == "M":
            chosen[name] = _choose_time(path, array, name, time)
            continue
        if array.sizes[name] > 1:
            raise InvalidRaster(
                f"{path.name} has {array.sizes[name]} values of {name!r}, besides time: cut one out, as with "
                f"`ncks -d {name},0`."
            )
        chosen[name] = 0
    return chosen


def _choose_time(path: Path, array: xr.DataArray, name: str, time: str | None) -> int:
    times = [str(value) for value in (array[name].values if name in array.coords else range(array.sizes[name]))]
    found = [place for place, text in enumerate(times) if time is None or text.startswith(time)]
    if len(found) == 1:
        return found[0]
    known = f"{times[0][:19]} to {times[-1][:19]}" if times else "none"
    if not found:
        raise InvalidRaster(f"{path.name} has nothing at {name} {time}; it has {len(times)}: {known}.")
    raise InvalidRaster(
        f"{path.name} has {len(found)} values of {name!r} ({known}) and a layer is of one: say which, as in "
        f"--time {times[-1][:10]}."
    )


def _find_crs(dataset: xr.Dataset, array: xr.DataArray, axes: Sequence[str]) -> tuple[Any, tuple[str, ...]]:
    import odc.geo.xr  # noqa: F401  (gives arrays the accessor odc)

    known = array.odc.crs
    if known is None:
        # Some writers lose the reference to the variable that holds the CRS.
        attrs = [dataset[name].attrs for name in dataset.variables]
        said = {str(each.get("crs_wkt") or each.get("spatial_ref") or "") for each in attrs} - {""}
        known = CRS(said.pop()) if len(said) == 1 else None
    if known is None and all(axis.lower() in _DEGREES for axis in axes):
        return CRS("EPSG:4326"), ("its longitudes and latitudes were taken to be in WGS 84",)
    return known, ()


def _find_grid(
    shape: tuple[int, int], axes: Sequence[tuple[float, float, bool]], crs: CRS
) -> tuple[GeoBox, tuple[bool, bool]]:
    """Return the grid of two axes that were measured, north up, and which were turned for that."""
    (south, height, falling), (west, width, turned) = axes
    if crs.geographic and west >= 180:
        west -= 360
    affine = Affine(width, 0, west, 0, -height, south + shape[0] * height)
    return GeoBox(shape, affine, crs), (not falling, turned)


def _measure_axis(path: PurePath, array: xr.DataArray, name: str) -> tuple[float, float, bool]:
    """Return where the lowest cell of an axis begins, the edge of a cell, and whether values fall."""
    if name not in array.coords:
        raise InvalidRaster(
            f"{path.name} has no coordinates for its dimension {name!r}, so nobody knows where {array.name!r} lies: "
            "give it those of its cell centres."
        )
    centres = np.asarray(array[name].values, np.float64)
    if centres.size < 2:
        raise InvalidRaster(f"{path.name} has {centres.size} value of {name!r}: the size of its cells is not known.")
    step = (centres[-1] - centres[0]) / (centres.size - 1)
    steps = np.diff(centres)
    if not np.isfinite(centres).all() or step == 0 or (np.abs(steps - step) > _EVEN * abs(step)).any():
        raise InvalidRaster(
            f"{path.name} has an uneven {name!r}: its steps go from {steps.min():g} to {steps.max():g}. Bring it onto "
            "an "
            "even grid first, as with `cdo remapnn`."
        )
    return float(centres.min() - abs(step) / 2), float(abs(step)), bool(step < 0)


def _find_nodata(array: xr.DataArray, attrs: Mapping[str, Any]) -> float | None:
    found = attrs.get("_FillValue", attrs.get("missing_value"))
    if found is None or (np.dtype(array.dtype).kind == "f" and np.isnan(np.ravel(found)[0])):
        return None
    return float(np.ravel(found)[0])


def _note_gaps(path: Path, name: str, attrs: Mapping[str, Any]) -> tuple[str, ...]:
    """Say, or refuse, that chunks of a Zarr array were never written."""
    if not path.is_dir():
        return ()
    import zarr

    array = zarr.open_array(path / name, mode="r")
    missing = array.nchunks - array.nchunks_initialized
    if not missing:
        return ()
    if "_FillValue" not in attrs and "missing_value" not in attrs:
        raise InvalidRaster(
            f"{path.name} lacks {missing:,} of the {array.nchunks:,} chunks of {name!r}, and does not say what their "
            "cells "
            "hold (_FillValue): it was perhaps written by half. Write it again."
        )
    return (f"{missing:,} of {array.nchunks:,} chunks of {path.name} were never written: their cells are nodata",)


def _chunk_bytes(array: xr.DataArray) -> int:
    chunks = array.encoding.get("chunks") or array.encoding.get("chunksizes") or (1,)
    return int(np.prod([int(side) for side in chunks], dtype=np.int64)) * int(array.dtype.itemsize)


def _size_on_disk(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


def _list(names: Any) -> str:
    return ", ".join(map(str, names)) or "none"
