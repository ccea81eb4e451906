"""The grid: cell areas against known areas, blocks, weights and masks."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from pyproj import Geod, Transformer
from shapely import Polygon, contains_xy

from scenarios.demand.transitions import cross_tabulate
from scenarios.grid import Grid
from scenarios.indicators.area import class_area_ha
from tests.scenarios.landscapes import LEGEND, geographic_grid, place, projected_grid, random_map

GEOD = Geod(ellps="WGS84")


def grid_on(crs: str, transform: Affine, shape: tuple[int, int] = (4, 5)) -> Grid:
    return Grid(GeoBox(shape, transform, crs))


def zone_area_ha(south: float, north: float, width: float) -> float:
    """Return the area between two parallels, drawn with many points because a parallel is no geodesic."""
    along = np.linspace(0, width, 2001)
    longitudes = np.concatenate([along, along[::-1]])
    latitudes = np.concatenate([np.full(2001, south), np.full(2001, north)])
    return abs(float(GEOD.polygon_area_perimeter(longitudes, latitudes)[0])) / 10_000


def test_areas_in_metres() -> None:
    grid = grid_on("EPSG:32618", Affine(30, 0, 0, 0, -20, 0))
    assert grid.row_area_ha == pytest.approx([0.06] * 4)
    assert grid.row_weight.tolist() == [1, 1, 1, 1]
    assert grid.weight_ha == pytest.approx(0.06)
    assert not grid.is_geographic


def test_areas_in_us_feet() -> None:
    # One US survey foot is 1200/3937 m.
    grid = grid_on("EPSG:2249", Affine(100, 0, 0, 0, -100, 0))
    assert grid.row_area_ha == pytest.approx([(100 * 1200 / 3937) ** 2 / 10_000] * 4, rel=1e-9)
    assert grid.cell_size_m == pytest.approx(100 * 1200 / 3937, rel=1e-9)


def test_areas_of_the_whole_earth_add_up() -> None:
    grid = grid_on("EPSG:4326", Affine(1, 0, -180, 0, -1, 90), (180, 360))
    # Surface of the WGS 84 ellipsoid: 510,065,621.724 km² (closed form).
    assert grid.row_area_ha.sum() * 360 == pytest.approx(51_006_562_172.4, rel=1e-10)
    assert grid.row_weight.sum() * 360 * grid.weight_ha == pytest.approx(51_006_562_172.4, rel=1e-9)


@pytest.mark.parametrize("north", [60.0, 0.5, -33.0])
def test_areas_in_degrees_equal_the_zone(north: float) -> None:
    grid = grid_on("EPSG:4326", Affine(0.05, 0, 10, 0, -0.05, north), (20, 30))
    assert grid.row_area_ha.sum() * 30 == pytest.approx(zone_area_ha(north - 1, north, 1.5), rel=1e-7)
    for row in (0, 7, 19):
        top = north - 0.05 * row
        assert grid.row_area_ha[row] == pytest.approx(zone_area_ha(top - 0.05, top, 0.05), rel=1e-7)


def test_areas_in_degrees_do_not_depend_on_the_direction_of_rows() -> None:
    down = grid_on("EPSG:4326", Affine(0.1, 0, 10, 0, -0.1, 45), (10, 3))
    up = grid_on("EPSG:4326", Affine(0.1, 0, 10, 0, 0.1, 44), (10, 3))
    np.testing.assert_allclose(up.row_area_ha[::-1], down.row_area_ha, rtol=1e-12)


def test_a_sphere_has_a_simpler_formula() -> None:
    grid = grid_on("+proj=longlat +R=6371000 +no_defs", Affine(1, 0, 0, 0, -1, 45), (1, 1))
    expected = 6_371_000**2 * np.radians(1) * (np.sin(np.radians(45)) - np.sin(np.radians(44)))
    assert grid.row_area_ha[0] * 10_000 == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("step", [0.01, 0.00027, 0.0001])
def test_the_area_of_a_map_is_the_same_in_a_table_and_in_the_indicator(step: float) -> None:
    # 0.00027 degrees are the 30 m cells of Landsat, 0.0001 the 10 m cells of Sentinel-2.
    grid = geographic_grid((40, 50), step)
    land_cover = random_map(grid.shape)
    table = cross_tabulate(land_cover, land_cover, years=(2000, 2010), legend=LEGEND, grid=grid)
    np.testing.assert_allclose(class_area_ha(land_cover, LEGEND, grid), table.persistence_ha, rtol=1e-5)


@pytest.mark.parametrize("step", [1.0, 0.01, 0.0001])
def test_weights_in_degrees_are_areas(step: float) -> None:
    grid = geographic_grid((40, 50), step)
    np.testing.assert_allclose(grid.row_weight * grid.weight_ha, grid.row_area_ha, rtol=1e-7)


@pytest.mark.parametrize("grid", [projected_grid((9, 7), 30.0), geographic_grid((9, 7))], ids=["metres", "degrees"])
def test_weigh_adds_up_the_cells_of_each_class(grid: Grid) -> None:
    land_cover = random_map(grid.shape, 3)
    sizes = np.broadcast_to(grid.row_weight[:, None], grid.shape)
    expected = [int(sizes[land_cover == value].sum()) for value in (3, 1, 77)]
    found = grid.weigh(land_cover, (3, 1, 77))
    assert found.tolist() == expected
    assert found.dtype == np.int64


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 50))
@settings(deadline=None, max_examples=50)
def test_blocks_cover_every_cell_once(height: int, width: int, chunk: int) -> None:
    covered = np.zeros((height, width), int)
    for first, last, left, right in projected_grid((height, width)).blocks(chunk):
        assert 0 < last - first <= chunk
        assert 0 < right - left <= chunk
        covered[first:last, left:right] += 1
    assert (covered == 1).all()


@pytest.mark.parametrize("grid", [projected_grid((20, 30)), geographic_grid((20, 30))], ids=["metres", "degrees"])
def test_a_rectangle_of_cells_becomes_these_cells(grid: Grid) -> None:
    expected = np.zeros(grid.shape, bool)
    expected[3:9, 5:22] = True
    np.testing.assert_array_equal(grid.rasterize(place(grid, (3, 9), (5, 22))), expected)


def test_a_cell_is_in_a_place_where_its_centre_is() -> None:
    grid = projected_grid((30, 30))
    corners = [(500_450.0, 3_999_800.0), (502_620.0, 3_999_310.0), (501_240.0, 3_997_530.0), (500_450.0, 3_999_800.0)]
    to_degrees = Transformer.from_crs("EPSG:32618", "EPSG:4326", always_xy=True)
    triangle = {"type": "Polygon", "coordinates": [[to_degrees.transform(x, y) for x, y in corners]]}
    rows, columns = np.indices(grid.shape)
    xs, ys = 500_000 + 100 * (columns + 0.5), 4_000_000 - 100 * (rows + 0.5)
    inside: NDArray[np.bool_] = contains_xy(Polygon(corners), xs, ys)
    assert 200 < inside.sum() < 400
    np.testing.assert_array_equal(grid.rasterize(triangle), inside)


def test_the_edge_of_a_place_is_straight_in_degrees() -> None:
    # A parallel bends by hundreds of metres across a zone of UTM.
    grid = projected_grid((150, 150), 1000.0)
    edges = [[-75.2, 35.0], [-73.2, 35.0], [-73.2, 35.6], [-75.2, 35.6], [-75.2, 35.0]]
    rows, columns = np.indices(grid.shape)
    to_degrees = Transformer.from_crs("EPSG:32618", "EPSG:4326", always_xy=True)
    longitude, latitude = to_degrees.transform(500_000 + 1000 * (columns + 0.5), 4_000_000 - 1000 * (rows + 0.5))
    inside: NDArray[np.bool_] = contains_xy(Polygon(edges), longitude, latitude)
    assert 2000 < inside.sum() < 20_000
    np.testing.assert_array_equal(grid.rasterize({"type": "Polygon", "coordinates": [edges]}), inside)


def test_a_place_may_have_holes_and_several_parts() -> None:
    grid = projected_grid()
    corners = [((0, 20), (0, 20)), ((5, 9), (5, 9)), ((30, 40), (40, 50))]
    outer, hole, other = (place(grid, *rows_and_columns)["coordinates"][0] for rows_and_columns in corners)
    expected = np.zeros(grid.shape, bool)
    expected[:20, :20] = expected[30:, 40:] = True
    expected[5:9, 5:9] = False
    found = grid.rasterize({"type": "MultiPolygon", "coordinates": [[outer, hole], [other]]})
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    "geometry",
    [{}, {"type": "Polygon"}, {"type": "Polygon", "coordinates": []}, {"type": "Circle", "coordinates": [[0, 0]]}],
    ids=str,
)
def test_what_is_no_geometry_is_refused(geometry: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="GeoJSON"):
        projected_grid().rasterize(geometry)


def test_a_place_is_found_without_warnings() -> None:
    grid = projected_grid()
    with warnings.catch_warnings():
        warnings.filterwarnings("error", category=DeprecationWarning)
        assert grid.rasterize(place(grid, (3, 9), (5, 22))).any()


def test_a_place_elsewhere_has_no_cell() -> None:
    elsewhere = grid_on("EPSG:32618", Affine(100, 0, 800_000, 0, -100, 4_000_000))
    assert not projected_grid().rasterize(place(elsewhere, (0, 4), (0, 5))).any()


def test_distances_in_cells() -> None:
    grid = projected_grid(cell_m=30)
    assert [grid.cells(m) for m in (1, 30, 44, 46, 300)] == [1, 1, 1, 2, 10]
    assert geographic_grid(step=0.001).cells(1000) == pytest.approx(1000 / np.sqrt(111_132 * 78_847) * 1000, abs=1)


@pytest.mark.parametrize("west", [0, 170, -190, -180])
def test_a_place_beyond_the_180th_meridian_is_found_wherever_the_grid_begins(west: int) -> None:
    grid = grid_on("EPSG:4326", Affine(1, 0, west, 0, -1, 10), (20, 360 if west in (0, -180) else 20))
    for longitude in (-175, 175):
        ring = [[longitude + x, y] for x, y in ((-2, -1), (2, -1), (2, 1), (-2, 1), (-2, -1))]
        inside = grid.rasterize({"type": "Polygon", "coordinates": [ring]})
        rows, columns = np.nonzero(inside)
        assert (rows.min(), rows.max(), len(rows)) == (9, 10, 8)
        assert sorted({(west + column + 180) % 360 - 180 for column in columns.tolist()}) == [
            longitude + step for step in (-2, -1, 0, 1)
        ]
