"""Step 5, interventions: what the partnership's plans bar, add and slow down, where and when."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from catalog.legend import Legend
from scenarios.demand.transitions import Transition
from scenarios.errors import ScenarioInvalid
from scenarios.grid import Grid
from scenarios.interventions.local_rates import LocalRate
from scenarios.kernels import draws
from scenarios.spec import ChangeRate, Intervention, Protect, Scenario


@dataclass(frozen=True, eq=False)
class Restoration:
    """Hectares to turn into another class in one year, by `restore` or `convert`.

    Parameters
    ----------
    id : of the intervention
    place : (y, x) bool; None: everywhere
    sources, target : legend values
    hectares : how much
    priority : name of the driver whose highest values come first; None: by the potential
    """

    id: str
    place: NDArray[np.bool_] | None
    sources: tuple[int, ...]
    target: int
    hectares: float
    priority: str | None = None


@dataclass(frozen=True, eq=False)
class Goal:
    """An area of a class that is to be reached.

    Parameters
    ----------
    id : of the intervention
    place : (y, x) bool, where land may be converted for it; None: everywhere
    sources, target : legend values
    hectares : area of the class in the whole landscape
    years_left : this year included
    """

    id: str
    place: NDArray[np.bool_] | None
    sources: tuple[int, ...]
    target: int
    hectares: float
    years_left: int


@dataclass(frozen=True, eq=False)
class Plan:
    """A scenario's interventions on one landscape, with classes as legend values and places as masks.

    Raises
    ------
    ScenarioInvalid
        At construction: an intervention names an unknown class, or a place that does not touch the landscape.
    """

    scenario: Scenario
    legend: Legend
    grid: Grid

    def __post_init__(self) -> None:
        for plan in self.scenario.interventions:
            for name in _classes_of(plan):
                if name not in self.legend.names:
                    raise ScenarioInvalid(
                        f"Intervention {plan.id!r} names the class {name!r}; the legend of "
                        f"{self.scenario.landscape!r} has {', '.join(self.legend.names)}."
                    )
        assert self._places is not None  # places are checked before anything is computed

    @cached_property
    def _places(self) -> dict[str, NDArray[np.bool_]]:
        places = {}
        for plan in self.scenario.interventions:
            where = plan.place
            if where is None:
                continue
            if isinstance(where, str):
                raise ScenarioInvalid(
                    f"Intervention {plan.id!r} names the place {where!r} by file; read the scenario with "
                    "load_scenario, or give the GeoJSON geometry itself."
                )
            try:
                places[plan.id] = self.grid.rasterize(where)
            except ValueError as error:
                raise ScenarioInvalid(
                    f"The place of intervention {plan.id!r} is {error}. Give a GeoJSON Polygon or MultiPolygon."
                ) from error
            if not places[plan.id].any():
                raise ScenarioInvalid(
                    f"The place of intervention {plan.id!r} holds no cell of {self.scenario.landscape!r}. "
                    "Check its coordinates: GeoJSON is longitude, latitude."
                )
        return places

    @cached_property
    def _kept(self) -> dict[str, NDArray[np.bool_]]:
        """Cells that each protection really keeps: the same ones every year, in every member."""
        return {
            plan.id: self._places[plan.id] & self._works(plan.id, plan.protect)
            for plan in self.scenario.interventions
            if plan.protect is not None
        }

    def _works(self, name: str, protect: Protect) -> NDArray[np.bool_]:
        if protect.effectiveness == 1:
            return np.ones(self.grid.shape, bool)
        rows, columns = np.indices(self.grid.shape)
        key = draws.stream(self.scenario.seed, crc32(name.encode()))
        chance = draws.uniforms(key, rows.ravel(), columns.ravel()).reshape(self.grid.shape)
        return np.asarray(chance < protect.effectiveness)

    def barred(self, source: int, year: int) -> NDArray[np.bool_] | None:
        """Return the cells where no transition out of a class may happen in a year; None if nowhere."""
        masks = [self._kept[plan.id] for plan, _ in self._protections(source, year)]
        return np.logical_or.reduce(masks) if masks else None

    def leakage(self, source: int, year: int) -> float:
        """Return which share of the change barred in a year goes elsewhere: the smallest of the protections'."""
        return min((protect.leakage for _, protect in self._protections(source, year)), default=1.0)

    def _protections(self, source: int, year: int) -> Iterator[tuple[Intervention, Protect]]:
        name = self.legend.get(source).name
        for plan in self.scenario.interventions:
            if plan.protect is not None and plan.acts_in(year) and name in plan.protect.classes:
                yield plan, plan.protect

    def decides(self, land_cover: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Return the cells that a plan keeps or may convert, (y, x) bool: they are decided on, not foretold.

        Parameters
        ----------
        land_cover : (y, x) uint8, at the start
        """
        decided = np.zeros(self.grid.shape, bool)
        for plan in self.scenario.interventions:
            converted = plan.conversion or plan.target
            if plan.protect is not None:
                decided |= self._kept[plan.id] & np.isin(land_cover, self._values(plan.protect.classes))
            elif converted is not None and plan.place is not None:
                decided |= self._places[plan.id] & np.isin(land_cover, self._values(converted.from_))
        return decided

    def conversions_anywhere(self) -> frozenset[Transition]:
        """Return what plans convert wherever there is room for it, without a place."""
        found = set()
        for plan in self.scenario.interventions:
            if plan.place is None and plan.conversion is not None:
                action = plan.conversion
                found |= {Transition(value, self.legend.value_of(action.to)) for value in self._values(action.from_)}
            if plan.place is None and plan.target is not None:
                goal = plan.target
                found |= {Transition(value, self.legend.value_of(goal.class_)) for value in self._values(goal.from_)}
        return frozenset(found)

    def factor(self, transition: Transition, year: int) -> float:
        """Return by what the rate of a transition is multiplied everywhere in a year."""
        return float(np.prod([factor for plan, factor in self._factors(transition, year) if plan.place is None]))

    def local_rate(self, transition: Transition, year: int) -> LocalRate | None:
        """Return by what the rate of a transition is multiplied in places in a year; None if nowhere."""
        local = [(self._places[plan.id], factor) for plan, factor in self._factors(transition, year) if plan.place]
        return LocalRate.of(local) if local else None

    def _factors(self, transition: Transition, year: int) -> Iterator[tuple[Intervention, float]]:
        for plan in self.scenario.interventions:
            change = plan.change_rate
            if change is not None and plan.acts_in(year):
                pair = self.legend.value_of(change.from_), self.legend.value_of(change.to)
                if pair == (transition.source, transition.target):
                    yield plan, _factor_in(plan, change, year)

    def replacements(self, year: int) -> dict[str, str]:
        """Return by which layer each driver is replaced in a year; of several, the last in the scenario counts."""
        swaps = [plan.replace_driver for plan in self.scenario.interventions if plan.acts_in(year)]
        return {swap.driver: swap.layer_name for swap in swaps if swap is not None}

    def check_drivers(self, known: Collection[str]) -> None:
        """Refuse to replace what is no driver of the model.

        Raises
        ------
        ScenarioInvalid
            Names the intervention, the driver, and those there are.
        """
        for plan in self.scenario.interventions:
            if plan.replace_driver is not None and plan.replace_driver.driver not in known:
                raise ScenarioInvalid(
                    f"Intervention {plan.id!r} replaces the driver {plan.replace_driver.driver!r}, which the model was "
                    f"not learned from; it has {', '.join(known) or 'none'}. See potential.drivers."
                )

    def idle(self, modelled: Collection[Transition]) -> list[str]:
        """Say which interventions change nothing, because what they scale is not modelled."""
        notes = []
        for plan in self.scenario.interventions:
            change = plan.change_rate
            if change is not None:
                pair = Transition(self.legend.value_of(change.from_), self.legend.value_of(change.to))
                if pair not in modelled:
                    notes.append(
                        f"intervention {plan.id!r} has no effect: {change.from_} to {change.to} is not modelled, "
                        f"for {self._why_not(change)}"
                    )
        return notes

    def _why_not(self, change: ChangeRate) -> str:
        forbidden = self.scenario.conversions.forbids(change.from_, change.to)
        return "the scenario forbids it" if forbidden else "too little of it was observed"

    def restorations(self, year: int) -> Iterator[Restoration]:
        """Yield what is to be restored or converted in a year."""
        for plan in self.scenario.interventions:
            action = plan.conversion
            if action is not None and plan.acts_in(year):
                yield Restoration(
                    plan.id,
                    self._places.get(plan.id),
                    self._values(action.from_),
                    self.legend.value_of(action.to),
                    action.hectares_per_year,
                    action.priority,
                )

    def goals(self, year: int) -> Iterator[Goal]:
        """Yield the areas that are to be reached, this year or later."""
        for plan in self.scenario.interventions:
            target = plan.target
            if target is not None and plan.acts_in(year):
                value, left = self.legend.value_of(target.class_), plan.years[1] - year + 1
                yield Goal(plan.id, self._places.get(plan.id), self._values(target.from_), value, target.hectares, left)

    def check_layers(self, known: Collection[str], drivers: Collection[str] = ()) -> None:
        """Refuse interventions that need a layer which is not at hand; to replace a driver, all drivers are needed.

        Raises
        ------
        ScenarioInvalid
            Names the intervention, the layer, and those there are.
        """
        for plan in self.scenario.interventions:
            for name in (*plan.layers, *(drivers if plan.replace_driver else ())):
                if name not in known:
                    raise ScenarioInvalid(
                        f"Intervention {plan.id!r} needs the layer {name!r}; the model has "
                        f"{', '.join(sorted(known)) or 'none'}. Give it in the model's layers."
                    )

    def _values(self, names: Collection[str]) -> tuple[int, ...]:
        return tuple(self.legend.value_of(name) for name in names)


def _factor_in(plan: Intervention, change: ChangeRate, year: int) -> float:
    """Return the factor of one year: constant, or on a straight line from the first year's to the last year's."""
    if isinstance(change.factor, float):
        return change.factor
    (first, last), (begin, end) = change.factor, plan.years
    return (first * (end - year) + last * (year - begin)) / (end - begin)


def _classes_of(plan: Intervention) -> list[str]:
    """Return every class that an intervention names."""
    if plan.replace_driver is not None:
        return []
    if plan.protect is not None:
        return list(plan.protect.classes)
    if plan.target is not None:
        return [*plan.target.from_, plan.target.class_]
    action = plan.conversion or plan.change_rate
    assert action is not None  # an intervention has exactly one action
    from_ = [action.from_] if isinstance(action.from_, str) else list(action.from_)
    return [*from_, action.to]
