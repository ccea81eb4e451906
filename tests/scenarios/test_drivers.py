"""Drivers that are derived: distances, times and categories against values worked out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from odc.geo.geobox import GeoBox
from pyproj import Transformer

from scenarios.errors import ScenarioInvalid
from scenarios.grid import Grid
from scenarios.potential.drivers import Drivers, as_categories, derive_drivers, distance_to, years_since_change
from scenarios.spec import DerivedDriver
from tests.scenarios.landscapes import LEGEND, Map, geographic_grid, place, projected_grid, random_map

SHAPE = (3, 4)
TALL = Grid(GeoBox(SHAPE, Affine(30, 0, 500_000, 0, -40, 4_000_000), "EPSG:32618"))  # cells 30 m wide, 40 m high
NONE = float("nan")


def derive(year: int, *wanted: str | dict[str, Any], history: dict[int, Map] | None = None, **layers: Any) -> Drivers:
    named = [each if isinstance(each, str) else DerivedDriver.model_validate(each) for each in wanted]
    past = history or {1990: random_map(SHAPE, nodata=0)}
    return derive_drivers(named, layers, past, legend=LEGEND, grid=TALL)(year)


def test_distances_are_straight_lines_between_centres_in_metres() -> None:
    target = np.zeros(SHAPE, bool)
    target[0, 0] = target[2, 3] = True
    expected = [[0, 30, 60, 80], [40, 50, np.hypot(30, 40), 40], [80, 60, 30, 0]]
    found = distance_to(target, TALL)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_distances_in_degrees_are_metres_on_the_ground() -> None:
    # At 45 degrees a degree of latitude is 111,132 m and one of longitude 78,847 m (WGS 84).
    grid = geographic_grid((3, 3), step=0.01, north=45.015)
    assert grid.cell_edges_m == pytest.approx((1111.32, 788.47), abs=0.02)
    corner = np.zeros((3, 3), bool)
    corner[0, 0] = True
    found = distance_to(corner, grid)
    assert found[0, 2] == pytest.approx(2 * 788.47, abs=0.05)
    assert found[2, 0] == pytest.approx(2 * 1111.32, abs=0.05)


def test_edges_of_cells_in_feet_are_given_in_metres() -> None:
    grid = Grid(GeoBox(SHAPE, Affine(100, 0, 0, 0, -200, 0), "EPSG:2249"))
    assert grid.cell_edges_m == pytest.approx((200 * 1200 / 3937, 100 * 1200 / 3937))


def test_a_class_that_is_nowhere_is_at_no_distance() -> None:
    forest = np.ones(SHAPE, np.uint8)
    assert np.isnan(derive(1990, {"distance_to": "built"}, history={1990: forest})["distance to built"]).all()


def test_a_line_is_every_cell_that_it_touches() -> None:
    corners = np.array([[500_005, 3_999_995], [500_115, 3_999_885]])  # from the first cell to the last
    points = Transformer.from_crs("EPSG:32618", "EPSG:4326", always_xy=True).transform(*corners.T)
    road = {"type": "LineString", "coordinates": np.transpose(points).tolist()}
    found = derive(1990, {"distance_to": road, "name": "distance to road"})["distance to road"]
    on_road = [[True, True, False, False], [False, True, True, False], [False, False, True, True]]
    np.testing.assert_array_equal(found == 0, on_road)
    assert found[0, 2] == 30


def test_a_class_is_seen_as_it_was_in_the_year() -> None:
    first, last = np.ones(SHAPE, np.uint8), np.ones(SHAPE, np.uint8)
    first[0, 0] = last[2, 3] = 2
    history = {1990: first, 2000: last}
    wanted = {"distance_to": "built"}
    assert derive(1990, wanted, history=history)["distance to built"][0, 0] == 0
    assert derive(1995, wanted, history=history)["distance to built"][0, 0] == 0
    assert derive(2000, wanted, history=history)["distance to built"][0, 0] == np.float32(np.hypot(80, 90))


def test_years_since_a_change_count_from_the_middle_between_two_dates() -> None:
    history = {
        1980: np.array([[1, 1, 1, 1, 0, 0]], np.uint8),
        1990: np.array([[2, 1, 2, 1, 1, 0]], np.uint8),
        1994: np.array([[2, 2, 3, 1, 1, 0]], np.uint8),
        2010: np.array([[1, 1, 1, 2, 2, 1]], np.uint8),
    }
    # In 1990: changed about 1985; at least 10 years the same; unknown.
    np.testing.assert_array_equal(years_since_change(history, 1990), [[5, 10, 5, 10, NONE, NONE]])
    # In 1994, 1985 and 1992 are 9 and 2 years ago; the fifth cell is known since 1990.
    np.testing.assert_array_equal(years_since_change(history, 1994), [[9, 2, 2, 14, 4, NONE]])
    np.testing.assert_array_equal(years_since_change(history, 1999), [[14, 7, 7, 19, 9, NONE]])


def test_one_date_tells_no_time_since_a_change() -> None:
    history = {1990: random_map(SHAPE, 1), 2000: random_map(SHAPE, 2)}
    assert np.isnan(derive(1990, "time_since_change", history=history)["time_since_change"]).all()
    assert np.isfinite(derive(2000, "time_since_change", history=history)["time_since_change"]).any()


@given(seed=st.integers(0, 2**16), year=st.sampled_from([1990, 1995, 2000]))
@settings(deadline=None, max_examples=20)
def test_no_driver_sees_what_comes_after_its_year(seed: int, year: int) -> None:
    history = {date: random_map(SHAPE, seed + date) for date in (1990, 2000, 2010)}
    other = {date: random_map(SHAPE, seed + 7 * date) if date > year else cover for date, cover in history.items()}
    wanted = ({"distance_to": "built"}, "time_since_change")
    one, two = derive(year, *wanted, history=history), derive(year, *wanted, history=other)
    for name in one:
        np.testing.assert_array_equal(one[name], two[name])


def test_without_names_every_layer_is_a_driver() -> None:
    height = np.zeros(SHAPE, np.float32)
    assert list(derive(1990, height=height)) == ["height"]


def test_drivers_keep_their_order_and_their_names() -> None:
    found = derive(
        1990,
        {"position_of": "height", "radius_m": 90},
        "height",
        {"slope_of": "height"},
        {"categories_of": "soils"},
        {"distance_to": "built", "name": "town"},
        height=np.zeros(SHAPE, np.float32),
        soils=np.ones(SHAPE, np.float32),
        idle=np.zeros(SHAPE, np.float32),
    )
    assert list(found) == ["position of height within 90 m", "height", "slope of height", "soils", "town"]
    assert {name: values.dtype.name for name, values in found.items() if values.dtype != np.float32} == {
        "soils": "uint8"
    }


def test_a_layer_called_like_the_time_is_that_layer() -> None:
    mine = np.full(SHAPE, 7, np.float32)
    assert derive(1990, "time_since_change", time_since_change=mine)["time_since_change"] is mine


def test_numbers_become_categories() -> None:
    codes = as_categories(np.array([[1, 255, NONE, 0]], np.float32), "soils")
    assert codes.dtype == np.uint8
    np.testing.assert_array_equal(codes, [[1, 255, 0, 0]])


@pytest.mark.parametrize("value", [0.5, -1, 256])
def test_what_is_no_category_is_refused(value: float) -> None:
    with pytest.raises(ScenarioInvalid, match=f"'soils' holds {value:g}.*whole numbers from 1 to 255"):
        as_categories(np.array([[1, value]], np.float32), "soils")


FAR = place(projected_grid((3, 4)), (900, 910), (900, 910))
WRONG: list[tuple[str | dict[str, Any], str]] = [
    ("depth", "names the layer 'depth'; there is height, soils"),
    ({"slope_of": "depth"}, "'slope of depth' needs the layer 'depth'; there is height, soils"),
    ({"slope_of": "soils"}, "'slope of soils' is made of heights, and the layer 'soils' holds categories"),
    ({"distance_to": "road"}, "names no class of the legend: forest, built, other"),
    ({"distance_to": FAR, "name": "far"}, "'far' is the distance to touches no cell"),
    ({"distance_to": {"type": "Line"}, "name": "bad"}, "place of the driver 'bad' is not a GeoJSON geometry"),
]


@pytest.mark.parametrize(("wanted", "told"), WRONG)
def test_what_cannot_be_made_is_named(wanted: str | dict[str, Any], told: str) -> None:
    with pytest.raises(ScenarioInvalid, match=told):
        derive(1990, wanted, height=np.zeros(SHAPE, np.float32), soils=np.ones(SHAPE, np.uint8))
