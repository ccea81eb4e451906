"""A small valley drawn from noise: land cover by year and plan, and elevation, as map tiles."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Cells = NDArray[np.uint8]
Field = NDArray[np.float64]

SIDE: Final = 640
CELL_HA: Final = 0.09
WEST, SOUTH, EAST, NORTH = BOUNDS = (-74.42, 4.52, -74.246, 4.694)
FIRST_YEAR, START_YEAR, LAST_YEAR = 1998, 2018, 2038
TILE: Final = 256


@dataclass(frozen=True)
class CoverClass:
    """One class of the valley's legend."""

    value: int
    name: str
    title: dict[str, str]
    colour: str


LEGEND: Final = (
    CoverClass(1, "forest", {"en": "Forest", "es": "Bosque"}, "#45714b"),
    CoverClass(2, "grassland", {"en": "Grassland", "es": "Pastizal"}, "#bbc98c"),
    CoverClass(3, "cropland", {"en": "Cropland", "es": "Cultivos"}, "#d6a94f"),
    CoverClass(4, "built", {"en": "Built-up land", "es": "Tierra construida"}, "#b0706a"),
    CoverClass(5, "wetland", {"en": "Wetland", "es": "Humedal"}, "#6f9c9f"),
    CoverClass(6, "water", {"en": "Water", "es": "Agua"}, "#2f557a"),
)
# Share of the valley that is forest and built in the first, the start and the last year, by plan.
PLANS: Final = {
    "as-before": ((0.52, 0.44, 0.35), (0.02, 0.04, 0.075)),
    "restoration": ((0.52, 0.44, 0.49), (0.02, 0.04, 0.06)),
    "zoning": ((0.52, 0.44, 0.43), (0.02, 0.04, 0.055)),
}


@cache
def _spectral_noise(seed: int, smoothness: float) -> Field:
    """Draw smooth noise, ranked from 0 to 1."""
    spectrum = np.fft.fft2(np.random.default_rng(seed).standard_normal((SIDE, SIDE)))
    frequency = np.hypot(np.fft.fftfreq(SIDE)[:, None], np.fft.fftfreq(SIDE)[None, :])
    frequency[0, 0] = np.inf
    return _rank(np.fft.ifft2(spectrum / frequency**smoothness).real)


def _rank(field: Field) -> Field:
    ranks = np.empty(field.size)
    ranks[np.argsort(field, axis=None)] = np.linspace(0, 1, field.size)
    return ranks.reshape(field.shape)


@cache
def _river_distance() -> Field:
    """Distance from the river in shares of the valley's side."""
    rows, columns = np.mgrid[0:SIDE, 0:SIDE] / SIDE
    middle = 0.5 + 0.13 * np.sin(columns * 6.0 + 0.6) + 0.04 * np.sin(columns * 21.0)
    return np.asarray(np.abs(rows - middle))


@cache
def elevation() -> Field:
    """Return metres above the river; hills rise away from it."""
    hills = _spectral_noise(3, 1.9)
    return np.asarray(420 * _river_distance() ** 0.8 + 520 * hills * np.minimum(_river_distance() * 4, 1))


@cache
def _potentials() -> tuple[Field, Field]:
    """Where forest stands the longest and where building comes first, both ranked from 0 to 1."""
    rough = _spectral_noise(11, 1.1)
    forest = _rank(elevation() / 500 + 0.9 * _spectral_noise(5, 1.6) + 0.35 * rough)
    towns = np.random.default_rng(8).uniform(0.1, 0.9, (7, 2))
    rows, columns = np.mgrid[0:SIDE, 0:SIDE] / SIDE
    nearest = np.min([np.hypot(rows - row, columns - column) for row, column in towns], axis=0)
    return forest, _rank(-nearest * 3 - _river_distance() * 0.8 + 0.5 * rough)


def _share(shares: tuple[float, float, float], year: int) -> float:
    return float(np.interp(year, (FIRST_YEAR, START_YEAR, LAST_YEAR), shares))


@lru_cache(maxsize=96)
def land_cover(plan: str, year: int) -> Cells:
    """Return the classes of a year under a plan."""
    forest_shares, built_shares = PLANS[plan]
    forest, building = _potentials()
    river = _river_distance()
    lowland = elevation() < 190
    cover = np.where(lowland & (_spectral_noise(21, 1.3) > 0.3), 3, 2).astype(np.uint8)
    cover[forest > 1 - _share(forest_shares, year)] = 1
    cover[(river < 0.03) & (_spectral_noise(33, 1.4) > 0.5)] = 5
    cover[building > 1 - _share(built_shares, year)] = 4
    cover[river < 0.006 + 0.006 * _spectral_noise(41, 2.0)] = 6
    return cover


