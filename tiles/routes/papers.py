"""Maps on paper: the route of pictures for a report."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import BoundedSemaphore
from typing import Annotated, Any, Final, Literal

from attrs import define
from fastapi import Depends, Query
from starlette.requests import Request
from starlette.responses import Response
from titiler.core.factory import BaseFactory, FactoryExtension

from tiles.drawing.legends import DEFAULT_LANGUAGE, SYNTHETIC_NOTE, choose_title
from tiles.drawing.paper import Caption, draw_paper
from tiles.drawing.sheets import Sheet
from tiles.errors import Busy
from tiles.reading.projections import project_bounds
from tiles.reading.view import WGS84, Bounds, View
from tiles.routes.caching import cache_headers, is_current, make_tag
from tiles.routes.layers import Language, SheetTiler
from tiles.routes.maps import Box, read_box
from tiles.routes.parts import find_whole
from tiles.routes.views import check_bounds, choose_paper_crs, read_bounds

# Large pictures are drawn one after the other, so that tiles keep coming.
DRAWING: Final = BoundedSemaphore(1)
PATIENCE_S: Final = 20.0
_LICENCE: Final = {"en": "Licence", "es": "Licencia", "fr": "Licence", "pt": "Licença"}
_SOURCE: Final = {"en": "Data", "es": "Datos", "fr": "Données", "pt": "Dados"}
_NOTE: Final = {
    "en": "A projection: what could be, not what will be",
    "es": "Una proyección: lo que podría ser, no lo que será",
    "fr": "Une projection : ce qui pourrait être, non ce qui sera",
    "pt": "Uma projeção: o que poderia ser, não o que será",
}

Paper = Annotated[Literal["a4", "a3", "letter"], Query(description="Upright or across, as suits the map")]


@define(kw_only=True)
class Papers(FactoryExtension):
    """Adds a map on paper to the routes of a sheet.

    Attributes
    ----------
    find_licence : callable
        From a request to the licence of what is drawn, or "".
    """

    find_licence: Callable[[Request], str]

    def register(self, factory: BaseFactory) -> None:
        """Register it."""
        assert isinstance(factory, SheetTiler)
        tiler = factory
        found, credit = Depends(tiler.path_dependency), Depends(tiler.credit_dependency)

        def picture(
            request: Request,
            bbox: Box = None,
            paper: Paper = "a4",
            language: Language = DEFAULT_LANGUAGE,
            sheet: Sheet = found,
            providers: tuple[str, ...] = credit,
        ) -> Response:
            """Draw a map for a report, with title, legend, scale bar, north arrow and credits; 200 dots an inch."""
            tag = make_tag(sheet.identity, "paper", bbox, paper, language, providers)
            headers = cache_headers(public=sheet.public, tag=tag)
            if is_current(tag, request.headers.get("if-none-match")):
                return Response(status_code=304, headers=headers)
            content = tiler.painter.cache.get(tag)
            if content is None:
                legend = sheet.describe(language, tiler.painter.pool)
                address = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
                address = address.removesuffix("/picture.png")
                caption = write_caption(sheet, legend, providers, self.find_licence(request), address)
                content = _draw(tiler, sheet, bbox, caption, paper, legend)
                tiler.painter.cache.put(tag, content)
            return Response(content, media_type="image/png", headers=headers)

        tiler.router.add_api_route(
            "/picture.png",
            picture,
            name="picture",
            response_class=Response,
            responses={200: {"content": {"image/png": {}}}},
            operation_id=f"{tiler.operation_prefix}getPicture",
        )


def write_caption(
    sheet: Sheet, legend: Mapping[str, Any], providers: tuple[str, ...], licence: str, address: str
) -> Caption:
    """Put into words what a map on paper shows, and whom it is from."""
    language = legend["language"]
    title, shown = sheet.caption(language)
    # That a legend's colours are its own needs no word.
    style = "" if legend["style"] == "legend" else legend["style_title"]
    line = " · ".join(filter(None, (shown, style)))
    notes = (
        f"{choose_title(_SOURCE, language)}: {'; '.join(providers)}" if providers else "",
        f"{choose_title(_LICENCE, language)}: {licence}" if licence else "",
        choose_title(_NOTE, language) if sheet.projected else "",
        SYNTHETIC_NOTE if sheet.synthetic else "",
        f"datacommons {address}" + (f", {sheet.edition}" if sheet.edition else ""),
    )
    return Caption(title, line, tuple(filter(None, notes)))


def _draw(tiler: SheetTiler, sheet: Sheet, bbox: str | None, caption: Caption, paper: str, legend: Any) -> bytes:
    bounds, crs = frame_paper(find_whole(tiler, sheet), bbox)
    if not DRAWING.acquire(timeout=PATIENCE_S):
        raise Busy("Other pictures are being drawn. Ask again in a minute.")
    try:
        return draw_paper(sheet, bounds, crs, caption, legend, paper, tiler.painter.pool)
    finally:
        DRAWING.release()


def frame_paper(whole: View, bbox: str | None) -> tuple[Bounds, str]:
    """Return what is shown on paper, and in which projection. Raises InvalidRequest."""
    asked = project_bounds(whole.crs, WGS84, whole.bounds) if bbox is None else read_bounds(read_box(bbox), WGS84)
    crs = choose_paper_crs(whole, asked)
    if bbox is not None:
        bounds = project_bounds(WGS84, crs, asked)
    else:
        bounds = whole.bounds if crs == whole.crs else project_bounds(whole.crs, crs, whole.bounds)
    check_bounds(bounds, crs)
    return bounds, crs
