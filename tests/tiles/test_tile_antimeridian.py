"""Across the 180th meridian: what is beyond it is drawn, told and measured like all else.

Three rasters lie there: one in the projection of Fiji, one in degrees that go on beyond 180, and one in degrees from
0 to 360. Each is compared with its own cells, projected pixel by pixel.
"""

from __future__ import annotations

from typing import Any

import morecantile
import numpy as np
import pytest
from affine import Affine
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from pmtiles.reader import MmapSource, Reader
from pyproj import Transformer
from rasterio.features import geometry_mask
from shapely.geometry import box, shape

from catalog.legend import Legend
from catalog.store import OWNER
from datacommons.door.polygons import survey
from tests.tiles.conftest import decode as decode_picture
from tests.tiles.test_tile_truth import decode
from tiles.drawing.sheets import LayerSheet
from tiles.drawing.style import suiting_styles
from tiles.packing import pack_tiles
from tiles.reading.places import read_zones
from tiles.reading.pool import DatasetPool
from tiles.routes.body import check_polygon
from tiles.routes.layer import LayerIndex

UTM = "EPSG:32760"
GRIDS = {
    "fiji": (UTM, Affine(1000, 0, 720_000, 0, -1000, 8_150_000), (220, 200)),
    "beyond": ("EPSG:4326", Affine(0.01, 0, 178.6, 0, -0.01, -16.2), (220, 280)),
    "around": ("EPSG:4326", Affine(0.5, 0, 0, 0, -0.5, 90), (360, 720)),
}
BOX = (179.5, -17.6, -179.5, -16.9)
TMS = morecantile.tms.get("WebMercatorQuad")


