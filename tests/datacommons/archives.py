"""Archives for the tests: COGs of our own making, described as public ones are, served in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from rasterio.warp import transform_bounds
from shapely.geometry import box, mapping

from datacommons.archives.links import Patience

SERVER = Path(__file__).with_name("archive_server.py")
HASTY = Patience(tries=5, pause_s=0.01, longest_s=0.2)


@dataclass
class Archive:
    """A folder that the server serves: describe it, then open it."""

    folder: Path
    collection: str
    signed: bool = False
    faults: list[dict[str, Any]] = field(default_factory=list)
    items: list[dict[str, Any]] = field(default_factory=list)
    lifetime_s: float = 3600
    described: dict[str, Any] = field(default_factory=dict)

    def add(
        self,
        name: str,
        cells: NDArray[Any],
        transform: Affine,
        crs: str,
        year: int | None = None,
        asset: str = "data",
        **profile: Any,
    ) -> None:
        """Add an item with one COG."""
        path = self.folder / f"{name}.tif"
        height, width = cells.shape
        settings = {"blocksize": 128, "compress": "LZW", **profile}
        with rasterio.open(
            path,
            "w",
            driver="COG",
            count=1,
            height=height,
            width=width,
            dtype=cells.dtype,
            crs=crs,
            transform=transform,
            **settings,
        ) as file:
            file.write(cells, 1)
            bounds = transform_bounds(crs, "EPSG:4326", *file.bounds)
        times: dict[str, Any] = {"datetime": "2021-04-22T00:00:00Z"}
        if year is not None:
            # As the public ones: the span ends with the first moment of the next year.
            span = {"start_datetime": f"{year}-01-01T00:00:00Z", "end_datetime": f"{year + 1}-01-01T00:00:00Z"}
            times = {"datetime": None, **span}
        self.items.append(
            {
                "type": "Feature",
                "stac_version": "1.0.0",
                "id": name,
                "collection": self.collection,
                "bbox": list(bounds),
                "geometry": mapping(box(*bounds)),
                "properties": times,
                "links": [{"rel": "self", "href": f"BASE/stac/collections/{self.collection}/items/{name}"}],
                "assets": {asset: {"href": f"BASE/data/{name}.tif", "roles": ["data"], "type": "image/tiff"}},
            }
        )

    def fail(self, path: str, kind: str, times: int, **details: Any) -> None:
        """Let some requests fail: with a status, or ``cut`` in the middle."""
        self.faults.append({"path": path, "kind": kind, "times": times, **details})

    @contextmanager
    def open(self) -> Iterator[dict[str, Any]]:
        """Serve it; yield the options by which a pull finds it."""
        described = {"items": self.items, "signed": self.signed, "lifetime_s": self.lifetime_s}
        described |= {"described": self.described}
        (self.folder / "archive.json").write_text(json.dumps(described))
        (self.folder / "faults.json").write_text(json.dumps(self.faults))
        with subprocess.Popen([sys.executable, SERVER, self.folder], stdout=subprocess.PIPE, text=True) as server:
            try:
                assert server.stdout is not None
                base = f"http://127.0.0.1:{server.stdout.readline().strip()}"
                yield {"api": f"{base}/stac", "sign": f"{base}/sign" if self.signed else "", "patience": HASTY}
            finally:
                server.kill()

    @property
    def requests(self) -> list[dict[str, Any]]:
        """What was asked for, and answered."""
        log = self.folder / "requests.jsonl"
        return [json.loads(line) for line in log.read_text().splitlines()] if log.is_file() else []

    def bytes_sent(self, name: str) -> int:
        """Of one file."""
        return sum(each["bytes"] for each in self.requests if each["path"] == f"/data/{name}.tif")


def coarse_classes(year: int, shape: tuple[int, int] = (30, 40)) -> NDArray[np.uint8]:
    """Return classes of ESA CCI: cropland that becomes city from the west, year by year; a lake."""
    cells = np.full(shape, 10, np.uint8)
    cells[:, : (year - 1990) * 2] = 190
    cells[20:, 30:] = 210
    return cells