def hectares(plan: str, year: int) -> list[float]:
    """Return the area of every class of the legend."""
    counts = np.bincount(land_cover(plan, year).ravel(), minlength=len(LEGEND) + 1)
    return [round(float(counts[entry.value]) * CELL_HA, 2) for entry in LEGEND]


def cover_tile(plan: str, year: int, z: int, x: int, y: int) -> bytes:
    """Draw a tile of land cover as a paletted PNG."""
    return class_tile(land_cover(plan, year), z, x, y)


def class_tile(cells: NDArray[np.integer], z: int, x: int, y: int) -> bytes:
    """Draw classes as a paletted PNG; 0 is transparent."""
    return palette_tile(cells, z, x, y, tuple(entry.colour for entry in LEGEND))


def palette_tile(cells: NDArray[np.integer], z: int, x: int, y: int, colours: tuple[str, ...]) -> bytes:
    """Draw numbers from 1 as a paletted PNG; 0 is transparent."""
    values, inside = _sample(cells, z, x, y)
    picture = Image.fromarray(np.where(inside, values, 0).astype(np.uint8), mode="P")
    picture.putpalette([0, 0, 0] + [int(colour[i : i + 2], 16) for colour in colours for i in (1, 3, 5)])
    return _png(picture, transparency=0)


def ramp_tile(shares: NDArray[np.generic], z: int, x: int, y: int, colours: tuple[str, ...]) -> bytes:
    """Draw shares from 0 to 1 in even steps of colour."""
    steps = 1 + np.minimum((shares.astype(float) * len(colours)).astype(int), len(colours) - 1)
    return palette_tile(steps, z, x, y, colours)


def roughness() -> Field:
    """Return how rough the ground is, ranked from 0 to 1."""
    return _spectral_noise(11, 1.1)


def find_cell(longitude: float, latitude: float) -> tuple[int, int] | None:
    """Return row and column of the cell at a point; None outside."""
    row = int((NORTH - latitude) / (NORTH - SOUTH) * SIDE // 1)
    column = int((longitude - WEST) / (EAST - WEST) * SIDE // 1)
    return (row, column) if 0 <= row < SIDE and 0 <= column < SIDE else None


def find_box(west: float, south: float, east: float, north: float) -> tuple[slice, slice]:
    """Return rows and columns of a box, cut at the edge of the valley."""
    rows = [(NORTH - latitude) / (NORTH - SOUTH) * SIDE for latitude in (north, south)]
    columns = [(longitude - WEST) / (EAST - WEST) * SIDE for longitude in (west, east)]
    top, bottom, left, right = (int(np.clip(round(edge), 0, SIDE)) for edge in (*rows, *columns))
    return slice(top, bottom), slice(left, right)


def relief_tile(z: int, x: int, y: int) -> bytes:
    """Draw a tile of relief: black shadow and white light, both more or less transparent."""
    south_north, west_east = np.gradient(elevation(), 30.0)
    light = np.asarray(np.clip((south_north + west_east) * 1.6, -1, 1))
    cells, inside = _sample(light, z, x, y)
    alpha = np.where(cells < 0, -cells * 230, cells * 110) * inside
    white = np.where(cells < 0, 0, 255)
    pixels = np.stack([white, white, white, alpha], axis=-1).astype(np.uint8)
    return _png(Image.fromarray(pixels, mode="RGBA"))


def _sample(field: NDArray[np.generic], z: int, x: int, y: int) -> tuple[Field, NDArray[np.bool_]]:
    """Read the cells under the pixels of a tile, nearest, and which of them lie in the valley."""
    steps = (np.arange(TILE) + 0.5) / TILE
    longitude = (x + steps) / 2**z * 360 - 180
    latitude = np.degrees(np.arctan(np.sinh(np.pi * (1 - 2 * (y + steps) / 2**z))))
    columns = np.floor((longitude - WEST) / (EAST - WEST) * SIDE).astype(int)
    rows = np.floor((NORTH - latitude) / (NORTH - SOUTH) * SIDE).astype(int)
    inside = ((rows >= 0) & (rows < SIDE))[:, None] & ((columns >= 0) & (columns < SIDE))[None, :]
    cells = field[np.clip(rows, 0, SIDE - 1)[:, None], np.clip(columns, 0, SIDE - 1)[None, :]]
    return cells.astype(np.float64), inside


def _png(picture: Image.Image, **options: int) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, format="PNG", **options)
    return stream.getvalue()
