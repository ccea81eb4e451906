"""Many generated landscapes in one commons, three scenarios each: `make bench-thousand`, and ten in `make bench-scale`.

A landscape is worked on by one process with one thread, as many side by side as there are cores. What each one took is
noted as it ends, so that a folder that is named can be filled in several sittings.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import count as count_up
from itertools import islice
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


@dataclass(frozen=True)
class Sitting:
    """Where landscapes are published, one after the other.

    Parameters
    ----------
    folder : with the commons, and what each landscape took
    edge : cells along each side of a landscape
    """

    folder: Path
    edge: int

    @property
    def commons(self) -> Path:
        """Where all landscapes are published."""
        return self.folder / "commons"

    def note(self, seed: int) -> Path:
        """Return where it is noted what a landscape took."""
        return self.folder / "noted" / f"{seed}.json"

    def noted(self) -> dict[int, Mapping[str, float]]:
        """Return what each landscape took, by its seed."""
        return {int(path.stem): json.loads(path.read_text()) for path in self.note(0).parent.glob("*.json")}

    def begun(self) -> set[int]:
        """Return the seeds that are spent: one that was cut off is left, for it would seem to have taken less."""
        with dc.open(self.commons) as opened:
            return {int(name.rpartition("-")[2]) for name in opened.landscapes()}

    def publish(self, seed: int) -> None:
        """Publish a landscape, and note what it took."""
        clock = time.perf_counter()
        seconds = dict(publish_landscape(self.commons, self.edge, seed))
        seconds["clock"] = time.perf_counter() - clock
        unfinished = self.note(seed).with_suffix(".partial")
        unfinished.write_text(json.dumps(seconds))
        unfinished.rename(self.note(seed))

    def publish_until(self, end: float, seed: int) -> None:
        """Publish a landscape, if it is not too late."""
        if time.time() < end:
            self.publish(seed)


def publish_many(folder: Path, edge: int, count: int, hours: float = float("inf")) -> Mapping[str, float]:
    """Publish so many landscapes in one commons, and search for all of them.

    Parameters
    ----------
    folder : with the commons; what is published there already counts
    edge : cells along each side of a landscape
    count : how many landscapes there are to be
    hours : after which none is begun any more

    Returns
    -------
    seconds on the clock and of the cores, bytes on the disk, and how many landscapes a search by box finds whole
    """
    sitting = Sitting(folder, edge)
    sitting.note(0).parent.mkdir(parents=True, exist_ok=True)
    if not sitting.commons.exists():
        dc.init(sitting.commons).close()
    begun, end = sitting.begun(), time.time() + 3600 * hours
    ahead = islice((seed for seed in count_up() if seed not in begun), max(0, count - len(sitting.noted())))
    with ProcessPoolExecutor(len(os.sched_getaffinity(0)), mp_context=get_context("spawn")) as pool:
        for _ in pool.map(partial(sitting.publish_until, end), ahead):
            pass
    return _add_up(sitting)


def _add_up(sitting: Sitting) -> Mapping[str, float]:
    """Return what all landscapes took together."""
    noted = sitting.noted()
    names = ("clock", "ingest, cores", "run, cores", "generate", "generate, cores")
    seconds = {name: sum(each[name] for each in noted.values()) for name in names}
    with dc.open(sitting.commons) as opened:
        found = sum(_is_found(opened, WideLandscape(sitting.edge, seed)) for seed in noted)
    size = sum(path.stat().st_size for path in sitting.commons.rglob("*") if path.is_file())
    return seconds | {"bytes": float(size), "found": float(found), "published": float(len(noted))}


def _is_found(commons: Commons, landscape: WideLandscape) -> bool:
    """Whether a visitor's search by the box of a landscape finds its three runs."""
    place = commons.landscape(landscape.name)
    west, south, east, north = place.bbox
    middle = ((west + east) / 2, (south + north) / 2)
    page = commons.store.search(Query(collections=(RUNS,), bbox=(*middle, *middle)), ANONYMOUS)
    return [item["properties"]["landscape:id"] for item in page.items] == [landscape.name] * SCENARIOS


def tell(bench: Bench, measured: Mapping[str, float], edge: int, count: int) -> None:
    """Put what was measured into the table, as core-hours of a thousand landscapes."""
    hours = 1000 / max(1.0, measured["published"]) / 3600
    # Each landscape has a core of its own, which is paid for also while it waits.
    reserved = (measured["clock"] - measured["generate"]) * hours
    heading = (
        f"9. {count:,} landscapes of {edge**2 / 1e6:.3g} million cells, {SCENARIOS} scenarios, 20 years, one commons"
    )
    bench.add(
        heading,
        Row("core-hours for 1000, a core for each landscape as long as it takes", reserved, most=8, aim=4, digits=2),
        Row("    of these at work, ingest", measured["ingest, cores"] * hours, digits=2),
        Row("    of these at work, learning and three runs", measured["run, cores"] * hours, digits=2),
        Row("core-hours for generating them, not counted above", measured["generate, cores"] * hours, digits=2),
        Row("landscapes whose three runs a search by place finds", measured["found"], least=count, digits=0),
        Row("GiB on the disk for 1000", measured["bytes"] / GIB * hours * 3600, digits=1),
    )


def main(count: str = "", folder: str = "", hours: str = "") -> None:
    """Publish landscapes, and print the table.

    Parameters
    ----------
    count : how many; 1000 if it is not said
    folder : where; goes on with what is there. If it is not said, it is one that is removed afterwards
    hours : after which no landscape is begun any more
    """
    landscapes, bench = int(count or 1000), Bench()
    with tempfile.TemporaryDirectory(prefix="bench-thousand-") as passing:
        place, most = Path(folder or passing), float(hours or "inf")
        tell(bench, publish_many(place, EDGE, landscapes, most), EDGE, landscapes)
    print(bench)


if __name__ == "__main__":
    main(*(os.environ.get(name, "") for name in ("COUNT", "FOLDER", "HOURS")))
