"""Derived drivers in the model: effects that were put into generated landscapes are found again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from scenarios.calibration import Calibration, calibrate
from scenarios.cluster import Workers
from scenarios.demand.transitions import History
from scenarios.errors import ScenarioInvalid
from scenarios.potential.curves import Curve
from scenarios.potential.drivers import Drivers, distance_to
from scenarios.potential.terrain import northness, position, roughness, slope, wetness
from scenarios.validation.hindcast import hindcast
from tests.scenarios.landscapes import LEGEND, Map, place, projected_grid, scenario

SHAPE = (200, 200)
GRID = projected_grid(SHAPE)
Reals = NDArray[np.float64]
HEIGHTS = (gaussian_filter(np.random.default_rng(3).normal(size=SHAPE), 4) * 2_000).astype(np.float32)


def build(land_cover: Map, log_odds: Reals | NDArray[np.float32], seed: int = 0) -> Map:
    """Return the map with forest built on, by known odds."""
    chance = 1 / (1 + np.exp(-log_odds))
    built = (np.random.default_rng([seed, 9]).random(SHAPE) < chance) & (land_cover == 1)
    return np.where(built, 2, land_cover).astype(np.uint8)


def history_of(log_odds: Reals | NDArray[np.float32]) -> History:
    forest = np.ones(SHAPE, np.uint8)
    return {1990: forest, 2000: build(forest, log_odds)}


def learn(history: History, *wanted: Any, layers: Drivers | None = None, workers: int = 1, **more: Any) -> Calibration:
    fields = {"history": tuple(sorted(history)), "start": max(history), "potential": {"drivers": wanted, **RULES}}
    asked = scenario(**(fields | more))
    return calibrate(asked, history, layers or {}, legend=LEGEND, grid=GRID, workers=Workers(workers))


RULES = {"neighbourhood_m": []}


def curve_of(found: Calibration) -> Curve:
    return found.model.potential.explained[0][0]


def slope_of(curve: Curve, low: float, high: float) -> float:
    """Return how steep a curve is between two values."""
    inner = (curve.value >= low) & (curve.value <= high)
    return float(np.polyfit(curve.value[inner], curve.log_odds[inner], 1)[0])


def test_the_effect_of_each_category_is_found() -> None:
    soils = np.random.default_rng(1).choice([2, 7, 40], SHAPE, p=[0.5, 0.3, 0.2]).astype(np.uint8)
    effect = np.zeros(256)
    effect[[2, 7, 40]] = 0, 1.5, -1
    curve = curve_of(learn(history_of(effect[soils] - 2), "soils", layers={"soils": soils}))
    assert curve.value.tolist() == [2, 7, 40]
    np.testing.assert_allclose(curve.log_odds - curve.log_odds[0], [0, 1.5, -1], atol=0.25)


def test_numbers_are_categories_if_asked_for() -> None:
    soils = np.random.default_rng(1).choice([2, 7, 40], SHAPE).astype(np.uint8)
    history = history_of(np.where(soils == 7, 1.0, -1.0) - 1)
    numbers = {"soils": soils.astype(np.float32)}
    as_numbers = learn(history, {"categories_of": "soils"}, layers=numbers)
    plain = learn(history, "soils", layers={"soils": soils})
    np.testing.assert_array_equal(as_numbers.model.potential.static, plain.model.potential.static)


def test_a_category_that_was_not_learned_and_a_missing_one_have_no_effect() -> None:
    soils = np.random.default_rng(1).choice([2, 7, 40], SHAPE).astype(np.uint8)
    soils[:10] = 0
    potential = learn(history_of(np.where(soils == 7, 1.0, -1.0) - 1), "soils", layers={"soils": soils}).model.potential
    assert not potential.static[0, :10].any()
    assert potential.static[0, 10:].all()
    strange = soils.copy()
    strange[20:30], strange[30:40], strange[40:50] = 5, 255, 1
    seen = potential.seen_with({"soils": strange}, Workers(1)).static[0]
    assert not seen[20:50].any()
    np.testing.assert_array_equal(seen[50:], potential.static[0, 50:])


def test_one_category_everywhere_tells_nothing() -> None:
    same = np.full(SHAPE, 3, np.uint8)
    assert not learn(history_of(np.full(SHAPE, -2.0)), "soils", layers={"soils": same}).model.potential.static.any()


def test_the_effect_of_the_distance_to_a_class_is_found() -> None:
    forest = np.ones(SHAPE, np.uint8)
    forest[::40, ::40] = 2
    away = distance_to(forest == 2, GRID) / 1000
    history = {1990: forest, 2000: build(forest, -2 * away)}
    curve = curve_of(learn(history, {"distance_to": "built"}))
    assert curve.driver == "distance to built"
    assert slope_of(curve, 300, 2500) * 1000 == pytest.approx(-2, abs=0.3)


def test_the_effect_of_the_distance_to_a_place_is_found() -> None:
    field = place(GRID, (90, 110), (0, 200))
    away = np.clip(np.maximum(89 - np.arange(200), np.arange(200) - 110) + 1, 0, None)[:, None] * 100.0
    curve = curve_of(
        learn(history_of(np.broadcast_to(-away / 2000, SHAPE)), {"distance_to": field, "name": "to field"})
    )
    assert curve.driver == "to field"
    assert slope_of(curve, 500, 8000) * 1000 == pytest.approx(-0.5, abs=0.1)


TERRAIN = {
    "slope_of": (slope(HEIGHTS, GRID), 0.15),
    "northness_of": (northness(HEIGHTS, GRID), 1.5),
    "position_of": (position(HEIGHTS, GRID, 300), 0.03),
    "roughness_of": (roughness(HEIGHTS), 0.02),
    "wetness_of": (wetness(HEIGHTS, GRID), 0.8),
}


@pytest.mark.parametrize("kind", TERRAIN)
def test_the_effect_of_terrain_is_found(kind: str) -> None:
    values, true = TERRAIN[kind]
    low, high = np.quantile(values, [0.1, 0.9])
    history = history_of(true * (values - np.median(values)) - 1)
    curve = curve_of(learn(history, {kind: "height"}, layers={"height": HEIGHTS}))
    assert slope_of(curve, low, high) == pytest.approx(true, rel=0.25)


def test_the_effect_of_the_time_since_a_change_is_found() -> None:
    # Fields that were forest in 1980 are built on more often than old ones.
    rng = np.random.default_rng(2)
    first = np.where(rng.random(SHAPE) < 0.4, 1, 3).astype(np.uint8)
    second = np.where((first == 3) & (rng.random(SHAPE) < 0.35), 2, 3).astype(np.uint8)
    chance = 1 / (1 + np.exp(-np.where(first == 1, 0.5, -1.5)))
    third = np.where(rng.random(SHAPE) < chance, 2, second).astype(np.uint8)
    found = learn({1980: first, 1990: second, 2000: third}, "time_since_change")
    transition = [t.target for t in found.model.potential.transitions].index(2)
    curve = found.model.potential.explained[transition][0]
    _, young, old = curve.log_odds  # below 5 years, from 5 on, and from 10 on, which is as long as is known
    assert young - old == pytest.approx(2, abs=0.3)


def test_a_projection_starts_from_the_distances_of_its_start() -> None:
    forest = np.ones(SHAPE, np.uint8)
    forest[:, 0] = 2
    history = {1990: forest, 2000: build(forest, -distance_to(forest == 2, GRID) / 1000)}
    later = np.ones(SHAPE, np.uint8)
    later[:, -1] = 2
    asked = scenario(start=2004, history=(1990, 2000), potential={"drivers": [{"distance_to": "built"}], **RULES})
    how: Any = {"legend": LEGEND, "grid": GRID, "workers": Workers(1)}
    at_end = calibrate(asked, history, {}, **how).model.potential
    from_start = calibrate(asked, history, {}, **how, start=later).model.potential
    # The same curve, read from the other side.
    assert at_end.models[0] is not None
    assert from_start.models[0] is not None
    np.testing.assert_array_equal(at_end.models[0].terms[0].log_odds, from_start.models[0].terms[0].log_odds)
    assert from_start.static[0, :, -20:].mean() > from_start.static[0, :, :20].mean() + 1024


def test_threads_do_not_show() -> None:
    soils = np.random.default_rng(1).choice([2, 7, 40], SHAPE).astype(np.uint8)
    wanted = ("soils", {"distance_to": "built"}, {"slope_of": "height"}, "time_since_change")
    first = np.ones(SHAPE, np.uint8)
    second = build(first, np.full(SHAPE, -2.0), 1)
    history = {1980: first, 1990: second, 2000: build(second, np.full(SHAPE, -2.0), 2)}
    layers = {"soils": soils, "height": HEIGHTS}
    one, many = (learn(history, *wanted, layers=layers, workers=n).model.potential for n in (1, 3))
    assert one.static.tobytes() == many.static.tobytes()
    assert [c.log_odds.tobytes() for c in one.explained[0]] == [c.log_odds.tobytes() for c in many.explained[0]]


def test_a_hindcast_sees_no_distance_of_the_date_that_it_foretells() -> None:
    first = np.ones(SHAPE, np.uint8)
    first[:2] = 2
    second = build(first, -distance_to(first == 2, GRID) / 500, 1)
    third = build(second, -distance_to(second == 2, GRID) / 500, 2)
    other = np.where(np.random.default_rng(8).random(SHAPE) < 0.5, 2, 1).astype(np.uint8)
    asked = scenario(
        start=2000, history=(1980, 1990, 2000), potential={"drivers": [{"distance_to": "built"}, "time_since_change"]}
    )
    ends = [
        hindcast(asked, {1980: first, 1990: second, 2000: last}, {}, legend=LEGEND, grid=GRID, members=1, chunk=chunk)
        for last, chunk in ((third, 512), (other, 77))
    ]
    np.testing.assert_array_equal(ends[0].simulated, ends[1].simulated)
    assert ends[0].central.figure_of_merit > ends[0].guessing.figure_of_merit


def test_a_driver_that_is_not_there_stops_the_learning() -> None:
    with pytest.raises(ScenarioInvalid, match="'slope of height' needs the layer 'height'; there is none"):
        learn(history_of(np.full(SHAPE, -2.0)), {"slope_of": "height"})
