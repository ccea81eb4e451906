"""What `make bench-scale` runs, on tiny landscapes: the right job is done, and what it took is found in the table."""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import rasterio

import datacommons as dc
from tests.benchmarks.bars import Bench, Row
from tests.benchmarks.footprint import run_watched
from tests.benchmarks.performance_page import write_bars, write_members
from tests.benchmarks.scale import LINES, choose, measure
from tests.benchmarks.thousand import publish_many, tell
from tests.benchmarks.wide import BUILT, CROP, FOREST, GRASS, LEGEND, WideLandscape
from tests.benchmarks.workloads import Stopwatch, learn, prepare, publish, race, revise, sweep

pytestmark = pytest.mark.long

EDGE = 96
MODELLED = {(FOREST, CROP), (FOREST, GRASS), (CROP, BUILT), (GRASS, CROP)}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a commons, and what was learned of its landscape."""
    folder = tmp_path_factory.mktemp("scale")
    assert set(prepare(folder, EDGE)) == {"generate", "generate, cores", "ingest", "ingest, cores"}
    assert learn(folder, EDGE)["learn"] > 0
    return folder


def test_a_wide_landscape_changes_by_four_transitions(tmp_path: Path) -> None:
    (before, after), drivers = _read(WideLandscape(700), tmp_path)
    assert set(np.unique(before)) == set(LEGEND.values)
    assert {(int(a), int(b)) for a, b in zip(before[before != after], after[before != after], strict=True)} == MODELLED
    assert 0.002 < (before != after).mean() < 0.05
    assert all(np.ptp(driver.astype(float)) > 0 for driver in drivers)


def test_a_wide_landscape_is_the_same_each_time_and_another_by_seed(tmp_path: Path) -> None:
    first, again, other = (
        _read(WideLandscape(200, seed), tmp_path / name)[0][1] for name, seed in (("a", 0), ("b", 0), ("c", 1))
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_the_run_and_the_sweep_write_as_many_maps_as_they_are_compared_with(place: Path) -> None:
    told = publish(place, EDGE)
    assert 0 < told["write"] < told["publish"]
    with dc.open(place / "commons") as commons:
        run = commons.open_run(commons.runs()[-1])
        assert run.scenario.members == 1
        assert run.scenario.potential.neighbourhood_years == 1
        maps = run.trajectory["land_cover"].to_numpy()
    assert maps.shape == (21, EDGE, EDGE)
    assert all((a != b).any() for a, b in pairwise(maps))
    assert sweep(place, EDGE)["publish"] > 0


def test_a_revision_and_a_race_are_timed(place: Path) -> None:
    assert min(revise(place, EDGE)[kind] for kind in ("drawn", "best")) > 0
    told = race(place, EDGE)
    for kind in ("drawn", "best"):
        assert 0 < told[f"one, {kind}, cells placed"] < told[f"four, {kind}, cells placed"]


def test_landscapes_of_one_commons_are_counted_by_search(tmp_path: Path) -> None:
    assert publish_many(tmp_path, EDGE, 1, hours=0)["published"] == 0
    first = publish_many(tmp_path, EDGE, 1)
    (tmp_path / "noted" / "0.json").unlink()  # as if it had been cut off: it is not counted
    told = publish_many(tmp_path, EDGE, 1)
    assert first["published"] == told["published"] == told["found"] == 1
    with dc.open(tmp_path / "commons") as commons:
        assert commons.landscapes() == ["wide-96-0", "wide-96-1"]
        assert len(commons.runs()) == 6
    bench = Bench()
    tell(bench, told | {"clock": 36.0, "generate": 2.0}, EDGE, 1)
    hours, found = bench.barred
    assert hours.measured == pytest.approx((36 - 2) * 1000 / 3600)
    assert found.holds


def test_the_fastest_attempt_is_the_reference() -> None:
    attempts = [
        Stopwatch({"write": clock, "write, cores": cores}) for clock, cores in ((15.8, 0.9), (0.8, 0.8), (1.1, 0.7))
    ]
    watch = Stopwatch({"publish": 20.0})
    watch.keep_fastest("write", attempts)
    assert watch.seconds == {"publish": 20.0, "write": 0.8, "write, cores": 0.7, "write, slowest": 15.8}


def test_rows_are_chosen_by_number_or_name() -> None:
    assert [line.number for line in choose("")] == list(range(1, 10))
    assert [line.number for line in choose("3, memory")] == [2, 3]
    assert len({line.name for line in LINES}) == 9
    with pytest.raises(ValueError, match=r"no row speed; ROWS takes some of 1 \(run\)"):
        choose("speed")


def test_a_chosen_row_is_measured_in_a_process_of_its_own(tmp_path: Path) -> None:
    bench = measure("continent members learning cluster", 1e-6, tmp_path)
    memory, members, seconds, ratio = bench.barred
    assert all(row.measured > 0 for row in (memory, members, seconds, ratio))
    assert ratio.what == "times threads, on a LocalCluster of 4 processes"


def test_memory_of_a_process_and_its_children_is_added_up() -> None:
    hold = "import time; held = bytearray(200 << 20); time.sleep(1)"
    parent = (
        f"import subprocess, sys; {hold.replace('time.sleep(1)', '')}subprocess.run([sys.executable, '-c', {hold!r}])"
    )
    ended = run_watched([sys.executable, "-c", parent], 2**34)
    assert (ended.code, ended.stopped) == (0, False)
    assert 400 << 20 < ended.peak_bytes < 500 << 20


def test_a_process_that_takes_too_much_is_ended() -> None:
    ended = run_watched([sys.executable, "-c", "held = bytearray(300 << 20); input()"], 200 << 20)
    assert ended.stopped
    assert ended.peak_bytes > 200 << 20


def test_the_page_names_machine_and_rows(tmp_path: Path) -> None:
    bench = Bench()
    bench.add("1. Run", Row("times writing", 20.0, most=12, aim=3, digits=1))
    bench.skip("3. continent", "it takes long")
    write_bars(tmp_path / "page.md", bench, "A trial.\n\n")
    text = (tmp_path / "page.md").read_text("utf-8")
    assert "\n| times writing | 20.0 | ≤ 12 | 3 | falls short |\n" in text
    assert "A trial.\n\nMeasured on " in text
    assert "Not measured: 3. continent: it takes long.\n" in text
    assert "\n0 of 1 bars hold.\n" in text
    assert "## Members, by threads and by processes\n\nNot measured yet." in text


def test_parts_of_the_page_are_written_one_by_one(tmp_path: Path) -> None:
    page, bench, group = tmp_path / "page.md", Bench(), "1 million cells, 20 years"
    bench.add("1. Run", Row("times writing", 20.0, most=12))

    def timed(name: str, seconds: float, **params: object) -> dict[str, object]:
        return {"name": name, "group": group, "params": {"millions": 1.0, **params}, "stats": {"min": seconds}}

    members = [
        timed("test_write_as_many_maps[1.0]", 0.5),
        *(
            timed("test_draw", seconds, transitions=4, members=n, kind="threads")
            for n, seconds in ((30, 6.0), (1, 0.25))
        ),
        {"name": "test_count_one_class", "group": None, "params": {"radius": 3}, "stats": {"min": 1.0}},
    ]
    write_members(page, members)
    write_bars(page, bench)
    write_bars(page, bench)
    text = page.read_text("utf-8")
    rows = ["| 1 | 4 | 1 | threads | 0.25 | 0.50 | 0.50 |", "| 1 | 4 | 30 | threads | 6.00 | 0.50 | 12.00 |"]
    assert "\n".join(rows) in text
    assert text.count("1 bars hold") == text.count("## Against the bars") == text.count("# Performance") == 1
    assert text.index("## Against the bars") < text.index("## Members")


def _read(landscape: WideLandscape, folder: Path) -> tuple[list[np.ndarray], list[np.ndarray]]:
    files = landscape.write(folder)
    maps, drivers = ([_read_band(path) for path in paths] for paths in files)
    return maps, drivers


def _read_band(path: Path) -> np.ndarray:
    with rasterio.open(path) as dataset:
        return np.asarray(dataset.read(1))
