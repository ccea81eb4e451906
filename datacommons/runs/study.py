"""From the layers of a commons to the engine's arrays, and back: one scenario studied on one landscape."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import NDArray

from catalog.collections import DRIVERS, LAND_COVER
from catalog.store import PUBLIC
from datacommons.arrays import align_layer
from datacommons.errors import LayerNotFound
from datacommons.layers import Layer, find_layer
from datacommons.progress import progress_bar
from datacommons.provenance import check_history
from scenarios.calibration import Calibration, calibrate
from scenarios.cluster import Cluster, Workers
from scenarios.demand.transitions import remove_flicker
from scenarios.demand.zones import Zones, choose_zones
from scenarios.grid import Grid
from scenarios.interventions.conversions import Conversions, date_last_change
from scenarios.interventions.plan import Plan
from scenarios.potential.classifiers import Classifier, fingerprint_classifier, prepare_classifier
from scenarios.potential.drivers import Driver, Drivers, as_categories, check_drivers, derive_drivers
from scenarios.projection.years import DEFAULT_CHUNK
from scenarios.scratch import Scratch
from scenarios.spec import DerivedDriver, ReplaceDriver, Scenario
from scenarios.spec.drivers import TIME_SINCE_CHANGE, DriverName, name_driver
from scenarios.validation.hindcast import MEMBERS, Hindcast, hindcast

if TYPE_CHECKING:
    from datacommons.commons import Commons
    from datacommons.landscape import Landscape


_OWNER_ONLY = "private"  # no visitor is given this label


@dataclass(frozen=True, eq=False)
class Study:
    """A scenario with the landscape and layers that it is about.

    Parameters
    ----------
    commons, scenario, landscape : what is studied
    inputs : the layers that are learned from, land cover first
    plan_layers : the layers that interventions name, each once
    zone_layer : the layer of the demand's zones, if it names one
    places : the vector layers whose features the scenario holds
    doubts : what is doubtful about the history's origin
    workers, chunk, progress : how it is computed and shown
    classifier : learns where a transition is likely, instead of the scenario's `potential.model`
    """

    commons: Commons
    scenario: Scenario
    landscape: Landscape
    inputs: tuple[Layer, ...]
    plan_layers: tuple[Layer, ...]
    zone_layer: Layer | None
    doubts: tuple[str, ...]
    workers: Workers
    chunk: int
    progress: bool
    classifier: Classifier | None = None
    places: tuple[Layer, ...] = ()
    _in_use: WeakValueDictionary[str, NDArray[Any]] = field(default_factory=WeakValueDictionary, init=False)
    _reading: Any = field(default_factory=Lock, init=False)

    @classmethod
    def of(
        cls,
        commons: Commons,
        scenario: Scenario,
        *,
        threads: int | None,
        chunk: int | None,
        progress: bool,
        memory_gib: float | None = None,
        classifier: Classifier | None = None,
        places: tuple[Layer, ...] = (),
    ) -> Study:
        """Find the landscape and the layers, and check the scenario's interventions against them.

        Raises
        ------
        LandscapeNotFound, LayerNotFound
            The scenario names what the commons does not have.
        ScenarioInvalid
            An intervention or a driver does not fit the landscape.
        HistoryInvalid
            The maps were not made alike.
        """
        landscape = commons.landscape(scenario.landscape)
        inputs = _choose_layers(commons, scenario)
        dates = [layer for layer in inputs if layer.collection == LAND_COVER]
        study = cls(
            commons=commons,
            scenario=scenario,
            landscape=landscape,
            inputs=inputs,
            plan_layers=_find_plan_layers(commons, scenario),
            zone_layer=_find_zone_layer(commons, scenario),
            doubts=check_history(dates, scenario.transitions),
            workers=_find_workers(threads, _find_scratch(memory_gib, commons.root)),
            chunk=DEFAULT_CHUNK if chunk is None else chunk,
            progress=progress,
            classifier=classifier,
            places=places,
        )
        Plan(scenario, landscape.legend, study.grid)
        Conversions(scenario.conversions, landscape.legend)
        if scenario.demand.zones is not None and study.zone_layer is None:
            choose_zones(scenario.demand, study.grid)
        others = [swap.layer for swap in _find_swaps(scenario)]
        if classifier is not None:
            prepare_classifier(classifier, scenario.seed)
        check_drivers((*scenario.potential.drivers, *others), legend=landscape.legend, grid=study.grid)
        return study

    def handed_to(self, cluster: Cluster | None) -> Study:
        """Return the same study, with walks that are handed to processes."""
        return self if cluster is None else replace(self, workers=replace(self.workers, cluster=cluster))

    @cached_property
    def grid(self) -> Grid:
        """The landscape's grid."""
        return Grid(self.landscape.geobox)

    @cached_property
    def land_cover(self) -> dict[int, NDArray[np.uint8]]:
        """Observed maps by year: the history and the start."""
        dates = {layer.year: layer for layer in self.inputs if layer.collection == LAND_COVER}
        years = sorted({*self.scenario.history, self.scenario.start})
        return dict(zip(years, self._read([dates[year] for year in years]), strict=True))

    @property
    def drivers(self) -> dict[str, Driver]:
        """Layers that drivers are made of, by name, (y, x): float32, NaN = missing, or categories as uint8.

        They are kept as long as somebody has use for them, and read anew for who comes later: once they are learned
        from, few have, and they are the most of all that is held.
        """
        layers = [layer for layer in self.inputs if layer.collection == DRIVERS]
        return dict(zip((layer.name for layer in layers), self._read(layers), strict=True))

    def _read(self, layers: Sequence[Layer]) -> list[NDArray[Any]]:
        """Read layers onto the grid, each (y, x): classes as uint8, measurements as float32."""

        def read(layer: Layer) -> NDArray[Any]:
            known = self._in_use.get(layer.href)
            if known is None:
                known = align_layer(layer, self.landscape, self.commons.locate, self.workers.scratch).data
                self._in_use[layer.href] = known
            return known

        with self._reading:  # whoever wants the same meanwhile finds it
            return self.workers.map(read, layers)

    @cached_property
    def layers(self) -> Drivers:
        """What interventions read, by name, as `drivers`; where one is replaced, also what the model has learned from.

        Raises
        ------
        ScenarioInvalid
            A layer cannot take a driver's place.
        """
        found: dict[str, Driver] = dict(
            zip((layer.name for layer in self.plan_layers), self._read(self.plan_layers), strict=True)
        )
        swaps = _find_swaps(self.scenario)
        if not swaps:
            return found
        seen = self._derive(self.scenario.potential.drivers)
        others = {swap.layer_name: swap.layer for swap in swaps}
        found |= self._derive(tuple(others.values()), found)
        for swap in swaps:
            if seen[swap.driver].dtype == np.uint8:
                found[swap.layer_name] = as_categories(found[swap.layer_name], swap.layer_name)
        return {**seen, **found}

    def _derive(self, wanted: Sequence[DriverName], more: Drivers | None = None) -> Drivers:
        """Return drivers as they are at the start, from the maps that the model is learned from."""
        layers = {**self.drivers, **(more or {})}
        calm = remove_flicker(self.history) if self.scenario.transitions.persistence_filter else {}
        seen = {**self.land_cover, **calm}
        in_year = derive_drivers(wanted, layers, seen, legend=self.landscape.legend, grid=self.grid)
        return in_year(self.scenario.start)

    @property
    def units(self) -> dict[str, str]:
        """Unit of each driver that is learned from, by name; empty where unknown."""
        named = {name_driver(each): each.unit for each in self.scenario.potential.drivers if not isinstance(each, str)}
        return {layer.name: layer.unit for layer in self.inputs} | {TIME_SINCE_CHANGE: "year"} | named

    @cached_property
    def zones(self) -> Zones | None:
        """The zones of the demand, if it names a layer of them."""
        if self.zone_layer is None or self.zone_layer.legend is None:
            return None
        (classes,) = self._read([self.zone_layer])
        return Zones.of_layer(classes, self.zone_layer.legend)

    @property
    def sources(self) -> tuple[Layer, ...]:
        """Every layer that goes into the result."""
        zones = () if self.zone_layer is None else (self.zone_layer,)
        layers = (*self.inputs, *zones, *self.plan_layers, *self.places)
        return tuple({(layer.collection, layer.item): layer for layer in layers}.values())

    @property
    def access(self) -> str:
        """Access label of what comes out: no wider than that of any layer that went in."""
        closed = {layer.access for layer in self.sources} - {PUBLIC}
        return closed.pop() if len(closed) == 1 else _OWNER_ONLY if closed else PUBLIC

    @property
    def history(self) -> dict[int, NDArray[np.uint8]]:
        """The maps to learn from."""
        return {year: self.land_cover[year] for year in self.scenario.history}

    def calibration(self) -> Calibration:
        """Learn from the whole history; what was learned in this session from the same is not learned again."""
        learned = self.commons.remember(("calibration", self.lesson), self._calibrate)
        model = replace(learned.model, layers=self.layers)
        if model.changed is not None and self.scenario.start not in self.scenario.history:
            model = replace(model, changed=date_last_change(self.land_cover))
        return replace(learned, model=model, notes=(*self.doubts, *learned.notes))

    def hindcast(self, members: int = MEMBERS) -> Hindcast:
        """Learn from all dates but the last, and test on it, with so many members."""
        found = self.commons.remember(("hindcast", self.lesson, members), lambda: self._hindcast(members))
        return replace(found, notes=(*self.doubts, *found.notes))

    def _calibrate(self) -> Calibration:
        with progress_bar("learning from the history", 0, shown=self.progress):
            return calibrate(
                self.scenario,
                self.history,
                self.drivers,
                legend=self.landscape.legend,
                grid=self.grid,
                workers=self.workers,
                zones=self.zones,
                start=self.land_cover[self.scenario.start],
                classifier=self.classifier,
            )

    def _hindcast(self, members: int) -> Hindcast:
        with progress_bar("testing on the last date", 0, shown=self.progress):
            return hindcast(
                self.scenario,
                self.history,
                self.drivers,
                legend=self.landscape.legend,
                grid=self.grid,
                members=members,
                chunk=self.chunk,
                workers=self.workers,
                zones=self.zones,
                classifier=self.classifier,
            )

    @cached_property
    def lesson(self) -> str:
        """Fingerprint of all that learning depends on: layers, their content, and the rules."""
        rules = self.scenario.model_dump(
            mode="json", include={"history", "transitions", "conversions", "potential", "demand", "allocation", "seed"}
        )
        zones = () if self.zone_layer is None else (self.zone_layer,)
        own = [] if self.classifier is None else [fingerprint_classifier(self.classifier)]
        return _digest([rules, [[layer.item, layer.checksum] for layer in (*self.inputs, *zones)], *own])

    @cached_property
    def fingerprint(self) -> str:
        """Fingerprint of all that the result depends on, but for the engine's version."""
        plans = [[layer.item, layer.checksum] for layer in self.plan_layers]
        return _digest([self.scenario.model_dump(mode="json"), self.lesson, plans])


