"""Landscapes that change by a process known to the last coefficient: what the engine should find out about them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.optimize import brentq
from scipy.special import expit

from scenarios.demand.transitions import History, Transition
from scenarios.grid import Grid
from tests.scenarios.landscapes import LEGEND, Map, projected_grid
from tests.scenarios.plain import count_plainly

RADIUS_CELLS = 3
_HILL_CELLS, _PATCH_CELLS = 8.0, 2.5

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Law:
    """How cells of one class turn into another.

    Parameters
    ----------
    transition : from what into what
    rate : mean chance of the class's cells in the first year
    curves : log odds by the value of a driver, by name of the driver
    neighbours : log odds that a window of `RADIUS_CELLS` full of the target class adds to one without any
    """

    transition: Transition
    rate: float
    curves: Mapping[str, Callable[[Floats], Floats]] = field(default_factory=dict)
    neighbours: float = 0.0


@dataclass(frozen=True, eq=False)
class KnownLandscape:
    """What a process has made, and what it did to each transition.

    Parameters
    ----------
    grid : of cells of one hectare
    history : land cover by year
    drivers : (y, x) float32 by name, each spread evenly from 0 to 1; those of the laws and idle ones
    laws : the process
    intercepts : of the laws, log odds
    chance : for each transition, the sum over years and cells of the class of the yearly chance to make it
    exposure : for each transition, the number of cells of the class, added up over the years
    moved_twice : share of the changed cells that changed more than once
    """

    grid: Grid
    history: History
    drivers: Mapping[str, NDArray[np.float32]]
    laws: Sequence[Law]
    intercepts: Sequence[float]
    chance: Mapping[Transition, float]
    exposure: Mapping[Transition, float]
    moved_twice: float

    def rate(self, transition: Transition) -> float:
        """Return the mean yearly chance of a transition that the process gave to the cells of its class."""
        return self.chance[transition] / self.exposure[transition]


def make_landscape(
    laws: Sequence[Law],
    *,
    years: Sequence[int],
    idle: Sequence[str] = (),
    shape: tuple[int, int] = (300, 300),
    seed: int,
) -> KnownLandscape:
    """Let a landscape change, year by year and cell by cell, and keep the maps of some years.

    Parameters
    ----------
    laws : what changes; all see the state at the beginning of the year
    years : those that are kept, rising
    idle : names of drivers without any effect
    shape, seed : of the landscape
    """
    rng = np.random.default_rng(seed)
    names = sorted({name for law in laws for name in law.curves} | {*idle})
    drivers = {name: _spread_evenly(rng, shape, _HILL_CELLS) for name in names}
    cover = _first_cover(rng, shape)
    walk = _Process(laws, drivers, cover, rng)
    history = {years[0]: cover.copy()}
    for year in range(years[0] + 1, years[-1] + 1):
        walk.step()
        if year in years:
            history[year] = walk.cover.copy()
    return KnownLandscape(
        grid=projected_grid(shape),
        history=history,
        drivers={name: values.astype(np.float32) for name, values in drivers.items()},
        laws=tuple(laws),
        intercepts=walk.intercepts,
        chance=walk.chance,
        exposure=walk.exposure,
        moved_twice=float((walk.moves > 1).sum() / max(1, (walk.moves > 0).sum())),
    )


def _spread_evenly(rng: np.random.Generator, shape: tuple[int, int], smooth_cells: float) -> Floats:
    """Return a smooth field whose values are spread evenly from 0 to 1."""
    field = gaussian_filter(rng.normal(size=shape), smooth_cells, mode="wrap")
    rank = np.empty(field.size)
    rank[np.argsort(field, axis=None)] = (np.arange(field.size) + 0.5) / field.size
    return rank.reshape(shape)


def _first_cover(rng: np.random.Generator, shape: tuple[int, int]) -> Map:
    """Return patches of all classes: half forest, a fifth built, the rest other land."""
    return np.asarray(LEGEND.values, np.uint8)[np.digitize(_spread_evenly(rng, shape, _PATCH_CELLS), [0.5, 0.7])]


class _Process:
    """The state of a landscape, and what has happened to it."""

    def __init__(
        self, laws: Sequence[Law], drivers: Mapping[str, Floats], cover: Map, rng: np.random.Generator
    ) -> None:
        self.laws, self.cover, self.rng = laws, cover.copy(), rng
        self.leanings = [
            sum((curve(drivers[name]) for name, curve in law.curves.items()), np.zeros(cover.shape)) for law in laws
        ]
        self.intercepts = [self._intercept(law, leaning) for law, leaning in zip(laws, self.leanings, strict=True)]
        self.chance = {law.transition: 0.0 for law in laws}
        self.exposure = {law.transition: 0.0 for law in laws}
        self.moves = np.zeros(cover.shape, np.int64)

    def step(self) -> None:
        """Go on by a year: one draw a cell decides between all that can happen to it."""
        luck = self.rng.random(self.cover.shape)
        taken, following = np.zeros(self.cover.shape), self.cover.copy()
        for law, leaning, intercept in zip(self.laws, self.leanings, self.intercepts, strict=True):
            here = self.cover == law.transition.source
            chance = np.where(here, expit(intercept + leaning + self._around(law)), 0.0)
            following[here & (luck >= taken) & (luck < taken + chance)] = law.transition.target
            taken += chance
            self.chance[law.transition] += float(chance.sum())
            self.exposure[law.transition] += float(here.sum())
        self.moves += following != self.cover
        self.cover = following

    def _around(self, law: Law) -> Floats | float:
        return law.neighbours * share_around(self.cover, law.transition.target) if law.neighbours else 0.0

    def _intercept(self, law: Law, leaning: Floats) -> float:
        """Return the intercept that gives the law's rate in the first year."""
        here = self.cover == law.transition.source
        odds = (leaning + self._around(law))[here]
        return float(brentq(lambda a: expit(a + odds).mean() - law.rate, -40, 40))


def share_around(land_cover: Map, value: int, radius: int = RADIUS_CELLS) -> Floats:
    """Return the share of a class among the cells of the window around each cell."""
    return count_plainly(land_cover, value, radius) / count_plainly(land_cover, -1, radius)
