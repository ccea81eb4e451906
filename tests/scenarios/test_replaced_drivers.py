"""Drivers that a plan replaces: the learned curves read with other values."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from scenarios.cluster import Workers
from scenarios.demand.transitions import Transition
from scenarios.errors import ScenarioInvalid
from scenarios.model import Model
from scenarios.potential.neighbourhood import Neighbourhood
from scenarios.potential.potential import learn_potential
from scenarios.projection.yearbook import Year
from tests.scenarios.landscapes import LEGEND, projected_grid, random_map, scenario, walk

GRID = projected_grid((60, 60))
ROWS, COLUMNS = np.indices(GRID.shape).astype(np.float32)
TO_BUILT = Transition(1, 2)
pytestmark = pytest.mark.usefixtures("one_thread_of_algebra")


@pytest.fixture(scope="module")
def model() -> Model:
    """Return a model that has learned that forest is built on near the road, which runs along the north."""
    first = np.where(random_map(GRID.shape) == 0, 0, 1).astype(np.uint8)
    near = np.random.default_rng(1).random(GRID.shape) < np.exp(-ROWS / 8)
    last = np.where(near & (first == 1), 2, first).astype(np.uint8)
    rng = np.random.default_rng(2)
    drivers = {"road": ROWS, "noise": rng.normal(size=GRID.shape).astype(np.float32)}
    potential = learn_potential(
        [TO_BUILT],
        {1990: first, 2000: last},
        drivers,
        Neighbourhood(GRID, (1,), LEGEND.values),
        seed=1,
        workers=Workers(1),
    )
    layers = {**drivers, "ring": ROWS[::-1].copy()}
    return Model(GRID, LEGEND, potential, {TO_BUILT: 0.02}, layers)


def swap(years: tuple[int, int] = (2003, 2005), layer: str = "ring", driver: str = "road") -> dict[str, Any]:
    return {"id": "ring-road", "years": years, "replace_driver": {"driver": driver, "layer": layer}}


def run(model: Model, *plans: dict[str, Any], **how: Any) -> list[Year]:
    start = np.where(random_map(GRID.shape) == 0, 0, 1).astype(np.uint8)
    return walk(model, scenario(*plans), start, **({"member": 1, "temperature": 1.0} | how))


def maps(steps: list[Year]) -> list[bytes]:
    return [step.land_cover.tobytes() for step in steps]


def test_the_same_values_give_the_same_scores(model: Model) -> None:
    again = model.potential.seen_with(model.layers, Workers(2))
    assert again.static.tobytes() == model.potential.static.tobytes()


def test_the_curve_is_read_with_the_new_values(model: Model) -> None:
    turned = model.potential.seen_with({**model.layers, "road": model.layers["ring"]}, Workers(1))
    flat = {**model.layers, "noise": np.zeros(GRID.shape, np.float32)}
    straight = model.potential.seen_with(flat, Workers(1))
    mirrored = model.potential.seen_with({**flat, "road": model.layers["ring"]}, Workers(1))
    np.testing.assert_array_equal(mirrored.static, straight.static[:, ::-1])
    assert turned.static.tobytes() != model.potential.static.tobytes()


def test_change_moves_to_the_new_road_from_its_first_year_on(model: Model) -> None:
    with_road, without = run(model, swap()), run(model)
    assert maps(with_road)[:2] == maps(without)[:2]
    assert maps(with_road)[2] != maps(without)[2]
    late = (with_road[-1].land_cover == 2) & (with_road[1].land_cover == 1)
    assert late[40:].sum() > 2 * late[:20].sum()


def test_after_the_last_year_the_old_driver_is_back(model: Model) -> None:
    steps = run(model, swap((2001, 2002)))
    late = (steps[-1].land_cover == 2) & (steps[1].land_cover == 1)
    assert late[:20].sum() > 2 * late[40:].sum()


def test_the_driver_in_its_own_place_changes_nothing(model: Model) -> None:
    assert maps(run(model, swap(layer="road"))) == maps(run(model))


def test_chunks_and_threads_do_not_show(model: Model) -> None:
    assert maps(run(model, swap())) == maps(run(model, swap(), chunk=17, workers=Workers(3)))


def test_protected_and_masked_cells_never_change(model: Model) -> None:
    square = [[-75.1, 36.0], [-74.9, 36.0], [-74.9, 36.3], [-75.1, 36.3], [-75.1, 36.0]]
    where = {"type": "Polygon", "coordinates": [square]}
    everywhere = {"id": "p", "years": (2001, 2005), "protect": {"where": where, "classes": ["forest"]}}
    steps = run(model, swap(), everywhere)
    assert (steps[-1].land_cover != 2).all()


def test_what_is_not_there_is_named(model: Model) -> None:
    with pytest.raises(ScenarioInvalid, match=r"'ring-road' replaces the driver 'beauty'.*road, noise"):
        run(model, swap(driver="beauty"))
    with pytest.raises(ScenarioInvalid, match="'ring-road' needs the layer 'tunnel'"):
        run(model, swap(layer="tunnel"))
    with pytest.raises(ScenarioInvalid, match="needs the layer 'noise'"):
        run(replace(model, layers={"road": ROWS, "ring": ROWS}), swap())
