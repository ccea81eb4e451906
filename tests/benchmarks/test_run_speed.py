"""How fast members are drawn, by threads and by processes, beside the time to write as many maps as a member has.

`make bench` measures landscapes of 1 and 10 million cells; `MILLIONS=100` others. `make test` runs each once on a small
one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from catalog.legend import Legend
from datacommons.runs.cubes import CubeWriter, legend_attributes
from scenarios.cluster import Workers, open_cluster
from scenarios.demand.transitions import Transition
from scenarios.model import Model
from scenarios.potential.neighbourhood import Neighbourhood
from scenarios.potential.potential import indifferent
from scenarios.projection.ensemble import gather_ensemble
from scenarios.projection.walks import Walks
from scenarios.spec import Scenario
from tests.scenarios.landscapes import Map, projected_grid

SIZES = [float(size) for size in os.environ.get("MILLIONS", "0.01").replace(",", " ").split()]
LEGEND = Legend.from_json({"nodata": 0, "classes": {"1": "Forest", "2": "Built", "3": "Crop", "4": "Grass"}})
RATES = {Transition(1, 3): 0.005, Transition(1, 4): 0.005, Transition(3, 2): 0.002, Transition(4, 3): 0.01}
YEARS = 20

by_size = pytest.mark.parametrize("millions", SIZES)


@cache
def make_walks(millions: float, transitions: int, members: int) -> Walks:
    """Return a landscape of patches whose cells are all alike, with a neighbourhood of 7 x 7 cells to keep count of."""
    edge = round((millions * 1e6) ** 0.5)
    patches = np.random.default_rng(1).integers(1, 5, (edge // 20 + 1, edge // 20 + 1), dtype=np.uint8)
    start: Map = np.kron(patches, np.ones((20, 20), np.uint8))[:edge, :edge].copy()
    grid, rates = projected_grid(start.shape, 30), dict(list(RATES.items())[:transitions])
    model = Model(grid, LEGEND, indifferent(list(rates), Neighbourhood(grid, (3,), LEGEND.values)), rates)
    plans = {"id": "speed", "title": "Speed", "landscape": "grid", "start": 2020, "history": [2010, 2020]}
    return Walks(model, Scenario.model_validate(plans | {"years": YEARS, "members": members}), start)


@pytest.fixture(scope="module")
def threads() -> Workers:
    return Workers()


@pytest.fixture(scope="module")
def processes() -> Iterator[Workers]:
    with open_cluster("processes") as cluster:
        yield Workers(cluster=cluster)


@by_size
@pytest.mark.parametrize("transitions", [1, 4])
@pytest.mark.parametrize("members", [1, 30])
@pytest.mark.parametrize("kind", ["threads", "processes"])
def test_draw(
    benchmark: BenchmarkFixture,
    request: pytest.FixtureRequest,
    millions: float,
    transitions: int,
    members: int,
    kind: str,
) -> None:
    walks, workers = make_walks(millions, transitions, members), request.getfixturevalue(kind)
    benchmark.group = f"{millions:g} million cells, {YEARS} years"
    found = benchmark.pedantic(gather_ensemble, (walks, workers), warmup_rounds=1 if millions <= 1 else 0)
    assert found.members == members
    assert (found.area_ha[:, -1] != found.area_ha[:, 0]).any()


@by_size
def test_write_as_many_maps(benchmark: BenchmarkFixture, tmp_path: Path, millions: float) -> None:
    walks = make_walks(millions, 4, 1)
    maps = [walks.start] * YEARS
    benchmark.group = f"{millions:g} million cells, {YEARS} years"
    names = iter(range(100))

    def write() -> Path:
        path = tmp_path / f"{next(names)}.zarr"
        years = list(walks.scenario.projected_years)
        with CubeWriter(path, walks.model.grid.geobox, years, LEGEND, {}) as writer:
            array = writer.add("land_cover", ("time", "y", "x"), legend_attributes(LEGEND))
            for n, land_cover in enumerate(maps):
                array[n] = land_cover
        return path

    assert benchmark.pedantic(write).is_dir()
