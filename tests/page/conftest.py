"""A browser, the stand-in server, and pages opened from it."""

from __future__ import annotations

import os
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Browser, expect, sync_playwright

from tests.page.commons_server import create_server
from tests.page.visits import NARROW, PATIENCE_MS, WIDE, Visit, Visitor, watch

_PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
# Nothing of Chromium's own goes out, and WebGL is drawn by the processor.
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-gpu-watchdog",  # which ends a drawing process that a busy machine keeps waiting
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    program = next((found for name in _PROGRAMS if (found := shutil.which(name))), None)
    if program is None:
        reason = f"the page tests need a browser: none of {', '.join(_PROGRAMS)} is installed"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=program, args=list(_ARGUMENTS), timeout=PATIENCE_MS)
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def commons_url() -> Iterator[str]:
    """The address of a commons with three landscapes."""
    with served(create_server()) as url:
        yield url


@pytest.fixture(scope="session")
def empty_url() -> Iterator[str]:
    """The address of a commons without any landscape."""
    with served(create_server(landscapes=())) as url:
        yield url


@pytest.fixture(scope="session")
def prefixed_url() -> Iterator[str]:
    """The address of a commons below a path, behind a proxy that does not tell it so."""
    outer = FastAPI()
    outer.mount("/our/commons", create_server(believed_address="http://127.0.0.1:9/"))
    with served(outer) as url:
        yield f"{url}our/commons/"


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """Serve an application over HTTP."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", ws="none", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the stand-in server did not start: its own message stands above"
        time.sleep(0.01)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    server.should_exit = True
    thread.join()
    listener.close()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visitor]:
    """Open pages; at the end of the test none of them may have had trouble that the test did not expect."""
    opened: list[tuple[Visit, bool]] = []

    def open_page(
        url: str,
        size: tuple[int, int] = WIDE,
        *,
        locale: str = "en-GB",
        dark: bool = False,
        still: bool = True,
        trouble_expected: bool = False,
        prepare: Callable[[Visit], object] = lambda visited: None,
    ) -> Visit:
        page = browser.new_page(
            viewport={"width": size[0], "height": size[1]},
            locale=locale,
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce" if still else "no-preference",
            has_touch=size == NARROW,
        )
        page.set_default_timeout(PATIENCE_MS)
        visited = Visit(page)
        opened.append((visited, trouble_expected))
        watch(visited, host=urlsplit(url).netloc)
        prepare(visited)
        page.goto(url)
        return visited

    yield open_page
    for visited, _ in opened:
        visited.page.unroute_all(behavior="ignoreErrors")
        visited.page.close()
    unexpected = [trouble for visited, expected in opened if not expected for trouble in visited.troubles]
    assert unexpected == []


@pytest.fixture(scope="session")
def screenshots() -> Path:
    """The folder where pictures of the page are kept to be looked at."""
    folder = Path(__file__).parents[2] / "build" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
