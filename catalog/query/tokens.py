"""The opaque tokens that page through a search: the place of the last item of a page in the order."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from typing import Final

import orjson

from catalog.errors import InvalidToken
from catalog.query.query import Sort
from catalog.query.queryables import Value

_LARGEST: Final = 2**63


def encode_token(order: Sequence[Sort], position: Sequence[Value]) -> str:
    """Write a position in an order."""
    values = [{"x": value.hex()} if isinstance(value, bytes) else value for value in position]
    return base64.urlsafe_b64encode(orjson.dumps([_sign(order), *values])).decode().rstrip("=")


def decode_token(token: str, order: Sequence[Sort], length: int) -> tuple[Value, ...]:
    """Read a token of a search in this order, whose positions have so many values. Raises InvalidToken."""
    try:
        padded = token.encode("ascii") + b"=" * (-len(token) % 4)
        match orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True)):
            case [str(sign), *values] if sign == _sign(order) and len(values) == length:
                return tuple(map(_read, values))
    except (ValueError, LookupError, TypeError):
        pass
    raise InvalidToken(
        f"The token {token[:80]!r} is not one of ours, or of a search in another order: begin again without a token."
    )


def _sign(order: Sequence[Sort]) -> str:
    text = ",".join(f"{'-' if key.descending else '+'}{key.field}" for key in order)
    return hashlib.blake2s(text.encode(), digest_size=4).hexdigest()


def _read(value: object) -> Value:
    if isinstance(value, dict):
        return bytes.fromhex(value["x"])
    if value is None or isinstance(value, str | float) or (type(value) is int and -_LARGEST <= value < _LARGEST):
        return value
    raise ValueError(value)