def _find_workers(threads: int | None, scratch: Scratch) -> Workers:
    return Workers(scratch=scratch) if threads is None else Workers(threads, scratch=scratch)


def _find_scratch(memory_gib: float | None, folder: Path) -> Scratch:
    return Scratch.by_free_memory(folder) if memory_gib is None else Scratch(int(memory_gib * 2**30), folder)


def _choose_layers(commons: Commons, scenario: Scenario) -> tuple[Layer, ...]:
    layers = commons.layers(scenario.landscape)
    years = {*scenario.history, scenario.start}
    cover = {layer.year: layer for layer in layers if layer.collection == LAND_COVER and layer.year in years}
    missing = sorted(years - set(cover))
    if missing:
        known = ", ".join(str(layer.year) for layer in layers if layer.collection == LAND_COVER)
        raise LayerNotFound(
            f"The scenario needs the land cover of {', '.join(map(str, missing))}; {scenario.landscape} has "
            f"{known or 'none'}. Ingest it, or change history and start."
        )
    return (*(cover[year] for year in sorted(cover) if year is not None), *_choose_drivers(layers, scenario))


def _choose_drivers(layers: Sequence[Layer], scenario: Scenario) -> list[Layer]:
    """Return the layers that the scenario's drivers are made of, each once."""
    if LAND_COVER in scenario.potential.drivers:
        raise LayerNotFound(
            "The land cover is no driver: its neighbourhood counts by itself (potential.neighbourhood_m). "
            f"Take {LAND_COVER!r} out of potential.drivers, or name the distance to a class, as in "
            "{distance_to: built}."
        )
    known = {layer.name for layer in layers if layer.collection == DRIVERS}
    sources = [_source_of(driver, known) for driver in scenario.potential.drivers]
    named = [find_layer(layers, scenario.landscape, name) for name in dict.fromkeys(sources) if name is not None]
    later = {swap.layer for swap in _find_swaps(scenario)}  # not learned from
    measured = [layer for layer in layers if layer.collection == DRIVERS and layer.legend is None]
    drivers = named if scenario.potential.drivers else [layer for layer in measured if layer.name not in later]
    names = [name_driver(each) for each in scenario.potential.drivers] or [layer.name for layer in drivers]
    for plan in scenario.interventions:
        if plan.replace_driver and plan.replace_driver.driver not in names:
            raise LayerNotFound(
                f"Intervention {plan.id!r} replaces {plan.replace_driver.driver!r}, not one that is learned from: "
                f"{', '.join(names) or 'none'}. Name it in potential.drivers."
            )
    return drivers


