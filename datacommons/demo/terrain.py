"""The relief: a spectral field that rivers cut into a basin with one outlet.

Mountains stand around the basin and open towards the south-west, where the main river leaves. Lengths follow the
size of the grid, so that a small landscape is a whole one too.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from datacommons.demo.drainage import CENTIMETRE, Drainage, drain, erode
from datacommons.demo.texture import FloatGrid, quantise, resample, smooth, spectral_field

_LOWEST_M = 160.0
_RELIEF_M = 1200.0

# Coarseness of the grid and steps of erosion on it: coarse cells form the large valleys at little cost.
_STAGES = ((8, 40), (4, 20), (2, 9), (1, 3))
_RISE = 0.02
_ERODIBILITY = 0.12 / 8.0


def raise_terrain(rng: np.random.Generator, shape: tuple[int, int]) -> FloatGrid:
    """Make a relief that running water has shaped.

    Parameters
    ----------
    rng : numpy.random.Generator
    shape : (rows, columns)

    Returns
    -------
    (y, x) float64, metres, whole centimetres
    """
    relief = _RELIEF_M * (min(shape) / 1000.0) ** 0.6
    form = _landform(rng, shape)
    rough = spectral_field(rng, shape, 3.4, longest=min(shape) / 5)
    start = quantise(relief * (0.8 * form + 0.1 * rough * (0.15 + form)), CENTIMETRE)
    softness = quantise(np.exp2(0.6 * spectral_field(rng, shape, 3.0, longest=min(shape) / 6)), 2.0**-16)
    land = _coarsen(start, _STAGES[0][0])
    for coarseness, steps in _STAGES:
        grid = _coarsen(start, coarseness).shape
        land = _roughen(rng, resample(land, grid, CENTIMETRE), coarseness)
        rise, strength = resample(form * relief * _RISE, grid), resample(softness * _ERODIBILITY, grid)
        land = _wear(land, rise * coarseness / 8.0, strength * coarseness, steps)
    land += _LOWEST_M - land.min()
    return land


def widen_valleys(drainage: Drainage, cells_per_river: int, depth_m: float) -> FloatGrid:
    """Lay flat floors along the rivers, the wider the larger the river.

    Parameters
    ----------
    drainage : Drainage
    cells_per_river : int
        Drainage area from which a stream has a valley floor, in cells.
    depth_m : float
        How deep the floor of the largest river is filled.

    Returns
    -------
    (y, x) float64, metres, whole centimetres
    """
    area = drainage.area()
    river = drainage.reach(area >= cells_per_river)
    bed = np.where(river < 0, drainage.height, drainage.height.ravel()[river])
    size: FloatGrid = np.where(river < 0, cells_per_river, area.ravel()[river]) / area.max()
    depth = depth_m * np.sqrt(np.sqrt(size))
    above: FloatGrid = drainage.height - bed
    # Near the bed heights are pressed flat; far above it they stay as they are.
    fill = quantise(above**3 / (above**2 + depth**2) - above, CENTIMETRE)
    return smooth(drainage.height + smooth(fill, 3.0, CENTIMETRE), 0.6, CENTIMETRE)


def slope_degrees(elevation: FloatGrid, cell_size_m: float) -> FloatGrid:
    """Return the steepness of a terrain in degrees, in hundredths."""
    down, right = np.gradient(elevation, cell_size_m)
    return quantise(np.degrees(np.arctan(np.hypot(down, right))), 0.01)


def _landform(rng: np.random.Generator, shape: tuple[int, int]) -> FloatGrid:
    """Outline the mountains: how high the land stands, from 0 at the outlet to about 1."""
    size = min(shape)
    rows, columns = np.indices(shape, dtype=np.float64)
    # Bent coordinates keep the mountains from following the frame.
    east = columns / shape[1] + 0.06 * spectral_field(rng, shape, 3.6, longest=size / 2.5)
    north = 1.0 - rows / shape[0] + 0.06 * spectral_field(rng, shape, 3.6, longest=size / 2.5)
    from_outlet = np.hypot(east - 0.20, north - 0.02)
    from_edge = np.minimum(np.minimum(east, 1.0 - east), np.minimum(north, 1.0 - north))
    rim = np.exp(-((np.maximum(from_edge, -0.2) - 0.065) ** 2) / 0.02)
    gap = _ramp((from_outlet - 0.03) / 0.30)
    inland = _ramp((from_outlet - 0.05) / 0.95)
    crests = np.exp(-1.8 * np.abs(spectral_field(rng, shape, 4.0, longest=size / 4)))
    hills = _ramp(0.5 + 0.6 * spectral_field(rng, shape, 4.0, longest=size / 5))
    mountains = gap * (0.30 * inland + rim * (0.30 + 0.45 * inland))
    form = mountains * (0.6 + 0.6 * crests) + 0.16 * gap * hills * (0.4 + crests) + 0.01
    return quantise(form, 2.0**-16)


def _wear(land: FloatGrid, rise: FloatGrid, strength: FloatGrid, steps: int) -> FloatGrid:
    """Let rivers cut and slopes creep, while the frame stays at its height."""
    frame = np.ones(land.shape, np.bool_)
    frame[1:-1, 1:-1] = False
    base = land[frame]
    for _ in range(steps):
        land = smooth(erode(drain(land), rise, strength), 0.45, CENTIMETRE)
        land[frame] = base
    return land


def _roughen(rng: np.random.Generator, land: FloatGrid, coarseness: int) -> FloatGrid:
    """Bend straight valleys and add detail that the coarser grid could not hold."""
    waves = [2.0 * spectral_field(rng, land.shape, 5.0, longest=30) for _ in range(2)]
    rows, columns = np.indices(land.shape, dtype=np.float64)
    bent = ndimage.map_coordinates(land, [rows + waves[0], columns + waves[1]], order=1, mode="nearest")
    detail = spectral_field(rng, land.shape, 2.6, longest=12)
    return quantise(bent + 0.45 * coarseness**0.8 * detail * (0.2 + land / _RELIEF_M), CENTIMETRE)


def _coarsen(field: FloatGrid, coarseness: int) -> FloatGrid:
    rows, columns = (-(-size // coarseness) for size in field.shape)
    return resample(field, (rows, columns), CENTIMETRE)


def _ramp(position: FloatGrid) -> FloatGrid:
    """Rise smoothly from 0 at 0 to 1 at 1."""
    within = np.clip(position, 0.0, 1.0)
    return within * within * (3.0 - 2.0 * within)
