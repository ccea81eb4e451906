"""The model: all that is learned from a landscape's history, ready to project."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from catalog.legend import Legend
from scenarios.allocation.patches import PatchRules
from scenarios.cluster import Workers
from scenarios.demand.futures import Demand
from scenarios.demand.transitions import Transition
from scenarios.demand.zonal import ZonalDemand, ZoneRates
from scenarios.demand.zones import Zones
from scenarios.grid import Grid
from scenarios.potential.drivers import Drivers
from scenarios.potential.potential import Potential
from scenarios.spec import Scenario


@dataclass(frozen=True, eq=False)
class Model:
    """What is learned from a landscape's history, ready to project.

    Parameters
    ----------
    grid, legend : of the landscape
    potential : where each transition is likely
    rates : share of the source class that each modelled transition takes in a year, as observed
    demand : what the rates become, by year and member; None: they stay as observed
    changed : (y, x) int16, year in which each cell was last seen to change, which residence times count from; None: no
        cell was
    pace : years after which the shares of classes around the cells are counted anew
    zonal : what the rates of each zone become; None: the landscape is one zone
    patches : what patches of change look like; None: nothing was learned of them
    layers : drivers that interventions name, by name, each (y, x); where one is replaced, also every driver that the
        potential was learned from
    """

    grid: Grid
    legend: Legend
    potential: Potential
    rates: Mapping[Transition, float]
    layers: Drivers = field(default_factory=dict)
    demand: Demand | None = None
    changed: NDArray[np.int16] | None = None
    pace: int = 1
    zonal: ZonalDemand | None = None
    patches: PatchRules | None = None

    @property
    def zones(self) -> Zones:
        """The zones of the demand; one for all, if it has none."""
        return self.zonal.zones if self.zonal is not None else Zones.whole(self.grid.shape)

    def resample(self, scenario: Scenario, member: int, workers: Workers) -> Model:
        """Return the model with the potential of one member, if the scenario wants members to have their own."""
        if not scenario.potential.uncertainty:
            return self
        return replace(self, potential=self.potential.resample(seed=scenario.seed, member=member, workers=workers))

    def foretell(self, scenario: Scenario, member: int | None, area_ha: NDArray[np.float64]) -> ZoneRates:
        """Return the rates of every year for a member (None: the best guess) that starts with these areas by zone."""
        if self.zonal is not None:
            return self.zonal.foretell(scenario, member, area_ha)
        if self.demand is None:
            return lambda *_: (self.rates,)
        rates = self.demand.foretell(scenario, member, area_ha.sum(axis=0))
        return lambda year, _: (rates(year),)
