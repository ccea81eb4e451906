"""Maps on paper: colours of the legend, a scale bar as long as it says, and the true north."""

from __future__ import annotations

import math
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from affine import Affine
from numpy.typing import NDArray
from PIL import Image
from pyproj import Geod

from catalog.legend import Legend, LegendClass
from tiles.drawing.furniture import arrange_legend, find_north, measure_pixel, round_down
from tiles.drawing.lettering import choose_drawable, load_font, shorten, wrap
from tiles.drawing.paper import DPI, PAPERS
from tiles.reading.view import View

UTM = "EPSG:32618"


def open_picture(content: bytes) -> Image.Image:
    return Image.open(BytesIO(content))


@pytest.fixture
def url(commons: Any, land_cover: NDArray[np.uint8], legend: Legend) -> str:
    made = {"legend": legend, "checksum": "1220" + "ab" * 32, "title": "Forêt d'Été"}
    return str(commons.add_layer("land-cover", "a", land_cover, **made))


def test_the_paper_is_as_large_as_it_says(commons: Any, url: str) -> None:
    for paper, (long, short) in PAPERS.items():
        image = open_picture(commons.get(f"{url}/picture.png?paper={paper}").content)
        assert sorted(image.size) == [round(short / 25.4 * DPI), round(long / 25.4 * DPI)]
        assert image.info["dpi"] == pytest.approx((DPI, DPI), abs=0.1)


def test_it_lies_as_suits_the_map(commons: Any, url: str) -> None:
    wide = open_picture(commons.get(f"{url}/picture.png?bbox=-76.95,42.76,-76.88,42.77").content)
    high = open_picture(commons.get(f"{url}/picture.png?bbox=-76.93,42.73,-76.92,42.8").content)
    assert wide.width > wide.height
    assert high.height > high.width


