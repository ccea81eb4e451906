"""A small reader of a run's cubes: windows of their arrays, and nothing of the rest."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import zarr
from affine import Affine
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from zarr.errors import BaseZarrError

from tiles.errors import LayerUnreadable

_DAYS = "days since "


@dataclass(frozen=True, eq=False)
class Cube:
    """An open Zarr group on the grid of a landscape; any number of threads may read it.

    Attributes
    ----------
    group : zarr.Group
    geobox : GeoBox
        The grid of its arrays.
    years : tuple of int
        Along ``time``.
    classes : tuple of int
        Values of the legend, along ``class``.
    """

    group: Any
    geobox: GeoBox
    years: tuple[int, ...]
    classes: tuple[int, ...]

    def read(self, name: str, *place: Any) -> NDArray[Any]:
        """Read a part of an array, as stored.

        Raises
        ------
        LayerUnreadable
            If the array is missing or damaged.
        """
        try:
            return np.asarray(self.group[name][place])
        except (BaseZarrError, KeyError, OSError, RuntimeError, ValueError) as error:
            raise _unreadable() from error

    def holds(self, name: str) -> bool:
        """Tell whether there is an array of this name."""
        return name in self.group

    @property
    def members(self) -> int:
        """How many members the counts of ``probability`` are of."""
        return int(self.group["probability"].attrs["members"])


@lru_cache(maxsize=32)
def open_cube(source: str, version: str) -> Cube:  # noqa: ARG001 (a run of the same name made later is another)
    """Open a cube; it stays open.

    Parameters
    ----------
    source : str
        The folder of a Zarr group.
    version : str
        Changes when the cube does.

    Raises
    ------
    LayerUnreadable
        If it is missing, damaged or without grid.
    """
    try:
        group: Any = zarr.open_group(source, mode="r")
        place = group["spatial_ref"].attrs
        transform = Affine.from_gdal(*(float(number) for number in str(place["GeoTransform"]).split()))
        shape = (group["y"].shape[0], group["x"].shape[0])
        classes = tuple(int(value) for value in group["class"][:]) if "class" in group else ()
        return Cube(group, GeoBox(shape, transform, str(place["crs_wkt"])), _read_years(group), classes)
    except (BaseZarrError, KeyError, OSError, RuntimeError, TypeError, ValueError) as error:
        raise _unreadable() from error


def _read_years(group: Any) -> tuple[int, ...]:
    start = np.datetime64(str(group["time"].attrs["units"]).removeprefix(_DAYS)[:10])
    moments = start + group["time"][:].astype("timedelta64[D]")
    return tuple(int(str(moment)[:4]) for moment in moments)


def _unreadable() -> LayerUnreadable:
    return LayerUnreadable("A cube of this run is missing or damaged. Tell whoever runs this server.")
