"""Samples: real landscapes to begin with, as data. One TOML file each."""

from __future__ import annotations

import shlex
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from catalog.collections import DRIVERS, LAND_COVER
from datacommons.errors import SampleUnknown
from datacommons.naming import title_of

FOLDER = Path(str(files("datacommons"))) / "samples"
LEGEND_FILE = "legend.json"
SCENARIO_FILE = "scenario.yaml"


class SampleRaster(BaseModel):
    """One raster of a sample.

    Attributes
    ----------
    file : str
        Name of the GeoTIFF that is made of it.
    title : str
    kind : str
        The collection it is for.
    year : int or None
        Of land cover.
    unit : str
        Of a driver, where it is known.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str
    title: str
    kind: Literal["land-cover", "drivers"]
    year: int | None = None
    unit: str = ""


class Sample(BaseModel):
    """A landscape to begin with: one file on the network, and what is made of it.

    Attributes
    ----------
    id : str
        The name of its file.
    title : str
        Shown to people.
    landscape : str
        How the scenario calls it.
    address, checksum : str
        Of an R data file (``.rda``), at an address where it never changes; ``md5:`` or ``sha256:`` and digits.
    object : str
        The list of rasters in that file.
    crs : str
        Of all its rasters.
    licence, terms : str
        SPDX identifier or ``other``, and whose licence it is.
    origin, citation : str
        Where the data come from, and what to cite.
    status, source : str
        How far this can be trusted, and where it was read.
    scenario : str
        A scenario file to begin with.
    legend : dict
        What values of the land cover mean, as in a legend file.
    rasters : dict of str to SampleRaster
        By their names in the list.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    title: str
    landscape: str
    address: str
    checksum: str = Field(pattern=r"^(md5:[0-9a-f]{32}|sha256:[0-9a-f]{64})$")
    object: str
    crs: str
    licence: str
    terms: str
    origin: str
    citation: str
    status: str
    source: str
    scenario: str
    legend: dict[str, Any]
    rasters: dict[str, SampleRaster]

    @property
    def years(self) -> list[int]:
        """Of the land cover, from the earliest on."""
        return sorted(raster.year for raster in self.rasters.values() if raster.year is not None)

    def files_of(self, kind: str) -> list[str]:
        """Return the names of the GeoTIFFs of a collection."""
        return [raster.file for raster in self.rasters.values() if raster.kind == kind]

    def list_commands(self, folder: Path) -> list[str]:
        """Return the commands that go from the files in a folder to a page with a projection."""
        commons = ["init", "commons", "--name", title_of(self.landscape), "--landscape", self.landscape]
        commands = [
            [*commons, "--licence", self.licence],
            ["ingest", *self.files_of(LAND_COVER), "--collection", LAND_COVER, "--legend", LEGEND_FILE],
            ["ingest", *self.files_of(DRIVERS), "--collection", DRIVERS],
            ["validate", SCENARIO_FILE],
            ["run", SCENARIO_FILE],
            ["serve"],
        ]
        return [shlex.join(["cd", str(folder)]), *(shlex.join(["datacommons", *command]) for command in commands)]


def list_samples() -> list[Sample]:
    """Return the samples, by name."""
    return [_read(path) for path in sorted(FOLDER.glob("*.toml"))]


def find_sample(name: str) -> Sample:
    """Return a sample. Raises SampleUnknown, with those there are."""
    known = sorted(path.stem for path in FOLDER.glob("*.toml"))
    if name not in known:
        raise SampleUnknown(f"There is no sample {name!r}; there are: {', '.join(known)}.")
    return _read(FOLDER / f"{name}.toml")


def _read(path: Path) -> Sample:
    return Sample.model_validate({"id": path.stem, **tomllib.loads(path.read_text("utf-8"))})
