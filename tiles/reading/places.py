"""Places that have a name: areas and points of vector layers, and classes of zones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

import numpy as np
import shapely
from pyproj import Geod
from rasterio.features import shapes
from rasterio.warp import transform_geom
from shapely.geometry import mapping, shape
from shapely.geometry.base import BaseGeometry

from tiles.errors import InvalidRequest, LayerNotDrawable, LayerUnreadable, TooMuch
from tiles.reading.names import NAME_COLUMNS, read_names
from tiles.reading.outlines import bring_onto_globe, find_box
from tiles.reading.pool import DatasetPool
from tiles.reading.view import WGS84
from tiles.routes.layer import Layer

MOST_PLACES: Final = 2_000
"""Of one layer."""
MOST_VERTICES: Final = 10_000
"""Of one place: as many as a polygon may have that is sent for statistics."""

LARGEST_KM: Final = 50.0
"""Radius around a point."""

_MOST_CELLS: Final = 16_000_000
_CORNERS: Final = 120  # of a circle: its area is then 0.05 % too small
# Of the longer side of a raster of zones.
_EDGE_PARTS: Final = 8
# Degrees by which an outline may be off when it has too many vertices; doubled until it fits.
_FIRST_TOLERANCE: Final = 1e-5


@dataclass(frozen=True)
class Place:
    """A place of a layer.

    Attributes
    ----------
    name : str
        What addresses call it; unique in its layer.
    title : mapping of str to str
        By language; of features only in the one that they were written in, as "en".
    bbox : tuple of float
        west, south, east, north; west > east across the 180th meridian.
    geometry : BaseGeometry
        Polygon or multipolygon in longitude and latitude; or a point, as a village often is one.
    simplified : bool
        Whether its outline has fewer vertices than it had.
    """

    name: str
    title: Mapping[str, str]
    bbox: tuple[float, float, float, float]
    geometry: BaseGeometry
    simplified: bool

    @property
    def is_point(self) -> bool:
        """Whether it has no area of its own."""
        return bool(self.geometry.geom_type == "Point")

    def draw_around(self, radius_km: float) -> Place:
        """Return all that is no farther from a point than so many kilometres, on the ellipsoid.

        Raises
        ------
        InvalidRequest
            If it is no point.
        """
        if not self.is_point:
            raise InvalidRequest(f"{self.name!r} is an area, and within_km is for points. Leave it out.")
        circle = _draw_circle(self.geometry, radius_km)
        return replace(self, geometry=circle, bbox=find_box(circle))

    def to_feature(self, layer: str) -> dict[str, Any]:
        """Return it as GeoJSON."""
        return {
            "type": "Feature",
            "bbox": list(self.bbox),
            "geometry": mapping(self.geometry),
            "properties": {
                "layer": layer,
                "name": self.name,
                "title": dict(self.title),
                "simplified": self.simplified,
            },
        }


@lru_cache(maxsize=32)
def read_features(source: str, version: str) -> tuple[Place, ...]:  # noqa: ARG001 (a file of the same name made later is another)
    """Read the polygons of a GeoParquet file, and the points that have a name; lines are no places.

    Raises
    ------
    LayerUnreadable
        If it is missing or damaged.
    TooMuch
        If it has more features than anybody chooses from.
    """
    import geopandas
    import pyarrow as pa

    try:
        frame = geopandas.read_parquet(source).to_crs(WGS84)
    except (OSError, ValueError, KeyError, pa.ArrowException) as error:
        raise LayerUnreadable("The vector layer is missing or damaged. Tell whoever runs this server.") from error
    areas = frame.geom_type.isin(["Polygon", "MultiPolygon"])
    named = np.array(read_names(frame), dtype=object) != ""
    frame = frame[(areas | ((frame.geom_type == "Point") & named)) & ~frame.geometry.is_empty]
    if len(frame) > MOST_PLACES:
        raise TooMuch(f"The layer has {len(frame):,} places, and {MOST_PLACES:,} are the most that are listed.")
    names = _tell_apart(read_names(frame, (*NAME_COLUMNS, "id")))
    return tuple(_make(name, {"en": name}, outline) for name, outline in zip(names, frame.geometry, strict=True))


def read_zones(layer: Layer, pool: DatasetPool) -> tuple[Place, ...]:
    """Outline the classes of a raster of zones, cell by cell.

    Raises
    ------
    LayerNotDrawable
        If it has no classes.
    LayerUnreadable, TooMuch
    """
    if layer.legend is None:
        raise LayerNotDrawable(f"{layer.item_id!r} has no classes, and so no places.")
    if not layer.version:
        return tuple(_outline(layer, pool))
    return _keep_zones(layer, pool)


@lru_cache(maxsize=32)
def _keep_zones(layer: Layer, pool: DatasetPool) -> tuple[Place, ...]:
    return tuple(_outline(layer, pool))


def _outline(layer: Layer, pool: DatasetPool) -> Iterator[Place]:
    with pool.lend(layer) as raster:
        if raster.width * raster.height > _MOST_CELLS:
            raise TooMuch(f"The zones have more than {_MOST_CELLS:,} cells: ingest them coarser, or as polygons.")
        cells, transform, crs = raster.dataset.read(1), raster.transform, raster.crs
    longest = max(raster.width, raster.height) * abs(transform.a) / _EDGE_PARTS
    for entry in layer.legend or ():
        inside = cells == entry.value
        if inside.any():
            found = shapes(inside.astype(np.uint8), mask=inside, transform=transform)
            parts = [_to_degrees(shape(outline), crs, longest) for outline, _ in found]
            yield _make(entry.name, dict(entry.title), shapely.union_all(parts))


def _to_degrees(outline: BaseGeometry, crs: Any, longest: float) -> BaseGeometry:
    """Project an outline, whose edges become no longer than that: they tell which way round the world they go."""
    dense = mapping(shapely.segmentize(outline, longest))
    return bring_onto_globe(shape(transform_geom(crs, WGS84, dense)))


def _make(name: str, title: Mapping[str, str], outline: BaseGeometry) -> Place:
    outline = shapely.force_2d(outline)
    slim, tolerance = outline, _FIRST_TOLERANCE
    while shapely.get_num_coordinates(slim) > MOST_VERTICES:
        slim, tolerance = shapely.make_valid(outline.simplify(tolerance)), tolerance * 2
    return Place(name, title, find_box(outline), slim, slim is not outline)


def _draw_circle(centre: BaseGeometry, radius_km: float) -> BaseGeometry:
    longitude, latitude = shapely.get_coordinates(centre)[0]
    azimuths = np.linspace(0, 360, _CORNERS, endpoint=False)
    around = Geod(ellps="WGS84").fwd(
        np.full(_CORNERS, longitude), np.full(_CORNERS, latitude), azimuths, np.full(_CORNERS, radius_km * 1000)
    )
    return bring_onto_globe(shapely.Polygon(np.column_stack([around[0], around[1]])))


def _tell_apart(names: Sequence[str]) -> list[str]:
    """Return names of which no two are alike; numbers where there is none."""
    seen: dict[str, int] = {}
    told = []
    for number, name in enumerate(names, start=1):
        plain = name or str(number)
        seen[plain] = seen.get(plain, 0) + 1
        told.append(plain if seen[plain] == 1 else f"{plain} ({seen[plain]})")
    return told
