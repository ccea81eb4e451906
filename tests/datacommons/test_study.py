"""What a study reads: the layers that plans name count as inputs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.naive_bayes import GaussianNB

import datacommons as dc
from datacommons.commons import Commons
from datacommons.errors import LayerNotFound
from datacommons.runs.study import Study
from scenarios.errors import ScenarioInvalid
from scenarios.interventions.conversions import NEVER
from tests.datacommons.conftest import BUILT, LEGEND, WriteRaster, draw_land_cover
from tests.scenarios.landscapes import clear_squares


def study(commons: Commons, *plans: dict[str, Any], **fields: Any) -> Study:
    scenario = dc.Scenario(
        id="roads",
        title="Roads",
        landscape="valley",
        years=3,
        members=1,
        history=(1990, 2000),
        transitions={"minimum_hectares": 0},
        interventions=plans,
        **({"start": 2000} | fields),
    )
    return Study.of(commons, scenario, threads=1, chunk=None, progress=False)


@pytest.fixture
def roads(commons: Commons, write_raster: WriteRaster) -> Commons:
    """Return the valley with the distance to today's road and to a planned one."""
    distance = np.broadcast_to(np.arange(60, dtype=np.float32), (40, 60)).copy()
    commons.ingest([write_raster("road.tif", distance)], collection="drivers")
    commons.ingest([write_raster("ring.tif", distance[:, ::-1].copy())], collection="drivers")
    return commons


RING = {"id": "ring", "years": (2002, 2003), "replace_driver": {"driver": "road", "layer": "ring"}}


def test_a_replacing_layer_is_an_input_but_is_not_learned_from(roads: Commons) -> None:
    found = study(roads, RING)
    assert sorted(found.drivers) == ["road"]
    assert sorted(found.layers) == ["ring", "road"]
    assert [layer.name for layer in found.sources][-2:] == ["road", "ring"]
    assert found.lesson != study(roads).lesson
    assert sorted(study(roads).drivers) == ["ring", "road"]


def test_a_priority_layer_is_an_input(roads: Commons) -> None:
    action = {"priority": "ring", "from": ["other"], "to": "forest", "hectares_per_year": 0.1}
    found = study(roads, {"id": "best", "years": (2001, 2003), "convert": action}, potential={"drivers": ["road"]})
    assert sorted(found.layers) == ["ring"]
    assert [layer.name for layer in found.sources][-2:] == ["road", "ring"]
    assert sorted(found.calibration().model.layers) == ["ring"]


@pytest.mark.parametrize(("driver", "layer", "told"), [("sea", "ring", "replaces 'sea'"), ("road", "sea", "'sea'")])
def test_a_layer_that_is_not_there_is_named(roads: Commons, driver: str, layer: str, told: str) -> None:
    with pytest.raises(LayerNotFound, match=told):
        study(roads, {"id": "ring", "years": (2002, 2003), "replace_driver": {"driver": driver, "layer": layer}})


def test_conversion_rules_are_a_part_of_the_lesson(roads: Commons) -> None:
    free = study(roads)
    bound = study(roads, conversions={"residence_years": {"built": 2}})
    assert free.lesson != bound.lesson
    assert free.calibration().model.changed is None
    changed = bound.calibration().model.changed
    assert changed is not None
    assert set(np.unique(changed).tolist()) == {NEVER, 2000}
    with pytest.raises(ScenarioInvalid, match="'moor'"):
        study(roads, conversions={"elasticity": {"moor": 1}})


def test_residence_counts_the_change_after_the_history_too(roads: Commons, write_raster: WriteRaster) -> None:
    cells = draw_land_cover()
    cells[20:30, 10:25] = BUILT
    cells[30:32, 10:25] = BUILT
    roads.ingest([write_raster("lc_2005.tif", cells, nodata=0)], collection="land-cover")
    found = study(roads, start=2005, conversions={"residence_years": {"built": 2}})
    changed = found.calibration().model.changed
    assert changed is not None
    assert (changed[20:30, 10:25] == 2000).all()
    assert (changed[30:32, 10:25] == 2005).all()
    assert (changed == 2005).sum() == 30


@pytest.fixture
def zoned(roads: Commons, write_raster: WriteRaster) -> Commons:
    """Return the valley with its districts, a layer of classes."""
    cells = np.where(np.arange(60) < 20, 1, 2) * np.ones((40, 1))
    legend = dc.Legend.from_json({"nodata": 0, "classes": {"1": "West", "2": "East"}})
    roads.ingest([write_raster("districts.tif", cells.astype(np.uint8))], collection="drivers", legend=legend)
    return roads


