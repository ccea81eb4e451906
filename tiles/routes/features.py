"""Rivers, roads and places of a landscape, to be laid over its maps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, FastAPI, Path, Query
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from catalog.collections import VECTORS
from catalog.store import Reader
from tiles.errors import LayerNotFound
from tiles.reading.features import FINEST_ZOOM, read_map_features, simplify
from tiles.reading.map_kinds import choose_kind
from tiles.routes.caching import cache_headers, is_current, make_tag
from tiles.routes.layer import LayerIndex
from tiles.routes.layers import TileRoute
from tiles.routes.vectors import find_table, has_table, list_items

_GEOJSON: Final = "application/geo+json"

LandscapeId = Annotated[str, Path(max_length=200)]
LayerName = Annotated[str, Path(max_length=200)]
Zoom = Annotated[int, Query(ge=0, le=24, description="As fine as map tiles of this zoom show")]


@dataclass(frozen=True)
class FeatureIndex:
    """Finds the vector layers of a landscape that lie over its maps.

    Parameters
    ----------
    layers : LayerIndex
    """

    layers: LayerIndex

    def list_layers(self, reader: Reader, landscape: str) -> Iterator[tuple[Mapping[str, Any], str]]:
        """Go through the items that are shown, each with what it is shown as."""
        for item in list_items(self.layers, reader, landscape, (VECTORS,)):
            kind = choose_kind(item["properties"]) if has_table(item) else None
            if kind:
                yield item, kind

    def find(self, reader: Reader, landscape: str, layer: str) -> tuple[Mapping[str, Any], str]:
        """Find a layer by the id of its item or by its name.

        Raises
        ------
        LayerNotFound
            If there is none for this reader.
        """
        for item, kind in self.list_layers(reader, landscape):
            if layer in (item["id"], item["properties"].get("landscape:layer")):
                return item, kind
        raise LayerNotFound(
            f"The maps of a landscape {landscape!r} show no layer {layer!r}. /landscapes/…/features lists those that "
            "they show."
        )

    def is_public(self, reader: Reader, item: Mapping[str, Any]) -> bool:
        """Tell whether anybody may see an item that this reader sees."""
        return self.layers.find_document(reader, item["collection"], item["id"])[1]


def add_features(app: FastAPI, index: FeatureIndex, identify: Callable[[Request], Reader]) -> None:
    """Add the list of what lies over the maps of a landscape, and each as GeoJSON.

    Parameters
    ----------
    app : FastAPI
    index : FeatureIndex
    identify : callable
        From a request to who reads.
    """
    router = APIRouter(route_class=TileRoute, tags=["features"])

    @router.get("/landscapes/{landscape_id}/features", response_class=Response)
    def list_features(request: Request, landscape_id: LandscapeId) -> Response:
        """List the vector layers that lie over the maps of a landscape: rivers, roads and places."""
        reader = identify(request)
        found = list(index.list_layers(reader, landscape_id))
        public = all(index.is_public(reader, item) for item, _ in found)
        document = {"landscape": landscape_id, "layers": [_describe(item, kind) for item, kind in found]}
        return JSONResponse(document, headers=cache_headers(public=public))

    @router.get("/landscapes/{landscape_id}/features/{layer}", response_class=Response)
    def features(request: Request, landscape_id: LandscapeId, layer: LayerName, zoom: Zoom = FINEST_ZOOM) -> Response:
        """Give a layer as GeoJSON: no finer than a zoom shows, and simplified further where it has too much."""
        reader = identify(request)
        item, kind = index.find(reader, landscape_id, layer)
        source, version = find_table(index.layers, item)
        zoom = min(zoom, FINEST_ZOOM)
        tag = make_tag((item["id"], version, kind) if version else None, "features", zoom)
        headers = cache_headers(public=index.is_public(reader, item), tag=tag)
        if is_current(tag, request.headers.get("if-none-match")):
            return Response(status_code=304, headers=headers)
        document = simplify(read_map_features(source, version, kind), kind, zoom)
        told = {"layer": item["id"], "shown_as": kind, **document}
        return Response(orjson.dumps(told), headers=headers, media_type=_GEOJSON)

    app.include_router(router)


def _describe(item: Mapping[str, Any], kind: str) -> dict[str, Any]:
    properties = item["properties"]
    return {
        "layer": item["id"],
        "name": properties.get("landscape:layer"),
        "title": properties.get("title") or item["id"],
        "shown_as": kind,
        "synthetic": bool(properties.get("landscape:synthetic")),
    }
