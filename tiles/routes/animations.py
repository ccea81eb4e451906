"""The route of a run's animation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, FastAPI, Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from catalog.collections import RUNS
from catalog.store import Reader
from tiles.drawing.animation import ANIMATED_TYPES, Moment, draw_animation
from tiles.drawing.legends import DEFAULT_LANGUAGE, choose_title
from tiles.drawing.painter import Painter
from tiles.drawing.sheets import LayerSheet, find_matrix_set
from tiles.drawing.style import choose_style
from tiles.errors import Busy, LayerNotFound, TooMuch
from tiles.reading.view import View
from tiles.routes.caching import cache_headers, is_current, make_tag
from tiles.routes.layer import Layer, LayerIndex
from tiles.routes.layers import Language, TileRoute
from tiles.routes.maps import Box
from tiles.routes.papers import DRAWING, PATIENCE_S, frame_paper
from tiles.routes.services import read_years
from tiles.routes.views import Size, frame_bounds

MOST_WIDTH: Final = 1_024
MOST_FRAMES: Final = 60
MOST_PIXELS: Final = 24_000_000
"""Of all frames together."""

_OBSERVED: Final = {"en": "observed", "es": "observado", "fr": "observé", "pt": "observado"}
_PROJECTION: Final = {"en": "projection", "es": "proyección", "fr": "projection", "pt": "projeção"}

Width = Annotated[int, Query(ge=16, le=MOST_WIDTH, description="In pixels")]
Step = Annotated[int, Query(ge=1, le=50, description="Years from frame to frame")]
StyleName = Annotated[str | None, Query(max_length=60, description="A style of info")]
Ending = Annotated[Literal["apng", "webp"], Field()]


def add_animations(app: FastAPI, index: LayerIndex, painter: Painter, identify: Callable[[Request], Reader]) -> None:
    """Add moving pictures of runs.

    Parameters
    ----------
    app : FastAPI
    index : LayerIndex
    painter : Painter
    identify : callable
        From a request to who reads.
    """
    router = APIRouter(route_class=TileRoute, tags=["tiles"])
    kinds: dict[int | str, dict[str, Any]] = {200: {"content": {kind: {} for kind in ANIMATED_TYPES.values()}}}

    @router.get("/runs/{run_id}/animation.{format}", response_class=Response, responses=kinds)
    def animation(
        request: Request,
        run_id: str,
        format: Ending,  # noqa: A002 (so it is called in the URL)
        bbox: Box = None,
        width: Width = 480,
        step: Step = 1,
        style: StyleName = None,
        language: Language = DEFAULT_LANGUAGE,
    ) -> Response:
        """Show the years of a run one after the other, from the observed map on."""
        moments = _list_moments(index, identify(request), run_id, step, style, language)
        sheets = [moment.sheet for moment in moments]
        identities = [sheet.identity for sheet in sheets]
        whole = tuple(part for one in identities for part in one or ())
        tag = make_tag(whole if all(identities) else None, "animation", format, bbox, width, language)
        headers = cache_headers(public=all(sheet.public for sheet in sheets), tag=tag)
        if is_current(tag, request.headers.get("if-none-match")):
            return Response(status_code=304, headers=headers)
        content = painter.cache.get(tag)
        if content is None:
            content = _draw(moments, bbox, width, format, painter)
            painter.cache.put(tag, content)
        return Response(content, media_type=ANIMATED_TYPES[format], headers=headers)

    app.include_router(router)


def _draw(moments: list[Moment], bbox: str | None, width: int, output_format: str, painter: Painter) -> bytes:
    found = moments[-1].sheet.cover(find_matrix_set("WebMercatorQuad"), painter.pool).whole
    bounds, crs = frame_paper(found, bbox)
    view = frame_bounds(bounds, crs, found, Size(width))
    _check_size(view, len(moments))
    if not DRAWING.acquire(timeout=PATIENCE_S):
        raise Busy("Other pictures are being drawn. Ask again in a minute.")
    try:
        return draw_animation(moments, view, output_format, painter.pool)
    finally:
        DRAWING.release()


def _check_size(view: View, frames: int) -> None:
    pixels = view.width * view.height * frames
    if pixels > MOST_PIXELS:
        raise TooMuch(
            f"{frames} frames of {view.width} by {view.height} pixels are {pixels:,}, and {MOST_PIXELS:,} are the "
            "most. Ask for a smaller ?width=, or with ?step= for fewer years."
        )


def _list_moments(
    index: LayerIndex, reader: Reader, run_id: str, step: int, style: str | None, language: str
) -> list[Moment]:
    """List the years that are shown: the start, if it can be seen, and every so many of the run, with the last."""
    run, _ = index.find_document(reader, RUNS, run_id)
    years = read_years(run)
    chosen = sorted({*years[step - 1 :: step], years[-1]})
    if len(chosen) > MOST_FRAMES:
        raise TooMuch(f"{len(chosen)} years are asked for, and {MOST_FRAMES} are the most. Ask for fewer with ?step=.")
    layers = [(year, index.find_run_map(reader, run_id, year)) for year in chosen]
    title = choose_title(layers[0][1].titles, language) if layers[0][1].titles else run_id
    note = f"{title} · {choose_title(_PROJECTION, language)}"
    moments = [Moment(_sheet(layer, style), str(year), note) for year, layer in layers]
    start = _find_start(index, reader, run_id, years[0] - 1)
    if start is None or start.legend != layers[0][1].legend:
        return moments
    observed = Moment(_sheet(start, style), str(years[0] - 1), choose_title(_OBSERVED, language))
    return [observed, *moments]


def _find_start(index: LayerIndex, reader: Reader, run_id: str, year: int) -> Layer | None:
    try:
        return index.find_year(reader, run_id, year)
    except LayerNotFound:
        return None


def _sheet(layer: Layer, style: str | None) -> LayerSheet:
    return LayerSheet(layer, choose_style(layer, style))
