"""Tiny landscapes, all made up: grids, maps, models and plans that the engine's tests share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import permutations
from typing import Any

import numpy as np
from affine import Affine
from hypothesis import strategies as st
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from pyproj import Transformer

from catalog.legend import Legend
from scenarios.allocation.patches import PatchRule, PatchRules
from scenarios.cluster import ONE
from scenarios.demand.transitions import Transition
from scenarios.grid import Grid
from scenarios.kernels import draws
from scenarios.kernels.keys import TEMPERATURE_ONE, Claims
from scenarios.model import Model
from scenarios.potential.neighbourhood import Neighbourhood
from scenarios.potential.potential import Potential, indifferent
from scenarios.projection.strips import UNKNOWN, choose_weights, look_at_strips, weigh_units
from scenarios.projection.yearbook import Year
from scenarios.projection.years import project
from scenarios.spec import Scenario

LEGEND = Legend.from_json({"nodata": 0, "classes": {"1": "Forest", "2": "Built", "3": "Other"}})
FOREST, BUILT, OTHER = LEGEND.values
EVERY_TRANSITION = tuple(Transition(a, b) for a, b in permutations(LEGEND.values, 2))

Map = NDArray[np.uint8]


def projected_grid(shape: tuple[int, int] = (40, 50), cell_m: float = 100.0) -> Grid:
    """Return a grid in UTM zone 18 N; a cell of 100 m is one hectare."""
    return Grid(GeoBox(shape, Affine(cell_m, 0, 500_000, 0, -cell_m, 4_000_000), "EPSG:32618"))


def geographic_grid(shape: tuple[int, int] = (40, 50), step: float = 0.01, north: float = 45.0) -> Grid:
    """Return a grid in degrees on WGS 84, whose cells shrink towards the pole."""
    return Grid(GeoBox(shape, Affine(step, 0, 10, 0, -step, north), "EPSG:4326"))


def random_map(shape: tuple[int, int], seed: int = 0, nodata: float = 0.1) -> Map:
    """Return a map of all classes at random, with a share of cells without data."""
    rng = np.random.default_rng(seed)
    cells = rng.choice(LEGEND.values, shape).astype(np.uint8)
    cells[rng.random(shape) < nodata] = 0
    return cells


def clear_squares(land_cover: Map, edge: int, *, new: int, expanding: int, seed: int = 0) -> Map:
    """Return the map with squares of forest built on, of which no two touch.

    Parameters
    ----------
    edge : of a square, in cells
    new, expanding : how many squares are to lie away from what is built, and beside it
    """
    rng, out, wanted = np.random.default_rng(seed), land_cover.copy(), {False: new, True: expanding}
    while any(wanted.values()):
        row, column = (int(rng.integers(1, size - edge)) for size in land_cover.shape)
        inside = (slice(row, row + edge), slice(column, column + edge))
        around = (slice(row - 1, row + edge + 1), slice(column - 1, column + edge + 1))
        beside = bool((land_cover[around] == BUILT).any())
        if wanted[beside] and (out[inside] == FOREST).all() and (out[around] == land_cover[around]).all():
            out[inside] = BUILT
            wanted[beside] -= 1
    return out


def neighbourhood(grid: Grid, cells: Sequence[int] = (1, 3)) -> Neighbourhood:
    """Return windows with radii in cells."""
    return Neighbourhood(grid, tuple(cells), LEGEND.values)


def random_potential(grid: Grid, transitions: Sequence[Transition], seed: int = 0) -> Potential:
    """Return a potential in which drivers and neighbours all matter, by random tables."""
    rng = np.random.default_rng(seed)
    plain = indifferent(transitions, neighbourhood(grid))
    used = rng.random(plain.used.shape) < 0.6
    curves = rng.normal(0, 700, plain.curves.shape).astype(np.int16)
    return replace(
        plain,
        static=rng.normal(0, 1500, plain.static.shape).astype(np.int16),
        curves=np.where(used[:, :, None], curves, 0).astype(np.int16),
        used=used,
    )


def patch_rules(sizes_ha: Mapping[Transition, Sequence[float]], years: int = 3, **changes: float) -> PatchRules:
    """Return rules by which half of the patches expand, and expansions and new patches have the same sizes."""
    shape = {"compactness": 0.8, "preference": 1.0} | changes
    sizes = {t: np.sort(np.asarray(each, np.float64)) for t, each in sizes_ha.items()}
    return PatchRules({t: PatchRule(each, each, **shape) for t, each in sizes.items()}, years)


def flat_model(grid: Grid, rates: Mapping[Transition, float]) -> Model:
    """Return a model that finds all cells alike."""
    return Model(grid, LEGEND, indifferent(tuple(rates), neighbourhood(grid)), rates)


def random_model(grid: Grid, rates: Mapping[Transition, float], seed: int = 0) -> Model:
    """Return a model with a random potential, and with patches of every second transition."""
    rng = np.random.default_rng(seed)
    cell_ha = float(grid.row_area_ha.mean())
    sizes = {t: rng.integers(1, 12, 20) * cell_ha for t in list(rates)[::2]}
    return Model(grid, LEGEND, random_potential(grid, tuple(rates), seed), rates, patches=patch_rules(sizes))


def scenario(*interventions: Mapping[str, Any], **changes: Any) -> Scenario:
    """Return a scenario of five years from 2000."""
    fields = {"id": "any", "title": "Any", "landscape": "any", "start": 2000, "years": 5, "history": (1990, 2000)}
    return Scenario.model_validate(fields | {"interventions": interventions} | changes)


def place(grid: Grid, rows: tuple[int, int], columns: tuple[int, int]) -> dict[str, Any]:
    """Return a block of cells as a GeoJSON polygon in WGS 84."""
    left, top = grid.geobox.affine @ (columns[0], rows[0])
    right, bottom = grid.geobox.affine @ (columns[1], rows[1])
    to_degrees = Transformer.from_crs(str(grid.geobox.crs), "EPSG:4326", always_xy=True)
    ring = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
    return {"type": "Polygon", "coordinates": [[list(to_degrees.transform(x, y)) for x, y in ring]]}


def walk(model: Model, plans: Scenario, start: Map, **how: Any) -> list[Year]:
    """Project, and keep every year's map."""
    return [replace(year, land_cover=year.land_cover.copy()) for year in project(model, plans, start, **how)]


