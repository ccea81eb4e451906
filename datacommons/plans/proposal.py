"""What a visitor proposes, and the scenario that it makes of another."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal

import numpy as np
import shapely
from numpy.typing import NDArray
from pydantic import Field, StringConstraints, ValidationError
from shapely.validation import explain_validity

from catalog.legend import Legend
from datacommons.plans.errors import PlanInvalid, PlanTooLarge
from scenarios.grid import Grid
from scenarios.spec import Intervention, Scenario
from scenarios.spec.fields import Record, Year
from tiles.errors import TileError
from tiles.routes.body import check_polygon

MOST_INTERVENTIONS: Final = 10
MOST_VERTICES: Final = 5_000
MOST_MEMBERS: Final = 20
PLAN: Final = "plan"
"""Id of the scenario that a plan makes."""

Hectares = Annotated[float, Field(gt=0, le=1e9)]
ClassName = Annotated[str, Field(min_length=1, max_length=100)]


class Wish(Record):
    """One thing that is to be done, in a place and in some years."""

    kind: Literal["protect", "restore", "convert"]
    where: dict[str, Any] = Field(description="GeoJSON Polygon or MultiPolygon, in longitude and latitude")
    from_: Year | None = Field(None, alias="from", description="first year; the first that is projected if left out")
    until: Year | None = Field(None, description="last year; the last that is projected if left out")
    classes: tuple[ClassName, ...] | None = Field(
        None,
        min_length=1,
        max_length=100,
        description="what is kept (all if left out), or what is restored or converted",
    )
    to: ClassName | None = Field(None, description="the class that it becomes; not with protect")
    hectares: Hectares | None = Field(None, description="in all; not with protect")
    hectares_per_year: Hectares | None = Field(None, description="instead of hectares")


class Proposal(Record):
    """A plan, as a visitor sends it."""

    title: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
    base: str | None = Field(None, max_length=200, description="the run whose scenario it changes")
    interventions: tuple[Wish, ...] = Field(min_length=1, max_length=MOST_INTERVENTIONS)
    members: int = Field(0, ge=0, le=MOST_MEMBERS, description="how many members are drawn after the best map")


def read_proposal(document: Any) -> Proposal:
    """Check what a visitor sends.

    Raises
    ------
    PlanInvalid
        Names the fields that are wrong.
    PlanTooLarge
        The polygons have too many vertices.
    """
    try:
        proposal = Proposal.model_validate(document)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'body'}: {e['msg']}" for e in error.errors()[:5])
        raise PlanInvalid(f"The plan cannot be read: {faults}.") from None
    vertices = 0
    for number, wish in enumerate(proposal.interventions, start=1):
        vertices += int(shapely.get_num_coordinates(_read_place(wish, number)))
    if vertices > MOST_VERTICES:
        raise PlanTooLarge(f"The polygons have {vertices:,} vertices; {MOST_VERTICES:,} are the most. Simplify them.")
    return proposal


def _read_place(wish: Wish, number: int) -> Any:
    try:
        place = shapely.geometry.shape(check_polygon(wish.where))
    except TileError as error:
        raise PlanInvalid(f"The place of intervention {number} cannot be used. {error}") from None
    if not place.is_valid:
        raise PlanInvalid(
            f"The polygon of intervention {number} crosses or touches itself ({explain_validity(place)}, longitude and "
            "latitude). Draw it so that its line does not."
        )
    return place


def make_scenario(proposal: Proposal, base: Scenario, legend: Legend) -> Scenario:
    """Return the base's scenario with what is proposed.

    Raises
    ------
    PlanInvalid, ScenarioInvalid
        A class is unknown, a year is outside, or it asks for what the scenario's rules forbid.
    """
    document = json.loads(base.model_dump_json(by_alias=True, exclude_none=True))
    taken = {plan.id for plan in base.interventions}
    for number, wish in enumerate(proposal.interventions, start=1):
        name = next(each for each in _names(wish.kind, number) if each not in taken)
        taken.add(name)
        document.setdefault("interventions", []).append(_make_intervention(wish, number, name, base, legend))
    members = {"members": proposal.members} if proposal.members else {}
    own = {"id": PLAN, "parent": base.id, "title": {"en": proposal.title}, "storyline": {}}
    try:
        return Scenario.model_validate({**document, **own, **members})
    except ValidationError as error:
        raise PlanInvalid(f"The plan does not fit the scenario {base.id!r}: {error.errors()[0]['msg']}.") from None


def _names(kind: str, number: int) -> list[str]:
    return [f"{kind}-{number}", *(f"{kind}-{number}-{again}" for again in range(2, 1000))]


def _make_intervention(wish: Wish, number: int, name: str, base: Scenario, legend: Legend) -> dict[str, Any]:
    first, last = wish.from_ or base.start + 1, wish.until or base.end
    if not base.start < first <= last <= base.end:
        raise PlanInvalid(
            f"Intervention {number} goes from {first} to {last}; the projected years are {base.start + 1} to "
            f"{base.end}, and the first comes before the last."
        )
    if wish.kind != "protect" and (wish.to is None or wish.classes is None):
        raise PlanInvalid(
            f"Intervention {number}, to {wish.kind}, needs 'classes', what is there now, and 'to', what it becomes."
        )
    classes = _choose_classes(wish, number, legend)
    document: dict[str, Any] = {"id": name, "years": [first, last]}
    if wish.kind == "protect":
        if wish.to is not None or wish.hectares is not None or wish.hectares_per_year is not None:
            raise PlanInvalid(f"Intervention {number} protects: it has neither 'to' nor hectares. Take them out.")
        return {**document, "protect": {"where": check_polygon(wish.where), "classes": list(classes)}}
    yearly = _find_yearly(wish, number, last - first + 1)
    action = {"where": check_polygon(wish.where), "from": list(classes), "to": wish.to, "hectares_per_year": yearly}
    return {**document, wish.kind: action}


def _choose_classes(wish: Wish, number: int, legend: Legend) -> tuple[str, ...]:
    named = tuple(dict.fromkeys(wish.classes or legend.names))
    for name in (*named, *([wish.to] if wish.to is not None else [])):
        if name not in legend.names:
            raise PlanInvalid(
                f"Intervention {number} names the class {name!r}, which is not there. The classes are: "
                f"{', '.join(legend.names)}."
            )
    if wish.to in named and wish.kind != "protect":
        raise PlanInvalid(f"Intervention {number} turns {wish.to!r} into itself. Take it out of 'classes'.")
    return named


def _find_yearly(wish: Wish, number: int, years: int) -> float:
    if (wish.hectares is None) == (wish.hectares_per_year is None):
        raise PlanInvalid(f"Intervention {number} needs either 'hectares' or 'hectares_per_year'. Give one of them.")
    return wish.hectares_per_year if wish.hectares_per_year is not None else (wish.hectares or 0.0) / years


def check_room(
    own: Sequence[Intervention], scenario: Scenario, legend: Legend, grid: Grid, start: NDArray[np.uint8]
) -> None:
    """Refuse to ask for more hectares than a place has at the start.

    Parameters
    ----------
    own : what is proposed
    scenario : of `make_scenario`
    legend, grid : of the landscape
    start : (y, x) uint8

    Raises
    ------
    PlanInvalid
        Says what there is; or a place holds no cell of the landscape.
    """
    for number, plan in enumerate(own, start=1):
        assert isinstance(plan.place, dict)
        inside = grid.rasterize(plan.place)
        if not start[inside].any():
            raise PlanInvalid(
                f"The place of intervention {number} lies outside of {scenario.landscape!r}, or is smaller than a cell "
                f"of {grid.cell_size_m:.0f} m. Draw it inside, and larger."
            )
        action = plan.conversion
        if action is None:
            continue
        values = tuple(legend.value_of(name) for name in action.from_)
        there = float(grid.weigh(np.where(inside, start, 0).astype(np.uint8), values).sum() * grid.weight_ha)
        asked = action.hectares_per_year * (plan.years[1] - plan.years[0] + 1)
        if asked > there * (1 + 1e-9):
            raise PlanInvalid(
                f"Intervention {number} asks for {asked:,.1f} ha, and its place had {there:,.1f} ha of "
                f"{' and '.join(action.from_)} in {scenario.start}. Ask for no more than that, draw a larger place, or "
                "name more classes."
            )
