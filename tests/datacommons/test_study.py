"""What a study reads: the layers that plans name count as inputs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import datacommons as dc
from datacommons.commons import Commons
from datacommons.errors import LayerNotFound
from datacommons.study import Study
from tests.datacommons.conftest import WriteRaster


def study(commons: Commons, *plans: dict[str, Any], **fields: Any) -> Study:
    scenario = dc.Scenario(
        id="roads",
        title="Roads",
        landscape="valley",
        start=2000,
        years=3,
        members=1,
        history=(1990, 2000),
        transitions={"minimum_hectares": 0},
        interventions=plans,
        **fields,
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


def test_a_run_with_a_replaced_driver_is_kept_whole(roads: Commons) -> None:
    found = study(roads, RING)
    run = roads.run(found.scenario, progress=False)
    assert run.scenario == found.scenario
