"""Difference tiles: what two maps show side by side, subtracted pixel by pixel."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from catalog.legend import Legend, LegendClass

TILE = "tiles/WebMercatorQuad/13/2345/3017.png"
RUN = "/runs/plan-a/2030"
GAINED, LOST, KEPT = [0x4A, 0x9A, 0x5B, 255], [0x63, 0x33, 0x7F, 255], [0xDA, 0xD5, 0xCA, 255]
OTHER = [0xD6, 0xA2, 0x4A, 255]


@pytest.fixture
def later(land_cover: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Half of the cells are what they were; the others are drawn anew, some of them without data."""
    rng = np.random.default_rng(11)
    drawn = rng.choice(np.array([0, 1, 2, 5, 9], dtype=np.uint8), size=land_cover.shape)
    return np.where(rng.random(land_cover.shape) < 0.5, land_cover, drawn)


@pytest.fixture
def run(commons: Any, land_cover: NDArray[np.uint8], later: NDArray[np.uint8], legend: Legend) -> Any:
    for item, cells, end in (("plan-a-2025", land_cover, "11"), ("plan-a-2030", later, "22")):
        checksum = "1220" + end * 32
        commons.add_layer("run-maps", item, cells, legend=legend, asset="map", checksum=checksum, title=item)
    return commons


def seen(commons: Any, year: int) -> NDArray[np.uint8]:
    return np.asarray(commons.pixels(f"/runs/plan-a/{year}/{TILE}"))


