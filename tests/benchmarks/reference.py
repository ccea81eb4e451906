"""The metric code that all models are compared by, and how far the engine's own metrics are from it."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenarios.validation.metrics import RESOLUTIONS, compare, compare_transitions, figure_of_merit_at

SHARED = Path(__file__).resolve().parents[3] / "shared"
"""Where data and metric code lie: beside the repository."""

Map = NDArray[np.uint8]
_PERCENT = 100


@cache
def load_score_maps(shared: Path = SHARED) -> ModuleType:
    """Import the metric code from its file.

    Raises
    ------
    FileNotFoundError
        It is not beside the repository.
    """
    path = shared / "tools" / "score_maps.py"
    if not path.is_file():
        raise FileNotFoundError("the metric code is not beside the repository (../shared/tools/score_maps.py)")
    spec = importlib.util.spec_from_file_location("score_maps", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@dataclass(frozen=True)
class Score:
    """What the metric code says of a map, or of several on average.

    Parameters
    ----------
    figure_of_merit : by edge of the blocks, in cells, inside which errors are forgiven
    observed_change, simulated_change : percent of the landscape
    disagreement : largest difference from the engine's own metrics, all as shares from 0 to 1 (and below 0 for kappa)
    """

    figure_of_merit: Mapping[int, float]
    observed_change: float
    simulated_change: float
    disagreement: float


def score(initial: Map, observed: Map, simulated: Sequence[Map]) -> Score:
    """Score maps, and return the mean of their scores.

    Parameters
    ----------
    initial, observed : (y, x) uint8, legend values, 0 = no data
    simulated : one or more such maps
    """
    module = load_score_maps()
    found = [module.evaluate(initial, observed, each) for each in simulated]
    coarse = {n: float(np.mean([each["fom_multires"][n] for each in found])) for n in RESOLUTIONS}
    gaps = [disagree(each, initial, observed, map_) for each, map_ in zip(found, simulated, strict=True)]
    return Score(
        figure_of_merit=coarse,
        observed_change=float(np.mean([each["observed_change_pct"] for each in found])),
        simulated_change=float(np.mean([each["simulated_change_pct"] for each in found])),
        disagreement=max(gaps),
    )


def disagree(found: Mapping[str, Any], initial: Map, observed: Map, simulated: Map) -> float:
    """Return the largest difference between what the metric code found and the engine's metrics."""
    own = compare(initial, observed, simulated)
    pairs = [
        (found["fom"], own.figure_of_merit),
        (found["producers_accuracy"], own.found),
        (found["kappa_simulation"], own.kappa_simulation),
        (found["observed_change_pct"] / _PERCENT, own.observed_change),
        (found["simulated_change_pct"] / _PERCENT, own.simulated_change),
        (found["quantity_disagreement_pct"] / _PERCENT, own.quantity),
        (found["exchange_pct"] / _PERCENT, own.exchange),
        (found["shift_pct"] / _PERCENT, own.shift),
        (found["n"], own.cells),
    ]
    coarse = figure_of_merit_at(initial, observed, simulated)
    pairs += [(found["fom_multires"][n], coarse[n]) for n in RESOLUTIONS]
    transitions = {f"{t.source}->{t.target}": t for t in compare_transitions(initial, observed, simulated)}
    for name in {*found["per_transition"], *transitions}:
        theirs, ours = found["per_transition"].get(name, {}), transitions.get(name)
        pairs += [(theirs.get(count, -1), getattr(ours, count, -1)) for count in ("observed", "simulated", "hits")]
    return max(abs(a - b) for a, b in pairs if not (np.isnan(a) and np.isnan(b)))
