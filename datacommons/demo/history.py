"""The known process by which the land cover changes from year to year."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datacommons.demo.legend import BUILT, CROPLAND, FOREST, GRASSLAND, WETLAND, name_of
from datacommons.demo.texture import FloatGrid, IndexGrid, count_around, draw_parcels
from scenarios.cluster import Workers

RADIUS_CELLS = 3
_WINDOW_CELLS = (2 * RADIUS_CELLS + 1) ** 2
_FIELD_CELLS, _PLOT_CELLS = 45.0, 9.0

Cover = NDArray[np.uint8]


@dataclass(frozen=True)
class Change:
    """How one class turns into another.

    Parameters
    ----------
    source, target : int
        Legend values.
    annual_rate : float
        Share of the source class that changes in the first year.
    drivers : mapping of str to float
        Change of the log-odds for each unit of a driver (degree, metre).
    neighbourhood : float
        Change of the log-odds from no to nothing but the target class in the window around the cell.
    parcel_cells : float
        Mean size of the parcels that are decided on together, in cells.
    """

    source: int
    target: int
    annual_rate: float
    drivers: Mapping[str, float]
    neighbourhood: float
    parcel_cells: float = _FIELD_CELLS


CHANGES = (
    Change(
        FOREST,
        CROPLAND,
        0.0045,
        {"slope": -0.18, "distance_to_road": -0.0005, "distance_to_settlement": -0.0003, "elevation": -0.0008},
        6.5,
    ),
    Change(FOREST, GRASSLAND, 0.0036, {"slope": -0.06, "distance_to_road": -0.0005, "elevation": 0.0006}, 6.0),
    Change(GRASSLAND, FOREST, 0.0065, {"slope": 0.06, "distance_to_settlement": 0.0004, "elevation": -0.0015}, 6.0),
    Change(
        GRASSLAND,
        BUILT,
        0.0012,
        {"slope": -0.12, "distance_to_road": -0.0020, "distance_to_settlement": -0.0007},
        9.5,
        _PLOT_CELLS,
    ),
    Change(CROPLAND, GRASSLAND, 0.0045, {"slope": 0.18, "distance_to_settlement": 0.0004}, 6.0),
    Change(
        CROPLAND,
        BUILT,
        0.0025,
        {"slope": -0.10, "distance_to_road": -0.0020, "distance_to_settlement": -0.0007},
        9.5,
        _PLOT_CELLS,
    ),
    Change(WETLAND, CROPLAND, 0.0080, {"distance_to_river": 0.0015, "distance_to_settlement": -0.0002}, 6.0),
)


@dataclass(frozen=True)
class Process:
    r"""The changes with the intercepts that give their annual rates on one landscape.

    Notes
    -----
    The yearly probability that a cell changes is

    .. math:: p = 1 / (1 + \exp(-(a + \sum_k b_k x_k + c\, n)))

    with the drivers x and the share n of the target class in the 7 x 7 cells around. All cells of a parcel
    are decided on with one random number a year, so that change comes in fields and plots.
    """

    changes: tuple[Change, ...]
    intercepts: tuple[float, ...]

    def describe(self) -> dict[str, Any]:
        """Return the parameters as plain data, classes by name."""
        transitions = [
            asdict(change)
            | {"source": name_of(change.source), "target": name_of(change.target), "intercept": intercept}
            for change, intercept in zip(self.changes, self.intercepts, strict=True)
        ]
        return {"step_years": 1, "neighbourhood_radius_cells": RADIUS_CELLS, "transitions": transitions}


def evolve(
    rng: np.random.Generator, cover: Cover, drivers: Mapping[str, FloatGrid], years: tuple[int, ...]
) -> tuple[Cover, Process]:
    """Let the land cover change year by year.

    Parameters
    ----------
    rng : numpy.random.Generator
    cover : (y, x) uint8
        Land cover in the first year, legend values.
    drivers : mapping of (y, x) float64
    years : tuple of int
        The years to keep, ascending; the first is that of `cover`.

    Returns
    -------
    maps : (time, y, x) uint8, one for each of the years
    process : Process
    """
    leanings = [_leaning(change, drivers) for change in CHANGES]
    intercepts = [_intercept(change, leaning, cover) for change, leaning in zip(CHANGES, leanings, strict=True)]
    process = Process(CHANGES, tuple(intercepts))
    log_odds = [leaning + intercept for leaning, intercept in zip(leanings, intercepts, strict=True)]
    parcels = {cells: draw_parcels(rng, cover.shape, cells) for cells in (_FIELD_CELLS, _PLOT_CELLS)}
    maps = [cover]
    for year in range(years[0] + 1, years[-1] + 1):
        cover = _step(rng, cover, log_odds, parcels)
        if year in years:
            maps.append(cover)
    return np.stack(maps), process


def _step(
    rng: np.random.Generator, cover: Cover, log_odds: list[FloatGrid], parcels: dict[float, tuple[IndexGrid, int]]
) -> Cover:
    """Change the land cover for one year; all changes see the state at its beginning."""
    changed = cover.copy()
    # Drawn in the order of the changes, whoever works on them.
    luck = [rng.random(parcels[change.parcel_cells][1]) for change in CHANGES]

    def change_class(source: int) -> None:
        cells = np.flatnonzero(cover == source)
        stay = np.ones(cells.size)
        for change, odds, drawn in zip(CHANGES, log_odds, luck, strict=True):
            if change.source != source:
                continue
            parcel, _ = parcels[change.parcel_cells]
            around = _share_around(cover, change.target, cells)
            chance = _logistic(odds.ravel()[cells] + change.neighbourhood * around)
            # Of what the changes before have left, so that no change has the first choice.
            hit = (drawn[parcel.ravel()[cells]] * stay < chance) & (changed.ravel()[cells] == source)
            changed.ravel()[cells[hit]] = change.target
            stay -= chance

    Workers().map(change_class, sorted({change.source for change in CHANGES}))
    return changed


def _share_around(cover: Cover, target: int, cells: NDArray[np.int64]) -> NDArray[np.float64]:
    return count_around(cover == target, RADIUS_CELLS).ravel()[cells] / _WINDOW_CELLS


def _logistic(odds: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1.0 / (1.0 + np.exp(-odds))


def _leaning(change: Change, drivers: Mapping[str, FloatGrid]) -> FloatGrid:
    """Return the part of the log-odds that stays through the years, but for the intercept."""
    total = np.zeros_like(drivers["slope"])
    for name, weight in change.drivers.items():
        total += weight * drivers[name]
    return total


def _intercept(change: Change, leaning: FloatGrid, cover: Cover) -> float:
    """Find the intercept that gives the annual rate in the first year, by bisection, to a thousandth."""
    cells = np.flatnonzero(cover == change.source)
    cells = cells[:: 1 + cells.size // 50_000]
    odds = leaning.ravel()[cells] + change.neighbourhood * _share_around(cover, change.target, cells)
    low, high = -40.0, 40.0
    while high - low > 1e-4:
        middle = (low + high) / 2.0
        low, high = (middle, high) if _logistic(odds + middle).mean() < change.annual_rate else (low, middle)
    return round((low + high) / 2.0, 3)
