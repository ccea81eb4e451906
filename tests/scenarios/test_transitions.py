"""Transitions: a table worked out by hand, in hectares."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.demand.transitions import (
    History,
    Transition,
    choose_transitions,
    cross_tabulate,
    remove_flicker,
    report_flicker,
    tabulate_history,
)
from scenarios.errors import HistoryInvalid
from tests.scenarios.landscapes import BUILT, FOREST, LEGEND, OTHER, geographic_grid, projected_grid, random_map

# Cells of 50 m: a quarter of a hectare each. 9 has no name in the legend.
FIRST = np.array([[1, 1, 1, 1], [2, 2, 3, 3], [1, 0, 3, 9]], np.uint8)
LAST = np.array([[1, 2, 2, 3], [2, 2, 3, 2], [0, 1, 1, 1]], np.uint8)
BY_HAND = np.array([[1, 2, 1], [0, 2, 0], [1, 1, 1]]) / 4


def test_the_table_equals_the_one_worked_out_by_hand() -> None:
    table = cross_tabulate(FIRST, LAST, years=(1990, 2000), legend=LEGEND, grid=projected_grid((3, 4), 50.0))
    np.testing.assert_allclose(table.area_ha, BY_HAND)
    np.testing.assert_allclose(table.change_ha, np.array([[0, 2, 1], [0, 0, 0], [1, 1, 0]]) / 4)
    assert table.persistence_ha.tolist() == [0.25, 0.5, 0.25]
    assert table.gain_ha.tolist() == [0.25, 0.75, 0.25]
    assert table.loss_ha.tolist() == [0.75, 0.0, 0.5]
    assert table.years == 10


def test_the_table_can_be_read_with_names() -> None:
    table = cross_tabulate(FIRST, LAST, years=(1990, 2000), legend=LEGEND, grid=projected_grid((3, 4), 50.0))
    frame = table.to_frame()
    assert frame.loc["forest", "built"] == 0.5
    assert frame.loc["other", "forest"] == 0.25
    assert list(frame.index) == list(frame.columns) == ["forest", "built", "other"]
    assert "1990" in str(frame.index.name)
    assert "2000" in str(frame.columns.name)


def test_cells_in_degrees_count_with_the_area_of_their_row() -> None:
    grid = geographic_grid((2, 2), step=5.0, north=60.0)
    first, last = np.array([[1, 1], [1, 1]], np.uint8), np.array([[2, 1], [1, 3]], np.uint8)
    table = cross_tabulate(first, last, years=(1990, 2000), legend=LEGEND, grid=grid)
    north, south = grid.row_area_ha
    np.testing.assert_allclose(table.area_ha[0], [north + south, north, south])
    assert north < south


@given(st.integers(1, 20), st.integers(1, 20), st.integers(0, 1000))
@settings(deadline=None, max_examples=30)
def test_gains_and_losses_explain_the_end(height: int, width: int, seed: int) -> None:
    first, last = random_map((height, width), seed, nodata=0), random_map((height, width), seed + 1, nodata=0)
    table = cross_tabulate(first, last, years=(1990, 2000), legend=LEGEND, grid=projected_grid((height, width)))
    before = [(first == value).sum() for value in LEGEND.values]  # a cell is a hectare
    after = [(last == value).sum() for value in LEGEND.values]
    np.testing.assert_allclose(table.area_ha.sum(axis=1), before)
    np.testing.assert_allclose(np.array(before) + table.gain_ha - table.loss_ha, after)


def test_maps_without_a_common_cell_are_refused() -> None:
    first, last = np.array([[1, 0]], np.uint8), np.array([[0, 1]], np.uint8)
    with pytest.raises(HistoryInvalid, match="1990 and 2000 have no cell with data in both"):
        cross_tabulate(first, last, years=(1990, 2000), legend=LEGEND, grid=projected_grid((1, 2)))


def test_a_history_is_tabulated_by_following_dates() -> None:
    history = {2010: random_map((5, 6), 3), 1990: random_map((5, 6), 1), 2000: random_map((5, 6), 2)}
    grid = projected_grid((5, 6))
    tables = tabulate_history(history, LEGEND, grid)
    assert [(t.start, t.end) for t in tables] == [(1990, 2000), (2000, 2010)]
    alone = cross_tabulate(history[2000], history[2010], years=(2000, 2010), legend=LEGEND, grid=grid)
    np.testing.assert_array_equal(tables[1].area_ha, alone.area_ha)


def test_transitions_are_chosen_by_the_hectares_of_all_intervals() -> None:
    grid = projected_grid((3, 4), 50.0)
    table = cross_tabulate(FIRST, LAST, years=(1990, 2000), legend=LEGEND, grid=grid)
    chosen, notes = choose_transitions([table], 0.5)
    assert chosen == [Transition(FOREST, BUILT)]
    assert len(notes) == 3
    assert any("forest to other" in note and "0.2" in note and "0.5 ha" in note for note in notes)
    chosen, notes = choose_transitions([table, table], 0.5)
    assert chosen == [
        Transition(FOREST, BUILT),
        Transition(FOREST, OTHER),
        Transition(OTHER, FOREST),
        Transition(OTHER, BUILT),
    ]
    assert notes == []


def test_what_did_not_happen_is_never_modelled() -> None:
    same = random_map((5, 6))
    table = cross_tabulate(same, same, years=(1990, 2000), legend=LEGEND, grid=projected_grid((5, 6)))
    assert choose_transitions([table], 0) == ([], [])


def series(*dates: list[int]) -> History:
    return {1990 + 10 * n: np.array([date], np.uint8) for n, date in enumerate(dates)}


def test_flicker_is_removed_by_hand() -> None:
    # there and back | once | without data in between, before | there and back twice | three classes
    seen = series([1, 1, 1, 0, 1, 1], [2, 2, 0, 2, 2, 2], [1, 2, 1, 0, 1, 3], [1, 2, 1, 1, 2, 1])
    steady = remove_flicker(seen)
    assert [steady[year][0].tolist() for year in sorted(steady)] == [
        [1, 1, 1, 0, 1, 1],
        [1, 2, 0, 2, 1, 2],
        [1, 2, 1, 0, 1, 3],
        [1, 2, 1, 1, 2, 1],
    ]
    assert seen[2000][0].tolist() == [2, 2, 0, 2, 2, 2]  # what was given stays as it is
    before, after = (tabulate_history(h, LEGEND, projected_grid((1, 6))) for h in (seen, steady))
    # 4 + 3 + 2 changes of cells with data at both dates become 2 + 1 + 2.
    told = report_flicker(before, after)
    assert "removed 4.0 ha of the 9.0 ha" in told
    assert "44.4%" in told


def test_two_dates_cannot_flicker() -> None:
    seen = series([1, 2], [2, 1])
    assert remove_flicker(seen) == seen
    tables = tabulate_history(seen, LEGEND, projected_grid((1, 2)))
    assert "three dates" in report_flicker(tables, tables)
