"""A visit to the page, which notices whatever goes wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Page, Request

PATIENCE_MS = 20_000
WIDE = (1280, 800)
NARROW = (390, 844)


@dataclass
class Visit:
    """One page in the browser, with all it asked for and all that went wrong."""

    page: Page
    requested: list[str] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)

    def wait_for_map(self, year: int | None = None) -> None:
        """Wait until the map shows a year whole."""
        which = "" if year is None else f'[data-year="{year}"]'
        self.page.wait_for_selector(f".map-area[data-map=done]{which}")

    def text(self, selector: str) -> str:
        """Return what stands in the first element that matches."""
        return self.page.locator(selector).first.inner_text()

    def tiles_of(self, part: str) -> list[str]:
        """Return the tiles asked for whose address holds this."""
        return [url for url in self.requested if "/tiles/WebMercatorQuad/" in url and part in url]

    def slide_to(self, year: int) -> None:
        """Move the slider as a hand would."""
        self.page.locator("#year").fill(str(year))


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
