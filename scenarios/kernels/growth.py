"""Growth of patches of change from their seeds, one patch after the other.

A patch begins in the best seed that is left and takes the best cell beside it, again and again, until it has the size
that was drawn for it. The best cell has the highest key, raised by a preference for each of its eight neighbours that
the patch has already.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from scenarios.kernels.draws import draw
from scenarios.kernels.keys import Claims, key_of
from scenarios.kernels.strips import score_of
from scenarios.kernels.windows import Int

ELSEWHERE, EXPANSION, NEW = 0, 1, 2
"""What may begin in a cell: no patch; one beside cells of the target class; one away from them."""

SHARE_BITS = 32
"""A share of patches is given in 1/2**32."""

_Heap = list[tuple[np.int64, np.int64]]  # cells beside a patch, by the negative of their key


class Habits(NamedTuple):
    """How the patches of each of K transitions out of one class look."""

    targets: NDArray[np.uint8]  # (K,) legend value
    kinds: NDArray[np.int64]  # (K,) number by which the past knows the transition
    apart: NDArray[np.bool_]  # (K,) whether patches keep apart; False: the transition takes cell by cell
    expanding: NDArray[np.int64]  # (K,) share of the patches that expand existing ones, in 1/2**32
    preference: NDArray[np.int64]  # (K,) for each neighbour in the patch, in units of the key
    streams: NDArray[np.uint64]  # (K,) key of the draws of which kind of patch comes next


class Past(NamedTuple):
    """The patches so far; those with numbers from ``first`` on are this year's."""

    patch: NDArray[np.int32]  # (y, x) number of the patch, 0 = none; written
    kinds: NDArray[np.int64]  # (patch,) transition of each patch, with room for this year's; written
    recent: NDArray[np.bool_]  # (patch,) whether others of its transition keep apart from it; written
    first: int


class Field(NamedTuple):
    """Where patches grow: what keys are made of, patches so far, how patches look, and the size of each row's cells."""

    claims: Claims
    past: Past
    habits: Habits
    row_weight: NDArray[np.int64]  # (y,) in units of the demand


class Patch(NamedTuple):
    """A patch that grows."""

    k: int  # its transition
    kind: int  # EXPANSION or NEW
    number: int


class Seeds(NamedTuple):
    """Where patches may begin: for each transition a queue of expansions (2 k) and one of new patches (2 k + 1)."""

    cells: NDArray[np.int64]  # (n,) flat indices, the best of each queue first
    ranks: NDArray[np.int64]  # (n,) what the queues compete with
    sizes: NDArray[np.int64]  # (n,) of the patch, in units of the demand
    starts: NDArray[np.int64]  # (2 K + 1,) where each queue begins


class Unfinished(NamedTuple):
    """Patches that the demand has cut, at most one of each transition."""

    cells: NDArray[np.int64]  # (n,) flat indices, those of one transition together
    starts: NDArray[np.int64]  # (K + 1,)
    rests: NDArray[np.int64]  # (K,) what is still to come, in units of the demand; 0 = no patch
    kinds: NDArray[np.int64]  # (K,) EXPANSION or NEW


class Growth(NamedTuple):
    """What has grown; and where the demand has cut a patch, what of it is still to come."""

    cells: NDArray[np.int64]  # (room,) flat indices, in the order in which they were taken
    choice: NDArray[np.int64]  # (room,) number of the transition
    left: NDArray[np.int64]  # (K,) demand that is still to be met
    begun: NDArray[np.int64]  # (K,) patches that began
    rests: NDArray[np.int64]  # (K,) what the cut patch lacks; 0 = none was cut
    kinds: NDArray[np.int64]  # (K,) of the cut patch
    starts: NDArray[np.int64]  # (K,) place in `cells` where the cut patch starts
    counts: NDArray[np.int64]  # (2,) how many cells are in use, and how many patches there are


@njit(nogil=True, cache=True)
def survey(field: Field, k: int, rows: tuple[int, int], out: NDArray[np.uint8]) -> None:
    """Say of each cell which kind of patch of a transition may begin there.

    Parameters
    ----------
    rows : first and last (exclusive) row to fill
    out : (y, x) uint8, written in ``rows``: `ELSEWHERE`, `EXPANSION` or `NEW`
    """
    # Arrays taken out of the tuples once: inside the loops each access would count its references.
    land_cover, barred, source = field.claims.land_cover, field.claims.barred, field.claims.source
    patch, kinds, recent = field.past.patch, field.past.kinds, field.past.recent
    target, kind = field.habits.targets[k], field.habits.kinds[k]
    height, width = land_cover.shape
    for row in range(rows[0], rows[1]):
        for column in range(width):
            out[row, column] = ELSEWHERE
            if land_cover[row, column] != source or barred[row, column]:
                continue
            beside, apart = False, True
            for y in range(max(0, row - 1), min(height, row + 2)):
                for x in range(max(0, column - 1), min(width, column + 2)):
                    beside |= land_cover[y, x] == target
                    number = patch[y, x]
                    if number and recent[number]:
                        apart &= kinds[number] != kind
            if apart:
                out[row, column] = EXPANSION if beside else NEW