def test_the_map_has_the_colours_of_the_legend_and_no_others(commons: Any, url: str, legend: Legend) -> None:
    image = np.asarray(open_picture(commons.get(f"{url}/picture.png?bbox=-76.93,42.76,-76.91,42.78").content))
    height, width = image.shape[:2]
    middle = image[height // 3 : height // 2, width // 4 : width // 2].reshape(-1, 3)
    seen = {tuple(int(band) for band in colour) for colour in np.unique(middle, axis=0)}
    assert seen == {entry.rgb for entry in legend} | {(244, 242, 236)}


def test_every_class_has_its_swatch(commons: Any, url: str, legend: Legend) -> None:
    # Far from the layer, so that what is there is the legend's.
    image = np.asarray(open_picture(commons.get(f"{url}/picture.png?bbox=-70,40,-69.9,40.1").content)).reshape(-1, 3)
    for entry in legend:
        assert (image == entry.rgb).all(axis=1).sum() > 300


def test_pictures_of_runs_and_differences_and_ramps(
    commons: Any, land_cover: NDArray[np.uint8], legend: Legend
) -> None:
    for year, cells in ((2029, land_cover), (2030, land_cover[::-1])):
        titles = {"en": "Plan A", "fr": "Projet A"}
        made = {"legend": legend, "asset": "map", "checksum": "1220" + f"{year}" * 16, "scenario:title": titles}
        commons.add_layer("run-maps", f"plan-a-{year}", np.ascontiguousarray(cells), **made)
    slope = commons.add_layer("drivers", "slope", np.arange(900, dtype=np.float32).reshape(30, 30), nodata=None)
    plain = commons.get("/runs/plan-a/2030/picture.png").content
    assert commons.get("/runs/plan-a/2030/picture.png?lang=fr").content != plain
    assert open_picture(commons.get("/runs/plan-a/2030/difference/picture.png?since=2029").content).mode == "RGB"
    ramp = np.asarray(open_picture(commons.get(f"{slope}/picture.png").content)).reshape(-1, 3)
    assert len(np.unique(ramp, axis=0)) > 100


def test_a_layer_in_degrees_is_drawn_in_metres(commons: Any, legend: Legend) -> None:
    cells = np.ones((100, 100), np.uint8)
    grid = Affine(0.001, 0, 36, 0, -0.001, -1)
    base = commons.add_layer("land-cover", "degrees", cells, crs="EPSG:4326", transform=grid, legend=legend)
    assert open_picture(commons.get(f"{base}/picture.png").content).mode == "RGB"


def test_it_is_cached_and_sent_once(commons: Any, url: str) -> None:
    seen = commons.get(f"{url}/picture.png")
    assert seen.headers["cache-control"] == "public, max-age=300"
    commons.get(f"{url}/picture.png", 304, headers={"If-None-Match": seen.headers["etag"]})
    assert commons.get(f"{url}/picture.png?lang=fr").headers["etag"] != seen.headers["etag"]


@pytest.mark.parametrize(
    ("crs", "bounds"),
    [
        (UTM, (340_000.0, 4_731_000.0, 347_800.0, 4_740_000.0)),
        ("EPSG:3857", (-8_560_000.0, 5_280_000.0, -8_550_000.0, 5_290_000.0)),
        ("EPSG:3413", (400_000.0, -2_000_000.0, 420_000.0, -1_980_000.0)),
    ],
)
def test_a_pixel_measures_what_it_does_on_the_ellipsoid(crs: str, bounds: tuple[float, float, float, float]) -> None:
    from pyproj import Transformer

    view = View(crs, bounds, 500, 400)
    y = (bounds[1] + bounds[3]) / 2
    step = (bounds[2] - bounds[0]) / 500
    x = (bounds[0] + bounds[2]) / 2
    lon, lat = Transformer.from_crs(crs, 4326, always_xy=True).transform([x, x + step], [y, y])
    truth = Geod(ellps="WGS84").inv(lon[0], lat[0], lon[1], lat[1])[2]
    assert measure_pixel(view) == pytest.approx(truth, rel=1e-4)


def test_north_is_up_in_mercator_and_turns_in_a_polar_projection() -> None:
    assert find_north(View("EPSG:3857", (-1e5, 5e6, 1e5, 5.2e6), 10, 10)) == pytest.approx(0, abs=1e-9)
    # EPSG:3413 has 45° W pointing down from the pole: on the meridian 45° E the north is downwards.
    down = find_north(View("EPSG:3413", (-1e4, 1e6, 1e4, 1.02e6), 10, 10))
    assert abs(down) == pytest.approx(math.pi, abs=1e-3)
    left = find_north(View("EPSG:3413", (1e6, -1e4, 1.02e6, 1e4), 10, 10))
    assert left == pytest.approx(-math.pi / 2, abs=1e-3)


def test_lengths_are_round() -> None:
    assert [round_down(each) for each in (9.99, 10, 4321, 0.07)] == [5, 10, 2000, 0.05]


def test_a_long_legend_gets_smaller_letters_or_more_columns() -> None:
    classes = tuple(LegendClass(n, f"class-{n}", {"en": f"Class {n}"}, f"#0000{n:02x}") for n in range(1, 61))
    legend = {"classes": [{"label": entry.label()} for entry in classes]}
    rows, columns, size = arrange_legend(legend, 500, 900, 35)
    assert rows * columns >= 60
    assert rows * size * 1.55 <= 900
    assert arrange_legend({"classes": legend["classes"][:3]}, 500, 900, 35)[2] == 35


def test_letters_are_drawn_or_done_without() -> None:
    font = load_font(20)
    assert choose_drawable("Forêt d'Été", "forest", font) == "Forêt d'Été"
    assert choose_drawable("သစ်တော", "forest", font) == "forest"
    assert shorten("Bare rock and scree", font, 80).endswith("…")
    assert font.getlength(shorten("Bare rock and scree", font, 80)) <= 80
    assert all(font.getlength(line) <= 150 for line in wrap("one two three four five six seven eight", font, 150))
