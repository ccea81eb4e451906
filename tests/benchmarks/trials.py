"""A landscape whose last map is held back, and the maps that the engine and simple rules foretell of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from catalog.legend import Legend
from scenarios.calibration import Calibration, calibrate
from scenarios.cluster import Workers
from scenarios.demand.transitions import History
from scenarios.grid import Grid
from scenarios.model import Model
from scenarios.potential.potential import Drivers, indifferent
from scenarios.projection.years import CENTRAL, project
from scenarios.spec import Scenario
from scenarios.validation.hindcast import Hindcast, hindcast
from tests.benchmarks.reference import Map, Score, score

WORKERS = Workers()
GUESSES = 3
"""How many guessed maps the score of guessing is the mean of."""


@dataclass(frozen=True, eq=False)
class Trial:
    """What the engine is given, and what it is compared with.

    Parameters
    ----------
    scenario : default settings; it starts at the last date that is known, and ends at the one that is held back
    grid, legend : of the landscape
    past : the maps to learn from
    drivers : (y, x) float32 by name
    start, observed : the maps at both ends of the projection; the second is only ever compared with
    """

    scenario: Scenario
    grid: Grid
    legend: Legend
    past: History
    drivers: Drivers
    start: Map
    observed: Map

    def learn(self, drivers: Drivers, **potential: object) -> Calibration:
        """Learn from the past with some drivers, and other rules of the potential if any are given."""
        rule = self.scenario.potential.model_copy(update=potential)
        return calibrate(
            self.scenario.model_copy(update={"potential": rule}),
            self.past,
            drivers,
            legend=self.legend,
            grid=self.grid,
            workers=WORKERS,
        )

    @cached_property
    def learned(self) -> Calibration:
        """What the default settings learn."""
        return self.learn(self.drivers)

    def project(self, model: Model, member: int = CENTRAL, temperature: float = 0.0) -> Map:
        """Return the map at the end."""
        end = self.start
        steps = project(model, self.scenario, self.start, member=member, temperature=temperature, workers=WORKERS)
        for step in steps:
            end = step.land_cover
        return end

    def score(self, *maps: Map) -> Score:
        """Score maps of the end."""
        return score(self.start, self.observed, maps)

    @cached_property
    def likeliest(self) -> Map:
        """The best map of the end."""
        return self.project(self.learned.model)

    def best_map(self) -> Score:
        """Score the best map."""
        return self.score(self.likeliest)

    def members(self, count: int) -> Score:
        """Score members, on average."""
        spread = self.scenario.allocation.temperature
        return self.score(*(self.project(self.learned.model, member, spread) for member in range(count)))

    def neighbourhood_only(self) -> Score:
        """Score the likeliest map of the engine that knows no driver and no recent change."""
        return self.score(self.project(self.learn({}, momentum_m=()).model))

    def guessing(self) -> Score:
        """Score the same amounts at random places within each class, on average."""
        model = self.learned.model
        blind = replace(model, potential=indifferent(list(model.rates), model.potential.neighbourhood))
        return self.score(*(self.project(blind, member, 1.0) for member in range(GUESSES)))

    def hindcast(self, members: int) -> Hindcast:
        """Return the engine's own hindcast, which foretells the demand too."""
        history = {**self.past, self.scenario.end: self.observed}
        scenario = self.scenario.model_copy(update={"history": tuple(sorted(history))})
        return hindcast(
            scenario, history, self.drivers, legend=self.legend, grid=self.grid, members=members, workers=WORKERS
        )

    def no_change(self) -> Score:
        """Score the map of the start."""
        return self.score(self.start)


def demanded_change(model: Model, scenario: Scenario, start: Map) -> float:
    """Return the percent of the landscape that the demand moves: its yearly shares, multiplied up over the years."""
    values = model.legend.values
    area = np.asarray(model.grid.weigh(start, values) * model.grid.weight_ha, np.float64)
    rates = model.foretell(scenario, None, area[None])  # one zone
    whole = np.eye(len(values))
    for year in scenario.projected_years:
        yearly = np.zeros_like(whole)
        for transition, rate in rates(year, area[None])[0].items():
            yearly[values.index(transition.source), values.index(transition.target)] = rate
        whole = whole @ (yearly + np.diag(1 - yearly.sum(axis=1)))
    return float(100 * (1 - (area @ np.diag(whole)) / area.sum()))
