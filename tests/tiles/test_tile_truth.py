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
from rasterio.enums import Resampling
from rasterio.io import MemoryFile
from rasterio.transform import from_bounds
from rasterio.vrt import WarpedVRT

from catalog.legend import Legend

# GDAL's warper may misplace a pixel by this part of a cell (it takes no 0): where cells differ from all neighbours, it
# may show another at either side of either axis.
GDAL_TOLERANCE = 1e-3
AGREED = 1 - 4 * GDAL_TOLERANCE
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


def warp(dataset: Any, tile: morecantile.Tile) -> NDArray[np.uint8]:
    """Warp a map onto a tile by GDAL: nearest, and as exactly as it can."""
    bounds = morecantile.tms.get("WebMercatorQuad").xy_bounds(tile)
    height, width = dataset.shape
    profile = {"driver": "GTiff", "height": height, "width": width, "count": 1, "dtype": "uint8"}
    look = {"transform": from_bounds(*bounds, 256, 256), "width": 256, "height": 256, "tolerance": GDAL_TOLERANCE}
    # A virtual warp of an overview is refused, so that it is laid into a file of its own.
    with MemoryFile() as memory:
        with memory.open(**profile, crs=dataset.crs, transform=dataset.transform) as copy:
            copy.write(dataset.read(1), 1)
        with memory.open() as copy, WarpedVRT(copy, crs="EPSG:3857", resampling=Resampling.nearest, **look) as warped:
            return np.asarray(warped.read(1))


def project(dataset: Any, tile: morecantile.Tile) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Project the centre of every pixel on its own; return the classes there, and which are beyond doubt."""
    bounds, steps = morecantile.tms.get("WebMercatorQuad").xy_bounds(tile), (np.arange(256) + 0.5) / 256
    x, y = np.meshgrid(
        bounds.left + steps * (bounds.right - bounds.left), bounds.top - steps * (bounds.top - bounds.bottom)
    )
    x, y = Transformer.from_crs(3857, dataset.crs.to_wkt(), always_xy=True).transform(x, y)
    inverse = ~dataset.transform
    columns, rows = inverse.a * x + inverse.c, inverse.e * y + inverse.f
    inside = (columns >= 0) & (columns < dataset.width) & (rows >= 0) & (rows < dataset.height)
    seen = np.zeros((256, 256), np.uint8)
    seen[inside] = dataset.read(1)[rows[inside].astype(int), columns[inside].astype(int)]
    return seen, np.logical_and.reduce([np.abs(place - np.rint(place)) > 1e-6 for place in (columns, rows)])


def decode(image: NDArray[np.uint8], legend: Legend) -> NDArray[np.uint8]:
    classes = np.zeros(image.shape[:2], np.uint8)
    for entry in legend:
        classes[(image == [*entry.rgb, 255]).all(axis=2)] = entry.value
    assert ((classes > 0) == (image[..., 3] > 0)).all()
    return classes


def agrees(classes: NDArray[np.uint8], path: Path, tile: morecantile.Tile, level: int | None) -> bool:
    """Tell whether a tile shows a map, or one of its overviews, cell by cell; GDAL has to see it so, too."""
    with rasterio.open(path, **({} if level is None else {"OVERVIEW_LEVEL": level})) as dataset:
        truth, sure = project(dataset, tile)
        if not (classes == truth)[sure].all():
            return False
        with_data = classes > 0
        assert (classes == warp(dataset, tile))[with_data].mean() >= AGREED
        return True


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
        same = [level for level in levels if agrees(classes, path, tile, level)]
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
