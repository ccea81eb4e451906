"""Layers as labelled arrays on the grid of their landscape."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import xarray as xr
from odc.geo.xr import wrap_xr
from rasterio.errors import RasterioIOError

from catalog.collections import LAND_COVER
from catalog.legend import Legend
from datacommons.alignment import Aligned, align
from datacommons.errors import LayerDamaged, LayerNotFound
from datacommons.landscape import Landscape
from datacommons.layers import Layer
from scenarios.scratch import IN_MEMORY, Scratch


def read_land_cover(
    layers: Sequence[Layer], landscape: Landscape, years: Sequence[int] | None, locate: Callable[[str], str]
) -> xr.DataArray:
    """Stack the land cover of a landscape on its grid; see :meth:`datacommons.Commons.land_cover`."""
    by_year = {layer.year: layer for layer in layers if layer.collection == LAND_COVER and layer.year is not None}
    wanted = sorted(by_year) if years is None else list(years)
    absent = [year for year in wanted if year not in by_year]
    if absent or not wanted:
        known = ", ".join(map(str, sorted(by_year))) or "no year"
        raise LayerNotFound(
            f"{landscape.id} has land cover of {known}, and {', '.join(map(str, absent)) or 'some'} was asked for. "
            "Ingest what is missing with `datacommons ingest FILE --collection land-cover`."
        )
    aligned = [align_layer(by_year[year], landscape, locate) for year in wanted]
    cube: xr.DataArray = wrap_xr(
        np.stack([one.data for one in aligned]),
        landscape.geobox,
        time=np.array([f"{year}-01-01" for year in wanted], "datetime64[ns]"),
        nodata=0,
        always_yx=True,
        axis=1,
        **_legend_attrs(landscape.legend),
        alignment=[f"{year}: {one.report}" for year, one in zip(wanted, aligned, strict=True)],
    )
    return cube.rename("land_cover")


def read_layer(layer: Layer, landscape: Landscape, locate: Callable[[str], str]) -> xr.DataArray:
    """Read a driver or zones onto the grid; see :meth:`datacommons.Commons.layer`."""
    aligned = align_layer(layer, landscape, locate)
    attrs = _legend_attrs(layer.legend) if layer.legend else {"units": layer.unit}
    plane: xr.DataArray = wrap_xr(
        aligned.data,
        landscape.geobox,
        nodata=0 if layer.legend else float("nan"),
        always_yx=True,
        **attrs,
        alignment=[aligned.report],
    )
    return plane.rename(layer.name)


def align_layer(
    layer: Layer, landscape: Landscape, locate: Callable[[str], str], scratch: Scratch = IN_MEMORY
) -> Aligned:
    """Read a layer of a commons onto the grid of its landscape.

    Raises
    ------
    LayerDamaged
        Its file is missing or damaged.
    """
    try:
        return align(locate(layer.href), landscape.geobox, classified=layer.legend is not None, scratch=scratch)
    except RasterioIOError as error:
        raise LayerDamaged(
            f"The layer {layer.item} cannot be read: its file {layer.href} is missing or damaged. "
            "Ingest it again with --replace."
        ) from error


def _legend_attrs(legend: Legend) -> dict[str, Any]:
    return {
        "units": "1",
        "flag_values": list(legend.values),
        "flag_meanings": " ".join(legend.names),
        "legend": json.dumps(legend.to_json(), ensure_ascii=False),
    }
