"""What every answer of the STAC API starts from: the store, who reads, and at which address."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fastapi import Request

from catalog.api.links import Address
from catalog.store import CatalogStore, Reader


@dataclass(frozen=True)
class Site:
    """A catalog as it is served.

    Parameters
    ----------
    store : CatalogStore
    identify : callable
        Tells from a request who reads.
    title, description : str
        Of the catalog.
    prefix : str
        Path of the landing page.
    """

    store: CatalogStore
    identify: Callable[[Request], Reader]
    title: str
    description: str
    prefix: str

    def address(self, request: Request) -> Address:
        """Return the addresses as the sender of a request sees them."""
        root = str(request.base_url)
        return Address(root, f"{root}{self.prefix.strip('/')}/", self.title)
