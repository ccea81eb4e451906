"""Recent change: counted right, cut out where it would explain itself, and used only where it helps."""

from __future__ import annotations

import numpy as np
import pytest
from affine import Affine
from odc.geo.geobox import GeoBox

from scenarios.cluster import ONE, Workers
from scenarios.demand.transitions import Transition
from scenarios.grid import Grid
from scenarios.potential.learning import fit_additive
from scenarios.potential.momentum import recent_change, stroke_radius
from scenarios.potential.samples import Sample

GRID = Grid(GeoBox((7, 7), Affine(30, 0, 500_000, 0, -30, 4_000_000), "EPSG:32630"))
CHANGE = Transition(1, 2)


@pytest.fixture
def dates() -> tuple[np.ndarray, np.ndarray]:
    """Return two maps of forest (1) between which three cells in a corner of the middle became built (2)."""
    first = np.ones((7, 7), np.uint8)
    first[0, 0] = 0
    last = first.copy()
    last[2, 2] = last[2, 3] = last[3, 2] = 2
    return first, last


def test_share_of_cells_that_changed(dates: tuple[np.ndarray, np.ndarray]) -> None:
    share = recent_change(*dates, CHANGE, 1, grid=GRID, workers=ONE)
    assert share[3, 3] == pytest.approx(3 / 9)
    assert share[1, 1] == pytest.approx(1 / 8)  # one of the nine has no data
    assert share[6, 6] == 0


def test_the_middle_is_left_out(dates: tuple[np.ndarray, np.ndarray]) -> None:
    share = recent_change(*dates, CHANGE, 2, grid=GRID, workers=ONE, cut=1)
    assert share[3, 3] == 0  # all three lie in the middle 3 x 3
    assert share[4, 4] == pytest.approx(3 / 16)
    assert recent_change(*dates, CHANGE, 2, grid=GRID, workers=ONE, cut=0)[2, 2] == pytest.approx(2 / 23)


def test_nothing_is_known_where_the_cut_takes_the_whole_window(dates: tuple[np.ndarray, np.ndarray]) -> None:
    assert np.isnan(recent_change(*dates, CHANGE, 1, grid=GRID, workers=ONE, cut=1)).all()
    assert np.isnan(recent_change(*dates, CHANGE, 1, grid=GRID, workers=ONE, cut=3)).all()


def test_threads_do_not_show(dates: tuple[np.ndarray, np.ndarray]) -> None:
    one = recent_change(*dates, CHANGE, 2, grid=GRID, workers=ONE)
    np.testing.assert_array_equal(one, recent_change(*dates, CHANGE, 2, grid=GRID, workers=Workers(2)))


def test_a_stroke_is_as_wide_as_its_patches() -> None:
    changed = np.zeros((20, 20), bool)
    assert stroke_radius(changed) == 0
    changed[0, 0] = True
    assert stroke_radius(changed) == 0
    changed[5:12, 5:12] = True  # 49 cells: all but one of the changed cells lie in a square of 7
    assert stroke_radius(changed) == round(np.sqrt((49**2 + 1) / 50) / 2) == 3


def test_a_candidate_stays_only_if_it_helps() -> None:
    rng = np.random.default_rng(3)
    driver, useful, noise = rng.integers(0, 60, (3, 4000))
    blocks = rng.integers(0, 40, 4000)
    changed = rng.random(4000) < 1 / (1 + np.exp(2 - 0.03 * driver - 0.04 * useful))

    def span(candidate: np.ndarray) -> float:
        levels = np.stack([driver, candidate], axis=1)
        model = fit_additive(Sample(levels, changed, blocks, np.ones(4000)), candidates=1)
        assert model is not None
        return float(np.ptp(model.terms[1].log_odds))

    assert span(useful) > 1
    assert span(noise) == 0
    blocks = np.zeros(4000, np.int64)
    assert span(useful) == 0  # nothing can be held out of a single block
