"""Legends survive every form they are written in, and refuse to contradict themselves."""

from __future__ import annotations

import copy
import doctest
import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import catalog.legend
from catalog.errors import LegendError, UnknownClass
from catalog.legend import Legend, LegendClass, slug

REFERENCE = Path(__file__).resolve().parents[3] / "shared"

names = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,15}", fullmatch=True)
titles = st.dictionaries(
    st.sampled_from(["en", "es", "id", "sw"]),
    st.text(min_size=1, max_size=20).filter(lambda text: bool(text.strip())),
    min_size=1,
)
colours = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")
crosswalks = st.none() | st.sampled_from(["Forest land", "Cropland"])


@st.composite
def legends(draw: st.DrawFn) -> Legend:
    values = draw(st.lists(st.integers(1, 255), min_size=1, max_size=12, unique=True))
    found = draw(st.lists(names, min_size=len(values), max_size=len(values), unique=True))
    classes = tuple(
        LegendClass(value, name, draw(titles), draw(colours), draw(crosswalks), draw(crosswalks))
        for value, name in zip(values, found, strict=True)
    )
    nodata = draw(st.sampled_from(sorted(set(range(256)) - set(values))))
    return Legend(classes, nodata)


@settings(deadline=None)
@given(legends())
def test_json_round_trip(legend: Legend) -> None:
    assert Legend.from_json(json.loads(json.dumps(legend.to_json()))) == legend


@settings(deadline=None)
@given(legends())
def test_classification_round_trip(legend: Legend) -> None:
    classes = json.loads(json.dumps(legend.to_classification()))
    assert Legend.from_classification(classes) == legend


@settings(deadline=None)
@given(legends())
def test_pickle_and_copy(legend: Legend) -> None:
    assert pickle.loads(pickle.dumps(legend)) == legend == copy.deepcopy(legend)
    assert hash(pickle.loads(pickle.dumps(legend))) == hash(legend)


@settings(deadline=None)
@given(legends())
def test_every_class_is_found_by_value_and_by_name(legend: Legend) -> None:
    assert legend.values == tuple(sorted(legend.values))
    for entry in legend:
        assert legend.get(entry.value) is legend.get(entry.name) is entry
        assert legend.value_of(np.uint8(entry.value)) == entry.value
    assert len(legend) == len(legend.names)


@settings(deadline=None)
@given(legends())
def test_the_colormap_holds_every_value(legend: Legend) -> None:
    colormap = legend.colormap()
    assert set(colormap) == {legend.nodata, *legend.values}
    assert colormap[legend.nodata] == (0, 0, 0, 0)
    assert all("#{:02x}{:02x}{:02x}".format(*colormap[entry.value]) == entry.colour for entry in legend)


def test_the_examples_of_the_documentation() -> None:
    found = doctest.testmod(catalog.legend)
    assert found.attempted > 2
    assert found.failed == 0


def test_the_short_form() -> None:
    legend = Legend.from_json({"nodata": 0, "classes": {"2": "Flooded vegetation", "1": "Forest"}})
    assert legend.names == ("forest", "flooded-vegetation")
    assert legend.get("forest").title == {"en": "Forest"}


@pytest.mark.skipif(not REFERENCE.is_dir(), reason="the data beside the repository are not here")
def test_the_legend_of_plum_island() -> None:
    legend = Legend.read(REFERENCE / "data/pie/legend.json")
    assert [(entry.value, entry.name) for entry in legend] == [(1, "forest"), (2, "built"), (3, "other")]


@pytest.mark.parametrize(
    ("title", "name"),
    [("Bosque húmedo", "bosque-humedo"), ("  Snow/ice ", "snow-ice"), ("森林", ""), ("Built_area", "built-area")],
)
def test_slug(title: str, name: str) -> None:
    assert slug(title) == name


def test_titles_that_make_no_name_or_the_same() -> None:
    legend = Legend.from_json({"nodata": 0, "classes": {"1": "森林", "2": "Other", "3": "other!"}})
    assert legend.names == ("class-1", "other", "other-3")


def test_a_table(tmp_path: Path) -> None:
    (tmp_path / "legend.csv").write_text(
        "Code,Name,colour_hex,nodata,ipcc6\n0,No Data,000000,yes,\n1,Water,419BDF,,\n7,Trees,,,Forest land\n"
    )
    legend = Legend.read(tmp_path / "legend.csv")
    assert legend.nodata == 0
    assert [(entry.value, entry.name, entry.ipcc6) for entry in legend] == [
        (1, "water", None),
        (7, "trees", "Forest land"),
    ]
    assert legend.get("water").colour == "#419bdf"


