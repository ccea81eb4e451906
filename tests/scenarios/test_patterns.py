"""Landscape pattern against a map worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from scenarios.validation.patterns import measure_patterns, side_lengths_m
from tests.scenarios.landscapes import geographic_grid, projected_grid

# One hectare a cell. Two patches of 1 (the second joined at a corner), one of 2, and a cell without data.
MAP = np.array(
    [
        [1, 1, 2, 2],
        [1, 2, 2, 1],
        [2, 2, 1, 0],
    ],
    np.uint8,
)


def test_patches_by_hand() -> None:
    one, two, three = measure_patterns(MAP, (1, 2, 3), projected_grid(MAP.shape))
    assert (one.value, one.patches, one.mean_patch_ha) == (1, 2, pytest.approx(5 / 2))
    assert (two.value, two.patches, two.mean_patch_ha) == (2, 1, pytest.approx(6))
    assert three.patches == 0
    assert np.isnan(three.mean_patch_ha)


def test_edges_by_hand() -> None:
    # Between rows 1 and 2: columns 2 and 4; rows 2 and 3: columns 1 and 3. Within rows: one, two and one. Eight
    # sides of 100 m on 11 ha; that next to the cell without data is none.
    one, two, three = measure_patterns(MAP, (1, 2, 3), projected_grid(MAP.shape))
    assert one.edge_density_m_ha == two.edge_density_m_ha == pytest.approx(8 * 100 / 11)
    assert three.edge_density_m_ha == 0


def test_a_map_without_data_has_no_pattern() -> None:
    (one,) = measure_patterns(np.zeros((3, 4), np.uint8), (1,), projected_grid((3, 4)))
    assert one.patches == 0
    assert np.isnan(one.edge_density_m_ha)


def test_sides_on_the_ellipsoid() -> None:
    # At 45 degrees north a hundredth of a degree is 788.5 m of the parallel and 1111.3 m of the meridian (WGS 84).
    across, down = side_lengths_m(geographic_grid((3, 4)))
    assert across == pytest.approx([788.46] * 2, rel=1e-3)
    assert down == pytest.approx([1111.3] * 3, rel=1e-3)
    assert across[0] < across[1]  # wider towards the equator
