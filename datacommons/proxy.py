"""The address under which a proxy shows the server."""

from __future__ import annotations

from stac_fastapi.api.middleware import ProxyHeaderMiddleware
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send


class ForwardedHeaders:
    """Let links carry the host, scheme, port and path prefix that a proxy forwards.

    Honours ``Forwarded`` and ``X-Forwarded-Host``, ``-Proto``, ``-Port`` and ``-Prefix``.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = ProxyHeaderMiddleware(app)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Rewrite the scope of a request, then pass it on."""
        if scope["type"] == "http":
            prefix = Headers(scope=scope).get("x-forwarded-prefix", "").split(",")[0].strip().rstrip("/")
            if prefix.startswith("/"):
                scope["root_path"] = prefix
        await self._app(scope, receive, send)
