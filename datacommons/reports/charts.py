"""Pictures inside a page: maps as PNG and curves as SVG, with nothing to fetch."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from scenarios.validation.reliability import ENOUGH_CASES, Reliability

_MOST_PIXELS = 1400
_WIDTH, _HEIGHT, _LEFT, _TOP, _RIGHT, _BOTTOM = 460, 320, 44, 12, 150, 40


def draw_map(cells: NDArray[np.uint8], colours: Mapping[int, tuple[int, int, int]], *, loudest: bool = False) -> str:
    """Return a map as the address of an image that carries its own bytes.

    Parameters
    ----------
    cells : (y, x) uint8, codes, 0 = see-through
    colours : red, green and blue of each code
    loudest : where a large map is made smaller, show the largest code of a block, so that nothing rare is lost
    """
    step = -(-max(cells.shape) // _MOST_PIXELS)
    if step > 1 and loudest:
        rows = np.maximum.reduceat(cells, np.arange(0, cells.shape[0], step), axis=0)
        cells = np.maximum.reduceat(rows, np.arange(0, cells.shape[1], step), axis=1)
    image = Image.fromarray(np.ascontiguousarray(cells if loudest else cells[::step, ::step]))
    palette = np.zeros((256, 3), np.uint8)
    for value, colour in colours.items():
        palette[value] = colour
    image.putpalette(palette.tobytes())
    stream = io.BytesIO()
    image.save(stream, "PNG", transparency=0)
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode("ascii")


def draw_resolutions(rows: Mapping[str, tuple[str, Mapping[int, float]]]) -> str:
    """Return a chart of the figure of merit against the size of the blocks inside which errors are forgiven.

    Parameters
    ----------
    rows : title to style and figure of merit by size
    """
    sizes = list(next(iter(rows.values()))[1])
    top = max((v for _, row in rows.values() for v in row.values() if np.isfinite(v)), default=0) or 1
    step = next(s for s in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5) if top / s <= 6)
    most = step * np.ceil(top / step)
    width, height = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
    x = {size: _LEFT + width * n / max(len(sizes) - 1, 1) for n, size in enumerate(sizes)}
    parts = rule([(value, _TOP + height * (1 - value / most)) for value in np.arange(0, most + step / 2, step)])
    parts += [text(x[size], _HEIGHT - 20, str(size), "middle") for size in sizes]
    parts.append(text(_LEFT + width / 2, _HEIGHT - 3, "errors forgiven inside blocks of so many cells", "middle"))
    ends: list[tuple[float, str]] = []
    for title, (style, row) in rows.items():
        points = [(x[n], _TOP + height * (1 - v / most)) for n, v in row.items() if np.isfinite(v)]
        if points:
            parts.append(polyline(points, style))
            ends.append((points[-1][1], title))
    below = -np.inf
    for wanted, title in sorted(ends):  # names that would lie over each other move down
        below = max(wanted + 4, below + 15)
        parts.append(text(_WIDTH - _RIGHT + 8, below, title, "start", "name"))
    return svg(parts, "Figure of merit by resolution")


def draw_reliability(reliability: Reliability) -> str:
    """Return what happened against what was foretold, by members and recalibrated, discs as large as their cases."""
    side = _HEIGHT - _TOP - _BOTTOM
    told = {"other": reliability.raw.curve(), "own": reliability.recalibrated.curve()}
    ends = [max(b.foretold, b.happened) for bins in told.values() for b in bins]
    most = min(1.0, np.ceil(max(ends, default=1) * 10 + 0.001) / 10)
    steps = np.arange(0, most + 0.01, 0.1 if most <= 0.5 else 0.2)
    parts = rule([(value, _TOP + side * (1 - value / most)) for value in steps], percent=True, right=_LEFT + side)
    parts += [text(_LEFT + side * v / most, _HEIGHT - 20, f"{v:.0%}", "middle") for v in steps]
    parts.append(text(_LEFT + side / 2, _HEIGHT - 3, "probability foretold", "middle"))
    parts.append(f'<line class="rule" x1="{_LEFT}" y1="{_TOP + side}" x2="{_LEFT + side}" y2="{_TOP}"/>')
    for style, bins in told.items():
        places = [(_LEFT + side * b.foretold / most, _TOP + side * (1 - b.happened / most), b.cases) for b in bins]
        parts.append(polyline([(x, y) for x, y, cases in places if cases >= ENOUGH_CASES], style))
        parts += [_disc(x, y, cases, style) for x, y, cases in places]
    for row, (style, name) in enumerate({"own": "recalibrated", "other": "share of members"}.items()):
        y = _TOP + 28 + 18 * row
        parts.append(polyline([(_LEFT + side + 8, y), (_LEFT + side + 26, y)], style))
        parts.append(text(_LEFT + side + 32, y + 4, name, "start", "name"))
    parts.append(text(_LEFT + side + 8, _TOP + 8, "as good as its word", "start"))
    return svg(parts, "Reliability curves")


def _disc(x: float, y: float, cases: int, style: str) -> str:
    few = " few" if cases < ENOUGH_CASES else ""
    radius = 2 + 1.2 * np.log10(max(cases, 1))
    place = f'cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}"'
    return f'<circle class="{style}{few}" {place}><title>{cases:,} cases</title></circle>'


def rule(lines: Sequence[tuple[float, float]], *, percent: bool = False, right: float = _WIDTH - _RIGHT) -> list[str]:
    """Return grid lines (value, y) with their values at the left."""
    parts = []
    for value, y in lines:
        parts.append(f'<line class="grid" x1="{_LEFT}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}"/>')
        parts.append(text(_LEFT - 6, y + 4, f"{value:.0%}" if percent else f"{value:.2f}", "end"))
    return parts


def text(x: float, y: float, words: str, anchor: str, style: str = "") -> str:
    """Return a text, escaped."""
    kind = f' class="{style}"' if style else ""
    return f'<text{kind} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def polyline(points: Sequence[tuple[float, float]], style: str) -> str:
    """Return a line through points of the picture."""
    return f'<polyline class="{style}" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in points)}"/>'


def svg(parts: Sequence[str], label: str, width: int = _WIDTH, height: int = _HEIGHT) -> str:
    """Return a picture that says what it shows to those who cannot see it."""
    inside = "".join(parts)
    return f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(label)}">{inside}</svg>'
