"""The tiles over the real catalog: items as it describes them, in the store it keeps them in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from affine import Affine
from fastapi import FastAPI
from fastapi.testclient import TestClient
from numpy.typing import NDArray
from starlette.requests import Request

from catalog.collections import make_collections
from catalog.items.layers import raster_item
from catalog.legend import Legend
from catalog.sqlite.store import SqliteStore
from catalog.store import ANONYMOUS, OWNER, Reader
from datacommons.door.polygons import survey
from tiles import add_tiles

TRANSFORM = Affine(30, 0, 340_000, 0, -30, 4_740_000)


def identify(request: Request) -> Reader:
    return OWNER if request.headers.get("authorization") == "owner" else ANONYMOUS


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    made = SqliteStore(tmp_path / "catalog.sqlite")
    for collection in make_collections(name="Valley partnership"):
        made.put_collection(collection)
    yield made
    made.close()


@pytest.fixture
def client(tmp_path: Path, store: SqliteStore) -> Iterator[TestClient]:
    app = FastAPI()
    add_tiles(app, store, locate=lambda href: str(tmp_path / href), identify=identify, survey=survey, archives=tmp_path)
    with TestClient(app) as made:
        yield made


@pytest.fixture
def add(tmp_path: Path, store: SqliteStore, write_cog: Any) -> Any:
    def add_item(cells: NDArray[Any], item_id: str, collection: str, **fields: Any) -> None:
        path = tmp_path / f"{item_id}.tif"
        write_cog(path, cells, crs="EPSG:32618", transform=TRANSFORM, nodata=0)
        item = raster_item(path, root=tmp_path, item_id=item_id, collection=collection, landscape="valley", **fields)
        store.put_items([item.to_dict()])

    return add_item


def test_a_map_of_a_run_is_found_by_its_own_links(
    client: TestClient, store: SqliteStore, add: Any, land_cover: NDArray[np.uint8], legend: Legend
) -> None:
    add(land_cover, "plan-a-2030", "run-maps", year=2030, layer="land-cover", legend=legend, asset_key="map")
    links = {link["rel"]: link["href"] for link in store.item("run-maps", "plan-a-2030", OWNER)["links"]}
    document = client.get(f"/{links['tilejson']}").json()
    assert document["attribution"] == "Valley partnership"
    (address,) = document["tiles"]
    assert address.startswith(f"http://testserver/{links['xyz']}.png?v=")
    tile = client.get("/" + links["xyz"].format(z=13, x=2345, y=3017))
    assert (tile.status_code, tile.headers["content-type"]) == (200, "image/png")
    classes = client.get("/runs/plan-a/2030/legend.json").json()["classes"]
    assert [(entry["name"], entry["colour"]) for entry in classes] == [(c.name, c.colour) for c in legend]


def test_statistics_of_the_catalog_spread_the_ramp(client: TestClient, add: Any) -> None:
    cells = np.random.default_rng(2).normal(500, 100, (300, 260)).astype(np.float32)
    add(cells, "valley-elevation", "drivers", year=None, layer="elevation")
    stops = client.get("/collections/drivers/items/valley-elevation/legend.json").json()["stops"]
    assert stops[0]["value"] == pytest.approx(np.percentile(cells, 2), abs=5)
    assert stops[-1]["value"] == pytest.approx(np.percentile(cells, 98), abs=5)
    tile = client.get("/collections/drivers/items/valley-elevation/tiles/WebMercatorQuad/13/2345/3017.png?style=relief")
    assert tile.status_code == 200


@pytest.mark.parametrize("hidden", ["item", "collection"])
def test_what_the_store_hides_has_no_tiles(
    client: TestClient,
    store: SqliteStore,
    add: Any,
    land_cover: NDArray[np.uint8],
    legend: Legend,
    hidden: str,
) -> None:
    labels = {"landscape:access": "council"} if hidden == "item" else {}
    add(land_cover, "a", "land-cover", year=2019, layer="land-cover", legend=legend, properties=labels)
    if hidden == "collection":
        store.put_collection(store.collection("land-cover", OWNER) | {"landscape:access": "council"})
    for tail in ("tiles/WebMercatorQuad/13/2345/3017.png", "WebMercatorQuad/tilejson.json", "info", "legend.json"):
        url = f"/collections/land-cover/items/a/{tail}"
        assert client.get(url).status_code == 404
        seen = client.get(url, headers={"Authorization": "owner"})
        assert seen.status_code == 200
        assert seen.headers["cache-control"] == "private, max-age=300"
