"""Landscapes of any size for `make bench-scale`, written to the disk stripe by stripe and never held whole.

Terrain, rain and distances are smooth fields between hashed lattice points; the classes follow them, and a tenth of the
years later a few cells have changed, where the fields and the neighbours let them.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from rasterio.windows import Window

from catalog.legend import Legend
from scenarios.kernels import draws

LEGEND = Legend.from_json({"nodata": 0, "classes": {"1": "Forest", "2": "Built", "3": "Crop", "4": "Grass"}})
FOREST, BUILT, CROP, GRASS = LEGEND.values
YEARS = (2015, 2025)
CELL_M = 30.0
DRIVERS = {"elevation": "m", "slope": "degree", "road": "m", "market": "minute", "rain": "mm"}

_STRIPE = 512
_COARSEST = 768  # cells between the points of the coarsest of three lattices; less on a small landscape
_WEIGHTS = (0.6, 0.3, 0.1)

Plane = NDArray[np.float32]


@dataclass(frozen=True)
class WideLandscape:
    """A generated landscape of square shape.

    Parameters
    ----------
    edge : cells along each side
    seed : landscapes of other seeds differ, and lie elsewhere
    """

    edge: int
    seed: int = 0

    @property
    def name(self) -> str:
        """What the landscape is called in the commons."""
        return f"wide-{self.edge}-{self.seed}"

    @property
    def transform(self) -> Affine:
        """Upper left corner and cells, in UTM zone 30 N; seeds lie in rows of 32."""
        step = self.edge * CELL_M * 1.1
        down, across = divmod(self.seed, 32)
        return Affine(CELL_M, 0, 300_000 + across * step, 0, -CELL_M, 5_000_000 - down * step)

    def write(self, folder: Path) -> tuple[list[Path], list[Path]]:
        """Write the maps of both years and the drivers as GeoTIFFs; return the two lists of files."""
        folder.mkdir(parents=True, exist_ok=True)
        maps = [folder / f"cover_{year}.tif" for year in YEARS]
        layers = [folder / f"{name}.tif" for name in DRIVERS]
        files = [rasterio.open(path, "w", **self._profile("uint8", 0)) for path in maps]
        files += [rasterio.open(path, "w", **self._profile("uint16", None)) for path in layers]
        for file, unit in zip(files[len(maps) :], DRIVERS.values(), strict=True):
            file.set_band_unit(1, unit)
        for first, planes in self.stripes():
            for file, plane in zip(files, planes, strict=True):
                file.write(plane, 1, window=Window(0, first, *plane.shape[::-1]))
        for file in files:
            file.close()
        return maps, layers

    def stripes(self) -> Iterator[tuple[int, list[NDArray[np.uint8] | NDArray[np.uint16]]]]:
        """Yield the first row of each stripe, and its planes; the next ones are made meanwhile."""
        cores, ahead = len(os.sched_getaffinity(0)), deque[Future[list[NDArray[np.uint8] | NDArray[np.uint16]]]]()
        with ThreadPoolExecutor(cores) as pool:
            firsts = range(0, self.edge, _STRIPE)
            for first in firsts[:cores]:
                ahead.append(pool.submit(self._make_stripe, first))
            for n, first in enumerate(firsts):
                planes = ahead.popleft().result()
                if n + cores < len(firsts):
                    ahead.append(pool.submit(self._make_stripe, firsts[n + cores]))
                yield first, planes

    def _make_stripe(self, first: int) -> list[NDArray[np.uint8] | NDArray[np.uint16]]:
        rows = np.arange(first, min(first + _STRIPE, self.edge))
        drivers = self._drivers(rows)
        before = self._cover(rows, drivers)
        after = self._change(rows, drivers, before)
        return [before, after, *(np.rint(plane).astype(np.uint16) for plane in drivers.values())]

    def _drivers(self, rows: NDArray[np.int64]) -> dict[str, Plane]:
        height, ridge, dryness, roads, towns = (self._field(rows, n) for n in range(5))
        return {
            "elevation": 2500 * height**2,
            "slope": 45 * ridge * height,
            "road": 12_000 * np.abs(roads - 0.5),
            "market": 400 * np.abs(towns - 0.5) + 60 * np.abs(roads - 0.5),
            "rain": 400 + 1600 * (1 - dryness),
        }

    def _cover(self, rows: NDArray[np.int64], drivers: dict[str, Plane]) -> NDArray[np.uint8]:
        patchy = 0.9 * self._field(rows, 5) + 0.1 * self._uniforms(rows, 7)  # classes meet in ragged edges
        cover = np.full(patchy.shape, FOREST, np.uint8)
        cover[drivers["rain"] + 600 * patchy < 1350] = GRASS
        cover[drivers["slope"] + 12 * patchy < 14] = CROP
        cover[drivers["market"] + 40 * patchy < 32] = BUILT
        return cover

    def _change(
        self, rows: NDArray[np.int64], drivers: dict[str, Plane], before: NDArray[np.uint8]
    ) -> NDArray[np.uint8]:
        """Let a few hundredths of the cells change: more on gentle slopes, by roads, and beside the new class."""
        flat, near = np.exp(-drivers["slope"] / 8), np.exp(-drivers["road"] / 2000)
        luck, after, spent = self._uniforms(rows, 6), before.copy(), np.zeros(before.shape, np.float32)
        for source, target, share in (
            (FOREST, CROP, 0.2 * flat * (0.2 + _beside(before, CROP))),
            (FOREST, GRASS, 0.03 * near * (0.2 + _beside(before, GRASS))),
            (CROP, BUILT, 0.1 * near * (0.1 + _beside(before, BUILT))),
            (GRASS, CROP, 0.1 * flat * near),
        ):
            share = np.where(before == source, share, 0)
            after[(luck >= spent) & (luck < spent + share)] = target
            spent += share
        return after

    def _field(self, rows: NDArray[np.int64], number: int) -> Plane:
        """Return a smooth field from 0 to 1: three lattices of hashed points, interpolated linearly."""
        out = np.zeros((rows.size, self.edge), np.float32)
        coarsest = min(_COARSEST, self.edge // 4)
        steps = (coarsest, max(1, coarsest // 8), max(1, coarsest // 64))
        for n, (step, weight) in enumerate(zip(steps, _WEIGHTS, strict=True)):
            points = np.arange(self.edge // step + 2)
            down, below = np.divmod(rows, step)
            lattice = self._lattice(np.arange(down[0], down[-1] + 2), points, 10 * number + n)
            part = (below / step).astype(np.float32)[:, None]
            lines = lattice[down - down[0]] * (1 - part) + lattice[down - down[0] + 1] * part
            across, beyond = np.divmod(np.arange(self.edge), step)
            share = (weight * beyond / step).astype(np.float32)
            out += lines[:, across] * (np.float32(weight) - share)
            out += lines[:, across + 1] * share
        return out

    def _lattice(self, rows: NDArray[np.int64], columns: NDArray[np.int64], number: int) -> Plane:
        down, across = (each.ravel() for each in np.meshgrid(rows, columns, indexing="ij"))
        values = draws.uniforms(draws.stream(self.seed, number), down, across)
        return values.reshape(rows.size, columns.size).astype(np.float32)

    def _uniforms(self, rows: NDArray[np.int64], number: int) -> Plane:
        # Not the engine's own draws: those would take as long as all the rest.
        generator = np.random.Generator(np.random.Philox(key=[self.seed * 100 + number, int(rows[0])]))
        return generator.random((rows.size, self.edge), np.float32)

    def _profile(self, dtype: str, nodata: float | None) -> dict[str, object]:
        return {
            "driver": "GTiff",
            "width": self.edge,
            "height": self.edge,
            "count": 1,
            "dtype": dtype,
            "nodata": nodata,
            "crs": "EPSG:32630",
            "transform": self.transform,
            "bigtiff": "if_safer",
        }


def _beside(cover: NDArray[np.uint8], value: int) -> Plane:
    """Return which share of the four cells beside each one, within the stripe, has the class."""
    has = np.pad(cover == value, 1).astype(np.float32)
    return (has[:-2, 1:-1] + has[2:, 1:-1] + has[1:-1, :-2] + has[1:-1, 2:]) / 4
