"""Metrics against tables worked out by hand, and against the code that other models were measured with."""

from __future__ import annotations

from dataclasses import astuple
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.validation.hindcast import Hindcast
from scenarios.validation.metrics import (
    Outcome,
    TransitionAgreement,
    compare,
    compare_transitions,
    figure_of_merit_at,
    map_outcomes,
)
from tests.scenarios.conftest import PlumIsland
from tests.scenarios.landscapes import Map, random_map

# Ten cells with data:   1  2  3  4  5  6  7  8  9 10   and three that lack it in one of the maps
INITIAL = np.array([[1, 1, 1, 1, 1, 2, 2, 2, 3, 3, 0, 1, 2]], np.uint8)
OBSERVED = np.array([[1, 2, 2, 3, 1, 2, 1, 2, 3, 2, 1, 0, 3]], np.uint8)
SIMULATED = np.array([[1, 2, 1, 2, 2, 2, 1, 2, 3, 3, 1, 1, 0]], np.uint8)
#                  agree hit miss wrong false agree hit agree agree miss
# Of observed (rows) and simulated (columns):      1  2  3 | sum
#                                              1 | 2  1  0 |  3
#                                              2 | 1  3  1 |  5
#                                              3 | 0  1  1 |  2
#                                            sum | 3  5  2 | 10


def test_cells_are_sorted_as_by_hand() -> None:
    found = compare(INITIAL, OBSERVED, SIMULATED)
    assert (found.cells, found.hits, found.wrong_hits, found.misses, found.false_alarms) == (10, 2, 1, 2, 1)


def test_figure_of_merit_by_hand() -> None:
    assert compare(INITIAL, OBSERVED, SIMULATED).figure_of_merit == pytest.approx(2 / 6)


def test_what_was_found_by_hand() -> None:
    assert compare(INITIAL, OBSERVED, SIMULATED).found == pytest.approx(2 / 5)


def test_shares_of_change_by_hand() -> None:
    found = compare(INITIAL, OBSERVED, SIMULATED)
    assert found.observed_change == pytest.approx(5 / 10)
    assert found.simulated_change == pytest.approx(4 / 10)


def test_exchange_by_hand() -> None:
    # Sums agree, so no quantity disagreement; 1 and 2 swap a pair, 2 and 3 swap a pair: 4 of 10 cells.
    found = compare(INITIAL, OBSERVED, SIMULATED)
    assert found.quantity == pytest.approx(0, abs=1e-12)
    assert found.exchange == pytest.approx(0.4)
    assert found.shift == pytest.approx(0, abs=1e-12)
    assert found.allocation == pytest.approx(0.4)


def test_quantity_by_hand() -> None:
    # Observed 1: 3 cells, 2: 1; simulated 1: 1, 2: 3. Half of (2 + 2) of 4 cells.
    observed, simulated = np.array([[1, 1, 1, 2]], np.uint8), np.array([[1, 2, 2, 2]], np.uint8)
    found = compare(observed, observed, simulated)
    assert astuple(found)[-3:] == pytest.approx((0.5, 0, 0))


def test_shift_by_hand() -> None:
    # 1 is taken for 2, 2 for 3 and 3 for 1: sums agree and no pair swaps, so all is shift. 3 of 4 cells.
    observed, simulated = np.array([[1, 2, 3, 1]], np.uint8), np.array([[2, 3, 1, 1]], np.uint8)
    found = compare(observed, observed, simulated)
    assert astuple(found)[-3:] == pytest.approx((0, 0, 0.75))


def test_transitions_by_hand() -> None:
    # Observed: cells 2, 3 (1 to 2), 4 (1 to 3), 7 (2 to 1), 10 (3 to 2). Simulated: 2, 4, 5 (1 to 2), 7 (2 to 1).
    found = compare_transitions(INITIAL, OBSERVED, SIMULATED)
    assert found == (
        TransitionAgreement(1, 2, observed=2, simulated=3, hits=1),
        TransitionAgreement(1, 3, observed=1, simulated=0, hits=0),
        TransitionAgreement(2, 1, observed=1, simulated=1, hits=1),
        TransitionAgreement(3, 2, observed=1, simulated=0, hits=0),
    )
    assert [t.figure_of_merit for t in found] == pytest.approx([1 / 4, 0, 1, 0])


def test_the_map_of_outcomes_by_hand() -> None:
    stay, hit, wrong, miss, alarm = Outcome.STAYED, Outcome.HIT, Outcome.WRONG_HIT, Outcome.MISS, Outcome.FALSE_ALARM
    found = map_outcomes(INITIAL, OBSERVED, SIMULATED)
    assert found.dtype == np.uint8
    assert found.tolist() == [[stay, hit, miss, wrong, alarm, stay, hit, stay, stay, miss, 0, 0, 0]]