def build_claims(
    land_cover: Map,
    scores: NDArray[np.int16],
    *,
    source: int = 1,
    streams: Sequence[int] = (1, 2, 3, 4),
    temperature: float = 1.0,
    barred: NDArray[np.bool_] | None = None,
) -> Claims:
    """Return the claims of as many transitions out of one class as there are scores, (transition, y, x)."""
    side_by_side = np.ascontiguousarray(np.moveaxis(scores, 0, -1))
    ceilings = scores.reshape(len(scores), -1).max(axis=1).astype(np.int64)
    fixed = round(temperature * TEMPERATURE_ONE)
    claims = Claims(
        source=source,
        land_cover=land_cover,
        barred=np.zeros(land_cover.shape, np.uint8) if barred is None else barred.astype(np.uint8),
        scores=side_by_side,
        slots=np.arange(len(scores)),
        streams=np.array([draws.stream(s) for s in streams[: len(scores)]], np.uint64),
        temperature=fixed,
        gumbel=draws.gumbel_table(),
        weights=choose_weights(temperature),
        ceilings=ceilings,
        units=weigh_units(ceilings, fixed),
        strips=UNKNOWN,
        places=np.zeros(0, np.int64),
    )
    return look_at_strips(claims, ONE)


def random_scores(transitions: int, shape: tuple[int, int], seed: int = 0) -> NDArray[np.int16]:
    """Return scores that spread by about two natural-log units."""
    return np.random.default_rng(seed).normal(0, 2 * draws.SCALE, (transitions, *shape)).astype(np.int16)


@dataclass(frozen=True, eq=False)
class World:
    """A model, the map that it starts from, and the temperature of its draws."""

    model: Model
    start: Map
    temperature: float


@st.composite
def worlds(draw: st.DrawFn, most: int = 60, largest_rate: float = 0.5, geographic: bool | None = False) -> World:
    """Draw a small landscape with one to six transitions; ``geographic=None`` draws either kind of grid."""
    shape = draw(st.integers(20, most)), draw(st.integers(20, most))
    degrees = draw(st.booleans()) if geographic is None else geographic
    grid = geographic_grid(shape) if degrees else projected_grid(shape)
    chosen = draw(st.lists(st.sampled_from(EVERY_TRANSITION), min_size=1, max_size=6, unique=True))
    rates = {t: draw(st.floats(0, largest_rate)) for t in sorted(chosen, key=lambda t: (t.source, t.target))}
    seed = draw(st.integers(0, 2**16))
    start = random_map(shape, seed, nodata=draw(st.sampled_from([0.0, 0.1, 0.8])))
    return World(random_model(grid, rates, seed), start, draw(st.sampled_from([0.0, 1.0, 4.0])))
