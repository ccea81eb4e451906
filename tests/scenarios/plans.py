"""Plans for one made-up landscape of 2,000 hectares: what intervenes there, and what becomes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenarios.demand.transitions import Transition
from scenarios.model import Model
from scenarios.projection.yearbook import Year
from scenarios.spec import Scenario
from tests.scenarios.landscapes import LEGEND, Map, place, projected_grid, random_map, random_model, walk

GRID = projected_grid()  # 40 by 50 cells of one hectare
RATES = {Transition(1, 2): 0.03, Transition(1, 3): 0.02, Transition(3, 2): 0.04}
EVERYWHERE = place(GRID, (0, 40), (0, 50))
NORTH = place(GRID, (0, 20), (0, 50))
ALWAYS = (2001, 2005)

Years = tuple[int, int]
Intervention = dict[str, Any]


def protect(years: Years = ALWAYS, name: str = "p", **fields: Any) -> Intervention:
    """Protect the forest of the north."""
    return {"id": name, "years": years, "protect": {"where": NORTH, "classes": ["forest"], **fields}}


def restore(
    hectares: float, *sources: str, years: Years = ALWAYS, name: str = "r", where: Any = EVERYWHERE
) -> Intervention:
    """Restore so many hectares of forest a year."""
    fields = {"where": where, "from": sources, "to": "forest", "hectares_per_year": hectares}
    return {"id": name, "years": years, "restore": fields}


def convert(hectares: float, *sources: str, years: Years = ALWAYS, **fields: Any) -> Intervention:
    """Turn so many hectares a year into forest."""
    wanted = {"from": sources, "to": "forest", "hectares_per_year": hectares, **fields}
    return {"id": "v", "years": years, "convert": wanted}


def target(hectares: float, *sources: str, years: Years = ALWAYS, **fields: Any) -> Intervention:
    """Bring the forest to so many hectares."""
    return {"id": "t", "years": years, "target": {"class": "forest", "hectares": hectares, "from": sources, **fields}}


def change_rate(factor: float | Sequence[float], years: Years = ALWAYS) -> Intervention:
    """Multiply the rate at which forest is built on: by a factor, or by one that goes from a first to a last."""
    return {"id": "c", "years": years, "change_rate": {"from": "forest", "to": "built", "factor": factor}}


def suitability(seed: int = 0, levels: int = 20) -> NDArray[np.float32]:
    """Return a layer of the landscape with ties and missing cells."""
    rng = np.random.default_rng(seed)
    values = rng.integers(0, levels, GRID.shape).astype(np.float32)
    values[rng.random(GRID.shape) < 0.05] = np.nan
    return values


def filled(name: str) -> Map:
    """Return a map of the landscape that is all of one class."""
    return np.full(GRID.shape, LEGEND.value_of(name), np.uint8)


def run(plans: Scenario, start: Map | None = None, model: Model | None = None, seed: int = 0, **how: Any) -> list[Year]:
    """Project a map with a model, both at random where none is given; the model knows the layer ``quality``."""
    chosen = model or replace(random_model(GRID, RATES, seed), layers={"quality": suitability(seed)})
    how = {"member": 1, "temperature": 1.0} | how
    return walk(chosen, plans, random_map(GRID.shape, seed) if start is None else start, **how)


def bytes_of(steps: list[Year]) -> list[bytes]:
    """Return the map of each year as bytes."""
    return [step.land_cover.tobytes() for step in steps]


def placed(steps: list[Year], source: int, target: int) -> list[float]:
    """Return the hectares of a transition in each year."""
    return [step.placed_ha.get((source, target), 0.0) for step in steps]
