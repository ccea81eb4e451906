"""The map of `make bench-tiles`, and the two servers that draw it: ours, and stock TiTiler on the same file."""

from __future__ import annotations

import sys
from collections import deque
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from rasterio.windows import Window

from catalog.collections import make_collections
from catalog.items.layers import cube_item, raster_item, table_asset
from catalog.sqlite.store import SqliteStore
from catalog.store import ANONYMOUS
from datacommons.cogs import write_map
from datacommons.runs.changes import write_changes
from datacommons.runs.cubes import CubeWriter, write_ensemble, write_trajectory
from scenarios.cluster import Workers
from scenarios.projection.ensemble import Ensemble
from scenarios.projection.record import Record
from scenarios.projection.yearbook import Changes, Year
from tests.benchmarks.wide import LEGEND, YEARS, WideLandscape

RUN = "wide-plan-1"
HORIZON, MEMBERS = 20, 20
TABLES = {"trajectory": "trajectory-changes", "probability": "changes"}
Cells = NDArray[np.uint8]


def write_site(folder: Path, edge: int) -> tuple[float, float, float, float]:
    """Write the maps of two years of a run as COGs in UTM into a commons; return their box in degrees."""
    land = WideLandscape(edge)
    maps = [np.empty((edge, edge), np.uint8) for _ in YEARS]
    for first, planes in land.stripes():
        for whole, part in zip(maps, planes, strict=False):
            whole[first : first + part.shape[0]] = part
    store = SqliteStore(folder / "catalog.sqlite")
    for collection in make_collections(name="Bench"):
        store.put_collection(collection)
    for year, whole in zip(YEARS, maps, strict=True):
        path = folder / f"{year}.tif"
        write_map(path, whole, GeoBox((edge, edge), land.transform, "EPSG:32630"), LEGEND)
        store.put_items([_describe(folder, path, year)])
    west, south, east, north = store.item("run-maps", f"{RUN}-{YEARS[0]}", ANONYMOUS)["bbox"]
    store.close()
    return west, south, east, north


def write_cubes(folder: Path, edge: int) -> None:
    """Write the cubes of a run of 20 years into the commons, of a part of the map: cells change at hashed years.

    All members change alike.
    """
    with rasterio.open(folder / f"{YEARS[0]}.tif") as first, rasterio.open(folder / f"{YEARS[1]}.tif") as last:
        window = Window(0, 0, min(edge, first.width), min(edge, first.height))
        before, after = first.read(1, window=window), last.read(1, window=window)
        geobox = GeoBox(before.shape, first.transform, str(first.crs))
    when = np.random.default_rng(0).integers(1, HORIZON + 1, before.shape)
    years = list(range(YEARS[1], YEARS[1] + HORIZON + 1))
    paths = {key: folder / f"{key}.zarr" for key in ("trajectory", "probability")}
    steps = [_change(before, after, when == n + 1, year) for n, year in enumerate(years[1:])]
    for cube, members in (("trajectory", 1), ("probability", MEMBERS)):
        with Record(before.shape, folder) as record:
            for member in range(members):
                deque(record.listen(member, iter(steps)), maxlen=0)
            _write_cube(paths[cube], geobox, years, before, record)
            write_changes(record, folder / f"{TABLES[cube]}.parquet", by_member=members > 1)
    store = SqliteStore(folder / "catalog.sqlite")
    item = cube_item(
        paths,
        assets={name: table_asset(folder / f"{name}.parquet", root=folder, title=name) for name in TABLES.values()},
        root=folder,
        item_id=RUN,
        collection="runs",
        years=(years[1], years[-1]),
        landscape="wide",
        legend=LEGEND,
        properties={"created": "2026-01-01T00:00:00.000Z"},
    )
    store.put_items([item.to_dict()])
    store.close()


def _write_cube(path: Path, geobox: GeoBox, years: list[int], start: Cells, record: Record) -> None:
    """Write what follows from a map and its changes: the map of every year, or what members have in common."""
    workers, members = Workers(), len(record.walks)
    with CubeWriter(path, geobox, years if members == 1 else years[1:], LEGEND, {}) as cube:
        if members == 1:
            write_trajectory(cube, record, start, LEGEND, years[0], workers)
        else:
            area_ha = np.zeros((members, HORIZON, len(LEGEND)))
            write_ensemble(cube, Ensemble(years[0], LEGEND.values, start, record, area_ha), workers)


def _change(before: Cells, after: Cells, now: NDArray[np.bool_], year: int) -> Year:
    """Return a year that changes some of the cells that differ."""
    cells = np.flatnonzero(now & (before != after))
    changes = Changes(cells, before.ravel()[cells], after.ravel()[cells])
    return Year(year, after, np.empty(0), {}, (), np.empty((0, 0)), changes)


def make_ours(folder: Path) -> Any:
    """Make an application of our tiles over a commons."""
    from fastapi import FastAPI

    from datacommons.door.access import Policy
    from datacommons.door.polygons import survey
    from tiles import add_tiles

    app, store = FastAPI(), SqliteStore(folder / "catalog.sqlite")
    add_tiles(
        app,
        store,
        locate=lambda href: str(folder / href),
        identify=Policy().identify,
        survey=survey,
        archives=folder / "packed",
    )
    return app


def make_stock(_folder: Path) -> Any:
    """Make an application of TiTiler as it comes."""
    from fastapi import FastAPI
    from titiler.core.errors import DEFAULT_STATUS_CODES, add_exception_handlers
    from titiler.core.factory import TilerFactory

    app = FastAPI()
    app.include_router(TilerFactory().router)
    add_exception_handlers(app, DEFAULT_STATUS_CODES)
    return app


def _describe(folder: Path, path: Path, year: int) -> dict[str, Any]:
    item = raster_item(
        path,
        root=folder,
        item_id=f"{RUN}-{year}",
        collection="run-maps",
        year=year,
        landscape="wide",
        layer="land-cover",
        legend=LEGEND,
        asset_key="map",
    )
    return item.to_dict()


def main(kind: str, folder: str, port: str) -> None:
    """Serve with one worker until ended."""
    import uvicorn

    from datacommons.door.server import BLOCK_CACHE_BYTES

    app = {"ours": make_ours, "stock": make_stock}[kind](Path(folder))
    ours = {"GDAL_CACHEMAX": BLOCK_CACHE_BYTES} if kind == "ours" else {}
    with rasterio.Env(**ours):
        uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="error", access_log=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
