"""The scenario file: what is projected, from when, for how long, by which rules and with which plans.

Every model here is frozen and validated at construction; YAML and JSON are read and written without loss, and
`Scenario.model_json_schema()` is the published schema.
"""

from scenarios.spec.drivers import DerivedDriver
from scenarios.spec.plans import (
    ChangeRate,
    Convert,
    Cost,
    Intervention,
    Protect,
    ReplaceDriver,
    Restore,
    Target,
)
from scenarios.spec.reading import load_scenario
from scenarios.spec.rules import AllocationRule, ConversionRule, DemandRule, PotentialRule, TransitionRule
from scenarios.spec.scenario import Scenario

__all__ = [
    "AllocationRule",
    "ChangeRate",
    "ConversionRule",
    "Convert",
    "Cost",
    "DemandRule",
    "DerivedDriver",
    "Intervention",
    "PotentialRule",
    "Protect",
    "ReplaceDriver",
    "Restore",
    "Scenario",
    "Target",
    "TransitionRule",
    "load_scenario",
]
