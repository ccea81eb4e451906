"""Generated landscapes: two basins of the demonstration, and two made by other processes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from odc.geo.geobox import GeoBox

from catalog.legend import Legend
from datacommons import demo
from scenarios.demand.transitions import History, Transition
from scenarios.grid import Grid
from scenarios.potential.potential import Drivers
from scenarios.spec import Scenario
from tests.benchmarks.trials import Trial
from tests.scenarios.landscapes import BUILT, FOREST, LEGEND, OTHER
from tests.scenarios.processes import Law, make_landscape

EDGE = 300
UNSEEN = "unseen"


def hold_back(history: History, drivers: Drivers, legend: Legend, grid: Grid) -> Trial:
    """Make a trial of the last date."""
    *learned, tested = sorted(history)
    scenario = Scenario(
        id="generated",
        title="Generated",
        landscape="generated",
        start=learned[-1],
        years=tested - learned[-1],
        history=tuple(learned),
    )
    past = {year: history[year] for year in learned}
    return Trial(scenario, grid, legend, past, drivers, past[learned[-1]], history[tested])


def _basin(seed: int) -> Trial:
    """Return a basin where parcels change as a whole, by slope, distances and neighbours."""
    made = demo.generate(shape=(EDGE, EDGE), seed=seed)
    grid = Grid(GeoBox(made.shape, made.transform, made.crs))
    history = dict(zip(made.years, np.ascontiguousarray(made.land_cover), strict=True))
    return hold_back(history, made.drivers, Legend.from_json(made.legend), grid)


def frontier(edge: int = EDGE) -> Trial:
    """Return a landscape where cells change one by one, by curved drivers and by what is around them."""
    laws = (
        Law(Transition(FOREST, OTHER), 0.006, {"height": lambda x: -4 * x, "road": lambda x: 3 * (1 - x) ** 2}, 4.0),
        Law(Transition(OTHER, BUILT), 0.005, {"road": lambda x: -4 * x}, 6.0),
        Law(Transition(OTHER, FOREST), 0.004, {"height": lambda x: 3 * x}, 3.0),
    )
    known = make_landscape(laws, years=(2000, 2008, 2018), idle=("soil",), shape=(edge, edge), seed=1)
    return hold_back(known.history, known.drivers, LEGEND, known.grid)


def _hot_spots() -> Trial:
    """Return a landscape whose change keeps to places that no driver at hand tells: only the past change does."""
    laws = (
        Law(Transition(FOREST, BUILT), 0.005, {UNSEEN: lambda x: 12 * (x - 1), "road": lambda x: -2 * x}),
        Law(Transition(FOREST, OTHER), 0.004, {UNSEEN: lambda x: -12 * x}),
        Law(Transition(OTHER, FOREST), 0.006, {"height": lambda x: 2 * x}, 3.0),
    )
    known = make_landscape(laws, years=(2000, 2009, 2016), idle=("height",), shape=(EDGE, EDGE), seed=2)
    seen = {name: values for name, values in known.drivers.items() if name != UNSEEN}
    return hold_back(known.history, seen, LEGEND, known.grid)


TRIALS: Mapping[str, Callable[[], Trial]] = {
    "generated basin 1 (parcels change)": lambda: _basin(1),
    "generated basin 2 (parcels change)": lambda: _basin(2),
    "generated frontier (cells change, by curves and neighbours)": frontier,
    "generated hot spots (what drives most of the change is not told)": _hot_spots,
}
