"""From a history to a model that can be projected: transitions, demand and potential in one call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from catalog.legend import Legend
from scenarios.algebra import one_thread
from scenarios.allocation.patches import learn_patches
from scenarios.cluster import Workers
from scenarios.demand.futures import Demand
from scenarios.demand.rates import annual_rates
from scenarios.demand.resampling import effective_samples
from scenarios.demand.transitions import (
    History,
    Transition,
    TransitionTable,
    choose_transitions,
    remove_flicker,
    report_flicker,
    tabulate_history,
)
from scenarios.demand.zonal import learn_zones
from scenarios.demand.zones import Zones, choose_zones
from scenarios.errors import HistoryInvalid
from scenarios.grid import Grid, bands
from scenarios.interventions.conversions import Conversions, date_last_change
from scenarios.model import Model
from scenarios.potential.classifiers import Classifier
from scenarios.potential.curves import TransitionModel
from scenarios.potential.drivers import Drivers, derive_drivers
from scenarios.potential.momentum import Momentum
from scenarios.potential.neighbourhood import Neighbourhood
from scenarios.potential.potential import Potential, learn_potential
from scenarios.potential.quality import Quality
from scenarios.spec import Scenario


@dataclass(frozen=True, eq=False)
class Calibration:
    """A model and what it was learned from.

    Parameters
    ----------
    model : ready to project
    tables : the observed transitions of each interval, in hectares
    notes : what was left out or helped, one plain sentence each
    """

    model: Model
    tables: tuple[TransitionTable, ...]
    notes: tuple[str, ...]


def calibrate(
    scenario: Scenario,
    history: History,
    drivers: Drivers,
    *,
    legend: Legend,
    grid: Grid,
    workers: Workers,
    zones: Zones | None = None,
    start: NDArray[np.uint8] | None = None,
    classifier: Classifier | None = None,
) -> Calibration:
    """Learn a landscape's transitions from its history.

    Parameters
    ----------
    scenario : its transition, conversion, potential, demand and allocation rules and its seed; its interventions play
        no part
    history : the land-cover maps to learn from, two dates or more
    drivers : layers by name, (y, x): measurements as float32, NaN = missing, and categories as uint8, 0 = missing. The
        scenario's `potential.drivers` chooses and derives from them; if it names none, all are learned from
    legend, grid : of the landscape
    zones : where the demand names a layer of zones: made of that layer
    start : (y, x) uint8, land cover at the scenario's start, if that is later than the history
    classifier : learns where a transition is likely, instead of the scenario's `potential.model`: an object with
        ``fit`` and ``predict_proba``, as scikit-learn's classifiers. It is copied, not changed

    Raises
    ------
    HistoryInvalid
        Fewer than two dates, or nothing changed between them.
    ScenarioInvalid
        The demand does not fit the landscape, a driver cannot be made, or the classifier does not tell chances.
    """
    seen = _observe(scenario, history, legend, grid)
    history, tables, transitions, notes = seen
    demand = Demand(tables, transitions, tuple(effective_samples(history, tables, grid)))
    if scenario.start in history:
        start_ha = np.asarray(grid.weigh(history[scenario.start], legend.values) * grid.weight_ha, np.float64)
        notes += demand.note(scenario, start_ha)
    zones = choose_zones(scenario.demand, grid, zones)
    zonal = learn_zones(demand, history, zones, grid) if zones is not None else None
    notes += [zonal.note()] if zonal is not None else []
    with one_thread:
        potential = _learn_where(scenario, seen, drivers, legend, grid, workers, start, classifier)
        rates = annual_rates(scenario.demand, tables, transitions)
    notes += _potential_notes(potential, legend, classifier)
    patches = learn_patches(history, transitions, grid) if scenario.allocation.rule == "patches" else None
    notes += patches.note_missing(transitions, legend) if patches is not None else []
    notes += _single_interval(tables) + _absent_classes(history, legend)
    model = Model(
        grid,
        legend,
        potential,
        rates,
        demand=demand,
        patches=patches,
        changed=date_last_change(history) if scenario.conversions.residence_years else None,
        zonal=zonal,
        pace=_pace(scenario, tables),
    )
    return Calibration(model, tables, tuple(notes))


class _Observed(NamedTuple):
    """What changed in a history."""

    history: History  # without flicker, if it was to be removed
    tables: tuple[TransitionTable, ...]
    transitions: tuple[Transition, ...]  # those that are modelled
    notes: list[str]


def _observe(scenario: Scenario, history: History, legend: Legend, grid: Grid) -> _Observed:
    """Tabulate a history, and choose which of its transitions are modelled."""
    if len(history) < 2:
        raise HistoryInvalid(
            f"Learning needs land cover of two dates or more; found {sorted(history)}. Ingest another date."
        )
    tables = tabulate_history(history, legend, grid)
    told = []
    if scenario.transitions.persistence_filter:
        history, flickering = remove_flicker(history), tables
        tables = tabulate_history(history, legend, grid)
        told.append(report_flicker(flickering, tables))
    transitions, notes = choose_transitions(tables, scenario.transitions.minimum_hectares)
    transitions, forbidden = Conversions(scenario.conversions, legend).select(transitions, tables)
    if not transitions:
        raise HistoryInvalid(
            f"No class changed by {scenario.transitions.minimum_hectares:g} ha or more between "
            f"{tables[0].start} and {tables[-1].end}{' in a way that is not forbidden' if forbidden else ''}. "
            "Lower transitions.minimum_hectares, or check the maps."
        )
    return _Observed(history, tuple(tables), tuple(transitions), told + notes + forbidden)


def _learn_where(
    scenario: Scenario,
    seen: _Observed,
    drivers: Drivers,
    legend: Legend,
    grid: Grid,
    workers: Workers,
    start: NDArray[np.uint8] | None,
    classifier: Classifier | None,
) -> Potential:
    """Learn the potential by the scenario's rules; parameters as for `calibrate`."""
    rules = scenario.potential
    radii = tuple(sorted({grid.cells(metres) for metres in rules.momentum_m}))
    dated = seen.history if start is None else {scenario.start: start, **seen.history}
    return learn_potential(
        seen.transitions,
        seen.history,
        derive_drivers(rules.drivers, drivers, dated, legend=legend, grid=grid),
        Neighbourhood.of(grid, rules.neighbourhood_m, legend.values),
        model=rules.model,
        classifier=classifier,
        momentum=Momentum(seen.history, radii, grid, workers) if radii else None,
        start=scenario.start,
        seed=scenario.seed,
        workers=workers,
        resampled=rules.uncertainty,
    )


