"""The collections of a commons, and what they say of licence, access and contact."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from catalog.items.extensions import find_extensions
from catalog.store import ACCESS_FIELD, PUBLIC

LANDSCAPES: Final = "landscapes"
LAND_COVER: Final = "land-cover"
DRIVERS: Final = "drivers"
VECTORS: Final = "vectors"
RUNS: Final = "runs"
RUN_MAPS: Final = "run-maps"

_COG: Final = "image/tiff; application=geotiff; profile=cloud-optimized"
_ZARR: Final = "application/vnd.zarr; version=3"
_PARQUET: Final = "application/vnd.apache.parquet"
_WORLD: Final = [-180.0, -90.0, 180.0, 90.0]

# id: title, description, keywords, and the assets of its items as key: (title, media type, role).
_COLLECTIONS: Final[dict[str, tuple[str, str, list[str], dict[str, tuple[str, str, str]]]]] = {
    LANDSCAPES: (
        "Landscapes",
        "The places this commons is about: boundary, grid and legend of each.",
        ["landscape", "boundary"],
        {
            "boundary": ("Boundary", "application/geo+json", "metadata"),
            "legend": ("Legend", "application/json", "metadata"),
        },
    ),
    LAND_COVER: (
        "Land cover",
        "Observed land cover, one map a year, with the classes of the landscape's legend.",
        ["land cover", "land use"],
        {"data": ("Land cover", _COG, "data")},
    ),
    DRIVERS: (
        "Drivers",
        "What land-use change depends on: terrain, distances, soils, plans.",
        ["land use", "drivers"],
        {"data": ("Values", _COG, "data")},
    ),
    VECTORS: (
        "Vectors",
        "Points, lines and polygons of a landscape: roads, villages, reserves, districts.",
        ["vector", "places"],
        {"data": ("Features", _PARQUET, "data")},
    ),
    RUNS: (
        "Scenario runs",
        "Projections of land use under a scenario, with their uncertainty, indicators and hindcast score. "
        "They say what could be, not what will be.",
        ["land use", "scenario", "projection"],
        {
            "trajectory": ("Yearly maps", _ZARR, "data"),
            "probability": ("Probability of each class and year, and when cells change", _ZARR, "data"),
            "areas": ("Hectares by class and year", "application/json", "data"),
            "indicators": ("Indicators", _PARQUET, "data"),
            "indicators-csv": ("Indicators", "text/csv", "data"),
            "scenario": ("The exact scenario", "application/yaml", "metadata"),
            "validation": ("Hindcast", "application/json", "metadata"),
            "model": ("What was learned", "application/json", "metadata"),
        },
    ),
    RUN_MAPS: (
        "Scenario maps",
        "The map of every projected year of every run. They say what could be, not what will be.",
        ["land use", "scenario", "projection"],
        {"map": ("Projected land cover", _COG, "data")},
    ),
}

COMMONS_COLLECTIONS: Final = frozenset(_COLLECTIONS)
"""The ids of the collections that every commons has."""


def make_collections(
    *, name: str, licence: str = "other", contact: str = "", access: str = "public"
) -> list[dict[str, Any]]:
    """Make the six collections of a commons.

    Parameters
    ----------
    name : str
        Name of the commons, named as the host of its data.
    licence : str
        SPDX identifier, or "other".
    contact : str
        Whom to ask: a name or an e-mail address.
    access : str
        Who may know of the collections; items have labels of their own beside it.

    Returns
    -------
    list of dict
        STAC collections over the whole world and all time; `widen_extent` fits them to their items.
    """
    shared: dict[str, Any] = {
        "license": licence,
        "providers": [{"name": name, "roles": ["host"]}],
        "landscape:access": access,
        **({"contacts": [_describe_contact(contact)]} if contact else {}),
    }
    return [_make_collection(collection_id, shared) for collection_id in _COLLECTIONS]


def widen_extent(collection: Mapping[str, Any], items: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return a collection whose extent covers its items too, but for those that its readers may not see.

    Parameters
    ----------
    collection : mapping
        A STAC collection; it is left as it is. One without an extent gets none.
    items : iterable of mapping
        STAC items of it; those without a place do not matter.
    """
    extent, labels = collection.get("extent"), {PUBLIC, collection.get(ACCESS_FIELD, PUBLIC)}
    shown = [item for item in items if item["properties"].get(ACCESS_FIELD, PUBLIC) in labels and item.get("bbox")]
    if extent is None or not shown:
        return dict(collection)
    boxes = [box for box in extent["spatial"]["bbox"] if box != _WORLD]
    spans = [span for span in extent["temporal"]["interval"] if span != [None, None]]
    boxes += [list(item["bbox"]) for item in shown]
    spans += [_span(item["properties"]) for item in shown]
    return {
        **collection,
        "extent": {"spatial": {"bbox": [_cover(boxes)]}, "temporal": {"interval": [_cover_spans(spans)]}},
    }


def _make_collection(collection_id: str, shared: Mapping[str, Any]) -> dict[str, Any]:
    title, description, keywords, assets = _COLLECTIONS[collection_id]
    collection = {
        "type": "Collection",
        "stac_version": "1.1.0",
        "id": collection_id,
        "title": title,
        "description": description,
        "keywords": keywords,
        **shared,
        "extent": {"spatial": {"bbox": [_WORLD]}, "temporal": {"interval": [[None, None]]}},
        "item_assets": {
            key: {"title": name, "type": media_type, "roles": [role]}
            for key, (name, media_type, role) in assets.items()
        },
        "links": [],
    }
    return {**collection, "stac_extensions": find_extensions(collection)}


def _describe_contact(contact: str) -> dict[str, Any]:
    emails = {"emails": [{"value": contact}]} if "@" in contact and " " not in contact else {}
    return {"name": contact, **emails, "roles": ["contact"]}


def _span(properties: Mapping[str, Any]) -> list[str]:
    at = properties.get("datetime")
    return [str(properties.get("start_datetime") or at), str(properties.get("end_datetime") or at)]


def _cover(boxes: list[list[float]]) -> list[float]:
    # One box across the antimeridian makes the whole a band around the globe, which is true if wide.
    west, east = min(box[0] for box in boxes), max(box[2] for box in boxes)
    if any(box[0] > box[2] for box in boxes):
        west, east = (boxes[0][0], boxes[0][2]) if len({tuple(box) for box in boxes}) == 1 else (-180.0, 180.0)
    return [west, min(box[1] for box in boxes), east, max(box[3] for box in boxes)]


def _cover_spans(spans: list[list[str]]) -> list[str]:
    # Times in the same notation, in UTC, sort as text does.
    return [min(span[0] for span in spans), max(span[1] for span in spans)]
