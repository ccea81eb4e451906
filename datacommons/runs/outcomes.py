"""The map of a hindcast: which changes were found, and which errors were made."""

from __future__ import annotations

from typing import Any, Final

from catalog.legend import Legend, LegendClass
from scenarios.validation.metrics import Outcome

OUTCOME_LEGEND: Final = Legend(
    (
        LegendClass(
            Outcome.STAYED,
            "stayed",
            {"en": "Stayed, as foretold", "es": "Sin cambio, como se previó", "fr": "Inchangé, comme prévu"},
            "#dfd9cd",
        ),
        LegendClass(
            Outcome.HIT,
            "hit",
            {"en": "Change found", "es": "Cambio acertado", "fr": "Changement trouvé"},
            "#0b5f5c",
        ),
        LegendClass(
            Outcome.WRONG_HIT,
            "wrong-hit",
            {"en": "Change found, wrong class", "es": "Cambio a otra clase", "fr": "Changement vers une autre classe"},
            "#a3492f",
        ),
        LegendClass(
            Outcome.MISS,
            "miss",
            {"en": "Change missed", "es": "Cambio no previsto", "fr": "Changement manqué"},
            "#7b4f9d",
        ),
        LegendClass(
            Outcome.FALSE_ALARM,
            "false-alarm",
            {"en": "False alarm", "es": "Falsa alarma", "fr": "Fausse alerte"},
            "#d39b2a",
        ),
    )
)
"""The codes of `scenarios.validation.metrics.map_outcomes`, with the colours of the report."""


def describe_outcomes(year: int) -> dict[str, Any]:
    """Return what the asset of the map says: its band, its classes and the year it was tested on."""
    return {
        "bands": [{"name": "b1", "data_type": "uint8", "nodata": OUTCOME_LEGEND.nodata}],
        "classification:classes": OUTCOME_LEGEND.to_classification(),
        "datetime": f"{year}-01-01T00:00:00Z",
    }
