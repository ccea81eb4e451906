"""A landscape: its name, boundary, grid and legend, and the area of its cells."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import shapely
from affine import Affine
from numpy.typing import NDArray
from odc.geo.crs import CRS
from odc.geo.geobox import GeoBox
from pyproj import Transformer
from rasterio.features import shapes
from shapely.geometry import MultiPolygon, Polygon, mapping, shape
from shapely.geometry.base import BaseGeometry

from catalog.collections import LANDSCAPES
from catalog.items.extensions import find_extensions
from catalog.items.georeference import describe_grid
from catalog.legend import Legend
from datacommons.errors import InvalidRaster
from scenarios.grid import Grid

_OUTLINE_CELLS = 1024
_SLIVER_SHARE = 0.005
_EDGE_PARTS = 20
_DEGREES = 7
_WGS84 = CRS("EPSG:4326")


@dataclass(frozen=True)
class Landscape:
    """A place with one grid and one legend, on which its layers and runs agree.

    Attributes
    ----------
    id : str
    title : str
        Shown to people.
    boundary : shapely Polygon or MultiPolygon
        In the CRS of the grid.
    geobox : odc.geo.geobox.GeoBox
        The grid: CRS, shape and transform; north up.
    legend : Legend
        Of its land cover; nodata is 0.
    synthetic : bool
        Whether it was generated, not observed.
    """

    id: str
    title: str
    boundary: Polygon | MultiPolygon
    geobox: GeoBox
    legend: Legend
    synthetic: bool = False

    @property
    def crs(self) -> CRS:
        """The CRS of the grid."""
        if self.geobox.crs is None:
            raise InvalidRaster(f"The grid of {self.id} has no CRS: ingest the landscape again.")
        return self.geobox.crs

    @property
    def cell_area_ha(self) -> float | NDArray[np.float64]:
        """The area of a cell in hectares.

        Returns
        -------
        float or (y,) float64 array
            One number on a projected grid, in any unit of length; on a geographic one the area on the
            ellipsoid of the CRS, by row.
        """
        areas = Grid(self.geobox).row_area_ha
        return float(areas[0]) if self.crs.projected else areas

    @property
    def bbox(self) -> tuple[float, float, float, float]:
        """West, south, east and north of the boundary, in WGS84 degrees."""
        west, south, east, north = self.geometry.bounds
        return west, south, east, north

    @property
    def geometry(self) -> Polygon | MultiPolygon:
        """The boundary in WGS84 degrees, longitude first."""
        return _to_wgs84(self.boundary, self.crs)


def outline_landscape(
    path: Path, landscape_id: str, title: str, legend: Legend, *, synthetic: bool = False
) -> Landscape:
    """Make a landscape of a land-cover COG: its grid, and the outline of its cells with data.

    Parameters
    ----------
    path : Path
        A classified COG with nodata 0.
    landscape_id, title : str
    legend : Legend
    synthetic : bool
        Whether the map was generated.

    Raises
    ------
    InvalidRaster
        If the raster lies askew: every other layer would have to be turned.
    """
    with rasterio.open(path) as dataset:
        geobox = GeoBox(dataset.shape, dataset.transform, dataset.crs)
        if not geobox.axis_aligned:
            raise InvalidRaster(
                f"{path.stem} is rotated and cannot be the grid of {landscape_id}. "
                f"Turn it first: `gdalwarp -r mode {path.stem}.tif north-up.tif`."
            )
        boundary = _outline(dataset)
    return Landscape(landscape_id, title, boundary, _north_up(geobox), legend, synthetic)


def to_item(landscape: Landscape, *, legend_href: str, access: str) -> dict[str, Any]:
    """Describe a landscape as a STAC item of the collection ``landscapes``.

    Parameters
    ----------
    landscape : Landscape
    legend_href : str
        Where its legend lies, relative to the commons.
    access : str
        Access label.
    """
    item: dict[str, Any] = {
        "type": "Feature",
        "stac_version": "1.1.0",
        "id": landscape.id,
        "collection": LANDSCAPES,
        "geometry": mapping(landscape.geometry),
        "bbox": list(landscape.bbox),
        "properties": {
            "datetime": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            "title": landscape.title,
            **describe_grid(landscape.geobox),
            "landscape:id": landscape.id,
            "landscape:access": access,
            "landscape:synthetic": landscape.synthetic,
        },
        "links": [{"rel": "collection", "href": f"stac/collections/{LANDSCAPES}", "type": "application/json"}],
        "assets": {
            "legend": {"href": legend_href, "type": "application/json", "title": "Legend", "roles": ["metadata"]}
        },
    }
    return item | {"stac_extensions": find_extensions(item)}


def from_item(item: Mapping[str, Any], locate: Callable[[str], str]) -> Landscape:
    """Read back what :func:`to_item` described; ``locate`` turns a stored href into a path."""
    properties = item["properties"]
    crs = CRS(properties.get("proj:code") or properties["proj:wkt2"])
    legend = json.loads(Path(locate(item["assets"]["legend"]["href"])).read_text("utf-8"))
    return Landscape(
        id=item["id"],
        title=properties["title"],
        boundary=_reproject(shape(item["geometry"]), _WGS84, crs),
        geobox=GeoBox(properties["proj:shape"], Affine(*properties["proj:transform"][:6]), crs),
        legend=Legend.from_json(legend),
        synthetic=properties["landscape:synthetic"],
    )


def _north_up(geobox: GeoBox) -> GeoBox:
    # Rows from south to north, as some models write them, are the same cells in another order.
    upright = geobox.flipy() if geobox.affine.e > 0 else geobox
    return upright.flipx() if upright.affine.a < 0 else upright


def _outline(dataset: rasterio.DatasetReader) -> Polygon | MultiPolygon:
    coarse = max(1, max(dataset.shape) // _OUTLINE_CELLS)
    height, width = (max(1, side // coarse) for side in dataset.shape)
    has_data = (dataset.read(1, out_shape=(height, width)) != 0).astype(np.uint8)
    transform = dataset.transform @ Affine.scale(dataset.width / width, dataset.height / height)
    parts = [shape(geometry) for geometry, _ in shapes(has_data, mask=has_data, transform=transform)]
    whole = shapely.union_all(parts)
    sliver = whole.area * _SLIVER_SHARE
    kept = [_without_pinholes(part, sliver) for part in shapely.get_parts(whole) if part.area >= sliver]
    cell = max(abs(transform.a), abs(transform.e))
    # A map of nothing but slivers has no outline of its own; its hull still says where it lies.
    return _areal(shapely.simplify(shapely.union_all(kept), cell) if kept else whole.convex_hull)


def _without_pinholes(polygon: Polygon, smallest: float) -> Polygon:
    holes = [ring for ring in polygon.interiors if Polygon(ring).area >= smallest]
    return Polygon(polygon.exterior, holes)


def _to_wgs84(boundary: Polygon | MultiPolygon, crs: CRS) -> Polygon | MultiPolygon:
    # A straight edge of the grid is bent in degrees, so it is given points on the way.
    west, south, east, north = boundary.bounds
    dense = shapely.segmentize(boundary, max(east - west, north - south) / _EDGE_PARTS)
    turned = _reproject(dense, crs, _WGS84)
    return _areal(shapely.orient_polygons(shapely.transform(turned, lambda points: np.round(points, _DEGREES))))


def _reproject(boundary: BaseGeometry, source: CRS, target: CRS) -> Polygon | MultiPolygon:
    transformer = Transformer.from_crs(source.proj, target.proj, always_xy=True)

    def reproject(points: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack(transformer.transform(points[:, 0], points[:, 1]))

    return _areal(shapely.transform(boundary, reproject))


def _areal(geometry: BaseGeometry) -> Polygon | MultiPolygon:
    if isinstance(geometry, Polygon | MultiPolygon):
        return geometry
    raise InvalidRaster(f"The boundary of the landscape is a {geometry.geom_type}, and has to be an area.")
