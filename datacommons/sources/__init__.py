"""Ready-made sources: where public data are, as data. One TOML file each."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from catalog.collections import LAND_COVER
from datacommons.errors import InvalidIngest, SourceUnknown

FOLDER = Path(str(files("datacommons"))) / "sources"


class Source(BaseModel):
    """A public data set, and how it is reached.

    Attributes
    ----------
    id : str
        The name of its file.
    title, product : str
        Shown to people; how layers say what they were taken from.
    kind : str
        The collection its layers go to.
    layer : str
        How scenario files call a driver of it.
    version : str
        Of the product; ``versions`` by year, where it changes.
    versions_differ : bool
        Whether versions are products of their own, between which no change may be told.
    licence, terms : str
        SPDX identifier or ``other``, and in words.
    access : str
        ``stac`` (an API), ``file`` (an address for each asset), ``zarr`` (the asset ``zarr`` of a collection of an
        API, of which any variable can be taken) or ``none`` (``advice`` says what to do).
    api, collection, sign : str
        The STAC API, the collection there, and the address that signs links, if links have to be signed.
    file : str
        The address below ``api``, with ``{api}``, ``{asset}`` and ``{variable}``: the asset up to its first ``_``.
    assets : tuple of str
        Those there are; the first is the default. Where an asset has ``parts``, they are its beginnings.
    legend : str
        The legend that is shipped with the product's name.
    nodata : tuple of int
        Values of classes that mean no data, besides what files declare.
    years : tuple of int or None
        First and last; None for what has no year.
    unit : str
    status, source : str
        How far this can be trusted, and where it was read.
    note : str
        What one has to know.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    title: str
    kind: Literal["land-cover", "drivers"]
    product: str
    licence: str
    access: Literal["stac", "file", "zarr", "none"]
    status: str
    source: str
    layer: str = ""
    version: str = ""
    versions: dict[int, str] = Field(default_factory=dict)
    versions_differ: bool = False
    terms: str = ""
    advice: str = ""
    api: str = ""
    collection: str = ""
    sign: str = ""
    zarr: str = ""
    file: str = ""
    assets: tuple[str, ...] = ()
    parts: str = ""
    legend: str = ""
    nodata: tuple[int, ...] = (0,)
    years: tuple[int, int] | None = None
    unit: str = ""
    note: str = ""

    @model_validator(mode="after")
    def _reaches(self) -> Source:
        needed = {
            "stac": (self.api, self.collection),
            "file": (self.api, self.file),
            "zarr": (self.api, self.collection, self.zarr),
            "none": (self.advice,),
        }
        named = self.legend if self.kind == LAND_COVER else self.layer
        if not named or not all(needed[self.access]):
            raise ValueError(f"the source {self.id} lacks a field that its access or kind needs")
        return self

    def version_of(self, year: int | None) -> str:
        """Return the version of the product in a year; empty if unknown."""
        return self.versions.get(year or 0, self.version)

    def product_of(self, year: int | None) -> str:
        """Return what layers of a year say that they were taken from."""
        version = self.version_of(year)
        return f"{self.product} {version}" if self.versions_differ and version else self.product

    def choose_asset(self, asset: str | None) -> str:
        """Return the asset that is meant. Raises InvalidIngest, with those there are."""
        if self.access == "zarr":
            return self._choose_variable(asset)
        known = ", ".join(self.assets)
        if asset is None and self.parts:
            raise InvalidIngest(f"{self.id} has {known}: say which, and which {self.parts}.")
        if asset is None:
            return self.assets[0]
        named = asset.partition("_")[0] if self.parts else asset
        if named not in self.assets:
            raise InvalidIngest(f"{self.id} has no asset {asset!r}; it has: {known}.")
        return asset

    def _choose_variable(self, asset: str | None) -> str:
        if asset is None:
            raise InvalidIngest(f"{self.id} has many variables: say which, as in --asset NAME.")
        return asset


def list_sources() -> list[Source]:
    """Return the ready-made sources, by name."""
    return [_read(path) for path in sorted(FOLDER.glob("*.toml"))]


def find_source(name: str) -> Source:
    """Return a ready-made source. Raises SourceUnknown, with those there are."""
    path = FOLDER / f"{name}.toml"
    known = sorted(each.stem for each in FOLDER.glob("*.toml"))
    if name not in known:
        raise SourceUnknown(f"There is no source {name!r}; there are: {', '.join(known)}.")
    return _read(path)


def _read(path: Path) -> Source:
    return Source.model_validate({"id": path.stem, **tomllib.loads(path.read_text("utf-8"))})
