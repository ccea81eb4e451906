"""The routes of statistics: a polygon, or a point, through the years of a run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, FastAPI, Path, Query
from fastapi.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from catalog.store import Reader
from tiles.drawing.legends import DEFAULT_LANGUAGE
from tiles.errors import InvalidRequest
from tiles.reading.runs import RunCubes, find_run
from tiles.reading.statistics import Survey, measure_polygon, read_point
from tiles.routes.body import read_polygon
from tiles.routes.caching import NO_STORE, cache_headers
from tiles.routes.layer import LayerIndex
from tiles.routes.layers import Language, TileRoute

_MOST_RUNS: Final = 8
_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": "A GeoJSON Polygon or MultiPolygon in longitude and latitude, or a Feature of one",
        "content": {"application/json": {"schema": {"type": "object"}}},
    }
}

Others = Annotated[list[str], Query(alias="with", max_length=_MOST_RUNS, description="Other runs to measure as well")]
Longitude = Annotated[float, Path(ge=-180, le=180)]
Latitude = Annotated[float, Path(ge=-90, le=90)]


def add_statistics(app: FastAPI, index: LayerIndex, identify: Callable[[Request], Reader], survey: Survey) -> None:
    """Add the hectares inside a polygon, and the classes of a point.

    Parameters
    ----------
    app : FastAPI
    index : LayerIndex
        Finds the runs.
    identify : callable
        From a request to who reads.
    survey : callable
        Tells which cells lie in a polygon, and how large they are.
    """
    router = APIRouter(route_class=TileRoute, tags=["statistics"])

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
