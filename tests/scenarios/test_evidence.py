"""Evidence: what is known of each transition's model, by name, and as JSON."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from scenarios.potential.curves import Curve
from scenarios.potential.evidence import MOMENTUM, NEIGHBOURHOOD, Evidence, gather_evidence
from scenarios.potential.neighbourhood import Neighbourhood
from scenarios.potential.potential import indifferent
from scenarios.potential.quality import CalibrationBin, OperatingCharacteristic, Quality
from tests.scenarios.landscapes import EVERY_TRANSITION, LEGEND, projected_grid

CURVES = tuple(
    Curve(name, np.array([0.0, 1]), np.array([0.0, 1])) for name in ("slope", "share of class 2", "recent share")
)


@pytest.fixture
def quality() -> Quality:
    return Quality(
        auc=0.71234567,
        auc_error=0.04,
        characteristic=OperatingCharacteristic(np.array([0.0, 5, 20]), np.array([0.0, 4, 4])),
        calibration=(CalibrationBin(20, 0.1, 0.2),),
        importance=np.array([0.01, 0.2, 0.0]),
        neighbourhood=0.25,
        momentum=0.0,
    )


def test_importance_is_named_and_sorted(quality: Quality) -> None:
    importance = Evidence(quality, None, CURVES).importance
    assert list(importance.items()) == [
        (NEIGHBOURHOOD, 0.25),
        ("share of class 2", 0.2),
        ("slope", 0.01),
        ("recent share", 0),
    ]
    recent = Evidence(replace(quality, momentum=0.5), None, CURVES).importance
    assert next(iter(recent)) == MOMENTUM


def test_it_is_json(quality: Quality) -> None:
    found = json.loads(json.dumps(Evidence(quality, None, CURVES).to_dict(), allow_nan=False))
    assert (found["auc"], found["auc_error"], found["refused_auc"]) == (0.7123, 0.04, None)
    assert found["operating_characteristic"] == {"foretold_ha": [0, 5, 20], "hits_ha": [0, 4, 4]}
    assert found["calibration"] == [{"area_ha": 20, "foretold": 0.1, "happened": 0.2}]


def test_what_was_refused_is_told(quality: Quality) -> None:
    nothing_left = Evidence(None, quality, CURVES).to_dict()
    assert nothing_left["auc"] == nothing_left["refused_auc"] == 0.7123
    assert "operating_characteristic" not in nothing_left
    neighbours = Evidence(replace(quality, auc=0.6), replace(quality, auc=0.5), CURVES)
    assert neighbours.auc == 0.6
    assert neighbours.to_dict()["refused_auc"] == 0.5


def test_where_nothing_was_learned_nothing_is_known() -> None:
    near = Neighbourhood(projected_grid(), (1,), LEGEND.values)
    found = gather_evidence(indifferent(EVERY_TRANSITION, near), LEGEND)
    assert next(iter(found)) == "forest to built"
    assert {each.auc for each in found.values()} == {None}
    assert found["built to other"].to_dict() == {
        "auc": None,
        "auc_error": None,
        "refused_auc": None,
        "importance": {},
    }
