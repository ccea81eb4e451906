"""A first look at a scenario's history, stripe by stripe: how much changed, by which transitions, and where most."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from catalog.collections import LAND_COVER
from datacommons.arrays import read_land_cover
from datacommons.runs.study import Study
from scenarios.demand.transitions import (
    History,
    Transition,
    TransitionTable,
    choose_transitions,
    remove_flicker,
    tabulate_cells,
)
from scenarios.errors import HistoryInvalid
from scenarios.interventions.conversions import Conversions


@dataclass(frozen=True)
class Survey:
    """What the history holds.

    Parameters
    ----------
    transitions : those that the scenario models
    sample : the tile in which most cells have changed, or the whole landscape if it is no larger
    """

    transitions: tuple[Transition, ...]
    sample: GeoBox


def survey_history(study: Study, edge: int) -> Survey:
    """Look through the maps of the history once; memory does not grow with the landscape.

    Parameters
    ----------
    study : the scenario, its landscape and layers
    edge : of the tiles among which the sample is chosen, in cells

    Raises
    ------
    HistoryInvalid
        Nothing changed that the scenario would model.
    """
    geobox, scenario = study.landscape.geobox, study.scenario
    size, intervals = len(study.landscape.legend), list(pairwise(scenario.history))
    weights, changed = np.zeros((len(intervals), size, size)), []
    for first in range(0, geobox.shape.y, edge):
        rows = slice(first, min(first + edge, geobox.shape.y))
        history = _read_stripe(study, geobox[rows, :])
        for n, (a, b) in enumerate(intervals):
            values, row_weight = study.landscape.legend.values, study.grid.row_weight[rows]
            weights[n] += tabulate_cells(history[a], history[b], values, row_weight)
        changed.append(_count_changes(history, edge))
    transitions = _choose(study, weights)
    row, column = np.unravel_index(int(np.argmax(changed)), np.shape(changed))
    return Survey(transitions, _tile(geobox, int(row), int(column), edge))


def _read_stripe(study: Study, stripe: GeoBox) -> History:
    years, cover = study.scenario.history, [layer for layer in study.inputs if layer.collection == LAND_COVER]
    cube = read_land_cover(cover, replace(study.landscape, geobox=stripe), years, study.commons.locate)
    history = dict(zip(years, cube.values, strict=True))
    return remove_flicker(history) if study.scenario.transitions.persistence_filter else history


def _count_changes(history: History, edge: int) -> NDArray[np.int64]:
    """Return how many cells of each tile of a stripe differ between the first and the last date."""
    first, last = history[min(history)], history[max(history)]
    columns = np.count_nonzero((first != last) & (first != 0) & (last != 0), axis=0)
    return np.asarray(np.add.reduceat(columns, np.arange(0, columns.size, edge)), np.int64)


def _choose(study: Study, weights: NDArray[np.float64]) -> tuple[Transition, ...]:
    scenario, legend = study.scenario, study.landscape.legend
    tables = [
        TransitionTable(a, b, legend, table * study.grid.weight_ha)
        for (a, b), table in zip(pairwise(scenario.history), weights, strict=True)
    ]
    transitions, _ = choose_transitions(tables, scenario.transitions.minimum_hectares)
    transitions, _ = Conversions(scenario.conversions, legend).select(transitions, tables)
    if not transitions:
        raise HistoryInvalid(
            f"No class changed by {scenario.transitions.minimum_hectares:g} ha or more between "
            f"{scenario.history[0]} and {scenario.history[-1]} in a way that is not forbidden. "
            "Lower transitions.minimum_hectares, or check the maps."
        )
    return tuple(transitions)


def _tile(geobox: GeoBox, row: int, column: int, edge: int) -> GeoBox:
    """Return a tile, moved inwards where it would pass the border."""
    height, width = geobox.shape
    top, left = (max(0, min(place * edge, side - edge)) for place, side in ((row, height), (column, width)))
    return geobox[top : min(top + edge, height), left : min(left + edge, width)]
