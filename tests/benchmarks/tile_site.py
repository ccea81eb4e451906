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
from datacommons.runs.changes import ChangeTable
from datacommons.runs.cubes import CubeWriter, legend_attributes
from scenarios.projection.yearbook import Changes, Year
from tests.benchmarks.wide import LEGEND, YEARS, WideLandscape

RUN = "wide-plan-1"
HORIZON, MEMBERS = 20, 20
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
    with CubeWriter(paths["trajectory"], geobox, years, LEGEND, {}) as cube:
        array = cube.add("land_cover", ("time", "y", "x"), legend_attributes(LEGEND))
        for number in range(len(years)):
            array[number] = np.where(when <= number, after, before)
    with CubeWriter(paths["probability"], geobox, years[1:], LEGEND, {}) as cube:
        array = cube.add("probability", ("time", "class", "y", "x"), {"scale_factor": 1 / MEMBERS, "members": MEMBERS})
        for number in range(HORIZON):
            for place, value in enumerate(LEGEND.values):
                array[number, place] = MEMBERS * (np.where(when <= number + 1, after, before) == value)
    steps = [_change(before, after, when == n + 1, year) for n, year in enumerate(years[1:])]
    for name, members in (("trajectory-changes", 1), ("changes", MEMBERS)):
        with ChangeTable(before.shape, folder) as table:
            for member in range(members):
                deque(table.listen(member, iter(steps)), maxlen=0)
            table.write(folder / f"{name}.parquet", by_member=members > 1)
    store = SqliteStore(folder / "catalog.sqlite")
    item = cube_item(
        paths,
        assets={
            name: table_asset(folder / f"{name}.parquet", root=folder, title=name)
            for name in ("trajectory-changes", "changes")
        },
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
