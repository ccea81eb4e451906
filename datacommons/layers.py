"""The layers of a landscape: listed, and found by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from catalog.collections import DRIVERS, LAND_COVER, VECTORS
from catalog.legend import Legend
from catalog.store import OWNER, CatalogStore, Query
from datacommons.errors import LayerNotFound


@dataclass(frozen=True)
class Layer:
    """One layer of a commons, as listed.

    Attributes
    ----------
    collection, item, landscape : str
        Where it is in the catalog, and which landscape it is of.
    name : str
        As scenario files call it.
    year : int or None
        None for a driver that holds for all years.
    legend : Legend or None
        None for measurements.
    unit : str
        Empty if unknown.
    href : str
        The COG or GeoParquet file, relative to the commons.
    checksum : str
        Multihash of that file.
    access : str
        Access label.
    synthetic : bool
        Whether it was generated, not observed.
    product, product_version : str
        Which product it is of; empty if unsaid.
    cell_size_m : float or None
        Edge of its own cells in metres, before it is aligned to the landscape's grid; None where it was not noted.
    features : int or None
        Of a vector layer; None of rasters.
    version : str
        Which version of the layer it is: ``1`` unless it was replaced.
    """

    collection: str
    item: str
    landscape: str
    name: str
    year: int | None
    legend: Legend | None
    unit: str
    href: str
    checksum: str
    access: str
    synthetic: bool
    product: str = ""
    product_version: str = ""
    cell_size_m: float | None = None
    features: int | None = None
    version: str = "1"


def list_layers(store: CatalogStore, landscape: str | None = None) -> list[Layer]:
    """List the land cover, drivers and vectors of a commons, the latest of each, by landscape, name and year.

    What clients of the STAC API have put into these collections is no layer unless it has all that one has.
    """
    items = search_all(store, Query(collections=(LAND_COVER, DRIVERS, VECTORS), limit=1000))
    layers = (_to_layer(item) for item in items if _is_layer(item) and not item["properties"].get("deprecated"))
    wanted = [layer for layer in layers if landscape in (None, layer.landscape)]
    return sorted(wanted, key=lambda layer: (layer.landscape, layer.name, layer.year or 0))


def find_versions(
    store: CatalogStore, collection: str, landscape: str, layer: str, year: int | None = None
) -> list[dict[str, Any]]:
    """Return the items of all versions of a layer, newest first; of one year, if it is told."""
    named = {"landscape:id": landscape, "landscape:layer": layer}
    parts = [{"op": "=", "args": [{"property": name}, value]} for name, value in named.items()]
    query = Query(collections=(collection,), filter={"op": "and", "args": parts}, limit=1000)
    found = [item for item in search_all(store, query) if year is None or _year_of(item) == year]
    return sorted(found, key=lambda item: int(item["properties"].get("version", 1)), reverse=True)


def find_latest(versions: Iterable[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the version that holds, of all that there are; None if none does."""
    return next((item for item in versions if not item["properties"].get("deprecated")), None)


def search_all(store: CatalogStore, query: Query) -> Iterator[dict[str, Any]]:
    """Go through every page of a search, as the owner."""
    page = store.search(query, OWNER)
    yield from page.items
    while page.next is not None:
        page = store.search(replace(query, token=page.next), OWNER)
        yield from page.items


def find_layer(layers: Sequence[Layer], landscape: str, name: str, collection: str = DRIVERS) -> Layer:
    """Find a driver or a vector layer by its name.

    Raises
    ------
    LayerNotFound
        Lists those there are.
    """
    known = {layer.name: layer for layer in layers if layer.collection == collection}
    if name in known:
        return known[name]
    if name == LAND_COVER:
        raise LayerNotFound(f"The land cover of {landscape} has years: read it with commons.land_cover({landscape!r}).")
    kind, there = "vector layer" if collection == VECTORS else "layer", ", ".join(known) or "none"
    raise LayerNotFound(
        f"{landscape} has no {kind} {name!r}; it has: {there}. "
        f"Add one with `datacommons ingest FILE --collection {collection}`, and --name if the file has another name."
    )


def _is_layer(item: Mapping[str, Any]) -> bool:
    properties: Mapping[str, Any] = item["properties"]
    data: Mapping[str, Any] = item["assets"].get("data", {})
    return {"landscape:id", "landscape:layer"} <= properties.keys() and {"href", "file:checksum"} <= data.keys()


def _to_layer(item: Mapping[str, Any]) -> Layer:
    properties = item["properties"]
    asset = item["assets"]["data"]
    band = (asset.get("bands") or [{}])[0]
    classes = asset.get("classification:classes") or band.get("classification:classes")
    return Layer(
        collection=item["collection"],
        item=item["id"],
        landscape=properties["landscape:id"],
        name=properties["landscape:layer"],
        year=_year_of(item),
        legend=Legend.from_classification(classes) if classes else None,
        unit=asset.get("unit") or band.get("unit") or "",
        href=asset["href"],
        checksum=asset["file:checksum"],
        access=properties.get("landscape:access", "public"),
        synthetic=bool(properties.get("landscape:synthetic", False)),
        product=properties.get("landscape:product", ""),
        product_version=properties.get("landscape:product_version", ""),
        cell_size_m=properties.get("gsd"),
        features=properties.get("table:row_count"),
        version=properties.get("version", "1"),
    )


def _year_of(item: Mapping[str, Any]) -> int | None:
    started = item["properties"].get("start_datetime")
    return int(started[:4]) if started else None
