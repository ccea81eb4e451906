"""A stand-in for the server: STAC items, hectares and tiles of the valley, shaped as the real ones are.

Run it alone to work on the page: ``python -m tests.page.commons_server`` and open http://127.0.0.1:8011/.
"""

from __future__ import annotations

from typing import Any, Final

import uvicorn
from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import Response

from tests.page import valley
from tests.page.commons_answers import MEMBERS, RAMP, YEARS, add_answers, plan_of, png
from tests.page.packed_answers import add_archives
from tests.page.plan_answers import add_plans
from tiles.viewer import add_viewer

Item = dict[str, Any]

HOSTILE: Final = "<img src=x onerror=\"document.title='broken'\"><b>Bold</b> place"
LONG: Final = "A title of ninety characters that somebody wrote for a report and nobody shortened since"
_OBSERVED: Final = (1998, 2008, 2018)
_FEW_SCORES: Final[Item] = {"figure_of_merit": 0.0331, "random_figure_of_merit": 0.0042}
_SCORES: Final[Item] = {
    "start": 2008,
    "end": 2018,
    "figure_of_merit": 0.044,
    "random_figure_of_merit": 0.011,
    "found": 0.061,
    "random_found": 0.022,
}
_STORIES: Final[dict[str, tuple[dict[str, str], dict[str, str]]]] = {
    "as-before": (
        {"en": "Business as usual", "es": "Tendencia actual"},
        {"en": "Farms and towns keep growing at the pace of the last twenty years. Nothing is done."},
    ),
    "restoration": (
        {"en": "Restore the valley", "es": "Restaurar el valle"},
        {
            "en": "The partnership restores degraded pasture along the river and protects the upper forest. "
            "Work starts in 2020 and ends in 2035.",
            "es": "La alianza restaura pastos degradados junto al río y protege el bosque alto.",
        },
    ),
    "zoning": (
        {"en": "Conservation zoning", "es": "Zonas de conservación"},
        {"en": "Building is steered away from forest and wetland by zones that the municipalities agree on."},
    ),
}


def create_server(
    landscapes: tuple[str, ...] = ("valley", "coast", "hostile"), believed_address: str | None = None
) -> FastAPI:
    """Make the stand-in for a commons that holds these landscapes.

    "valley" is synthetic and has three scenarios, one of them run twice; "coast" has none;
    "hostile" has names with markup in them. Links point to the address that the server believes to have,
    which behind a silent proxy is not the one it is reached under.
    """
    app = FastAPI()
    _add_stac(app, landscapes, believed_address)
    add_answers(app)
    add_plans(app)
    _add_tiles(app)
    add_archives(app)
    add_viewer(app)
    return app


def _add_stac(app: FastAPI, landscapes: tuple[str, ...], believed_address: str | None) -> None:
    @app.get("/stac/collections/landscapes/items")
    def list_landscapes() -> Item:
        return _feature_collection([_landscape(name) for name in landscapes])

    @app.get("/stac/collections")
    def list_collections() -> Item:
        terms = {"license": "CC-BY-4.0", "providers": [{"name": "Valley survey"}]}
        titles = {"landscapes": "Landscapes", "drivers": "Drivers", "land-cover": "Land cover", "runs": "Runs"}
        return {"collections": [{"id": name, "title": title, **terms} for name, title in titles.items()], "links": []}

    @app.get("/stac/search")
    def search(request: Request, collections: str, token: str = "") -> Item:
        base = believed_address or str(request.base_url)
        found = {
            "runs": _runs(landscapes, base),
            "land-cover": [_observed(name, year, base) for name in landscapes for year in _OBSERVED],
            "drivers": [_driver(name) for name in landscapes],
        }[collections]
        if collections != "land-cover":
            return _feature_collection(found)
        half = len(found) // 2  # in two pages, as a larger commons would answer
        if token:
            return _feature_collection(found[half:])
        following = f"{base}stac/search?collections=land-cover&token=2"
        link = {"rel": "next", "method": "GET", "href": following}
        return {**_feature_collection(found[:half]), "links": [link]}

    @app.get("/files/runs/{plan}/areas.json")
    def show_areas(plan: str) -> Item:
        return areas(plan)


def _add_tiles(app: FastAPI) -> None:
    @app.get("/runs/{run}/{year}/tiles/WebMercatorQuad/{z}/{x}/{y}.png")
    def run_tile(run: str, year: int, z: int, x: int, y: int) -> Response:
        return png(valley.cover_tile(plan_of(run), year, z, x, y))

    @app.get("/collections/{collection}/items/{item}/tiles/WebMercatorQuad/{z}/{x}/{y}.png")
    def item_tile(collection: str, item: str, z: int, x: int, y: int, style: str = "legend") -> Response:
        if collection == "land-cover":
            return png(valley.cover_tile("as-before", int(item.rsplit("-", 1)[1]), z, x, y))
        if style not in {"relief", "legend"}:
            raise HTTPException(404)
        if style == "legend":
            return png(valley.ramp_tile(valley.elevation() / 1000, z, x, y, RAMP))
        return png(valley.relief_tile(z, x, y))


