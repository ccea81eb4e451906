"""Five hundred tiles at random places, zooms and projections, against GDAL's nearest warp of the map and its overviews.

`TRUTH_TILES=5000` asks for more of them.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import dataclass
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

pytestmark = pytest.mark.long

# GDAL's warper may misplace a pixel by this part of a cell (it takes no 0): where cells differ from all neighbours, it
# may show another at either side of either axis.
GDAL_TOLERANCE = 1e-3
AGREED = 1 - 4 * GDAL_TOLERANCE
TILES = int(os.environ.get("TRUTH_TILES", "500"))
SIDE = 900
GRIDS = {
    "utm": ("EPSG:32736", Affine(30, 0, 500_000, 0, -30, 9_800_000)),
    "degrees": ("EPSG:4326", Affine(0.0003, 0, -60.2, 0, -0.00027, -3.1)),
    "polar": ("EPSG:3413", Affine(100, 0, -300_000, 0, -100, -2_200_000)),
}
ZOOMS = range(5, 17)
TMS = morecantile.tms.get("WebMercatorQuad")


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
    rng = np.random.default_rng(len(grid))
    to_degrees = Transformer.from_crs(crs, 4326, always_xy=True)
    chosen = []
    for number in range(count):
        longitude, latitude = to_degrees.transform(*(transform @ tuple(rng.uniform(0, SIDE, 2))))
        chosen.append(TMS.tile(longitude, latitude, ZOOMS[number % len(ZOOMS)]))
    return chosen


@dataclass(frozen=True)
class Level:
    """The map, or one of its overviews: its cells, and a file that GDAL can warp."""

    cells: NDArray[np.uint8]
    transform: Affine
    crs: str
    file: Any

    @classmethod
    def read(cls, path: Path, level: int | None, stack: ExitStack) -> Level:
        with rasterio.open(path, **({} if level is None else {"OVERVIEW_LEVEL": level})) as dataset:
            cells, crs, transform = dataset.read(1), dataset.crs, dataset.transform
        height, width = cells.shape
        profile = {"driver": "GTiff", "height": height, "width": width, "count": 1, "dtype": "uint8"}
        # A virtual warp of an overview is refused, so that it is laid into a file of its own.
        memory = stack.enter_context(MemoryFile())
        with memory.open(**profile, crs=crs, transform=transform) as copy:
            copy.write(cells, 1)
        return cls(cells, transform, crs.to_wkt(), stack.enter_context(memory.open()))

    def warp(self, tile: morecantile.Tile) -> NDArray[np.uint8]:
        """Warp it onto a tile by GDAL: nearest, and as exactly as it can."""
        look = {"transform": from_bounds(*TMS.xy_bounds(tile), 256, 256), "width": 256, "height": 256}
        with WarpedVRT(
            self.file, crs="EPSG:3857", resampling=Resampling.nearest, tolerance=GDAL_TOLERANCE, **look
        ) as warped:
            return np.asarray(warped.read(1))

    def pick(self, x: NDArray[Any], y: NDArray[Any]) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """Return the classes at places in its own CRS, and which are beyond doubt."""
        inverse = ~self.transform
        columns, rows = inverse.a * x + inverse.c, inverse.e * y + inverse.f
        height, width = self.cells.shape
        inside = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
        seen = np.zeros(x.shape, np.uint8)
        seen[inside] = self.cells[rows[inside].astype(int), columns[inside].astype(int)]
        return seen, np.logical_and.reduce([np.abs(place - np.rint(place)) > 1e-6 for place in (columns, rows)])


def project(tile: morecantile.Tile, to_map: Transformer) -> tuple[NDArray[Any], NDArray[Any]]:
    """Project the centre of every pixel on its own."""
    bounds, steps = TMS.xy_bounds(tile), (np.arange(256) + 0.5) / 256
    x, y = np.meshgrid(
        bounds.left + steps * (bounds.right - bounds.left), bounds.top - steps * (bounds.top - bounds.bottom)
    )
    across, down = to_map.transform(x, y)
    return across, down


def decode(image: NDArray[np.uint8], legend: Legend) -> NDArray[np.uint8]:
    classes = np.zeros(image.shape[:2], np.uint8)
    for entry in legend:
        classes[(image == [*entry.rgb, 255]).all(axis=2)] = entry.value
    assert ((classes > 0) == (image[..., 3] > 0)).all()
    return classes


@pytest.mark.parametrize("grid", GRIDS)
def test_a_tile_is_gdals_nearest_warp(commons: Any, legend: Legend, grid: str) -> None:
    crs, transform = GRIDS[grid]
    base = commons.add_layer("land-cover", "a", draw_patches(4), crs=crs, transform=transform, legend=legend)
    path = commons.root / "land-cover-a.tif"
    native = commons.get(f"{base}/WebMercatorQuad/tilejson.json").json()["maxzoom"] - 2
    with rasterio.open(path) as dataset:
        numbers = [None, *range(len(dataset.overviews(1)))]
    used, by_zoom, seen = set(), dict[int, int | None](), 0
    with ExitStack() as stack:
        levels = {number: Level.read(path, number, stack) for number in numbers}
        to_map = Transformer.from_crs(3857, levels[None].crs, always_xy=True)
        for tile in choose(grid, TILES // len(GRIDS) + 1):
            classes = decode(commons.pixels(f"{base}/tiles/WebMercatorQuad/{tile.z}/{tile.x}/{tile.y}.png"), legend)
            assert classes.any()
            places = project(tile, to_map)
            # The level that a tile of this zoom showed before comes first: most often it is that.
            likely = by_zoom.get(tile.z, None)
            for number in sorted(numbers, key=lambda each, likely=likely: each != likely):
                truth, sure = levels[number].pick(*places)
                if (classes == truth)[sure].all():
                    break
            else:
                pytest.fail(f"{tile} is no warp of the map or of an overview")
            with_data = classes > 0
            assert (classes == levels[number].warp(tile))[with_data].mean() >= AGREED
            assert number is None or tile.z < native, f"{tile} is not of the full resolution"
            by_zoom[tile.z] = number
            used.add(number)
            seen += 1
    assert seen >= TILES // len(GRIDS)
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
