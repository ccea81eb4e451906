"""How fast tiles are drawn, beside stock TiTiler on the same file in the same run: `make bench-tiles`.

Each server is one process with one worker, asked over four connections. A shared machine shows first in what clients
wait, so the seconds of the server's own cores are told too. `EDGE=1024` makes the map smaller, `REQUESTS=2000` the
endurance test shorter.
"""

from __future__ import annotations

import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import morecantile
import psutil
from pyproj import Transformer

from tests.benchmarks.bars import Bench, Row
from tests.benchmarks.tile_load import Load, ask_for, fetch, wait_for
from tests.benchmarks.tile_site import RUN, write_cubes, write_site
from tests.benchmarks.wide import CELL_M, YEARS, WideLandscape

EDGE, REQUESTS = 10_240, 200_000
ZOOMS = range(8, 15)
_COLD, _STOCK, _WARM = 1400, 280, 10_000
_MIB = 2**20
_SETTLED = 0.25  # part of the endurance test after which memory should not grow any more
_STEPS = 20
_CUBE_EDGE, _ATTEMPTS = 2048, 15

Tile = tuple[int, int, int]
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Server:
    """A server under test."""

    port: int
    process: psutil.Process

    def measure(self, paths: Sequence[str], headers: str = "") -> tuple[Load, float]:
        """Ask for paths; return what became of them, and milliseconds of the server's cores for each."""
        before = self.cores_s
        load = ask_for(self.port, paths, headers=headers)
        return load, (self.cores_s - before) * 1000 / len(paths)

    @property
    def cores_s(self) -> float:
        """Seconds of the cores that the process has taken."""
        return float(sum(self.process.cpu_times()[:2]))

    @property
    def memory_mib(self) -> float:
        """What the process holds."""
        return float(self.process.memory_info().rss / _MIB)


