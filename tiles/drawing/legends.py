"""The legend of a layer in a style: as JSON for programs, as a picture for reports."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import Any, Final
from xml.sax.saxutils import escape

import numpy as np
from PIL import Image, ImageDraw

from catalog.legend import LegendClass
from tiles.drawing.lettering import choose_drawable, load_font
from tiles.drawing.style import RAMP, Style
from tiles.routes.layer import Layer

DEFAULT_LANGUAGE: Final = "en"
SYNTHETIC_NOTE: Final = "Synthetic: generated, not observed"
_FONT_SIZE: Final = 26
_ROW: Final = 44
_MARGIN: Final = 24
_SWATCH: Final = 32
_INDENT: Final = _MARGIN + _SWATCH + _MARGIN // 2
_INK: Final = "#2b2a27"
_EDGE: Final = "#b9b4a8"
_PAPER: Final = "#ffffff"
# A letter of 13 pixels is about as wide, taken generously: what is drawn depends on the viewer's fonts.
_LETTER: Final = 8.5


def describe(layer: Layer, style: Style, language: str = DEFAULT_LANGUAGE) -> dict[str, Any]:
    """Describe how a layer is drawn.

    Parameters
    ----------
    layer : Layer
    style : Style
    language : str
        Language tag; what has no name in it keeps another.

    Returns
    -------
    dict
        ``classes``: value, name, title by language, label in the asked language and colour of every class, in
        order of value; empty for a continuous layer. ``stops``: value, label and colour along the ramp of a
        continuous one. Further style, title, language, unit, nodata and synthetic.
    """
    classes = _shown_classes(layer, style)
    return {
        "title": layer.title,
        "style": style.name,
        "style_title": choose_title(style.title, language),
        "language": language,
        "synthetic": layer.synthetic,
        "unit": layer.unit,
        "nodata": layer.legend.nodata if layer.legend is not None else None,
        "classes": [name_class(entry, language) for entry in classes],
        "stops": _describe_ramp(layer) if style.name == "continuous" else [],
    }


def _shown_classes(layer: Layer, style: Style) -> list[LegendClass]:
    """Return the classes of the style's scheme that the layer can show, in order of their values."""
    if layer.legend is None or style.scheme is None:
        return []
    shown = {entry.name: entry for entry in style.scheme(layer.legend).values()}
    return sorted(shown.values(), key=lambda entry: entry.value)


def name_class(entry: LegendClass, language: str) -> dict[str, Any]:
    """Describe one class of a legend."""
    return {
        "value": entry.value,
        "name": entry.name,
        "title": dict(entry.title),
        "label": choose_title(entry.title, language),
        "colour": entry.colour,
    }


def draw(legend: Mapping[str, Any]) -> bytes:
    """Draw what `describe` says as a PNG at twice the usual density, as wide as its longest name."""
    font = load_font(_FONT_SIZE)
    rows = [
        (row["colour"], choose_drawable(str(row["label"]), str(row.get("name", "")), font))
        for row in legend["classes"] or legend["stops"]
    ]
    rows = rows or [(None, legend["style_title"])]
    if legend["synthetic"]:
        rows.append((None, SYNTHETIC_NOTE))
    width = _INDENT + int(max(font.getlength(label) for _, label in rows)) + _MARGIN
    image = Image.new("RGB", (width, 2 * _MARGIN + _ROW * len(rows)), _PAPER)
    pen = ImageDraw.Draw(image)
    for number, (colour, label) in enumerate(rows):
        middle = _MARGIN + _ROW * number + _ROW // 2
        if colour:
            box = (_MARGIN, middle - _SWATCH // 2, _MARGIN + _SWATCH, middle + _SWATCH // 2)
            pen.rectangle(box, fill=colour, outline=_EDGE)
        pen.text((_INDENT if colour else _MARGIN, middle), label, fill=_INK, font=font, anchor="lm")
    file = BytesIO()
    image.save(file, "PNG", optimize=True)
    return file.getvalue()


def draw_vector(legend: Mapping[str, Any]) -> bytes:
    """Draw what `describe` says as an SVG, in any letters: they are the viewer's."""
    rows = [(row["colour"], row["label"]) for row in legend["classes"] or legend["stops"]]
    rows = rows or [(None, legend["style_title"])]
    if legend["synthetic"]:
        rows.append((None, SYNTHETIC_NOTE))
    row, margin, swatch = _ROW // 2, _MARGIN // 2, _SWATCH // 2
    width = 3 * margin + swatch + round(max(len(str(label)) for _, label in rows) * _LETTER)
    height = 2 * margin + row * len(rows)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif" '
        f'font-size="{_FONT_SIZE // 2}" fill="{_INK}"><title>{escape(legend["title"])}</title>'
    ]
    for number, (colour, label) in enumerate(rows):
        middle = margin + row * number + row // 2
        left = margin if colour is None else 2 * margin + swatch
        if colour is not None:
            parts.append(
                f'<rect x="{margin}" y="{middle - swatch // 2}" width="{swatch}" height="{swatch}" '
                f'fill="{colour}" stroke="{_EDGE}"/>'
            )
        parts.append(f'<text x="{left}" y="{middle}" dominant-baseline="central">{escape(str(label))}</text>')
    return "".join([*parts, "</svg>"]).encode()


def choose_title(titles: Mapping[str, str], language: str) -> str:
    """Return the title in a language ("pt-BR", else "pt"), else in English, else in the first there is.

    Examples
    --------
    >>> choose_title({"en": "Forest", "pt": "Floresta"}, "pt-BR")
    'Floresta'
    >>> choose_title({"en": "Forest", "pt": "Floresta"}, "sw")
    'Forest'
    """
    by_tag = {tag.lower(): title for tag, title in titles.items()}
    wanted = language.lower()
    for tag in (wanted, wanted.partition("-")[0], DEFAULT_LANGUAGE):
        if tag in by_tag:
            return by_tag[tag]
    return next(iter(titles.values()))


def _describe_ramp(layer: Layer) -> list[dict[str, Any]]:
    if layer.spread is None:
        return []
    values = np.linspace(layer.spread.low, layer.spread.high, len(RAMP))
    unit = f" {layer.unit}" if layer.unit else ""
    return [
        {"value": float(value), "label": f"{_round(value)}{unit}", "colour": colour}
        for value, colour in zip(values, RAMP, strict=True)
    ]


def _round(value: float) -> str:
    """Write a number with three figures and no exponent."""
    return f"{float(f'{value:.3g}'):,.12g}"
