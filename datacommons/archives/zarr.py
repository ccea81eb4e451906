"""A Zarr on the network: the mean of one variable over years, of the window that a landscape needs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from io import UnsupportedOperation
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from rasterio.warp import transform_bounds
from zarr.abc.store import ByteRequest, OffsetByteRequest, RangeByteRequest, Store, SuffixByteRequest
from zarr.core.buffer import Buffer, BufferPrototype

from datacommons.archives.links import Links, ask
from datacommons.archives.mosaic import prepare_folder, save_part
from datacommons.archives.search import Box
from datacommons.errors import InvalidIngest, InvalidRaster, RemoteFailed
from datacommons.grids import cell_size_m
from datacommons.ingest.datasets import find_place

if TYPE_CHECKING:
    import xarray as xr

_MARGIN_CELLS = 2  # so that the edge of the landscape can be interpolated


class RemoteStore(Store):
    """A Zarr behind signed links, to be read only: what is not there is told from what cannot be read."""

    supports_writes = False
    supports_deletes = False
    supports_listing = False

    def __init__(self, href: str, links: Links) -> None:
        super().__init__(read_only=True)
        self.href, self._links = href.rstrip("/"), links

    def __eq__(self, other: object) -> bool:
        """Tell whether both read the same Zarr."""
        return isinstance(other, RemoteStore) and other.href == self.href

    __hash__ = None  # type: ignore[assignment]  # as of all stores

    async def get(self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None) -> Buffer | None:
        """Read an object or a part of it; None if it is not there."""
        content = await asyncio.to_thread(self._fetch, key)
        return None if content is None else prototype.buffer.from_bytes(_cut(content, byte_range))

    async def get_partial_values(
        self, prototype: BufferPrototype, key_ranges: Iterable[tuple[str, ByteRequest | None]]
    ) -> list[Buffer | None]:
        """Read parts of objects."""
        return [await self.get(key, prototype, part) for key, part in key_ranges]

    async def exists(self, key: str) -> bool:
        """Tell whether an object is there."""
        return await asyncio.to_thread(self._fetch, key) is not None

    async def set(self, key: str, value: Buffer) -> None:
        """Refuse: nothing is written to an archive."""
        raise self._refuse(f"write {key} ({len(value)} bytes)")

    async def delete(self, key: str) -> None:
        """Refuse: nothing is deleted from an archive."""
        raise self._refuse(f"delete {key}")

    def list(self) -> AsyncIterator[str]:
        """Refuse: archives are not listed."""
        raise self._refuse("list")

    def list_prefix(self, prefix: str) -> AsyncIterator[str]:
        """Refuse: archives are not listed."""
        raise self._refuse(f"list {prefix}")

    def list_dir(self, prefix: str) -> AsyncIterator[str]:
        """Refuse: archives are not listed."""
        raise self._refuse(f"list {prefix}")

    def _refuse(self, what: str) -> UnsupportedOperation:
        return UnsupportedOperation(f"Cannot {what}: {self.href} is an archive, which is only read.")

    def _fetch(self, key: str) -> bytes | None:
        def renew() -> str:
            self._links.forget(self.href)
            return self._locate(key)

        answer = ask(self._links.session, self._locate(key), self._links.patience, renew=renew, absent=True)
        return answer.content if answer.ok else None

    def _locate(self, key: str) -> str:
        # A link to the whole is signed for all that is in it.
        parts = urlsplit(self._links.sign(self.href))
        return parts._replace(path=f"{parts.path.rstrip('/')}/{key}").geturl()


def fetch_mean(
    href: str,
    variable: str,
    years: Sequence[int],
    box: Box,
    links: Links,
    folder: Path,
    advance: Callable[[float], None],
) -> tuple[Path, float]:
    """Read the mean of a variable over years, in a window, into a GeoTIFF; years that are there are not read again.

    Parameters
    ----------
    href : str
        The Zarr, unsigned, with consolidated metadata.
    variable : str
    years : sequence of int
        The mean of each counts alike.
    box : tuple of float
        West, south, east and north, in degrees.
    links : Links
    folder : Path
        Where years are kept until all are there.
    advance : callable
        Told the share of the years that are there.

    Returns
    -------
    Path and float
        The GeoTIFF, float32 with NaN, on the grid of the source; and the edge of its cells in metres.

    Raises
    ------
    RemoteFailed
        If it cannot be read. The years read so far are kept.
    InvalidIngest
        If it has no such variable or year.
    """
    name = PurePosixPath(urlsplit(href).path)
    with _open(href, links) as dataset:
        if variable not in dataset.data_vars:
            known = ", ".join(str(each) for each, array in dataset.data_vars.items() if array.ndim == 3)
            raise InvalidIngest(f"{name.name} has no variable {variable!r}; it has: {known}.")
        try:
            plane, grid = _cut_out(name, dataset, variable, box)
        except InvalidRaster as error:
            raise RemoteFailed(str(error)) from error
        prepare_folder(folder, {"zarr": href, "variable": variable, "years": list(years), "grid": [*grid.affine[:6]]})
        parts = []
        for year in years:
            part = folder / f"year-{year}.npy"
            if not part.exists():
                save_part(part, _average(plane, year))
            parts.append(np.load(part))
            advance(1 / len(years))
        unit = str(dataset[variable].attrs.get("units", ""))
    return _write(folder / f"{variable}.tif", np.mean(parts, axis=0), grid, unit), cell_size_m(grid)


def _open(href: str, links: Links) -> xr.Dataset:
    import xarray as xr

    try:
        dataset: xr.Dataset = xr.open_zarr(
            RemoteStore(href, links), consolidated=True, chunks=None, decode_coords="all"
        )
    except (OSError, ValueError, KeyError) as error:
        if isinstance(error, RemoteFailed):
            raise
        raise RemoteFailed(f"{href} cannot be read as a Zarr with consolidated metadata: {error}.") from error
    return dataset


def _cut_out(name: PurePosixPath, dataset: xr.Dataset, variable: str, box: Box) -> tuple[xr.DataArray, GeoBox]:
    """Return a variable in a window, rows from the north, and its grid there."""
    array = dataset[variable]
    place = find_place(name, dataset, array, crs=None)
    assert place.geobox.crs is not None  # one was found, or taken to be WGS 84
    bounds = transform_bounds("EPSG:4326", place.geobox.crs.to_wkt(), *box, densify_pts=21)
    height, width = place.geobox.shape
    (left, top), (right, bottom) = (
        ~place.geobox.affine @ corner for corner in ((bounds[0], bounds[3]), bounds[2:0:-1])
    )
    rows = slice(max(0, int(top) - _MARGIN_CELLS), min(height, int(bottom) + 1 + _MARGIN_CELLS))
    columns = slice(max(0, int(left) - _MARGIN_CELLS), min(width, int(right) + 1 + _MARGIN_CELLS))
    if rows.start >= rows.stop or columns.start >= columns.stop:
        raise InvalidIngest(f"{name.name} does not cover the landscape.")
    turns = [slice(None, None, -1 if turned else 1) for turned in place.turned]
    upright = array.isel(dict(zip(place.axes, turns, strict=True)))
    window = upright.isel({place.axes[0]: rows, place.axes[1]: columns}).transpose(..., *place.axes)
    affine = place.geobox.affine @ Affine.translation(columns.start, rows.start)
    return window, GeoBox((rows.stop - rows.start, columns.stop - columns.start), affine, place.geobox.crs)


def _average(plane: xr.DataArray, year: int) -> NDArray[np.float32]:
    found = plane.isel(time=np.flatnonzero(plane["time"].dt.year.values == year))
    if found.sizes["time"] == 0:
        raise InvalidIngest(f"{plane.name} has nothing of {year}.")
    return np.asarray(found.mean("time", dtype="float64").values, np.float32)


def _write(path: Path, cells: NDArray[np.float32], grid: GeoBox, unit: str) -> Path:
    profile: dict[str, Any] = {"driver": "GTiff", "count": 1, "dtype": "float32", "nodata": float("nan")}
    height, width = grid.shape
    crs = grid.crs.to_wkt() if grid.crs else None
    with rasterio.open(path, "w", height=height, width=width, crs=crs, transform=grid.affine, **profile) as dataset:
        dataset.write(cells.astype(np.float32), 1)
        dataset.set_band_unit(1, unit)
    return path


def _cut(content: bytes, part: ByteRequest | None) -> bytes:
    match part:
        case RangeByteRequest(start, end):
            return content[start:end]
        case OffsetByteRequest(offset):
            return content[offset:]
        case SuffixByteRequest(suffix):
            return content[-suffix:]
        case _:
            return content
