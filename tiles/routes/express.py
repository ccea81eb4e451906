"""The short way to a tile: no framework between the address and the picture.

Reading the parameters of a request takes FastAPI longer than drawing a tile. What is plainly a well-formed address
of a tile is answered here; everything else goes on to the routes, which say what is wrong with it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, Final
from urllib.parse import parse_qsl

from starlette._utils import get_route_path
from starlette.datastructures import URLPath
from starlette.requests import Request
from starlette.routing import BaseRoute, Match, NoMatchFound
from starlette.types import Receive, Scope, Send

from catalog.store import Reader
from tiles.drawing.painter import Painter, TileRequest
from tiles.drawing.sheets import TILE_MATRIX_SETS, Format, Frame, Sheet, find_matrix_set

# Drawing is work for the processor, and for as many cores as lend themselves to one process of Python.
_THREADS: Final = 4
_LONGEST_QUERY: Final = 300
_LONGEST: Final = {"v": 64, "style": 60, "asset": 100, "class": 60, "against": 200, "since": 4}
_TILE: Final = (
    rf"/tiles/(?P<matrix_set>{'|'.join(TILE_MATRIX_SETS.list())})/(?P<z>\d{{1,2}})/(?P<x>\d{{1,8}})/(?P<y>\d{{1,8}})"
    r"(?P<twice>@2x)?(?:\.(?P<format>png|webp))?"
)

FindSheet = Callable[[Reader, Mapping[str, str], Mapping[str, str]], Sheet]


@dataclass(frozen=True, eq=False)
class Line:
    """A family of addresses of tiles.

    Parameters
    ----------
    prefix : str
        Regular expression of what stands before ``/tiles``, with named groups.
    find : callable
        From the reader, the groups and the query to what is shown.
    is_quick : bool
        Whether that takes less time than to hand it to a thread and back.
    """

    prefix: str
    find: FindSheet
    is_quick: bool = False

    @property
    def pattern(self) -> re.Pattern[str]:
        """What the whole path looks like."""
        return re.compile(self.prefix + _TILE)


class ExpressRoute(BaseRoute):
    """Answers well-formed requests for tiles.

    Parameters
    ----------
    painter : Painter
    identify : callable
        From a request to who reads.
    lines : sequence of Line
    """

    def __init__(self, painter: Painter, identify: Callable[[Request], Reader], *lines: Line) -> None:
        self._painter = painter
        self._identify = identify
        self._lines = [(line.pattern, line) for line in lines]
        self._executor = ThreadPoolExecutor(_THREADS, thread_name_prefix="tiles")

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Take the plain requests for tiles."""
        if scope["type"] != "http" or scope["method"] != "GET" or "/tiles/" not in scope["path"]:
            return Match.NONE, {}
        query, path = _read_query(scope["query_string"]), get_route_path(scope)
        for pattern, line in self._lines:
            found = pattern.fullmatch(path)
            if found and query is not None:
                return Match.FULL, {"tile": (found.groupdict(), query, line)}
        return Match.NONE, {}

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        """Name no address: the routes do."""
        raise NoMatchFound(name, path_params)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer at once with what is there already; draw on a thread of our own.

        Raises
        ------
        TileError
        """
        request = Request(scope)
        path, query, line = scope["tile"]
        known = request.headers.get("if-none-match")
        loop = asyncio.get_running_loop()
        prepare = partial(_prepare, self._identify(request), path, query, line.find, known)
        asked = prepare() if line.is_quick else await loop.run_in_executor(self._executor, prepare)
        response = self._painter.recall(asked)
        if response is None:
            response = await loop.run_in_executor(self._executor, self._painter.answer, asked)
        await response(scope, receive, send)


def _prepare(
    reader: Reader, path: dict[str, str], query: dict[str, str], find: FindSheet, known: str | None
) -> TileRequest:
    matrix_set = find_matrix_set(path["matrix_set"])
    frame = Frame(matrix_set, int(path["z"]), int(path["x"]), int(path["y"]), 2 if path["twice"] else 1)
    output_format: Format = "webp" if path["format"] == "webp" else "png"
    return TileRequest(find(reader, path, query), frame, output_format, query.get("v"), known)


def _read_query(query: bytes) -> dict[str, str] | None:
    """Return the parameters; None for those that need a closer look."""
    if len(query) > _LONGEST_QUERY:
        return None
    try:
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, strict_parsing=bool(query), errors="strict")
    except ValueError:
        return None
    read = dict(pairs)
    usual = len(read) == len(pairs) and all(len(read.get(name, "")) <= most for name, most in _LONGEST.items())
    return read if usual else None
