"""Answers of the STAC API: JSON with an ETag, and long pages that are sent while they are read."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

import orjson
from fastapi import Request, Response
from fastapi.responses import StreamingResponse

JSON: Final = "application/json"
GEOJSON: Final = "application/geo+json"
SCHEMA: Final = "application/schema+json"
_CHUNK: Final = 2**17  # bytes: a message for every item would cost more than the item


def respond(
    document: Mapping[str, Any], media_type: str = JSON, *, request: Request | None = None, status: int = 200
) -> Response:
    """Answer with JSON; with an ETag where the request is a GET, and 304 where its client has it already.

    A ready response keeps FastAPI from walking through every value again.
    """
    body = orjson.dumps(document)
    if request is None or request.method not in ("GET", "HEAD"):
        return Response(body, status, media_type=media_type)
    tag = make_etag(body)
    # What a proxy keeps has to be asked for anew: another reader may see something else.
    scope = "private, " if "authorization" in request.headers else ""
    headers = {"ETag": tag, "Cache-Control": f"{scope}no-cache"}
    if matches_etag(request.headers.get("if-none-match"), tag):
        return Response(status_code=304, headers=headers)
    return Response(body, status, headers, media_type)


def make_etag(body: bytes) -> str:
    """Return the ETag of a body. It is weak: compressed or not, the body is the same."""
    return f'W/"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'


def matches_etag(asked: str | None, tag: str) -> bool:
    """Tell whether the list of ETags in a header has this one, or is ``*``."""
    known = [each.strip().removeprefix("W/") for each in (asked or "").split(",")]
    return tag.removeprefix("W/") in known or "*" in known


def stream(
    items: Iterable[Mapping[str, Any]], finish: Callable[[int], Mapping[str, Any]], media_type: str = GEOJSON
) -> Response:
    """Answer with a feature collection, item by item.

    Parameters
    ----------
    items : iterable of mapping
        Read while they are sent.
    finish : callable
        From the number of items to the other members of the collection, when all are sent.
    """
    return StreamingResponse(_write(items, finish), media_type=media_type)


def _write(items: Iterable[Mapping[str, Any]], finish: Callable[[int], Mapping[str, Any]]) -> Iterator[bytes]:
    waiting, count = bytearray(b'{"type":"FeatureCollection","features":['), 0
    for item in items:
        waiting += (b"," if count else b"") + orjson.dumps(item)
        count += 1
        if len(waiting) > _CHUNK:
            yield bytes(waiting)
            waiting.clear()
    yield bytes(waiting) + b"]," + orjson.dumps(finish(count))[1:]
