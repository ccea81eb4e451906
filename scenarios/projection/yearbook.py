"""The book of a year: what is decided in it before the map changes, and what is told of it when it is over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from scenarios.allocation.allocator import Placement
from scenarios.demand.transitions import Transition


@dataclass(frozen=True)
class Shortfall:
    """Demand that could not be placed.

    Parameters
    ----------
    year : calendar year
    source, target : legend values
    hectares : how much
    cause : why
    zone : in which zone; empty where the demand has none
    """

    year: int
    source: int
    target: int
    hectares: float
    cause: str
    zone: str = ""


@dataclass(frozen=True, eq=False)
class Changes:
    """The cells that change in one year.

    Parameters
    ----------
    cells : (n,) int64, flat indices, rising
    before, after : (n,) uint8, legend values; they differ
    """

    cells: NDArray[np.int64]
    before: NDArray[np.uint8]
    after: NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Year:
    """The landscape at the end of one year.

    Parameters
    ----------
    year : calendar year
    land_cover : (y, x) uint8, a view on the running state: copy it to keep it
    area_ha : (class,) float64, hectares of each class, in legend order
    placed_ha : hectares by (source, target)
    shortfalls : what could not be placed
    zone_area_ha : (zone, class) float64, the same hectares by zone
    changes : what differs from the year before
    """

    year: int
    land_cover: NDArray[np.uint8]
    area_ha: NDArray[np.float64]
    placed_ha: Mapping[tuple[int, int], float]
    shortfalls: tuple[Shortfall, ...]
    zone_area_ha: NDArray[np.float64]
    changes: Changes


@dataclass
class Book:
    """What is decided in one year, before it is applied."""

    year: int
    settled: NDArray[np.uint8]  # (y, x) 1 where a cell has changed this year
    weight_ha: float
    cells: list[NDArray[np.int64]] = field(default_factory=list)
    sources: list[NDArray[np.uint8]] = field(default_factory=list)
    targets: list[NDArray[np.uint8]] = field(default_factory=list)
    placed_ha: dict[tuple[int, int], float] = field(default_factory=dict)
    shortfalls: list[Shortfall] = field(default_factory=list)

    def enter(self, transitions: Sequence[Transition], result: Placement) -> None:
        """Note which cells change, and how much was placed."""
        targets = np.array([t.target for t in transitions], np.uint8)
        self.cells.append(result.cells)
        self.sources.append(np.full(result.cells.size, transitions[0].source, np.uint8))
        self.targets.append(targets[result.choice])
        self.settled.ravel()[result.cells] = 1
        for transition, placed in zip(transitions, result.placed, strict=True):
            pair = (transition.source, transition.target)
            self.placed_ha[pair] = self.placed_ha.get(pair, 0.0) + int(placed) * self.weight_ha

    def list_changes(self) -> Changes:
        """Return all cells that are to change, in the order of the map."""
        if not self.cells:
            return Changes(np.empty(0, np.int64), np.empty(0, np.uint8), np.empty(0, np.uint8))
        cells = np.concatenate(self.cells)
        order = np.argsort(cells, kind="stable")  # a few rising runs
        return Changes(cells[order], np.concatenate(self.sources)[order], np.concatenate(self.targets)[order])

    def gain(self, value: int) -> float:
        """Return how much a class has gained so far this year, less what it has lost, in units of the weights."""
        won = sum(
            ha if target == value else -ha if source == value else 0.0
            for (source, target), ha in self.placed_ha.items()
        )
        return won / self.weight_ha

    def fall_short(self, transition: Transition, amount: int, cause: str, zone: str = "") -> None:
        """Note demand that could not be placed."""
        hectares = amount * self.weight_ha
        self.shortfalls.append(Shortfall(self.year, transition.source, transition.target, hectares, cause, zone))
