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
        if scope["type"] != "http" or path.startswith(self._files):
            await self._plain(scope, receive, send)
            return
        # Who takes anything seldom means what came after gzip.
        headers = [
            (name, _prefer_gzip(value) if name == b"accept-encoding" else value) for name, value in scope["headers"]
        ]
        await self._compressed({**scope, "headers": headers}, receive, send)


def _prefer_gzip(accepted: bytes) -> bytes:
    return accepted.replace(b"*", b"gzip") if b"gzip" not in accepted else accepted
