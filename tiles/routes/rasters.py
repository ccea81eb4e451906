"""The routes that only a raster has: what it is, and what lies at a point."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from attrs import define
from fastapi import Depends
from starlette.responses import JSONResponse, Response

from tiles.drawing.legends import DEFAULT_LANGUAGE, name_class
from tiles.drawing.sheets import find_matrix_set
from tiles.drawing.style import suiting_styles
from tiles.reading.outlines import draw_box
from tiles.reading.projections import locate
from tiles.reading.reader import read_layer
from tiles.routes.caching import cache_headers
from tiles.routes.layer import Layer
from tiles.routes.layers import Language, Latitude, Longitude, SheetTiler


@define(kw_only=True)
class LayerTiler(SheetTiler):
    """Makes the routes of a layer: besides those of a sheet, what the raster is.

    Attributes
    ----------
    raster_dependency : callable
        FastAPI dependency that returns the `Layer` of the sheet.
    """

    raster_dependency: Callable[..., Layer]

    def register_routes(self) -> None:
        """Register what we want to answer, and nothing else."""
        SheetTiler.register_routes(self)
        self.info()
        self.point()

    def info(self) -> None:
        """Register what the raster is."""
        found = Depends(self.raster_dependency)

        def info(layer: Layer = found) -> Response:
            """Tell the raster's grid and the styles it can be drawn in."""
            with read_layer(layer, find_matrix_set("WebMercatorQuad"), self.painter.pool) as source:
                raster = source.info().model_dump(mode="json", exclude_none=True)
                whole = locate(source.whole)
            styles = [{"name": style.name, "title": dict(style.title)} for style in suiting_styles(layer)]
            ours = {"asset": layer.asset_key, "styles": styles, "geographic_bounds": list(whole)}
            return JSONResponse(raster | ours, headers=cache_headers(public=layer.public))

        def info_geojson(layer: Layer = found) -> Response:
            """Tell the same as a feature that shows where the raster is."""
            told = orjson.loads(info(layer).body)
            feature = {
                "type": "Feature",
                "bbox": told["geographic_bounds"],
                "geometry": draw_box(told["geographic_bounds"]),
                "properties": told,
            }
            headers = cache_headers(public=layer.public)
            return JSONResponse(feature, headers=headers, media_type="application/geo+json")

        self._add("/info", info, "getInfo")
        self._add("/info.geojson", info_geojson, "getInfoGeoJSON")

    def point(self) -> None:
        """Register what is at a point."""
        found = Depends(self.raster_dependency)

        def point(
            lon: Longitude, lat: Latitude, language: Language = DEFAULT_LANGUAGE, layer: Layer = found
        ) -> Response:
            """Tell the value of the cell at a point, and its class."""
            with read_layer(layer, find_matrix_set("WebMercatorQuad"), self.painter.pool) as source:
                value = source.read_point(lon, lat)
            told = {
                "coordinates": [lon, lat],
                "values": [value],
                "band_names": ["b1"],
                "unit": layer.unit,
                "class": _name_class(layer, value, language),
            }
            return JSONResponse(told, headers=cache_headers(public=layer.public))

        self._add("/point/{lon},{lat}", point, "getDataForPoint")


def _name_class(layer: Layer, value: float | None, language: str) -> dict[str, Any] | None:
    """Describe the class of a value, if it is of one."""
    entries = layer.legend or ()
    return next((name_class(entry, language) for entry in entries if entry.value == value), None)