def test_a_layer_of_zones_is_an_input(zoned: Commons) -> None:
    found = study(zoned, demand={"zones": "districts"})
    assert sorted(found.drivers) == ["ring", "road"]
    assert [layer.name for layer in found.sources][-1] == "districts"
    assert found.lesson != study(zoned).lesson
    run = zoned.run(found.scenario)
    assert sorted(run.model["transitions"][0]["annual_rate_by_zone"]) == ["east", "outside the zones", "west"]
    assert any(link["title"] == "valley-districts" for link in run.item["links"] if link["rel"] == "derived_from")
    plain = zoned.run(study(zoned).scenario)
    assert "annual_rate_by_zone" not in plain.model["transitions"][0]


@pytest.mark.parametrize(("zones", "told"), [("road", "are measurements"), ("moor", "no layer 'moor'")])
def test_a_layer_that_is_no_zones_is_refused(zoned: Commons, zones: str, told: str) -> None:
    with pytest.raises(LayerNotFound, match=told):
        study(zoned, demand={"zones": zones})


def test_polygons_outside_are_refused_before_anything_is_learned(zoned: Commons) -> None:
    far = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}
    with pytest.raises(ScenarioInvalid, match="zone 'far' holds no cell"):
        study(zoned, demand={"zones": {"far": far}})


def test_a_run_with_a_replaced_driver_is_kept_whole(roads: Commons) -> None:
    found = study(roads, RING)
    run = roads.run(found.scenario, progress=False)
    assert run.scenario == found.scenario


def test_a_run_tells_what_it_has_learned_of_patches(empty_commons: Commons, write_raster: WriteRaster) -> None:
    earlier = np.ones((60, 60), np.uint8)
    later = clear_squares(earlier, 2, new=12, expanding=0)
    files = [write_raster("lc_1990.tif", earlier, nodata=0), write_raster("lc_2000.tif", later, nodata=0)]
    empty_commons.ingest(files, collection="land-cover", legend=dc.Legend.from_json(LEGEND))
    run = empty_commons.run(study(empty_commons, allocation={"rule": "patches"}).scenario, progress=False)
    (transition,) = run.model["transitions"]
    assert transition["patches"]["observed"] == 12
    assert transition["patches"]["mean_ha"] == pytest.approx(4 * 0.09)
    assert (transition["patches"]["expansion_share"], transition["patches"]["compactness"]) == (0, 1)
    assert "patches" in run.item["properties"]["processing:lineage"]


def test_a_run_says_what_it_was_learned_by(roads: Commons) -> None:
    plain = study(roads, potential={"model": "weights_of_evidence"})
    run = roads.run(plain.scenario)
    assert run.model["model"] == "weights_of_evidence"
    assert "weights of evidence potential" in run.item["properties"]["processing:lineage"]
    own = roads.run(plain.scenario, classifier=GaussianNB(var_smoothing=0.01))
    assert own.model["model"] == "GaussianNB(var_smoothing=0.01)"
    assert "GaussianNB(var_smoothing=0.01) potential" in own.item["properties"]["processing:lineage"]
    assert any("a classifier from Python" in note for note in own.model["notes"])
    prints = [each.item["properties"]["scenario:fingerprint"] for each in (run, own)]
    assert prints[0] == plain.fingerprint != prints[1]
    again = roads.run(plain.scenario, classifier=GaussianNB(var_smoothing=0.01))
    assert again.item["properties"]["scenario:fingerprint"] == prints[1]
    assert (again.trajectory["land_cover"].values == own.trajectory["land_cover"].values).all()


def test_what_is_no_classifier_is_refused_before_anything_is_learned(roads: Commons) -> None:
    with pytest.raises(ScenarioInvalid, match="the class GaussianNB, not an object"):
        roads.run(study(roads).scenario, classifier=GaussianNB)
    assert roads.runs() == []


def test_a_run_says_where_there_were_too_few_patches(commons: Commons) -> None:
    run = commons.run(study(commons, allocation={"rule": "patches"}).scenario, progress=False)
    assert run.model["transitions"][0]["patches"] is None
    assert "forest to built: fewer than 10 patches of change; placed cell by cell" in run.model["notes"]


