"""How fast the catalog takes in items and finds them again over HTTP: `make bench-catalog`.

A server in a process of its own answers one client on loopback, which keeps its connection. `COUNT=20000` makes fewer
items; the bars are for a million. The same is asked of a commons in PostgreSQL with pgSTAC, where that is installed.
"""

from __future__ import annotations

import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.client import HTTPConnection
from itertools import islice
from pathlib import Path
from urllib.parse import urlencode

import datacommons as dc
from catalog.store import OWNER, CatalogStore, Query
from datacommons.commons import Commons
from tests.benchmarks.bars import Bench, Row
from tests.benchmarks.catalog_items import COLLECTION, LANDSCAPES, YEARS, make_items, name
from tests.catalog.postgres import Cluster, find_lack, run_cluster
from tests.commands import open_door

_BATCH = 5000
_ROUNDS = 300
_WARMING = 20
_PAGE = 100
_WALKED = 10_000

Address = Callable[[random.Random, int], str]


def main() -> None:
    """Measure, and print the table."""
    count = int(os.environ.get("COUNT") or 1_000_000)
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
        bench = Bench()
        measure(bench, "SQLite", make_embedded(Path(folder)), count)
        if lack := find_lack():
            bench.skip("pgSTAC", lack)
        else:
            with run_cluster() as cluster, make_pgstac(Path(folder), cluster) as root:
                measure(bench, "pgSTAC", root, count, barred=False)
            compare(bench)
        print(bench)
    sys.exit(0 if all(row.holds for row in bench.barred) else 1)


def make_embedded(folder: Path) -> Path:
    """Make a commons whose catalog is the embedded store."""
    root = folder / "embedded"
    dc.init(root).close()
    return root


@contextmanager
def make_pgstac(folder: Path, cluster: Cluster) -> Iterator[Path]:
    """Make a commons whose catalog is in PostgreSQL as long as the block lasts."""
    root = folder / "pgstac"
    with cluster.database() as address:
        dc.init(root).close()
        (root / "catalog.sqlite").unlink()
        with (root / "commons.toml").open("a") as file:
            file.write(f'catalog = "{address}"\n')
        yield root


def measure(
    bench: Bench,
    title: str,
    root: Path,
    count: int,
    *,
    rounds: int = _ROUNDS,
    barred: bool = True,
) -> None:
    """Fill the catalog of a commons, ask it, and put what was measured under a title; the bars are SQLite's."""
    heading = f"{title}, {count:,} items"
    with dc.open(root) as commons:
        clock, cores = fill(commons.store, count)
        first, last = find_pages(commons.store, count)
        _gather_statistics(commons)
    bench.add(heading, Row("items taken in a second", count / clock, least=5000 if barred else None, digits=0))
    bench.add(heading, Row("the same, a second of a core", count / cores, digits=0))
    if size := sum(path.stat().st_size for path in root.glob("catalog.sqlite*")):
        bench.add(heading, Row("bytes an item", size / count, digits=0))
    with open_door(root) as address:
        for what, make, (p50, p95, aim) in QUESTIONS:
            seconds = ask(address, make, count, rounds=rounds)
            _tell(bench, heading, what, seconds, *((p50, p95, aim) if barred else ()))
        # By turns, so that a machine that is busy for a while is so for both.
        turns = iter([first, last] * (rounds + _WARMING))
        pages = ask(address, lambda _draw, _count: next(turns), count, rounds=2 * rounds)
    ratio = statistics.median(pages[1::2]) / statistics.median(pages[::2])
    _tell(bench, heading, f"first page of {_PAGE}", pages[::2])
    _tell(bench, heading, f"last page of {_PAGE}", pages[1::2])
    bench.add(heading, Row("last page / first page, p50", ratio, most=1.25 if barred else None, digits=2))


def compare(bench: Bench) -> None:
    """Put the embedded store beside the other: it may be slower in nothing that is asked."""
    ours, theirs = ({row.what: row.measured for row in rows} for rows in bench.sections.values())
    for what in ours:
        if what in theirs and what.endswith("p50 in ms"):
            bench.add("SQLite / pgSTAC", Row(what.removesuffix(" in ms"), ours[what] / theirs[what], most=1, digits=2))


def fill(store: CatalogStore, count: int) -> tuple[float, float]:
    """Put items batch by batch; return the seconds of the clock and of the cores that the store took."""
    items, clock, cores = make_items(count), 0.0, 0.0
    for batch in _batches(items):
        began, worked = time.perf_counter(), time.process_time()
        store.put_items(batch)
        clock, cores = clock + time.perf_counter() - began, cores + time.process_time() - worked
    return clock, cores


def _gather_statistics(commons: Commons) -> None:
    """Let PostgreSQL count what it has, as it does by itself within minutes."""
    address = commons.settings.catalog
    if address is not None:
        import psycopg

        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute("ANALYZE")


