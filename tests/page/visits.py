"""A visit to the page, which waits for what it is asked about and notices whatever goes wrong."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import ConsoleMessage, FloatRect, Locator, Page, Request, Route, expect

PATIENCE_MS = 60_000  # for a busy machine: whoever waits goes on as soon as what is waited for is there
WIDE = (1280, 800)
NARROW = (390, 844)
SIZES = pytest.mark.parametrize(
    "size", [pytest.param(WIDE, marks=pytest.mark.long), NARROW], ids=["wide", "narrow"]
)  # the wide one is what all other tests see

_GLANCE_MS = 50
_MIDDLE: FloatRect = {
    "x": 700,
    "y": 200,
    "width": 300,
    "height": 300,
}  # of the map on a wide screen: no text lies there
_TWO_FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done())))"


@dataclass
class Visit:
    """One page in the browser, with all it asked for and all that went wrong."""

    page: Page
    requested: list[str] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)

    def first(self, selector: str) -> Locator:
        """Return the first element that matches, to be waited for with ``expect``."""
        return self.page.locator(selector).first

    def wait_for_map(self, year: int | None = None) -> None:
        """Wait until the map shows a year whole."""
        which = "" if year is None else f'[data-year="{year}"]'
        expect(self.page.locator(f".map-area[data-map=done]{which}")).to_be_visible()

    def wait_until_whole(self, year: int, cards: int = 3) -> None:
        """Wait until nothing more is to come: the map with its relief, and the hectares of every scenario."""
        self.wait_for_map(year)
        expect(self.page.locator(".card-change")).to_have_count(cards)
        expect(self.page.get_by_role("button", name="Relief")).to_be_attached()
        self.wait_until_still()

    def wait_until_still(self) -> None:
        """Wait until all tiles that the map asked for are drawn, those of the next year among them."""
        self.page.evaluate(_TWO_FRAMES)  # in which a change of the page's layout reaches the map
        expect(self.page.locator(".map.first")).to_have_attribute("aria-busy", "false")
        expect(self.page.locator('.map[aria-busy="true"]')).to_have_count(0)

    def wait_until(self, holds: Callable[[], object], what: str) -> None:
        """Wait for something that is known on this side of the wire, while the browser's messages come in."""
        last = time.monotonic() + PATIENCE_MS / 1000
        while not holds():
            assert time.monotonic() < last, f"waited in vain: {what}"
            self.page.wait_for_timeout(_GLANCE_MS)

    def let_pass(self, milliseconds: int) -> None:
        """Let the page's own clock run: its timers that are due by then have fired before, however slow it is."""
        self.page.evaluate("(milliseconds) => new Promise((done) => setTimeout(done, milliseconds))", milliseconds)

    def tiles_of(self, part: str) -> list[str]:
        """Return the tiles asked for so far whose address holds this."""
        return [url for url in self.requested if "/tiles/WebMercatorQuad/" in url and part in url]

    def wait_for_tiles(self, part: str) -> None:
        """Wait until a tile is asked for whose address holds this."""
        self.wait_until(lambda: self.tiles_of(part), f"a tile of {part}")

    def picture(self) -> bytes:
        """Return what is seen in the middle of the map."""
        return self.page.screenshot(clip=_MIDDLE)

    def hold(self, pattern: str) -> Hold:
        """Keep requests waiting, as a slow connection does.

        Call it before the page opens or once it is still: Playwright forgets requests that are under way meanwhile.
        """
        return Hold(self, pattern)

    def slide_to(self, year: int) -> None:
        """Move the slider as a hand would."""
        self.page.locator("#year").fill(str(year))


class Hold:
    """Requests that get no answer until they are let go."""

    def __init__(self, visited: Visit, pattern: str) -> None:
        self._visited, self._pattern = visited, pattern
        self._held: list[Route] = []
        self._open = False
        visited.page.route(pattern, self._meet)

    def wait(self) -> None:
        """Wait until there is a request to hold."""
        self._visited.wait_until(lambda: self._held, f"a request for {self._pattern}")

    def let_go(self) -> None:
        """Let the requests through, those held and those to come."""
        self._open = True
        for route in self._held:
            route.continue_()

    def _meet(self, route: Route) -> None:
        if self._open:
            route.continue_()
        else:
            self._held.append(route)


Visitor = Callable[..., Visit]


def watch(visited: Visit, host: str) -> None:
    """Note every request, and as trouble every error and every request to another host."""

    def note_request(request: Request) -> None:
        visited.requested.append(request.url)
        address = urlsplit(request.url)
        if address.scheme not in {"blob", "data"} and address.netloc != host:
            visited.troubles.append(f"asked another host: {request.url}")

    def note_message(message: ConsoleMessage) -> None:
        if message.type == "error":
            visited.troubles.append(f"console: {message.text}")

    visited.page.on("request", note_request)
    visited.page.on("console", note_message)
    visited.page.on("pageerror", lambda error: visited.troubles.append(f"page: {error}"))
