from __future__ import annotations

import numpy as np
import rasterio
from numpy.typing import NDArray
from shapely.geometry import Point
from shapely.geometry.base import BaseGeometry

from datacommons.demo import DemoLandscape, generate
from datacommons.demo.legend import BUILT, WATER
from tiles.reading.map_kinds import choose_kind, rank_classes

CELL_M = 30.0


def near(landscape: DemoLandscape, shape: BaseGeometry, cells: float) -> NDArray[np.bool_]:
    """The cells that lie near a shape."""
    return ~rasterio.features.geometry_mask([shape.buffer(cells * CELL_M)], landscape.shape, landscape.transform)


def test_layers_are_shown_as_what_they_are(landscape: DemoLandscape) -> None:
    kinds = [choose_kind({"landscape:layer": name}) for name in landscape.vectors]
    assert kinds == ["rivers", "roads", "places"]
    for name, column in (("rivers", "waterway"), ("roads", "highway"), ("villages", "place")):
        frame = landscape.vectors[name]
        assert (frame.crs, frame["synthetic"].all()) == (landscape.crs, True)
        assert set(rank_classes(frame[column])) <= {1, 2, 3}
        assert len(set(frame[column])) > 1


def test_named_rivers_run_where_water_is_mapped(landscape: DemoLandscape) -> None:
    rivers = landscape.vectors["rivers"]
    named = rivers[rivers["name"].notna()]
    assert named["name"].iloc[0] == "Río Quimera"
    assert named["name"].is_unique
    assert (named["waterway"] == "river").all()
    course = near(landscape, named.geometry.iloc[0], 1.0)
    water = landscape.land_cover[0] == WATER
    assert near(landscape, rivers.union_all(), 4.0)[water].mean() > 0.95
    assert (course & water).sum() > 0.25 * course.sum()


def test_rivers_join_larger_ones_and_the_largest_leaves(landscape: DemoLandscape) -> None:
    lines = landscape.vectors["rivers"].geometry
    mouths = [Point(line.coords[-1]) for line in lines]
    for place, mouth in enumerate(mouths[1:], start=1):
        assert lines.drop(place).distance(mouth).min() < 2 * CELL_M
    east, south, west, north = landscape.boundary.total_bounds
    assert min(abs(np.array([mouths[0].x, mouths[0].y, mouths[0].x, mouths[0].y]) - (east, south, west, north))) < 300


def test_roads_lead_to_every_village(landscape: DemoLandscape) -> None:
    roads = landscape.vectors["roads"].union_all()
    distance = landscape.vectors["villages"].distance(roads)
    assert distance.max() < 3 * CELL_M
    on_road = near(landscape, roads, 1.5)
    assert (landscape.drivers["distance_to_road"][on_road] <= 4 * CELL_M).mean() > 0.95


def test_villages_are_built_up_and_the_largest_come_first(landscape: DemoLandscape) -> None:
    villages = landscape.vectors["villages"]
    assert villages["name"].is_unique
    assert villages["population"].is_monotonic_decreasing
    for spot in villages.geometry:
        assert (landscape.land_cover[-1][near(landscape, spot, 8.0)] == BUILT).any()


def test_the_same_seed_gives_the_same_lines(landscape: DemoLandscape) -> None:
    again = generate(shape=landscape.shape)
    for name, frame in landscape.vectors.items():
        assert frame.equals(again.vectors[name])
