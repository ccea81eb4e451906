"""How fast the engine's inner loops are, on one million cells. `make bench` measures; `make test` runs each once."""

from __future__ import annotations

import numpy as np
import pytest
from affine import Affine
from odc.geo.geobox import GeoBox
from pytest_benchmark.fixture import BenchmarkFixture

from catalog.legend import Legend
from scenarios.allocation.patches import PatchRule, PatchRules
from scenarios.cluster import ONE, Workers
from scenarios.demand.transitions import Transition
from scenarios.grid import Grid
from scenarios.kernels import draws
from scenarios.kernels.races import race
from scenarios.kernels.windows import count_window
from scenarios.model import Model
from scenarios.potential.neighbourhood import Neighbourhood
from scenarios.potential.potential import indifferent
from scenarios.projection.years import project
from scenarios.spec import Scenario
from tests.scenarios.landscapes import build_claims

EDGE = 1000
LEGEND = Legend.from_json({"nodata": 0, "classes": {"1": "Forest", "2": "Built", "3": "Crop", "4": "Grass"}})


@pytest.fixture(scope="module")
def land_cover() -> np.ndarray:
    patches = np.random.default_rng(1).integers(1, 5, (EDGE // 20, EDGE // 20), dtype=np.uint8)
    return np.kron(patches, np.ones((20, 20), np.uint8))


@pytest.mark.parametrize("radius", [3, 10])
def test_count_one_class_in_windows(benchmark: BenchmarkFixture, land_cover: np.ndarray, radius: int) -> None:
    out = np.zeros(land_cover.shape, np.uint16)
    benchmark(count_window, land_cover, 1, radius, (0, EDGE), out)
    assert out.max() == (2 * radius + 1) ** 2 or out.max() >= 400  # a whole patch fits into the larger window


def test_collect_candidates_of_two_transitions(benchmark: BenchmarkFixture, land_cover: np.ndarray) -> None:
    claims = build_claims(land_cover, np.zeros((2, *land_cover.shape), np.int16))
    cells, keys = np.empty(EDGE**2, np.int64), np.empty((EDGE**2, 2), np.int64)
    floors = np.full(2, 6 * draws.SCALE << draws.TIE_BITS)
    found = benchmark(race, claims, np.array([(0, EDGE, 0, EDGE)]), floors, cells, keys)
    # A Gumbel value passes 6 with probability 0.0025, in either of two draws.
    assert found == pytest.approx(0.005 * (land_cover == 1).sum(), rel=0.2)


@pytest.mark.parametrize(("threads", "rule"), [(1, "cells"), (2, "cells"), (1, "patches")])
def test_project_five_years(benchmark: BenchmarkFixture, land_cover: np.ndarray, threads: int, rule: str) -> None:
    grid = Grid(GeoBox((EDGE, EDGE), Affine(30, 0, 500_000, 0, -30, 4_000_000), "EPSG:32630"))
    rates = {Transition(1, 2): 0.005, Transition(1, 3): 0.005, Transition(3, 2): 0.002, Transition(4, 3): 0.01}
    near = Neighbourhood.of(grid, [150], LEGEND.values)
    sizes_ha = np.arange(1, 16) * grid.weight_ha  # 8 cells on average
    patches = PatchRules(dict.fromkeys(rates, PatchRule(sizes_ha, sizes_ha, compactness=0.8, preference=1.0)), years=5)
    model = Model(grid, LEGEND, indifferent(list(rates), near), rates, patches=patches)
    scenario = Scenario(
        id="speed",
        title="Speed",
        landscape="grid",
        start=2020,
        years=5,
        history=(2010, 2020),
        allocation={"rule": rule},
    )
    workers = ONE if threads == 1 else Workers(threads)

    def run() -> float:
        return sum(
            sum(step.placed_ha.values())
            for step in project(model, scenario, land_cover, temperature=1.0, member=0, workers=workers)
        )

    placed = benchmark(run)
    assert placed > 0
