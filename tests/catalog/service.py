"""The STAC API of a small catalog, served over HTTP as the door does it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI, Request
from stac_fastapi.api.middleware import ProxyHeaderMiddleware

from catalog.api import add_stac_api
from catalog.sqlite import SqliteStore
from catalog.store import ANONYMOUS, Reader

PARTNER = Reader("ada", frozenset({"public", "partners"}))
PATIENCE_S = 60  # for a busy machine


@dataclass(frozen=True)
class Api:
    """A server on loopback, whoever asks it, and the store behind it."""

    client: httpx.Client
    store: SqliteStore

    @property
    def url(self) -> str:
        """The address of the server."""
        return str(self.client.base_url).rstrip("/")

    def get(self, path: str, **options: Any) -> httpx.Response:
        """Get a path of the server, or an address that it gave."""
        return self.client.get(path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        """Post to a path of the server."""
        return self.client.post(path, **options)


class HonourPrefix:
    """Puts the path below which a proxy shows the server into the scope."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        prefix = dict(scope.get("headers", [])).get(b"x-forwarded-prefix", b"").decode()
        if prefix:
            scope["root_path"] = prefix
        await self.app(scope, receive, send)


def identify(request: Request) -> Reader:
    """Take whoever says so for the partner."""
    return PARTNER if request.headers.get("authorization") == "partner" else ANONYMOUS


@contextmanager
def serve(store: SqliteStore) -> Iterator[Api]:
    """Serve a store: proxy headers in the scope, no pages from a CDN."""
    app = FastAPI(docs_url=None, redoc_url=None)
    app.add_middleware(ProxyHeaderMiddleware)
    app.add_middleware(HonourPrefix)
    add_stac_api(app, store, title="Valley Commons", description="A test.", identify=identify)
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", proxy_headers=False, lifespan="off"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        try:
            with httpx.Client(base_url=address, timeout=PATIENCE_S) as client:
                yield Api(client, store)
        finally:
            server.should_exit = True
            thread.join()
