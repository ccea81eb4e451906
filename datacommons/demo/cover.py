"""Land cover at the first date: what grows, is farmed and is built where."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from datacommons.demo.legend import BARE, BUILT, CROPLAND, FOREST, GRASSLAND, NODATA, WATER, WETLAND
from datacommons.demo.texture import BoolGrid, FloatGrid, IndexGrid, draw_parcels, quantise, spectral_field
from datacommons.demo.water import Waters

_STEP = 2.0**-16
_FIELD_CELLS = 60.0
_CROP_SHARE, _PASTURE_SHARE = 0.24, 0.15


def draw_first_cover(
    rng: np.random.Generator,
    waters: Waters,
    drivers: dict[str, FloatGrid],
    water: BoolGrid,
    built: BoolGrid,
) -> NDArray[np.uint8]:
    """Lay out the land cover from what each place is fit for.

    Parameters
    ----------
    rng : numpy.random.Generator
    waters : Waters
    drivers : dict of (y, x) float64
        slope (degrees), elevation, distance_to_settlement and distance_to_river (m).
    water, built : (y, x) bool

    Returns
    -------
    (y, x) uint8, legend values, 0 outside the basin
    """
    shape, basin = water.shape, waters.basin
    cover = np.full(shape, FOREST, np.uint8)
    farmed = _farm_fields(rng, waters, drivers)
    cover[farmed == CROPLAND] = CROPLAND
    cover[farmed == GRASSLAND] = GRASSLAND
    trees_end = _heights(rng, drivers, basin)
    cover[trees_end > 0.0] = GRASSLAND
    cover[trees_end + 0.012 * (drivers["slope"] - 26.0) > 0.30] = BARE
    cover[_river_woods(rng, drivers) & (cover == CROPLAND)] = FOREST
    cover[_wetlands(rng, waters, drivers)] = WETLAND
    cover[built] = BUILT
    cover[water] = WATER
    cover[~basin] = NODATA
    return cover


def _farm_fields(rng: np.random.Generator, waters: Waters, drivers: dict[str, FloatGrid]) -> NDArray[np.uint8]:
    """Give the best fields to crops and the next best to pasture, field by field."""
    field, count = draw_parcels(rng, waters.basin.shape, _FIELD_CELLS)
    height = np.minimum(waters.height_above_stream_m, 300.0)
    region = spectral_field(rng, field.shape, 3.6, longest=160)
    remote = drivers["distance_to_settlement"] / 1000.0
    arable = -0.34 * drivers["slope"] - height / 60.0 - 0.45 * remote + 0.9 * region
    grazing = -0.10 * drivers["slope"] - height / 250.0 - 0.45 * remote + 1.1 * np.roll(region, 173, axis=(0, 1))
    crops = _best_fields(rng, quantise(arable, _STEP), field, count, waters.basin, _CROP_SHARE)
    left = waters.basin & ~crops
    pasture = _best_fields(rng, quantise(grazing, _STEP), field, count, left, _PASTURE_SHARE / (1 - _CROP_SHARE))
    return np.where(crops, CROPLAND, np.where(pasture, GRASSLAND, FOREST)).astype(np.uint8)


def _best_fields(
    rng: np.random.Generator, fitness: FloatGrid, field: IndexGrid, count: int, where: BoolGrid, share: float
) -> BoolGrid:
    """Choose whole fields, fittest first with some luck, until they fill a share of a mask."""
    cells = np.bincount(field[where], minlength=count)
    total = np.bincount(field[where], weights=fitness[where], minlength=count)
    worth = quantise(total / np.maximum(cells, 1), _STEP) + 1.2 * (rng.random(count) - 0.5)
    order = np.lexsort((np.arange(count), -worth))
    chosen = np.zeros(count, np.bool_)
    chosen[order[np.cumsum(cells[order]) <= share * where.sum()]] = True
    return chosen[field] & where


def _heights(rng: np.random.Generator, drivers: dict[str, FloatGrid], basin: BoolGrid) -> FloatGrid:
    """Return how far above the tree line each place stands, in units of the relief above it."""
    elevation = drivers["elevation"]
    inside = np.sort(elevation[basin], kind="stable")
    tree_line, top = inside[int(0.90 * inside.size)], inside[-1]
    wavy = 0.07 * spectral_field(rng, elevation.shape, 3.2, longest=60)
    return quantise((elevation - tree_line) / (top - tree_line) + wavy, _STEP)


def _wetlands(rng: np.random.Generator, waters: Waters, drivers: dict[str, FloatGrid]) -> BoolGrid:
    """Find the low flats along the larger rivers and the lakes, in some reaches more than in others."""
    reaches = spectral_field(rng, waters.basin.shape, 3.4, longest=50)
    low = quantise(waters.height_above_stream_m - 1.3 - 1.2 * reaches, _STEP) < 0.0
    by_lake: BoolGrid = ndimage.distance_transform_edt(~waters.lakes) < 9.0
    by_river = (waters.river_size > 0.03) & (drivers["distance_to_river"] < 500.0)
    flat = drivers["slope"] < 4.0
    return low & flat & (by_river | by_lake)


def _river_woods(rng: np.random.Generator, drivers: dict[str, FloatGrid]) -> BoolGrid:
    """Find the ribbon of trees that accompanies most streams through farmland."""
    width_m = 38.0 + 30.0 * spectral_field(rng, drivers["slope"].shape, 3.2, longest=40)
    return drivers["distance_to_river"] < width_m
