"""A map on paper, for a report: title, map, legend, scale bar, north arrow and credits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final

from PIL import Image, ImageDraw
from pyproj import CRS

from tiles.drawing.furniture import (
    INK,
    LINE,
    LINE_HEIGHT,
    MUTED,
    arrange_legend,
    draw_legend,
    draw_north,
    draw_scale_bar,
)
from tiles.drawing.lettering import choose_drawable, load_font, shorten, wrap
from tiles.drawing.maps import lay_over, paint_map
from tiles.drawing.sheets import Sheet
from tiles.reading.pool import DatasetPool
from tiles.reading.view import Bounds, View

DPI: Final = 200
PAPERS: Final[Mapping[str, tuple[float, float]]] = {
    "a4": (297.0, 210.0),
    "a3": (420.0, 297.0),
    "letter": (279.4, 215.9),
}
"""Long and short side in millimetres."""

_MM: Final = DPI / 25.4
_LAND: Final = (244, 242, 236, 255)


@dataclass(frozen=True)
class Caption:
    """What is written on the paper.

    Attributes
    ----------
    title, line : str
        What it is, and what is shown of it.
    notes : tuple of str
        At the foot: whom it is from, under which licence, and what to know.
    """

    title: str
    line: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Layout:
    """Where things stand, in pixels: left, top, right, bottom."""

    size: tuple[int, int]
    frame: tuple[int, int, int, int]
    legend: tuple[float, float, float, float]
    scale: tuple[float, float]
    scale_width: float
    north: tuple[float, float]
    letters: int

    @property
    def ratio(self) -> float:
        left, top, right, bottom = self.frame
        return (right - left) / (bottom - top)


def draw_paper(
    sheet: Sheet, bounds: Bounds, crs: str, caption: Caption, legend: Mapping[str, Any], paper: str, pool: DatasetPool
) -> bytes:
    """Draw a part of a sheet on paper, upright or across as suits it.

    Parameters
    ----------
    sheet : Sheet
    bounds : tuple of float
        left, bottom, right, top of what is shown at least.
    crs : str
        In which it is drawn: one whose units are of length.
    caption : Caption
    legend : mapping
        See `tiles.drawing.legends.describe`.
    paper : str
        One of `PAPERS`.
    pool : DatasetPool

    Returns
    -------
    bytes, a PNG of 200 dots an inch
    """
    layout = _choose_layout(bounds, paper, legend)
    view = _fill(bounds, crs, layout)
    image = Image.new("RGB", layout.size, "#ffffff")
    picture = paint_map(sheet, view, pool)
    cells = Image.fromarray(lay_over(picture.palette, _LAND)[:, :3].take(picture.indices, axis=0))
    image.paste(cells, layout.frame[:2])
    left, top, right, bottom = layout.frame
    ImageDraw.Draw(image).rectangle((left - 1, top - 1, right, bottom), outline=MUTED)
    _write_head(image, layout, caption)
    _write_foot(image, layout, caption)
    draw_legend(image, layout.legend, legend, layout.letters)
    draw_scale_bar(image, layout.scale, view, layout.scale_width, round(layout.letters * 0.8))
    draw_north(image, layout.north, view, round(layout.letters * 1.25))
    _write_projection(image, layout, crs)
    file = BytesIO()
    image.save(file, "PNG", dpi=(DPI, DPI), optimize=True)
    return file.getvalue()


def _choose_layout(bounds: Bounds, paper: str, legend: Mapping[str, Any]) -> _Layout:
    """Lay the paper so that the map is largest on it."""
    ratio = (bounds[2] - bounds[0]) / (bounds[3] - bounds[1])

    def scale(layout: _Layout) -> float:
        height = layout.frame[3] - layout.frame[1]
        return height * min(1.0, layout.ratio / ratio)

    return max((_lay_across(paper), _lay_upright(paper, legend)), key=scale)


def _lay_across(paper: str) -> _Layout:
    """Legend beside the map."""
    width, height = (round(side * _MM) for side in PAPERS[paper])
    unit = height / 100
    margin, head, foot, column = round(5 * unit), round(11.5 * unit), round(8.5 * unit), round(30 * unit)
    frame = (margin, margin + head, width - margin - column - round(3 * unit), height - margin - foot)
    left = frame[2] + round(3 * unit)
    letters = round(2.15 * unit)
    below = frame[3] - round(15 * unit)
    return _Layout(
        size=(width, height),
        frame=frame,
        legend=(left, frame[1], width - margin, below - 2 * unit),
        scale=(left, frame[3] - 6.8 * unit),
        scale_width=column * 0.62,
        north=(width - margin - 3.2 * unit, frame[3] - 6.5 * unit),
        letters=letters,
    )


def _lay_upright(paper: str, legend: Mapping[str, Any]) -> _Layout:
    """Legend below the map."""
    height, width = (round(side * _MM) for side in PAPERS[paper])
    unit = width / 100
    margin, head, foot = round(5 * unit), round(11.5 * unit), round(8.5 * unit)
    letters = round(2.15 * unit)
    beside = width - margin - 30 * unit
    rows, _, size = arrange_legend(legend, beside - 3 * unit - margin, 24 * unit, letters)
    room = max(rows * size * LINE_HEIGHT + unit, 9 * unit)
    frame = (margin, margin + head, width - margin, round(height - margin - foot - room - 3 * unit))
    top = frame[3] + 3 * unit
    return _Layout(
        size=(width, height),
        frame=frame,
        legend=(margin, top, beside - 3 * unit, top + room),
        scale=(beside, top + 2.6 * unit),
        scale_width=30 * unit * 0.62,
        north=(width - margin - 3.2 * unit, top + 3.4 * unit),
        letters=letters,
    )


def _fill(bounds: Bounds, crs: str, layout: _Layout) -> View:
    """Widen what is shown to the shape of the frame."""
    left, bottom, right, top = bounds
    across, down = right - left, top - bottom
    wider, higher = max(across, down * layout.ratio), max(down, across / layout.ratio)
    x, y = (left + right) / 2, (bottom + top) / 2
    filled = (x - wider / 2, y - higher / 2, x + wider / 2, y + higher / 2)
    frame = layout.frame
    return View(crs, filled, frame[2] - frame[0], frame[3] - frame[1])


def _write_head(image: Image.Image, layout: _Layout, caption: Caption) -> None:
    pen, left, right = ImageDraw.Draw(image), layout.frame[0], image.width - layout.frame[0]
    large, small = load_font(round(layout.letters * 2.1), "Semibold"), load_font(round(layout.letters * 1.15))
    top = layout.frame[1] - layout.letters * 5.4
    title = choose_drawable(caption.title, "", large)
    pen.text((left, top), shorten(title, large, right - left), fill=INK, font=large, anchor="lt")
    line = choose_drawable(caption.line, "", small)
    below = top + layout.letters * 2.9
    pen.text((left, below), shorten(line, small, right - left), fill=MUTED, font=small, anchor="lt")


def _write_foot(image: Image.Image, layout: _Layout, caption: Caption) -> None:
    font, pen, left = load_font(round(layout.letters * 0.72)), ImageDraw.Draw(image), layout.frame[0]
    margin = layout.frame[0]
    notes = [choose_drawable(note, "", font) for note in caption.notes]
    lines = wrap(" · ".join(filter(None, notes)), font, image.width - 2 * margin)[:3]
    top = image.height - margin - len(lines) * layout.letters * 1.0
    pen.line((left, top - layout.letters * 0.7, image.width - margin, top - layout.letters * 0.7), fill=LINE)
    for number, line in enumerate(lines):
        pen.text((left, top + number * layout.letters * 1.0), line, fill=MUTED, font=font, anchor="lt")


def _write_projection(image: Image.Image, layout: _Layout, crs: str) -> None:
    font = load_font(round(layout.letters * 0.72))
    left, top = layout.scale
    name = shorten(CRS.from_user_input(crs).name, font, image.width - layout.frame[0] - left)
    place = (left, top + layout.letters * 2.6)
    ImageDraw.Draw(image).text(place, name, fill=MUTED, font=font, anchor="lt")
