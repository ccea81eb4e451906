"""What the stand-in answers about a run: chances, differences, points, polygons, legends, and the layers there are."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import Response

from tests.page import valley

Item = dict[str, Any]

YEARS: Final = tuple(range(valley.START_YEAR, valley.LAST_YEAR + 1))
MEMBERS: Final = 10
RAMP: Final = ("#f3f0e7", "#d0dad0", "#a3bfb9", "#6c9a9b", "#2f636c")
PLACES: Final = {
    name: {
        "type": "Polygon",
        "coordinates": [[[w, 4.58], [w + 0.05, 4.58], [w + 0.05, 4.63], [w, 4.63], [w, 4.58]]],
    }
    for name, w in (("San Roque / Río Claro", -74.36), ("El Alto", -74.31))
}
"""Villages of the valley, by name."""
HAMLET: Final = "La Loma"
"""A village that is a point, in the middle of the second one."""
_STEPS: Final = ("very-unlikely", "unlikely", "as-likely-as-not", "likely", "very-likely")
_STATES: Final = {"gained": "#4a9a5b", "lost": "#63337f", "kept": "#dad5ca", "other": "#d6a24a"}
_PICTURE_TAGS: Final = "/tiles/WebMercatorQuad/{z}/{x}/{y}.png"


def plan_of(run: str) -> str:
    """Return which of the valley's plans a run of the stand-in follows; what visitors planned is a restoration."""
    if run.startswith("plan-"):
        return "restoration"
    return run.rsplit("-run-", 1)[0].removeprefix("hostile-")


def veil_tile(plan: str, year: int, z: int, x: int, y: int) -> bytes:
    """Draw where the members of a plan disagree in a year, hatched."""
    rows, columns = np.indices((valley.SIDE, valley.SIDE))
    hatched = (_spread(plan, year) > 0.7) & ((rows + columns) % 8 < 2)
    return valley.palette_tile(hatched.astype(int), z, x, y, ("#2a2723",))


def add_answers(app: FastAPI) -> None:
    """Add the tiles, legends and figures of runs."""
    _add_tiles(app)
    _add_legends(app)
    _add_figures(app)
    _add_places(app)


def _add_tiles(app: FastAPI) -> None:
    @app.get("/runs/{run}/{year}/agreement" + _PICTURE_TAGS)
    def veil(run: str, year: int, z: int, x: int, y: int, style: str) -> Response:
        if style != "veil":
            raise HTTPException(404)
        return png(veil_tile(plan_of(run), year, z, x, y))

    @app.get("/runs/{run}/{year}/probability" + _PICTURE_TAGS)
    def probability(request: Request, run: str, year: int, z: int, x: int, y: int) -> Response:
        if request.query_params.get("style") != "likelihood":
            raise HTTPException(404)
        value = _value_of(request.query_params["class"])
        chance = (valley.land_cover(plan_of(run), year) == value) * (1 - _spread(plan_of(run), year))
        return png(valley.ramp_tile(chance, z, x, y, RAMP))

    @app.get("/runs/{run}/first-change" + _PICTURE_TAGS)
    def first_change(run: str, z: int, x: int, y: int) -> Response:
        return png(valley.ramp_tile(_spread(plan_of(run), valley.LAST_YEAR), z, x, y, RAMP))

    @app.get("/runs/{run}/{year}/difference" + _PICTURE_TAGS)
    def difference(request: Request, run: str, year: int, z: int, x: int, y: int) -> Response:
        before, after = _reference(request, run, year), valley.land_cover(plan_of(run), year)
        name = request.query_params.get("class")
        if name is None:
            return png(valley.class_tile(np.where(before == after, 0, after), z, x, y))
        value = _value_of(name)
        states = (after == value) + 2 * (before == value)
        states = np.where((states == 0) & (before != after), 4, states)
        return png(valley.palette_tile(states, z, x, y, tuple(_STATES.values())))


def _add_legends(app: FastAPI) -> None:
    @app.get("/runs/{run}/{year}/probability/legend.json")
    def chances(run: str, year: int) -> Item:
        steps = zip(_STEPS, RAMP, strict=True)
        return {"title": run, "unit": "%", "stops": [], "classes": [_entry(name, colour) for name, colour in steps]}

    @app.get("/runs/{run}/first-change/legend.json")
    def first_change(run: str) -> Item:
        years = np.linspace(YEARS[1], YEARS[-1], len(RAMP)).round().astype(int).tolist()
        stops = [{"value": y, "label": str(y), "colour": c} for y, c in zip(years, RAMP, strict=True)]
        return {"title": run, "unit": None, "classes": [], "stops": stops}

    @app.get("/runs/{run}/{year}/difference/legend.json")
    def difference(request: Request, run: str, year: int) -> Item:
        states = [_entry(name, colour) for name, colour in _STATES.items()]
        return {"title": run, "stops": [], "classes": states if "class" in request.query_params else legend()}

    @app.get("/collections/{collection}/items/{item}/legend.json")
    def layer(collection: str, item: str) -> Item:
        stops = [{"value": n, "label": f"{n * 100} m", "colour": c} for n, c in enumerate(RAMP)]
        return {"title": item, "unit": "m", "classes": [], "stops": stops}


