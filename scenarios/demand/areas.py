"""Wanted areas: how many hectares each class should have every year, by a trend or by a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from catalog.legend import Legend
from scenarios.demand.transitions import TransitionTable
from scenarios.errors import ScenarioInvalid
from scenarios.spec import Scenario

_RESCALED = 0.01
_SAME = 1e-6


def trend_areas(
    tables: Sequence[TransitionTable], start_ha: NDArray[np.float64], moving: NDArray[np.bool_], years: int
) -> NDArray[np.float64]:
    """Carry on the trend of the areas of the history.

    Parameters
    ----------
    tables : cross-tabulations of following dates
    start_ha : (class,) areas that the projection starts from
    moving : (class,) which classes have a modelled transition; the others keep their area
    years : how many to project

    Returns
    -------
    (years + 1, class) float64 hectares, the first row the start; positive, with the same total in every year

    Notes
    -----
    Areas are a composition (Aitchison 1982, doi:10.1111/j.2517-6161.1982.tb01195.x). The logarithms of the shares are
    regressed on the year by least squares; the start grows by the slopes and is closed to its total again. A slope
    common to all classes cancels in that, so it does not matter which share log-ratios are taken to. A class that was
    absent at a date counts there with half of the smallest area ever observed to change or stay.
    """
    dates = np.array([tables[0].start, *(table.end for table in tables)], float)
    seen = np.stack([tables[0].area_ha.sum(axis=1), *(table.area_ha.sum(axis=0) for table in tables)])
    flows = np.concatenate([table.area_ha.ravel() for table in tables])
    seen = np.log(np.maximum(seen, flows[flows > 0].min() / 2))
    slope = (dates - dates.mean()) @ seen / ((dates - dates.mean()) ** 2).sum()
    growth = np.exp(np.arange(years + 1)[:, None] * np.where(moving, slope - slope[moving].mean(), 0.0))
    grown = start_ha * growth
    total = grown[:, moving].sum(axis=1, keepdims=True)
    return np.where(moving, grown * start_ha[moving].sum() / np.where(total > 0, total, 1.0), start_ha)


def table_areas(
    scenario: Scenario, legend: Legend, start_ha: NDArray[np.float64]
) -> tuple[NDArray[np.float64], list[str]]:
    """Read every projected year's areas off the scenario's table; years between are interpolated.

    Parameters
    ----------
    scenario : its demand rule holds the table
    legend : of the landscape
    start_ha : (class,) areas that the projection starts from, which the table's own for this year do not replace

    Returns
    -------
    areas : (years + 1, class) float64 hectares, the first row the start
    notes : what was rescaled

    Raises
    ------
    ScenarioInvalid
        The table does not fit the legend, the years or the area of the landscape.
    """
    table = scenario.demand.table
    if not isinstance(table, Mapping):
        raise ScenarioInvalid(
            f"The demand names the table {table!r} by file; read the scenario with load_scenario, or give the columns."
        )
    given = _columns(table, legend, start_ha)
    given_years = np.array(table["year"])
    if given_years[-1] < scenario.end:
        raise ScenarioInvalid(
            f"The demand table ends in {given_years[-1]}, the scenario in {scenario.end}; add a row for "
            f"{scenario.end} or later."
        )
    later = given_years > scenario.start
    wanted, notes = _rescale(given[later], given_years[later], start_ha.sum())
    points = np.array([scenario.start, *given_years[later]], float)
    wanted = np.vstack([start_ha, wanted])
    years = np.arange(scenario.start, scenario.end + 1)
    return np.stack([np.interp(years, points, column) for column in wanted.T], axis=1), notes


def _columns(
    table: Mapping[str, Sequence[float]], legend: Legend, start_ha: NDArray[np.float64]
) -> NDArray[np.float64]:
    unknown = sorted({*table} - {"year", *legend.names})
    missing = [name for name, area in zip(legend.names, start_ha, strict=True) if name not in table and area > 0]
    if unknown or missing:
        faults = [f"has no column for {', '.join(missing)}"] if missing else []
        faults += [f"has columns that are no class: {', '.join(unknown)}"] if unknown else []
        raise ScenarioInvalid(
            f"The demand table {' and '.join(faults)}; the legend has {', '.join(legend.names)}, and every class "
            "with area needs a column."
        )
    rows = len(table["year"])
    return np.array([table.get(name, np.zeros(rows)) for name in legend.names], np.float64).T


def _rescale(
    wanted: NDArray[np.float64], years: NDArray[np.int64], total_ha: float
) -> tuple[NDArray[np.float64], list[str]]:
    """Give every row the area of the landscape, if it is off by little."""
    off = wanted.sum(axis=1) / total_ha - 1
    worst = int(np.abs(off).argmax())
    told = f"{wanted[worst].sum():,.1f} ha in {years[worst]}, the landscape has {total_ha:,.1f} ha"
    if abs(off[worst]) > _RESCALED:
        raise ScenarioInvalid(
            f"The classes of the demand table add up to {told}. Give hectares of the whole landscape (1 % off is "
            "rescaled)."
        )
    notes = [f"the demand table adds up to {told}: its areas were rescaled"] if abs(off[worst]) > _SAME else []
    return wanted / (1 + off[:, None]), notes
