"""How long caches may keep an answer: said here, for a middleware would call errors public too."""

from __future__ import annotations

from typing import Final

from tiles.layer import Layer

_YEAR_S: Final = 31_536_000
_SHORT_S: Final = 300
NO_STORE: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def cache_headers(layer: Layer, *, for_good: bool = False) -> dict[str, str]:
    """Return the headers of an answer about a layer.

    Parameters
    ----------
    layer : Layer
        Shared caches keep it only if it is public.
    for_good : bool
        Whether the answer can never change.
    """
    scope = "public" if layer.public else "private"
    lifetime = f"max-age={_YEAR_S}, immutable" if for_good else f"max-age={_SHORT_S}"
    return {"Cache-Control": f"{scope}, {lifetime}", "X-Content-Type-Options": "nosniff"}
