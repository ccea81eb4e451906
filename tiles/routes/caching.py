"""What caches are told, and what this process keeps itself: a middleware would call errors public too."""

from __future__ import annotations

from collections import OrderedDict
from hashlib import blake2b
from importlib.metadata import version
from threading import Lock
from typing import Final

_YEAR_S: Final = 31_536_000
_SHORT_S: Final = 300
_KEPT_BYTES: Final = 64 * 2**20
# What an entry takes beside its bytes: key, headers of objects, links.
_OVERHEAD_BYTES: Final = 400
NO_STORE: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def cache_headers(*, public: bool, for_good: bool = False, tag: str | None = None) -> dict[str, str]:
    """Return the headers of an answer.

    Parameters
    ----------
    public : bool
        Whether anybody may see it: shared caches keep nothing else.
    for_good : bool
        Whether the answer can never change.
    tag : str or None
        Entity tag.
    """
    scope = "public" if public else "private"
    lifetime = f"max-age={_YEAR_S}, immutable" if for_good else f"max-age={_SHORT_S}"
    headers = {"Cache-Control": f"{scope}, {lifetime}", "X-Content-Type-Options": "nosniff"}
    return headers | {"ETag": tag} if tag else headers


def make_tag(identity: tuple[str, ...] | None, *parts: object) -> str | None:
    """Return the entity tag of a picture, without drawing it.

    Parameters
    ----------
    identity : tuple of str or None
        What is shown, down to its version; None if nobody could tell that it changed.
    *parts : object
        All else that the picture hangs on: tile, size, format.

    Returns
    -------
    str or None
        Quoted, as in the header.
    """
    if identity is None:
        return None
    told = "\0".join((_SOFTWARE, *identity, *map(str, parts)))
    return f'"{blake2b(told.encode(errors="backslashreplace"), digest_size=12).hexdigest()}"'


def is_current(tag: str | None, if_none_match: str | None) -> bool:
    """Tell whether a client has what a tag names, by its header If-None-Match."""
    if tag is None or not if_none_match:
        return False
    known = {part.strip().removeprefix("W/") for part in if_none_match.split(",")}
    return tag in known or "*" in known


class TileCache:
    """Keeps the tiles that were asked for last, by their tags, up to a number of bytes.

    Parameters
    ----------
    most_bytes : int
    """

    def __init__(self, most_bytes: int = _KEPT_BYTES) -> None:
        self._most_bytes = most_bytes
        self._lock = Lock()
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._bytes = 0

    def get(self, tag: str | None) -> bytes | None:
        """Return what is kept under a tag."""
        if tag is None:
            return None
        with self._lock:
            content = self._kept.get(tag)
            if content is not None:
                self._kept.move_to_end(tag)
            return content

    def put(self, tag: str | None, content: bytes) -> None:
        """Keep something, and forget what was not asked for the longest."""
        if tag is None or len(content) > self._most_bytes:
            return
        with self._lock:
            self._forget(tag)
            self._kept[tag] = content
            self._bytes += len(content) + _OVERHEAD_BYTES
            while self._bytes > self._most_bytes and len(self._kept) > 1:
                self._forget(next(iter(self._kept)))

    def _forget(self, tag: str) -> None:
        old = self._kept.pop(tag, None)
        if old is not None:
            self._bytes -= len(old) + _OVERHEAD_BYTES


_SOFTWARE: Final = version("datacommons")