def test_kappa_simulation_by_hand() -> None:
    # Agreement: cells 1, 2, 6, 7, 8, 9 of 10. Expected by initial class, from the shares of the ends:
    # 1 (5 cells): observed 2 2 1, simulated 2 3 0: (4 + 6 + 0) / 25; 2 (3): 1 2 0 twice: 5 / 9;
    # 3 (2): observed 0 1 1, simulated 0 0 2: 2 / 4.
    expected = (5 * 10 / 25 + 3 * 5 / 9 + 2 * 2 / 4) / 10
    found = compare(INITIAL, OBSERVED, SIMULATED)
    assert found.chance == pytest.approx(expected)
    assert found.kappa_simulation == pytest.approx((0.6 - expected) / (1 - expected))


def test_churn_by_hand() -> None:
    assert compare(INITIAL, OBSERVED, SIMULATED).churn == pytest.approx(4 / 5)
    assert np.isnan(compare(INITIAL, INITIAL, OBSERVED).churn)


def test_kappa_simulation_of_the_perfect_and_the_blind() -> None:
    assert compare(INITIAL, OBSERVED, OBSERVED).kappa_simulation == pytest.approx(1)
    assert compare(INITIAL, OBSERVED, INITIAL).kappa_simulation == pytest.approx(0)
    assert np.isnan(compare(INITIAL, INITIAL, INITIAL).kappa_simulation)


def test_tall_maps_are_read_in_parts() -> None:
    tall = [np.tile(each.T, (200, 1)) for each in (INITIAL, OBSERVED, SIMULATED)]
    assert tall[0].shape[0] > 2 * 1024
    found, once = compare(*tall), compare(INITIAL, OBSERVED, SIMULATED)
    assert found.hits == 200 * once.hits
    assert found.kappa_simulation == pytest.approx(once.kappa_simulation)


def test_coarse_figure_of_merit_by_hand() -> None:
    # Two changes from 1 to 2, both simulated one cell off: the first inside its block of 2 x 2, the second not.
    initial = np.ones((2, 6), np.uint8)
    observed, simulated = initial.copy(), initial.copy()
    observed[0, 0] = simulated[1, 1] = 2
    observed[0, 3] = simulated[0, 4] = 2
    found = figure_of_merit_at(initial, observed, simulated, (1, 2, 4))
    # 1: 0 hits of 4. 2: blocks have (1, 1), (1, 0), (0, 1): 1 of 3. 4: columns 0-3 have (2, 1), 4-5 (0, 1): 1 of 3.
    assert found == {1: 0.0, 2: pytest.approx(1 / 3), 4: pytest.approx(1 / 3)}


def test_coarse_blocks_at_the_edges_are_smaller() -> None:
    # 3 rows and 5 columns in blocks of 2: the last row and column are blocks of their own.
    initial = np.ones((3, 5), np.uint8)
    observed, simulated = initial.copy(), initial.copy()
    observed[2, 4], simulated[1, 3] = 2, 2  # in different blocks of 2, in one of 3 only by column
    observed[2, 0], simulated[2, 1] = 2, 2  # in one block of 2
    found = figure_of_merit_at(initial, observed, simulated, (2, 3, 8))
    # 2: 1 of 3. 3: all of them in the same block row; columns 3-4 together, columns 0-2 together: 2 of 2.
    assert found == {2: pytest.approx(1 / 3), 3: 1.0, 8: 1.0}


def test_different_transitions_in_a_block_are_not_confused() -> None:
    initial = np.array([[1, 3], [3, 1]], np.uint8)
    observed, simulated = np.array([[2, 3], [3, 1]], np.uint8), np.array([[1, 2], [3, 1]], np.uint8)
    assert figure_of_merit_at(initial, observed, simulated, (2,)) == {2: 0.0}


def test_a_perfect_map() -> None:
    found = compare(INITIAL, OBSERVED, OBSERVED)
    assert found.figure_of_merit == found.found == 1
    assert astuple(found)[-3:] == pytest.approx((0, 0, 0))
    assert set(figure_of_merit_at(INITIAL, OBSERVED, OBSERVED).values()) == {1.0}


def test_a_map_without_change() -> None:
    found = compare(INITIAL, OBSERVED, INITIAL)
    assert found.figure_of_merit == found.found == 0
    assert (found.misses, found.false_alarms, found.simulated_change) == (6, 0, 0)


