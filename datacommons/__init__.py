"""A geospatial data commons for landscapes: layers as a STAC catalog, scenarios, and their maps as tiles.

Examples
--------
::

    import datacommons as dc

    commons = dc.open("plum-island")
    run = commons.run("scenario.yaml")
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datacommons.errors import DataCommonsError

if TYPE_CHECKING:
    from catalog.legend import Legend
    from datacommons.commons import Commons
    from datacommons.ingest.raster_layers import IngestReport
    from datacommons.landscape import Landscape
    from datacommons.runs.run import Run
    from scenarios.spec import Scenario

__all__ = [
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

_HOMES = {
    "Commons": "datacommons.commons",
    "IngestReport": "datacommons.ingest.raster_layers",
    "Landscape": "datacommons.landscape",
    "Legend": "catalog.legend",
    "Run": "datacommons.runs.run",
    "Scenario": "scenarios.spec",
}


def init(
    folder: str | Path,
    *,
    name: str | None = None,
    landscape: str | None = None,
    contact: str = "",
    licence: str = "other",
    default_access: str = "public",
    language: str = "en",
    demo: bool = False,
) -> Commons:
    """Create a commons in a new or empty folder.

    Parameters
    ----------
    folder : str or Path
    name : str, optional
        Shown to people; by default made of the folder's name.
    landscape : str, optional
        Name of the first landscape, and the one meant when none is named; by default the folder's name.
    contact : str
        Whom to ask.
    licence : str
        SPDX identifier of the licence of the layers, or ``other``.
    default_access : str
        Access label of what is ingested; only ``public`` is seen by others.
    language : str
        Language of titles.
    demo : bool
        Whether ``datacommons demo`` may remove the folder and make it again.

    Raises
    ------
    datacommons.errors.FolderNotEmpty
        If the folder holds anything.
    datacommons.errors.InvalidSettings
        If a setting cannot be used.
    """
    from datacommons.founding import init_commons

    return init_commons(
        folder,
        name=name,
        landscape=landscape,
        contact=contact,
        licence=licence,
        default_access=default_access,
        language=language,
        demo=demo,
    )


def open(folder: str | Path) -> Commons:  # noqa: A001  (read as dc.open, like xarray's and rasterio's)
    """Open the commons in a folder.

    Raises
    ------
    datacommons.errors.NotACommons
        If the folder has no ``commons.toml``.
    """
    from datacommons.founding import open_commons

    return open_commons(folder)


def __getattr__(name: str) -> Any:
    # Rasters and cubes take seconds to import, so each name is fetched when it is first used.
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
