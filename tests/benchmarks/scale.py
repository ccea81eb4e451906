"""How fast and how lean the engine is on large landscapes, beside what it is paired with: `make bench-scale`.

Every job runs in a process of its own, so that its memory is its own. What it is compared with runs in the same process
right after, three times, and the fastest counts: a reference that was held up would flatter the engine. Ratios are also
told in seconds of the cores, which a busy machine changes less.

`ROWS=1,memory` chooses rows by number or by a word of their name; `SCALE=0.01` makes every landscape so many times as
large.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.benchmarks import thousand
from tests.benchmarks.bars import Bench, Row
from tests.benchmarks.footprint import run_watched
from tests.benchmarks.performance_page import write_bars
from tests.benchmarks.workloads import LEARNED

NAN = float("nan")
GIB = 2**30
YEARS = 20
_SPARE = 0.9  # part of the free memory that a job may take
_SMALLEST_EDGE = 96
_MANY_MEMBERS = 30
_PROCESSES, _YEARS_SPREAD = 4, 3
_LANDSCAPES = 10
_OTHER_TOOLS = {"FUTURES, one transition": 11.7, "FLUS-like automaton": 2.7}  # million cells x years a second


@dataclass(frozen=True)
class Job:
    """What a job measured.

    Parameters
    ----------
    measured : seconds and counts by name; empty if the job failed
    peak_gib : memory of all its processes at one moment
    clock : seconds from its start to its end
    trouble : why it failed; empty if it did not
    """

    measured: Mapping[str, float]
    peak_gib: float
    clock: float
    trouble: str = ""

    def __getitem__(self, name: str) -> float:
        """Return a measured figure; NaN if it is not there."""
        return self.measured.get(name, NAN)

    def over(self, name: str, reference: str) -> float:
        """Return a figure as a multiple of another."""
        return self[name] / self[reference] if self[reference] else NAN


@dataclass
class Site:
    """The folder of one run of the benchmark; what is prepared in it is prepared once.

    Parameters
    ----------
    folder : gone when the run is over
    scale : by how much the number of cells is multiplied
    most_bytes : memory that no job may pass
    """

    folder: Path
    scale: float
    most_bytes: float
    done: dict[tuple[object, ...], Job] = field(default_factory=dict)

    def edge(self, million_cells: float) -> int:
        """Return the edge of a square landscape of so many cells, at this scale."""
        return max(_SMALLEST_EDGE, round((million_cells * 1e6 * self.scale) ** 0.5))

    def name(self, million_cells: float) -> str:
        """Say how many cells a landscape really has."""
        return f"{self.edge(million_cells) ** 2 / 1e6:.3g} million cells"

    def prepared(self, million_cells: float) -> Job:
        """Generate a landscape and take it into a commons, once."""
        return self.run("prepare", million_cells)

    def learned(self, million_cells: float) -> Job:
        """Learn the potential of a prepared landscape, once."""
        ready = self.prepared(million_cells)
        return ready if ready.trouble else self.run("learn", million_cells)

    def job(self, name: str, million_cells: float, *numbers: int) -> Job:
        """Do a job that needs a learned potential, once."""
        ready = self.learned(million_cells)
        return ready if ready.trouble else self.run(name, million_cells, *numbers)

    def job_by(self, teacher: float, name: str, million_cells: float, *numbers: int) -> Job:
        """Do a job with the potential that was learned of another landscape, once."""
        ready = self.learned(teacher)
        if not ready.trouble:
            ready = self.prepared(million_cells)
        if ready.trouble:
            return ready
        if self.place(teacher) == self.place(million_cells):
            return self.run(name, million_cells, *numbers)
        shutil.copyfile(self.place(teacher) / LEARNED, self.place(million_cells) / LEARNED)
        done = self.run(name, million_cells, *numbers)
        shutil.rmtree(self.place(million_cells))  # large, and nothing more is done with it
        return done

    def place(self, million_cells: float) -> Path:
        """Return the folder of a landscape."""
        return self.folder / str(self.edge(million_cells))

    def run(self, name: str, million_cells: float, *numbers: int) -> Job:
        """Do a job in a process of its own, once."""
        edge = self.edge(million_cells)
        key = (name, edge, *numbers)
        if key not in self.done:
            print(f"measuring: {name}, {self.name(million_cells)}", file=sys.stderr, flush=True)
            place = self.folder / name if name == "publish_many" else self.place(million_cells)
            place.mkdir(exist_ok=True)
            self.done[key] = self._watch([name, str(place), str(edge), *map(str, numbers)])
        return self.done[key]

    def _watch(self, arguments: Sequence[str]) -> Job:
        begun = time.perf_counter()
        ended = run_watched([sys.executable, "-m", "tests.benchmarks.scale_job", *arguments], self.most_bytes)
        told = ended.peak_bytes / GIB, time.perf_counter() - begun
        if ended.stopped:
            return Job({}, *told, f"stopped at {told[0]:.1f} GiB")
        if ended.code:
            print(ended.errors, file=sys.stderr, flush=True)
            return Job({}, *told, "failed")
        return Job(json.loads(ended.output.splitlines()[-1]), *told)


def measure_run(site: Site, bench: Bench) -> None:
    """Compare a whole run with the writing of its maps."""
    full, bare = site.job("publish", 100), site.job("sweep", 100)
    bench.add(
        f"1. {site.name(100)}, 4 transitions, 7 x 7 neighbourhood, 5 drivers, {YEARS} years, 1 member",
        Row(
            _told("from stored layers to the published run, times writing its maps", full),
            full.over("publish", "write"),
            most=12,
            aim=3,
            digits=2,
        ),
        Row("    seconds of the run", full["publish"], digits=1),
        Row("    seconds of the cores", full["publish, cores"], digits=1),
        Row("    the same in seconds of the cores", full.over("publish, cores", "write, cores"), digits=2),
        Row("    seconds of writing the maps again, fastest of three", full["write"], digits=2),
        Row("    seconds of writing the maps again, slowest of three", full["write, slowest"], digits=2),
        Row("    seconds of reading and scoring the drivers, within", full["score drivers"], digits=1),
        Row(
            _told("one drawn member from stored layers to yearly Zarr alone, times writing", bare),
            bare.over("publish", "write"),
            digits=2,
        ),
        Row("    the same in seconds of the cores", bare.over("publish, cores", "write, cores"), digits=2),
        Row("    seconds", bare["publish"], digits=1),
    )


def measure_memory(site: Site, bench: Bench) -> None:
    """Tell the peak memory of the same run."""
    full, bare = site.job("publish", 100), site.job("sweep", 100)
    bench.add(
        f"2. Peak memory of all processes, GiB, {site.name(100)}",
        Row(_told("the published run", full), NAN if full.trouble else full.peak_gib, most=6, aim=3, digits=2),
        Row(_told("one drawn member to yearly Zarr alone", bare), bare.peak_gib, digits=2),
        Row("learning the potential", site.learned(100).peak_gib, digits=2),
    )


def measure_continent(site: Site, bench: Bench) -> None:
    """Tell whether a run of a billion cells finishes, and in how much memory."""
    far = site.job_by(100, "publish", 1000, 3)
    bench.add(
        f"3. {site.name(1000)}, 3 years, with the potential learned of {site.name(100)}",
        Row(
            _told("peak memory of all processes if it finishes, GiB", far),
            NAN if far.trouble else far.peak_gib,
            most=12,
            digits=2,
        ),
        Row("    seconds", far["publish"], digits=0),
        Row("    seconds of generating and ingesting the landscape before", site.prepared(1000).clock, digits=0),
    )


def measure_revision(site: Site, bench: Bench) -> None:
    """Tell how long a planner waits for the last map after a change of plan."""
    told = site.job("revise", 10)
    bench.add(
        f"4. {site.name(10)}, {YEARS} years, 1 member, one intervention changed, fitted model reused",
        Row(
            _told("seconds to the new last map, a drawn member", told),
            told["drawn"],
            most=5,
            aim=1,
            digits=2,
        ),
        Row("    seconds to the best map", told["best"], digits=2),
    )


def measure_members(site: Site, bench: Bench) -> None:
    """Compare an ensemble with one of a single member, which has all workers to itself."""
    told = site.job("members", 10, _MANY_MEMBERS)
    bench.add(
        f"5. {_MANY_MEMBERS} members at {site.name(10)}",
        Row(_told("times an ensemble of one member", told), told.over("many", "one"), most=15, aim=8, digits=2),
        Row("    the same in seconds of the cores", told.over("many, cores", "one, cores"), digits=2),
        Row("    times a walk of one member that is counted nowhere", told.over("many", "walk"), digits=2),
        Row("    seconds of all members", told["many"], digits=2),
        Row("    seconds of one member, fastest of three", told["one"], digits=2),
        Row("    seconds of one member, slowest of three", told["one, slowest"], digits=2),
        Row("    seconds of the walk, fastest of three", told["walk"], digits=2),
        Row("    peak memory, GiB", told.peak_gib, digits=2),
    )


def measure_learning(site: Site, bench: Bench) -> None:
    """Tell how long it takes to learn the potential, layers read included."""
    told = site.learned(100)
    bench.add(
        f"6. Learning the potential: 4 transitions, 5 drivers, {site.name(100)}",
        Row(_told("seconds from stored layers", told), told["learn"], most=60, aim=15, digits=1),
        Row("    of these reading the layers", told["read"], digits=1),
    )


def measure_race(site: Site, bench: Bench) -> None:
    """Compare with the measured throughput of other tools."""
    ready = site.prepared(16)
    told = ready if ready.trouble else site.run("race", 16)
    cell_years = site.edge(16) ** 2 * YEARS / 1e6
    rows = [
        Row(_told("seconds of four transitions, drawn", told), told["four, drawn"], most=11, aim=1.2, digits=2),
        Row(_told("seconds of one transition, drawn", told), told["one, drawn"], most=2.7, aim=0.27, digits=2),
        Row("    seconds to the best map, four transitions", told["four, best"], digits=2),
        Row("    seconds to the best map, one transition", told["one, best"], digits=2),
        Row("    cells placed, four transitions", told["four, drawn, cells placed"], digits=0),
        Row("    cells placed, one transition", told["one, drawn, cells placed"], digits=0),
        Row("million cells x years a second, four transitions", cell_years / told["four, drawn"], digits=1),
    ]
    for tool, speed in _OTHER_TOOLS.items():
        rows.append(Row(f"    times {tool} ({speed} million)", cell_years / told["four, drawn"] / speed, digits=1))
    bench.add(f"7. {site.name(16)}, {YEARS} years, from arrays and curves in memory to the last map", *rows)


def measure_cluster(site: Site, bench: Bench) -> None:
    """Compare members drawn in processes with members drawn by threads."""
    told = site.job("spread", 100, _PROCESSES, _YEARS_SPREAD)
    bench.add(
        f"8. Graph and scheduler overhead: {_PROCESSES} members, {_YEARS_SPREAD} years, {site.name(100)}",
        Row(
            _told(f"times threads, on a LocalCluster of {_PROCESSES} processes", told),
            told.over("processes", "threads"),
            most=1.5,
            aim=1.1,
            digits=2,
        ),
        Row("    seconds in processes", told["processes"], digits=1),
        Row("    seconds by threads", told["threads"], digits=1),
        Row("    peak memory of all processes, GiB", told.peak_gib, digits=2),
    )


def measure_many(site: Site, bench: Bench) -> None:
    """Publish ten landscapes in one commons, and reckon the cost of a thousand."""
    edge, count = site.edge(1.1), _LANDSCAPES
    told = site.run("publish_many", 1.1, count)
    if told.trouble:
        bench.add("9. Landscapes in one commons", Row(_told("core-hours for 1000", told), NAN, most=8, aim=4, digits=2))
        return
    thousand.tell(bench, told.measured, edge, count)


@dataclass(frozen=True)
class Line:
    """One row of the table that the engine is judged by."""

    number: int
    name: str
    measure: Callable[[Site, Bench], None]


LINES = (
    Line(1, "run", measure_run),
    Line(2, "memory", measure_memory),
    Line(3, "continent", measure_continent),
    Line(4, "revision", measure_revision),
    Line(5, "members", measure_members),
    Line(6, "learning", measure_learning),
    Line(7, "race", measure_race),
    Line(8, "cluster", measure_cluster),
    Line(9, "many", measure_many),
)


def choose(rows: str) -> list[Line]:
    """Return the lines that are asked for by number or name; all if none is.

    Raises
    ------
    ValueError
        There is no such row.
    """
    if not rows.strip():
        return list(LINES)
    known = {name: line for line in LINES for name in (str(line.number), line.name)}
    asked = rows.replace(",", " ").lower().split()
    unknown = [name for name in asked if name not in known]
    if unknown:
        names = ", ".join(f"{line.number} ({line.name})" for line in LINES)
        raise ValueError(f"There is no row {', '.join(unknown)}; ROWS takes some of {names}.")
    return [line for line in LINES if {str(line.number), line.name} & set(asked)]


def measure(rows: str, scale: float, folder: Path) -> Bench:
    """Measure the chosen rows in a folder."""
    site = Site(folder, scale, _SPARE * psutil.virtual_memory().available)
    bench = Bench()
    for line in choose(rows):
        line.measure(site, bench)
    return bench


def main(rows: str = "", scale: str = "", page: str = "") -> None:
    """Measure, print, and write the page of results if one is named."""
    factor = float(scale or 1)
    with tempfile.TemporaryDirectory(prefix="bench-scale-") as folder:
        bench = measure(rows, factor, Path(folder))
    note = "" if factor == 1 else f"A trial at {factor:g} of the size: the bars are those of the full size.\n\n"
    if page:
        write_bars(Path(page), bench, note)
    print(f"{note}{bench}")


def _told(what: str, job: Job) -> str:
    return f"{what} ({job.trouble})" if job.trouble else what


if __name__ == "__main__":
    main(os.environ.get("ROWS", ""), os.environ.get("SCALE", ""), os.environ.get("REPORT", ""))
