"""The web page, built from the sources beside this file: a map of the landscape and its scenarios."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from mimetypes import guess_type
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI
from fastapi.responses import FileResponse, PlainTextResponse, Response
from starlette.datastructures import Headers
from starlette.staticfiles import StaticFiles

__all__ = ["add_viewer"]

_DIST: Final = Path(__file__).parent / "dist"
# Nothing from any other host. MapLibre starts its workers from a blob; everything else is a file of ours.
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "manifest-src 'self'; worker-src 'self' blob:; child-src blob:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors {ancestors}"
)


def _page_headers(ancestors: str) -> dict[str, str]:
    return {
        "Cache-Control": "no-cache",
        "Content-Security-Policy": _POLICY.format(ancestors=ancestors),
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
    }


_PAGE_HEADERS: Final = _page_headers("'self'")
# A dashboard on any site may hold the map: it shows what anybody may read, and nothing in it can be pressed in error.
_EMBED_HEADERS: Final = _page_headers("*")
# The name of an asset holds a hash of what is in it.
_ASSET_HEADERS: Final = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "Vary": "Accept-Encoding",
    "X-Content-Type-Options": "nosniff",
}
_PACKED: Final = {"br": ".br", "gzip": ".gz"}
# Their names stay, so that installed pages and browsers find what is new.
_APP_FILES: Final = {
    "manifest.webmanifest": "application/manifest+json",
    "service-worker.js": "text/javascript",
    "icon-192.png": "image/png",
    "icon-512.png": "image/png",
    "icon-maskable.png": "image/png",
}
_NOT_BUILT: Final = (
    "The page is not built. Install the package again, for example with `uv pip install -e .`, which builds "
    "it; or run `npm ci && npm run build` in tiles/viewer. The STAC API (stac/) and the tiles work without it."
)


def add_viewer(app: FastAPI, dist: Path = _DIST) -> None:
    """Serve the page at ``/``, its map for dashboards of others at ``/embed``, its files, and what installs it.

    Parameters
    ----------
    app : FastAPI
    dist : Path
        The folder of the built page. Where it is missing, ``/`` answers 503 and says how to build it.
    """
    page = dist / "index.html"
    built = page.is_file()

    def show(headers: dict[str, str]) -> Response:
        if built:
            return FileResponse(page, headers=headers)
        return PlainTextResponse(_NOT_BUILT, status_code=503, headers={"Cache-Control": "no-store"})

    @app.api_route("/", methods=["GET", "HEAD"], include_in_schema=False)
    def show_page() -> Response:
        return show(_PAGE_HEADERS)

    @app.api_route("/embed", methods=["GET", "HEAD"], include_in_schema=False)
    def show_embedded() -> Response:
        return show(_EMBED_HEADERS)

    if built:
        _add_app_files(app, dist)
        app.mount("/assets", _Assets(directory=dist / "assets"))


def _add_app_files(app: FastAPI, dist: Path) -> None:
    """Serve the manifest, its icons and the service worker beside the page: a worker serves what lies below it."""

    def add(name: str, kind: str) -> None:
        @app.api_route(f"/{name}", methods=["GET", "HEAD"], include_in_schema=False)
        def show_file() -> FileResponse:
            return FileResponse(dist / name, media_type=kind, headers=_PAGE_HEADERS)

    for name, kind in _APP_FILES.items():
        add(name, kind)


class _Assets(StaticFiles):
    """Files whose names change with what is in them, sent as the build packed them where the client takes that."""

    async def get_response(self, path: str, scope: MutableMapping[str, Any]) -> Response:
        response = self._send_packed(path, scope) or await super().get_response(path, scope)
        response.headers.update(_ASSET_HEADERS)
        return response

    def _send_packed(self, path: str, scope: MutableMapping[str, Any]) -> Response | None:
        for coding, ending in _choose_packed(Headers(scope=scope)):
            packed, found = self.lookup_path(path + ending)
            if found is not None:
                response = self.file_response(packed, found, scope)
                # Not the type of an archive, which its name would have.
                kind = guess_type(path)[0] or "application/octet-stream"
                response.headers.update({"Content-Encoding": coding, "Content-Type": f"{kind}; charset=utf-8"})
                return response
        return None


def _choose_packed(headers: Headers) -> Iterator[tuple[str, str]]:
    """Go through the codings that a client takes, with the ending of their files, the smallest first."""
    told = {part.partition(";")[::2] for part in headers.get("accept-encoding", "").replace(" ", "").split(",")}
    accepted = {coding for coding, weight in told if weight not in ("q=0", "q=0.0", "q=0.00", "q=0.000")}
    return ((coding, ending) for coding, ending in _PACKED.items() if coding in accepted)
