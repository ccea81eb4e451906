"""Every error of the catalog, and the one table that turns them into HTTP statuses."""

from __future__ import annotations

from typing import Final


class CatalogError(Exception):
    """Base of every error the catalog raises on purpose."""


class LegendError(CatalogError, ValueError):
    """A legend contradicts itself or cannot be read."""


class UnknownClass(CatalogError, LookupError):
    """A legend has no class of this value or name."""


class LayerError(CatalogError, ValueError):
    """A layer lacks what an item must state: a CRS, valid cells, a known class."""


class UnreadableLayer(CatalogError, OSError):
    """A layer's file is missing, cut short or in no format we read."""


class InvalidItem(CatalogError, ValueError):
    """An item cannot be stored as it is."""


class InvalidCollection(CatalogError, ValueError):
    """A collection cannot be stored as it is."""


class InvalidQuery(CatalogError, ValueError):
    """A query asks for something that makes no sense."""


class InvalidToken(InvalidQuery):
    """A paging token was not made by this store."""


class CollectionNotFound(CatalogError, LookupError):
    """No such collection, as far as this reader may know."""


class ItemNotFound(CatalogError, LookupError):
    """No such item, as far as this reader may know."""


class AlreadyThere(CatalogError, ValueError):
    """There is an item or a collection of this id, and it was not to be replaced."""


class StillNeeded(CatalogError, ValueError):
    """An item or a collection cannot go, nor its files change: others were derived from it."""


class Outdated(CatalogError, ValueError):
    """A document is not any more what the writer took it for."""


class NotAuthorised(CatalogError, PermissionError):
    """Only those may write who show that they may."""


class StoreError(CatalogError, OSError):
    """The store's file cannot be opened, is no catalog, or comes from a newer version."""


HTTP_STATUS: Final[dict[type[CatalogError], int]] = {
    InvalidQuery: 400,
    InvalidItem: 400,
    InvalidCollection: 400,
    LegendError: 400,
    LayerError: 400,
    UnknownClass: 404,
    CollectionNotFound: 404,
    ItemNotFound: 404,
    AlreadyThere: 409,
    StillNeeded: 409,
    Outdated: 412,
    NotAuthorised: 401,
    UnreadableLayer: 500,
    StoreError: 503,
}
"""Error to HTTP status; a subclass takes the status of its nearest listed base."""


def http_status(error: CatalogError) -> int:
    """Look up the HTTP status of an error by its nearest listed base (500 if there is none)."""
    return next((HTTP_STATUS[kind] for kind in type(error).__mro__ if kind in HTTP_STATUS), 500)
