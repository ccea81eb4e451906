"""The rules of the engine: which transitions, how much of each, where, and how they are placed."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from scenarios.spec.drivers import DriverName, name_driver
from scenarios.spec.expression import rate_in
from scenarios.spec.fields import Lengths, Names, Record

ModelName = Literal["additive", "logistic", "weights_of_evidence", "random_forest", "gradient_boosting"]


class TransitionRule(Record):
    """Which transitions are modelled."""

    minimum_hectares: float = Field(20.0, ge=0, description="observed change below this is left out, and reported")
    persistence_filter: bool = Field(
        False, description="whether cells that change and change back count as unchanged; needs three dates"
    )
    mixed_products: bool = Field(False, description="whether maps of different products may be compared")
    mixed_resolutions: bool = Field(
        False, description="whether maps whose cells differ in size by a factor of 3 or more may be compared"
    )


class ConversionRule(Record):
    """Which conversions can happen at all, how readily, and how soon again.

    The three settings of CLUE-S (Verburg et al. 2002, doi:10.1007/s00267-002-2630-x).
    """

    forbidden: dict[str, Names] = Field({}, description="by class: what it never turns into")
    elasticity: dict[str, Annotated[float, Field(ge=0, le=1)]] = Field(
        {}, description="by class: share of its exchange with other classes that is withheld, 0 easy to 1 hard"
    )
    residence_years: dict[str, Annotated[int, Field(ge=1, le=500)]] = Field(
        {}, description="by class: years that a cell stays in it before it may change again"
    )

    @model_validator(mode="after")
    def _forbids_changes(self) -> ConversionRule:
        for source, targets in self.forbidden.items():
            if source in targets:
                raise ValueError(f"forbids {source!r} to stay what it is; take it out of its own list")
        return self

    @property
    def classes(self) -> tuple[str, ...]:
        """Every class that it names, each once."""
        targets = [target for row in self.forbidden.values() for target in row]
        return tuple(dict.fromkeys([*self.forbidden, *targets, *self.elasticity, *self.residence_years]))

    def forbids(self, source: str, target: str) -> bool:
        """Whether a class never turns into another."""
        return target in self.forbidden.get(source, ())


class PotentialRule(Record):
    """Where a transition is likely."""

    model: ModelName = Field("additive", description="what learns where a transition is likely")
    drivers: tuple[DriverName, ...] = Field(
        (), description="layers of the landscape, and what is derived of them; empty: all that hold measurements"
    )
    neighbourhood_m: Lengths = Field(
        (100.0, 300.0, 1000.0), description="half widths of the square windows in which class shares count, in metres"
    )
    neighbourhood_years: int | None = Field(
        None,
        ge=1,
        description="years after which the shares are counted anew; by default as many as the observed intervals have",
    )
    momentum_m: Lengths = Field(
        (200.0,),
        description="half widths of the square windows in which recent change counts, in metres; used where it helps",
    )
    uncertainty: bool = Field(
        False, description="whether each member learns its own curves, from places drawn with replacement"
    )

    @model_validator(mode="after")
    def _names_each_driver_once(self) -> PotentialRule:
        names = [name_driver(driver) for driver in self.drivers]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"names the driver {', '.join(map(repr, twice))} twice; take one out, or give it a 'name'")
        return self


class DemandRule(Record):
    """How much changes.

    `markov` goes on at the observed annual rates, `trend` goes on with the trend of the areas, `table` reaches given
    areas, `expression` gives the rates of some transitions by year, `frozen` changes nothing but by plans.
    """

    rule: Literal["markov", "trend", "table", "expression", "frozen"] = "markov"
    uncertainty: bool = Field(True, description="whether each member draws its own rates")
    table: str | dict[str, tuple[int | float, ...]] | None = Field(
        None, description="for `table`: a CSV file, or its columns: year, and hectares by class"
    )
    rates: dict[str, str | float] = Field(
        {}, description="for `expression`: share of the class per year, by transition ('forest to built')"
    )
    zones: str | dict[str, dict[str, Any]] | None = Field(
        None, description="a layer of zones, or a GeoJSON file of polygons: each zone changes at rates of its own"
    )

    @model_validator(mode="after")
    def _has_what_its_rule_needs(self) -> DemandRule:
        if (self.rule == "table") != (self.table is not None):
            raise ValueError("'rule: table' needs a 'table'" if self.rule == "table" else "'table' needs 'rule: table'")
        if (self.rule == "expression") != bool(self.rates):
            raise ValueError(
                "'rule: expression' needs 'rates'" if self.rule == "expression" else "'rates' need 'rule: expression'"
            )
        if isinstance(self.table, dict):
            _check_table(self.table)
        return self

    def rates_in(self, year: int) -> dict[str, float]:
        """Return the rates that are given by expression, by transition ("forest to built")."""
        return {name: rate_in(str(text), year) for name, text in self.rates.items()}


def _check_table(table: dict[str, tuple[int | float, ...]]) -> None:
    years = table.get("year", ())
    if not years or any(year != int(year) for year in years) or list(years) != sorted(set(years)):
        raise ValueError(f"the table needs a column 'year' of rising whole years without repeats; found {list(years)}")
    for name, column in table.items():
        if len(column) != len(years):
            raise ValueError(f"the table has {len(years)} years, but {len(column)} values of {name!r}")
        if min(column) < 0:
            raise ValueError(f"the table has {min(column)} ha of {name!r}; areas are 0 or more")


class AllocationRule(Record):
    """How the demand is placed.

    `cells` lets each cell change on its own, `patches` lets patches grow that look like the observed ones.
    """

    rule: Literal["cells", "patches"] = "cells"
    temperature: float = Field(
        1.0, ge=0, le=4, description="spread of the members: 0 takes the likeliest cells, 1 draws by likelihood"
    )
