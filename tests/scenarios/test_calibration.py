"""Calibration: a history becomes a model, and what was left out is said."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from threadpoolctl import threadpool_info

from scenarios.calibration import Calibration, calibrate
from scenarios.cluster import ONE, Workers
from scenarios.demand.transitions import History, Transition
from scenarios.errors import HistoryInvalid
from tests.scenarios.landscapes import LEGEND, projected_grid, random_map, scenario

SHAPE = (40, 50)
GRID = projected_grid(SHAPE)  # a cell is a hectare


def change(history: History, source: int, target: int, cells: int) -> History:
    """Return the history with so many more cells of one class turned into another at the last date."""
    last = history[2000].copy()
    free = np.flatnonzero((history[1990] == source) & (last == source))
    last.ravel()[free[:: max(1, free.size // cells)][:cells]] = target
    return {**history, 2000: last}


@pytest.fixture
def still() -> History:
    land_cover = random_map(SHAPE)
    return {1990: land_cover, 2000: land_cover}


def learn(history: History, drivers: Mapping[str, NDArray[np.float32]] | None = None, **rules: Any) -> Calibration:
    return calibrate(scenario(**rules), history, drivers or {}, legend=LEGEND, grid=GRID, workers=ONE)


def test_a_model_has_the_transitions_that_were_seen(still: History) -> None:
    found = learn(change(change(still, 1, 2, 60), 3, 2, 30))
    assert list(found.model.rates) == [Transition(1, 2), Transition(3, 2)]
    assert found.model.potential.transitions == (Transition(1, 2), Transition(3, 2))
    (note,) = [note for note in found.notes if "chance" not in note]
    assert "a single interval, 1990 to 2000" in note
    forest = (still[1990] == 1).sum()
    assert found.model.rates[Transition(1, 2)] == pytest.approx(1 - (1 - 60 / forest) ** 0.1, rel=1e-6)
    assert [(t.start, t.end) for t in found.tables] == [(1990, 2000)]


def test_a_small_transition_is_left_out_and_reported(still: History) -> None:
    found = learn(change(change(still, 1, 2, 60), 3, 2, 19))
    assert list(found.model.rates) == [Transition(1, 2)]
    (note,) = [note for note in found.notes if "other to built" in note]
    assert "19.0 ha" in note
    assert "20 ha" in note


def test_a_transition_of_few_cells_is_placed_at_random_and_reported(still: History) -> None:
    found = learn(change(change(still, 1, 2, 60), 3, 2, 9), transitions={"minimum_hectares": 5})
    assert [model is None for model in found.model.potential.models] == [False, True]
    assert any("other to built" in note and "random" in note for note in found.notes)


def test_a_transition_that_is_told_no_better_than_by_chance_falls_back_and_is_reported(still: History) -> None:
    noise = {"noise": np.random.default_rng(3).random(SHAPE).astype(np.float32)}
    found = learn(change(change(still, 1, 2, 60), 3, 2, 60), noise, potential={"momentum_m": [300]})
    (doubt,) = (note for note in found.notes if note.startswith("other to built"))
    assert re.search(r"no better than chance on held-out blocks \(AUC 0\.\d\d, standard error 0\.\d\d\)", doubt)
    assert "placed by its neighbourhood only (AUC" in doubt
    assert not found.model.potential.static[1].any()
    assert found.model.potential.used[1].any()


def test_a_transition_that_is_told_keeps_its_drivers_without_a_note(still: History) -> None:
    north = {"north": np.broadcast_to(np.linspace(0, 1, 40, dtype=np.float32)[:, None], SHAPE).copy()}
    last = still[1990].copy()
    last[:15][last[:15] == 1] = 2
    last[:, ::3] = still[1990][:, ::3]
    found = learn({1990: still[1990], 2000: last}, north)
    assert not any("forest to built" in note for note in found.notes)
    assert found.model.potential.static.any()


def test_a_class_that_is_absent_at_one_date_is_reported(still: History) -> None:
    land_cover = np.where(still[1990] == 3, 1, still[1990]).astype(np.uint8)
    found = learn(change({1990: land_cover, 2000: land_cover}, 1, 3, 60))
    assert any("'other'" in note and "1990" in note for note in found.notes)
    assert found.model.rates[Transition(1, 3)] > 0


def test_a_single_interval_is_reported_and_two_are_not(still: History) -> None:
    later = change(still, 1, 2, 60)
    assert not any("single interval" in note for note in learn({**later, 2005: later[2000]}).notes)
    assert any("single interval" in note for note in learn(later).notes)


def test_one_date_is_not_enough(still: History) -> None:
    with pytest.raises(HistoryInvalid, match=r"two dates or more; found \[1990\]"):
        learn({1990: still[1990]})


def test_a_history_without_change_is_refused(still: History) -> None:
    with pytest.raises(HistoryInvalid, match="No class changed by 20 ha or more between 1990 and 2000"):
        learn(still)


def test_a_model_does_not_depend_on_the_number_of_threads(still: History) -> None:
    history = change(change(still, 1, 2, 60), 3, 2, 60)
    driver = {"x": np.random.default_rng(0).random(SHAPE).astype(np.float32)}
    one, many = (
        calibrate(scenario(), history, driver, legend=LEGEND, grid=GRID, workers=Workers(n)).model for n in (1, 4)
    )
    assert one.rates == many.rates
    assert one.potential.static.tobytes() == many.potential.static.tobytes()
    assert one.potential.curves.tobytes() == many.potential.curves.tobytes()


def test_linear_algebra_has_its_threads_back_afterwards(still: History) -> None:
    before = {library["filepath"]: library["num_threads"] for library in threadpool_info()}
    calibrate(scenario(), change(change(still, 1, 2, 60), 3, 2, 60), {}, legend=LEGEND, grid=GRID, workers=Workers(2))
    after = {library["filepath"]: library["num_threads"] for library in threadpool_info()}
    assert {name: after[name] for name in before} == before


def test_frozen_demand_is_still_calibrated(still: History) -> None:
    found = learn(change(still, 1, 2, 60), demand={"rule": "frozen"})
    assert found.model.rates == {Transition(1, 2): 0.0}


def test_interventions_play_no_part(still: History) -> None:
    history = change(still, 1, 2, 60)
    halved = {"id": "z", "years": (2001, 2005), "change_rate": {"from": "forest", "to": "built", "factor": 0.5}}
    with_plan = calibrate(scenario(halved), history, {}, legend=LEGEND, grid=GRID, workers=ONE)
    assert with_plan.model.rates == learn(history).model.rates


def test_a_history_is_enough_without_drivers_and_windows(still: History) -> None:
    found = learn(change(still, 1, 2, 60), potential={"neighbourhood_m": [], "momentum_m": []})
    assert found.model.rates[Transition(1, 2)] > 0
    assert not found.model.potential.static.any()


def test_a_driver_that_is_the_same_everywhere_is_no_crash(still: History) -> None:
    driver = {"flat": np.ones(SHAPE, np.float32)}
    found = learn(change(still, 1, 2, 60), driver, potential={"neighbourhood_m": [], "momentum_m": []})
    assert not found.model.potential.static.any()


def test_flicker_is_no_change_if_the_filter_is_asked_for(still: History) -> None:
    last = change(still, 1, 2, 60)[2000]
    noisy = last.copy()
    noisy[np.random.default_rng(2).random(SHAPE) < 0.1] = 3
    noisy[last == 0] = 0
    maps = {1980: still[1990], 1990: noisy, 2000: last}
    loud, calm = learn(maps), learn(maps, transitions={"persistence_filter": True})
    assert Transition(3, 1) in loud.model.rates
    assert list(calm.model.rates) == [Transition(1, 2)]
    assert "persistence filter removed" in calm.notes[0]
    assert not any("filter" in note for note in loud.notes)
