"""Many generated landscapes in one commons, three scenarios each: `make bench-thousand`, and ten in `make bench-scale`.

A landscape is worked on by one process with one thread, as many side by side as there are cores.
"""

from __future__ import annotations

import os
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import datacommons as dc
from catalog.collections import RUNS
from catalog.store import ANONYMOUS, Query
from datacommons.commons import Commons
from tests.benchmarks.bars import Bench, Row
from tests.benchmarks.wide import CELL_M, WideLandscape
from tests.benchmarks.workloads import Stopwatch, make_scenario, restore, take_in

EDGE = 1049  # 1.1 million cells
SCENARIOS = 3
GIB = 2**30


def publish_landscape(commons: Path, edge: int, seed: int) -> Mapping[str, float]:
    """Generate a landscape, take it into the commons, and publish three scenarios of it."""
    watch, landscape = Stopwatch(), WideLandscape(edge, seed)
    sources = commons.parent / landscape.name
    with watch.time("generate"):
        maps, layers = landscape.write(sources)
    with dc.open(commons) as opened:
        with watch.time("ingest"):
            take_in(opened, landscape, maps, layers)
        with watch.time("run"):
            for plan in _plans(edge):
                opened.run(make_scenario(landscape.name, **plan), threads=1)
    shutil.rmtree(sources)
    return watch.seconds


def _plans(edge: int) -> list[dict[str, object]]:
    """Return what tells the three scenarios apart: nothing, a restoration, and half the growth of towns."""
    slower = {
        "id": "slower-growth",
        "years": [2026, 2045],
        "change_rate": {"from": "crop", "to": "built", "factor": 0.5},
    }
    strips = restore(1e-4 * edge**2 * CELL_M**2 / 10_000)
    return [{}, {"id": "restored", "interventions": [strips]}, {"id": "compact", "interventions": [slower]}]


def publish_many(folder: Path, edge: int, count: int) -> Mapping[str, float]:
    """Publish so many landscapes in one commons, and search for all of them.

    Returns
    -------
    seconds on the clock and of the cores, bytes on the disk, and how many landscapes a search by box finds whole
    """
    commons, cores = folder / "commons", len(os.sched_getaffinity(0))
    dc.init(commons).close()
    clock = time.perf_counter()
    with ProcessPoolExecutor(cores, mp_context=get_context("spawn")) as pool:
        parts = list(pool.map(partial(publish_landscape, commons, edge), range(count)))
    clock = time.perf_counter() - clock
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    generated = sum(part["generate, cores"] for part in parts)
    with dc.open(commons) as opened:
        found = sum(_is_found(opened, WideLandscape(edge, seed)) for seed in range(count))
    size = sum(path.stat().st_size for path in commons.rglob("*") if path.is_file())
    seconds = {f"{what}, cores": sum(part[f"{what}, cores"] for part in parts) for what in ("ingest", "run")}
    return seconds | {
        "clock": clock,
        "cores": spent.ru_utime + spent.ru_stime,
        "workers": cores,
        "generate, cores": generated,
        "bytes": float(size),
        "found": float(found),
    }


def _is_found(commons: Commons, landscape: WideLandscape) -> bool:
    """Whether a visitor's search by the box of a landscape finds its three runs."""
    place = commons.landscape(landscape.name)
    west, south, east, north = place.bbox
    middle = ((west + east) / 2, (south + north) / 2)
    page = commons.store.search(Query(collections=(RUNS,), bbox=(*middle, *middle)), ANONYMOUS)
    return [item["properties"]["landscape:id"] for item in page.items] == [landscape.name] * SCENARIOS


def tell(bench: Bench, measured: Mapping[str, float], edge: int, count: int) -> None:
    """Put what was measured into the table, as core-hours of a thousand landscapes."""
    hours = 1000 / count / 3600
    # Reserved cores are paid for also while they wait.
    reserved = (measured["clock"] * measured["workers"] - measured["generate, cores"]) * hours
    heading = (
        f"9. {count:,} landscapes of {edge**2 / 1e6:.3g} million cells, {SCENARIOS} scenarios, 20 years, one commons"
    )
    bench.add(
        heading,
        Row("core-hours for 1000, cores times hours on the clock", reserved, most=8, aim=4, digits=2),
        Row("    of these at work, ingest", measured["ingest, cores"] * hours, digits=2),
        Row("    of these at work, learning and three runs", measured["run, cores"] * hours, digits=2),
        Row("core-hours for generating them, not counted above", measured["generate, cores"] * hours, digits=2),
        Row("landscapes whose three runs a search by place finds", measured["found"], least=count, digits=0),
        Row("GiB on the disk for 1000", measured["bytes"] / GIB * 1000 / count, digits=1),
    )


def main(count: int = 1000, edge: int = EDGE) -> None:
    """Publish so many landscapes in a folder that is removed afterwards, and print the table."""
    bench = Bench()
    with tempfile.TemporaryDirectory(prefix="bench-thousand-") as folder:
        tell(bench, publish_many(Path(folder), edge, count), edge, count)
    print(bench)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
