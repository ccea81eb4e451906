"""One of many processes on one catalog: writes or reads for some seconds, and tells what it did.

``python -m tests.catalog.crowd writer|reader PATH-OR-ADDRESS NUMBER SECONDS``
"""

from __future__ import annotations

import json
import random
import sys
import time
from contextlib import closing
from typing import Any

from catalog.store import OWNER, CatalogStore, Query
from datacommons.founding import open_store

SHARED = "shared"


def make_item(name: str, **properties: Any) -> dict[str, Any]:
    """Make a small valid item."""
    west = (hash(name) % 3000) / 10 - 170
    point = {"type": "Point", "coordinates": [west, 10.0]}
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "id": name,
        "collection": "land-cover",
        "geometry": point,
        "bbox": [west, 10.0, west, 10.0],
        "properties": {"datetime": "2000-01-01T00:00:00Z", "landscape:id": "crowd", **properties},
        "links": [],
        "assets": {},
    }


def write(store: CatalogStore, number: int, until: float) -> dict[str, int]:
    """Put twins, count on the shared item, and delete what is old; tell how often it counted, and what is left."""
    draw, counted, left = random.Random(number), 0, 0
    while time.monotonic() < until:
        stamp = counted
        store.put_items(make_item(f"twin-{number}-{side}", stamp=stamp, gsd=stamp) for side in "ab")
        store.change_item("land-cover", SHARED, _count_on)
        counted += 1
        store.put_items([make_item(f"own-{number}-{left}", title=f"word{number}")], expect="new")
        left += 1
        if draw.random() < 0.2:
            left -= 1
            store.delete_items("land-cover", [f"own-{number}-{left}"])
    return {"counted": counted, "left": left}


def read(store: CatalogStore, number: int, until: float) -> dict[str, int]:
    """Look at twins, pages and counts; whatever is half done is told by an assertion."""
    draw, looked, last = random.Random(number), 0, 0
    while time.monotonic() < until:
        writer = draw.randrange(3)
        twins = store.search(Query(ids=tuple(f"twin-{writer}-{side}" for side in "ab")), OWNER).items
        assert len({item["properties"]["stamp"] for item in twins}) == (1 if twins else 0), twins
        assert len(twins) in (0, 2), twins
        found = store.search(Query(filter="landscape:id = 'crowd'", sortby=("-gsd", "id"), limit=20), OWNER).items
        names = [item["id"] for item in found]
        assert len(set(names)) == len(names)
        count = store.item("land-cover", SHARED, OWNER)["properties"]["count"]
        assert count >= last, "a change was undone"
        looked, last = looked + 1, count
    return {"looked": looked}


def _count_on(item: dict[str, Any]) -> dict[str, Any]:
    return {**item, "properties": {**item["properties"], "count": item["properties"]["count"] + 1}}


def main() -> None:
    """Do what the command line says."""
    role, place, number, seconds = sys.argv[1:]
    with closing(open_store(place)) as store:
        until = time.monotonic() + float(seconds)
        print(json.dumps((write if role == "writer" else read)(store, int(number), until)))


if __name__ == "__main__":
    main()