def test_where_nothing_changes_there_is_no_merit() -> None:
    found = compare(INITIAL, INITIAL, INITIAL)
    assert np.isnan(found.figure_of_merit)
    assert np.isnan(found.found)
    assert found.observed_change == found.simulated_change == 0
    assert all(np.isnan(v) for v in figure_of_merit_at(INITIAL, INITIAL, INITIAL).values())


def test_where_no_cell_has_data_nothing_can_be_told() -> None:
    nothing = np.zeros((2, 3), np.uint8)
    found = compare(nothing, nothing, nothing)
    assert found.cells == 0
    assert np.isnan(found.figure_of_merit)
    assert np.isnan(found.observed_change)
    assert np.isnan(found.simulated_change)
    assert not found.shift > 0


maps = st.tuples(st.integers(1, 25), st.integers(1, 25), st.integers(0, 10_000), st.sampled_from([0.0, 0.2, 0.6]))


def three_maps(drawn: tuple[int, int, int, float]) -> tuple[Map, Map, Map]:
    """Return maps of which most cells persist."""
    height, width, seed, nodata = drawn
    rng = np.random.default_rng(seed)
    initial = random_map((height, width), seed, nodata)
    others = [random_map((height, width), seed + n, nodata) for n in (1, 2)]
    observed, simulated = (np.where(rng.random(other.shape) < 0.3, other, initial).astype(np.uint8) for other in others)
    return initial, observed, simulated


@given(maps)
@settings(deadline=None, max_examples=100)
def test_the_parts_of_disagreement_add_up(drawn: tuple[int, int, int, float]) -> None:
    initial, observed, simulated = three_maps(drawn)
    found = compare(initial, observed, simulated)
    valid = (initial != 0) & (observed != 0) & (simulated != 0)
    if valid.any():
        assert found.quantity + found.allocation == pytest.approx((observed != simulated)[valid].mean(), abs=1e-9)
    assert min(astuple(found)) >= 0


@given(maps)
@settings(deadline=None, max_examples=60)
def test_metrics_agree_with_the_reference(score_maps: ModuleType, drawn: tuple[int, int, int, float]) -> None:
    initial, observed, simulated = three_maps(drawn)
    if ((initial != 0) & (observed != 0) & (simulated != 0)).any():
        assert_agrees(score_maps, initial, observed, simulated)


def test_metrics_agree_with_the_reference_on_plum_island(
    score_maps: ModuleType, plum_island: PlumIsland, plum_island_hindcast: Hindcast
) -> None:
    history = plum_island.history
    assert_agrees(score_maps, history[1991], history[1999], plum_island_hindcast.simulated)
    assert_agrees(score_maps, history[1985], history[1999], history[1991])


def assert_agrees(score_maps: ModuleType, initial: Map, observed: Map, simulated: Map) -> None:
    reference = score_maps.evaluate(initial, observed, simulated, multires=(2, 4, 8, 16, 32))
    found = compare(initial, observed, simulated)
    ours = {
        "n": found.cells,
        "hits": found.hits,
        "misses": found.misses,
        "wrong_hits": found.wrong_hits,
        "false_alarms": found.false_alarms,
        "fom": found.figure_of_merit,
        "producers_accuracy": found.found,
        "observed_change_pct": 100 * found.observed_change,
        "simulated_change_pct": 100 * found.simulated_change,
        "quantity_disagreement_pct": 100 * found.quantity,
        "allocation_disagreement_pct": 100 * found.allocation,
        "exchange_pct": 100 * found.exchange,
        "shift_pct": 100 * found.shift,
        "kappa_simulation": found.kappa_simulation,
    }
    if found.chance > 1 - 1e-9:  # nothing beyond chance can be told, and rounding decides who says so
        del ours["kappa_simulation"]
    assert ours == pytest.approx({name: reference[name] for name in ours}, abs=1e-9, nan_ok=True)
    per = {
        f"{t.source}->{t.target}": {
            "observed": t.observed,
            "simulated": t.simulated,
            "hits": t.hits,
            "fom": round(t.figure_of_merit, 4),
        }
        for t in compare_transitions(initial, observed, simulated)
    }
    assert per == reference["per_transition"]
    outcomes = np.bincount(map_outcomes(initial, observed, simulated).ravel(), minlength=6)
    assert outcomes[2:].tolist() == [found.hits, found.wrong_hits, found.misses, found.false_alarms]
    assert outcomes[1:].sum() == found.cells
    coarse = figure_of_merit_at(initial, observed, simulated)
    assert coarse == pytest.approx(reference["fom_multires"], abs=1e-12, nan_ok=True)
