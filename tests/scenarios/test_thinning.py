"""Thinning: a few of many cells, whoever shows them in which parts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.kernels.draws import stream, uniforms
from scenarios.potential.thinning import Few
from tests.scenarios.landscapes import geographic_grid, projected_grid

SHAPE = (60, 50)
KEY = stream(7, 1)


@given(st.integers(0, 1000), st.integers(1, 60), st.integers(1, 400), st.floats(0, 1))
def test_those_with_the_smallest_draws_are_kept(seed: int, rows: int, most: int, share: float) -> None:
    mask = np.random.default_rng(seed).random(SHAPE) < share
    few = Few(most, projected_grid(SHAPE), KEY)
    for first in range(0, SHAPE[0], rows):
        few.show(mask[first : first + rows], first)
    cells = np.flatnonzero(mask)
    drawn = uniforms(KEY, *np.divmod(cells, SHAPE[1]))
    assert few.take().tolist() == sorted(cells[np.argsort(drawn)][:most].tolist())


def test_the_area_of_all_cells_that_were_shown_is_told() -> None:
    grid, mask = geographic_grid(SHAPE), np.random.default_rng(1).random(SHAPE) < 0.3
    few = Few(10, grid, KEY)
    few.show(mask)
    assert few.area_ha == pytest.approx(float((mask * grid.row_area_ha[:, None]).sum()))
    assert few.take().size == 10
