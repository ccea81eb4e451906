"""The STAC extensions that documents of a commons declare."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

SCHEMA_ROOT: Final = "https://datacommons.example/"
"""Stands in stored documents for the server's own address, which the STAC API puts in its place."""

LANDSCAPE: Final = f"{SCHEMA_ROOT}schemas/landscape/v1.0.0/schema.json"
SCENARIO: Final = f"{SCHEMA_ROOT}schemas/scenario/v1.0.0/schema.json"
PROJECTION: Final = "https://stac-extensions.github.io/projection/v2.0.0/schema.json"
CLASSIFICATION: Final = "https://stac-extensions.github.io/classification/v2.0.0/schema.json"
FILE: Final = "https://stac-extensions.github.io/file/v2.1.0/schema.json"
DATACUBE: Final = "https://stac-extensions.github.io/datacube/v2.2.0/schema.json"
TABLE: Final = "https://stac-extensions.github.io/table/v1.2.0/schema.json"
SCIENTIFIC: Final = "https://stac-extensions.github.io/scientific/v1.0.0/schema.json"
VERSION: Final = "https://stac-extensions.github.io/version/v1.2.0/schema.json"
PROCESSING: Final = "https://stac-extensions.github.io/processing/v1.0.0/schema.json"
RENDER: Final = "https://stac-extensions.github.io/render/v2.0.0/schema.json"

# Only extensions whose published schema the tests hold a copy of are declared, so that every declaration
# has been validated. Links to tiles and the fields zarr:*, forecast:*, contacts and themes are written as
# their extensions say, and are declared as soon as the schemas are here.
_BY_FIELD: Final = {
    "landscape": LANDSCAPE,
    "scenario": SCENARIO,
    "proj": PROJECTION,
    "classification": CLASSIFICATION,
    "file": FILE,
    "cube": DATACUBE,
    "table": TABLE,
    "sci": SCIENTIFIC,
    "processing": PROCESSING,
    "version": VERSION,
    "deprecated": VERSION,
    "renders": RENDER,
}


def find_extensions(document: Mapping[str, Any]) -> list[str]:
    """List the extensions whose fields an item or a collection uses, sorted by address.

    Parameters
    ----------
    document : mapping
        A STAC item or collection as a dictionary.
    """
    return sorted({_BY_FIELD[prefix] for name in _fields(document) if (prefix := _prefix(name)) in _BY_FIELD})


def _prefix(name: str) -> str:
    return name.partition(":")[0] if ":" in name or name in {"version", "deprecated", "renders"} else ""


def _fields(document: Mapping[str, Any]) -> Iterator[str]:
    yield from document
    yield from document.get("properties", {})
    yield from document.get("summaries", {})
    for assets in (document.get("assets", {}), document.get("item_assets", {})):
        for asset in assets.values():
            yield from asset
