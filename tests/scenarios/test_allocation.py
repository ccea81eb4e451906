"""Allocation: the blocks and what was remembered do not show, and demand is met to the cell."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from scenarios.allocation.allocator import Allocator, Placement, share_out
from scenarios.cluster import ONE, Workers
from scenarios.grid import Grid
from scenarios.kernels.keys import Claims
from tests.scenarios.landscapes import build_claims, geographic_grid, projected_grid, random_map, random_scores
from tests.scenarios.plain import place_plainly

SHAPE = (30, 40)


@dataclass(frozen=True, eq=False)
class Task:
    """What is to be placed."""

    grid: Grid
    claims: Claims
    demand: NDArray[np.int64]

    @property
    def free(self) -> NDArray[np.bool_]:
        return np.asarray((self.claims.land_cover == self.claims.source) & (self.claims.barred == 0))

    @property
    def room(self) -> int:
        """Size of all free cells."""
        return int(self.grid.row_weight @ self.free.sum(axis=1))


grids = st.sampled_from([projected_grid(SHAPE), geographic_grid(SHAPE)])
many = st.integers(1, 4)


@st.composite
def tasks(draw: st.DrawFn, most: float = 1.0, like: Task | None = None) -> Task:
    """Draw a landscape and demands that take up to ``most`` of the free cells; with ``like``, of the same kind."""
    seed = draw(st.integers(0, 1000))
    k, grid = (like.demand.size, like.grid) if like else (draw(many), draw(grids))
    barred = np.random.default_rng(seed).random(SHAPE) < draw(st.sampled_from([0.0, 0.3]))
    temperature = draw(st.sampled_from([0.0, 1.0, 4.0]))
    scores = random_scores(k, SHAPE, seed)
    claims = build_claims(random_map(SHAPE, seed), scores, temperature=temperature, barred=barred)
    room = Task(grid, claims, np.zeros(k, np.int64)).room - k * int(grid.row_weight.max())
    shares = draw(st.lists(st.floats(0, most / k), min_size=k, max_size=k))
    return Task(grid, claims, np.array([int(room * share) for share in shares], np.int64))


def allocate(task: Task, chunk: int = 64, workers: Workers = ONE) -> Placement:
    return Allocator(task.grid, task.grid.blocks(chunk, of_strips=True), workers).place(task.claims, task.demand, "any")


def assert_same(one: Placement, other: Placement) -> None:
    assert one.cells.tolist() == other.cells.tolist()
    assert one.choice.tolist() == other.choice.tolist()
    assert one.placed.tolist() == other.placed.tolist()


@given(tasks())
@settings(deadline=None, max_examples=40)
def test_demand_is_placed_on_free_cells(task: Task) -> None:
    result = allocate(task)
    sizes = task.grid.row_weight[result.cells // SHAPE[1]]
    last_cell = task.grid.row_weight.max() / 2 if task.grid.is_geographic else 0
    assert (np.diff(result.cells) > 0).all()
    assert task.free.ravel()[result.cells].all()
    for k, wanted in enumerate(task.demand):
        assert result.placed[k] == sizes[result.choice == k].sum()
        assert abs(result.placed[k] - wanted) <= last_cell


@given(tasks())
@settings(deadline=None, max_examples=40)
def test_candidates_are_enough_to_find_what_a_full_scan_finds(task: Task) -> None:
    result = allocate(task)
    plain = place_plainly(task.claims, task.demand, task.grid.row_weight)
    assert result.cells.tolist() == np.flatnonzero(plain).tolist()
    assert (result.choice + 1).tolist() == plain[plain > 0].tolist()


@given(tasks(most=2.0), st.integers(3, 50), st.sampled_from([1, 2]))
@settings(deadline=None, max_examples=30)
def test_blocks_and_threads_do_not_show(task: Task, chunk: int, threads: int) -> None:
    assert_same(allocate(task, chunk, Workers(threads)), allocate(task))


def test_blocks_of_one_cell_do_not_show() -> None:
    claims = build_claims(random_map(SHAPE), random_scores(2, SHAPE))
    task = Task(projected_grid(SHAPE), claims, np.array([40, 70]))
    assert_same(allocate(task, 1), allocate(task))


@given(tasks(most=2.0), st.data())
@settings(deadline=None, max_examples=40)
def test_what_is_remembered_does_not_show(first: Task, data: st.DataObject) -> None:
    allocator = Allocator(first.grid, first.grid.blocks(16, of_strips=True), ONE)
    for task in (first, *(data.draw(tasks(most=2.0, like=first)) for _ in range(3))):
        assert_same(allocator.place(task.claims, task.demand, "any"), allocate(task))


def run_out(cells_free: int, demand: list[int]) -> NDArray[np.int64]:
    """Return what is placed where 200 cells are demanded of a class that has fewer."""
    land_cover = np.zeros(SHAPE, np.uint8)
    land_cover.ravel()[np.arange(cells_free) * 11] = 1
    claims = build_claims(land_cover, random_scores(len(demand), SHAPE))
    return allocate(Task(projected_grid(SHAPE), claims, np.array(demand))).placed


@given(st.lists(st.integers(0, 10**13), min_size=1, max_size=6), st.floats(0, 1))
@settings(max_examples=100)
def test_an_amount_is_shared_in_proportion(parts: list[int], share: float) -> None:
    amount = int(sum(parts) * share)
    shares = share_out(amount, np.array(parts))
    assert sum(shares) == amount
    for part, got in zip(parts, shares, strict=True):
        assert 0 <= got <= part
        assert abs(got * sum(parts) - amount * part) < max(1, sum(parts))  # within one of the exact share


SCARCE = [(free, demand) for free in (1, 7, 10, 100) for demand in ([200], [150, 50], [90, 80, 30], [199, 1])]


def test_where_cells_run_out_the_lack_is_shared() -> None:
    for free, demand in SCARCE:
        fair = np.array(demand) * free / 200
        assert (np.abs(run_out(free, demand) - fair) < 1).all()


def test_where_cells_run_out_all_are_used() -> None:
    assert [(free, int(run_out(free, demand).sum())) for free, demand in SCARCE] == [(free, free) for free, _ in SCARCE]


def test_the_lack_is_shared_in_a_large_landscape_in_degrees() -> None:
    # 40 by 40 cells of 0.1 degrees are 14 million hectares, or 10¹¹ m².
    grid = geographic_grid((40, 40), step=0.1)
    claims = build_claims(np.ones((40, 40), np.uint8), random_scores(2, (40, 40)))
    room = int(grid.row_weight.sum() * 40)
    result = allocate(Task(grid, claims, np.array([room, 3 * room])))
    assert result.placed.sum() == pytest.approx(room, rel=0.001)
    assert result.placed[1] == pytest.approx(3 * result.placed[0], rel=0.01)


def test_more_cells_than_a_block_has_room_for_are_collected() -> None:
    shape = (100, 120)
    claims = build_claims(np.ones(shape, np.uint8), random_scores(1, shape))
    result = allocate(Task(projected_grid(shape), claims, np.array([9000])), chunk=200)
    assert result.placed.tolist() == [9000]


def test_nothing_demanded_places_nothing() -> None:
    claims = build_claims(random_map(SHAPE), random_scores(2, SHAPE))
    result = allocate(Task(projected_grid(SHAPE), claims, np.array([0, 0])))
    assert (result.cells.size, result.choice.size, result.placed.tolist()) == (0, 0, [0, 0])


def test_at_temperature_0_the_likeliest_cells_are_taken() -> None:
    scores = random_scores(1, SHAPE)
    claims = build_claims(np.ones(SHAPE, np.uint8), scores, temperature=0)
    taken = allocate(Task(projected_grid(SHAPE), claims, np.array([200]))).cells
    left = np.setdiff1d(np.arange(scores.size), taken)
    assert scores.ravel()[taken].min() >= scores.ravel()[left].max()


def test_a_hotter_draw_spreads_further_from_the_likeliest_cells() -> None:
    scores = random_scores(1, SHAPE)
    means = []
    for temperature in (0, 0.5, 1, 4):
        claims = build_claims(np.ones(SHAPE, np.uint8), scores, temperature=temperature)
        means.append(scores.ravel()[allocate(Task(projected_grid(SHAPE), claims, np.array([200]))).cells].mean())
    assert all(warmer < colder for colder, warmer in pairwise(means))