def _add_figures(app: FastAPI) -> None:
    @app.get("/runs/{run}/point/{longitude},{latitude}")
    def point(run: str, longitude: float, latitude: float) -> Item:
        cell = valley.find_cell(longitude, latitude)
        if cell is None:
            raise HTTPException(400, f"{longitude}, {latitude} lies outside the landscape.")
        values = [int(valley.land_cover(plan_of(run), year)[cell]) for year in YEARS]
        names = {entry.value: entry.name for entry in valley.LEGEND}
        return {
            "run": run,
            "classes": legend(),
            "years": list(YEARS),
            "class": [names[value] for value in values],
            "probability_years": list(YEARS[1:]),
            "chance": {
                entry.name: [0.8 if value == entry.value else 0.04 for value in values[1:]] for entry in valley.LEGEND
            },
            "members": MEMBERS,
        }

    @app.post("/runs/{run}/statistics")
    async def statistics(request: Request, run: str) -> Item:
        geometry = await request.json()
        runs = [run, *request.query_params.getlist("with")]
        measured = [measure(geometry, name) for name in runs]
        if not measured[0]["polygon_ha"]:
            raise HTTPException(400, f"The polygon holds no cell of the run {run!r}: it lies outside, or is too small.")
        return {"runs": measured, "quantiles": None, "notes": []}


def _add_places(app: FastAPI) -> None:
    @app.get("/landscapes/{landscape}/places")
    def places(landscape: str) -> Item:
        if landscape != "valley":
            raise HTTPException(404)
        named = [{"name": name, "label": name, "kind": "area"} for name in PLACES]
        hamlet = {"name": HAMLET, "label": HAMLET, "kind": "point"}
        layer = {"layer": "valley-villages", "name": "villages", "title": "Villages", "note": None}
        return {"landscape": landscape, "layers": [{**layer, "places": [*named, hamlet]}]}

    @app.get("/landscapes/{landscape}/places/{layer}/{name:path}")
    def place(landscape: str, layer: str, name: str, within_km: float | None = None) -> Item:
        if layer != "valley-villages" or name not in (*PLACES, HAMLET):
            raise HTTPException(404)
        if (within_km is None) == (name == HAMLET):
            raise HTTPException(400)  # what has no area cannot be measured, and what has one needs no circle
        outline = PLACES["El Alto" if name == HAMLET else name]
        return {"type": "Feature", "geometry": outline, "properties": {"layer": layer, "name": name}}


def measure(geometry: Item, run: str) -> Item:
    """Return the hectares by class and year in the box around a polygon."""
    ring = np.array(geometry["coordinates"][0])
    rows, columns = valley.find_box(*ring.min(axis=0), *ring.max(axis=0))
    boxes = [valley.land_cover(plan_of(run), year)[rows, columns] for year in YEARS]
    counts = [np.bincount(box.ravel(), minlength=len(valley.LEGEND) + 1) for box in boxes]
    return {
        "run": run,
        "classes": legend(),
        "polygon_ha": round(boxes[0].size * valley.CELL_HA, 2),
        "years": list(YEARS),
        "area_ha": {
            entry.name: [round(float(count[entry.value]) * valley.CELL_HA, 2) for count in counts]
            for entry in valley.LEGEND
        },
    }


def legend() -> list[Item]:
    """Return the classes as the routes of tiles and statistics name them."""
    return [
        {"value": e.value, "name": e.name, "title": e.title, "label": e.title["en"], "colour": e.colour}
        for e in valley.LEGEND
    ]


def png(content: bytes) -> Response:
    """Answer a tile."""
    return Response(content, media_type="image/png", headers={"Cache-Control": "public, max-age=300"})


def _entry(name: str, colour: str) -> Item:
    return {"name": name, "title": {"en": name}, "label": name, "colour": colour}


def _value_of(name: str) -> int:
    return next(entry.value for entry in valley.LEGEND if entry.name == name)


def _spread(plan: str, year: int) -> Any:
    """How far the members part: nowhere in the first year, most where the rough ground is."""
    return valley.roughness() * (year - valley.START_YEAR) / (valley.LAST_YEAR - valley.START_YEAR)


def _reference(request: Request, run: str, year: int) -> Any:
    against = request.query_params.get("against", run)
    if "/" in against:
        return valley.land_cover("as-before", int(against.rsplit("-", 1)[1]))
    return valley.land_cover(plan_of(against), int(request.query_params.get("since", year)))