@njit(nogil=True, cache=True)
def grow(field: Field, seeds: Seeds, unfinished: Unfinished, demand: NDArray[np.int64], room: int) -> Growth:
    """Let patches grow until every transition out of one class has what it demands, or no seed is left.

    Patches that are unfinished go on first. Then all transitions share one queue: that whose next seed ranks highest
    comes next, and whether this is an expansion or a new patch is drawn.

    Parameters
    ----------
    field : its past is written
    demand : (K,) int64
    room : no fewer than the cells that can be taken
    """
    growth = _prepare(demand, room)
    heap = [(np.int64(0), np.int64(0))]
    is_open = demand > 0
    number = field.past.first
    for k in range(demand.size):
        if is_open[k] and unfinished.rests[k] > 0:
            patch = Patch(k, unfinished.kinds[k], number)
            heap.clear()
            _go_on(field, patch, unfinished.cells[unfinished.starts[k] : unfinished.starts[k + 1]], heap)
            is_open[k] = not _grow_one(field, patch, unfinished.rests[k], growth, heap)
            number += 1
    cursor = seeds.starts[:-1].copy()
    while True:
        k, kind = _choose(field, seeds, cursor, growth.begun, is_open)
        if k < 0:
            break
        place = cursor[_queue(k, kind)]
        patch = Patch(k, kind, number)
        heap.clear()
        heappush(heap, (np.int64(0), seeds.cells[place]))
        _enter(field, patch)
        is_open[k] = not _grow_one(field, patch, seeds.sizes[place], growth, heap)
        growth.begun[k] += 1
        number += 1
    growth.counts[1] = number - field.past.first
    return growth


@njit(nogil=True)
def _prepare(demand: NDArray[np.int64], room: int) -> Growth:
    count = demand.size
    return Growth(
        np.empty(room, np.int64),
        np.empty(room, np.int64),
        demand.copy(),
        np.zeros(count, np.int64),
        np.zeros(count, np.int64),
        np.zeros(count, np.int64),
        np.zeros(count, np.int64),
        np.zeros(2, np.int64),
    )


@njit(inline="always")
def _queue(k: int, kind: int) -> int:
    return 2 * k + kind - EXPANSION


@njit(nogil=True)
def _enter(field: Field, patch: Patch) -> None:
    """Write a patch into the past."""
    field.past.kinds[patch.number] = field.habits.kinds[patch.k]
    field.past.recent[patch.number] = field.habits.apart[patch.k]


