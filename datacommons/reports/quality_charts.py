"""Pictures of a model's quality: what it hits, whether its chances hold, and how its drivers act."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from datacommons.reports.charts import polyline, svg, text
from scenarios.potential.curves import Curve
from scenarios.potential.quality import CalibrationBin, OperatingCharacteristic

_WIDTH, _HEIGHT, _LEFT, _TOP, _RIGHT, _BOTTOM = 400, 312, 58, 26, 16, 42
_CURVE_WIDTH, _CURVE_HEIGHT = 160, 120
_MOST_TICKS = 5
_FEWEST_ODDS = float(np.log(2))


@dataclass(frozen=True)
class _Frame:
    """A box from 0 to the largest values, in which points are placed."""

    most_x: float
    most_y: float

    def at(self, x: float, y: float) -> tuple[float, float]:
        width, height = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
        return _LEFT + width * x / self.most_x, _TOP + height * (1 - y / self.most_y)

    def draw(self, across: str, up: str, *, percent: bool = False) -> list[str]:
        """Return grid, values, and what lies along the bottom and the side."""
        parts = [text(0, 12, up, "start"), text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 4, across, "middle")]
        for value in _ticks(self.most_y):
            (left, y), (right, _) = self.at(0, value), self.at(self.most_x, value)
            parts.append(f'<line class="grid" x1="{left:.1f}" y1="{y:.1f}" x2="{right:.1f}" y2="{y:.1f}"/>')
            parts.append(text(left - 6, y + 4, _label(value, percent=percent), "end"))
        parts += [
            text(self.at(value, 0)[0], _HEIGHT - 23, _label(value, percent=percent), "middle")
            for value in _ticks(self.most_x)
        ]
        return parts


def draw_characteristic(curve: OperatingCharacteristic) -> str:
    """Return the total operating characteristic inside the parallelogram that bounds it.

    Parameters
    ----------
    curve : hectares foretold and hit
    """
    frame = _Frame(curve.extent_ha, curve.changed_ha)
    corners = [frame.at(x, y) for x, y in curve.bounds()]
    border = " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)
    points = zip(curve.foretold_ha.tolist(), curve.hits_ha.tolist(), strict=True)
    x, y = frame.at(curve.changed_ha, float(curve.hits_at(curve.changed_ha)))
    parts = [
        *frame.draw("hectares foretold, the likeliest first", "hectares found"),
        f'<polygon class="bounds" points="{border}"/>',
        polyline([corners[0], corners[2]], "other dots"),
        polyline([frame.at(*point) for point in points], "own"),
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5"><title>as much foretold as changed</title></circle>',
    ]
    return svg(parts, "Total operating characteristic", _WIDTH, _HEIGHT)


def draw_calibration(bins: Sequence[CalibrationBin]) -> str:
    """Return what share changed against what was foretold, each part of the landscape a disc.

    Parameters
    ----------
    bins : parts of equal size
    """
    most = max((value for each in bins for value in (each.foretold, each.happened)), default=0) * 1.05 or 1.0
    frame = _Frame(most, most)
    points = [frame.at(each.foretold, each.happened) for each in bins]
    parts = [
        *frame.draw("chance foretold", "share that changed", percent=True),
        polyline([frame.at(0, 0), frame.at(most, most)], "rule"),
        polyline(points, "own"),
        *(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4"/>' for x, y in points),
    ]
    return svg(parts, "Calibration curve", _WIDTH, _HEIGHT)


def draw_curve(curve: Curve, reach: float) -> str:
    """Return how one driver multiplies the odds.

    Parameters
    ----------
    curve : what was learned
    reach : the largest logarithm of the odds, up and down, that the picture has room for
    """
    left, top, right, bottom = 32, 6, 4, 22
    width, height = _CURVE_WIDTH - left - right, _CURVE_HEIGHT - top - bottom
    low, high = float(curve.value.min()), float(curve.value.max())
    span = high - low or 1.0

    def y(log_odds: float) -> float:
        return top + height * (1 - (log_odds + reach) / (2 * reach))

    parts = []
    for times in _odds_ticks(reach):
        at = y(np.log(times))
        kind = "rule" if times == 1 else "grid"
        parts.append(f'<line class="{kind}" x1="{left}" y1="{at:.1f}" x2="{_CURVE_WIDTH - right}" y2="{at:.1f}"/>')
        parts.append(text(left - 6, at + 4, f"×{times:g}" if times >= 1 else f"÷{1 / times:g}", "end"))
    line = [
        (left + width * (value - low) / span, y(odds))
        for value, odds in zip(curve.value.tolist(), curve.log_odds.tolist(), strict=True)
    ]
    percent = curve.driver.startswith("share of ")
    parts += [
        polyline(line, "own"),
        text(left, _CURVE_HEIGHT - 6, _label(low, percent=percent), "start"),
        text(_CURVE_WIDTH - right, _CURVE_HEIGHT - 6, _label(high, percent=percent), "end"),
    ]
    return svg(parts, f"Odds by {curve.driver}", _CURVE_WIDTH, _CURVE_HEIGHT)


def find_reach(curves: Sequence[Curve]) -> float:
    """Return the room that curves need up and down, in logarithms of the odds: a doubling at least."""
    return max([_FEWEST_ODDS, *(float(np.abs(curve.log_odds).max()) for curve in curves)]) * 1.1


def _odds_ticks(reach: float) -> list[float]:
    """Return a few powers of two within reach, and as many below one as above."""
    doublings = int(reach / np.log(2))
    step = -(-doublings // 2)
    return [2.0**n for n in range(-doublings // step * step, doublings + 1, step) if abs(n) <= doublings]


def _ticks(most: float) -> NDArray[np.float64]:
    """Return round values from 0 up to the largest, six at most."""
    rough = most / _MOST_TICKS
    scale = 10 ** np.floor(np.log10(rough))
    step = next(scale * n for n in (1, 2, 2.5, 5, 10) if scale * n >= rough * 0.999)
    return np.arange(0, most * 1.0001, step)


def _label(value: float, *, percent: bool) -> str:
    if percent:
        return f"{value * 100:.3g}%"
    return f"{value:,.0f}" if abs(value) >= 10 or value == 0 else f"{value:.3g}"
