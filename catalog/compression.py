"""Answers in fewer bytes, for clients that take them: Zstandard, Brotli or gzip."""

from __future__ import annotations

from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send
from starlette_compress import CompressMiddleware, add_compress_type

_TYPES: Final = ("application/geo+json", "application/schema+json", "application/vnd.oai.openapi+json")


class CompressedAnswers:
    """Compress JSON and pages, but not files: those are read in ranges, and their ETags are of the bytes.

    Parameters
    ----------
    app : ASGI application
    files : str
        Path below which files are.
    """

    def __init__(self, app: ASGIApp, files: str = "/files/") -> None:
        for media_type in _TYPES:
            add_compress_type(media_type)
        self._plain, self._files = app, files
        self._compressed = CompressMiddleware(app)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        path = scope.get("path", "").removeprefix(scope.get("root_path", ""))
        await (self._plain if path.startswith(self._files) else self._compressed)(scope, receive, send)
