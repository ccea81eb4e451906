"""One STAC item from one vector layer: a GeoParquet file with its columns, and where its features lie."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pystac
import shapely
from pystac import MediaType
from shapely.geometry.base import BaseGeometry

from catalog.errors import LayerError, UnreadableLayer
from catalog.items.georeference import find_bbox
from catalog.items.layers import file_asset, make_item, span_year
from catalog.store import Bbox

if TYPE_CHECKING:
    import geopandas

_WGS84: Final = "EPSG:4326"
_DECIMALS: Final = 7
_HALF_TURN: Final = 180.0
_SMALLEST: Final = 1e-6
"""Degrees by which the box of a single point is widened: a footprint is an area."""


def vector_item(
    path: str | Path,
    *,
    root: str | Path,
    item_id: str,
    collection: str,
    year: int | None,
    landscape: str,
    layer: str,
    title: str = "",
    properties: Mapping[str, Any] | None = None,
) -> pystac.Item:
    """Describe a GeoParquet file as a STAC item with the table extension.

    Parameters
    ----------
    path : str or Path
        A GeoParquet file below `root`.
    root : str or Path
        The folder of the commons, to which the asset's href is relative.
    item_id, collection : str
    year : int or None
        The item then spans that year; without one its datetime is now.
    landscape, layer : str
        Which landscape it is of, and how scenario files call it.
    title : str
    properties : mapping, optional
        More properties; they win over the ones read.

    Raises
    ------
    UnreadableLayer
        Where the file is missing or no GeoParquet.
    LayerError
        Where it has no CRS or no feature with a place on the globe.
    """
    path = Path(path)
    frame, table = _read_geometry(path)
    asset = file_asset(
        path, root=root, title=title, media_type=MediaType.VND_APACHE_PARQUET, roles=("data",), fields=table
    )
    authority = frame.crs.to_authority()
    described = {
        **({"title": title} if title else {}),
        **span_year(year),
        **({"proj:code": ":".join(authority)} if authority else {"proj:wkt2": frame.crs.to_wkt()}),
        "proj:bbox": [float(edge) for edge in frame.total_bounds],
        **table,
        "landscape:id": landscape,
        "landscape:layer": layer,
        **(properties or {}),
    }
    return make_item(item_id, collection, outline_features(frame), described, {"data": asset})


def outline_features(frame: geopandas.GeoDataFrame) -> tuple[dict[str, Any], Bbox]:
    """Return the box around features as GeoJSON in WGS84, and as edges.

    Where features lie on both sides of the antimeridian, nearer to it than to each other the other way round, the box
    is cut there and has west > east.

    Raises
    ------
    LayerError
        Where no feature has a place on the globe.
    """
    bounds = frame.to_crs(_WGS84).bounds.to_numpy(float).round(_DECIMALS)
    if not len(bounds) or not (abs(bounds) <= (180, 90, 180, 90)).all():
        raise LayerError("The features have no place on the globe: check their coordinates and their CRS.")
    west, south = bounds[:, :2].min(axis=0)
    east, north = bounds[:, 2:].max(axis=0)
    south, north = (south - _SMALLEST, north + _SMALLEST) if south == north else (south, north)
    eastern, western = bounds[bounds[:, 0] >= 0], bounds[bounds[:, 2] < 0]
    if east - west > _HALF_TURN and len(eastern) + len(western) == len(bounds):
        start, end = eastern[:, 0].min(), western[:, 2].max()
        boxes = [shapely.box(start, south, _HALF_TURN, north), shapely.box(-_HALF_TURN, south, end, north)]
        if start > end and start - end > _HALF_TURN:
            return _to_geojson(shapely.MultiPolygon(boxes))
    west, east = (west - _SMALLEST, east + _SMALLEST) if west == east else (west, east)
    return _to_geojson(shapely.box(west, south, east, north))


def _to_geojson(outline: BaseGeometry) -> tuple[dict[str, Any], Bbox]:
    return json.loads(shapely.to_geojson(shapely.orient_polygons(outline))), find_bbox(outline)


def _read_geometry(path: Path) -> tuple[geopandas.GeoDataFrame, dict[str, Any]]:
    """Return the geometries of a file, and its fields of the table extension."""
    import geopandas
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        metadata = pq.read_metadata(path)
        known = json.loads((metadata.metadata or {})[b"geo"])
        primary = str(known["primary_column"])
        frame = geopandas.read_parquet(path, columns=[primary])
    except (OSError, ValueError, KeyError, pa.ArrowException) as error:
        raise UnreadableLayer(f"{path.name} cannot be read as GeoParquet: {error}.") from error
    if frame.crs is None:
        raise LayerError(f"{path.name} has no CRS, so nobody knows where its features lie: write it with one.")
    columns = [{"name": field.name, "type": str(field.type)} for field in metadata.schema.to_arrow_schema()]
    return frame, {
        "table:columns": columns,
        "table:row_count": metadata.num_rows,
        "table:primary_geometry": primary,
    }
