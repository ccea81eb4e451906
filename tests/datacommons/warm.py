"""Loads the engine's kernels when it is imported: processes that are forked from there begin at once."""

from __future__ import annotations

import numpy as np

from scenarios.calibration import calibrate
from scenarios.cluster import ONE
from scenarios.projection.ensemble import draw_ensemble
from scenarios.spec import Scenario
from tests.scenarios.landscapes import LEGEND, projected_grid

PLANS = Scenario.model_validate(
    {
        "id": "usual",
        "title": "Usual",
        "landscape": "valley",
        "start": 2000,
        "years": 8,
        "history": [1990, 2000],
        "members": 2,
        "transitions": {"minimum_hectares": 0},
        "potential": {"neighbourhood_m": [90], "momentum_m": []},
        "allocation": {"rule": "patches"},
        "conversions": {"residence_years": {"forest": 4}},
    }
)
"""Of a landscape whose forest is built on in some place; all that a walk keeps is in use."""


def _load_kernels() -> None:
    earlier = np.full((40, 60), 1, np.uint8)
    later = earlier.copy()
    later[20:30, 10:25] = 2
    history, grid = {1990: earlier, 2000: later}, projected_grid(earlier.shape, 30)
    learned = calibrate(PLANS, history, {}, legend=LEGEND, grid=grid, workers=ONE)
    draw_ensemble(learned.model, PLANS, later)


_load_kernels()
