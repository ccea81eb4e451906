"""Patches grow as they are told: how large, where, and away from each other; and demand is met to the cell."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, label

from scenarios.allocation.allocator import Allocator, Change, Placement
from scenarios.allocation.growth import PatchAllocator
from scenarios.allocation.patches import PatchRule, PatchRules
from scenarios.cluster import ONE
from scenarios.demand.transitions import Transition
from scenarios.grid import Grid
from scenarios.kernels.keys import Claims
from tests.scenarios.landscapes import (
    Map,
    build_claims,
    geographic_grid,
    patch_rules,
    projected_grid,
    random_map,
    random_scores,
)

SHAPE = (30, 40)
BUILD, CLEAR = Transition(1, 2), Transition(1, 3)
EIGHT = np.ones((3, 3), bool)


def begin(rules: PatchRules, grid: Grid | None = None) -> PatchAllocator:
    grid = grid or projected_grid(SHAPE)
    return PatchAllocator(Allocator(grid, grid.blocks(16, of_strips=True), ONE), rules)


def place(
    allocator: PatchAllocator, claims: Claims, demand: Sequence[int], *transitions: Transition, year: int = 2001
) -> Placement:
    return allocator.place(claims, np.array(demand, np.int64), Change(transitions or (BUILD,), year))


def mask_of(result: Placement, choice: int = 0, shape: tuple[int, int] = SHAPE) -> NDArray[np.bool_]:
    out = np.zeros(shape, bool)
    out.ravel()[result.cells[result.choice == choice]] = True
    return out


def sizes_of(mask: NDArray[np.bool_]) -> list[int]:
    return sorted(np.bincount(label(mask, EIGHT)[0].ravel())[1:].tolist())


def only(kind: str, sizes_ha: Sequence[float], years: int = 3, preference: float = 1.0) -> PatchRules:
    """Return a rule for `BUILD` with patches of one kind only."""
    sizes, none = np.array(sizes_ha, np.float64), np.empty(0)
    parts = (sizes, none) if kind == "expansion" else (none, sizes)
    return PatchRules({BUILD: PatchRule(*parts, compactness=0.8, preference=preference)}, years)


def forest(built: Sequence[tuple[int, int]] = ()) -> Map:
    out = np.ones(SHAPE, np.uint8)
    for cell in built:
        out[cell] = 2
    return out


def test_a_patch_takes_the_best_cell_beside_it_again_and_again() -> None:
    scores = np.zeros((1, *SHAPE), np.int16)
    scores[0, 10, 10] = 900  # the seed; then along the ridge, not to the better cell that is far
    scores[0, 10, 11], scores[0, 11, 12], scores[0, 12, 12], scores[0, 20, 20] = 500, 600, 700, 899
    claims = build_claims(forest(), scores, temperature=0)
    result = place(begin(only("new", [4.0], preference=0.0)), claims, [4])
    assert np.argwhere(mask_of(result)).tolist() == [[10, 10], [10, 11], [11, 12], [12, 12]]


def test_a_preference_for_neighbours_makes_patches_compact() -> None:
    claims = build_claims(forest(), random_scores(1, SHAPE))
    ragged, compact = (place(begin(only("new", [25.0], preference=p)), claims, [25]) for p in (0.0, 20.0))
    spans = [int(np.ptp(np.argwhere(mask_of(each)), axis=0).sum()) for each in (ragged, compact)]
    assert sizes_of(mask_of(ragged)) == sizes_of(mask_of(compact)) == [25]
    assert spans[1] <= 8 + 2 < spans[0]  # a square of 5 by 5 spans 4 + 4


def test_new_patches_stay_away_from_the_target_class() -> None:
    built = forest([(5, 5), (5, 20), (20, 10), (25, 30)])
    mask = mask_of(place(begin(only("new", [6.0])), build_claims(built, random_scores(1, SHAPE)), [60]))
    beside = label(mask | (built == 2), EIGHT)[0]
    assert sizes_of(mask) == [6] * 10
    assert not set(beside[mask].tolist()) & set(beside[built == 2].tolist())


def test_expansions_begin_beside_the_target_class() -> None:
    built = forest([(5, 5), (5, 20), (20, 10), (25, 30)])
    mask = mask_of(place(begin(only("expansion", [6.0])), build_claims(built, random_scores(1, SHAPE)), [48]))
    beside = label(mask | (built == 2), EIGHT)[0]
    assert mask.sum() == 48
    assert set(beside[mask].tolist()) <= set(beside[built == 2].tolist())


def test_the_drawn_kinds_come_in_the_observed_share() -> None:
    shape = (200, 200)
    built = np.ones(shape, np.uint8)
    built[::12, ::12] = 2
    rule = PatchRule(np.full(30, 3.0), np.full(10, 3.0), 0.8, 1.0)
    allocator = begin(PatchRules({BUILD: rule}), projected_grid(shape))
    mask = mask_of(place(allocator, build_claims(built, random_scores(1, shape)), [1200]), shape=shape)
    beside = label(mask | (built == 2), EIGHT)[0]
    expanding = np.isin(beside[mask], beside[built == 2]).mean()
    assert rule.expansion_share == 0.75
    assert expanding == pytest.approx(0.75, abs=4 * np.sqrt(0.75 * 0.25 / 400))  # four standard errors of 400 draws


def test_sizes_are_those_of_the_rule() -> None:
    sizes = [1.0] * 6 + [4.0] * 3 + [9.0]
    mask = mask_of(
        place(
            begin(only("new", sizes), projected_grid((150, 150))),
            build_claims(np.ones((150, 150), np.uint8), random_scores(1, (150, 150))),
            [810],
        ),
        shape=(150, 150),
    )
    counts = {size: sizes_of(mask).count(size) for size in (1, 4, 9)}
    assert sum(counts.values()) >= len(sizes_of(mask)) - 1  # the last is cut
    assert len(sizes_of(mask)) == pytest.approx(810 / 2.7, rel=0.2)
    assert counts[1] > counts[4] > counts[9] > 10


def test_patches_keep_apart_as_many_years_as_they_were_observed_in() -> None:
    allocator, now = begin(only("new", [5.0], years=3)), forest()
    seen = np.zeros(SHAPE, bool)
    for year in (2001, 2002, 2003):
        claims = build_claims(now, random_scores(1, SHAPE), streams=[year])
        mask = mask_of(place(allocator, claims, [25], year=year))
        seen |= mask
        now = np.where(mask, 2, now).astype(np.uint8)
    assert sizes_of(seen) == [5] * 15


def test_expansions_find_a_patch_again_once_it_is_old() -> None:
    scores = random_scores(1, SHAPE)
    touching = []
    for year in (2003, 2004):
        allocator, now = begin(only("expansion", [5.0], years=3)), forest([(15, 20)])
        first = mask_of(place(allocator, build_claims(now, scores), [5]))
        now[first] = 2
        later = mask_of(place(allocator, build_claims(now, scores), [150], year=year))
        touching.append(bool((binary_dilation(first, EIGHT) & later).any()))
    assert touching == [False, True]


def test_a_patch_that_the_demand_cuts_goes_on_next_year() -> None:
    allocator, now = begin(only("new", [40.0], years=1)), forest()
    for year in range(2001, 2009):
        mask = mask_of(place(allocator, build_claims(now, random_scores(1, SHAPE), streams=[year]), [5], year=year))
        assert mask.sum() == 5
        now[mask] = 2
    assert sizes_of(now == 2) == [40]


def test_a_year_without_demand_does_not_end_a_cut_patch() -> None:
    allocator, now = begin(only("new", [10.0])), forest()
    for year, demand in ((2001, 4), (2002, 0), (2003, 6)):
        mask = mask_of(place(allocator, build_claims(now, random_scores(1, SHAPE)), [demand], year=year))
        now[mask] = 2
    assert sizes_of(now == 2) == [10]


def test_barred_cells_and_other_classes_are_never_taken() -> None:
    land_cover, barred = random_map(SHAPE), np.random.default_rng(3).random(SHAPE) < 0.4
    claims = build_claims(land_cover, random_scores(1, SHAPE), barred=barred)
    free = (land_cover == 1) & ~barred
    mask = mask_of(place(begin(patch_rules({BUILD: [3.0, 8.0]})), claims, [int(free.sum()) - 3]))
    assert mask.sum() == free.sum() - 3
    assert not (mask & ~free).any()


def test_without_a_rule_cells_are_placed_as_by_the_rule_of_cells() -> None:
    claims = build_claims(random_map(SHAPE), random_scores(2, SHAPE))
    for rules in (PatchRules(), patch_rules({Transition(3, 2): [4.0]})):
        allocator = begin(rules)
        mine = place(allocator, claims, [40, 70], BUILD, CLEAR)
        plain = allocator.cells.place(claims, np.array([40, 70]), "any")
        assert (mine.cells.tolist(), mine.choice.tolist()) == (plain.cells.tolist(), plain.choice.tolist())


def test_one_transition_without_a_rule_takes_its_best_cells() -> None:
    scores = random_scores(2, SHAPE)
    scores[0, :, 20:] = -20_000  # patches are built in the west, cells cleared in the east
    scores[1, :, :20] = -20_000
    claims = build_claims(forest(), scores)
    result = place(begin(patch_rules({BUILD: [5.0]})), claims, [50, 60], BUILD, CLEAR)
    alone = begin(PatchRules()).cells.place(
        claims._replace(
            slots=claims.slots[1:],
            streams=claims.streams[1:],
            ceilings=claims.ceilings[1:],
            units=claims.units[1:],
            places=claims.places[1:],
        ),
        np.array([60]),
        "any",
    )
    assert result.cells[result.choice == 1].tolist() == alone.cells.tolist()


def test_where_cells_run_out_the_lack_is_shared() -> None:
    claims = build_claims(forest(), random_scores(2, SHAPE))
    result = place(begin(patch_rules({BUILD: [5.0], CLEAR: [9.0]})), claims, [1800, 600], BUILD, CLEAR)
    assert result.placed.tolist() == [900, 300]
    assert result.cells.size == 1200


@given(st.integers(0, 1000), st.lists(st.floats(0, 0.4), min_size=2, max_size=2), st.booleans(), st.booleans())
@settings(deadline=None, max_examples=30)
def test_demand_is_met_to_the_cell(seed: int, shares: list[float], degrees: bool, both: bool) -> None:
    grid = geographic_grid(SHAPE) if degrees else projected_grid(SHAPE)
    land_cover = random_map(SHAPE, seed)
    claims = build_claims(land_cover, random_scores(2, SHAPE, seed))
    room = int(grid.row_weight @ (land_cover == 1).sum(axis=1)) - 4 * int(grid.row_weight.max())
    demand = [int(room * share) for share in shares]
    cell = float(grid.row_area_ha.mean())
    rules = patch_rules({t: np.arange(1, 9) * cell for t in (BUILD, CLEAR)[: 1 + both]})
    result = place(begin(rules, grid), claims, demand, BUILD, CLEAR)
    weights = grid.row_weight[result.cells // SHAPE[1]]
    most = int(grid.row_weight.max()) / 2 if degrees else 0
    assert (np.diff(result.cells) > 0).all()
    for k in (0, 1):
        assert result.placed[k] == weights[result.choice == k].sum()
        assert abs(result.placed[k] - demand[k]) <= most


@given(st.integers(0, 1000), st.sampled_from([0.0, 1.0]))
@example(seed=480, temperature=0.0)  # seeds of both transitions that rank alike, side by side
@settings(deadline=None, max_examples=20)
def test_the_order_of_the_transitions_does_not_show(seed: int, temperature: float) -> None:
    """No transition goes first."""
    shape, grid = (40, 50), projected_grid((40, 50))
    land_cover = random_map(shape, seed)
    scores, demand, transitions = random_scores(2, shape, seed), np.array([70, 120]), (BUILD, CLEAR)
    rules = patch_rules({BUILD: [2.0, 9.0], CLEAR: [5.0]})
    maps = []
    for order in permutations((0, 1)):
        chosen = list(order)
        claims = build_claims(land_cover, scores[chosen], streams=chosen, temperature=temperature)
        result = place(begin(rules, grid), claims, demand[chosen].tolist(), *(transitions[n] for n in chosen))
        maps.append(sorted((int(cell), chosen[k]) for cell, k in zip(result.cells, result.choice, strict=True)))
    assert maps[0] == maps[1]


def test_a_transition_with_higher_keys_does_not_take_the_best_places() -> None:
    scores = random_scores(1, (80, 80))
    both = np.concatenate([scores, scores + 8000])
    claims = build_claims(np.ones((80, 80), np.uint8), both)
    grid = projected_grid((80, 80))
    result = place(begin(patch_rules({BUILD: [4.0], CLEAR: [4.0]}), grid), claims, [600, 600], BUILD, CLEAR)
    means = [scores[0].ravel()[result.cells[result.choice == k]].mean() for k in (0, 1)]
    assert abs(means[0] - means[1]) < 0.15 * scores.std()


def test_at_temperature_0_seeds_are_the_best_places() -> None:
    scores = random_scores(1, SHAPE)
    claims = build_claims(forest(), scores, temperature=0)
    result = place(begin(only("new", [1.0])), claims, [20])
    taken, best = scores.ravel()[result.cells], np.sort(scores.ravel())[::-1]
    assert best[0] in taken
    # Twenty patches of one cell that do not touch: at most eight better cells are lost to each.
    assert taken.min() >= best[20 * 9]
