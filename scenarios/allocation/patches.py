"""Patches of change: how large they are, how compact, and whether they expand what is there, as the history shows.

A patch is what made one transition between two dates and hangs together at sides or corners. One that touches the
target class of the first date expands it; the others are new (the expander and the patcher of Soares-Filho et al. 2002,
doi:10.1016/S0304-3800(02)00059-5). Sizes are drawn from those that were observed, and the form is tuned until patches
are as compact as the observed ones, as by Meentemeyer et al. (2013, doi:10.1080/00045608.2012.707591).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import label

from catalog.legend import Legend
from scenarios.demand.transitions import History, Transition
from scenarios.grid import Grid
from scenarios.kernels import draws
from scenarios.kernels.growth import EXPANSION, SHARE_BITS, Field, Habits, Past, Seeds, Unfinished, count_border, grow
from scenarios.kernels.keys import TEMPERATURE_ONE, Claims
from scenarios.projection.strips import NO_WEIGHTS, UNKNOWN

FEWEST = 10
"""Patches of a transition below which nothing is learned from them."""

PREFERENCES = (0.0, 0.5, 1.0, 2.0, 4.0)
"""Preferences that are tried, in log odds for each neighbour; between them is interpolated."""

_MOST_GROWN = 3_000  # patches that are grown anew to find the preference
_EIGHT = np.ones((3, 3), bool)


@dataclass(frozen=True, eq=False)
class PatchRule:
    """The patches of one transition.

    Parameters
    ----------
    expansion_ha : (n,) float64, rising, sizes of the patches that touched the target class, hectares
    new_ha : (m,) float64, rising, sizes of the others
    compactness : the shortest border that patches of these sizes could have, as a share of the border that they had
    preference : how much each neighbour that is in the patch already adds to the log odds of a cell beside it
    """

    expansion_ha: NDArray[np.float64]
    new_ha: NDArray[np.float64]
    compactness: float
    preference: float

    @property
    def patches(self) -> int:
        """How many were observed."""
        return self.expansion_ha.size + self.new_ha.size

    @property
    def mean_ha(self) -> float:
        """Mean size, hectares."""
        return float(self.expansion_ha.sum() + self.new_ha.sum()) / self.patches

    @property
    def expansion_share(self) -> float:
        """Share of the changed area that lay in patches which touched the target class."""
        return float(self.expansion_ha.sum()) / (self.mean_ha * self.patches)

    def summary(self) -> dict[str, float]:
        """Return what a reader wants to know, as JSON can hold it."""
        return {
            "observed": self.patches,
            "mean_ha": round(self.mean_ha, 4),
            "expansion_share": round(self.expansion_share, 4),
            "compactness": round(self.compactness, 4),
            "preference": round(self.preference, 4),
        }


@dataclass(frozen=True)
class PatchRules:
    """The patches of all transitions.

    Parameters
    ----------
    rules : by transition; one that is missing is placed cell by cell
    years : length of the interval in which patches were observed. So long they keep apart: what touched within the
        interval counts as one patch.
    """

    rules: Mapping[Transition, PatchRule] = field(default_factory=dict)
    years: int = 1

    def of(self, transition: Transition) -> PatchRule | None:
        """Return the rule of a transition; None where it is placed cell by cell."""
        return self.rules.get(transition)

    def note_missing(self, transitions: Sequence[Transition], legend: Legend) -> list[str]:
        """Say which transitions are placed cell by cell, because too few patches were seen."""
        return [
            f"{legend.get(t.source).name} to {legend.get(t.target).name}: fewer than {FEWEST} patches of change; "
            "placed cell by cell"
            for t in transitions
            if t not in self.rules
        ]


def learn_patches(history: History, transitions: Sequence[Transition], grid: Grid) -> PatchRules:
    """Learn what the patches of each transition look like.

    Parameters
    ----------
    history : land-cover maps of two dates or more; the patches of all intervals count alike
    transitions : which to learn
    grid : of the maps

    Returns
    -------
    PatchRules, without the transitions that made fewer than `FEWEST` patches
    """
    years = sorted(history)
    rules = {}
    for transition in transitions:
        seen = [_Patches.observe(history[a], history[b], transition, grid) for a, b in pairwise(years)]
        if sum(each.sizes.size for each in seen) >= FEWEST:
            rules[transition] = _learn(seen, transition, grid)
    return PatchRules(rules, max(1, round((years[-1] - years[0]) / (len(years) - 1))))


def shortest_border(cells: NDArray[np.int64]) -> int:
    """Return the shortest border that patches of so many cells can have, in sides of cells.

    Notes
    -----
    ``2 ceil(2 sqrt(n))`` for a patch of n cells (Harary and Harborth 1976, *Journal of Combinatorics, Information and
    System Sciences* 1, 1-8).
    """
    return int((2 * np.ceil(2 * np.sqrt(cells))).sum())


@dataclass(frozen=True, eq=False)
class _Patches:
    """The patches of one transition in one interval."""

    first: NDArray[np.uint8]  # (y, x) land cover at its beginning
    cells: NDArray[np.int64]  # (n,) flat indices of what changed
    patch: NDArray[np.int64]  # (n,) which patch each cell is of, from 0
    sizes: NDArray[np.int64]  # (patch,) in units of the grid's weights
    touching: NDArray[np.bool_]  # (patch,) whether it touched the target class
    border: int  # of all patches, in sides of cells

    @classmethod
    def observe(cls, first: NDArray[np.uint8], last: NDArray[np.uint8], transition: Transition, grid: Grid) -> _Patches:
        labels, count = label((first == transition.source) & (last == transition.target), _EIGHT, output=np.int32)
        cells = np.flatnonzero(labels)
        rows, columns = np.divmod(cells, grid.shape[1])
        patch = labels.ravel()[cells].astype(np.int64) - 1
        sizes, touching = np.zeros(count, np.int64), np.zeros(count, bool)
        np.add.at(sizes, patch, grid.row_weight[rows])
        touching[patch[_touches(first, transition.target, rows, columns)]] = True
        return cls(first, cells, patch, sizes, touching, count_border(labels, cells))

    @property
    def shortest_border(self) -> int:
        """The shortest border that patches of these sizes could have."""
        return shortest_border(np.bincount(self.patch))


def _touches(
    land_cover: NDArray[np.uint8], target: int, rows: NDArray[np.int64], columns: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Return for each cell whether one of its eight neighbours has a class."""
    height, width = land_cover.shape
    around = [
        land_cover[np.clip(rows + y, 0, height - 1), np.clip(columns + x, 0, width - 1)] == target
        for y in (-1, 0, 1)
        for x in (-1, 0, 1)
    ]
    return np.asarray(np.logical_or.reduce(around))


