"""Styles of continuous layers, relief, and legends."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import morecantile
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pyproj import Transformer

from catalog.legend import Legend
from tiles.drawing.relief import RELIEF_PALETTE, exaggerate, shade
from tiles.drawing.schemes import keep_colours
from tiles.drawing.style import RAMP, STYLES, class_palette, ramp_palette

TMS = morecantile.tms.get("WebMercatorQuad")
STATISTICS = {"minimum": 0.0, "maximum": 200.0, "mean": 100.0, "stddev": 30.0}
# Of the layers of the fixtures below.
CENTRE = Transformer.from_crs(32618, 4326, always_xy=True).transform(343_900, 4_735_500)


def dome(height: float = 100.0) -> NDArray[np.float32]:
    """A round hill in the middle of (300, 260) cells, rising smoothly from 0 to a height in metres."""
    rows, columns = np.mgrid[:300, :260]
    distance = np.hypot(rows - 150, columns - 130) / 120
    return (height * np.cos(np.clip(distance, 0, 1) * np.pi / 2) ** 2).astype(np.float32)


def tile_url(base: str, zoom: int, style: str, dx: int = 0, dy: int = 0) -> str:
    tile = TMS.tile(*CENTRE, zoom)
    return f"{base}/tiles/WebMercatorQuad/{zoom}/{tile.x + dx}/{tile.y + dy}.png?style={style}"


def rgb(colour: str) -> list[int]:
    return [int(colour[i : i + 2], 16) for i in (1, 3, 5)]


def test_the_ramp_goes_from_low_to_high(commons: Any) -> None:
    cells = np.repeat(np.linspace(0, 200, 260, dtype=np.float32)[None], 300, axis=0)
    base = commons.add_layer("drivers", "a", cells, nodata=-9999, statistics=STATISTICS)
    for zoom in (11, 15):
        image = commons.pixels(tile_url(base, zoom, "continuous")).astype(int)
        row = image[128][image[128][:, 3] > 0]
        brightness = row[:, :3].sum(axis=1)
        assert len(row) > 50
        assert (np.diff(brightness) <= 1).all()
        assert brightness[0] > brightness[-1]


def test_the_ramp_is_spread_between_the_outer_percentiles(commons: Any) -> None:
    base = commons.add_layer("drivers", "a", np.full((300, 260), 100, np.float32), nodata=-9999, statistics=STATISTICS)
    stops = commons.get(f"{base}/legend.json").json()["stops"]
    assert stops[0]["value"] == pytest.approx(100 - 2.054 * 30)
    assert stops[-1]["value"] == pytest.approx(100 + 2.054 * 30)
    assert stops[2] == {"value": pytest.approx(100), "label": "100 m", "colour": RAMP[2]}
    middle = commons.pixels(tile_url(base, 13, "continuous"))[128, 128]
    np.testing.assert_allclose(middle[:3], rgb(RAMP[2]), atol=1)


@pytest.mark.parametrize(
    ("high", "label"), [(0.01234, "0.0123 m"), (72.886, "72.9 m"), (1_786.0, "1,790 m"), (2_513_000.0, "2,510,000 m")]
)
def test_the_ramp_is_labelled_in_plain_figures(commons: Any, high: float, label: str) -> None:
    statistics = {"minimum": 0.0, "maximum": high, "mean": high / 2, "stddev": high}
    base = commons.add_layer("drivers", "a", np.ones((30, 30), np.float32), statistics=statistics)
    assert commons.get(f"{base}/legend.json").json()["stops"][-1]["label"] == label


def test_without_statistics_the_ramp_is_taken_from_the_cells(commons: Any) -> None:
    rng = np.random.default_rng(1)
    base = commons.add_layer("drivers", "a", rng.uniform(10, 20, (300, 260)).astype(np.float32), nodata=-1)
    stops = commons.get(f"{base}/legend.json").json()["stops"]
    assert stops[0]["value"] == pytest.approx(10.2, abs=0.1)
    assert stops[-1]["value"] == pytest.approx(19.8, abs=0.1)
    assert len(np.unique(commons.pixels(tile_url(base, 13, "continuous")), axis=0)) > 20


def test_a_layer_of_one_value_and_one_without_any_are_drawn(commons: Any) -> None:
    same = commons.add_layer("drivers", "same", np.full((300, 260), 7, np.float32), nodata=-1)
    none = commons.add_layer("drivers", "none", np.full((300, 260), np.nan, np.float32), nodata=None)
    for style in ("continuous", "relief"):
        assert not commons.pixels(tile_url(none, 13, style))[..., 3].any()
    assert (commons.pixels(tile_url(same, 13, "continuous"))[..., 3] == 255).any()
    assert not commons.pixels(tile_url(same, 13, "relief"))[..., 3].any()


def test_missing_cells_are_transparent_and_not_blended(commons: Any) -> None:
    cells = np.full((300, 260), 100, dtype=np.float32)
    cells[:, 130:] = -9999
    base = commons.add_layer("drivers", "a", cells, nodata=-9999, statistics=STATISTICS)
    image = commons.pixels(tile_url(base, 13, "continuous"))
    seen = image[image[..., 3] > 0]
    assert 0 < len(seen) < image.shape[0] * image.shape[1]
    np.testing.assert_allclose(seen[:, :3], np.tile(rgb(RAMP[2]), (len(seen), 1)), atol=1)


@pytest.mark.parametrize("zoom", [12, 14])
def test_relief_is_light_in_the_north_west_and_dark_in_the_south_east(commons: Any, zoom: int) -> None:
    base = commons.add_layer("drivers", "a", dome(), nodata=-9999, statistics=STATISTICS)
    rows = {}
    for name, cell in (("north west", (-900, 900)), ("south east", (900, -900))):
        lon, lat = Transformer.from_crs(32618, 4326, always_xy=True).transform(343_900 + cell[0], 4_735_500 + cell[1])
        tile, bounds = TMS.tile(lon, lat, zoom), TMS.xy_bounds(TMS.tile(lon, lat, zoom))
        x, y = TMS.xy(lon, lat)
        row = int((bounds.top - y) / (bounds.top - bounds.bottom) * 256)
        column = int((x - bounds.left) / (bounds.right - bounds.left) * 256)
        url = f"{base}/tiles/WebMercatorQuad/{zoom}/{tile.x}/{tile.y}.png?style=relief"
        rows[name] = commons.pixels(url)[row, column].tolist()
    assert rows["north west"][:3] == [255, 255, 255]
    assert rows["south east"][:3] == [0, 0, 0]
    assert 0 < rows["north west"][3] < rows["south east"][3]


@pytest.mark.parametrize("zoom", [9, 11, 13, 15])
def test_relief_has_no_seams(commons: Any, zoom: int) -> None:
    rng = np.random.default_rng(3)
    bumps = np.cumsum(np.cumsum(rng.normal(size=(300, 260)), axis=0), axis=1) / 30
    base = commons.add_layer("drivers", "a", bumps.astype(np.float32), nodata=-9999, statistics=STATISTICS)
    left = commons.pixels(tile_url(base, zoom, "relief")).astype(int)
    right = commons.pixels(tile_url(base, zoom, "relief", dx=1)).astype(int)
    below = commons.pixels(tile_url(base, zoom, "relief", dy=1)).astype(int)
    strength = np.where(left[..., 0] > 0, left[..., 3], -left[..., 3])
    beside = np.where(right[..., 0] > 0, right[..., 3], -right[..., 3])
    under = np.where(below[..., 0] > 0, below[..., 3], -below[..., 3])
    usual = np.abs(np.diff(strength, axis=1)).mean(), np.abs(np.diff(strength, axis=0)).mean()
    assert np.abs(strength[:, -1] - beside[:, 0]).mean() <= 2 * usual[0] + 1
    assert np.abs(strength[-1] - under[0]).mean() <= 2 * usual[1] + 1


def test_relief_of_a_double_density_tile_joins_that_of_its_children(commons: Any) -> None:
    base = commons.add_layer("drivers", "a", dome(), nodata=-9999, statistics=STATISTICS)
    tile = TMS.tile(*CENTRE, 12)
    double = commons.pixels(f"{base}/tiles/WebMercatorQuad/12/{tile.x}/{tile.y}@2x.png?style=relief")
    child = commons.pixels(f"{base}/tiles/WebMercatorQuad/13/{2 * tile.x}/{2 * tile.y}.png?style=relief")
    np.testing.assert_allclose(double[:256, :256].astype(int), child.astype(int), atol=3)


def test_level_ground_and_the_unknown_cast_no_shadow() -> None:
    level = np.ma.masked_array(np.full((6, 6), 12.0), mask=np.eye(6, dtype=bool))
    shaded = shade(level, pixel_size_m=30, exaggeration=5)
    assert shaded.shape == (4, 4)
    assert not RELIEF_PALETTE[shaded][..., 3].any()


def test_a_slope_is_shaded_by_lamberts_law() -> None:
    # Falls to the east by 1 in 1: its normal is 45 degrees from each light in the west, in the plane of the light.
    columns = np.ma.masked_array(np.repeat(-30.0 * np.arange(5)[None], 5, axis=0))
    index = shade(columns, pixel_size_m=30, exaggeration=1)
    level, half = np.sqrt(0.5), np.sqrt(0.5)
    west, north_west = 0.0, (level - half * np.cos(np.radians(45))) / np.sqrt(2)
    north = level / np.sqrt(2)
    light = 0.25 * west + 0.5 * north_west + 0.25 * north
    np.testing.assert_array_equal(index, np.rint(128 - (level - light) / level * 127).astype(np.uint8))


def test_flat_country_is_exaggerated_more_and_so_are_low_zooms() -> None:
    plain = exaggerate(pixel_size_m=30, extent_m=30_000, deviation_m=60)
    assert plain > exaggerate(pixel_size_m=30, extent_m=30_000, deviation_m=300) > 1
    assert plain < exaggerate(pixel_size_m=60, extent_m=30_000, deviation_m=60)
    assert exaggerate(pixel_size_m=30, extent_m=10_000, deviation_m=2_000) == 1
    assert exaggerate(pixel_size_m=30, extent_m=100_000, deviation_m=0.1) == 12


def test_palettes_hold_the_exact_colours(legend: Legend) -> None:
    palette, row = class_palette(legend, keep_colours)
    assert palette.shape == (5, 4)
    for entry in legend:
        assert palette[row[entry.value]].tolist() == [*entry.rgb, 255]
    assert not palette[row[[0, 3, 255]]].any()
    ramp = ramp_palette()
    assert ramp[0].tolist() == [0, 0, 0, 0]
    assert ramp[1].tolist() == [*rgb(RAMP[0]), 255]
    assert ramp[255].tolist() == [*rgb(RAMP[-1]), 255]
    assert (np.diff(ramp[1:, :3].astype(int).sum(axis=1)) <= 0).all()


def test_every_style_has_an_english_title() -> None:
    assert set(STYLES) == {"legend", "colour-blind", "greyscale", "ipcc6", "unccd7", "continuous", "relief"}
    for name, style in STYLES.items():
        assert style.name == name
        assert style.title["en"]


def test_legend_json_lists_the_classes_in_the_asked_language(
    commons: Any, land_cover: NDArray[np.uint8], legend: Legend
) -> None:
    base = commons.add_layer("land-cover", "a", land_cover, legend=legend)
    document = commons.get(f"{base}/legend.json?lang=fr-CH").json()
    assert [entry["value"] for entry in document["classes"]] == [1, 2, 5, 9]
    assert [entry["label"] for entry in document["classes"]] == ["Forêt", "Bâti", "Eau", "Open land"]
    assert document["classes"][0]["title"] == {"en": "Forest", "fr": "Forêt", "my": "သစ်တော"}
    assert [entry["colour"] for entry in document["classes"]] == [entry.colour for entry in legend]
    assert [entry["name"] for entry in document["classes"]] == list(legend.names)
    assert document["stops"] == []


@pytest.mark.parametrize("lang", ["", "e", "en_GB", "../en", "en\n", "x" * 50])
def test_a_language_that_is_none_is_refused(
    commons: Any, land_cover: NDArray[np.uint8], legend: Legend, lang: str
) -> None:
    base = commons.add_layer("land-cover", "a", land_cover, legend=legend)
    for tail in ("legend.json", "legend.png"):
        assert "lang in the URL" in commons.get(f"{base}/{tail}", 400, params={"lang": lang}).json()["detail"]


@pytest.mark.parametrize("lang", ["en", "fr", "my", "sw"])
def test_legend_png_shows_every_colour_in_order(
    commons: Any, land_cover: NDArray[np.uint8], legend: Legend, lang: str
) -> None:
    base = commons.add_layer("land-cover", "a", land_cover, legend=legend)
    response = commons.get(f"{base}/legend.png?lang={lang}")
    assert response.headers["content-type"] == "image/png"
    image = np.asarray(Image.open(BytesIO(response.content)).convert("RGB"))
    column = image[:, 40].tolist()
    places = [column.index(list(entry.rgb)) for entry in legend]
    assert places == sorted(places)


def test_legend_png_differs_by_language_and_has_no_boxes_for_letters_it_lacks(
    commons: Any, land_cover: NDArray[np.uint8], legend: Legend
) -> None:
    base = commons.add_layer("land-cover", "a", land_cover, legend=legend)
    pictures = {lang: commons.get(f"{base}/legend.png?lang={lang}").content for lang in ("en", "fr", "my")}
    assert len(set(pictures.values())) == 3  # Burmese letters are not in the font: the class's name stands in


def test_legends_of_ramp_and_relief_are_drawn(commons: Any) -> None:
    base = commons.add_layer("drivers", "a", dome(), nodata=-9999, statistics=STATISTICS)
    ramp = Image.open(BytesIO(commons.get(f"{base}/legend.png").content))
    relief = Image.open(BytesIO(commons.get(f"{base}/legend.png?style=relief").content))
    assert ramp.height > relief.height > 40
    assert commons.get(f"{base}/legend.json?style=relief").json()["stops"] == []


def test_a_synthetic_layer_is_marked_on_its_legend(commons: Any, land_cover: NDArray[np.uint8], legend: Legend) -> None:
    seen = commons.add_layer("land-cover", "seen", land_cover, legend=legend)
    made = commons.add_layer("land-cover", "made", land_cover, legend=legend, **{"landscape:synthetic": True})
    heights = [Image.open(BytesIO(commons.get(f"{base}/legend.png").content)).height for base in (seen, made)]
    assert heights[1] > heights[0]
