"""Terrain: planes, peaks and valleys whose derivatives are known."""

from __future__ import annotations

import numpy as np
import pytest
from affine import Affine
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from scenarios.grid import Grid
from scenarios.potential import terrain

GRID = Grid(GeoBox((7, 9), Affine(20, 0, 500_000, 0, -10, 4_000_000), "EPSG:32618"))  # cells 20 m wide, 10 m high
ROWS, COLUMNS = np.indices((7, 9))
Heights = NDArray[np.float32]


def plane(per_metre_south: float, per_metre_east: float) -> Heights:
    """Return heights that rise by so much per metre."""
    return (100 + per_metre_south * 10 * ROWS + per_metre_east * 20 * COLUMNS).astype(np.float32)


@pytest.mark.parametrize(("south", "east"), [(1.0, 0.0), (0.0, -0.5), (0.3, 0.4), (0.0, 0.0)])
def test_the_slope_of_a_plane_is_the_same_up_to_the_edges(south: float, east: float) -> None:
    expected = np.degrees(np.arctan(np.hypot(south, east)))
    np.testing.assert_allclose(terrain.slope(plane(south, east), GRID), np.full((7, 9), expected), atol=1e-4)


@pytest.mark.parametrize(
    ("south", "east", "northness", "eastness"),
    [(1, 0, 1, 0), (-1, 0, -1, 0), (0, 1, 0, -1), (0, -1, 0, 1), (3, 4, 0.6, -0.8), (0, 0, 0, 0)],
)
def test_a_slope_faces_downhill(south: float, east: float, northness: float, eastness: float) -> None:
    heights = plane(0.1 * south, 0.1 * east)
    np.testing.assert_allclose(terrain.northness(heights, GRID), np.full((7, 9), northness), atol=1e-4)
    np.testing.assert_allclose(terrain.eastness(heights, GRID), np.full((7, 9), eastness), atol=1e-4)


def test_slopes_are_unknown_beside_missing_heights() -> None:
    heights = plane(0.3, 0.4)
    heights[3, 4] = np.nan
    unknown = (abs(ROWS - 3) <= 1) & (abs(COLUMNS - 4) <= 1)
    for values in (terrain.slope(heights, GRID), terrain.northness(heights, GRID), terrain.eastness(heights, GRID)):
        np.testing.assert_array_equal(np.isnan(values), unknown)


def test_position_is_the_height_above_the_mean_around() -> None:
    peak = np.full((7, 9), 100, np.float32)
    peak[3, 4] = 118
    found = terrain.position(peak, GRID, radius_m=14)  # a cell: 3 x 3 cells
    assert found[3, 4] == pytest.approx(16)
    assert found[2, 3] == pytest.approx(-2)
    assert found[0, 0] == 0
    peak[3, 3] = np.nan
    found = terrain.position(peak, GRID, radius_m=14)
    assert found[3, 4] == pytest.approx(18 - 18 / 8)
    assert np.isnan(found[3, 3])
    assert np.isnan(found).sum() == 1


def test_roughness_is_the_range_of_the_nine_cells() -> None:
    heights = plane(0, 0)
    heights[3, 4], heights[3, 5], heights[0, 0] = 110, 95, np.nan
    found = terrain.roughness(heights)
    assert (found[3, 3], found[3, 4], found[3, 6], found[3, 8]) == (10, 15, 5, 0)
    assert np.isnan(found[0, 0])
    assert found[1, 1] == 0


def test_a_tilted_plane_gathers_water_row_by_row() -> None:
    heights = plane(-0.2, 0)  # falls to the south; the outer columns drain over the edge
    found = terrain.wetness(heights, GRID)
    cells = np.arange(1, 6)  # the first row drains over the northern edge
    expected = np.log(cells * np.sqrt(20 * 10) / 0.2)
    np.testing.assert_allclose(found[1:6, 4], expected, rtol=1e-4)


def test_water_leaves_where_heights_are_missing() -> None:
    heights = plane(-0.2, 0)
    heights[3, 4] = np.nan
    found = terrain.wetness(heights, GRID)
    assert np.isnan(found[3, 4])
    # What lies beside the gap drains into it, so that a cell further down has no water but its own.
    assert found[5, 4] == pytest.approx(np.log(np.sqrt(200) / 0.2), rel=1e-4)
    assert found[5, 2] == pytest.approx(np.log(5 * np.sqrt(200) / 0.2), rel=1e-4)


def test_a_plain_without_slope_is_wet_and_finite() -> None:
    assert np.isfinite(terrain.wetness(plane(0, 0), GRID)).all()


def test_a_layer_without_heights_has_nothing_to_tell() -> None:
    none = np.full((7, 9), np.nan, np.float32)
    for values in (terrain.slope(none, GRID), terrain.position(none, GRID, 30), terrain.wetness(none, GRID)):
        assert np.isnan(values).all()
    assert np.isnan(terrain.roughness(none)).all()
