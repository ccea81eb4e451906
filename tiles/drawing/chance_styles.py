"""Named styles of what the members of a run say: a ramp, chances in words, and a veil where they disagree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tiles.drawing.legends import choose_title
from tiles.drawing.picture import Picture
from tiles.drawing.style import RAMP, ramp_palette
from tiles.errors import UnknownStyle

LIKELIHOOD: Final = "likelihood"
"""Words are for chances that hold: members agree too often to be taken at their word."""

STYLES: Final[Mapping[str, tuple[str, ...]]] = {
    "probability": ("continuous", LIKELIHOOD),
    "agreement": ("continuous", "veil"),
    "first-change": ("continuous",),
}
"""The styles of each kind of map, its default first."""

DISAGREE_BELOW: Final = 70.0
"""Percent of the members: where fewer of them agree, the veil lies."""


@dataclass(frozen=True)
class _Step:
    """A range of chances that has a name.

    Attributes
    ----------
    least : float
        Percent from which it holds.
    """

    name: str
    least: float
    titles: Mapping[str, str]
    colour: str


# The scale of Mastrandrea et al. (2010), Guidance note for lead authors of the IPCC Fifth Assessment Report, Table 1,
# without its overlaps.
_STEPS: Final = (
    _Step(
        "very-unlikely",
        0,
        {"en": "Very unlikely", "es": "Muy improbable", "fr": "Très improbable", "pt": "Muito improvável"},
        RAMP[0],
    ),
    _Step("unlikely", 10, {"en": "Unlikely", "es": "Improbable", "fr": "Improbable", "pt": "Improvável"}, RAMP[1]),
    _Step(
        "as-likely-as-not",
        33,
        {
            "en": "About as likely as not",
            "es": "Tan probable como improbable",
            "fr": "À peu près aussi probable qu'improbable",
            "pt": "Tão provável quanto improvável",
        },
        RAMP[2],
    ),
    _Step("likely", 66, {"en": "Likely", "es": "Probable", "fr": "Probable", "pt": "Provável"}, RAMP[3]),
    _Step(
        "very-likely",
        90,
        {"en": "Very likely", "es": "Muy probable", "fr": "Très probable", "pt": "Muito provável"},
        RAMP[4],
    ),
)
_VEIL: Final = (
    "disagreement",
    {
        "en": f"Fewer than {DISAGREE_BELOW:.0f} % of the members agree",
        "es": f"Coincide menos del {DISAGREE_BELOW:.0f} % de los miembros",
        "fr": f"Moins de {DISAGREE_BELOW:.0f} % des membres concordent",
        "pt": f"Menos de {DISAGREE_BELOW:.0f} % dos membros concordam",
    },
    "#2a2723",
)
_VEIL_ALPHA: Final = 150
_STROKES: Final = 32  # across a tile of any size, so that they go on in the next one


def choose_chance_style(kind: str, name: str | None) -> str:
    """Return the style of a name, or the default one of this kind of map.

    Raises
    ------
    UnknownStyle
        If there is none of this name for it.
    """
    known = STYLES[kind]
    if name is None:
        return known[0]
    if name not in known:
        raise UnknownStyle(f"There is no style {name!r} for {kind}. Choose one of: {', '.join(known)}.")
    return name


def paint_values(
    values: NDArray[np.float64], known: NDArray[np.bool_], value_range: tuple[float, float], style: str
) -> Picture:
    """Paint the values under the pixels of a tile.

    Parameters
    ----------
    values : (y, x) float64
        Percent, or years.
    known : (y, x) bool
        Where there is something to show.
    value_range : (float, float)
        The values at both ends of the ramp.
    style : str
    """
    if style == LIKELIHOOD:
        rows = 1 + np.digitize(values, [step.least for step in _STEPS[1:]])
        return Picture(np.where(known, rows, 0).astype(np.uint8), _step_palette())
    if style == "veil":
        return Picture((known & (values < DISAGREE_BELOW) & _strokes(values.shape)).astype(np.uint8), _veil_palette())
    low, high = value_range
    share = np.clip((values - low) / max(high - low, 1), 0, 1)
    return Picture(np.where(known, 1 + np.rint(share * 254), 0).astype(np.uint8), ramp_palette())


def describe_values(style: str, language: str, value_range: tuple[float, float], unit: str | None) -> dict[str, Any]:
    """Describe the colours of a style: its classes, or the stops of its ramp."""
    if style == LIKELIHOOD:
        entries = [(step.name, step.titles, step.colour, {"least": step.least}) for step in _STEPS]
        return {"classes": [_name(n, *entry, language) for n, entry in enumerate(entries, start=1)], "stops": []}
    if style == "veil":
        return {"classes": [_name(1, *_VEIL, {"below": DISAGREE_BELOW}, language)], "stops": []}
    values = np.linspace(*value_range, len(RAMP))
    stops = [
        {"value": float(value), "label": f"{value:.0f}" + (f" {unit}" if unit else ""), "colour": colour}
        for value, colour in zip(values, RAMP, strict=True)
    ]
    return {"classes": [], "stops": stops}


def _name(
    value: int, name: str, titles: Mapping[str, str], colour: str, bounds: Mapping[str, float], language: str
) -> dict[str, Any]:
    title = {"title": dict(titles), "label": choose_title(titles, language)}
    return {"value": value, "name": name, **title, "colour": colour, **bounds}


def _strokes(shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return where a fine diagonal hatch goes, (y, x)."""
    apart = max(shape[0] // _STROKES, 4)
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    return np.asarray((rows + columns) % apart < apart // 4)


def _step_palette() -> NDArray[np.uint8]:
    colours = [(*bytes.fromhex(step.colour[1:]), 255) for step in _STEPS]
    return np.array([(0, 0, 0, 0), *colours], dtype=np.uint8)


def _veil_palette() -> NDArray[np.uint8]:
    return np.array([(0, 0, 0, 0), (*bytes.fromhex(_VEIL[2][1:]), _VEIL_ALPHA)], dtype=np.uint8)