@njit(nogil=True)
def _go_on(field: Field, patch: Patch, cells: NDArray[np.int64], heap: _Heap) -> None:
    """Make an unfinished patch, by its cells so far, one of this year."""
    _enter(field, patch)
    width = field.claims.land_cover.shape[1]
    for cell in cells:
        field.past.patch[cell // width, cell % width] = patch.number
    for cell in cells:
        _offer(field, patch, cell, heap)


@njit(nogil=True)
def _choose(
    field: Field,
    seeds: Seeds,
    cursor: NDArray[np.int64],
    begun: NDArray[np.int64],
    is_open: NDArray[np.bool_],
) -> tuple[int, int]:
    """Return the transition and the kind of the patch that begins next; -1 if no seed is left.

    Equal ranks are settled by cell and class, so that the order of the transitions does not matter.
    """
    best, best_kind, best_claim = -1, EXPANSION, (np.int64(0), np.int64(0), np.int64(0))
    for k in range(is_open.size):
        if not is_open[k]:
            continue
        drawn = draw(field.habits.streams[k], begun[k], 0) >> np.uint64(64 - SHARE_BITS)
        kind = EXPANSION if np.int64(drawn) < field.habits.expanding[k] else NEW
        if not _advance(field, seeds, cursor, k, kind):
            kind = EXPANSION + NEW - kind
            if not _advance(field, seeds, cursor, k, kind):
                is_open[k] = False
                continue
        place = cursor[_queue(k, kind)]
        claim = seeds.ranks[place], -seeds.cells[place], -np.int64(field.habits.targets[k])
        if best < 0 or claim > best_claim:
            best, best_kind, best_claim = k, kind, claim
    return best, best_kind


@njit(nogil=True)
def _advance(field: Field, seeds: Seeds, cursor: NDArray[np.int64], k: int, kind: int) -> bool:
    """Move a queue on to its next seed that is still free, and away from other patches."""
    queue = _queue(k, kind)
    width = field.claims.land_cover.shape[1]
    while cursor[queue] < seeds.starts[queue + 1]:
        row, column = divmod(seeds.cells[cursor[queue]], width)
        if _is_free(field, row, column) and _fit(field, Patch(k, kind, -1), row, column) >= 0:
            return True
        cursor[queue] += 1
    return False


@njit(nogil=True)
def _grow_one(field: Field, patch: Patch, size: Int, growth: Growth, heap: _Heap) -> bool:
    """Take the best cells off the heap until the size, or the demand, is met as nearly as whole cells can.

    Returns whether the demand is met.
    """
    k, width, start = patch.k, field.claims.land_cover.shape[1], growth.counts[0]
    while heap:
        cell = heappop(heap)[1]
        row, column = divmod(cell, width)
        if not _is_free(field, row, column):
            continue
        weight = field.row_weight[row]
        if 2 * growth.left[k] <= weight:
            growth.rests[k], growth.kinds[k], growth.starts[k] = size, patch.kind, start
            return True
        field.past.patch[row, column] = patch.number
        growth.cells[growth.counts[0]], growth.choice[growth.counts[0]] = cell, k
        growth.counts[0] += 1
        growth.left[k] -= weight
        size -= weight
        if 2 * size <= weight:
            break
        _offer(field, patch, cell, heap)
    return bool(growth.left[k] <= 0)


@njit(nogil=True)
def _offer(field: Field, patch: Patch, cell: Int, heap: _Heap) -> None:
    """Put the free cells around a cell of the patch onto the heap; one that is there already comes again, higher."""
    claims, k = field.claims, patch.k
    height, width = claims.land_cover.shape
    row, column = divmod(cell, width)
    for y in range(max(0, row - 1), min(height, row + 2)):
        for x in range(max(0, column - 1), min(width, column + 2)):
            mine = _fit(field, patch, y, x) if _is_free(field, y, x) else -1
            if mine >= 0:
                score = score_of(claims.scores, claims.slots[k], y, x)
                key = key_of(claims.streams[k], y, x, score, claims.temperature, claims.gumbel)
                heappush(heap, (-(key + mine * field.habits.preference[k]), np.int64(y * width + x)))


@njit(nogil=True)
def _is_free(field: Field, row: int, column: int) -> bool:
    claims, past = field.claims, field.past
    return bool(
        claims.land_cover[row, column] == claims.source
        and claims.barred[row, column] == 0
        and past.patch[row, column] < past.first
    )


@njit(nogil=True)
def _fit(field: Field, patch: Patch, row: int, column: int) -> int:
    """Return how many of a cell's neighbours a patch has; -1 if the cell may not join it.

    No patch may come to touch a recent one of its transition, and no new one the target class.
    """
    land_cover, past, habits = field.claims.land_cover, field.past, field.habits
    apart, target, kind = habits.apart[patch.k], habits.targets[patch.k], habits.kinds[patch.k]
    height, width = land_cover.shape
    mine = 0
    for y in range(max(0, row - 1), min(height, row + 2)):
        for x in range(max(0, column - 1), min(width, column + 2)):
            other = past.patch[y, x]
            if other == patch.number:
                mine += 1
            elif apart and (
                (past.recent[other] and past.kinds[other] == kind) or (patch.kind == NEW and land_cover[y, x] == target)
            ):
                return -1
    return mine


@njit(nogil=True, cache=True)
def draw_sizes(stream: np.uint64, cells: NDArray[np.int64], width: int, sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Draw one of the sizes for each cell (flat indices)."""
    out = np.empty(cells.size, np.int64)
    for n in range(cells.size):
        row, column = divmod(cells[n], width)
        bits = draw(stream, row, column) >> np.uint64(64 - SHARE_BITS)
        out[n] = sizes[(np.int64(bits) * sizes.size) >> SHARE_BITS]
    return out


@njit(nogil=True, cache=True)
def count_border(patch: NDArray[np.int32], cells: NDArray[np.int64]) -> int:
    """Return how many sides of the cells (flat indices) lead out of their patch."""
    height, width = patch.shape
    sides = 0
    for cell in cells:
        row, column = divmod(cell, width)
        for y, x in ((row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)):
            inside = 0 <= y < height and 0 <= x < width
            sides += not (inside and patch[y, x] == patch[row, column])
    return sides
