"""Landscape pattern: whether the simulated map looks like the observed one, in patches and edges.

Patch count, mean patch size and edge density as in FRAGSTATS (McGarigal and Marks 1995, doi:10.2737/PNW-GTR-351):
patches touch at sides or corners; the edge of the landscape is no edge.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenarios.grid import Grid

_EIGHT = np.ones((3, 3), bool)


@dataclass(frozen=True)
class Pattern:
    """The pattern of one class in one map.

    Parameters
    ----------
    value : legend value
    patches : how many
    mean_patch_ha : mean size of a patch, hectares; NaN without any
    edge_density_m_ha : length of its border with other classes, metres in a hectare of the landscape
    """

    value: int
    patches: int
    mean_patch_ha: float
    edge_density_m_ha: float


def measure_patterns(land_cover: NDArray[np.uint8], values: tuple[int, ...], grid: Grid) -> tuple[Pattern, ...]:
    """Measure the pattern of each class.

    Parameters
    ----------
    land_cover : (y, x) uint8, legend values, 0 = no data
    values : the classes
    grid : of the map
    """
    from scipy.ndimage import label

    area = grid.weigh(land_cover, values) * grid.weight_ha
    inside = float(grid.row_area_ha @ np.count_nonzero(land_cover, axis=1))
    across, down = side_lengths_m(grid)
    out = []
    for value, hectares in zip(values, area.tolist(), strict=True):
        mine = land_cover == value
        other = (land_cover != 0) & ~mine
        beside = np.count_nonzero(mine[:, 1:] & other[:, :-1], axis=1) + np.count_nonzero(
            mine[:, :-1] & other[:, 1:], axis=1
        )
        above = np.count_nonzero(mine[1:] & other[:-1], axis=1) + np.count_nonzero(mine[:-1] & other[1:], axis=1)
        edge = float(down @ beside + across @ above)
        patches = int(label(mine, _EIGHT)[1])
        mean = hectares / patches if patches else float("nan")
        out.append(Pattern(value, patches, mean, edge / inside if inside else float("nan")))
    return tuple(out)


def side_lengths_m(grid: Grid) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the lengths of the cells' sides in metres: (y - 1,) of those between rows, (y,) of those beside cells."""
    rows = grid.shape[0]
    affine, crs = grid.geobox.affine, grid.geobox.crs
    assert crs is not None, "a landscape's grid has a CRS"
    unit = float(crs.proj.axis_info[0].unit_conversion_factor)
    if not grid.is_geographic:
        return np.full(rows - 1, abs(affine.a) * unit), np.full(rows, abs(affine.e) * unit)
    geod = crs.proj.get_geod()
    assert geod is not None  # a geographic CRS has an ellipsoid
    latitude = (affine.f + affine.e * np.arange(rows + 1)) * np.degrees(unit)
    zero, step = np.zeros(rows + 1), np.full(rows + 1, abs(affine.a) * np.degrees(unit))
    across = geod.inv(zero, latitude, step, latitude)[2]
    down = geod.inv(zero[1:], latitude[:-1], zero[1:], latitude[1:])[2]
    return np.asarray(across[1:-1], np.float64), np.asarray(down, np.float64)
