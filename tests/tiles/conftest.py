"""A small commons in a temporary folder, a store in memory, and a client of the tiles over both."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from fastapi import FastAPI
from fastapi.testclient import TestClient
from numpy.typing import NDArray
from PIL import Image
from rasterio.io import MemoryFile
from starlette.requests import Request

from catalog.errors import CollectionNotFound, ItemNotFound
from catalog.legend import Legend, LegendClass
from catalog.store import ANONYMOUS, OWNER, Reader
from datacommons.door.polygons import survey
from tiles import add_tiles

LEGEND = Legend(
    (
        LegendClass(1, "forest", {"en": "Forest", "fr": "Forêt", "my": "သစ်တော"}, "#4f7a4d"),
        LegendClass(2, "built", {"en": "Built", "fr": "Bâti"}, "#a85c54"),
        LegendClass(5, "water", {"en": "Water", "fr": "Eau"}, "#5b8fb0"),
        LegendClass(9, "open-land", {"en": "Open land"}, "#d9c98a"),
    )
)


class MemoryStore:
    """What the tiles need of a catalog store: items by id, hidden from whom may not see them."""

    def __init__(self) -> None:
        self.items: dict[tuple[str, str], dict[str, Any]] = {}
        self.providers: list[dict[str, str]] = []

    def collection(self, collection_id: str, reader: Reader) -> dict[str, Any]:
        if not any(collection_id == known for known, _ in self.items):
            raise CollectionNotFound(f"No collection {collection_id!r}.")
        return {"id": collection_id, "providers": self.providers}

    def item(self, collection_id: str, item_id: str, reader: Reader) -> dict[str, Any]:
        item = self.items.get((collection_id, item_id))
        if item is None or not reader.may_see(item["properties"].get("landscape:access", "public")):
            raise ItemNotFound(f"No item {item_id!r} in {collection_id!r}.")
        return item


class TileCommons:
    """A folder of layers, their items and a client that reads their tiles."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.store = MemoryStore()
        self.app = FastAPI()
        add_tiles(
            self.app,
            self.store,  # type: ignore[arg-type]
            locate=lambda href: str(root / href),
            identify=identify,
            survey=survey,
            archives=root / "packed",
        )
        self.client = TestClient(self.app)

    def add_layer(
        self,
        collection: str,
        item: str,
        cells: NDArray[Any],
        *,
        crs: str = "EPSG:32618",
        transform: Affine = Affine(30, 0, 340_000, 0, -30, 4_740_000),  # noqa: B008 (immutable)
        nodata: float | None = 0,
        legend: Legend | None = None,
        asset: str = "data",
        statistics: dict[str, float] | None = None,
        checksum: str = "",
        **properties: Any,
    ) -> str:
        """Write a COG and its item, and return the URL under which its tiles are."""
        href = f"{collection}-{item}.tif"
        save_cog(self.root / href, cells, crs=crs, transform=transform, nodata=nodata)
        self.add_item(
            collection, item, href, legend=legend, asset=asset, statistics=statistics, checksum=checksum, **properties
        )
        return f"/collections/{collection}/items/{item}"

    def add_item(
        self,
        collection: str,
        item: str,
        href: str,
        *,
        legend: Legend | None = None,
        asset: str = "data",
        statistics: dict[str, float] | None = None,
        checksum: str = "",
        **properties: Any,
    ) -> None:
        description: dict[str, Any] = {"href": href, "type": "image/tiff; application=geotiff"}
        if checksum:
            description["file:checksum"] = checksum
        if legend is not None:
            description["classification:classes"] = legend.to_classification()
        if statistics is not None:
            description["bands"] = [{"name": "b1", "unit": "m", "statistics": statistics}]
        notes = {"href": "notes.txt", "type": "text/plain"}
        document = {"id": item, "properties": properties, "assets": {"notes": notes, asset: description}}
        self.store.items[collection, item] = document

    def get(self, url: str, status: int = 200, **kwargs: Any) -> Any:
        response = self.client.get(url, **kwargs)
        assert response.status_code == status, response.text
        return response

    def pixels(self, url: str) -> NDArray[np.uint8]:
        """Return a tile as (y, x, 4) red, green, blue, alpha."""
        return decode(self.get(url).content)


def identify(request: Request) -> Reader:
    """Take whoever says so for the owner."""
    return OWNER if request.headers.get("authorization") == "owner" else ANONYMOUS


def decode(content: bytes) -> NDArray[np.uint8]:
    return np.asarray(Image.open(BytesIO(content)).convert("RGBA"))


def save_cog(path: Path, cells: NDArray[Any], *, crs: str | None, transform: Affine, nodata: float | None) -> None:
    height, width = cells.shape
    profile = {"driver": "GTiff", "height": height, "width": width, "count": 1, "dtype": cells.dtype}
    with MemoryFile() as memory:
        with memory.open(**profile, crs=crs, transform=transform, nodata=nodata) as dataset:
            dataset.write(cells, 1)
        rasterio.shutil.copy(memory.name, path, driver="COG", blocksize=128, overview_resampling="MODE")


@pytest.fixture
def commons(tmp_path: Path) -> Iterator[TileCommons]:
    made = TileCommons(tmp_path)
    with made.client:
        yield made


@pytest.fixture
def legend() -> Legend:
    return LEGEND


@pytest.fixture
def land_cover() -> NDArray[np.uint8]:
    """(300, 260) uint8: every class of the legend and nodata, cell by cell at random."""
    rng = np.random.default_rng(6)
    return rng.choice(np.array([0, 1, 2, 5, 9], dtype=np.uint8), size=(300, 260))


@pytest.fixture(name="write_cog")
def give_write_cog() -> Any:
    return save_cog
