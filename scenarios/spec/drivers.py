"""Drivers that are computed: from a class, a place or a layer, or from the history."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import Discriminator, Field, Tag, model_validator

from scenarios.spec.fields import Record

TIME_SINCE_CHANGE = "time_since_change"
POSITION_RADIUS_M = 300.0

LAYER, DERIVED = "a layer", "a derived driver"
_KINDS = (
    "distance_to",
    "slope_of",
    "northness_of",
    "eastness_of",
    "position_of",
    "roughness_of",
    "wetness_of",
    "categories_of",
)
_UNITS = {"distance_to": "m", "slope_of": "degree", "position_of": "m", "roughness_of": "m"}
_Name = Annotated[str, Field(min_length=1)]


class DerivedDriver(Record):
    """A driver that is computed from something else: exactly one of its fields says from what."""

    distance_to: _Name | dict[str, Any] | None = Field(None, description="a class, or a file of lines, points or areas")
    slope_of: _Name | None = None
    northness_of: _Name | None = None
    eastness_of: _Name | None = None
    position_of: _Name | None = None
    roughness_of: _Name | None = None
    wetness_of: _Name | None = None
    categories_of: _Name | None = None
    radius_m: float | None = Field(None, gt=0, description="for `position_of`: half width of the window")
    name: _Name | None = Field(None, max_length=100, description="what it is called; by default, what it is")

    @model_validator(mode="after")
    def _is_one_driver(self) -> Self:
        kinds = [kind for kind in _KINDS if getattr(self, kind) is not None]
        if len(kinds) != 1:
            raise ValueError(f"needs exactly one of {', '.join(_KINDS)}; found {' and '.join(kinds) or 'none'}")
        if self.radius_m is not None and self.position_of is None:
            raise ValueError(f"'radius_m' is for 'position_of' only; take it out, for {kinds[0]!r} has no window")
        if isinstance(self.distance_to, dict) and self.name is None:
            raise ValueError("a distance to a geometry needs a 'name', such as 'distance to roads'")
        return self

    @property
    def kind(self) -> str:
        """Which of its fields says what it is."""
        return next(kind for kind in _KINDS if getattr(self, kind) is not None)

    @property
    def title(self) -> str:
        """What the driver is called in curves, reports and `replace_driver`."""
        if self.name is not None:
            return self.name
        if self.categories_of is not None:
            return self.categories_of
        within = f" within {self.radius:g} m" if self.position_of is not None else ""
        return f"{self.kind.replace('_', ' ')} {getattr(self, self.kind)}{within}"

    @property
    def radius(self) -> float:
        """Half width of the window of `position_of`, in metres."""
        return POSITION_RADIUS_M if self.radius_m is None else self.radius_m

    @property
    def layer(self) -> str | None:
        """The layer that it is computed from, if it is from one."""
        return None if self.distance_to is not None else str(getattr(self, self.kind))

    @property
    def unit(self) -> str:
        """Its unit; empty where it has none."""
        return _UNITS.get(self.kind, "")


def name_driver(driver: str | DerivedDriver) -> str:
    """Return what a driver is called in curves, reports and `replace_driver`."""
    return driver if isinstance(driver, str) else driver.title


def _kind_of_driver(value: Any) -> str:
    return DERIVED if isinstance(value, dict | DerivedDriver) else LAYER


DriverName = Annotated[
    Annotated[_Name, Tag(LAYER)] | Annotated[DerivedDriver, Tag(DERIVED)], Discriminator(_kind_of_driver)
]
"""A layer by its name, or a driver that is computed."""
