"""The catalog: legends, layers as STAC items, the stores that keep them and the STAC API over them.

Names load their module when they are first asked for, so that ``import catalog`` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from catalog.api.app import add_stac_api
    from catalog.collections import make_collections
    from catalog.items.layers import cube_item, file_asset, raster_item, table_asset
    from catalog.legend import Legend, LegendClass
    from catalog.sqlite.store import SqliteStore
    from catalog.store import ANONYMOUS, OWNER, CatalogStore, Page, Query, Reader

__all__ = [
    "ANONYMOUS",
    "OWNER",
    "CatalogStore",
    "Legend",
    "LegendClass",
    "Page",
    "Query",
    "Reader",
    "SqliteStore",
    "add_stac_api",
    "cube_item",
    "file_asset",
    "make_collections",
    "raster_item",
    "table_asset",
]

_ROOMS: Final = {
    "ANONYMOUS": "store",
    "OWNER": "store",
    "CatalogStore": "store",
    "Legend": "legend",
    "LegendClass": "legend",
    "Page": "store",
    "Query": "store",
    "Reader": "store",
    "SqliteStore": "sqlite.store",
    "add_stac_api": "api.app",
    "cube_item": "items.layers",
    "file_asset": "items.layers",
    "make_collections": "collections",
    "raster_item": "items.layers",
    "table_asset": "items.layers",
}


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module 'catalog' has no attribute {name!r}")
    return getattr(import_module(f"catalog.{_ROOMS[name]}"), name)


def __dir__() -> list[str]:
    return __all__
