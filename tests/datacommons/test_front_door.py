"""The promised names, and how quickly they are there."""

from __future__ import annotations

import subprocess
import sys

import pytest

import datacommons as dc


def test_exported_names() -> None:
    assert dc.__all__ == [
        "Commons",
        "DataCommonsError",
        "IngestReport",
        "Landscape",
        "Legend",
        "Run",
        "Scenario",
        "init",
        "open",
    ]


@pytest.mark.parametrize("name", dc.__all__)
def test_every_exported_name_is_there(name: str) -> None:
    assert callable(getattr(dc, name))


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'ingestt'"):
        _ = dc.ingestt


@pytest.mark.parametrize(
    "code", ["import datacommons", "import datacommons.cli", "import datacommons; datacommons.DataCommonsError"]
)
def test_import_loads_nothing_heavy(code: str) -> None:
    heavy = "{'numpy', 'xarray', 'rasterio', 'pandas', 'odc.geo', 'titiler', 'fastapi', 'numba', 'sklearn'}"
    script = f"import sys; {code}; sys.exit(str(sorted({heavy} & set(sys.modules))).strip('[]'))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == ""
