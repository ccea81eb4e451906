"""Files of layers that stay open, since opening one takes as long as drawing a tile."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Any, Final, Self

import rasterio
from affine import Affine
from rasterio._err import CPLE_BaseError  # WarpedVRT lets GDAL's own errors through; no public name
from rasterio.errors import RasterioError

from tiles.errors import LayerUnreadable
from tiles.reading.projections import find_turn
from tiles.routes.layer import Layer

GDAL_ENV: Final[dict[str, Any]] = {
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",  # a COG has no sidecars: do not look for any
    "GDAL_PAM_ENABLED": False,
    "GDAL_INGESTED_BYTES_AT_OPEN": 32_768,
    "GDAL_HTTP_MERGE_CONSECUTIVE_RANGES": True,
    "VSI_CACHE": True,
}

_MOST_IDLE: Final = 64
_log = logging.getLogger(__name__)

Key = tuple[str, str, int | None]


@dataclass(frozen=True, eq=False)
class Raster:
    """An open file, or one of its overviews, and what it says of itself: asking GDAL each time is slow.

    Attributes
    ----------
    dataset : rasterio.DatasetReader
        For one thread at a time.
    crs : str
        As WKT or authority code.
    transform : Affine
    width, height : int
    bounds : tuple of float
        left, bottom, right, top.
    dtype : str
    nodata : float or None
    has_mask : bool
        Whether other things than the nodata value tell what is missing.
    overviews : tuple of int
        By what factors they are coarser.
    goes_around : bool
        Whether it reaches around more than half of the world.
    """

    dataset: Any
    crs: str
    transform: Affine
    width: int
    height: int
    bounds: tuple[float, float, float, float]
    dtype: str
    nodata: float | None
    has_mask: bool
    overviews: tuple[int, ...]
    goes_around: bool

    @classmethod
    def of(cls, dataset: Any) -> Self:
        """Ask an open dataset."""
        flags = {flag.name for flag in dataset.mask_flag_enums[0]}
        crs = dataset.crs.to_string() if dataset.crs else ""
        turn = find_turn(crs) if crs else None
        return cls(
            dataset=dataset,
            crs=crs,
            transform=dataset.transform,
            width=dataset.width,
            height=dataset.height,
            bounds=tuple(dataset.bounds),
            dtype=dataset.dtypes[0],
            nodata=dataset.nodata,
            has_mask=bool(flags - {"all_valid", "nodata"}),
            overviews=tuple(dataset.overviews(1)),
            goes_around=turn is not None and dataset.bounds.right - dataset.bounds.left > turn / 2,
        )


class DatasetPool:
    """Lends open files, each to one borrower at a time, and keeps those that were used last.

    Whoever borrows a file that is lent already gets another handle of it. A layer without version is opened
    anew each time, for nobody could tell that its file was replaced.

    Parameters
    ----------
    most_idle : int
        How many files stay open when nobody uses them.
    """

    def __init__(self, most_idle: int = _MOST_IDLE) -> None:
        self._most_idle = most_idle
        self._lock = Lock()
        self._idle: list[tuple[Key, Raster]] = []

    def __len__(self) -> int:
        """Return how many open files wait for a borrower."""
        return len(self._idle)

    @contextmanager
    def lend(self, layer: Layer, level: int | None = None) -> Iterator[Raster]:
        """Lend a layer's file, or one of its overviews, counted from 0.

        Raises
        ------
        LayerUnreadable
            If the file is missing, damaged, no GeoTIFF or without CRS.
        """
        key = (layer.source, layer.version, level)
        raster = self._take(key) or _open(layer, level)
        usable = bool(layer.version)
        try:
            yield raster
        except LayerUnreadable:
            usable = False
            raise
        finally:
            self._give_back(key, raster) if usable else raster.dataset.close()

    def close(self) -> None:
        """Close the files that nobody uses."""
        with self._lock:
            idle, self._idle = self._idle, []
        for _, raster in idle:
            raster.dataset.close()

    def _take(self, key: Key) -> Raster | None:
        with self._lock:
            # The last one given back: GDAL keeps blocks by handle, and it has the freshest.
            for place in range(len(self._idle) - 1, -1, -1):
                if self._idle[place][0] == key:
                    return self._idle.pop(place)[1]
        return None

    def _give_back(self, key: Key, raster: Raster) -> None:
        with self._lock:
            self._idle.append((key, raster))
            surplus = self._idle[: -self._most_idle]
            del self._idle[: -self._most_idle]
        for _, old in surplus:
            old.dataset.close()


def _open(layer: Layer, level: int | None) -> Raster:
    """Open a file by the GeoTIFF driver alone: a VRT could name any other file or host."""
    options = {} if level is None else {"OVERVIEW_LEVEL": level}
    with gdal_errors(layer), rasterio.Env(**GDAL_ENV):
        raster = Raster.of(rasterio.open(layer.source, driver="GTiff", **options))
    if not raster.crs:
        raster.dataset.close()
        raise LayerUnreadable(f"The file of {layer.item_id!r} has no CRS. Ingest it again, with --crs.")
    return raster


@contextmanager
def gdal_errors(layer: Layer) -> Iterator[None]:
    """Keep GDAL's messages, which name paths, to the log.

    Raises
    ------
    LayerUnreadable
    """
    try:
        yield
    except (RasterioError, CPLE_BaseError) as error:
        _log.exception("Cannot read %s", layer.source)
        raise LayerUnreadable(
            f"The file of the asset {layer.asset_key!r} of {layer.item_id!r} is missing or damaged. "
            "Tell whoever runs this server; the layer has to be ingested again."
        ) from error
