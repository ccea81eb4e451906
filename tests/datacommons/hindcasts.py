"""A hindcast so small that its scores can be told by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from catalog.legend import Legend
from scenarios.validation.fuzzy import compare_fuzzily
from scenarios.validation.hindcast import Hindcast
from scenarios.validation.metrics import compare, compare_transitions, map_outcomes
from scenarios.validation.patterns import measure_patterns
from scenarios.validation.reliability import tabulate_reliability
from tests.scenarios.landscapes import projected_grid

SHAPE = (10, 20)
EVIL = "Built <script>alert(1)</script>"


def make_hindcast(observed: np.ndarray[Any, np.dtype[np.uint8]] | None = None) -> Hindcast:
    """Return the hindcast of a landscape in which 20 of 200 cells change, two of which are found."""
    legend = Legend.from_json({"nodata": 0, "classes": {"1": {"name": "forest", "title": {"en": "Forest"}}, "2": EVIL}})
    start = np.ones(SHAPE, np.uint8)
    if observed is None:
        observed = start.copy()
        observed[0] = 2
    simulated = start.copy()
    simulated[:2, :2] = 2
    counts = np.stack([np.where(simulated == value, 4, 0) for value in (1, 2)])
    best, still = compare(start, observed, simulated), compare(start, observed, start)
    coarse: Mapping[int, float] = {1: 0.1, 8: 0.3}
    names = ("best map", "members", "neighbourhood only", "guessing", "no change")
    return Hindcast(
        learned_from=(1985, 1991),
        start=1991,
        end=1999,
        central=best,
        drawn=(best,),
        neighbourhood=best,
        guessing=still,
        nothing=still,
        by_resolution=dict.fromkeys(names, coarse),
        fuzzy=dict.fromkeys(names, compare_fuzzily(start, observed, simulated)),
        transitions=compare_transitions(start, observed, simulated),
        reliability=tabulate_reliability(start, observed, counts, (1, 2), 4),
        patterns={"observed": measure_patterns(observed, (1, 2), projected_grid(SHAPE))},
        evidence={},
        notes=("A note with <b>brackets</b> & more",),
        legend=legend,
        observed=observed,
        simulated=simulated,
        outcomes=map_outcomes(start, observed, simulated),
    )
