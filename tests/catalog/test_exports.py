"""The names the package promises, and what importing it costs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import catalog
from catalog.errors import HTTP_STATUS, CatalogError, InvalidToken, http_status

HEAVY = ("stac_fastapi", "fastapi", "rasterio", "geopandas", "shapely", "xarray", "pystac", "pandas", "numpy")


def test_public_names() -> None:
    assert catalog.__all__ == [
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


@pytest.mark.parametrize("name", catalog.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(catalog, name).__doc__


def test_a_name_that_is_not_there() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Ledger'"):
        catalog.Ledger  # noqa: B018


def test_importing_the_catalog_is_light() -> None:
    code = (
        "import sys, catalog; catalog.Legend, catalog.Query(bbox=(0, 0, 1, 1)), catalog.OWNER; "
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_error_is_a_standard_error_too_and_has_a_status() -> None:
    kinds = _descendants(CatalogError)
    assert len(kinds) > 8
    for kind in kinds:
        assert issubclass(kind, ValueError | LookupError | OSError), kind
        assert http_status(kind("")) in {400, 401, 404, 409, 412, 500, 503}
        assert any(base in HTTP_STATUS for base in kind.__mro__), kind
    assert http_status(InvalidToken("")) == 400


def _descendants(kind: type) -> set[type]:
    return {kind for child in kind.__subclasses__() for kind in (child, *_descendants(child))}