@pytest.fixture
def soils(roads: Commons, write_raster: WriteRaster) -> Commons:
    """Return the valley with heights, and with soils that have a legend."""
    rows, columns = np.indices((40, 60))
    legend = dc.Legend.from_json({"nodata": 0, "classes": {"1": "Sand", "4": "Clay"}})
    kinds = np.where(columns < 30, 1, 4).astype(np.uint8)
    roads.ingest([write_raster("soils.tif", kinds, nodata=0)], collection="drivers", legend=legend)
    roads.ingest([write_raster("soils_2.tif", kinds[:, ::-1].copy(), nodata=0)], collection="drivers", legend=legend)
    roads.ingest([write_raster("height.tif", (rows * 3.0 + columns).astype(np.float32))], collection="drivers")
    return roads


def test_a_layer_with_a_legend_is_learned_by_category(soils: Commons) -> None:
    found = study(soils, potential={"drivers": ["soils", "road"]})
    assert {name: values.dtype.name for name, values in found.drivers.items()} == {"soils": "uint8", "road": "float32"}
    curve = found.calibration().model.potential.explained[0][0]
    assert (curve.driver, curve.value.tolist()) == ("soils", [1, 4])


def test_without_names_only_measurements_are_learned_from(soils: Commons) -> None:
    assert sorted(study(soils).drivers) == ["height", "ring", "road"]


DERIVED = [{"distance_to": "built"}, {"slope_of": "height"}, {"categories_of": "soils"}, "time_since_change"]


def test_derived_drivers_take_their_layers_in(soils: Commons) -> None:
    found = study(soils, potential={"drivers": DERIVED})
    assert sorted(found.drivers) == ["height", "soils"]
    assert found.lesson != study(soils, potential={"drivers": DERIVED[:3]}).lesson
    curves = found.calibration().model.potential.explained[0]
    assert [curve.driver for curve in curves[:4]] == [
        "distance to built",
        "slope of height",
        "soils",
        "time_since_change",
    ]
    units = {"distance to built": "m", "slope of height": "degree", "soils": "", "time_since_change": "year"}
    assert {name: found.units[name] for name in units} == units


def swap(driver: str, layer: Any) -> dict[str, Any]:
    return {"id": "swap", "years": (2002, 2003), "replace_driver": {"driver": driver, "layer": layer}}


def test_a_derived_driver_can_be_replaced_by_a_layer_or_by_another_one(soils: Commons) -> None:
    by_layer = study(soils, swap("distance to built", "ring"), potential={"drivers": DERIVED})
    assert set(by_layer.layers) == {"ring", "distance to built", "slope of height", "soils", "time_since_change"}
    other = study(soils, swap("distance to built", {"distance_to": "other"}), potential={"drivers": DERIVED})
    assert other.layers["distance to other"][20, 45] == 0
    assert other.layers["distance to built"][20, 45] > 0
    run = soils.run(other.scenario, progress=False)
    assert run.scenario == other.scenario
    assert run.model["transitions"][0]["curves"][0]["unit"] == "m"


def test_soils_are_replaced_by_soils(soils: Commons) -> None:
    found = study(soils, swap("soils", "soils_2"), potential={"drivers": ["soils"]})
    assert found.layers["soils_2"].dtype == np.uint8
    for driver, layer in (("soils", "road"), ("road", "soils"), ("soils", {"slope_of": "height"})):
        with pytest.raises(LayerNotFound, match="in the place of"):
            study(soils, swap(driver, layer), potential={"drivers": ["soils", "road"]})


def test_the_highest_soils_are_no_priority(soils: Commons) -> None:
    action = {"priority": "soils", "from": ["other"], "to": "forest", "hectares_per_year": 0.1}
    with pytest.raises(LayerNotFound, match=r"highest values of 'soils' first.*holds classes"):
        study(soils, {"id": "best", "years": (2001, 2003), "convert": action})


def test_land_cover_is_no_driver_but_the_distance_to_a_class_is(soils: Commons) -> None:
    with pytest.raises(LayerNotFound, match="distance_to: built"):
        study(soils, potential={"drivers": ["land-cover"]})


def test_a_distance_to_what_is_no_class_is_refused_before_anything_is_learned(soils: Commons) -> None:
    with pytest.raises(ScenarioInvalid, match="no class of the legend"):
        study(soils, potential={"drivers": [{"distance_to": "road"}]})
