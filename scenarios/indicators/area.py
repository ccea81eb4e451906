"""Area of each class, in hectares."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from catalog.legend import Legend
from scenarios.grid import Grid

UNIT = "ha"


def class_area_ha(land_cover: NDArray[np.uint8], legend: Legend, grid: Grid) -> NDArray[np.float64]:
    """Return the area of each class of a map.

    Parameters
    ----------
    land_cover : (y, x) uint8, legend values

    Returns
    -------
    (class,) float64, hectares, in legend order. Planar cell areas on a projected grid, geodesic ones on a geographic.
    """
    return np.asarray(grid.weigh(land_cover, legend.values) * grid.weight_ha, np.float64)
