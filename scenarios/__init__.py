"""The scenario engine: demand, potential, allocation, projection and indicators of land use.

The five steps are rooms of their own and can be used alone: transitions and demand in `scenarios.demand`,
`scenarios.potential`, `scenarios.allocation` and `scenarios.interventions`. `calibrate` does the first three at once,
`project` walks through the years, `draw_ensemble` does so many times, and `hindcast` says how well it works.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from scenarios.errors import ScenarioError
from scenarios.spec import Scenario, load_scenario

if TYPE_CHECKING:
    from scenarios.calibration import calibrate
    from scenarios.cluster import Workers
    from scenarios.grid import Grid
    from scenarios.projection.ensemble import draw_ensemble
    from scenarios.projection.years import project
    from scenarios.validation.hindcast import hindcast

__all__ = [
    "Grid",
    "Scenario",
    "ScenarioError",
    "Workers",
    "calibrate",
    "draw_ensemble",
    "hindcast",
    "load_scenario",
    "project",
]

_ROOMS = {
    "Grid": "grid",
    "Workers": "cluster",
    "calibrate": "calibration",
    "draw_ensemble": "projection.ensemble",
    "hindcast": "validation.hindcast",
    "project": "projection.years",
}


def __getattr__(name: str) -> Any:
    """Import the heavy rooms only when they are asked for."""
    if name not in _ROOMS:
        raise AttributeError(f"module 'scenarios' has no attribute {name!r}")
    return getattr(import_module(f"scenarios.{_ROOMS[name]}"), name)
