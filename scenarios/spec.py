"""The scenario: what is projected, from when, for how long, by which rules and with which plans.

Every model here is frozen and validated at construction; YAML and JSON are read and written without loss, and
`Scenario.model_json_schema()` is the published schema.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    WithJsonSchema,
    model_validator,
)

from scenarios.errors import ScenarioInvalid, ScenarioNotFound
from scenarios.expression import rate_in
from scenarios.inheritance import Lineage, read_lineage

Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
Year = Annotated[int, Field(ge=1000, le=3000)]


def _in_english(value: Any) -> Any:
    return {"en": value} if isinstance(value, str) else value


def _as_list(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else [value]


_Words = Annotated[
    dict[str, str],
    BeforeValidator(_in_english),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "object", "additionalProperties": {"type": "string"}}]}),
]
Text = Annotated[_Words, Field(min_length=1)]
"""One text in several languages: ``{en: ..., es: ...}``; a plain string is English."""


_LENGTH = {"type": "number", "exclusiveMinimum": 0}


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, populate_by_name=True)


class TransitionRule(_Model):
    """Which transitions are modelled."""

    minimum_hectares: float = Field(20.0, ge=0, description="observed change below this is left out, and reported")
    persistence_filter: bool = Field(
        False, description="whether cells that change and change back count as unchanged; needs three dates"
    )


class PotentialRule(_Model):
    """Where a transition is likely."""

    model: Literal["additive"] = "additive"
    drivers: tuple[str, ...] = Field((), description="layer names of the landscape; empty: all continuous drivers")
    neighbourhood_m: Annotated[
        tuple[Annotated[float, Field(gt=0)], ...],
        BeforeValidator(_as_list),
        WithJsonSchema({"anyOf": [_LENGTH, {"type": "array", "items": _LENGTH}]}),
    ] = Field(
        (100.0, 300.0, 1000.0), description="half widths of the square windows in which class shares count, in metres"
    )
    momentum_m: Annotated[
        tuple[Annotated[float, Field(gt=0)], ...],
        BeforeValidator(_as_list),
        WithJsonSchema({"anyOf": [_LENGTH, {"type": "array", "items": _LENGTH}]}),
    ] = Field(
        (),
        description="half widths of the square windows in which recent change counts, in metres; used where it helps",
    )


class DemandRule(_Model):
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


class AllocationRule(_Model):
    """How the demand is placed."""

    rule: Literal["cells"] = "cells"
    temperature: float = Field(
        1.0, ge=0, le=4, description="spread of the members: 0 takes the likeliest cells, 1 draws by likelihood"
    )


class Protect(_Model):
    """Bar transitions out of classes inside a place."""

    where: str | dict[str, Any]
    classes: tuple[str, ...] = Field(min_length=1)
    effectiveness: float = Field(1.0, ge=0, le=1, description="share of the place that is really kept")
    leakage: float = Field(1.0, ge=0, le=1, description="share of the barred change that moves elsewhere")


class Convert(_Model):
    """Turn so many hectares a year into another class, inside a place or in the best places."""

    where: str | dict[str, Any] | None = None
    priority: str | None = Field(None, min_length=1, description="a driver: its highest values come first")
    from_: tuple[str, ...] = Field(alias="from", min_length=1)
    to: str
    hectares_per_year: float = Field(gt=0)

    @model_validator(mode="after")
    def _is_a_change(self) -> Self:
        if self.to in self.from_:
            raise ValueError(f"turns {self.to!r} into itself; take it out of 'from'")
        if self.where is None and self.priority is None:
            raise ValueError("says not in which places; add where, priority, or both")
        return self


class Restore(Convert):
    """Turn land back into what it was: the same as `convert`, under the name that people use for it."""


class Target(_Model):
    """Reach an area of a class by the last year."""

    class_: str = Field(alias="class")
    hectares: float = Field(gt=0)
    from_: tuple[str, ...] = Field(alias="from", min_length=1)
    where: str | dict[str, Any] | None = None

    @model_validator(mode="after")
    def _is_a_change(self) -> Target:
        if self.class_ in self.from_:
            raise ValueError(f"turns {self.class_!r} into itself; take it out of 'from'")
        return self


_CONSTANT, _RAMP = "a constant", "a ramp"


def _kind_of_factor(value: Any) -> str:
    return _RAMP if isinstance(value, list | tuple) else _CONSTANT


_Factor = Annotated[float, Field(ge=0, le=100)]


class ChangeRate(_Model):
    """Multiply the rate of one transition."""

    from_: str = Field(alias="from")
    to: str
    factor: Annotated[
        Annotated[_Factor, Tag(_CONSTANT)] | Annotated[tuple[_Factor, _Factor], Tag(_RAMP)],
        Discriminator(_kind_of_factor),
    ] = Field(description="a constant, or its values in the first and in the last year")

    @model_validator(mode="after")
    def _is_a_change(self) -> ChangeRate:
        if self.to == self.from_:
            raise ValueError(f"turns {self.to!r} into itself; name two classes")
        return self


class ReplaceDriver(_Model):
    """Put another layer in the place of a driver, such as the roads of a later year."""

    driver: str = Field(min_length=1)
    layer: str = Field(min_length=1)


class Cost(_Model):
    """What an intervention costs."""

    currency: str = Field(pattern="^[A-Z]{3}$")
    per_hectare: float = Field(0.0, ge=0)
    per_year: float = Field(0.0, ge=0)


_ACTIONS = ("protect", "restore", "convert", "change_rate", "target", "replace_driver")


class Intervention(_Model):
    """One plan of the partnership: what, where, and from which year to which (both included)."""

    id: Slug
    years: tuple[Year, Year]
    protect: Protect | None = None
    restore: Restore | None = None
    convert: Convert | None = None
    change_rate: ChangeRate | None = None
    target: Target | None = None
    replace_driver: ReplaceDriver | None = None
    cost: Cost | None = None

    @model_validator(mode="after")
    def _is_one_action(self) -> Intervention:
        actions = [name for name in _ACTIONS if getattr(self, name) is not None]
        if len(actions) != 1:
            found = " and ".join(actions) or "none"
            raise ValueError(f"needs exactly one of {', '.join(_ACTIONS)}; found {found}")
        if self.years[0] > self.years[1]:
            raise ValueError(f"years run backwards: {self.years[0]} to {self.years[1]}; put the earlier year first")
        if self.change_rate and isinstance(self.change_rate.factor, tuple) and self.years[0] == self.years[1]:
            raise ValueError("a ramp needs two years or more; give one factor, or a later last year")
        return self

    def acts_in(self, year: int) -> bool:
        """Whether the intervention is in force in a year."""
        return self.years[0] <= year <= self.years[1]

    @property
    def place(self) -> str | dict[str, Any] | None:
        """Where it acts; None where it acts everywhere."""
        action = self.protect or self.conversion or self.target
        return action.where if action is not None else None

    @property
    def layers(self) -> tuple[str, ...]:
        """Drivers of the landscape that it names."""
        if self.replace_driver is not None:
            return self.replace_driver.driver, self.replace_driver.layer
        return (self.conversion.priority,) if self.conversion and self.conversion.priority else ()

    @property
    def conversion(self) -> Convert | None:
        """What it turns so many hectares a year into, if it does."""
        return self.restore or self.convert


class Scenario(_Model):
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
    storyline: _Words = Field(default_factory=dict)
    landscape: Slug
    start: Year
    years: int = Field(20, ge=1, le=200)
    history: tuple[Year, ...] = Field(min_length=2)
    transitions: TransitionRule = TransitionRule()
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
        return self

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
        return yaml.safe_dump(document, sort_keys=False, allow_unicode=True)


def load_scenario(path: str | Path) -> Scenario:
    """Read a scenario from a YAML file, and from the files that it extends.

    A place (``where``) that names a GeoJSON file, relative to the scenario's, is replaced by its geometry, and a demand
    ``table`` that names a CSV file by its columns, so that the scenario is whole without these files.

    Raises
    ------
    ScenarioNotFound
        The file, one that it extends, or a place or table that it names, is missing.
    ScenarioInvalid
        Not YAML, or a field is wrong; every wrong field is named with its line. Or files extend each other in a circle.
    """
    lineage = read_lineage(Path(path))
    for file in lineage.files:
        _inline_places(file.document, file.path.parent)
        _inline_table(file.document, file.path.parent)
    try:
        return Scenario.model_validate(lineage.document)
    except ValidationError as error:
        raise ScenarioInvalid(f"{path} has errors:\n" + _explain(error, lineage)) from error


def _inline_places(document: dict[str, Any], folder: Path) -> None:
    plans = document.get("interventions")
    for plan in plans if isinstance(plans, list) else ():
        for action in plan.values() if isinstance(plan, dict) else ():
            if isinstance(action, dict) and isinstance(action.get("where"), str):
                action["where"] = _read_place(folder / action["where"])


def _read_place(path: Path) -> dict[str, Any]:
    """Read the polygons of a GeoJSON file as one geometry in WGS 84."""
    import geopandas

    if not path.is_file():
        raise ScenarioNotFound(
            f"The scenario names the place {path}, which does not exist. Paths are relative to the scenario."
        )
    try:
        places = geopandas.read_file(path)
    except Exception as error:  # pyogrio and fiona raise different errors for the same broken file
        raise ScenarioInvalid(f"{path} cannot be read as GeoJSON: {error}") from error
    polygons = places[places.geom_type.isin(["Polygon", "MultiPolygon"])]
    if polygons.empty:
        raise ScenarioInvalid(
            f"{path} has no polygon (found {sorted(set(places.geom_type)) or 'nothing'}); draw the place as one."
        )
    geometry = polygons.to_crs("EPSG:4326").make_valid().union_all()
    return dict(json.loads(json.dumps(geometry.__geo_interface__)))


def _inline_table(document: dict[str, Any], folder: Path) -> None:
    demand = document.get("demand")
    if isinstance(demand, dict) and isinstance(demand.get("table"), str):
        demand["table"] = _read_table(folder / demand["table"])


def _read_table(path: Path) -> dict[str, list[float]]:
    """Read the columns of a CSV file of numbers."""
    if not path.is_file():
        raise ScenarioNotFound(
            f"The scenario names the table {path}, which does not exist. Paths are relative to the scenario."
        )
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            header, *rows = [row for row in csv.reader(file) if any(cell.strip() for cell in row)]
    except (ValueError, csv.Error) as error:  # a file without a line, or not in UTF-8
        raise ScenarioInvalid(f"{path} cannot be read as CSV with a line of names: {error}") from error
    names = [name.strip() for name in header]
    if len(set(names)) < len(names):
        raise ScenarioInvalid(f"{path} has two columns of one name; found {', '.join(names)}")
    for number, row in enumerate(rows, start=2):
        if len(row) != len(names):
            raise ScenarioInvalid(f"{path}, row {number}: {len(row)} values for {len(names)} columns")
    return {name: [_read_number(row[n], f"{path}, column {name!r}") for row in rows] for n, name in enumerate(names)}


def _read_number(text: str, where: str) -> float:
    try:
        number = float(text)
    except ValueError as error:
        raise ScenarioInvalid(f"{where}: {text!r} is not a number; write hectares as 1234.5") from error
    return int(number) if number.is_integer() else number


def _explain(error: ValidationError, lineage: Lineage) -> str:
    """Return one line per wrong field: where it is, what is wrong, what was found."""
    lines = []
    for fault in error.errors():
        file, where = lineage.locate([part for part in fault["loc"] if part not in (_CONSTANT, _RAMP)])
        name = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in where).lstrip(".")
        found = "" if fault["type"] == "missing" or isinstance(fault["input"], dict) else f", found {fault['input']!r}"
        advice = _ADVICE.get(fault["type"], "")
        message = fault["msg"].removeprefix("Value error, ")
        place = "" if file is lineage.files[0] else f" of {file.path.name}"
        lines.append(f"line {file.line_of(where)}{place}, {name or 'scenario'}: {message}{found}{advice}")
    return "\n".join(lines)


_ADVICE = {
    "missing": " (add the field)",
    "extra_forbidden": " (no such field: check its spelling, or take it out)",
    "string_pattern_mismatch": " (use small letters, digits, - and _)",
}
