"""The door: STAC API, tiles, files and page from one process."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from ipaddress import ip_address
from threading import Thread
from typing import TYPE_CHECKING

import rasterio
import uvicorn
from fastapi import FastAPI, Request
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse
from starlette.datastructures import Headers

from catalog.api.app import add_stac_api
from catalog.api.compression import CompressedAnswers
from catalog.api.forwarding import ForwardedHeaders
from datacommons.door.access import Policy
from datacommons.door.files import add_files
from datacommons.door.limits import ASKING_BYTES, WRITING_BYTES, LimitedBodies
from datacommons.door.listening import listen
from datacommons.door.plan_routes import add_plans
from datacommons.door.polygons import survey
from datacommons.plans.desk import Desk, open_desk
from tiles.routes.app import add_tiles
from tiles.viewer import add_viewer

if TYPE_CHECKING:
    from datacommons.commons import Commons

BLOCK_CACHE_BYTES = 192 * 2**20
"""What GDAL may keep of files it has read. Left alone it takes a twentieth of the machine for each process."""

PACKED = ".packed"
"""Folder of a commons in which its server keeps packed tiles; it may be deleted at any time."""

_READABLE_HEADERS = ["ETag", "Content-Range", "Accept-Ranges", "Content-Length", "Last-Modified", "Location"]
_ASKING = ["GET", "HEAD", "POST"]
_WRITING = ["PUT", "PATCH", "DELETE"]


def create_app(commons: Commons, *, write_token: str = "", desk: Desk | None = None) -> FastAPI:
    """Make the web application of a commons.

    ``/stac`` is the STAC API, ``/collections`` and ``/runs`` are tiles, ``/files`` the files of assets, ``/plans`` what
    visitors plan, ``/healthz`` says whether the catalog answers, and ``/`` is the page.

    Parameters
    ----------
    commons : Commons
        Stays open as long as the application runs.
    write_token : str
        Who shows it may write by the transactions of the STAC API, and sees everything; empty: nobody may.
    desk : Desk, optional
        Takes on the plans of visitors, at ``/plans``; without one nobody may plan.

    Returns
    -------
    FastAPI

    Raises
    ------
    InvalidSettings
        Where the token is too short.
    """
    settings, policy = commons.settings, Policy(write_token)
    identify = policy.identify
    app = FastAPI(title=settings.name, docs_url=None, redoc_url=None)
    _add_middlewares(app, policy, plans=desk is not None)
    app.add_exception_handler(Exception, _hide)

    @app.get("/healthz", include_in_schema=False)
    def healthz(request: Request) -> dict[str, str]:
        commons.store.collections(identify(request))
        return {"status": "ok"}

    contact = f" Contact: {settings.contact}." if settings.contact else ""
    description = f"The data commons {settings.name}: layers, scenarios and their results.{contact}"
    add_stac_api(
        app,
        commons.store,
        title=settings.name,
        description=description,
        identify=identify,
        authorise=policy.authorise if policy.may_be_written else None,
    )
    shelf = desk.shelf if desk is not None else None
    add_tiles(
        app,
        commons.store,
        locate=lambda href: (shelf and shelf.locate(href)) or commons.locate(href),
        identify=identify,
        survey=survey,
        archives=commons.root / PACKED,
        unlisted=shelf.find if shelf is not None else None,
    )
    if desk is not None:
        add_plans(app, desk, identify, for_all=settings.plans is True)
    add_files(app, commons.store, commons.root, identify=identify)
    add_viewer(app)
    return app


def serve(
    commons: Commons,
    host: str = "127.0.0.1",
    port: int = 8000,
    *,
    write_token: str = "",
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
    write_token : str
        As for `create_app`.
    announce : callable
        Told the address as soon as the door is open.

    Raises
    ------
    PortTaken
        If another program listens there, or the address is not of this machine.
    InvalidSettings
        If the token is too short.
    """
    Policy(write_token)
    listener = listen(host, port)
    with _open_desk(commons, listener) as desk:
        server = _make_server(commons, write_token, desk)
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
    with _open_desk(commons, listener) as desk:
        server = _make_server(commons, desk=desk)
        thread = Thread(target=server.run, kwargs={"sockets": [listener]}, name="door", daemon=True)
        thread.start()
        try:
            yield _address(listener, listener.getsockname()[0])
        finally:
            server.should_exit = True
            thread.join()


def _open_desk(commons: Commons, listener: socket.socket) -> AbstractContextManager[Desk | None]:
    """Take plans on, if the settings say so or, where they say nothing, if only this machine may ask."""
    allowed = commons.settings.plans
    if allowed is None:
        allowed = commons.settings.demo or ip_address(listener.getsockname()[0]).is_loopback
    return open_desk(commons) if allowed else nullcontext()


def _add_middlewares(app: FastAPI, policy: Policy, *, plans: bool) -> None:
    """Let other sites ask, compress answers, and limit what is sent. The last one added is asked first."""

    def limit(headers: Headers) -> int:
        return WRITING_BYTES if policy.may_be_written and "authorization" in headers else ASKING_BYTES

    app.add_middleware(LimitedBodies, limit=limit)
    app.add_middleware(CompressedAnswers)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=["*"],
        allow_methods=[*_ASKING, *(_WRITING if policy.may_be_written else ["DELETE"] if plans else [])],
        allow_headers=["Content-Type", *(["Authorization", "If-Match"] if policy.may_be_written else [])],
        expose_headers=_READABLE_HEADERS,
    )
    app.add_middleware(ForwardedHeaders)


def _make_server(commons: Commons, write_token: str = "", desk: Desk | None = None) -> uvicorn.Server:
    app = create_app(commons, write_token=write_token, desk=desk)
    config = uvicorn.Config(app, log_level="warning", proxy_headers=False, server_header=False)
    return _Server(config, desk)


class _Server(uvicorn.Server):
    """A server that first lets go of who listens to plans: it waits until all answers have ended."""

    def __init__(self, config: uvicorn.Config, desk: Desk | None) -> None:
        super().__init__(config)
        self._desk = desk

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the plans, and with them their events, and then the rest."""
        if self._desk is not None:
            self._desk.cancel_all()
        await super().shutdown(sockets)


def _address(listener: socket.socket, host: str) -> str:
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{listener.getsockname()[1]}"


async def _hide(request: Request, error: Exception) -> JSONResponse:  # noqa: ARG001  (the server logs it)
    """Answer an unforeseen error without telling anything of the machine."""
    return JSONResponse({"code": "ServerError", "description": "The server failed; its log says why."}, 500)