def _learn(seen: Sequence[_Patches], transition: Transition, grid: Grid) -> PatchRule:
    sizes_ha = np.concatenate([each.sizes for each in seen]) * grid.weight_ha
    touching = np.concatenate([each.touching for each in seen])
    compactness = sum(each.shortest_border for each in seen) / sum(each.border for each in seen)
    most = max(seen, key=lambda each: each.sizes.size)
    preference = _find_preference(_Trial.of(most, transition, grid), compactness)
    return PatchRule(np.sort(sizes_ha[touching]), np.sort(sizes_ha[~touching]), compactness, preference)


def _find_preference(trial: _Trial, compactness: float) -> float:
    """Find with which preference patches grow as compact as they were, where they were and as large as they were."""
    grown = np.maximum.accumulate([trial.grow(preference) for preference in PREFERENCES])
    reached, first = np.unique(grown, return_index=True)  # of preferences that reach the same, the least
    return float(np.interp(compactness, reached, np.array(PREFERENCES)[first]))


@dataclass(frozen=True, eq=False)
class _Trial:
    """The seeds and sizes of observed patches, to be grown anew.

    All cells beside a patch are equally likely, so that only the draws and the preference shape it.
    """

    field: Field
    seeds: Seeds

    @classmethod
    def of(cls, seen: _Patches, transition: Transition, grid: Grid) -> _Trial:
        """Take a random cell of each patch for its seed; where there are very many patches, of some."""
        key = draws.stream(transition.source, transition.target)
        order = np.lexsort((draws.uniforms(key, *np.divmod(seen.cells, grid.shape[1])), seen.patch))
        seeds = seen.cells[order[np.unique(seen.patch[order], return_index=True)[1]]]
        numbers = np.arange(seeds.size)
        chosen = np.sort(np.argsort(draws.uniforms(key, numbers, numbers))[:_MOST_GROWN])
        ordered = np.concatenate([chosen[seen.touching[chosen]], chosen[~seen.touching[chosen]]])
        starts = np.array([0, np.count_nonzero(seen.touching[chosen]), chosen.size])
        claims = Claims(
            source=transition.source,
            land_cover=seen.first,
            barred=np.zeros(grid.shape, np.uint8),
            scores=np.zeros((1, 1, 1), np.int16),
            slots=np.array([-1]),
            streams=np.array([key]),
            temperature=TEMPERATURE_ONE,
            gumbel=draws.gumbel_table(),
            weights=NO_WEIGHTS,
            ceilings=np.zeros(1, np.int64),
            units=np.ones(1),
            strips=UNKNOWN,
            places=np.zeros(1, np.int64),
        )
        past = Past(
            np.zeros(grid.shape, np.int32), np.zeros(chosen.size + 1, np.int64), np.zeros(chosen.size + 1, np.bool_), 1
        )
        habits = Habits(
            targets=np.array([transition.target], np.uint8),
            kinds=np.ones(1, np.int64),
            apart=np.ones(1, np.bool_),
            expanding=np.array([fix_share(seen.touching.sum(), seen.touching.size)]),
            preference=np.zeros(1, np.int64),
            streams=np.array([key]),
        )
        ranks = np.zeros(chosen.size, np.int64)
        return cls(
            Field(claims, past, habits, grid.row_weight), Seeds(seeds[ordered], ranks, seen.sizes[ordered], starts)
        )

    def grow(self, preference: float) -> float:
        """Return how compact the patches are that grow with a preference."""
        self.field.habits.preference[0] = fix_preference(preference)
        patch, row_weight = self.field.past.patch, self.field.row_weight
        demand = np.array([self.seeds.sizes.sum()])
        none = Unfinished(np.empty(0, np.int64), np.zeros(2, np.int64), np.zeros(1, np.int64), np.array([EXPANSION]))
        growth = grow(self.field, self.seeds, none, demand, int(demand[0] // row_weight.min()) + 1)
        cells = growth.cells[: growth.counts[0]]
        compactness = shortest_border(np.bincount(patch.ravel()[cells])[1:]) / count_border(patch, cells)
        patch.ravel()[cells] = 0  # as it was, for the next trial
        return compactness


def fix_preference(preference: float) -> int:
    """Return a preference in units of the key."""
    return round(preference * draws.SCALE) << draws.TIE_BITS


def fix_share(part: int, whole: int) -> int:
    """Return a share of patches in the units of the kernels."""
    return (int(part) << SHARE_BITS) // int(whole)
