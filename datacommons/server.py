"""The door: STAC API, tiles, files and page from one process."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Thread
from typing import TYPE_CHECKING

import rasterio
import uvicorn
from fastapi import FastAPI, Request
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse

from catalog.api import add_stac_api
from datacommons.access import identify
from datacommons.files import add_files
from datacommons.listening import listen
from datacommons.polygons import survey
from datacommons.proxy import ForwardedHeaders
from tiles.app import add_tiles
from tiles.viewer import add_viewer

if TYPE_CHECKING:
    from datacommons.commons import Commons

BLOCK_CACHE_BYTES = 192 * 2**20
"""What GDAL may keep of files it has read. Left alone it takes a twentieth of the machine for each process."""

_READABLE_HEADERS = ["ETag", "Content-Range", "Accept-Ranges", "Content-Length", "Last-Modified"]


def create_app(commons: Commons) -> FastAPI:
    """Make the web application of a commons.

    ``/stac`` is the STAC API, ``/collections`` and ``/runs`` are tiles, ``/files`` the files of assets,
    ``/healthz`` says whether the catalog answers, and ``/`` is the page.

    Parameters
    ----------
    commons : Commons
        Stays open as long as the application runs.

    Returns
    -------
    FastAPI
    """
    settings = commons.settings
    app = FastAPI(title=settings.name, docs_url=None, redoc_url=None)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=["*"],
        allow_methods=["GET", "HEAD", "POST"],
        allow_headers=["Content-Type"],
        expose_headers=_READABLE_HEADERS,
    )
    app.add_middleware(ForwardedHeaders)
    app.add_exception_handler(Exception, _hide)

    @app.get("/healthz", include_in_schema=False)
    def healthz(request: Request) -> dict[str, str]:
        commons.store.collections(identify(request))
        return {"status": "ok"}

    contact = f" Contact: {settings.contact}." if settings.contact else ""
    description = f"The data commons {settings.name}: layers, scenarios and their results.{contact}"
    add_stac_api(app, commons.store, title=settings.name, description=description, identify=identify)
    add_tiles(app, commons.store, locate=commons.locate, identify=identify, survey=survey)
    add_files(app, commons.store, commons.root, identify=identify)
    add_viewer(app)
    return app


def serve(
    commons: Commons,
    host: str = "127.0.0.1",
    port: int = 8000,
    *,
    announce: Callable[[str], None] = print,
) -> None:
    """Serve a commons until interrupted.

    Parameters
    ----------
    commons : Commons
    host : str
        ``127.0.0.1`` is reached from this machine only, ``0.0.0.0`` from others too.
    port : int
        0 takes any that is free.
    announce : callable
        Told the address as soon as the door is open.

    Raises
    ------
    PortTaken
        If another program listens there, or the address is not of this machine.
    """
    listener = listen(host, port)
    server = _make_server(commons)
    announce(_address(listener, host))
    # An interrupt is how a server is meant to end.
    with suppress(KeyboardInterrupt), rasterio.Env(GDAL_CACHEMAX=BLOCK_CACHE_BYTES):
        server.run(sockets=[listener])


@contextmanager
def serve_meanwhile(commons: Commons, listener: socket.socket) -> Iterator[str]:
    """Serve a commons beside other work, as long as the block lasts.

    Parameters
    ----------
    commons : Commons
    listener : socket
        From `listen`; closed at the end.

    Yields
    ------
    str, the address
    """
    server = _make_server(commons)
    thread = Thread(target=server.run, kwargs={"sockets": [listener]}, name="door", daemon=True)
    thread.start()
    try:
        yield _address(listener, listener.getsockname()[0])
    finally:
        server.should_exit = True
        thread.join()


def _make_server(commons: Commons) -> uvicorn.Server:
    return uvicorn.Server(
        uvicorn.Config(create_app(commons), log_level="warning", proxy_headers=False, server_header=False)
    )


def _address(listener: socket.socket, host: str) -> str:
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{listener.getsockname()[1]}"


async def _hide(request: Request, error: Exception) -> JSONResponse:  # noqa: ARG001  (the server logs it)
    """Answer an unforeseen error without telling anything of the machine."""
    return JSONResponse({"code": "ServerError", "description": "The server failed; its log says why."}, 500)
