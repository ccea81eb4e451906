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

from catalog.api.app import add_stac_api
from catalog.api.compression import CompressedAnswers
from catalog.api.forwarding import ForwardedHeaders
from catalog.errors import NotAuthorised
from catalog.store import ANONYMOUS, CatalogStore, Reader

PARTNER = Reader("ada", frozenset({"public", "partners"}))
PATIENCE_S = 60  # for a busy machine


@dataclass(frozen=True)
class Api:
    """A server on loopback, whoever asks it, and the store behind it."""

    client: httpx.Client
    store: CatalogStore

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

    def write(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Ask a path of the server as the writer."""
        headers = {"Authorization": "writer", **options.pop("headers", {})}
        return self.client.request(method, path, headers=headers, **options)


def identify(request: Request) -> Reader:
    """Take whoever says so for the partner."""
    return PARTNER if request.headers.get("authorization") == "partner" else ANONYMOUS


def authorise(request: Request) -> None:
    """Let whoever says so write."""
    if request.headers.get("authorization") != "writer":
        raise NotAuthorised("Say that you are the writer.")


@contextmanager
def serve(store: CatalogStore, *, writing: bool = False) -> Iterator[Api]:
    """Serve a store as the door does."""
    app = FastAPI(docs_url=None, redoc_url=None)
    app.add_middleware(CompressedAnswers)
    app.add_middleware(ForwardedHeaders)
    add_stac_api(
        app,
        store,
        title="Valley Commons",
        description="A test.",
        identify=identify,
        authorise=authorise if writing else None,
    )
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
