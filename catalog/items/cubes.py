"""What a Zarr cube says of itself: its grid, dimensions and variables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import odc.geo.xr  # noqa: F401  (registers the accessor that finds the grid)
import xarray as xr
from odc.geo.geobox import GeoBox
from zarr.errors import BaseZarrError

from catalog.errors import LayerError, UnreadableLayer
from catalog.legend import Legend


def describe_cube(path: Path, legend: Legend | None) -> tuple[GeoBox, dict[str, Any]]:
    """Read the grid of a cube, and the fields of an asset that describe it; no cell is read.

    Parameters
    ----------
    path : Path
        A Zarr v3 group.
    legend : Legend or None
        Its classes, told where a variable has CF's `flag_values`: a probability has none.

    Returns
    -------
    GeoBox
    dict
        Fields of the datacube, zarr and classification extensions.

    Raises
    ------
    UnreadableLayer
        Where it cannot be opened.
    LayerError
        Where it has no grid with a CRS.
    """
    try:
        with xr.open_zarr(path, chunks=None, decode_coords="all", consolidated=False) as cube:
            geobox = cube.odc.geobox
            if not isinstance(geobox, GeoBox) or geobox.crs is None:
                raise LayerError(f"{path.name} has no grid with a CRS: write `spatial_ref` with rioxarray or odc-geo.")
            classified = any("flag_values" in array.attrs for array in cube.data_vars.values())
            fields = {
                "cube:dimensions": {name: _describe_dimension(cube, str(name), geobox) for name in cube.sizes},
                "cube:variables": {name: _describe_variable(array) for name, array in cube.data_vars.items()},
            }
    except (OSError, ValueError, KeyError, BaseZarrError) as error:
        if isinstance(error, LayerError):
            raise
        raise UnreadableLayer(f"{path.name} cannot be opened as a Zarr cube: {error}.") from error
    zarr = {"zarr:node_type": "group", "zarr:zarr_format": 3}
    classes = {"classification:classes": legend.to_classification()} if legend and classified else {}
    return geobox, {**fields, **zarr, **classes}


def _describe_dimension(cube: xr.Dataset, name: str, geobox: GeoBox) -> dict[str, Any]:
    values = cube[name].to_numpy()
    if name in geobox.dimensions:
        axis = "y" if name == geobox.dimensions[0] else "x"
        extent = [float(values.min()), float(values.max())]
        crs = geobox.crs.to_epsg() or geobox.crs.to_wkt() if geobox.crs else None
        return {"type": "spatial", "axis": axis, "extent": extent, "reference_system": crs}
    if np.issubdtype(values.dtype, np.datetime64):
        moments = [f"{moment}Z" for moment in np.datetime_as_string(values, unit="s")]
        return {"type": "temporal", "extent": [moments[0], moments[-1]], "values": moments}
    return {"type": name, "values": values.tolist()}


def _describe_variable(array: xr.DataArray) -> dict[str, Any]:
    known = {"unit": array.attrs.get("units"), "description": array.attrs.get("long_name")}
    return {"dimensions": list(array.dims), "type": "data", **{key: value for key, value in known.items() if value}}
