"""Relief: shadow and light on a landscape, to be laid over a map."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

# Light from the north-west, softened by its neighbours so that no ridge that runs towards it disappears.
_LIGHTS: Final = ((315.0, 0.5), (270.0, 0.25), (0.0, 0.25))
_ALTITUDE_DEGREES: Final = 45.0
# Slopes shrink with the size of a pixel as on most terrain (a surface with a Hurst exponent of 0.7).
_ROUGHNESS: Final = 0.3
_TYPICAL_SLOPE: Final = 0.15
_MOST_EXAGGERATION: Final = 12.0
_FLAT: Final = 128
_DARKEST: Final = 230
_LIGHTEST: Final = 110


def shade(
    elevation: np.ma.MaskedArray[Any, np.dtype[Any]], *, pixel_size_m: float, exaggeration: float
) -> NDArray[np.uint8]:
    """Shade a surface.

    Parameters
    ----------
    elevation : (y + 2, x + 2) float, masked where unknown
        In metres, with one pixel around what is to be shaded.
    pixel_size_m : float
    exaggeration : float
        What heights are multiplied with.

    Returns
    -------
    (y, x) uint8
        Rows of `RELIEF_PALETTE`; 128 is flat or unknown.

    Notes
    -----
    Lambert's cosine law for each light: the cosine of the angle between the light and the normal of the
    surface, compared with that of level ground.
    """
    heights = np.ma.filled(elevation.astype(float), np.nan) * (exaggeration / pixel_size_m)
    east = (heights[1:-1, 2:] - heights[1:-1, :-2]) / 2
    north = (heights[:-2, 1:-1] - heights[2:, 1:-1]) / 2
    level = np.sin(np.radians(_ALTITUDE_DEGREES))
    gain = np.nan_to_num(_illuminate(east, north) - level, nan=0.0)
    shadow, light = np.clip(-gain / level, 0, 1), np.clip(gain / (1 - level), 0, 1)
    index: NDArray[np.float64] = np.rint(_FLAT - shadow * (_FLAT - 1) + light * (255 - _FLAT))
    return index.astype(np.uint8)


def exaggerate(*, pixel_size_m: float, extent_m: float, deviation_m: float) -> float:
    """Choose how much to exaggerate heights, so that a plain shows its folds and mountains are not black.

    Parameters
    ----------
    pixel_size_m : float
        The coarser, the gentler slopes look, and the more they are exaggerated.
    extent_m : float
        Side of the landscape.
    deviation_m : float
        Standard deviation of its elevations.

    Returns
    -------
    float
        The same for all tiles of a layer at a zoom, so that there are no seams; 1 to 12.

    Examples
    --------
    >>> mountains = exaggerate(pixel_size_m=30, extent_m=30_000, deviation_m=600)
    >>> plain = exaggerate(pixel_size_m=30, extent_m=30_000, deviation_m=20)
    >>> mountains < 2 < 10 < plain
    True
    """
    slope = deviation_m / extent_m * (extent_m / pixel_size_m) ** _ROUGHNESS
    return float(np.clip(_TYPICAL_SLOPE / slope, 1.0, _MOST_EXAGGERATION))


def _illuminate(east: NDArray[np.float64], north: NDArray[np.float64]) -> NDArray[np.float64]:
    altitude = np.radians(_ALTITUDE_DEGREES)
    steepness = np.sqrt(1 + east**2 + north**2)
    total = np.zeros_like(east)
    for azimuth, weight in _LIGHTS:
        towards_east, towards_north = np.sin(np.radians(azimuth)), np.cos(np.radians(azimuth))
        across = np.cos(altitude) * (east * towards_east + north * towards_north)
        total += weight * np.clip((np.sin(altitude) - across) / steepness, 0, 1)
    return total


def _build_palette() -> NDArray[np.uint8]:
    """Black, from dense to clear, up to the level row; then white, from clear to a thin veil."""
    rows = np.arange(256)
    palette = np.zeros((256, 4))
    palette[_FLAT + 1 :, :3] = 255
    palette[:, 3] = np.where(
        rows <= _FLAT,
        (_FLAT - rows) / (_FLAT - 1) * _DARKEST,
        (rows - _FLAT) / (255 - _FLAT) * _LIGHTEST,
    )
    palette[0] = 0
    return np.rint(palette).astype(np.uint8)


RELIEF_PALETTE: Final = _build_palette()
"""(256, 4) uint8: red, green, blue, alpha; row 128 is transparent, darker below, lighter above."""
