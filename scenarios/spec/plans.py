"""The plans of a partnership: what they do, where, from which year to which, and at what cost."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import Discriminator, Field, Tag, model_validator

from scenarios.spec.drivers import DriverName, name_driver
from scenarios.spec.fields import Record, Slug, Year


class Protect(Record):
    """Bar transitions out of classes inside a place."""

    where: str | dict[str, Any]
    classes: tuple[str, ...] = Field(min_length=1)
    effectiveness: float = Field(1.0, ge=0, le=1, description="share of the place that is really kept")
    leakage: float = Field(1.0, ge=0, le=1, description="share of the barred change that moves elsewhere")


class Convert(Record):
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


class Target(Record):
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


CONSTANT, RAMP = "a constant", "a ramp"


def _kind_of_factor(value: Any) -> str:
    return RAMP if isinstance(value, list | tuple) else CONSTANT


_Factor = Annotated[float, Field(ge=0, le=100)]


class ChangeRate(Record):
    """Multiply the rate of one transition, everywhere or inside a place."""

    from_: str = Field(alias="from")
    to: str
    factor: Annotated[
        Annotated[_Factor, Tag(CONSTANT)] | Annotated[tuple[_Factor, _Factor], Tag(RAMP)],
        Discriminator(_kind_of_factor),
    ] = Field(description="a constant, or its values in the first and in the last year")
    where: str | dict[str, Any] | None = None

    @model_validator(mode="after")
    def _is_a_change(self) -> ChangeRate:
        if self.to == self.from_:
            raise ValueError(f"turns {self.to!r} into itself; name two classes")
        return self


class ReplaceDriver(Record):
    """Put another layer in the place of a driver, such as the roads of a later year."""

    driver: str = Field(min_length=1, description="what it is called in the curves")
    layer: DriverName

    @property
    def layer_name(self) -> str:
        """What takes the driver's place."""
        return name_driver(self.layer)


class Cost(Record):
    """What an intervention costs."""

    currency: str = Field(pattern="^[A-Z]{3}$")
    per_hectare: float = Field(0.0, ge=0)
    per_year: float = Field(0.0, ge=0)


_ACTIONS = ("protect", "restore", "convert", "change_rate", "target", "replace_driver")


class Intervention(Record):
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
        action = self.protect or self.conversion or self.target or self.change_rate
        return action.where if action is not None else None

    @property
    def layers(self) -> tuple[str, ...]:
        """Drivers of the landscape that it names."""
        if self.replace_driver is not None:
            return self.replace_driver.driver, self.replace_driver.layer_name
        return (self.conversion.priority,) if self.conversion and self.conversion.priority else ()

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """What it turns into what, by class; a changed rate turns nothing by itself."""
        if self.target is not None:
            return tuple((source, self.target.class_) for source in self.target.from_)
        return tuple((source, self.conversion.to) for source in self.conversion.from_) if self.conversion else ()

    @property
    def conversion(self) -> Convert | None:
        """What it turns so many hectares a year into, if it does."""
        return self.restore or self.convert