def areas(plan: str) -> Item:
    """Return the hectares of a run, as its asset ``areas`` holds them."""
    rows = [valley.hectares(plan, year) for year in YEARS]
    spread = [min(index * 0.004, 0.06) for index, _ in enumerate(YEARS)]
    return {
        "unit": "ha",
        "classes": [
            {"value": entry.value, "name": entry.name, "title": entry.title, "colour": entry.colour}
            for entry in valley.LEGEND
        ],
        "years": list(YEARS),
        "area_ha": rows,
        "low_ha": [[area * (1 - by) for area in row] for row, by in zip(rows, spread, strict=True)],
        "median_ha": rows,
        "high_ha": [[area * (1 + by) for area in row] for row, by in zip(rows, spread, strict=True)],
        "members": MEMBERS,
        "observed": {
            "years": list(_OBSERVED),
            "area_ha": [valley.hectares("as-before", year) for year in _OBSERVED],
        },
    }


def _feature_collection(items: list[Item]) -> Item:
    return {"type": "FeatureCollection", "features": items, "links": []}


def _item(item_id: str, collection: str, properties: Item, assets: Item) -> Item:
    west, south, east, north = valley.BOUNDS
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "id": item_id,
        "collection": collection,
        "bbox": list(valley.BOUNDS),
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "properties": properties,
        "assets": assets,
        "links": [],
    }


def _landscape(name: str) -> Item:
    titles = {"valley": "Río Claro valley", "coast": LONG, "hostile": HOSTILE}
    description = "Farms, forest and a growing town along one river in the eastern hills."
    properties = {
        "datetime": "2026-01-01T00:00:00Z",
        "title": titles[name],
        "description": HOSTILE if name == "hostile" else description,
        "landscape:id": name,
        "landscape:synthetic": name == "valley",
        "proj:code": "EPSG:32618",
        "proj:shape": [valley.SIDE, valley.SIDE],
        "proj:transform": [30.0, 0.0, 564000.0, 0.0, -30.0, 519000.0],
    }
    return _item(name, "landscapes", properties, {})


def _observed(name: str, year: int, base: str) -> Item:
    item_id = f"{name}-land-cover-{year}"
    classes: list[Item] = [{"value": 0, "name": "nodata", "title": "No data", "nodata": True}]
    classes += [
        {
            "value": entry.value,
            "name": entry.name,
            "title": entry.title["en"],
            "color_hint": entry.colour[1:].upper(),
        }
        for entry in valley.LEGEND
    ]
    properties = {
        "datetime": f"{year}-01-01T00:00:00Z",
        "landscape:id": name,
        "landscape:layer": "land-cover",
        "landscape:synthetic": name == "valley",
    }
    data = {"href": f"{base}files/layers/land-cover/{item_id}.tif", "classification:classes": classes}
    return _item(item_id, "land-cover", properties, {"data": data})


def _driver(name: str) -> Item:
    properties = {
        "title": HOSTILE if name == "hostile" else "Elevation",
        "description": "Metres above the river.",
        "datetime": "2026-01-01T00:00:00Z",
        "landscape:id": name,
        "landscape:layer": "elevation",
        "gsd": 30,
    }
    tif = "image/tiff; application=geotiff; profile=cloud-optimized"
    data = {"href": "elevation.tif", "type": tif, "bands": [{"unit": "m"}], "file:size": 1_234_567}
    return _item(f"{name}-elevation", "drivers", properties, {"data": data})


def _runs(landscapes: tuple[str, ...], base: str) -> list[Item]:
    found = []
    if "valley" in landscapes:
        found += [_run("valley", plan, f"{plan}-run-2", "2026-05-02T10:00:00Z", base) for plan in _STORIES]
        found.append(_run("valley", "restoration", "restoration-run-1", "2026-05-01T10:00:00Z", base))
    if "hostile" in landscapes:
        found.append(_run("hostile", "zoning", "hostile-zoning-run-1", "2026-05-01T10:00:00Z", base))
    return found


def _run(landscape: str, plan: str, run_id: str, created: str, base: str) -> Item:
    title, storyline = _STORIES[plan]
    hostile = landscape == "hostile"
    properties = {
        "datetime": None,
        "start_datetime": "2019-01-01T00:00:00Z",
        "end_datetime": "2038-12-31T23:59:59Z",
        "created": created,
        "landscape:id": landscape,
        "landscape:synthetic": landscape == "valley",
        "scenario:id": plan,
        "scenario:title": {"en": HOSTILE} if hostile else title,
        "scenario:storyline": {"en": HOSTILE} if hostile else storyline,
        "scenario:run": run_id,
        "scenario:baseline_datetime": "2018-01-01T00:00:00Z",
        "scenario:horizon_years": 20,
        "scenario:members": MEMBERS,
        "scenario:seed": 42,
        "scenario:interventions": [] if plan == "as-before" else [{"id": "reserve"}],
        "scenario:hindcast": _FEW_SCORES if hostile else _SCORES,
    }
    return _item(run_id, "runs", properties, {"areas": {"href": f"{base}files/runs/{plan}/areas.json"}})


if __name__ == "__main__":
    uvicorn.run(create_server(), port=8011, log_level="warning")