def _pace(scenario: Scenario, tables: Sequence[TransitionTable]) -> int:
    """Return after how many years the neighbourhood is looked at again: as many as an interval has."""
    return scenario.potential.neighbourhood_years or round(np.mean([table.years for table in tables]))


def _potential_notes(potential: Potential, legend: Legend, classifier: Classifier | None) -> list[str]:
    """Say what is doubtful of where each transition is placed, and what placed it if the scenario does not tell."""
    notes = []
    for transition, fitted in zip(potential.transitions, potential.models, strict=True):
        name = f"{legend.get(transition.source).name} to {legend.get(transition.target).name}"
        notes += [f"{name}: {doubt}" for doubt in _doubts(fitted)]
    if classifier is not None:
        notes.append(f"placed by a classifier from Python, which the scenario does not hold: {potential.learner}")
    return notes


def _single_interval(tables: Sequence[TransitionTable]) -> list[str]:
    """Say what one interval cannot tell."""
    if len(tables) > 1:
        return []
    return [
        f"learned from a single interval, {tables[0].start} to {tables[0].end}: whether its rates are usual cannot be "
        "told, and recent change can only be judged on the interval that it was measured in"
    ]


def _doubts(fitted: TransitionModel | None) -> Sequence[str]:
    """Say where a transition is placed by less than was asked for."""
    if fitted is None:
        return ["too few cells changed to learn where; placed at random"]
    if fitted.refused is not None:
        left = f"its neighbourhood only ({_score(fitted.quality)})" if fitted.quality is not None else "chance"
        return [
            f"with its drivers no better than chance on held-out blocks ({_score(fitted.refused)}); placed by {left}"
        ]
    if fitted.quality is not None and not fitted.quality.beats_chance:
        return [f"no better than chance on held-out blocks ({_score(fitted.quality)})"]
    return []


def _score(quality: Quality) -> str:
    return f"AUC {quality.auc:.2f}, standard error {quality.auc_error:.2f}"


def _absent_classes(history: History, legend: Legend) -> list[str]:
    """Say which classes are missing at some date."""
    notes = []
    for entry in legend:
        missing = [year for year, cover in sorted(history.items()) if not _has(cover, entry.value)]
        if missing:
            years = ", ".join(map(str, missing))
            notes.append(f"class {entry.name!r} has no cell in {years}; its rates come from the dates that have it")
    return notes


def _has(cover: NDArray[np.uint8], value: int) -> bool:
    return any(np.any(cover[rows] == value) for rows in bands(cover.shape))
