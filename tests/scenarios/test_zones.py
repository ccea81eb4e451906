"""Zones: made of layers and polygons, counted each by itself, and adding up to the landscape."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.legend import Legend
from scenarios.demand.transitions import tabulate_history
from scenarios.demand.zones import REST, Zones, choose_zones, tabulate_zones
from scenarios.errors import ScenarioInvalid
from scenarios.spec import DemandRule, load_scenario
from tests.scenarios.landscapes import LEGEND, geographic_grid, place, projected_grid, random_map, scenario

GRID = projected_grid((4, 6))
DISTRICTS = Legend.from_json({"nodata": 9, "classes": {"3": "North", "7": "South"}})


def test_a_layer_of_classes_makes_zones() -> None:
    classes = np.array([[3, 3, 7], [0, 7, 7]], np.uint8)
    zones = Zones.of_layer(classes, DISTRICTS)
    assert zones.names == (REST, "north", "south")
    assert zones.code.tolist() == [[1, 1, 2], [0, 2, 2]]


def test_polygons_make_zones_and_leave_a_rest() -> None:
    west, east = place(GRID, (0, 4), (0, 2)), place(GRID, (0, 3), (2, 6))
    zones = Zones.of_places({"west": west, "east": east}, GRID)
    assert zones.names == (REST, "west", "east")
    assert zones.code.tolist() == [[1, 1, 2, 2, 2, 2]] * 3 + [[1, 1, 0, 0, 0, 0]]


@pytest.mark.parametrize(
    ("places", "told"),
    [
        ({"a": place(GRID, (0, 2), (0, 6)), "b": place(GRID, (1, 4), (0, 6))}, "zones 'a' and 'b' overlap"),
        ({"a": place(GRID, (50, 60), (50, 60))}, "zone 'a' holds no cell"),
        ({"a": {"type": "Polygon"}}, "zone 'a' is not a GeoJSON geometry"),
        ({str(n): {} for n in range(256)}, "256 zones; there can be 255"),
    ],
)
def test_polygons_that_are_no_zones_are_refused(places: dict[str, Any], told: str) -> None:
    with pytest.raises(ScenarioInvalid, match=told):
        Zones.of_places(places, GRID)


def test_a_layer_that_is_not_at_hand_is_refused() -> None:
    assert choose_zones(DemandRule(), GRID) is None
    with pytest.raises(ScenarioInvalid, match="'districts', which are not at hand"):
        choose_zones(DemandRule(zones="districts"), GRID)
    given = Zones.of_layer(np.full((4, 6), 3, np.uint8), DISTRICTS)
    assert choose_zones(DemandRule(zones="districts"), GRID, given) is given


@given(st.integers(0, 2**16), st.booleans())
@settings(deadline=None, max_examples=20)
def test_the_zones_of_an_interval_add_up_to_its_table(seed: int, degrees: bool) -> None:
    shape = (15, 22)
    grid = geographic_grid(shape) if degrees else projected_grid(shape)
    history = {year: random_map(shape, seed + year) for year in (1990, 1995, 2000)}
    zones = Zones(("", "a", "b"), np.random.default_rng(seed).integers(0, 3, shape).astype(np.uint8))
    tables = tabulate_history(history, LEGEND, grid)
    area = tabulate_zones(history, tables, zones, grid)
    np.testing.assert_allclose(area.sum(axis=1), [table.area_ha for table in tables], rtol=1e-12)
    only = {year: zones.inside(2, cover) for year, cover in history.items()}
    np.testing.assert_allclose(area[:, 2], [table.area_ha for table in tabulate_history(only, LEGEND, grid)])
    weights = zones.weigh(history[2000], LEGEND.values, grid)
    np.testing.assert_array_equal(weights.sum(axis=0), grid.weigh(history[2000], LEGEND.values))


def test_blocks_of_a_zone_hold_all_its_cells() -> None:
    zones = Zones.of_places({"west": place(GRID, (0, 4), (0, 2))}, GRID)
    blocks = GRID.blocks(2)
    assert zones.blocks(1, blocks) == [block for block in blocks if block[2] == 0]
    assert zones.blocks(0, blocks) == [block for block in blocks if block[2] > 0]
    assert Zones.whole(GRID.shape).blocks(0, blocks) == blocks


def write_zones(folder: Path, *names: str | None) -> Path:
    features = [
        {
            "type": "Feature",
            "properties": {} if name is None else {"name": name},
            "geometry": place(GRID, (0, 4), (column, column + 1)),
        }
        for column, name in enumerate(names)
    ]
    (folder / "districts.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}), "utf-8")
    path = folder / "scenario.yaml"
    document = scenario().to_yaml()
    document = document.replace("rule: markov", "rule: markov\n  zones: districts.geojson")
    path.write_text(document, "utf-8")
    return path


def test_a_scenario_takes_in_the_polygons_of_its_file(tmp_path: Path) -> None:
    found = load_scenario(write_zones(tmp_path, "west", "east", "west"))
    assert isinstance(found.demand.zones, dict)
    zones = Zones.of_places(found.demand.zones, GRID)
    assert zones.names == (REST, "west", "east")
    assert zones.code[0].tolist() == [1, 2, 1, 0, 0, 0]
    (tmp_path / "kept.yaml").write_text(found.to_yaml(), "utf-8")
    assert load_scenario(tmp_path / "kept.yaml") == found


def test_polygons_without_names_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ScenarioInvalid, match=r"districts\.geojson has polygons without a name"):
        load_scenario(write_zones(tmp_path, "west", None))
    with pytest.raises(ScenarioInvalid, match=r"districts\.geojson has polygons without a name"):
        load_scenario(write_zones(tmp_path, None, None))


def test_the_name_of_a_layer_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "scenario.yaml"
    path.write_text(scenario(demand={"zones": "districts"}).to_yaml(), "utf-8")
    assert load_scenario(path).demand.zones == "districts"
