"""The part of the report that says what speaks for the model of each change: how it ranks, how sure it is, and why."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from html import escape

from catalog.legend import Legend
from datacommons.reports.markup import section
from datacommons.reports.quality_charts import draw_calibration, draw_characteristic, draw_curve, find_reach
from scenarios.potential.curves import Curve
from scenarios.potential.evidence import Evidence
from scenarios.potential.quality import Quality
from scenarios.validation.hindcast import Hindcast

_MOST_BARS = 12
_MOST_CURVES = 6
_SEEN = 0.0005  # what rounds to 0.000 is not shown


def show_evidence(hindcast: Hindcast) -> str:
    """Return a section with a part for each change that was learned, the one that moved most first."""
    size = {hindcast.name(each.source, each.target): each.observed for each in hindcast.transitions}
    names = sorted(hindcast.evidence, key=lambda name: -size.get(name, 0))
    parts = "".join(
        _show(name, hindcast.evidence[name], hindcast.legend, opened=n == 0) for n, name in enumerate(names)
    )
    return section(
        "Why it says so",
        "<p>What speaks for the model of each change, measured on blocks of the past that it did not learn from, and "
        "what it learned.</p>" + (parts or "<p>Nothing was learned.</p>"),
    )


def _show(name: str, evidence: Evidence, legend: Legend, *, opened: bool) -> str:
    state = " open" if opened else ""
    score = f"AUC {evidence.auc:.2f}" if evidence.auc is not None else "not learned"
    body = _show_quality(evidence, legend) if evidence.quality is not None else ""
    return (
        f"<details{state}><summary><b>{escape(name)}</b> <span>{score}</span></summary>"
        f"<p>{_judge(evidence)}</p>{body}</details>"
    )


def _judge(evidence: Evidence) -> str:
    """Say in a sentence or two what the model is worth."""
    if evidence.refused is not None:
        kept = "Its neighbourhood alone places it." if evidence.quality is not None else "It is placed by chance."
        return f"With its drivers it was told no better than by chance ({_score(evidence.refused)}). {kept}"
    if evidence.quality is None:
        return "Too little changed, or in one place only: nothing can be said of its model."
    if not evidence.quality.beats_chance:
        return f"It is told no better than by chance ({_score(evidence.quality)})."
    return (
        f"Of a place that changed and one that did not, the model ranks the right one first in "
        f"{evidence.quality.auc * 100:.0f} of 100 pairs ({_score(evidence.quality)})."
    )


def _score(quality: Quality) -> str:
    return f"AUC {quality.auc:.2f}, standard error {quality.auc_error:.2f}"


def _show_quality(evidence: Evidence, legend: Legend) -> str:
    quality = evidence.quality
    assert quality is not None
    curve = quality.characteristic
    found = float(curve.hits_at(curve.changed_ha)) / curve.changed_ha
    figures = (
        (
            draw_characteristic(curve),
            f"Total operating characteristic. The disc: with as much foretold as changed, {found:.0%} is found. "
            "Dotted: guessing. No model can leave the parallelogram.",
        ),
        (
            draw_calibration(quality.calibration),
            "Calibration. Each disc is a tenth of the land at risk; on the dashed line it is as good as its word.",
        ),
    )
    shown = "".join(f"<figure>{drawn}<figcaption>{escape(words)}</figcaption></figure>" for drawn, words in figures)
    learned = f"{_show_importance(evidence, legend)}{_show_curves(evidence, legend)}" if quality.beats_chance else ""
    return f'<div class="pair">{shown}</div>{learned}'


def _show_importance(evidence: Evidence, legend: Legend) -> str:
    lost = [(name, value) for name, value in evidence.importance.items() if value >= _SEEN][:_MOST_BARS]
    if not lost:
        return ""
    most = lost[0][1]
    bars = "".join(
        f"<li><span>{escape(_title(name, legend))}</span>"
        f'<i><b style="width:{100 * value / most:.1f}%"></b></i><em>{value:.3f}</em></li>'
        for name, value in lost
    )
    return (
        f'<h3>What it is told by</h3><ul class="bars">{bars}</ul><p class="quiet">How much AUC is lost if this alone '
        "is shuffled among places. What two of them both know shows at neither.</p>"
    )


def _show_curves(evidence: Evidence, legend: Legend) -> str:
    curves = _most_important(evidence.curves, evidence.importance)
    if not curves:
        return ""
    reach = find_reach(curves)
    drawn = "".join(
        f"<figure><figcaption>{escape(_title(curve.driver, legend))}</figcaption>"
        f"{draw_curve(replace(curve, driver=_title(curve.driver, legend)), reach)}</figure>"
        for curve in curves
    )
    return (
        f'<h3>How it acts</h3><div class="curves">{drawn}</div><p class="quiet">How many times the odds of the change '
        "go up (×) or down (÷) with each, all else equal.</p>"
    )


def _most_important(curves: tuple[Curve, ...], importance: Mapping[str, float]) -> list[Curve]:
    seen = [curve for curve in curves if importance.get(curve.driver, 0) >= _SEEN]
    return sorted(seen, key=lambda curve: -importance[curve.driver])[:_MOST_CURVES]


def _title(name: str, legend: Legend) -> str:
    """Call classes by their names."""
    return re.sub(r"^share of class (\d+) ", lambda found: f"share of {legend.get(int(found[1])).label()} ", name)
