"""Small layers, and documents as a commons stores them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pystac_client
import pytest
import rasterio
import xarray as xr
from affine import Affine
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from odc.geo.xr import xr_coords

from catalog.collections import make_collections
from catalog.legend import Legend
from catalog.pgstac.store import PgstacStore
from catalog.sqlite.store import SqliteStore
from catalog.store import OWNER, CatalogStore
from tests.catalog.postgres import Cluster
from tests.catalog.service import Api, serve

MakeItem = Callable[..., dict[str, Any]]
WriteRaster = Callable[..., Path]
STORES = ("sqlite", "postgresql")
GRID = Affine(30, 0, 500_000, 0, -30, 4_000_000)


@pytest.fixture
def legend() -> Legend:
    return Legend.from_json({"nodata": 0, "classes": {"1": "Forest", "2": "Built", "3": "Other"}})


@pytest.fixture
def make_item() -> MakeItem:
    """Make a valid item of a box of degrees and a day."""

    def make(
        item_id: str = "valley",
        box: tuple[float, float, float, float] = (10.0, 50.0, 11.0, 51.0),
        datetime: str | None = "2000-01-01T00:00:00Z",
        collection: str = "land-cover",
        **properties: Any,
    ) -> dict[str, Any]:
        west, south, east, north = box
        ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
        return {
            "type": "Feature",
            "stac_version": "1.1.0",
            "stac_extensions": ["https://datacommons.example/schemas/landscape/v1.0.0/schema.json"],
            "id": item_id,
            "collection": collection,
            "geometry": {"type": "Polygon", "coordinates": [ring]},
            "bbox": list(box),
            "properties": {"datetime": datetime, "landscape:id": "valley", **properties},
            "links": [{"rel": "tilejson", "href": f"collections/{collection}/items/{item_id}/tilejson.json"}],
            "assets": {"data": {"href": f"layers/{collection}/{item_id}/{item_id}.tif"}},
        }

    return make


@contextmanager
def open_empty(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CatalogStore]:
    """Open a new catalog, in a file or in a database, as the fixture's parameter says."""
    if request.param == "sqlite":
        with closing(SqliteStore(tmp_path_factory.mktemp("api") / "catalog.sqlite")) as store:
            yield store
        return
    cluster: Cluster = request.getfixturevalue("cluster")
    with cluster.database() as address, closing(PgstacStore(address)) as database:
        yield database


@pytest.fixture(scope="session", params=STORES)
def shared_store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CatalogStore]:
    with open_empty(request, tmp_path_factory) as store:
        yield store


@pytest.fixture
def empty_store(shared_store: CatalogStore) -> CatalogStore:
    """Return a catalog in a file and one in a database, without anything in it: to make a database takes long."""
    for collection in reversed(shared_store.collections(OWNER)):  # runs go before what they were derived from
        shared_store.delete_collection(collection["id"])
    return shared_store


@pytest.fixture(scope="session", params=STORES)
def empty_api(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """Serve the STAC API of a catalog that tests may write to, in a file and in a database."""
    with open_empty(request, tmp_path_factory) as store, serve(store) as api:
        yield api


@pytest.fixture
def api(empty_api: Api, make_item: MakeItem) -> Api:
    """25 items of successive years and degrees; one more for partners only."""
    for collection in make_collections(name="Valley Commons"):
        empty_api.store.put_collection(collection)
    items = [
        make_item(f"valley-{2000 + n}", (n, n, n + 0.5, n + 0.5), f"{2000 + n}-01-01T00:00:00Z") for n in range(25)
    ]
    hidden = make_item("hidden", (70, 70, 71, 71), collection="drivers", **{"landscape:access": "partners"})
    empty_api.store.put_items([*items, hidden])
    return empty_api


@pytest.fixture
def writing_api(empty_store: CatalogStore) -> Iterator[Api]:
    """Serve the STAC API of a catalog that the writer may write to, with the collections of a commons."""
    for collection in make_collections(name="Valley Commons"):
        empty_store.put_collection(collection)
    with serve(empty_store, writing=True) as api:
        yield api


@pytest.fixture
def client(api: Api) -> pystac_client.Client:
    return pystac_client.Client.open(f"{api.url}/stac")


@pytest.fixture
def write_raster(tmp_path: Path) -> WriteRaster:
    """Write cells, (y, x), as a GeoTIFF in UTM 18N with 30 m and nodata 0 below tmp_path."""

    def write(name: str, cells: NDArray[Any], **profile: Any) -> Path:
        height, width = cells.shape
        settings = {"crs": "EPSG:32618", "transform": GRID, "nodata": 0, "dtype": cells.dtype, **profile}
        with rasterio.open(tmp_path / name, "w", "GTiff", width, height, 1, **settings) as dataset:
            dataset.write(cells, 1)
        return tmp_path / name

    return write


@pytest.fixture
def cube_path(tmp_path: Path) -> Path:
    """A Zarr cube of two years and 4 x 5 cells."""
    geobox = GeoBox((4, 5), GRID, "EPSG:32618")
    cube = xr.Dataset(
        {
            "land_cover": (
                ("time", "y", "x"),
                np.ones((2, 4, 5), np.uint8),
                {"units": "1", "long_name": "land cover", "flag_values": [1, 2, 3]},
            )
        },
        coords=xr_coords(geobox),
    )
    cube["time"] = np.array(["1999-01-01", "2000-01-01"], "datetime64[ns]")
    path = tmp_path / "trajectory.zarr"
    cube.to_zarr(path, zarr_format=3, consolidated=False)
    return path
