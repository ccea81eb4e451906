"""Landscapes: cell areas against hand-worked values, outlines, and the way to STAC and back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from affine import Affine
from odc.geo.geobox import GeoBox
from pyproj import Geod
from shapely.geometry import MultiPolygon, box

from catalog.legend import Legend
from datacommons.errors import InvalidRaster
from datacommons.landscape import Landscape, from_item, outline_landscape, to_item
from tests.datacommons.conftest import GRID, LEGEND, WriteRaster

LEGEND_OBJECT = Legend.from_json(LEGEND)


def landscape_on(crs: str, transform: Affine, shape: tuple[int, int] = (4, 5)) -> Landscape:
    return Landscape("any", "Any", box(0, 0, 1, 1), GeoBox(shape, transform, crs), LEGEND_OBJECT)


def outline(write_raster: WriteRaster, cells: Any, **profile: Any) -> Landscape:
    return outline_landscape(write_raster("lc.tif", cells, **profile), "valley", "Valley", LEGEND_OBJECT)


def test_cell_area_in_metres() -> None:
    # 30 m x 20 m = 600 m2 = 0.06 ha
    assert landscape_on("EPSG:32618", Affine(30, 0, 0, 0, -20, 0)).cell_area_ha == pytest.approx(0.06, rel=1e-12)


def test_cell_area_in_us_survey_feet() -> None:
    # 100 ft x 100 ft, one US survey foot being 1200/3937 m: 929.03412 m2
    area = landscape_on("EPSG:2249", Affine(100, 0, 0, 0, -100, 0)).cell_area_ha
    assert area == pytest.approx((100 * 1200 / 3937) ** 2 / 10_000, rel=1e-12)


def test_cell_area_in_degrees_at_the_equator_and_at_60() -> None:
    # Length of a degree of longitude and of latitude on WGS84, from published tables:
    # 111,319.49 m by 110,574.28 m at the equator, 55,800.0 m by 111,412.3 m at 60 degrees.
    equator = landscape_on("EPSG:4326", Affine(0.01, 0, 0, 0, -0.01, 0.005), (1, 1)).cell_area_ha
    assert equator == pytest.approx([1113.1949 * 1105.7428 / 10_000], rel=1e-5)
    at_60 = landscape_on("EPSG:4326", Affine(0.01, 0, 0, 0, -0.01, 60.005), (1, 1)).cell_area_ha
    assert at_60 == pytest.approx([558.000 * 1114.123 / 10_000], rel=1e-4)


def test_cell_areas_in_degrees_by_row_agree_with_geodesic_polygons() -> None:
    landscape = landscape_on("EPSG:4326", Affine(0.001, 0, 10, 0, -0.001, 47), (6, 3))
    areas = landscape.cell_area_ha
    geod = Geod(ellps="WGS84")
    tops = 47 - 0.001 * np.arange(6)
    polygons = [
        abs(geod.polygon_area_perimeter([10, 10.001, 10.001, 10], [t, t, t - 0.001, t - 0.001])[0]) for t in tops
    ]
    assert isinstance(areas, np.ndarray)
    assert areas.shape == (6,)
    np.testing.assert_allclose(areas, np.array(polygons) / 10_000, rtol=1e-7)


def test_cell_areas_of_the_whole_ellipsoid() -> None:
    # The WGS84 ellipsoid has a surface of 510,065,621.724 km2.
    areas = landscape_on("EPSG:4326", Affine(10, 0, -180, 0, -10, 90), (18, 36)).cell_area_ha
    assert np.sum(areas) * 36 / 100 == pytest.approx(510_065_621.724, rel=1e-11)


def test_outline_is_the_cells_with_data(write_raster: WriteRaster) -> None:
    cells = np.zeros((40, 60), np.uint8)
    cells[10:30, 20:50] = 1
    cells[15, 30] = 0
    cells[0, 0] = 1
    landscape = outline(write_raster, cells, nodata=0)
    west, north = GRID @ (20, 10)
    east, south = GRID @ (50, 30)
    assert landscape.boundary.equals(box(west, south, east, north))
    assert landscape.geobox == GeoBox((40, 60), GRID, "EPSG:32618")


def test_outline_of_two_islands(write_raster: WriteRaster) -> None:
    cells = np.zeros((40, 60), np.uint8)
    cells[5:15, 5:15] = cells[25:35, 30:50] = 2
    boundary = outline(write_raster, cells).boundary
    assert isinstance(boundary, MultiPolygon)
    assert len(boundary.geoms) == 2


def test_outline_of_nothing_but_slivers(write_raster: WriteRaster) -> None:
    cells = np.zeros((60, 60), np.uint8)
    cells[::3, ::3] = 1
    assert outline(write_raster, cells).boundary.area == pytest.approx(58 * 58 * 900)


def test_grid_of_a_map_from_south_to_north_is_north_up(write_raster: WriteRaster) -> None:
    upside_down = GRID @ Affine.translation(0, 40) @ Affine.scale(1, -1)
    landscape = outline(write_raster, np.ones((40, 60), np.uint8), transform=upside_down)
    assert landscape.geobox == GeoBox((40, 60), GRID, "EPSG:32618")


def test_rotated_map_is_refused(write_raster: WriteRaster) -> None:
    with pytest.raises(InvalidRaster, match=r"rotated.*gdalwarp"):
        outline(write_raster, np.ones((40, 60), np.uint8), transform=GRID @ Affine.rotation(20))


@pytest.mark.parametrize("crs", ["EPSG:32618", "+proj=laea +lat_0=42 +lon_0=-75 +ellps=GRS80 +units=m"])
def test_landscape_survives_the_catalog(tmp_path: Path, crs: str) -> None:
    transform = Affine(30, 0, 500_000, 0, -30, 4_000_000)
    boundary = box(500_300, 3_999_100, 501_200, 3_999_900)
    geobox = GeoBox((40, 60), transform, crs)
    landscape = Landscape("valley", "The valley", boundary, geobox, LEGEND_OBJECT, synthetic=True)
    (tmp_path / "legend.json").write_text(json.dumps(LEGEND_OBJECT.to_json()), "utf-8")
    item = json.loads(json.dumps(to_item(landscape, legend_href="legend.json", access="private")))
    again = from_item(item, lambda href: str(tmp_path / href))
    assert (again.id, again.title, again.synthetic) == ("valley", "The valley", True)
    assert again.geobox == landscape.geobox
    assert again.legend == landscape.legend
    assert again.boundary.symmetric_difference(boundary).area < 100
    assert item["properties"]["landscape:access"] == "private"
