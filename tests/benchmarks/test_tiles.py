"""What `make bench-tiles` measures is what it says: the same map, tiles of all zooms, answers counted."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from tests.benchmarks.bars import Bench
from tests.benchmarks.tile_load import Load, ask_for
from tests.benchmarks.tile_site import RUN, make_ours, make_stock, write_site
from tests.benchmarks.tiles import YEARS, ZOOMS, choose_tiles, measure_endurance, measure_polygon, served

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tiles")


@pytest.fixture(scope="module")
def box(folder: Path) -> tuple[float, float, float, float]:
    return write_site(folder, 256)


def test_both_servers_draw_the_same_map(folder: Path, box: tuple[float, float, float, float]) -> None:
    ((z, x, y),) = choose_tiles(box, 7)[-1:]
    ours = TestClient(make_ours(folder)).get(f"/runs/{RUN}/{YEARS[1]}/tiles/WebMercatorQuad/{z}/{x}/{y}.png")
    file = folder / f"{YEARS[1]}.tif"
    stock = TestClient(make_stock(folder)).get(f"/tiles/WebMercatorQuad/{z}/{x}/{y}.png", params={"url": str(file)})
    assert (ours.status_code, stock.status_code) == (200, 200)
    assert ours.headers["content-type"] == stock.headers["content-type"] == "image/png"


def test_tiles_are_of_all_zooms_and_the_same_each_time(box: tuple[float, float, float, float]) -> None:
    tiles = choose_tiles(box, 100)
    assert {z for z, _, _ in tiles} == set(ZOOMS)
    assert len(set(tiles)) == len(tiles)
    assert tiles == choose_tiles(box, 100)
    assert tiles != choose_tiles(box, 100, seed=2)


def test_answers_are_counted_and_errors_too(folder: Path, box: tuple[float, float, float, float]) -> None:
    good = [f"/runs/{RUN}/{YEARS[0]}/tiles/WebMercatorQuad/{z}/{x}/{y}" for z, x, y in choose_tiles(box, 20)]
    with served("ours", folder) as server:
        load, cpu_ms = server.measure([*good, "/runs/none/2030/tiles/WebMercatorQuad/0/0/0"])
        current = ask_for(server.port, good, connections=2, headers="If-None-Match: *\r\n")
    assert (len(load.waited), load.errors, current.errors) == (len(good) + 1, 1, 0)
    assert cpu_ms > 0
    assert load.per_second > 0


def test_percentiles_are_of_what_was_waited() -> None:
    load = Load(seconds=2.0, waited=[n / 1000 for n in range(100, 0, -1)])
    assert (load.percentile_ms(50), load.percentile_ms(95), load.per_second) == (51.0, 96.0, 50.0)


def test_endurance_is_told_in_growth_and_errors(folder: Path, box: tuple[float, float, float, float]) -> None:
    bench = Bench()
    measure_endurance(bench, folder, box, requests=80)
    growth, held, errors = bench.sections["2. 80 requests to one process"]
    assert errors.measured == 0
    assert held.measured > 0
    assert growth.has_bar


def test_a_polygon_is_measured_in_the_middle_of_the_cubes(folder: Path, box: tuple[float, float, float, float]) -> None:
    bench = Bench()
    measure_polygon(bench, folder, 256)
    ((heading, (plain, *others)),) = bench.sections.items()
    assert 5_000 < float(heading.split()[6]) <= 10_100  # the map of this test is hardly larger
    assert [row.measured > 0 for row in (plain, *others)] == [True] * 3
    assert plain.has_bar
