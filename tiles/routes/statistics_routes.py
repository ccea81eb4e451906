"""The routes of statistics: a polygon, a place that has a name, or a point, through the years of a run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, FastAPI, Path, Query
from fastapi.concurrency import run_in_threadpool
from shapely.geometry import mapping
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from catalog.store import Reader
from tiles.drawing.legends import DEFAULT_LANGUAGE, choose_title
from tiles.errors import InvalidRequest
from tiles.reading.runs import RunCubes, find_run
from tiles.reading.statistics import Survey, measure_polygon, read_point
from tiles.routes.body import read_polygon
from tiles.routes.caching import NO_STORE, cache_headers
from tiles.routes.layers import Language, TileRoute
from tiles.routes.places import PlaceIndex, WithinKm

_MOST_RUNS: Final = 8
_SIMPLIFIED: Final = "The outline of the place has so many vertices that a simpler one was measured."
_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": "A GeoJSON Polygon or MultiPolygon in longitude and latitude, or a Feature of one",
        "content": {"application/json": {"schema": {"type": "object"}}},
    }
}

Others = Annotated[list[str], Query(alias="with", max_length=_MOST_RUNS, description="Other runs to measure as well")]
LayerName = Annotated[str, Query(max_length=200, description="A layer of the run's landscape that has places")]
PlaceName = Annotated[str, Query(max_length=200, description="The name of one of them")]
Longitude = Annotated[float, Path(ge=-180, le=180)]
Latitude = Annotated[float, Path(ge=-90, le=90)]


def add_statistics(app: FastAPI, places: PlaceIndex, identify: Callable[[Request], Reader], survey: Survey) -> None:
    """Add the hectares inside a polygon or a place, and the classes of a point.

    Parameters
    ----------
    app : FastAPI
    places : PlaceIndex
        Finds the places, and the runs by its layers.
    identify : callable
        From a request to who reads.
    survey : callable
        Tells which cells lie in a polygon, and how large they are.
    """
    index, router = places.layers, APIRouter(route_class=TileRoute, tags=["statistics"])

    def find(reader: Reader, names: Sequence[str]) -> list[RunCubes]:
        if len(set(names)) > _MOST_RUNS:
            raise InvalidRequest(f"{_MOST_RUNS} runs are the most that are measured at once.")
        return [find_run(index, reader, name) for name in dict.fromkeys(names)]

    @router.post("/runs/{run_id}/statistics", openapi_extra=_BODY, response_class=Response)
    async def statistics(
        request: Request,
        run_id: str,
        others: Others = [],  # noqa: B006 (FastAPI copies it)
        expected: bool = False,
        language: Language = DEFAULT_LANGUAGE,
    ) -> Response:
        """Measure hectares by class and year inside a polygon, for one or several runs."""
        reader = identify(request)
        runs = await run_in_threadpool(find, reader, [run_id, *others])
        geometry = await read_polygon(request)
        measured = await run_in_threadpool(measure_polygon, runs, geometry, survey, language, expected=expected)
        return JSONResponse(measured, headers=NO_STORE)

    @router.get("/runs/{run_id}/statistics", response_class=Response)
    def place_statistics(
        request: Request,
        run_id: str,
        layer: LayerName,
        place: PlaceName,
        within_km: WithinKm = None,
        others: Others = [],  # noqa: B006 (FastAPI copies it)
        expected: bool = False,
        language: Language = DEFAULT_LANGUAGE,
    ) -> Response:
        """Measure the same inside a place of the run's landscape, by its name; around a point with `within_km`."""
        reader = identify(request)
        runs = find(reader, [run_id, *others])
        item, found = places.find(reader, runs[0].landscape, layer, place)
        found = found if within_km is None else found.draw_around(within_km)
        if found.is_point:
            raise InvalidRequest(f"{found.name!r} is a point and has no area. Ask around it, as with within_km=2.")
        measured = measure_polygon(runs, mapping(found.geometry), survey, language, expected=expected)
        told = {"layer": item["id"], "name": found.name, "label": choose_title(found.title, language)}
        notes = [*measured["notes"], *([_SIMPLIFIED] if found.simplified else [])]
        public = places.is_public(reader, item) and all(run.public for run in runs)
        return JSONResponse({"place": told, **measured, "notes": notes}, headers=cache_headers(public=public))

    @router.get("/runs/{run_id}/point/{longitude},{latitude}", response_class=Response)
    def point(
        request: Request,
        run_id: str,
        longitude: Longitude,
        latitude: Latitude,
        language: Language = DEFAULT_LANGUAGE,
    ) -> Response:
        """Tell the class of a point in each year, and in which share of the members it has each class."""
        run = find_run(index, identify(request), run_id)
        told = read_point(run, longitude, latitude, language)
        return JSONResponse(told, headers=cache_headers(public=run.public))

    app.include_router(router)
