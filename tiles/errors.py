"""Every error of the tiles, and the one table that turns them into HTTP statuses."""

from __future__ import annotations

from typing import Final


class TileError(Exception):
    """Base of every error the tiles raise on purpose. Its message is shown to strangers: no paths in it."""


class InvalidRequest(TileError, ValueError):
    """A part of the URL is not of the form it should have."""


class InvalidTile(TileError, ValueError):
    """A zoom, column or row lies outside the tile matrix set."""


class UnknownTileMatrixSet(TileError, LookupError):
    """There is no tile matrix set of this name here."""


class LayerNotFound(TileError, LookupError):
    """There is no such item, run, year or asset, as far as this reader may know."""


class LayerNotDrawable(TileError, ValueError):
    """The asset is there, but it is no raster that tiles can be made of."""


class LayerUnreadable(TileError, OSError):
    """The file behind an asset is missing or damaged."""


class TooMuch(TileError, ValueError):
    """What is sent or asked for is larger than this server takes on."""


class TooSlow(TileError, TimeoutError):
    """What is sent does not arrive in time."""


class Busy(TileError, TimeoutError):
    """Too much is being drawn already."""


class UnknownStyle(TileError, LookupError):
    """There is no style of this name, or it does not suit the layer."""


HTTP_STATUS: Final[dict[type[TileError], int]] = {
    InvalidRequest: 400,
    InvalidTile: 400,
    LayerNotDrawable: 400,
    TooMuch: 413,
    TooSlow: 408,
    Busy: 503,
    UnknownStyle: 400,
    UnknownTileMatrixSet: 404,
    LayerNotFound: 404,
    LayerUnreadable: 404,
}
"""Error to HTTP status; a subclass takes the status of its nearest listed base."""


def http_status(error: TileError) -> int:
    """Look up the HTTP status of an error by its nearest listed base (500 if there is none)."""
    return next((HTTP_STATUS[kind] for kind in type(error).__mro__ if kind in HTTP_STATUS), 500)
