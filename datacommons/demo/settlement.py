"""Where people settle, and how far their towns and villages reach."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from datacommons.demo.texture import BoolGrid, FloatGrid, quantise, smooth, spectral_field
from datacommons.demo.water import Waters, confluences

_STEP = 1e-6


@dataclass(frozen=True)
class Settlement:
    """A town or village: its centre on the grid and its size in built cells at the first date."""

    row: int
    column: int
    cells: int


def found_settlements(waters: Waters, slope: FloatGrid, distance_to_river_m: FloatGrid) -> list[Settlement]:
    """Choose sites from the best to the last: flat, dry, near rivers and confluences, apart from each other.

    Parameters
    ----------
    waters : Waters
    slope : (y, x) float64, degrees
    distance_to_river_m : (y, x) float64, metres

    Returns
    -------
    list of Settlement
        The largest first; sizes fall with rank as those of towns do.
    """
    extent = min(slope.shape)
    attraction = _attraction(waters, slope, distance_to_river_m)
    peaks = (attraction > 0.0) & (attraction == ndimage.maximum_filter(attraction, 5))
    rows, columns = np.nonzero(peaks)
    squared_gap = np.full(rows.size, np.inf)
    largest = 0.0045 * waters.basin.sum()
    settlements: list[Settlement] = []
    for rank in range(1, max(6, round(extent * 0.034)) + 1):
        apart = extent * (0.20 if rank <= 3 else 0.11 if rank <= 10 else 0.076)
        worth = np.where(squared_gap < apart**2, 0.0, attraction[peaks])
        if worth.max(initial=0.0) <= 0.0:
            break
        row, column = int(rows[worth.argmax()]), int(columns[worth.argmax()])
        settlements.append(Settlement(row, column, max(9, round(largest / rank))))
        squared_gap = np.minimum(squared_gap, (rows - row) ** 2 + (columns - column) ** 2)
    return settlements


def build_up(
    rng: np.random.Generator,
    settlements: list[Settlement],
    slope: FloatGrid,
    distance_to_road_m: FloatGrid,
    free: BoolGrid,
) -> BoolGrid:
    """Draw the built land: compact and irregular around the centres, with farms and hamlets along the roads.

    Parameters
    ----------
    rng : numpy.random.Generator
    settlements : list of Settlement
    slope : (y, x) float64, degrees
    distance_to_road_m : (y, x) float64, metres
    free : (y, x) bool
        Where building is possible.

    Returns
    -------
    (y, x) bool
    """
    built = np.zeros(slope.shape, np.bool_)
    irregular = spectral_field(rng, slope.shape, 3.0, longest=25)
    burden = quantise(np.exp(0.20 * irregular + 0.10 * slope + np.minimum(distance_to_road_m, 900.0) / 900.0), _STEP)
    for place in [*settlements, *_hamlets(rng, slope, distance_to_road_m, free)]:
        reach = int(4 * place.cells**0.5) + 6
        top, left = max(0, place.row - reach), max(0, place.column - reach)
        window = np.s_[top : place.row + reach, left : place.column + reach]
        rows, columns = np.indices(free[window].shape)
        away = (rows + top - place.row) ** 2 + (columns + left - place.column) ** 2
        cost = np.where(free[window], (away + 1.0) * burden[window] ** 2, np.inf)
        chosen = np.argsort(cost, axis=None, kind="stable")[: place.cells]
        built[window].flat[chosen] = True
    return built & free


def _attraction(waters: Waters, slope: FloatGrid, distance_to_river_m: FloatGrid) -> FloatGrid:
    calm = np.exp(-smooth(slope, 3.0) / 5.0)
    above = waters.height_above_stream_m
    dry = above / (above + 2.0) * np.exp(-np.minimum(above, 400.0) / 60.0)
    near = np.exp(-distance_to_river_m / 800.0)
    size = 0.15 + np.sqrt(np.minimum(waters.river_size, 0.5))
    meeting = smooth(np.sqrt(confluences(waters)), 10.0)
    inland = ndimage.distance_transform_edt(waters.basin) / (0.08 * min(slope.shape))
    attraction = calm * dry * near * size * (1.0 + 1000.0 * meeting) * np.minimum(inland, 1.0) ** 2
    dry_land = ~ndimage.binary_dilation(waters.lakes | waters.streams, iterations=2)
    return np.where((inland > 0.35) & dry_land, quantise(attraction, _STEP), 0.0)


def _hamlets(
    rng: np.random.Generator, slope: FloatGrid, distance_to_road_m: FloatGrid, free: BoolGrid
) -> list[Settlement]:
    """Draw farms and hamlets on gentle land not far from a road."""
    suitable = np.flatnonzero(free & (slope < 9.0) & (distance_to_road_m < 420.0))
    sites = suitable[(rng.random(round(suitable.size * 0.0011)) * suitable.size).astype(np.int64)]
    sizes = 3 + (rng.random(sites.size) ** 3 * 14).astype(np.int64)
    rows, columns = np.divmod(sites, slope.shape[1])
    return [Settlement(*map(int, place)) for place in zip(rows, columns, sizes, strict=True)]
