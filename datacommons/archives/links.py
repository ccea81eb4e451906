"""Files on the network, read by ranges: tried again with patience, and with links that are signed anew."""

from __future__ import annotations

import io
import random
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import requests
from requests.exceptions import RequestException

from datacommons.errors import RemoteFailed

_BLOCK = 256 * 1024
_BLOCKS_KEPT = 256  # 64 MiB
_TIMEOUT_S = (10, 60)
_EXPIRED = (401, 403, 410)
_ABSENT = 404
BUSY = (408, 425, 429, 500, 502, 503, 504)
"""Statuses after which it helps to ask again."""

_MARGIN_S = 120
_LARGEST_WHOLE = 64 * 2**20


@dataclass(frozen=True)
class Patience:
    """How often a request is tried, and how long is waited in between.

    Attributes
    ----------
    tries : int
    pause_s : float
        Before the second try; it doubles with each. A server's ``Retry-After`` counts more.
    longest_s : float
        No pause is longer.
    """

    tries: int = 6
    pause_s: float = 1.0
    longest_s: float = 120.0

    def wait(self, attempt: int, asked: str | None = None) -> None:
        """Wait after a try that failed, the first being 0."""
        told = read_delay(asked)
        # Many who were turned away at once should not all come back at once.
        pause = self.pause_s * 2**attempt * (1 + random.random() / 4) if told is None else told  # noqa: S311
        time.sleep(min(self.longest_s, pause))


@dataclass
class Links:
    """The way to the files of an archive: signs links, where it wants that, and anew before they expire; keeps blocks.

    Attributes
    ----------
    sign_url : str
        Where links are signed: ``?href=`` answers with ``href`` and ``msft:expiry``. Empty if links are open.
    patience : Patience
    session : requests.Session
    sizes : dict of str to int
        Bytes of the files that were opened.
    """

    sign_url: str = ""
    patience: Patience = field(default_factory=Patience)
    session: requests.Session = field(default_factory=requests.Session)
    sizes: dict[str, int] = field(default_factory=dict)
    _signed: dict[str, tuple[str, float]] = field(default_factory=dict)
    _blocks: OrderedDict[tuple[str, int], bytes] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def sign(self, href: str) -> str:
        """Return a link that can be opened now. Raises RemoteFailed."""
        if not self.sign_url:
            return href
        link, expires = self._signed.get(href, ("", 0.0))
        if time.time() + _MARGIN_S > expires:
            answer = ask(self.session, self.sign_url, self.patience, params={"href": href}).json()
            link, expires = str(answer["href"]), _read_time(str(answer.get("msft:expiry", "")))
            self._signed[href] = (link, expires)
        return link

    def forget(self, href: str) -> None:
        """Sign a link anew when it is next asked for: it was refused."""
        self._signed.pop(href, None)

    def keep(self, key: tuple[str, int], fetch: Callable[[], bytes]) -> bytes:
        """Return a block of a file that was read before, or read it now. The last ones are kept."""
        with self._lock:
            if key not in self._blocks:
                self._blocks[key] = fetch()
                while len(self._blocks) > _BLOCKS_KEPT:
                    self._blocks.popitem(last=False)
            self._blocks.move_to_end(key)
            return self._blocks[key]


def ask(
    session: requests.Session,
    url: str,
    patience: Patience,
    *,
    renew: Callable[[], str] | None = None,
    absent: bool = False,
    advice: str = "Try again later: what was taken so far is kept.",
    **options: Any,
) -> requests.Response:
    """Send a GET request until it is answered.

    Parameters
    ----------
    session : requests.Session
    url : str
    patience : Patience
    renew : callable, optional
        Returns another link to the same, where one was refused.
    absent : bool
        Whether 404 is an answer, too.
    advice : str
        What to do if it fails, for the message.
    **options
        Of :meth:`requests.Session.get`.

    Raises
    ------
    RemoteFailed
        If there is no such thing, it is forbidden, or patience ran out; says what the server said last.
    """
    reason = ""
    for attempt in range(patience.tries):
        delay = None
        try:
            answer = session.get(url, timeout=_TIMEOUT_S, **options)
            if answer.ok or (absent and answer.status_code == _ABSENT):
                return answer
            reason, delay = f"it answered {answer.status_code} {answer.reason}", answer.headers.get("Retry-After")
            if answer.status_code in _EXPIRED and renew is not None:
                url = renew()
            elif answer.status_code not in BUSY:
                break
        except RequestException as error:
            reason = f"the connection failed ({type(error).__name__})"
        if attempt + 1 < patience.tries:
            patience.wait(attempt, delay)
    raise RemoteFailed(
        f"{_without_token(url)} cannot be read: {reason}, after {attempt + 1} of {patience.tries} tries. {advice}"
    )


class RemoteFile(io.RawIOBase):
    """A file on the network as one that can be read and sought, by blocks.

    What fails is kept in ``failure`` and reads as nothing, for GDAL swallows what is raised while it reads.
    """

    def __init__(self, href: str, links: Links) -> None:
        self.href, self._links = href, links
        self.failure: RemoteFailed | None = None
        self._place = 0

    def readable(self) -> bool:
        """Say yes."""
        return True

    def seekable(self) -> bool:
        """Say yes."""
        return True

    def tell(self) -> int:
        """Return the place of the next byte."""
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._length()}[whence]
        self._place = max(0, start + offset)
        return self._place

    def read(self, size: int = -1) -> bytes:
        """Read some bytes, or all that are left."""
        try:
            end = self._length() if size < 0 else min(self._place + size, self._length())
            first, last = self._place // _BLOCK, max(self._place, end - 1) // _BLOCK
            found = b"".join(self._block(number) for number in range(first, last + 1))
        except RemoteFailed as error:
            self.failure = error
            return b""
        start = self._place - first * _BLOCK
        taken = found[start : start + max(0, end - self._place)]
        self._place += len(taken)
        return taken

    def _length(self) -> int:
        if self.href not in self._links.sizes:
            try:
                self._block(0)
            except RemoteFailed as error:
                self.failure = error
                return 0
        return self._links.sizes[self.href]

    def _block(self, number: int) -> bytes:
        return self._links.keep((self.href, number), lambda: self._fetch(number * _BLOCK))

    def _fetch(self, start: int) -> bytes:
        def renew() -> str:
            self._links.forget(self.href)
            return self._links.sign(self.href)

        link = self._links.sign(self.href)
        headers = {"Range": f"bytes={start}-{start + _BLOCK - 1}"}
        # A body that breaks off raises as it is read, and is asked for again.
        answer = ask(self._links.session, link, self._links.patience, renew=renew, headers=headers)
        if answer.status_code == 206:
            self._links.sizes[self.href] = int(answer.headers["Content-Range"].rpartition("/")[2])
            return answer.content
        if len(answer.content) > _LARGEST_WHOLE:
            raise RemoteFailed(f"{_without_token(link)} cannot be read in parts: its server knows no ranges.")
        self._links.sizes[self.href] = len(answer.content)
        return answer.content[start : start + _BLOCK]


def read_delay(text: str | None) -> float | None:
    """Read a Retry-After, seconds or a date, as seconds from now; None if it says neither."""
    if not text:
        return None
    try:
        return max(0.0, float(text))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return None


def _read_time(text: str) -> float:
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return 0.0


def _without_token(url: str) -> str:
    return url.partition("?")[0]