@pytest.fixture(params=GRIDS)
def grid(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def url(commons: Any, legend: Legend, grid: str) -> str:
    crs, transform, _ = GRIDS[grid]
    return str(commons.add_layer("land-cover", "a", draw(grid), crs=crs, transform=transform, legend=legend))


def draw(grid: str) -> NDArray[np.uint8]:
    classes = np.array([0, 1, 2, 5, 9], np.uint8)
    return np.random.default_rng(3).choice(classes, size=GRIDS[grid][2])


def pick(grid: str, crs: str, bounds: tuple[float, ...], size: tuple[int, int]) -> tuple[Any, Any]:
    """Return the cell under every pixel's centre, projected on its own, and which are beyond doubt."""
    raster_crs, transform, (height, width) = GRIDS[grid]
    down, across = ((np.arange(side) + 0.5) / side for side in size)
    x, y = np.meshgrid(bounds[0] + across * (bounds[2] - bounds[0]), bounds[3] - down * (bounds[3] - bounds[1]))
    if raster_crs == UTM:
        x, y = Transformer.from_crs(crs, UTM, always_xy=True).transform(x, y)
    else:
        x, y = Transformer.from_crs(crs, 4326, always_xy=True).transform(x, y)
        x = transform.c + np.mod(x - transform.c, 360)
    columns, rows = (x - transform.c) / transform.a, (y - transform.f) / transform.e
    inside = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
    seen = np.zeros(size, np.uint8)
    seen[inside] = draw(grid)[rows[inside].astype(int), columns[inside].astype(int)]
    return seen, np.logical_and.reduce([np.abs(place - np.rint(place)) > 1e-6 for place in (columns, rows)])


def compare(picture: NDArray[np.uint8], legend: Legend, truth: Any) -> None:
    seen, (expected, sure) = decode(picture, legend), truth
    np.testing.assert_array_equal(seen[sure], expected[sure])
    half = seen.shape[1] // 2
    assert (seen[:, :half] > 0).any(), "nothing west of the meridian"
    assert (seen[:, half:] > 0).any(), "nothing east of the meridian"


def test_a_box_is_drawn_in_one_picture(commons: Any, url: str, legend: Legend, grid: str) -> None:
    answer = commons.get(f"{url}/bbox/{','.join(map(str, BOX))}/240x160.png")
    assert answer.headers["content-bbox"] == "179.5,-17.6,-179.5,-16.9"
    compare(decode_picture(answer.content), legend, pick(grid, "EPSG:4326", (179.5, -17.6, 180.5, -16.9), (160, 240)))


def test_a_box_is_drawn_in_other_projections(commons: Any, url: str, legend: Legend, grid: str) -> None:
    for crs in ("EPSG:3857", "EPSG:3832", UTM):
        answer = commons.get(f"{url}/bbox/{','.join(map(str, BOX))}/240x160.png?dst_crs={crs}")
        bounds = tuple(float(edge) for edge in answer.headers["content-bbox"].split(","))
        assert 100_000 < bounds[2] - bounds[0] < 120_000, "it goes around the world"
        compare(decode_picture(answer.content), legend, pick(grid, crs, bounds, (160, 240)))


def test_a_map_of_the_ogc_is_drawn(commons: Any, url: str, legend: Legend, grid: str) -> None:
    picture = commons.pixels(f"{url}/map?bbox={','.join(map(str, BOX))}&width=240&height=160&crs=OGC:CRS84")
    compare(picture, legend, pick(grid, "EPSG:4326", (179.5, -17.6, 180.5, -16.9), (160, 240)))


def test_tiles_at_both_edges_of_the_map_are_drawn(commons: Any, url: str, legend: Legend, grid: str) -> None:
    for longitude, zoom in ((179.99, 9), (-179.99, 9), (179.99, 4), (-179.99, 4)):
        tile = TMS.tile(longitude, -17.2, zoom)
        seen = decode(commons.pixels(f"{url}/tiles/WebMercatorQuad/{tile.z}/{tile.x}/{tile.y}.png"), legend)
        assert (seen > 0).any()
        if zoom == 9:
            expected, sure = pick(grid, "EPSG:3857", tuple(TMS.xy_bounds(tile)), (256, 256))
            np.testing.assert_array_equal(seen[sure], expected[sure])


def test_the_whole_is_drawn_cell_by_cell(commons: Any, url: str, legend: Legend, grid: str) -> None:
    np.testing.assert_array_equal(decode(commons.pixels(f"{url}/preview.png"), legend), draw(grid))


def test_points_on_both_sides_have_their_cell(commons: Any, url: str, legend: Legend, grid: str) -> None:
    for longitude in (179.93, -179.93):
        expected, _ = pick(grid, "EPSG:4326", (longitude - 1e-7, -17.2003, longitude + 1e-7, -17.2001), (1, 1))
        told = commons.get(f"{url}/point/{longitude},-17.2002").json()
        assert told["values"] == [int(expected[0, 0]) or None]


def test_info_and_tilejson_tell_where_it_is(commons: Any, url: str, grid: str) -> None:
    info = commons.get(f"{url}/info.geojson").json()
    west, south, east, north = info["bbox"]
    assert info["properties"]["geographic_bounds"] == info["bbox"]
    told = commons.get(f"{url}/WebMercatorQuad/tilejson.json").json()
    if grid == "around":
        assert (west, east) == (-180, 180)
    else:
        assert 176 < west < 180
        assert -180 < east < -176
        assert [part.geom_type for part in shape(info["geometry"]).geoms] == ["Polygon", "Polygon"]
        assert shape(info["geometry"]).area == pytest.approx((east + 360 - west) * (north - south))
        assert abs(told["center"][0]) > 178, "the middle is on the other side of the world"
        assert told["minzoom"] <= told["center"][2] <= told["maxzoom"]
        assert told["center"][2] >= 5, "as if it went around the world"
    # MapLibre and others know no box whose west is greater.
    assert told["bounds"] == pytest.approx([-180, south, 180, north])


def test_tile_sets_list_the_tiles_at_both_edges(commons: Any, url: str) -> None:
    limits = commons.get(f"{url}/tiles/WebMercatorQuad").json()["tileMatrixSetLimits"]
    assert limits
    for limit in limits:
        assert (limit["minTileCol"], limit["maxTileCol"]) == (0, 2 ** int(limit["tileMatrix"]) - 1)


TRIANGLE = [[179.6, -17.5], [-179.6, -17.5], [179.9, -16.9], [179.6, -17.5]]
CUT = [
    [[[179.6, -17.5], [180, -17.5], [180, -17.02], [179.9, -16.9], [179.6, -17.5]]],
    [[[-180, -17.5], [-179.6, -17.5], [-180, -17.02], [-180, -17.5]]],
]


@pytest.mark.parametrize(
    "polygon", [{"type": "Polygon", "coordinates": [TRIANGLE]}, {"type": "MultiPolygon", "coordinates": CUT}]
)
def test_polygons_that_leap_or_are_cut_show_what_is_in_them(
    commons: Any, url: str, legend: Legend, grid: str, polygon: dict[str, Any]
) -> None:
    answer = commons.client.post(f"{url}/feature/256x192.png", json=polygon)
    assert answer.status_code == 200, answer.text
    west, south, east, north = (float(edge) for edge in answer.headers["content-bbox"].split(","))
    assert (west, south, east, north) == pytest.approx((179.6, -17.5, -179.6, -16.9))
    bounds = (west, south, east + 360, north)
    expected, sure = pick(grid, "EPSG:4326", bounds, (192, 256))
    outline = box(179.6, -17.5, 180.4, -16.9).intersection(
        shape({"type": "Polygon", "coordinates": [[[x % 360, y] for x, y in TRIANGLE]]})
    )
    cell = Affine((bounds[2] - west) / 256, 0, west, 0, (south - north) / 192, north)
    inside = geometry_mask([outline], (192, 256), cell, invert=True)
    near = geometry_mask([outline.boundary.buffer(0.005)], (192, 256), cell, invert=True, all_touched=True)
    seen = decode(decode_picture(answer.content), legend)
    assert not seen[~inside & ~near].any()
    core = inside & ~near & sure
    np.testing.assert_array_equal(seen[core], expected[core])
    assert (seen[:, :128][core[:, :128]] > 0).any()
    assert (seen[:, 128:][core[:, 128:]] > 0).any()


def test_papers_show_both_sides(commons: Any, url: str) -> None:
    assert commons.get(f"{url}/picture.png?bbox={','.join(map(str, BOX))}").content[:4] == b"\x89PNG"
    assert commons.get(f"{url}/picture.png").content[:4] == b"\x89PNG"


def test_an_edge_half_around_the_world_is_meant_as_it_is_written(commons: Any, legend: Legend) -> None:
    cells = np.full((180, 360), 1, np.uint8)
    base = commons.add_layer(
        "land-cover", "world", cells, crs="EPSG:4326", transform=Affine(1, 0, -180, 0, -1, 90), legend=legend
    )
    ring = [[-100, -10], [100, -10], [100, 10], [-100, 10], [-100, -10]]
    answer = commons.client.post(f"{base}/feature/200x20.png", json={"type": "Polygon", "coordinates": [ring]})
    assert answer.headers["content-bbox"] == "-100,-10,100,10"
    assert (decode(decode_picture(answer.content), legend) == 1).all()


def test_zones_are_outlined_on_both_sides(commons: Any, url: str, legend: Legend, grid: str) -> None:
    crs, transform, shape_of = GRIDS[grid]
    zones = np.ones(shape_of, np.uint8)
    zones[:10] = 2
    commons.add_layer("drivers", "zones", zones, crs=crs, transform=transform, legend=legend)
    index = LayerIndex(commons.store, lambda href: str(commons.root / href))
    large, small = read_zones(index.find(OWNER, "drivers", "zones"), DatasetPool())
    for place in (large, small):
        west, _, east, _ = place.bbox
        if grid == "around":
            assert (west, east) == (-180, 180)
        else:
            assert 178 < west < 180
            assert -180 < east < -178
        outline = commons.client.post(f"{url}/feature/60x60.png", json=place.to_feature("zones"))
        assert (decode(decode_picture(outline.content), legend) > 0).any()
    if grid == "beyond":
        assert large.geometry.area + small.geometry.area == pytest.approx(280 * 220 * transform.a**2)


def test_the_cells_in_a_polygon_are_counted_on_both_sides(grid: str) -> None:
    crs, transform, size = GRIDS[grid]
    rows, columns = np.mgrid[: size[0], : size[1]] + 0.5
    x, y = transform.a * columns + transform.c, transform.e * rows + transform.f
    x, y = Transformer.from_crs(crs, 4326, always_xy=True).transform(x, y)
    ring = [[179.3, -18.2], [-179.2, -18.2], [-179.2, -16.4], [179.3, -16.4], [179.3, -18.2]]
    place = survey(GeoBox(size, transform, crs), check_polygon({"type": "Polygon", "coordinates": [ring]}), 10**6)
    expected = (np.mod(x, 360) > 179.3) & (np.mod(x, 360) < 180.8) & (y > -18.2) & (y < -16.4)
    found = np.zeros(size, bool)
    found[place.rows, place.columns] = place.inside
    assert expected.sum() > 8
    # A parallel is bent on the grid of Fiji, where its outline has corners.
    assert (found != expected).sum() <= (0.005 * expected.sum() if grid == "fiji" else 0)


def test_a_pack_has_the_tiles_of_both_sides(commons: Any, url: str, grid: str) -> None:
    assert url
    layer = LayerIndex(commons.store, lambda href: str(commons.root / href)).find(OWNER, "land-cover", "a")
    path = commons.root / "a.pmtiles"
    assert pack_tiles(LayerSheet(layer, suiting_styles(layer)[0]), path, max_zoom=5) > 1
    with path.open("rb") as file:
        reader = Reader(MmapSource(file))
        tiles = [TMS.tile(longitude, -17, 5) for longitude in (179.9, -179.9)]
        assert all(reader.get(5, tile.x, tile.y) for tile in tiles)
        told = reader.header()
    assert (told["min_lon_e7"], told["max_lon_e7"]) == (-1_800_000_000, 1_800_000_000)
    if grid != "around":
        assert abs(told["center_lon_e7"]) > 1_780_000_000


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:3857", "EPSG:6933"])
@pytest.mark.parametrize(
    ("west", "columns", "boxes"),
    [
        (0, 720, [(-100, -90), (-10, 10), (170, -170), (100, 110), (-180, -170), (170, 180), (-20, 170)]),
        (200, 40, [(-165, -150), (-155, -135), (-160, -140)]),
        (170, 40, [(165, -165), (170, 180), (-180, -170), (175, -175)]),
    ],
)
def test_measurements_are_blended_on_both_sides(
    commons: Any, crs: str, west: float, columns: int, boxes: list[tuple[float, float]]
) -> None:
    """A layer that goes on beyond 180 degrees looks as one of the same values that is cut at the meridian."""

    def add(name: str, first: float, width: int, shown: NDArray[np.bool_] | None = None) -> str:
        longitude, latitude = np.meshgrid(first + 0.25 + np.arange(width) / 2, 89.75 - np.arange(360) / 2)
        field = (np.cos(np.radians(longitude)) + np.sin(np.radians(3 * latitude))).astype(np.float32)
        if shown is not None:
            field[:, ~shown] = -9
        told = {"statistics": {"minimum": -2, "maximum": 2, "mean": 0, "stddev": 1}}
        place = {"crs": "EPSG:4326", "transform": Affine(0.5, 0, first, 0, -0.5, 90), "nodata": -9}
        return str(commons.add_layer("drivers", name, field, **place, **told))

    centres = -180 + 0.25 + np.arange(720) / 2
    usual = add("usual", -180, 720, np.mod(centres - west, 360) < columns / 2)
    other = add("other", west, columns)
    for left, right in boxes:
        tail = f"bbox/{left},-20,{right},30/120x100.png?dst_crs={crs}"
        expected, seen = commons.pixels(f"{usual}/{tail}"), commons.pixels(f"{other}/{tail}")
        assert expected[..., 3].any()
        differ = (np.abs(expected.astype(int) - seen) > 3).any(axis=2)
        assert differ.mean() < 0.03, f"{left} to {right}"
