"""What is learned of patches: sizes, form and share of expansions, against patches laid out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import label

from scenarios.allocation.patches import FEWEST, learn_patches, shortest_border
from scenarios.calibration import calibrate
from scenarios.cluster import ONE, Workers
from scenarios.demand.transitions import History, Transition
from scenarios.errors import ScenarioInvalid
from scenarios.grid import Grid
from scenarios.projection.years import project
from tests.scenarios.landscapes import (
    LEGEND,
    Map,
    clear_squares,
    flat_model,
    geographic_grid,
    place,
    projected_grid,
    random_map,
    random_model,
    scenario,
    walk,
)

BUILD = Transition(1, 2)
EIGHT = np.ones((3, 3), bool)

BEFORE = """
1111111111
1211111111
1111111111
1111111111
1111111111
1111111111
"""
AFTER = """
1112111111
1221111111
1111111111
1111112211
1111112211
1111111111
"""


def read(text: str) -> Map:
    return np.array([[int(cell) for cell in row] for row in text.split()], np.uint8)


def tiled(times: int = 5) -> History:
    """Return a history with an expansion of two cells, corner to corner, and a new square of four in each tile."""
    return {1990: np.tile(read(BEFORE), (times, 1)), 1996: np.tile(read(AFTER), (times, 1))}


def test_sizes_kinds_and_form_of_patches_by_hand() -> None:
    history = tiled()
    rules = learn_patches(history, [BUILD], projected_grid(history[1990].shape))
    rule = rules.of(BUILD)
    assert rule is not None
    assert rules.years == 6
    assert rule.expansion_ha.tolist() == [2.0] * 5
    assert rule.new_ha.tolist() == [4.0] * 5
    assert (rule.patches, rule.mean_ha) == (10, 3.0)
    assert rule.expansion_share == pytest.approx(10 / 30)
    # The shortest border of 2 cells is 6 sides and of 4 cells 8; theirs were 8 and 8.
    assert rule.compactness == pytest.approx((6 + 8) / (8 + 8))


def test_sizes_are_hectares_on_a_grid_in_degrees() -> None:
    history = tiled()
    grid = geographic_grid(history[1990].shape)
    rule = learn_patches(history, [BUILD], grid).of(BUILD)
    assert rule is not None
    area = grid.row_area_ha
    expected = sorted(area[tile * 6] + area[tile * 6 + 1] for tile in range(5))
    np.testing.assert_allclose(rule.expansion_ha, expected, rtol=1e-6)
    np.testing.assert_allclose(
        rule.new_ha, sorted(2 * (area[t * 6 + 3] + area[t * 6 + 4]) for t in range(5)), rtol=1e-6
    )


@pytest.mark.parametrize(("cells", "border"), [(1, 4), (2, 6), (3, 8), (4, 8), (5, 10), (6, 10), (7, 12), (9, 12)])
def test_the_shortest_border(cells: int, border: int) -> None:
    assert shortest_border(np.array([cells])) == border
    assert shortest_border(np.array([cells, 1])) == border + 4


def test_the_patches_of_all_intervals_count() -> None:
    history = tiled()
    shape = history[1990].shape
    longer = {**history, 2006: np.where(history[1996] == 1, 2, 1).astype(np.uint8)}
    rules = learn_patches(longer, [BUILD], projected_grid(shape))
    rule = rules.of(BUILD)
    assert rule is not None
    assert rules.years == 8
    assert (rule.expansion_ha.size, rule.new_ha.size) == (5 + 1, 5)
    assert rule.expansion_ha[-1] == (history[1996] == 1).sum()


def test_a_transition_of_few_patches_is_left_to_cells() -> None:
    history = tiled(4)
    grid = projected_grid(history[1990].shape)
    rules = learn_patches(history, [BUILD, Transition(1, 3)], grid)
    assert rules.rules == {}
    assert 8 < FEWEST == 10
    (note, _) = rules.note_missing([BUILD, Transition(1, 3)], LEGEND)
    assert note == "forest to built: fewer than 10 patches of change; placed cell by cell"


def test_compact_patches_teach_a_higher_preference_than_ragged_ones() -> None:
    first = np.ones((90, 90), np.uint8)
    squares, lines = first.copy(), first.copy()
    squares[2::9, 2::9] = squares[3::9, 2::9] = squares[2::9, 3::9] = squares[3::9, 3::9] = 2
    for step in range(4):
        lines[2 + step :: 9, 2 + step :: 9] = 2  # four cells, corner to corner
    found = [
        learn_patches({1990: first, 2000: last}, [BUILD], projected_grid((90, 90))).of(BUILD)
        for last in (squares, lines)
    ]
    assert found[0] is not None
    assert found[1] is not None
    assert (found[0].compactness, found[1].compactness) == (1.0, 0.5)
    assert found[0].preference > 1
    assert found[1].preference == 0
    assert found[0].mean_ha == found[1].mean_ha == 4


def test_patches_are_learned_only_where_the_rule_asks_for_them() -> None:
    history = tiled()
    grid = projected_grid(history[1990].shape)
    rules = {"transitions": {"minimum_hectares": 1}, "start": 1996, "history": (1990, 1996)}
    for rule, learned in (("cells", False), ("patches", True)):
        asked = scenario(allocation={"rule": rule}, **rules)
        found = calibrate(asked, history, {}, legend=LEGEND, grid=grid, workers=ONE)
        assert (found.model.patches is not None) == learned
        assert not any("cell by cell" in note for note in found.notes)


def test_patches_that_were_not_learned_cannot_be_placed() -> None:
    model = flat_model(projected_grid(), {BUILD: 0.01})
    with pytest.raises(ScenarioInvalid, match="has learned none"):
        next(project(model, scenario(allocation={"rule": "patches"}), random_map((40, 50))))


def clear_twice(grid: Grid, edge: int) -> tuple[History, float]:
    """Return a history in which 60 % of the squares cleared expand what is there, and their mean size in hectares."""
    first = clear_squares(np.ones(grid.shape, np.uint8), edge, new=40, expanding=0, seed=edge)
    return {1990: first, 2000: clear_squares(first, edge, new=32, expanding=48, seed=edge + 100)}, edge**2.0


def patches_of(before: Map, after: Map) -> tuple[int, float, float]:
    """Return the number of patches that turned from forest into built land, their mean cells, and how many expand."""
    labels, count = label((before == 1) & (after == 2), EIGHT)
    joined = label(after == 2, EIGHT)[0]
    old = set(joined[before == 2].tolist())
    expanding = len({int(p) for p in np.unique(labels[(labels > 0) & np.isin(joined, list(old))])})
    return count, float((labels > 0).sum()) / count, expanding / count


@pytest.mark.parametrize("edge", [2, 3, 5])
@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_simulated_patches_look_like_the_known_ones(edge: int, temperature: float) -> None:
    grid = projected_grid((160, 160))
    history, known_ha = clear_twice(grid, edge)
    found = {}
    for rule in ("cells", "patches"):
        asked = scenario(
            start=2000, years=10, history=(1990, 2000), allocation={"rule": rule}, transitions={"minimum_hectares": 1}
        )
        model = calibrate(asked, history, {}, legend=LEGEND, grid=grid, workers=Workers(1)).model
        end = walk(model, asked, history[2000], member=1, temperature=temperature)[-1].land_cover
        found[rule] = patches_of(history[2000], end)
    assert patches_of(history[1990], history[2000]) == (80, known_ha, 0.6)
    mean, share = found["patches"][1:]
    assert abs(mean - known_ha) < 0.1 * known_ha
    assert abs(mean - known_ha) < abs(found["cells"][1] - known_ha)
    assert share == pytest.approx(0.6, abs=0.2)


def test_nothing_differs_before_the_first_year_of_a_plan() -> None:
    grid = projected_grid((80, 80))
    model = random_model(grid, {BUILD: 0.02, Transition(1, 3): 0.01})
    start = random_map(grid.shape)
    reserve = {"where": place(grid, (0, 80), (0, 40)), "classes": ["forest"]}
    plans = {"id": "reserve", "years": (2003, 2005), "protect": reserve}
    both = [
        walk(model, scenario(*chosen, allocation={"rule": "patches"}), start, member=1, temperature=1.0)
        for chosen in ((), (plans,))
    ]
    same = [one.land_cover.tobytes() == other.land_cover.tobytes() for one, other in zip(*both, strict=True)]
    assert same == [True, True, False, False, False]
    kept = both[1][1].land_cover[:, :40] == 1
    assert (both[1][-1].land_cover[:, :40][kept] == 1).all()
