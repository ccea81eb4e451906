"""Evidence: what speaks for the model of each transition before it is put to a test, and what it has learned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from catalog.legend import Legend
from scenarios.potential.curves import Curve
from scenarios.potential.potential import Potential
from scenarios.potential.quality import Quality

NEIGHBOURHOOD, MOMENTUM = "the neighbourhood as a whole", "recent change as a whole"


@dataclass(frozen=True, eq=False)
class Evidence:
    """What is known of one transition's model.

    Parameters
    ----------
    quality : on blocks of the past that were held out; None where too little changed, or in one place only
    refused : quality of the model with all drivers, where it was no better than chance and they were dropped
    curves : how each driver and each share of a class moves the odds
    """

    quality: Quality | None
    refused: Quality | None
    curves: tuple[Curve, ...]

    @property
    def auc(self) -> float | None:
        """Area under the ROC curve on held-out blocks; None if it cannot be told."""
        told = self.quality or self.refused
        return told.auc if told is not None else None

    @property
    def importance(self) -> Mapping[str, float]:
        """How much AUC is lost if a driver, a window or all windows are shuffled, the most important first."""
        if self.quality is None:
            return {}
        names = [curve.driver for curve in self.curves]
        lost = dict(zip(names, self.quality.importance.tolist(), strict=True))
        whole = {NEIGHBOURHOOD: self.quality.neighbourhood, MOMENTUM: self.quality.momentum}
        lost |= {name: value for name, value in whole.items() if value}
        return dict(sorted(lost.items(), key=lambda item: -item[1]))

    def to_dict(self) -> dict[str, Any]:
        """Return all but the curves, as JSON can hold it."""
        told = self.quality or self.refused
        return {
            "auc": _round(told.auc) if told is not None else None,
            "auc_error": _round(told.auc_error) if told is not None else None,
            "refused_auc": _round(self.refused.auc) if self.refused is not None else None,
            "importance": {name: _round(lost) for name, lost in self.importance.items()},
            **(_list_curves(self.quality) if self.quality is not None else {}),
        }


def _list_curves(quality: Quality) -> dict[str, Any]:
    curve = quality.characteristic
    return {
        "operating_characteristic": {
            "foretold_ha": np.round(curve.foretold_ha, 2).tolist(),
            "hits_ha": np.round(curve.hits_ha, 2).tolist(),
        },
        "calibration": [
            {"area_ha": round(b.area_ha, 2), "foretold": round(b.foretold, 6), "happened": round(b.happened, 6)}
            for b in quality.calibration
        ],
    }


def gather_evidence(potential: Potential, legend: Legend) -> dict[str, Evidence]:
    """Return the evidence by transition ("forest to built").

    Parameters
    ----------
    potential : what was learned
    legend : names the classes
    """
    return {
        f"{legend.get(transition.source).name} to {legend.get(transition.target).name}": Evidence(
            fitted.quality if fitted is not None else None, fitted.refused if fitted is not None else None, curves
        )
        for transition, fitted, curves in zip(potential.transitions, potential.models, potential.explained, strict=True)
    }


def _round(value: float) -> float | None:
    return round(value, 4) if np.isfinite(value) else None
