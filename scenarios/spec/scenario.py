"""The scenario: what is projected, from when, for how long, by which rules and with which plans."""

from __future__ import annotations

import json

import yaml
from pydantic import Field, model_validator

from scenarios.spec.drivers import name_driver
from scenarios.spec.fields import Record, Slug, Text, Words, Year
from scenarios.spec.plans import Intervention
from scenarios.spec.rules import AllocationRule, ConversionRule, DemandRule, PotentialRule, TransitionRule

# The one in C writes the same text, a few times as fast; not every build of PyYAML has it.
_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class Scenario(Record):
    """A future of one landscape.

    Examples
    --------
    >>> s = Scenario(id="bau", title="Business as usual", landscape="valley", start=2020, history=(2000, 2010, 2020))
    >>> s.end, s.title["en"]
    (2040, 'Business as usual')
    """

    id: Slug
    parent: Slug | None = Field(None, description="the scenario that this one was written as a variant of")
    title: Text
    storyline: Words = Field(default_factory=dict)
    landscape: Slug
    start: Year
    years: int = Field(20, ge=1, le=200)
    history: tuple[Year, ...] = Field(min_length=2)
    transitions: TransitionRule = TransitionRule()
    conversions: ConversionRule = ConversionRule()
    potential: PotentialRule = PotentialRule()
    demand: DemandRule = DemandRule()
    allocation: AllocationRule = AllocationRule()
    members: int = Field(10, ge=1, le=255)
    seed: int = Field(42, ge=0, lt=2**32)
    interventions: tuple[Intervention, ...] = ()

    @model_validator(mode="after")
    def _agrees(self) -> Scenario:
        if list(self.history) != sorted(set(self.history)):
            raise ValueError(f"history must be rising years without repeats; found {list(self.history)}")
        if self.history[-1] > self.start:
            raise ValueError(
                f"history ends in {self.history[-1]}, after the start {self.start}; end it at or before the start"
            )
        for year in self.projected_years:
            self.demand.rates_in(year)
        ids = [i.id for i in self.interventions]
        if len(ids) != len(set(ids)):
            raise ValueError(f"two interventions share an id; found {ids}")
        for plan in self.interventions:
            if plan.years[1] <= self.start or plan.years[0] > self.end:
                raise ValueError(
                    f"intervention {plan.id!r} acts {plan.years[0]} to {plan.years[1]}, outside the projected years "
                    f"{self.start + 1} to {self.end}; move its years or the scenario's"
                )
        self._refuse_forbidden()
        self._check_driver_names()
        return self

    def _refuse_forbidden(self) -> None:
        """Refuse to ask for what the conversion rules forbid."""
        asked = [(f"intervention {plan.id!r}", pair) for plan in self.interventions for pair in plan.pairs]
        asked += [("demand.rates", (a, b)) for a, to, b in (n.partition(" to ") for n in self.demand.rates) if to]
        for who, (source, target) in asked:
            if self.conversions.forbids(source, target):
                raise ValueError(
                    f"{who} asks for {source} to {target}, which conversions.forbidden rules out; take it out of one "
                    "of them"
                )

    def _check_driver_names(self) -> None:
        known = {name_driver(driver): driver for driver in self.potential.drivers}
        for plan in self.interventions:
            if plan.replace_driver is not None:
                name, layer = plan.replace_driver.layer_name, plan.replace_driver.layer
                if known.setdefault(name, layer) != layer:
                    raise ValueError(f"two drivers are called {name!r}; give that of {plan.id!r} another 'name'")

    @property
    def end(self) -> int:
        """The last projected year."""
        return self.start + self.years

    @property
    def projected_years(self) -> range:
        """Every year after the start up to the end."""
        return range(self.start + 1, self.end + 1)

    def to_yaml(self) -> str:
        """Return the scenario as YAML that `load_scenario` reads back to an equal scenario."""
        document = json.loads(self.model_dump_json(by_alias=True, exclude_none=True))
        return str(yaml.dump(document, Dumper=_DUMPER, sort_keys=False, allow_unicode=True))
