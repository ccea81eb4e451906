"""Step 2, demand, by zone: each zone goes on at its own rates, as far as its own history can tell them.

A small zone has seen little, and what it has seen may be chance. Its rates are drawn towards those of the landscape,
the more so the less it has seen, and the more so the more alike the zones are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from scenarios.algebra import one_thread
from scenarios.demand.futures import Demand
from scenarios.demand.rates import annual_rates, transition_matrix
from scenarios.demand.resampling import resample
from scenarios.demand.transitions import History, Transition, TransitionTable
from scenarios.demand.zones import Zones, tabulate_zones
from scenarios.grid import Grid
from scenarios.kernels import draws
from scenarios.spec import Scenario

ZoneRates = Callable[[int, NDArray[np.float64]], Sequence[Mapping[Transition, float]]]
"""The share of its source class that each modelled transition takes in each zone, by the year and by the areas, (zone,
class) hectares, that the zones have as it begins."""

_WEAKEST, _STRONGEST = 1e-1, 1e6
_ZONES = 0x7A6F6E6573  # "zones": keeps these draws apart from those of the landscape


@dataclass(frozen=True, eq=False)
class ZonalDemand:
    """What is known of how much changes in each zone.

    Parameters
    ----------
    whole : what is known of the landscape
    zones : its zones
    seen : (interval, zone, class, class) float64, the changes of each zone, as numbers of independent observations
    prior : (class,) float64, how many observations the landscape's rates are worth to a zone
    """

    whole: Demand
    zones: Zones
    seen: NDArray[np.float64]
    prior: NDArray[np.float64]

    def foretell(self, scenario: Scenario, member: int | None, area_ha: NDArray[np.float64]) -> ZoneRates:
        """Return the rates of every zone in every projected year.

        Parameters
        ----------
        scenario : its demand rule, its seed and its years
        member : number of the member that draws its own rates; None: the best guess
        area_ha : (zone, class) areas at the scenario's start, hectares

        Raises
        ------
        ScenarioInvalid
            As for `Demand.foretell`.

        Notes
        -----
        Under `trend` and `table` the landscape's demand of each transition is shared among the zones in proportion to
        what each would change at its own rates.
        """
        everywhere = self.whole.foretell(scenario, member, area_ha.sum(axis=0))
        own = self._rates(scenario, member)
        if scenario.demand.rule in ("trend", "table"):
            return lambda year, area: self._share(everywhere(year), own, area)
        given = self.whole.name_transitions(scenario)

        def rates_in(year: int, _: NDArray[np.float64]) -> list[dict[Transition, float]]:
            of_all = {given[name]: rate for name, rate in scenario.demand.rates_in(year).items()}
            return [rates | of_all for rates in own]

        return rates_in

    def rates(self, scenario: Scenario) -> dict[str, dict[Transition, float]]:
        """Return the best guess of the yearly rates of each zone, by its name."""
        return dict(zip(self.zones.names, self._rates(scenario, None), strict=True))

    def note(self) -> str:
        """Say how far the zones can speak for themselves."""
        seen = self.seen.sum(axis=(0, 3))
        weight = (seen / (seen + self.prior))[seen > 0]
        return (
            f"rates by zone: the history of a zone counts for {weight.min():.0%} to {weight.max():.0%} of its rates, "
            "by zone and class; the rest is the landscape's"
        )

    def _rates(self, scenario: Scenario, member: int | None) -> list[dict[Transition, float]]:
        drawn = member is not None and scenario.demand.uncertainty
        tables: Sequence[TransitionTable] = self.whole.tables
        if drawn:
            tables = resample(tables, self.whole.samples, seed=scenario.seed, member=int(member or 0))
        out = []
        with one_thread:
            for zone in range(len(self.zones)):
                key = draws.stream(scenario.seed, int(member or 0), _ZONES, zone)
                rng = np.random.Generator(np.random.PCG64(int(key))) if drawn else None
                out.append(annual_rates(scenario.demand, self._tables(zone, tables, rng), self.whole.transitions))
        return out

    def _tables(
        self, zone: int, tables: Sequence[TransitionTable], rng: np.random.Generator | None
    ) -> list[TransitionTable]:
        """Return tables with the landscape's row sums and the shares of a zone."""
        out = []
        for seen, table in zip(self.seen[:, zone], tables, strict=True):
            share = transition_matrix(table.area_ha)
            alpha = seen + self.prior[:, None] * share
            if rng is not None:
                alpha = np.stack([_draw(row, rng) for row in alpha])
            out.append(replace(table, area_ha=transition_matrix(alpha) * table.area_ha.sum(axis=1, keepdims=True)))
        return out

    def _share(
        self,
        everywhere: Mapping[Transition, float],
        own: Sequence[Mapping[Transition, float]],
        area: NDArray[np.float64],
    ) -> list[dict[Transition, float]]:
        """Share the landscape's demand of each transition among the zones."""
        place = {value: n for n, value in enumerate(self.whole.tables[0].legend.values)}
        shared: list[dict[Transition, float]] = [{} for _ in own]
        for t, rate in everywhere.items():
            held = area[:, place[t.source]]
            pull = np.array([rates[t] for rates in own])
            expected = float(held @ pull)
            scale = pull * (rate * held.sum() / expected) if expected > 0 else np.full(pull.size, rate)
            for zone, zone_rate in zip(shared, scale, strict=True):
                zone[t] = float(zone_rate)
        return shared


