"""Resampled rates: centred on what was seen, as wide as the clumps of change, and the same in every scenario."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from scenarios.calibration import calibrate
from scenarios.cluster import ONE, Workers
from scenarios.demand.resampling import effective_samples, resample
from scenarios.demand.transitions import TransitionTable, tabulate_history
from scenarios.model import Model
from scenarios.projection.ensemble import draw_ensemble
from tests.scenarios.conftest import PlumIsland
from tests.scenarios.landscapes import LEGEND, projected_grid, random_map, scenario, walk

SEEN = TransitionTable(2000, 2010, LEGEND, np.array([[90.0, 10.0, 0.0], [0.0, 50.0, 0.0], [5.0, 15.0, 80.0]]))
WORTH = np.array([50.0, 50.0, 200.0])


def drawn(members: int, worth: NDArray[np.float64] = WORTH) -> NDArray[np.float64]:
    return np.stack([resample([SEEN], [worth], seed=42, member=m)[0].area_ha for m in range(members)])


def test_the_mean_and_spread_are_those_of_the_dirichlet_distribution() -> None:
    areas = drawn(4000)
    np.testing.assert_allclose(areas.mean(axis=0), SEEN.area_ha, atol=0.3)
    # Variance of a Dirichlet share: p (1 - p) / (n + 1), by hand for 10 ha of 100 with n = 50 and 15 with n = 200.
    assert areas[:, 0, 1].std() == pytest.approx(100 * np.sqrt(0.1 * 0.9 / 51), rel=0.05)
    assert areas[:, 2, 1].std() == pytest.approx(100 * np.sqrt(0.15 * 0.85 / 201), rel=0.05)


def test_rows_keep_their_area_and_what_was_never_seen_stays_so() -> None:
    areas = drawn(50)
    np.testing.assert_allclose(areas.sum(axis=2), np.broadcast_to(SEEN.area_ha.sum(axis=1), (50, 3)))
    assert (areas[:, SEEN.area_ha == 0] == 0).all()
    assert (areas >= 0).all()


def test_several_intervals_weigh_differently_in_each_member() -> None:
    pairs = [resample([SEEN, SEEN], [WORTH, WORTH], seed=42, member=m) for m in range(50)]
    weights = np.array([[t.area_ha.sum() / SEEN.area_ha.sum() for t in pair] for pair in pairs])
    np.testing.assert_allclose(weights.sum(axis=1), 2)
    assert weights.std(axis=0).min() > 0.4  # 2 / √12 for a flat share


def test_a_draw_hangs_on_seed_and_member_alone() -> None:
    again = resample([SEEN], [WORTH], seed=42, member=7)[0].area_ha
    np.testing.assert_array_equal(drawn(8)[7], again)
    for other in ({"seed": 43, "member": 7}, {"seed": 42, "member": 8}):
        assert (resample([SEEN], [WORTH], **other)[0].area_ha != again).any()


def effective(last: NDArray[np.uint8], cell_m: float = 1000.0) -> NDArray[np.float64]:
    grid = projected_grid(last.shape, cell_m)
    history = {1990: np.ones_like(last), 2000: last}
    return effective_samples(history, tabulate_history(history, LEGEND, grid), grid)[0]


def test_two_blocks_by_hand() -> None:
    # Blocks of one cell and two cells wide: 16 x 1 cells in 8 blocks of 2; one block changes wholly.
    last = np.ones((16, 1), np.uint8)
    last[:2] = 2
    # p = 1/8. Σ (a_b - p · 2)² = (2 - 0.25)² + 7 · 0.25² = 3.5; v = 8/7 · 3.5 / 16² = 1/64; p (1 - p) / v = 7.
    assert effective(last)[0] == pytest.approx(7.0)


def test_change_in_clumps_is_worth_fewer_cells_than_scattered_change() -> None:
    rng = np.random.default_rng(0)
    scattered = np.where(rng.random((160, 160)) < 0.1, 2, 1).astype(np.uint8)
    clumped = np.where(np.kron(rng.random((8, 8)) < 0.1, np.ones((20, 20))), 2, 1).astype(np.uint8)
    cells = scattered.size
    assert cells / 3 < effective(scattered, 250.0)[0] <= cells
    assert effective(clumped, 250.0)[0] == pytest.approx(63, abs=1)  # every block is one witness


def test_a_class_in_one_block_or_none_is_one_witness() -> None:
    assert effective(np.ones((16, 1), np.uint8))[1:].tolist() == [1.0, 1.0]
    assert effective(np.array([[1, 2]], np.uint8)[:, :1])[0] == 1.0


@pytest.fixture(scope="module")
def learned() -> tuple[Model, NDArray[np.uint8]]:
    start = random_map((40, 50))
    last = start.copy()
    last[:12][(start[:12] == 1) & (np.random.default_rng(1).random((12, 50)) < 0.6)] = 2
    found = calibrate(
        scenario(), {1990: start, 2000: last}, {}, legend=LEGEND, grid=projected_grid((40, 50)), workers=ONE
    )
    return found.model, last


def test_members_have_different_areas_and_the_best_map_the_point_estimate(
    learned: tuple[Model, NDArray[np.uint8]],
) -> None:
    model, start = learned
    plans = scenario(members=12)
    found = draw_ensemble(model, plans, start)
    low, high = found.area_quantile_ha(0.05)[-1], found.area_quantile_ha(0.95)[-1]
    best = walk(model, plans, start)[-1].area_ha
    assert (high - low)[:2].min() > 10
    assert (low[:2] < best[:2]).all()
    assert (best[:2] < high[:2]).all()
    observed = walk(replace(model, demand=None), plans, start)[-1].area_ha
    np.testing.assert_array_equal(best, observed)
    np.testing.assert_allclose(found.area_ha.sum(axis=2), (start != 0).sum())


def test_without_uncertainty_members_share_their_demand(learned: tuple[Model, NDArray[np.uint8]]) -> None:
    model, start = learned
    found = draw_ensemble(model, scenario(members=3, demand={"uncertainty": False}), start)
    assert (found.area_ha == found.area_ha[:1]).all()


def test_threads_and_chunks_do_not_show(learned: tuple[Model, NDArray[np.uint8]]) -> None:
    model, start = learned
    one = draw_ensemble(model, scenario(members=4), start)
    many = draw_ensemble(model, scenario(members=4), start, chunk=11, workers=Workers(4))
    assert one.counts.tobytes() == many.counts.tobytes()
    assert one.area_ha.tobytes() == many.area_ha.tobytes()


def test_scenarios_share_the_draws_of_a_member(learned: tuple[Model, NDArray[np.uint8]]) -> None:
    model, start = learned
    late = {"id": "z", "years": (2004, 2005), "change_rate": {"from": "forest", "to": "built", "factor": 0}}
    for plain, planned in zip(*(walk(model, s, start, member=3) for s in (scenario(), scenario(late))), strict=True):
        assert (plain.land_cover == planned.land_cover).all() == (plain.year < 2004)


def test_plum_island_is_worth_far_fewer_places_than_it_has_cells(plum_island: PlumIsland) -> None:
    p = plum_island
    tables = tabulate_history(p.history, p.legend, p.grid)
    for table, worth in zip(tables, effective_samples(p.history, tables, p.grid), strict=True):
        cells = table.area_ha.sum(axis=1)
        assert (worth > 20).all()
        assert (worth < cells / 2).all()
        assert (worth[[0, 2]] < cells[[0, 2]] / 10).all()
