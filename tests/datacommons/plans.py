"""Plans of the valley, and what visitors do with them."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx
from pyproj import Transformer

from datacommons.commons import Commons
from tests.commands import PATIENCE_S

RUN = "valley-roads-1"
PLANS = "/landscapes/valley/plans"


def draw(commons: Commons, *corners: tuple[float, float]) -> dict[str, Any]:
    """Draw a polygon on the valley's grid, by columns and rows."""
    box = commons.landscape("valley").geobox
    onto_degrees = Transformer.from_crs(box.crs.proj, 4326, always_xy=True)  # type: ignore[union-attr]
    ring = [onto_degrees.transform(*(box.affine @ corner)) for corner in (*corners, corners[0])]
    return {"type": "Polygon", "coordinates": [[list(map(float, place)) for place in ring]]}


def square(commons: Commons) -> dict[str, Any]:
    """Draw a rectangle that holds all that is built in the valley, and forest around it."""
    return draw(commons, (5, 5), (30, 5), (30, 35), (5, 35))


def make_plan(commons: Commons, **changes: Any) -> dict[str, Any]:
    """Make a plan that turns nine hectares of what is built back into forest."""
    wish = {"kind": "restore", "where": square(commons), "classes": ["built"], "to": "forest", "hectares": 9}
    found = {key: value for key, value in {**wish, **changes}.items() if value is not None}
    return {"title": "Trees", "interventions": [found]}


def wait(client: httpx.Client, plan: str) -> dict[str, Any]:
    """Wait until a plan is over, and return what is told of it."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        told: dict[str, Any] = client.get(f"/plans/{plan}").json()
        if told["state"] not in ("queued", "learning", "projecting", "drawing"):
            return told
        time.sleep(0.05)
    raise AssertionError(f"the plan is still {told['state']}")


def make(client: httpx.Client, plan: dict[str, Any]) -> dict[str, Any]:
    """Have a plan made, and return what is told of it."""
    response = client.post(PLANS, json=plan)
    assert response.status_code == 202, response.text
    return wait(client, response.json()["id"])


def read_events(client: httpx.Client, plan: str, **headers: str) -> list[tuple[str, dict[str, Any]]]:
    """Listen to a plan until it is over."""
    with client.stream("GET", f"/plans/{plan}/events", headers=headers) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        blocks = "".join(response.iter_text()).split("\n\n")
    fields = [dict(line.split(": ", 1) for line in block.splitlines()) for block in blocks if block.startswith("id")]
    return [(each["event"], json.loads(each["data"])) for each in fields]
