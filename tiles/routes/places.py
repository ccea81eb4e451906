"""The places of a landscape by name: where to look, and of what to ask the hectares."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Path, Query
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from catalog.collections import DRIVERS, VECTORS
from catalog.store import Reader
from tiles.drawing.legends import DEFAULT_LANGUAGE, choose_title
from tiles.errors import LayerNotFound, LayerUnreadable, TooMuch
from tiles.reading.places import LARGEST_KM, Place, read_features, read_zones
from tiles.reading.pool import DatasetPool
from tiles.routes.caching import cache_headers
from tiles.routes.layer import LayerIndex
from tiles.routes.layers import Language, TileRoute
from tiles.routes.vectors import find_table, has_table, list_items

LandscapeId = Annotated[str, Path(max_length=200)]
LayerName = Annotated[str, Path(max_length=200)]
WithinKm = Annotated[
    float | None, Query(gt=0, le=LARGEST_KM, description="Of a point: all that is no farther from it, as a polygon")
]


@dataclass(frozen=True)
class PlaceIndex:
    """Finds the places of a landscape that a reader may see.

    Parameters
    ----------
    layers : LayerIndex
    pool : DatasetPool
    """

    layers: LayerIndex
    pool: DatasetPool

    def list_layers(self, reader: Reader, landscape: str) -> Iterator[Mapping[str, Any]]:
        """Go through the items that may hold places: vector layers, and drivers with classes."""
        items = list_items(self.layers, reader, landscape, (VECTORS, DRIVERS))
        return (item for item in items if _may_hold_places(item))

    def read(self, reader: Reader, item: Mapping[str, Any]) -> tuple[Place, ...]:
        """Read the places of an item. Raises TileError."""
        if item["collection"] == DRIVERS:
            return read_zones(self.layers.find(reader, DRIVERS, item["id"]), self.pool)
        return read_features(*find_table(self.layers, item))

    def find(self, reader: Reader, landscape: str, layer: str, name: str) -> tuple[Mapping[str, Any], Place]:
        """Find a place by its landscape, its layer and its name.

        Raises
        ------
        LayerNotFound
            If there is none for this reader.
        """
        for item in self.list_layers(reader, landscape):
            if layer in (item["id"], item["properties"].get("landscape:layer")):
                for place in self.read(reader, item):
                    if place.name == name:
                        return item, place
        raise LayerNotFound(
            f"There is no place {name!r} in a layer {layer!r} of a landscape {landscape!r}. "
            "/landscapes/…/places lists those there are."
        )

    def is_public(self, reader: Reader, item: Mapping[str, Any]) -> bool:
        """Tell whether anybody may see the places of an item."""
        return self.layers.find_document(reader, item["collection"], item["id"])[1]


def add_places(app: FastAPI, index: PlaceIndex, identify: Callable[[Request], Reader]) -> None:
    """Add the list of places, and each as GeoJSON.

    Parameters
    ----------
    app : FastAPI
    index : PlaceIndex
    identify : callable
        From a request to who reads.
    """
    router = APIRouter(route_class=TileRoute, tags=["places"])

    @router.get("/landscapes/{landscape_id}/places", response_class=Response)
    def list_places(request: Request, landscape_id: LandscapeId, language: Language = DEFAULT_LANGUAGE) -> Response:
        """List the places of a landscape that have a name, layer by layer."""
        reader = identify(request)
        items = list(index.list_layers(reader, landscape_id))
        told = [_describe(index, reader, item, language) for item in items]
        public = all(index.is_public(reader, item) for item in items)
        document = {"landscape": landscape_id, "layers": [layer for layer in told if layer["places"] or layer["note"]]}
        return JSONResponse(document, headers=cache_headers(public=public))

    @router.get("/landscapes/{landscape_id}/places/{layer}/{name:path}", response_class=Response)
    def place(
        request: Request, landscape_id: LandscapeId, layer: LayerName, name: str, within_km: WithinKm = None
    ) -> Response:
        """Give the outline of a place as a GeoJSON feature, as statistics take it; of a point with `within_km`."""
        reader = identify(request)
        item, found = index.find(reader, landscape_id, layer, name)
        found = found if within_km is None else found.draw_around(within_km)
        headers = cache_headers(public=index.is_public(reader, item))
        return JSONResponse(found.to_feature(item["id"]), headers=headers, media_type="application/geo+json")

    app.include_router(router)


def _may_hold_places(item: Mapping[str, Any]) -> bool:
    if item["collection"] == VECTORS:
        return has_table(item)
    return any("classification:classes" in asset for asset in item["assets"].values())


def _describe(index: PlaceIndex, reader: Reader, item: Mapping[str, Any], language: str) -> dict[str, Any]:
    """Describe a layer and its places; one that cannot be read has a note in their stead."""
    try:
        places, note = index.read(reader, item), None
    except (LayerUnreadable, TooMuch) as error:
        places, note = (), str(error)
    properties = item["properties"]
    return {
        "layer": item["id"],
        "name": properties.get("landscape:layer"),
        "title": properties.get("title") or item["id"],
        "note": note,
        "places": [
            {
                "name": place.name,
                "label": choose_title(place.title, language),
                "kind": "point" if place.is_point else "area",
                "bbox": list(place.bbox),
            }
            for place in places
        ],
    }