def learn_zones(whole: Demand, history: History, zones: Zones, grid: Grid) -> ZonalDemand:
    """Learn what each zone tells of its own rates.

    Parameters
    ----------
    whole : what is known of the landscape
    history : the land-cover maps that it was learned from

    Notes
    -----
    A row of a zone's table follows a Dirichlet-multinomial distribution: the zone's own shares are drawn from a
    Dirichlet distribution with the parameters ``m_i p_ij`` around the landscape's shares p, and its changes from them.
    An area counts for as many observations as the landscape's design effect makes of it (see `effective_samples`): ::

        x_zij = n_i A_zij / A_i

    The prior weight ``m_i`` is that of largest likelihood over all zones and intervals (Minka 2000, Estimating a
    Dirichlet distribution), so the data say how far zones differ. The rates are those of the posterior mean, ``(x_zij +
    m_i p_ij) / (x_zi + m_i)``; members draw from the posterior, around the landscape's rates that they have drawn.
    """
    area = tabulate_zones(history, whole.tables, zones, grid)
    held = area.sum(axis=(1, 3))
    worth = np.divide(np.stack(whole.samples), held, out=np.zeros_like(held), where=held > 0)
    seen = area * worth[:, None, :, None]
    share = np.stack([transition_matrix(table.area_ha) for table in whole.tables])
    prior = np.array([_fit_prior(seen[:, :, row], share[:, row]) for row in range(share.shape[1])])
    return ZonalDemand(whole, zones, seen, prior)


def _fit_prior(seen: NDArray[np.float64], share: NDArray[np.float64]) -> float:
    """Return the prior weight of largest likelihood.

    Parameters
    ----------
    seen : (interval, zone, class) observations of one row
    share : (interval, class) of the landscape
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import gammaln

    total = seen.sum(axis=2)
    likely = np.broadcast_to((share > 0)[:, None], seen.shape)

    def unlikelihood(log_weight: float) -> float:
        weight = np.exp(log_weight)
        alpha = np.where(likely, weight * share[:, None], 1.0)
        rows = gammaln(weight) - gammaln(weight + total)
        return -float(rows.sum() + (gammaln(alpha + seen) - gammaln(alpha))[likely].sum())

    if (np.count_nonzero(share, axis=1) < 2).all():
        return _STRONGEST
    bounds = np.log(_WEAKEST), np.log(_STRONGEST)
    return float(np.exp(minimize_scalar(unlikelihood, bounds=bounds, method="bounded").x))


def _draw(alpha: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    out, some = alpha.copy(), alpha > 0
    if np.count_nonzero(some) > 1:
        out[some] = rng.dirichlet(alpha[some])
    return out
