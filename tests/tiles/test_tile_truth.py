"""Tiles at random places, zooms and projections, against GDAL's own nearest warp of the map and of its mode overviews.

`TRUTH_TILES=500` asks for more of them than the few that are looked at each time.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import morecantile
import numpy as np
import pytest
import rasterio
from affine import Affine
from numpy.typing import NDArray
from pyproj import Transformer
from rasterio.transform import from_bounds
from rasterio.warp import Resampling, reproject

from catalog.legend import Legend

# By so much of a cell, or of a pixel where that is larger, GDAL's warper misplaces one now and then, even asked for its
# best. Ours does not: test_tile_pixels.
GDAL_SLIPS = 0.03
TILES = int(os.environ.get("TRUTH_TILES", "45"))
SIDE = 900
GRIDS = {
    "utm": ("EPSG:32736", Affine(30, 0, 500_000, 0, -30, 9_800_000)),
    "degrees": ("EPSG:4326", Affine(0.0003, 0, -60.2, 0, -0.00027, -3.1)),
    "polar": ("EPSG:3413", Affine(100, 0, -300_000, 0, -100, -2_200_000)),
}
ZOOMS = range(5, 17)


def draw_patches(seed: int) -> NDArray[np.uint8]:
    """Draw patches of the classes, and some of no data, of 1 to 30 cells across."""
    rng, cells = np.random.default_rng(seed), np.zeros((SIDE, SIDE), np.uint8)
    for size in (30, 7, 1):
        coarse = rng.choice(np.array([0, 1, 2, 5, 9], np.uint8), size=(SIDE // size + 1,) * 2)
        whole = np.kron(coarse, np.ones((size, size), np.uint8))[:SIDE, :SIDE]
        cells = np.where(rng.random(cells.shape) < 0.5, whole, cells)
    return cells


def choose(grid: str, count: int) -> list[morecantile.Tile]:
    """Choose tiles over all zooms whose middle is on the map."""
    crs, transform = GRIDS[grid]
    rng, tms = np.random.default_rng(len(grid)), morecantile.tms.get("WebMercatorQuad")
    to_degrees = Transformer.from_crs(crs, 4326, always_xy=True)
    chosen = []
    for number in range(count):
        longitude, latitude = to_degrees.transform(*(transform @ tuple(rng.uniform(0, SIDE, 2))))
        chosen.append(tms.tile(longitude, latitude, ZOOMS[number % len(ZOOMS)]))
    return chosen


def warp(path: Path, tile: morecantile.Tile, level: int | None) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Warp a map, or one of its overviews, onto a tile; and tell which pixels are not on the edge of a cell."""
    bounds = morecantile.tms.get("WebMercatorQuad").xy_bounds(tile)
    options = {} if level is None else {"OVERVIEW_LEVEL": level}
    with rasterio.open(path, **options) as dataset:
        seen = np.zeros((256, 256), np.uint8)
        reproject(
            dataset.read(1),
            seen,
            src_transform=dataset.transform,
            src_crs=dataset.crs,
            dst_transform=from_bounds(*bounds, 256, 256),
            dst_crs="EPSG:3857",
            resampling=Resampling.nearest,
            tolerance=0,
        )
        return seen, _off_edges(bounds, dataset)


def _off_edges(bounds: Any, dataset: Any) -> NDArray[np.bool_]:
    steps, inverse = (np.arange(256) + 0.5) / 256, ~dataset.transform
    x, y = np.meshgrid(
        bounds.left + steps * (bounds.right - bounds.left), bounds.top - steps * (bounds.top - bounds.bottom)
    )
    x, y = Transformer.from_crs(3857, dataset.crs.to_wkt(), always_xy=True).transform(x, y)
    places = inverse.a * x + inverse.c, inverse.e * y + inverse.f
    slip = GDAL_SLIPS * max(1.0, *(float(np.hypot(*np.gradient(place)).max()) for place in places))
    return np.logical_and.reduce([np.abs(place - np.rint(place)) > slip for place in places])


def decode(image: NDArray[np.uint8], legend: Legend) -> NDArray[np.uint8]:
    classes = np.zeros(image.shape[:2], np.uint8)
    for entry in legend:
        classes[(image == [*entry.rgb, 255]).all(axis=2)] = entry.value
    assert ((classes > 0) == (image[..., 3] > 0)).all()
    return classes


def agrees(classes: NDArray[np.uint8], warped: NDArray[np.uint8], sure: NDArray[np.bool_]) -> bool:
    assert sure.mean() > 0.1
    return bool((classes == warped)[sure].all())


@pytest.mark.parametrize("grid", GRIDS)
def test_a_tile_is_gdals_nearest_warp(commons: Any, legend: Legend, grid: str) -> None:
    crs, transform = GRIDS[grid]
    base = commons.add_layer("land-cover", "a", draw_patches(4), crs=crs, transform=transform, legend=legend)
    path = commons.root / "land-cover-a.tif"
    native = commons.get(f"{base}/WebMercatorQuad/tilejson.json").json()["maxzoom"] - 2
    with rasterio.open(path) as dataset:
        levels = [None, *range(len(dataset.overviews(1)))]
    used = set()
    for tile in choose(grid, TILES // len(GRIDS)):
        classes = decode(commons.pixels(f"{base}/tiles/WebMercatorQuad/{tile.z}/{tile.x}/{tile.y}.png"), legend)
        assert classes.any()
        same = [level for level in levels if agrees(classes, *warp(path, tile, level))]
        assert same, f"{tile} is no warp of the map or of an overview"
        assert None in same or tile.z < native, f"{tile} is not of the full resolution"
        used.update(same)
    assert {None, 0} <= used


def test_overviews_are_made_by_the_most_frequent_class(commons: Any, legend: Legend) -> None:
    cells = draw_patches(5)[:896, :896]
    commons.add_layer("land-cover", "a", cells, legend=legend)
    with rasterio.open(commons.root / "land-cover-a.tif", OVERVIEW_LEVEL=0) as dataset:
        seen = dataset.read(1)
    blocks = cells.reshape(448, 2, 448, 2).swapaxes(1, 2).reshape(448, 448, 4)
    counts = np.stack([(blocks == value).sum(axis=2) for value in (1, 2, 5, 9)])
    shown = np.take_along_axis(counts, np.searchsorted([1, 2, 5, 9], np.maximum(seen, 1))[None], axis=0)[0]
    with_data = counts.any(axis=0)
    assert ((seen > 0) == with_data).all()
    assert (shown[with_data] == counts.max(axis=0)[with_data]).all()
