"""What the package promises to whoever imports it."""

from __future__ import annotations

import subprocess
import sys

import pytest

import tiles
from tiles.errors import HTTP_STATUS, Busy, TileError, http_status


def test_public_names_are_pinned() -> None:
    assert tiles.__all__ == ["add_tiles"]
    assert callable(tiles.add_tiles)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        tiles.nothing  # noqa: B018


def test_importing_the_package_is_light() -> None:
    code = (
        "import sys, tiles; heavy = {'titiler', 'rasterio', 'fastapi', 'numpy', 'PIL'} & set(sys.modules);"
        "sys.exit(', '.join(heavy) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_error_has_a_status_and_a_standard_base() -> None:
    kinds = TileError.__subclasses__()
    assert kinds
    for kind in kinds:
        # All are the client's fault but that there is too much to do.
        assert 400 <= http_status(kind("said")) < 500 or kind is Busy
        assert issubclass(kind, (ValueError, LookupError, OSError))
    assert set(HTTP_STATUS) == set(kinds)
    assert http_status(Busy("said")) == 503
    assert http_status(TileError("other")) == 500
