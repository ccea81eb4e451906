"""Styles of classes: the same map in other colours, and in the categories of a convention."""

from __future__ import annotations

import dataclasses
from itertools import combinations
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from numpy.typing import NDArray

from catalog.items.layers import raster_item
from catalog.legend import Legend, LegendClass
from catalog.palette import lightness

TILE = "tiles/WebMercatorQuad/13/2345/3017.png"
STYLES = ["legend", "colour-blind", "greyscale", "ipcc6", "unccd7"]
GROUPS = {
    "forest": ("Forest land", "Tree-covered"),
    "built": ("Settlements", "Artificial"),
    "water": ("Wetlands", "Water body"),
    "open-land": ("Settlements", "Other land"),
}


@pytest.fixture
def crossed(legend: Legend) -> Legend:
    """The legend, with the categories that its classes belong to."""
    classes = (dataclasses.replace(c, ipcc6=GROUPS[c.name][0], unccd7=GROUPS[c.name][1]) for c in legend)
    return Legend(tuple(classes))


@pytest.fixture
def url(commons: Any, land_cover: NDArray[np.uint8], crossed: Legend) -> str:
    return str(commons.add_layer("land-cover", "a", land_cover, legend=crossed))


def colours(image: NDArray[np.uint8]) -> set[str]:
    seen = np.unique(image.reshape(-1, 4), axis=0)
    return {f"#{bytes(pixel[:3]).hex()}" for pixel in seen if pixel[3]}


@pytest.mark.parametrize("style", STYLES)
def test_tile_and_legend_show_the_same_colours(commons: Any, url: str, style: str) -> None:
    told = commons.get(f"{url}/legend.json?style={style}").json()
    assert told["style"] == style
    assert colours(commons.pixels(f"{url}/{TILE}?style={style}")) == {entry["colour"] for entry in told["classes"]}


@pytest.mark.parametrize("style", ["colour-blind", "greyscale"])
def test_other_colours_show_the_same_classes(commons: Any, url: str, legend: Legend, style: str) -> None:
    plain, other = commons.pixels(f"{url}/{TILE}"), commons.pixels(f"{url}/{TILE}?style={style}")
    told = commons.get(f"{url}/legend.json?style={style}").json()["classes"]
    for entry, shown in zip(legend, told, strict=True):
        assert shown["name"] == entry.name
        here = (plain == [*entry.rgb, 255]).all(axis=2)
        assert (other[here] == [*bytes.fromhex(shown["colour"][1:]), 255]).all()
    steps = [lightness(entry["colour"]) for entry in told]
    assert min(abs(one - other) for one, other in combinations(steps, 2)) >= 5


def test_greys_are_grey_and_keep_the_order_of_lightness(commons: Any, url: str, legend: Legend) -> None:
    told = {c["name"]: c["colour"] for c in commons.get(f"{url}/legend.json?style=greyscale").json()["classes"]}
    assert all(colour[1:3] == colour[3:5] == colour[5:7] for colour in told.values())
    ordered = sorted(legend, key=lambda entry: lightness(entry.colour))
    greys = [told[entry.name] for entry in ordered]
    assert greys == sorted(greys)


@pytest.mark.parametrize(("style", "place"), [("ipcc6", 0), ("unccd7", 1)])
def test_categories_take_their_classes_together(commons: Any, url: str, legend: Legend, style: str, place: int) -> None:
    plain, grouped = commons.pixels(f"{url}/{TILE}"), commons.pixels(f"{url}/{TILE}?style={style}")
    told = {c["title"]["en"]: c["colour"] for c in commons.get(f"{url}/legend.json?style={style}").json()["classes"]}
    assert set(told) == {groups[place] for groups in GROUPS.values()}
    for entry in legend:
        here = (plain == [*entry.rgb, 255]).all(axis=2)
        assert (grouped[here] == [*bytes.fromhex(told[GROUPS[entry.name][place]][1:]), 255]).all()
    spanish = commons.get(f"{url}/legend.json?style={style}&lang=es").json()["classes"]
    assert spanish[0]["label"] != spanish[0]["title"]["en"]


@pytest.mark.parametrize("style", ["ipcc6", "unccd7"])
def test_a_legend_with_a_class_in_no_category_has_no_such_style(
    commons: Any, land_cover: NDArray[np.uint8], crossed: Legend, style: str
) -> None:
    first, *others = crossed
    for category in (None, "Lava"):
        partly = Legend((dataclasses.replace(first, ipcc6=category, unccd7=category), *others))
        base = commons.add_layer("land-cover", "b", land_cover, legend=partly)
        assert style not in [one["name"] for one in commons.get(f"{base}/info").json()["styles"]]
        assert "legend" in commons.get(f"{base}/{TILE}?style={style}", 400).json()["detail"]


@pytest.mark.parametrize("style", STYLES)
def test_the_vector_legend_has_every_label_and_colour(commons: Any, url: str, style: str) -> None:
    answer = commons.get(f"{url}/legend.svg?style={style}&lang=my")
    assert answer.headers["content-type"].startswith("image/svg+xml")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    drawing = ET.fromstring(answer.text)
    texts = [element.text for element in drawing.iter() if element.tag.endswith("}text")]
    fills = [element.get("fill") for element in drawing.iter() if element.tag.endswith("}rect")]
    told = commons.get(f"{url}/legend.json?style={style}&lang=my").json()["classes"]
    assert texts == [entry["label"] for entry in told]
    assert fills == [entry["colour"] for entry in told]


def test_no_name_becomes_markup(commons: Any, land_cover: NDArray[np.uint8]) -> None:
    nasty = "</text><script>alert(1)</script>&\"'"
    legend = Legend((LegendClass(1, "forest", {"en": nasty}, "#123456"),))
    base = commons.add_layer("land-cover", "a", land_cover, legend=legend, title=nasty)
    drawing = ET.fromstring(commons.get(f"{base}/legend.svg").text)
    assert [element.text for element in drawing.iter() if element.tag.endswith("}text")] == [nasty]
    assert not [element for element in drawing.iter() if element.tag.endswith("script")]


def test_ramps_have_vector_legends_too(commons: Any) -> None:
    base = commons.add_layer("drivers", "slope", np.ones((30, 30), np.float32))
    assert commons.get(f"{base}/legend.svg").text.count("<rect") == 5
    assert "Shaded relief" in commons.get(f"{base}/legend.svg?style=relief").text


def test_colours_agree_in_classification_render_file_and_tile(commons: Any, url: str, crossed: Legend) -> None:
    """The catalog's own description of the file, the file's colour table, the legend and the tile say the same."""
    path = commons.root / "land-cover-a.tif"
    item = raster_item(
        path,
        root=commons.root,
        item_id="a",
        collection="land-cover",
        year=2019,
        landscape="valley",
        layer="land-cover",
        legend=crossed,
    ).to_dict()
    (asset,) = (asset for asset in item["assets"].values() if "classification:classes" in str(asset))
    classes = asset.get("classification:classes") or asset["bands"][0]["classification:classes"]
    classified = {entry["value"]: f"#{entry['color_hint']}" for entry in classes if not entry.get("nodata")}
    render = item["properties"]["renders"]["default"]["colormap"] if "renders" in item["properties"] else None
    rendered = {int(value): f"#{bytes(rgba[:3]).hex()}" for value, rgba in (render or {}).items() if rgba[3]}
    told = {c["value"]: c["colour"] for c in commons.get(f"{url}/legend.json").json()["classes"]}
    assert told == classified == rendered
    assert colours(commons.pixels(f"{url}/{TILE}")) == set(told.values())