def changed(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> NDArray[np.bool_]:
    return (one[..., 3] > 0) & (other[..., 3] > 0) & (one != other).any(axis=2)


@pytest.mark.parametrize(("style", "shown"), [("", 2030), ("&style=changed-to", 2030), ("&style=changed-from", 2025)])
def test_where_the_class_changes_the_new_or_the_old_one_is_shown(run: Any, style: str, shown: int) -> None:
    before, after = seen(run, 2025), seen(run, 2030)
    expected = np.where(changed(before, after)[..., None], before if shown == 2025 else after, 0)
    tile = run.pixels(f"{RUN}/difference/{TILE}?since=2025{style}")
    np.testing.assert_array_equal(tile, expected)
    assert 0.1 < (tile[..., 3] > 0).mean() < 0.5


@pytest.mark.parametrize("name", ["forest", "water"])
def test_a_class_is_gained_lost_and_kept(run: Any, legend: Legend, name: str) -> None:
    before, after = seen(run, 2025), seen(run, 2030)
    colour = [*legend.get(name).rgb, 255]
    was, is_now = (before == colour).all(axis=2), (after == colour).all(axis=2)
    known = (before[..., 3] > 0) & (after[..., 3] > 0)
    expected = np.zeros_like(before)
    other = changed(before, after) & ~was & ~is_now
    for state, where in ((GAINED, is_now & ~was), (LOST, was & ~is_now), (KEPT, was & is_now), (OTHER, other)):
        expected[where & known] = state
    tile = run.pixels(f"{RUN}/difference/{TILE}?since=2025&class={name}")
    np.testing.assert_array_equal(tile, expected)
    assert len(np.unique(tile.reshape(-1, 4), axis=0)) == 5


def test_two_runs_are_compared_in_the_same_year_or_in_two(
    run: Any, land_cover: NDArray[np.uint8], legend: Legend
) -> None:
    for year in (2028, 2030):
        run.add_layer("run-maps", f"plan-b-{year}", land_cover[::-1], legend=legend, asset="map")
    other = run.pixels(f"/runs/plan-b/2030/{TILE}")
    after = seen(run, 2030)
    expected = np.where(changed(other, after)[..., None], after, 0)
    for query in ("against=plan-b", "against=plan-b&since=2028"):
        np.testing.assert_array_equal(run.pixels(f"{RUN}/difference/{TILE}?{query}"), expected)


def test_an_observed_map_is_compared_by_the_names_of_its_classes(
    run: Any, land_cover: NDArray[np.uint8], legend: Legend
) -> None:
    """The same map with other values and colours has not changed, but for a class that only one of them has."""
    ours = [LegendClass(c.value + 20, c.name, c.title, "#123456") for c in legend if c.name != "water"]
    theirs = Legend((*ours, LegendClass(99, "sea", {"en": "Sea"}, "#0000ff")))
    values = {0: 0, 1: 21, 2: 22, 5: 99, 9: 29}
    cells = np.vectorize(values.__getitem__, otypes=[np.uint8])(land_cover)
    run.add_layer("land-cover", "seen", cells, legend=theirs)
    before = seen(run, 2025)
    water = (before == [*legend.get("water").rgb, 255]).all(axis=2)
    base = "/runs/plan-a/2025/difference"
    tile = run.pixels(f"{base}/{TILE}?against=land-cover/seen")
    np.testing.assert_array_equal(tile, np.where(water[..., None], before, 0))
    lost = run.pixels(f"{base}/{TILE}?against=land-cover/seen&class=sea")
    assert (lost[water] == LOST).all()
    names = [c["name"] for c in run.get(f"{base}/legend.json?against=land-cover/seen").json()["classes"]]
    assert names == list(legend.names)


def test_the_first_year_of_a_run_is_the_observed_map_it_starts_from(
    run: Any, land_cover: NDArray[np.uint8], legend: Legend
) -> None:
    run.add_layer("land-cover", "valley-land-cover-2024", land_cover[::-1], legend=legend)
    link = {"rel": "derived_from", "href": "stac/collections/land-cover/items/valley-land-cover-2024"}
    properties = {"scenario:baseline_datetime": "2024-01-01T00:00:00Z"}
    run.store.items["runs", "plan-a"] = {"id": "plan-a", "properties": properties, "assets": {}, "links": [link]}
    since = run.pixels(f"{RUN}/difference/{TILE}?since=2024")
    against = run.pixels(f"{RUN}/difference/{TILE}?against=land-cover/valley-land-cover-2024")
    np.testing.assert_array_equal(since, against)
    assert since.any()
    run.get(f"{RUN}/difference/{TILE}?since=2023", 404)


def test_tilejson_and_legend_describe_the_difference(run: Any) -> None:
    document = run.get(f"{RUN}/difference/WebMercatorQuad/tilejson.json?since=2025&class=forest").json()
    assert document["name"] == "plan-a-2025 → plan-a-2030"
    (template,) = document["tiles"]
    tile = run.get(template.format(z=13, x=2345, y=3017).removeprefix("http://testserver"))
    assert tile.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert tile.content == run.get(f"{RUN}/difference/{TILE}?since=2025&class=forest").content
    legend = run.get(f"{RUN}/difference/legend.json?since=2025&class=forest&lang=fr").json()
    assert [c["label"] for c in legend["classes"]] == [
        "Forêt: Gagné",
        "Forêt: Perdu",
        "Forêt: Conservé",
        "Forêt: Autre changement",
    ]
    colours = [[*bytes.fromhex(c["colour"][1:]), 255] for c in legend["classes"]]
    assert colours == [GAINED, LOST, KEPT, OTHER]
    assert (legend["before"], legend["after"], legend["class"]) == ("plan-a-2025", "plan-a-2030", "forest")
    picture = run.get(f"{RUN}/difference/legend.png?since=2025")
    assert picture.headers["content-type"] == "image/png"


def test_a_difference_is_kept_for_good_only_by_the_versions_of_both(run: Any) -> None:
    url = f"{RUN}/difference/{TILE}?since=2025"
    plain = run.get(url)
    assert plain.headers["cache-control"] == "public, max-age=300"
    tag = plain.headers["etag"]
    assert run.get(url, 304, headers={"If-None-Match": tag}).content == b""
    run.store.items["run-maps", "plan-a-2025"]["assets"]["map"]["file:checksum"] = "1220" + "33" * 32
    assert run.get(url).headers["etag"] != tag
    del run.store.items["run-maps", "plan-a-2025"]["assets"]["map"]["file:checksum"]
    assert "etag" not in run.get(url).headers


@pytest.mark.parametrize("hidden", ["plan-a-2025", "plan-a-2030"])
def test_who_may_not_see_both_maps_sees_no_difference(run: Any, hidden: str) -> None:
    run.store.items["run-maps", hidden]["properties"]["landscape:access"] = "council"
    for tail in (TILE, "legend.json", "legend.png", "WebMercatorQuad/tilejson.json"):
        url = f"{RUN}/difference/{tail}?since=2025"
        assert "There is no map of the year" in run.get(url, 404).json()["detail"]
        assert run.get(url, headers={"Authorization": "owner"}).headers["cache-control"].startswith("private, ")


@pytest.mark.parametrize(
    ("query", "status", "word"),
    [
        ("", 400, "?since=2025"),
        ("?since=20x5", 400, "no year"),
        ("?since=²", 400, "no year"),
        ("?since=12345", 400, "since in the URL"),
        ("?since=1900", 404, "1900"),
        ("?against=plan-z", 404, "plan-z"),
        ("?against=land-cover/none", 404, "none"),
        ("?against=land-cover/../x", 404, "There is no item"),
        ("?against=%2Fetc%2Fpasswd", 404, "There is no item"),
        ("?against=land-cover/slope", 400, "not classified"),
        ("?against=land-cover/foreign", 400, "no class in common"),
        ("?against=land-cover/foreign&since=2025", 400, "one date"),
        ("?since=2025&style=viridis", 400, "changed-to"),
        ("?since=2025&style=gain-loss", 400, "?class="),
        ("?since=2025&class=forest&style=changed-to", 400, "?class="),
        ("?since=2025&class=lava", 400, "lava"),
        (f"?since=2025&class={'x' * 300}", 400, "class in the URL"),
    ],
)
def test_a_comparison_that_makes_no_sense_is_refused(
    run: Any, land_cover: NDArray[np.uint8], query: str, status: int, word: str
) -> None:
    run.add_layer("land-cover", "slope", land_cover.astype(np.float32))
    foreign = Legend((LegendClass(1, "lava", {"en": "Lava"}, "#ff0000"),))
    run.add_layer("land-cover", "foreign", land_cover, legend=foreign)
    for tail in (TILE, "legend.json"):
        assert word in run.get(f"{RUN}/difference/{tail}{query}", status).json()["detail"]


def test_far_away_a_difference_is_transparent(run: Any) -> None:
    assert not run.pixels(f"{RUN}/difference/tiles/WebMercatorQuad/13/0/0.png?since=2025").any()
    assert run.pixels(f"{RUN}/difference/tiles/WebMercatorQuad/9/146/188@2x.webp?since=2025").shape == (512, 512, 4)
