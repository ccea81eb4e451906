"""Reproducible natural texture: spectral fields, parcels and counts in windows.

Results of Fourier transforms and of convolutions differ in their last bits between machines. Every field that
leaves this module is therefore a multiple of a step far coarser than that, so that all that follows from it
by exact arithmetic or by comparison is the same everywhere.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

FloatGrid = NDArray[np.float64]
BoolGrid = NDArray[np.bool_]
IndexGrid = NDArray[np.int32]

_FIELD_STEP = 2.0**-16


def quantise(field: FloatGrid, step: float) -> FloatGrid:
    """Round a field to multiples of a step."""
    return np.rint(field / step) * step


def spectral_field(
    rng: np.random.Generator, shape: tuple[int, int], slope: float, longest: float | None = None
) -> FloatGrid:
    """Draw a random field whose power falls with frequency as ``f ** -slope``.

    Parameters
    ----------
    rng : numpy.random.Generator
    shape : (rows, columns)
    slope : float
        2 is rough, 4 is smooth.
    longest : float, optional
        Wavelengths above this many cells are damped; by default none are.

    Returns
    -------
    (y, x) float64 with mean 0 and standard deviation 1, periodic at its edges, in steps of 2**-16.
    """
    white = rng.random(shape) - 0.5
    rows, columns = np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None, :]
    lowest = 1.0 / (longest or max(shape))
    amplitude = (rows**2 + columns**2 + lowest**2) ** (-slope / 4.0)
    amplitude[0, 0] = 0.0
    field: FloatGrid = fft.irfft2(fft.rfft2(white) * amplitude, s=shape)
    return quantise((field - field.mean()) / field.std(), _FIELD_STEP)


def smooth(field: FloatGrid, cells: float, step: float = _FIELD_STEP) -> FloatGrid:
    """Blur a field with a Gaussian of a standard deviation in cells, in multiples of a step."""
    return quantise(ndimage.gaussian_filter(field, cells, mode="nearest", truncate=3.0), step)


def resample(field: FloatGrid, shape: tuple[int, int], step: float = _FIELD_STEP) -> FloatGrid:
    """Stretch a field onto a grid of another shape (bilinear), in multiples of a step."""
    factors = (shape[0] / field.shape[0], shape[1] / field.shape[1])
    stretched: FloatGrid = ndimage.zoom(field, factors, order=1, mode="nearest", grid_mode=True)
    return quantise(stretched, step)


def draw_parcels(rng: np.random.Generator, shape: tuple[int, int], cells: float) -> tuple[IndexGrid, int]:
    """Divide a grid into irregular compact parcels (a jittered Voronoi tessellation).

    Parameters
    ----------
    rng : numpy.random.Generator
    shape : (rows, columns)
    cells : float
        Mean size of a parcel in cells.

    Returns
    -------
    parcel : (y, x) int32, number of the parcel, from 0
    count : int
    """
    spacing = cells**0.5
    rows, columns = (int(np.ceil(size / spacing)) for size in shape)
    jitter = rng.random((2, rows, columns))
    y = np.minimum(((np.arange(rows)[:, None] + jitter[0]) * spacing).astype(np.int64), shape[0] - 1)
    x = np.minimum(((np.arange(columns)[None, :] + jitter[1]) * spacing).astype(np.int64), shape[1] - 1)
    number = np.full(shape, -1, np.int32)
    number[y, x] = np.arange(rows * columns, dtype=np.int32).reshape(rows, columns)
    nearest = ndimage.distance_transform_edt(number < 0, return_distances=False, return_indices=True)
    return number[nearest[0], nearest[1]], rows * columns


def count_around(mask: BoolGrid, radius: int) -> NDArray[np.uint8]:
    """Count the true cells in the square of ``2 * radius + 1`` cells around each cell, at most 255."""
    rows, columns = mask.shape
    width = range(2 * radius + 1)
    padded = np.pad(mask.astype(np.uint8), radius)
    across = np.zeros((rows + 2 * radius, columns), np.uint8)
    for offset in width:
        across += padded[:, offset : offset + columns]
    count = np.zeros(mask.shape, np.uint8)
    for offset in width:
        count += across[offset : offset + rows]
    return count
