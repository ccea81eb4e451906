"""Generated items for the catalog's benchmark: maps of many landscapes, of forty years, all over the land."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

LANDSCAPES = 1000
YEARS = range(1985, 2025)
COLLECTION = "land-cover"
_CELLS_M = (10, 20, 30, 100, 250)


def make_items(count: int, seed: int = 5) -> Iterator[dict[str, Any]]:
    """Yield items of about 1.5 kB, the same each time."""
    draw = random.Random(seed)
    for number in range(count):
        west, south = draw.uniform(-179, 178), draw.uniform(-55, 70)
        yield _make_item(number, (west, south, west + draw.uniform(0.05, 0.5), south + draw.uniform(0.05, 0.5)), draw)


def name(number: int) -> str:
    """Return the id of an item."""
    return f"map-{number:07}"


def _make_item(number: int, box: tuple[float, float, float, float], draw: random.Random) -> dict[str, Any]:
    west, south, east, north = (round(edge, 5) for edge in box)
    year, landscape = draw.choice(YEARS), f"landscape-{draw.randrange(LANDSCAPES):03}"
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    moment = f"{year}-{draw.randint(1, 12):02}-{draw.randint(1, 28):02}T{draw.randint(0, 23):02}:00:00Z"
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": ["https://stac-extensions.github.io/projection/v2.0.0/schema.json"],
        "id": name(number),
        "collection": COLLECTION,
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "bbox": [west, south, east, north],
        "properties": {
            "datetime": moment,
            "title": f"Land cover of {landscape}, {year}",
            "created": "2025-01-01T00:00:00Z",
            "landscape:id": landscape,
            "landscape:layer": "land-cover",
            "gsd": draw.choice(_CELLS_M),
            "eo:cloud_cover": round(draw.uniform(0, 100), 2),
            "proj:code": f"EPSG:{32601 + number % 60}",
            "proj:shape": [1000, 1000],
            "proj:transform": [30.0, 0.0, 500000.0, 0.0, -30.0, 4000000.0, 0.0, 0.0, 1.0],
        },
        "links": [{"rel": "tilejson", "href": f"collections/{COLLECTION}/items/{name(number)}/tilejson.json"}],
        "assets": {
            "data": {
                "href": f"layers/{COLLECTION}/{name(number)}/{name(number)}.tif",
                "type": "image/tiff; application=geotiff; profile=cloud-optimized",
                "roles": ["data"],
                "file:size": 1_000_000 + number,
                "file:checksum": f"1220{number:064x}",
                "bands": [{"data_type": "uint8", "nodata": 0}],
            }
        },
    }
