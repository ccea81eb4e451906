"""The web page, built from the sources beside this file: a map of the landscape and its scenarios."""

from __future__ import annotations

from collections.abc import MutableMapping
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI
from fastapi.responses import FileResponse, PlainTextResponse, Response
from starlette.middleware.gzip import GZipMiddleware
from starlette.staticfiles import StaticFiles

__all__ = ["add_viewer"]

_DIST: Final = Path(__file__).parent / "dist"
# Nothing from any other host. MapLibre starts its workers from a blob; everything else is a file of ours.
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "worker-src blob:; child-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
_PAGE_HEADERS: Final = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": _POLICY,
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
# The name of an asset holds a hash of what is in it.
_ASSET_HEADERS: Final = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "X-Content-Type-Options": "nosniff",
}
_NOT_BUILT: Final = (
    "The page is not built. Install the package again, for example with `uv pip install -e .`, which builds "
    "it; or run `npm ci && npm run build` in tiles/viewer. The STAC API (stac/) and the tiles work without it."
)


def add_viewer(app: FastAPI, dist: Path = _DIST) -> None:
    """Serve the page at ``/`` and the files it is made of at ``/assets``.

    Parameters
    ----------
    app : FastAPI
    dist : Path
        The folder of the built page. Where it is missing, ``/`` answers 503 and says how to build it.
    """
    page = dist / "index.html"
    built = page.is_file()

    @app.api_route("/", methods=["GET", "HEAD"], include_in_schema=False)
    def show_page() -> Response:
        if built:
            return FileResponse(page, headers=_PAGE_HEADERS)
        return PlainTextResponse(_NOT_BUILT, status_code=503, headers={"Cache-Control": "no-store"})

    if built:
        app.mount("/assets", GZipMiddleware(_Assets(directory=dist / "assets"), minimum_size=1000))


class _Assets(StaticFiles):
    """Files whose names change with what is in them."""

    async def get_response(self, path: str, scope: MutableMapping[str, Any]) -> Response:
        response = await super().get_response(path, scope)
        response.headers.update(_ASSET_HEADERS)
        return response