def _source_of(driver: DriverName, known: Collection[str]) -> str | None:
    """Return the layer that a driver is made of; None if it is made of the land cover or of a place."""
    if isinstance(driver, DerivedDriver):
        return driver.layer
    return None if driver == TIME_SINCE_CHANGE and driver not in known else driver


def _find_swaps(scenario: Scenario) -> list[ReplaceDriver]:
    return [plan.replace_driver for plan in scenario.interventions if plan.replace_driver is not None]


def _find_zone_layer(commons: Commons, scenario: Scenario) -> Layer | None:
    name = scenario.demand.zones
    if not isinstance(name, str):
        return None
    layer = find_layer(commons.layers(scenario.landscape), scenario.landscape, name)
    if layer.legend is None:
        raise LayerNotFound(
            f"The zones of the demand, {name!r}, are measurements. Ingest them with --legend, which names the zones, "
            "or name a GeoJSON file of polygons."
        )
    return layer


def _find_plan_layers(commons: Commons, scenario: Scenario) -> tuple[Layer, ...]:
    layers, found = commons.layers(scenario.landscape), {}
    known = {layer.name: layer for layer in layers if layer.collection == DRIVERS}
    for plan in scenario.interventions:
        swap = plan.replace_driver
        for name in plan.layers if swap is None else (_source_of(swap.layer, known),):
            if name is not None:
                found[name] = find_layer(layers, scenario.landscape, name)
            if name is not None and swap is None and found[name].legend is not None:
                raise LayerNotFound(
                    f"Intervention {plan.id!r} takes the highest values of {name!r} first, and that layer holds "
                    "classes. Name a layer of measurements."
                )
        if swap is not None and not _fits(swap, scenario, known):
            raise LayerNotFound(
                f"Intervention {plan.id!r} puts {swap.layer_name!r} in the place of {swap.driver!r}: one of them holds "
                "classes that the other does not have. Give a layer of the same kind, with the same legend."
            )
    return tuple(found.values())


def _fits(swap: ReplaceDriver, scenario: Scenario, layers: Mapping[str, Layer]) -> bool:
    """Whether both are measurements, or both hold the same classes, as far as a legend tells."""
    named = {name_driver(each): each for each in scenario.potential.drivers}
    legends = []
    for each in (named.get(swap.driver, swap.driver), swap.layer):
        if isinstance(each, DerivedDriver) and each.categories_of is not None:
            return True
        plain = layers.get(each) if isinstance(each, str) else None
        legends.append(plain.legend if plain is not None else None)
    return legends[0] == legends[1]


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
