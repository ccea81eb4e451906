"""The layers of a landscape: listed, and found by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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
    product, version : str
        Which product it is of; empty if unsaid.
    cell_size_m : float or None
        Edge of its own cells in metres, before it is aligned to the landscape's grid; None where it was not noted.
    features : int or None
        Of a vector layer; None of rasters.
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
    version: str = ""
    cell_size_m: float | None = None
    features: int | None = None


def list_layers(store: CatalogStore, landscape: str | None = None) -> list[Layer]:
    """List the land cover, drivers and vectors of a commons, by landscape, name and year."""
    items = search_all(store, Query(collections=(LAND_COVER, DRIVERS, VECTORS), limit=1000))
    layers = (_to_layer(item) for item in items)
    wanted = [layer for layer in layers if landscape in (None, layer.landscape)]
    return sorted(wanted, key=lambda layer: (layer.landscape, layer.name, layer.year or 0))


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


def _to_layer(item: Mapping[str, Any]) -> Layer:
    properties = item["properties"]
    asset = item["assets"]["data"]
    band = (asset.get("bands") or [{}])[0]
    classes = asset.get("classification:classes") or band.get("classification:classes")
    year = properties.get("start_datetime")
    return Layer(
        collection=item["collection"],
        item=item["id"],
        landscape=properties["landscape:id"],
        name=properties["landscape:layer"],
        year=int(year[:4]) if year else None,
        legend=Legend.from_classification(classes) if classes else None,
        unit=asset.get("unit") or band.get("unit") or "",
        href=asset["href"],
        checksum=asset["file:checksum"],
        access=properties.get("landscape:access", "public"),
        synthetic=bool(properties.get("landscape:synthetic", False)),
        product=properties.get("landscape:product", ""),
        version=properties.get("version", ""),
        cell_size_m=properties.get("gsd"),
        features=properties.get("table:row_count"),
    )
