"""Step 2, demand: the rates of every projected year, by the scenario's rule and for each member."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenarios.algebra import one_thread
from scenarios.demand.areas import table_areas, trend_areas
from scenarios.demand.biproportional import yearly_rates
from scenarios.demand.rates import annual_rates
from scenarios.demand.resampling import resample
from scenarios.demand.transitions import Transition, TransitionTable
from scenarios.errors import ScenarioInvalid
from scenarios.spec import Scenario

Rates = Callable[[int], Mapping[Transition, float]]
"""The share of its source class that each modelled transition takes, by year."""


@dataclass(frozen=True, eq=False)
class Demand:
    """What is known of how much changes.

    Parameters
    ----------
    tables : the observed transitions of each interval, in hectares
    transitions : what is modelled
    samples : for each table, (class,) how many independent places each row is worth
    """

    tables: tuple[TransitionTable, ...]
    transitions: tuple[Transition, ...]
    samples: tuple[NDArray[np.float64], ...]

    def foretell(self, scenario: Scenario, member: int | None, area_ha: NDArray[np.float64]) -> Rates:
        """Return the rates of every projected year.

        Parameters
        ----------
        scenario : its demand rule, its seed and its years
        member : number of the member that draws its own rates; None: the best guess
        area_ha : (class,) areas at the scenario's start, in legend order, hectares

        Raises
        ------
        ScenarioInvalid
            The areas that are wanted cannot be reached, or a rate is given for what is not modelled.
        """
        tables = list(self.tables)
        if member is not None and scenario.demand.uncertainty:
            tables = resample(tables, self.samples, seed=scenario.seed, member=member)
        with one_thread:
            rates = annual_rates(scenario.demand, tables, self.transitions)
            if scenario.demand.rule in ("trend", "table"):
                nearest = scenario.demand.rule == "trend"
                return self._reach(self._areas(scenario, area_ha), rates, scenario.projected_years, nearest=nearest)
        given = self.name_transitions(scenario)
        return lambda year: rates | {given[name]: rate for name, rate in scenario.demand.rates_in(year).items()}

    def name_transitions(self, scenario: Scenario) -> dict[str, Transition]:
        """Return the modelled transitions by name, once it is sure that every rate given is one of theirs."""
        legend = self.tables[0].legend
        names = {f"{legend.get(t.source).name} to {legend.get(t.target).name}": t for t in self.transitions}
        unknown = [name for name in scenario.demand.rates if name not in names]
        if unknown:
            raise ScenarioInvalid(
                f"The demand gives a rate of {', '.join(map(repr, unknown))}, which is not modelled; modelled are "
                f"{', '.join(names)}. Correct the name, or lower transitions.minimum_hectares."
            )
        return names

    def note(self, scenario: Scenario, area_ha: NDArray[np.float64]) -> Sequence[str]:
        """Check that the demand can be met from these areas, and say what was adapted."""
        self.foretell(scenario, None, area_ha)
        if scenario.demand.rule == "table":
            return table_areas(scenario, self.tables[0].legend, area_ha)[1]
        return self._note_trend(scenario, area_ha) if scenario.demand.rule == "trend" else []

    def _note_trend(self, scenario: Scenario, area_ha: NDArray[np.float64]) -> Sequence[str]:
        with one_thread:
            rates = annual_rates(scenario.demand, self.tables, self.transitions)
            try:
                self._reach(self._areas(scenario, area_ha), rates, scenario.projected_years, nearest=False)
            except ScenarioInvalid as error:
                return [f"the trend of the areas is followed only as far as the modelled changes lead: {error}"]
        return []

    def _areas(self, scenario: Scenario, area_ha: NDArray[np.float64]) -> NDArray[np.float64]:
        legend = self.tables[0].legend
        if scenario.demand.rule == "table":
            return table_areas(scenario, legend, area_ha)[0]
        taking_part = {value for t in self.transitions for value in (t.source, t.target)}
        return trend_areas(self.tables, area_ha, np.isin(legend.values, list(taking_part)), scenario.years)

    def _reach(
        self, areas: NDArray[np.float64], rates: Mapping[Transition, float], years: range, *, nearest: bool
    ) -> Rates:
        """Fit the observed yearly shares to the areas of every year."""
        legend = self.tables[0].legend
        place = {value: n for n, value in enumerate(legend.values)}
        cells = [(place[t.source], place[t.target]) for t in self.transitions]
        matrix = np.zeros((len(legend), len(legend)))
        for cell, rate in zip(cells, rates.values(), strict=True):
            matrix[cell] = rate
        np.fill_diagonal(matrix, 1 - matrix.sum(axis=1))
        fitted = yearly_rates(matrix, areas, years, legend.names, nearest=nearest)
        return lambda year: {
            t: float(fitted[(year - years.start, *cell)]) for t, cell in zip(self.transitions, cells, strict=True)
        }