@contextmanager
def served(kind: str, folder: Path) -> Iterator[Server]:
    """Run a server of `tile_site` as long as the block lasts."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "tests.benchmarks.tile_site", kind, str(folder), str(port)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        wait_for(port, alive=lambda: process.poll() is None)
        yield Server(port, psutil.Process(process.pid))
    finally:
        process.terminate()
        process.wait()


def choose_tiles(box: Box, count: int, seed: int = 1) -> list[Tile]:
    """Return tiles in a box: of all zooms alike, at random, each only once as long as there are others."""
    matrix_set, draw = morecantile.tms.get("WebMercatorQuad"), random.Random(seed)
    west, south, east, north = box
    # The corners of a box in degrees lie outside of a map in UTM.
    margin_x, margin_y = (east - west) / 20, (north - south) / 20
    tiles: dict[Tile, None] = {}
    for number in range(count):
        for _ in range(20):
            place = draw.uniform(west + margin_x, east - margin_x), draw.uniform(south + margin_y, north - margin_y)
            found = matrix_set.tile(*place, ZOOMS[number % len(ZOOMS)])
            tile = found.z, found.x, found.y
            if tile not in tiles:
                tiles[tile] = None
                break
    return list(tiles)


def measure_speed(bench: Bench, folder: Path, box: Box) -> None:
    """Compare tiles that nobody asked for before, and tell how fast known ones are answered."""
    tiles = choose_tiles(box, _COLD)
    with served("stock", folder) as server:
        paths = [f"/tiles/WebMercatorQuad/{z}/{x}/{y}.png?url={folder / f'{YEARS[1]}.tif'}" for z, x, y in tiles]
        server.measure(paths[:8])
        stock, stock_ms = server.measure(paths[-_STOCK:])
    with served("ours", folder) as server:
        paths = [f"{_base(YEARS[1])}/{z}/{x}/{y}.png" for z, x, y in tiles]
        server.measure(paths[:8])
        cold, cold_ms = server.measure(paths[8:])
        one, other = YEARS
        start = f"/runs/{RUN}/{other}/difference/tiles/WebMercatorQuad"
        compared, compared_ms = server.measure([f"{start}/{z}/{x}/{y}.png?since={one}" for z, x, y in tiles])
        known = random.Random(2).choices(paths, k=_WARM)
        cached, cached_ms = server.measure(known)
        current, current_ms = server.measure(known, "If-None-Match: *\r\n")
    bench.add(
        "1. Tiles of zooms 8 to 14 mixed, one worker, four connections",
        Row("tiles/s cold, times stock TiTiler", cold.per_second / stock.per_second, least=5, aim=10, digits=1),
        Row("    the same in milliseconds of the cores", stock_ms / cold_ms, digits=1),
        Row("    tiles/s cold", cold.per_second, digits=0),
        Row("    tiles/s, stock TiTiler", stock.per_second, digits=0),
        Row("    milliseconds of the cores for a tile", cold_ms, digits=2),
        Row("    milliseconds of the cores for a tile, stock TiTiler", stock_ms, digits=2),
        Row("median wait, ms", cold.percentile_ms(50), digits=1),
        Row("95 % wait at most, ms", cold.percentile_ms(95), most=40, aim=20, digits=1),
        Row("difference tiles/s, times plain ones", compared.per_second / cold.per_second, least=0.5, digits=2),
        Row("    milliseconds of the cores for a difference tile", compared_ms, digits=2),
        Row("cached tiles/s", cached.per_second, least=1000, aim=2500, digits=0),
        Row("revalidated tiles/s", current.per_second, least=1000, aim=2500, digits=0),
        Row("    milliseconds of the cores for a cached tile", cached_ms, digits=2),
        Row("    milliseconds of the cores for a revalidated tile", current_ms, digits=2),
        Row(
            "answers that are errors", cold.errors + compared.errors + cached.errors + current.errors, most=0, digits=0
        ),
    )


def measure_polygon(bench: Bench, folder: Path, edge: int) -> None:
    """Tell how long the hectares of a square of 10,000 ha take, over 21 years."""
    write_cubes(folder, min(edge, _CUBE_EDGE))
    land = WideLandscape(edge)
    side, middle = 10_000.0, min(edge, _CUBE_EDGE) * CELL_M / 2
    left, top = land.transform.c + middle - side / 2, land.transform.f - middle + side / 2
    onto_degrees = Transformer.from_crs(32630, 4326, always_xy=True)
    corners = [(0, 0), (side, 0), (side, -side), (0, -side), (0, 0)]
    ring = [onto_degrees.transform(left + x, top + y) for x, y in corners]
    polygon = json.dumps({"type": "Polygon", "coordinates": [ring]}).encode()
    waited, worked = {}, {}
    with served("ours", folder) as server:
        for query in ("", "?expected=true"):
            times, before = [], server.cores_s
            for _ in range(_ATTEMPTS):
                start = time.perf_counter()
                status, content = fetch(server.port, f"/runs/{RUN}/statistics{query}", method="POST", body=polygon)
                times.append((time.perf_counter() - start) * 1000)
            worked[query] = (server.cores_s - before) * 1000 / _ATTEMPTS
            waited[query] = sorted(times)[len(times) // 2] if status == 200 else float("nan")
        hectares = json.loads(content)["runs"][0]["polygon_ha"]
    bench.add(
        f"3. Hectares of a polygon of {hectares:.0f} ha by class, 21 years, median of {_ATTEMPTS}",
        Row("milliseconds, with the spread of the members", waited[""], most=100, digits=0),
        Row("    milliseconds of the cores", worked[""], digits=0),
        Row("    with the mean over the members", waited["?expected=true"], digits=0),
    )


def measure_endurance(bench: Bench, folder: Path, box: Box, requests: int) -> None:
    """Ask one process for very many tiles, most of them new, and watch its memory."""
    tiles = choose_tiles(box, requests // 4)
    paths = [f"{_base(year)}/{z}/{x}/{y}.png" for z, x, y in tiles for year in YEARS]
    order = random.Random(3).choices(paths, k=requests)
    held, errors, step = [], 0, max(1, requests // _STEPS)
    with served("ours", folder) as server:
        for first in range(0, requests, step):
            load, _ = server.measure(order[first : first + step])
            errors += load.errors
            held.append(server.memory_mib)
            print(f"{first + len(load.waited)} requests, {held[-1]:.0f} MiB", file=sys.stderr, flush=True)
    settled = held[int(len(held) * _SETTLED) :]
    bench.add(
        f"2. {requests} requests to one process",
        Row("growth of memory after the first quarter, %", (settled[-1] / settled[0] - 1) * 100, most=10, digits=1),
        Row("    memory at the end, MiB", held[-1], digits=0),
        Row("answers that are errors", errors, most=0, digits=0),
    )


def measure(folder: Path, edge: int, requests: int) -> Bench:
    """Measure everything in a folder."""
    bench = Bench()
    print(f"writing two maps of {edge} x {edge} cells", file=sys.stderr, flush=True)
    box = write_site(folder, edge)
    measure_speed(bench, folder, box)
    measure_endurance(bench, folder, box, requests)
    measure_polygon(bench, folder, edge)
    return bench


def main(edge: str = "", requests: str = "") -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="bench-tiles-") as folder:
        print(measure(Path(folder), int(edge or EDGE), int(requests or REQUESTS)))


def _base(year: int) -> str:
    return f"/runs/{RUN}/{year}/tiles/WebMercatorQuad"


if __name__ == "__main__":
    main(os.environ.get("EDGE", ""), os.environ.get("REQUESTS", ""))
