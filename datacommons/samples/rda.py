"""Rasters in the data files of R: lists of ``RasterLayer``, as the package raster makes them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from affine import Affine
from numpy.typing import NDArray

from datacommons.errors import InvalidRaster, NotInstalled

if TYPE_CHECKING:
    from rdata.parser import RObject


@dataclass(frozen=True)
class RasterLayer:
    """A raster that R had in memory.

    Attributes
    ----------
    cells : (y, x) float64, NaN = no data
    transform : Affine
        From columns and rows to the coordinates of its CRS.
    """

    cells: NDArray[np.float64]
    transform: Affine


def read_rasters(path: Path, name: str) -> dict[str, RasterLayer]:
    """Read a list of rasters from an R data file (``.rda``), by their names in the list.

    Parameters
    ----------
    path : Path
    name : str
        Of the list among the objects in the file.

    Raises
    ------
    InvalidRaster
        If there is no such list, or one of its members is no raster.
    NotInstalled
    """
    try:
        from rdata.parser import parse_file
    except ImportError as error:
        raise NotInstalled("Samples need two more packages: pip install 'datacommons[samples]'.") from error
    objects = dict(_pairs(parse_file(path).object))
    if name not in objects:
        raise InvalidRaster(f"{path.name} has no object {name!r}; it has: {', '.join(objects) or 'none'}.")
    members = objects[name]
    names = _vector(dict(_pairs(members.attributes)).get("names"))
    try:
        return {str(each): _read_raster(member) for each, member in zip(names, members.value, strict=True)}
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidRaster(f"{name} in {path.name} is no list of rasters (RasterLayer) held in memory.") from error


def _read_raster(layer: RObject) -> RasterLayer:
    slots = dict(_pairs(layer.attributes))
    height, width = (int(_vector(slots[side])[0]) for side in ("nrows", "ncols"))
    extent = dict(_pairs(slots["extent"].attributes))
    west, east, south, north = (float(_vector(extent[edge])[0]) for edge in ("xmin", "xmax", "ymin", "ymax"))
    values = np.ma.asarray(_vector(dict(_pairs(slots["data"].attributes))["values"]), np.float64)
    cells = values.filled(np.nan).reshape(height, width)
    cells[np.isnan(cells)] = np.nan  # R's NA is a signalling NaN, on which NumPy's nanmin and others trip
    transform = Affine((east - west) / width, 0, west, 0, (south - north) / height, north)
    return RasterLayer(cells, transform)


def _vector(node: RObject | None) -> Any:
    """Return a vector of R as an array; where it has whole numbers that are NA, they are masked."""
    from rdata.conversion import convert

    return () if node is None else convert(node)


def _pairs(node: RObject | None) -> Iterator[tuple[str, RObject]]:
    """Yield names and values of a pairlist: the objects of a file, or the slots of an object.

    Only what is asked for is converted then: rasters carry functions, which rdata cannot convert.
    """
    while node is not None and node.value is not None:
        value, rest = node.value
        yield str(_vector(node.tag)), value
        node = rest
