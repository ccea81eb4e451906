"""The engine done the slow and obvious way, whole maps at a time: what the fast one is compared with."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import convolve

from scenarios.demand.rates import Ledger
from scenarios.kernels.assignment import NONE, assign
from scenarios.kernels.draws import TIE_BITS, draw, gumbel_table, stream
from scenarios.kernels.keys import Claims
from scenarios.kernels.races import LATEST, key_of_time
from scenarios.kernels.races import wait as wait_plainly
from scenarios.kernels.strips import LARGEST_SCORE, STRIP
from scenarios.model import Model
from scenarios.potential.potential import Potential
from scenarios.spec import Scenario
from tests.scenarios.landscapes import Map, build_claims

Ints = NDArray[np.int64]


def count_plainly(land_cover: Map, value: int, radius: int) -> Ints:
    """Count the cells of a class (-1: of any) in the window around each cell."""
    mask = (land_cover != 0) if value < 0 else (land_cover == value)
    window = np.ones((2 * radius + 1, 2 * radius + 1), np.int64)
    return np.asarray(convolve(mask.astype(np.int64), window, mode="constant"))


def score_plainly(potential: Potential, land_cover: Map, t: int) -> Ints:
    """Add a transition's static score and, for each window, the score of the class's share of the cells with data."""
    near = potential.neighbourhood
    total = potential.static[t].astype(np.int64)
    for w, (r, value) in enumerate(near.windows):
        radius = near.radii[r]
        count, valid = count_plainly(land_cover, value, radius), count_plainly(land_cover, -1, radius)
        share = np.floor(count * (2 * radius + 1) ** 2 / np.maximum(valid, 1) + 0.5).astype(np.int64)
        total += np.where(potential.used[t, w], potential.curves[t, w, share], 0)
    return np.asarray(np.clip(total, -LARGEST_SCORE, LARGEST_SCORE))


def key_plainly(claims: Claims) -> Ints:
    """Return every cell's keys, (transition, y, x), from the formulas in the docstrings."""
    rows, columns = np.indices(claims.land_cover.shape).astype(np.uint64)
    table = gumbel_table().astype(np.int64)
    out = []
    for slot, draws in zip(claims.slots, claims.streams, strict=True):
        z = draws + (rows << np.uint64(32) | columns) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        bits = z ^ (z >> np.uint64(31))
        # The middle of one of 2**44 parts of (0, 1), doubled: its power of two and 8 more bits name the Gumbel value.
        fraction, exponent = np.frexp(((bits >> np.uint64(20)).astype(np.float64) * 2) + 1)
        place = (exponent.astype(np.int64) - 1) * 256 + np.floor((2 * fraction - 1) * 256).astype(np.int64)
        noise = (claims.temperature * table[place]) >> 10
        score = claims.scores[:, :, slot].astype(np.int64) if slot >= 0 else 0
        out.append((score + noise) * 2**TIE_BITS + (bits & np.uint64(2**TIE_BITS - 1)).astype(np.int64))
    return np.stack(out)


def race_plainly(claims: Claims) -> Ints:
    """Let every clock of every strip strike; return the keys, (transition, y, x), `LATEST` where there is no runner."""
    out = np.full((claims.slots.size, *claims.land_cover.shape), LATEST)
    for k, row in np.ndindex(claims.slots.size, claims.land_cover.shape[0]):
        runners = np.flatnonzero(claims.land_cover[row] == claims.source)
        for strip in np.unique(runners // STRIP):
            mine = runners[runners // STRIP == strip].tolist()
            _race_strip_plainly(claims, k, row, int(strip), mine, out)
    return out


def _race_strip_plainly(claims: Claims, k: int, row: int, strip: int, left: list[int], out: Ints) -> None:
    slot, own = claims.slots[k], claims.streams[k] ^ np.uint64(0xD1B54A32D192ED03)
    scores = claims.scores[row, :, slot].tolist() if slot >= 0 else [0] * claims.land_cover.shape[1]
    lowest = int(claims.ceilings[k]) - 2 * int(LARGEST_SCORE)
    weights = {column: int(claims.weights[scores[column] - lowest]) for column in left}
    time = 0.0
    for n in range(len(left)):
        wait, aim = ((int(draw(own, row, 2 * (strip * STRIP + n) + which)) // 4096 + 0.5) / 2.0**52 for which in (0, 1))
        passed = list(accumulate(weights[column] for column in left))
        time += wait_plainly(wait) / (passed[-1] * float(claims.units[k]))
        struck = left.pop(bisect_right(passed, min(int(aim * float(passed[-1])), passed[-1] - 1)))
        out[k, row, struck] = key_of_time(time, claims.temperature)


def place_plainly(claims: Claims, demand: Ints, row_weight: Ints) -> Map:
    """Let all free cells of the class compete; return each cell's transition, counted from 1, (y, x)."""
    free = np.flatnonzero((claims.land_cover == claims.source) & (claims.barred == 0))
    keys = (race_plainly if claims.weights.size else key_plainly)(claims).reshape(demand.size, -1)[:, free].T
    choice = assign(np.ascontiguousarray(keys), row_weight[free // claims.land_cover.shape[1]], demand)
    out = np.zeros(claims.land_cover.shape, np.uint8)
    out.ravel()[free[choice != NONE]] = choice[choice != NONE] + 1
    return out


def project_plainly(model: Model, plans: Scenario, start: Map, member: int, temperature: float) -> list[Map]:
    """Project without interventions, where no class runs out."""
    ledger, now, maps = Ledger(), start.copy(), []
    for year in plans.projected_years:
        following = now.copy()
        for source in sorted({t.source for t in model.rates}):
            chosen = [t for t in model.rates if t.source == source]
            area = float(model.grid.weigh(now, (source,))[0])
            demand = np.array([ledger.ask(t, area * model.rates[t]) for t in chosen])
            rows = [model.potential.transitions.index(t) for t in chosen]
            scores = np.stack([score_plainly(model.potential, now, row) for row in rows]).astype(np.int16)
            draws = [stream(plans.seed, member, year, t.source, t.target) for t in chosen]
            claims = build_claims(now, scores, source=source, temperature=temperature)._replace(streams=np.array(draws))
            taken = place_plainly(claims, demand, model.grid.row_weight)
            for k, t in enumerate(chosen):
                placed = int(model.grid.row_weight @ (taken == k + 1).sum(axis=1))
                ledger.carry(t, int(demand[k]) - placed)
                following[taken == k + 1] = t.target
        now = following
        maps.append(now)
    return maps
