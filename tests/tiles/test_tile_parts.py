"""Previews, boxes, polygons and points: the very cells, within limits."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pyproj import Transformer

from catalog.legend import Legend
from tests.tiles.conftest import decode as decode_picture
from tiles.reading.view import View
from tiles.routes.views import MOST_PIXELS, MOST_SIDE

UTM = "EPSG:32618"
CHECKSUM = "1220" + "ab" * 32


@pytest.fixture
def url(commons: Any, land_cover: NDArray[np.uint8], legend: Legend) -> str:
    made = {"legend": legend, "checksum": CHECKSUM, "datetime": "2019-01-01T00:00:00Z"}
    return str(commons.add_layer("land-cover", "a", land_cover, **made))


def decode(image: NDArray[np.uint8], legend: Legend) -> NDArray[np.uint8]:
    """Return the classes of a picture."""
    classes = np.zeros(image.shape[:2], np.uint8)
    for entry in legend:
        classes[(image == [*entry.rgb, 255]).all(axis=2)] = entry.value
    assert ((classes > 0) == (image[..., 3] > 0)).all()
    return classes


def project(cells: NDArray[np.uint8], bounds: tuple[float, ...], crs: str, shape: tuple[int, int]) -> Any:
    """Return the cell under the centre of each pixel, projected on its own, and which are beyond doubt."""
    rows, columns = ((np.arange(side) + 0.5) / side for side in shape)
    x, y = np.meshgrid(bounds[0] + columns * (bounds[2] - bounds[0]), bounds[3] - rows * (bounds[3] - bounds[1]))
    x, y = Transformer.from_crs(crs, UTM, always_xy=True).transform(x, y)
    across, down = (x - 340_000) / 30, (4_740_000 - y) / 30
    inside = (across >= 0) & (across < 260) & (down >= 0) & (down < 300)
    seen = np.zeros(shape, np.uint8)
    seen[inside] = cells[down[inside].astype(int), across[inside].astype(int)]
    return seen, np.logical_and.reduce([np.abs(place - np.rint(place)) > 1e-6 for place in (across, down)])


@pytest.mark.parametrize("ending", ["preview", "preview.png", "preview.webp", "preview/260x300.png", "map"])
def test_a_preview_shows_every_cell_as_it_is(
    commons: Any, url: str, land_cover: NDArray[np.uint8], legend: Legend, ending: str
) -> None:
    np.testing.assert_array_equal(decode(commons.pixels(f"{url}/{ending}"), legend), land_cover)


def test_a_preview_of_a_run_and_of_a_difference(commons: Any, land_cover: NDArray[np.uint8], legend: Legend) -> None:
    later = land_cover.copy()
    later[100:120, 50:90] = 2
    for year, cells in ((2029, land_cover), (2030, later)):
        commons.add_layer("run-maps", f"plan-a-{year}", cells, legend=legend, asset="map", checksum=CHECKSUM)
    np.testing.assert_array_equal(decode(commons.pixels("/runs/plan-a/2030/preview.png"), legend), later)
    changed = decode(commons.pixels("/runs/plan-a/2030/difference/map?since=2029"), legend)
    np.testing.assert_array_equal(changed, np.where((land_cover > 0) & (land_cover != later), later, 0))


def test_a_box_shows_the_cell_under_every_pixel(
    commons: Any, url: str, land_cover: NDArray[np.uint8], legend: Legend
) -> None:
    for crs in ("EPSG:4326", "EPSG:3857", "EPSG:3413"):
        x, y = Transformer.from_crs(UTM, crs, always_xy=True).transform([341_000, 347_000], [4_732_000, 4_739_000])
        bounds = (min(x), min(y), max(x), max(y))
        image = commons.pixels(f"{url}/bbox/{','.join(map(repr, bounds))}/400x300.png?coord_crs={crs}")
        truth, sure = project(land_cover, bounds, crs, (300, 400))
        np.testing.assert_array_equal(decode(image, legend)[sure], truth[sure])
        assert truth.any()


def test_the_size_follows_from_the_cells_or_from_what_is_asked(commons: Any, url: str) -> None:
    box = f"{url}/bbox/341000,4732000,344000,4738000"
    asked = f"coord_crs={UTM}"
    assert commons.pixels(f"{box}.png?{asked}").shape == (200, 100, 4)
    assert commons.pixels(f"{box}.png?{asked}&max_size=50").shape == (50, 25, 4)
    assert commons.pixels(f"{box}.png?{asked}&width=40").shape == (80, 40, 4)
    assert commons.pixels(f"{box}.png?{asked}&height=40").shape == (40, 20, 4)
    assert commons.pixels(f"{box}/33x44.png?{asked}").shape == (44, 33, 4)
    assert commons.pixels(f"{url}/preview.png?max_size=30").shape == (30, 26, 4)


def test_a_picture_says_where_and_when_it_is(commons: Any, url: str) -> None:
    seen = commons.get(f"{url}/preview.png").headers
    assert seen["content-bbox"] == "340000,4731000,347800,4740000"
    assert seen["content-crs"] == "<http://www.opengis.net/def/crs/EPSG/0/32618>"
    assert seen["content-datetime"] == "2019"
    other = commons.get(f"{url}/bbox/-77,42.7,-76.9,42.8.png").headers
    assert (other["content-bbox"], other["content-crs"]) == (
        "-77,42.7,-76.9,42.8",
        "<http://www.opengis.net/def/crs/OGC/1.3/CRS84>",
    )


def test_pictures_are_cached_as_tiles_are(commons: Any, url: str) -> None:
    seen = commons.get(f"{url}/preview.png")
    assert seen.headers["cache-control"] == "public, max-age=300"
    again = commons.get(f"{url}/preview.png", 304, headers={"If-None-Match": seen.headers["etag"]})
    assert again.content == b""
    tags = [commons.get(f"{url}/{tail}").headers["etag"] for tail in ("preview.webp", "preview/90x90.png", "map")]
    tags += [commons.get(f"{url}/map?{query}").headers["etag"] for query in ("bgcolor=red", "transparent=false")]
    assert len({*tags, seen.headers["etag"]}) == 5, "the map of all is the preview"


def test_a_polygon_shows_nothing_outside(commons: Any, url: str, land_cover: NDArray[np.uint8], legend: Legend) -> None:
    corners = [(342_000, 4_733_000), (346_000, 4_733_000), (344_000, 4_738_000), (342_000, 4_733_000)]
    back = Transformer.from_crs(UTM, 4326, always_xy=True)
    polygon = {"type": "Polygon", "coordinates": [[list(back.transform(*corner)) for corner in corners]]}
    answer = commons.client.post(f"{url}/feature.png?dst_crs={UTM}", json=polygon)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    edges = [float(edge) for edge in answer.headers["content-bbox"].split(",")]
    seen = decode(decode_picture(answer.content), legend)
    rows, columns = seen.shape
    x = edges[0] + (np.arange(columns) + 0.5) * (edges[2] - edges[0]) / columns
    y = edges[3] - (np.arange(rows) + 0.5) * (edges[3] - edges[1]) / rows
    across, down = np.meshgrid(x, y)
    share = (across - 342_000) / 4_000
    peak = 4_733_000 + 5_000 * (1 - np.abs(share - 0.5) * 2)
    inside = (down < peak) & (down > 4_733_000)
    near = (np.abs(down - peak) < 60) | (np.abs(down - 4_733_000) < 60)
    place = land_cover[((4_740_000 - down) // 30).astype(int), ((across - 340_000) // 30).astype(int)]
    assert not seen[~inside & ~near].any()
    core = inside & ~near
    assert (seen[core] == place[core]).mean() > 0.99


def test_a_point_has_a_value_and_a_class(commons: Any, url: str, land_cover: NDArray[np.uint8], legend: Legend) -> None:
    back = Transformer.from_crs(UTM, 4326, always_xy=True)
    rng = np.random.default_rng(2)
    for row, column in zip(rng.integers(0, 300, 12), rng.integers(0, 260, 12), strict=True):
        lon, lat = back.transform(340_000 + 30 * (column + 0.5), 4_740_000 - 30 * (row + 0.5))
        told = commons.get(f"{url}/point/{lon},{lat}?lang=fr").json()
        value = int(land_cover[row, column])
        assert told["values"] == [value or None]
        assert told["class"] == ({"name": told["class"]["name"], **told["class"], "value": value} if value else None)
        assert (told["class"] or {}).get("name") == (legend.get(value).name if value else None)
    assert commons.get(f"{url}/point/0,0").json()["values"] == [None]


def test_info_is_a_feature_too(commons: Any, url: str) -> None:
    answer = commons.get(f"{url}/info.geojson")
    assert answer.headers["content-type"] == "application/geo+json"
    told = answer.json()
    assert told["properties"] == commons.get(f"{url}/info").json()
    assert told["geometry"]["coordinates"][0][0] == told["bbox"][:2]


REFUSED = [
    ("preview.jpg", 400, "format"),
    ("preview/0x10.png", 400, "width"),
    (f"preview/{MOST_SIDE + 1}x10.png", 400, "width"),
    (f"preview/{MOST_SIDE}x{MOST_SIDE}.png", 413, f"{MOST_PIXELS:,}"),
    ("preview.png?max_size=100000", 400, "max_size"),
    ("preview.png?dst_crs=file.prj", 400, "EPSG:3857"),
    ("preview.png?dst_crs=EPSG:1", 400, "no projection"),
    ("preview.png?dst_crs=EPSG:4978", 400, "of a map"),
    ("bbox/0,0,0,1.png", 400, "empty"),
    ("bbox/170,0,190,1.png", 400, "180th"),
    ("bbox/7,0,6,1.png?coord_crs=EPSG:3857", 400, "empty"),
    ("bbox/-1e9,0,1e9,1.png?coord_crs=EPSG:3857", 400, "times the world"),
    ("bbox/0,0,nan,1.png", 400, "finite"),
    ("bbox/0,0,1e12,1.png?coord_crs=EPSG:3857", 400, "finite"),
    ("bbox/0,0,200,1.png", 400, "-180 to 180"),
    ("bbox/0,0,1e-6,1.png?width=4000", 413, "pixels"),
    ("point/200,0", 400, "lon"),
    ("preview.png?style=none", 400, "style"),
]


def test_what_is_no_picture_is_refused(commons: Any, url: str) -> None:
    for tail, status, word in REFUSED:
        refused = commons.get(f"{url}/{tail}", status)
        assert word in refused.json()["detail"]
        assert refused.headers["cache-control"] == "no-store"


def test_far_away_there_is_a_picture_of_nothing(commons: Any, url: str) -> None:
    assert not commons.pixels(f"{url}/bbox/10,10,11,11.png?width=64").any()


def test_strips_make_up_a_view() -> None:
    view = View(UTM, (0.0, 0.0, 90.0, 70.0), 9, 7)
    strips = list(view.strips(20))
    assert [strip.height for strip in strips] == [2, 2, 2, 1]
    assert (strips[0].bounds[3], strips[-1].bounds[1]) == (70.0, 0.0)
    assert all(above.bounds[1] == below.bounds[3] for above, below in itertools.pairwise(strips))
    assert [strip.height for strip in view.strips(1)] == [1] * 7