def find_pages(store: CatalogStore, count: int) -> tuple[str, str]:
    """Walk to the end, and return the addresses of the first and of the last full page."""
    query, left = Query(collections=(COLLECTION,), limit=_WALKED), count - _PAGE
    token = None
    while left > 0:
        page = store.search(replace(query, token=token, limit=min(left, _WALKED)), OWNER)
        left, token = left - len(page.items), page.next
    asked = {"collections": COLLECTION, "limit": _PAGE}
    last = asked if token is None else {**asked, "token": token}
    return f"/stac/search?{urlencode(asked)}", f"/stac/search?{urlencode(last)}"


def ask(address: str, make: Address, count: int, *, rounds: int = _ROUNDS) -> list[float]:
    """Ask one question after the other; return how many seconds each took."""
    host = address.removeprefix("http://")
    connection, draw, seconds = HTTPConnection(host), random.Random(11), []
    for number in range(_WARMING + rounds):
        path = make(draw, count)
        began = time.perf_counter()
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
        taken = time.perf_counter() - began
        if answer.status != 200:
            raise RuntimeError(f"{path} was answered with {answer.status}: {body[:300]!r}")
        if number >= _WARMING:
            seconds.append(taken)
    connection.close()
    return seconds


def by_place(draw: random.Random, _count: int) -> str:
    """Ask for a small box, three years and the collection."""
    west, south, year = draw.uniform(-179, 177), draw.uniform(-55, 69), draw.choice(YEARS[:-3])
    box = f"{west:.4f},{south:.4f},{west + 1:.4f},{south + 1:.4f}"
    span = f"{year}-01-01T00:00:00Z/{year + 2}-12-31T23:59:59Z"
    return _search(bbox=box, datetime=span, collections=COLLECTION)


def by_landscape(draw: random.Random, _count: int) -> str:
    """Ask for a value that a thousandth of the items have."""
    return _search(filter=f"landscape:id = 'landscape-{draw.randrange(LANDSCAPES):03}'")


def by_cell(draw: random.Random, _count: int) -> str:
    """Ask for a value that many items have, in a collection."""
    return _search(filter=f"gsd <= {draw.choice((10, 30))}", collections=COLLECTION)


def by_clouds(draw: random.Random, _count: int) -> str:
    """Ask for a range that few items are in, and for the order."""
    low = draw.uniform(0, 99)
    return _search(filter=f"eo:cloud_cover BETWEEN {low:.3f} AND {low + 0.05:.3f}", sortby="eo:cloud_cover")


def by_both(draw: random.Random, _count: int) -> str:
    """Ask for a box and a value."""
    west, south = draw.uniform(-179, 170), draw.uniform(-55, 60)
    text = f"landscape:id = 'landscape-{draw.randrange(LANDSCAPES):03}' AND gsd <= 100"
    return _search(bbox=f"{west:.4f},{south:.4f},{west + 10:.4f},{south + 10:.4f}", filter=text)


def by_words(draw: random.Random, _count: int) -> str:
    """Ask for words."""
    return _search(q=f"landscape {draw.randrange(LANDSCAPES):03}")


def by_id(draw: random.Random, count: int) -> str:
    """Ask for one item."""
    return f"/stac/collections/{COLLECTION}/items/{name(draw.randrange(count))}"


# What is asked, how, and the bars: p50, p95 and the aim of p50, in milliseconds.
Bars = tuple[float | None, float | None, float | None]
Questions = list[tuple[str, Address, Bars]]
QUESTIONS: Questions = [
    ("box, time and collection", by_place, (6, 15, 3)),
    ("CQL2: one landscape", by_landscape, (10, None, None)),
    ("CQL2: cell size, many", by_cell, (10, None, None)),
    ("CQL2: clouds, a narrow range, sorted", by_clouds, (10, None, None)),
    ("CQL2 and box", by_both, (10, None, None)),
    ("words", by_words, (None, None, None)),
    ("by id", by_id, (4, None, None)),
]


def _search(**asked: str) -> str:
    return f"/stac/search?{urlencode(asked)}"


def _tell(
    bench: Bench,
    heading: str,
    what: str,
    seconds: list[float],
    p50: float | None = None,
    p95: float | None = None,
    aim: float | None = None,
) -> None:
    middle, high = statistics.median(seconds) * 1000, statistics.quantiles(seconds, n=20)[-1] * 1000
    bench.add(heading, Row(f"{what}, p50 in ms", middle, most=p50, aim=aim, digits=2))
    bench.add(heading, Row(f"{what}, p95 in ms", high, most=p95, digits=2))


def _batches(items: Iterator[dict[str, object]]) -> Iterator[list[dict[str, object]]]:
    while batch := list(islice(items, _BATCH)):
        yield batch


if __name__ == "__main__":
    main()