def test_labels_fall_back_to_english_and_then_to_any() -> None:
    entry = LegendClass(1, "forest", {"es": "Bosque", "en": "Forest"}, "#112233")
    assert (entry.label("es"), entry.label("sw")) == ("Bosque", "Forest")
    assert LegendClass(1, "forest", {"es": "Bosque"}, "#112233").label() == "Bosque"


def test_a_legend_cannot_be_changed() -> None:
    legend = Legend.from_json({"nodata": 0, "classes": {"1": "Forest"}})
    with pytest.raises(AttributeError):
        legend.nodata = 3  # type: ignore[misc]
    with pytest.raises(TypeError):
        legend.classes[0].title["en"] = "Wood"  # type: ignore[index]


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"classes": {"1": "Forest"}}, 'needs the key "nodata"'),
        ({"nodata": 0}, 'needs the key "classes"'),
        ({"nodata": 0, "classes": {}}, "has no classes"),
        ({"nodata": 0, "classes": "Forest"}, '"classes" must be a list'),
        ({"nodata": 0, "classes": {"0": "Forest"}}, "value '0': classes have whole numbers from 1 to 255"),
        ({"nodata": 0, "classes": {"256": "Forest"}}, "value '256'"),
        ({"nodata": 0, "classes": {"1.5": "Forest"}}, "value '1.5'"),
        ({"nodata": 0, "classes": [{"value": True, "name": "a"}]}, "value True"),
        ({"nodata": 0, "classes": [{"name": "a"}]}, "Class 'a' has the value None"),
        ({"nodata": 1, "classes": {"1": "Forest"}}, "both nodata and the class 'forest'"),
        ({"nodata": -1, "classes": {"1": "Forest"}}, "nodata is -1"),
        ({"nodata": "x", "classes": {"1": "Forest"}}, "nodata is 'x'"),
        ({"nodata": 0, "classes": {"1": ""}}, "neither a name nor a title"),
        ({"nodata": 0, "classes": {"1": {"title": {}, "name": "a"}}}, None),
        ({"nodata": 0, "classes": {"1": {"title": {"en": ""}, "name": "a"}}}, "no text as its title"),
        ({"nodata": 0, "classes": [{"value": 1, "name": "a"}, {"value": 1, "name": "b"}]}, "the value 1"),
        ({"nodata": 0, "classes": [{"value": 1, "name": "a"}, {"value": 2, "name": "a"}]}, "the name 'a'"),
        ({"nodata": 0, "classes": [{"value": 1, "name": "Open Forest"}]}, "has the name 'Open Forest'"),
        ({"nodata": 0, "classes": [{"value": 1, "name": "a", "colour": "green"}]}, "has the colour 'green'"),
        ({"nodata": 0, "classes": [{"value": 1, "name": "a", "colour": 5}]}, "has the colour 5"),
    ],
)
def test_what_contradicts_itself(document: dict, message: str | None) -> None:
    if message is None:
        # An empty title is no title: the name is shown instead.
        assert Legend.from_json(document).get("a").title == {"en": "a"}
        return
    with pytest.raises(LegendError, match=message):
        Legend.from_json(document)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("legend.json", "{", "is not valid JSON"),
        ("legend.txt", "1 Forest", r"neither \.json nor \.csv"),
        ("legend.csv", "", "lacks the column 'code'"),
        ("legend.csv", "code\n1\n", "lacks the column 'name'"),
        ("legend.csv", "code,name\nx,Forest\n", "has the value 'x'"),
    ],
)
def test_files_that_cannot_be_read(tmp_path: Path, name: str, content: str, message: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(LegendError, match=message):
        Legend.read(tmp_path / name)


def test_an_unknown_class_is_answered_with_those_there_are() -> None:
    legend = Legend.from_json({"nodata": 0, "classes": {"1": "Forest", "2": "Built"}})
    with pytest.raises(UnknownClass, match=r"no class 'forrest'; it has: 1 forest, 2 built\. Did you mean 'forest'"):
        legend.get("forrest")
    with pytest.raises(LookupError, match="no class 9"):
        legend.value_of(9)
