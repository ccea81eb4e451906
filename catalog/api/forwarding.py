"""The address under which a proxy shows the server."""

from __future__ import annotations

import re
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Receive, Scope, Send

_PAIR: Final = re.compile(r'\s*([A-Za-z]+)=(?:"([^"]*)"|([^\s;,"]*))\s*(?:;|$)')
_HOST: Final = re.compile(r"(?P<name>[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>\d{1,5}))?")
_PORT: Final = re.compile(r"\d{1,5}")
_PREFIX: Final = re.compile(r"(?:/[\w.~!$&'()*+,;=:@%-]+)+/?", re.ASCII)
_USUAL_PORTS: Final = {"http": "80", "https": "443"}


class ForwardedHeaders:
    """Let links carry the host, scheme, port and path prefix that a proxy forwards.

    Honours ``Forwarded`` (RFC 7239) before ``X-Forwarded-Host``, ``-Proto`` and ``-Port``, and ``X-Forwarded-Prefix``.
    Of several values the first counts, which the outermost proxy wrote. What is no host, scheme, port or path is
    passed over.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Rewrite the scope of a request, then pass it on."""
        if scope["type"] == "http":
            scope = dict(scope)
            headers = Headers(scope=scope)
            told = _read_forwarded(headers.get("forwarded", ""))
            scheme = (told.get("proto") or _first(headers, "x-forwarded-proto")).lower()
            scope["scheme"] = scheme if scheme in _USUAL_PORTS else scope.get("scheme", "http")
            host = _find_host(headers, told.get("host") or _first(headers, "x-forwarded-host"), scope["scheme"])
            if host:
                scope["headers"] = list(scope["headers"])
                MutableHeaders(scope=scope)["host"] = host
            prefix = _first(headers, "x-forwarded-prefix")
            if _PREFIX.fullmatch(prefix):
                scope["root_path"] = prefix.rstrip("/")
        await self._app(scope, receive, send)


def _find_host(headers: Headers, forwarded: str, scheme: str) -> str:
    """Return the host with its port, if it is told and is not the usual one of the scheme."""
    found = _HOST.fullmatch(forwarded) or _HOST.fullmatch(headers.get("host", ""))
    if found is None:
        return ""
    told = _first(headers, "x-forwarded-port")
    port = found["port"] if found.string == forwarded else None
    port = port or (told if _PORT.fullmatch(told) else None)
    if port is None and found.string != forwarded:
        port = found["port"]
    return found["name"] if port in (None, _USUAL_PORTS[scheme]) else f"{found['name']}:{port}"


def _first(headers: Headers, name: str) -> str:
    return headers.get(name, "").split(",")[0].strip()


def _read_forwarded(text: str) -> dict[str, str]:
    """Read the first element of ``Forwarded``; empty where it is malformed."""
    pairs, place = {}, 0
    first = re.split(r',(?=(?:[^"]*"[^"]*")*[^"]*$)', text)[0]
    while found := _PAIR.match(first, place):
        pairs[found[1].lower()] = found[2] if found[2] is not None else found[3]
        place = found.end()
    return pairs if place == len(first) else {}
