"""The interpolated places of pixels equal the projected ones."""

from __future__ import annotations

import morecantile
import numpy as np
import pytest
from affine import Affine
from pyproj import Transformer

from tiles.reading.placement import place_pixels
from tiles.reading.view import View

TMS = morecantile.tms.get("WebMercatorQuad")
RASTERS = {
    "utm": ("EPSG:32618", Affine(30, 0, 300_000, 0, -30, 4_900_000), (-73.5, 42.7)),
    "lambert": ("EPSG:26986", Affine(10, 0, 213_729, 0, -10, 954_550), (-71.0, 42.7)),
    "europe": ("EPSG:3035", Affine(100, 0, 4_000_000, 0, -100, 3_000_000), (10.0, 52.0)),
    "degrees": ("EPSG:4326", Affine(0.0003, 0, -71, 0, -0.0003, 43), (-70.9, 42.9)),
    "polar": ("EPSG:3413", Affine(500, 0, -3_850_000, 0, -500, 5_850_000), (-45.0, 80.0)),
    "fiji": ("EPSG:32760", Affine(30, 0, 700_000, 0, -30, 8_200_000), (179.99, -17.0)),
    "same": ("EPSG:3857", Affine(30, 0, -8_000_000, 0, -30, 5_200_000), (-71.5, 42.0)),
    "beyond": ("EPSG:4326", Affine(0.0003, 0, 178, 0, -0.0003, -16), (-179.9, -17.0)),
}
AROUND = {"degrees": 360 / 0.0003, "same": 2 * np.pi * 6_378_137 / 30, "beyond": 360 / 0.0003}
"""Columns until the same place comes again."""


@pytest.mark.parametrize("zoom", [0, 2, 4, 5, 7, 9, 12, 16, 22])
@pytest.mark.parametrize("raster", RASTERS)
def test_pixels_lie_where_each_is_projected_on_its_own(raster: str, zoom: int) -> None:
    crs, transform, place = RASTERS[raster]
    left, bottom, right, top = TMS.xy_bounds(TMS.tile(*place, zoom))
    view = View("EPSG:3857", (left, bottom, right, top), 64, 64)
    columns, rows = place_pixels(view, raster_crs=crs, transform=transform)
    steps = (np.arange(64) + 0.5) / 64
    x, y = np.meshgrid(left + steps * (right - left), top - steps * (top - bottom))
    east, north = Transformer.from_crs("EPSG:3857", crs, always_xy=True).transform(x, y)
    reached = np.isfinite(east) & np.isfinite(north)
    assert reached.any()
    across, down = (east - transform.c) / transform.a, (north - transform.f) / transform.e
    expected = (np.mod(across, AROUND[raster]) if raster in AROUND else across), down
    for found, truth in zip((columns, rows), expected, strict=True):
        assert found.shape == (64, 64)
        np.testing.assert_allclose(found[reached], truth[reached], rtol=1e-12, atol=1e-7)
        assert not np.isfinite(found[~reached]).any()
