"""How much a request may send."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

ASKING_BYTES: Final = 2**20
WRITING_BYTES: Final = 2**26
_ANSWER: Final = {"code": "TooLarge", "description": "The request is too large: ask for less, or send it in parts."}


class LimitedBodies:
    """Refuse bodies that are too large with 413, before they are read whole.

    Parameters
    ----------
    app : ASGI application
    limit : callable
        From the headers of a request to the bytes that it may send.
    """

    def __init__(self, app: ASGIApp, limit: Callable[[Headers], int]) -> None:
        self._app, self._limit = app, limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, as long as it is not too large."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        left, length = self._limit(headers), headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > left:
            await JSONResponse(_ANSWER, 413)(scope, receive, send)
            return

        async def receive_some() -> Message:
            nonlocal left
            message = await receive()
            left -= len(message.get("body", b""))
            # Whoever sends more than was announced is answered as if the line had been cut.
            return message if left >= 0 else {"type": "http.disconnect"}

        await self._app(scope, receive_some, send)
