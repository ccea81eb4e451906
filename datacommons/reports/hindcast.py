"""The report of a hindcast: one HTML file with maps, tables and curves, that needs nothing from anywhere."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Final

import numpy as np

from datacommons.errors import NotWritten
from datacommons.reports.charts import draw_map, draw_reliability, draw_resolutions
from datacommons.reports.evidence import show_evidence
from datacommons.reports.markup import section, table
from datacommons.runs.outcomes import OUTCOME_LEGEND
from scenarios.validation.hindcast import DRAWN, GUESSING, MODEL, NEIGHBOURS, NOTHING, Hindcast
from scenarios.validation.metrics import Outcome
from scenarios.validation.reliability import ENOUGH_CASES, Reliability, Verification

_OUTCOMES: Final = {
    Outcome.HIT: ("Found", "changed, as foretold"),
    Outcome.WRONG_HIT: ("Found, wrong class", "changed, but into another class"),
    Outcome.MISS: ("Missed", "changed, and was not foretold"),
    Outcome.FALSE_ALARM: ("False alarm", "foretold to change, and stayed"),
    Outcome.STAYED: ("Stayed", "as foretold"),
}
_CLOSE = 0.02


def write_report(path: Path, hindcast: Hindcast, *, title: str) -> None:
    """Write the report of a hindcast.

    Parameters
    ----------
    path : the HTML file; one that is there is replaced
    hindcast : what is reported
    title : of the landscape

    Raises
    ------
    NotWritten
        The file cannot be written.
    """
    try:
        path.write_text(render_report(hindcast, title=title), "utf-8")
    except OSError as error:
        raise NotWritten(f"The report cannot be written to {path}: {error.strerror}. Choose another place.") from error


def render_report(hindcast: Hindcast, *, title: str) -> str:
    """Return the report as HTML; every text that comes from data is escaped."""
    style = Path(__file__).with_name("report.css").read_text("utf-8")
    learned = " and ".join(map(str, hindcast.learned_from))
    head = f"Is this model any good? {title}"
    sections = (
        _show_outcomes(hindcast),
        _show_scores(hindcast),
        _show_resolutions(hindcast),
        _show_reliability(hindcast),
        _show_maps(hindcast),
        _show_transitions(hindcast),
        show_evidence(hindcast),
        _show_patterns(hindcast),
        _show_notes(hindcast),
    )
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>{escape(head)}</title>
<style>{style}</style>
</head>
<body><main>
<header>
<h1>{escape(head)}</h1>
<p class="quiet">It learned from {learned}, was asked for {hindcast.end} from the map of {hindcast.start}, and never saw
the map of {hindcast.end}.</p>
<p class="lead">{_say_found(hindcast)}</p>
</header>
{"".join(sections)}
</main></body>
</html>
"""


def _say_found(hindcast: Hindcast) -> str:
    found, guessed = hindcast.central.found, hindcast.guessing.found
    if not np.isfinite(found):
        return f"Nothing changed between {hindcast.start} and {hindcast.end}, so nothing can be told."
    return (
        f"This model found <b>{_of_hundred(found)} of every 100</b> places that changed; "
        f"pure guessing finds {_of_hundred(guessed)}."
    )


def _of_hundred(share: float) -> str:
    return f"{share * 100:.0f}" if share == 0 or share >= 0.005 else "fewer than 1"


def _show_outcomes(hindcast: Hindcast) -> str:
    image = draw_map(hindcast.outcomes, {code: OUTCOME_LEGEND.get(code).rgb for code in _OUTCOMES}, loudest=True)
    cells = np.bincount(hindcast.outcomes.ravel(), minlength=len(Outcome))
    items = "".join(
        f'<li><i style="background:{OUTCOME_LEGEND.get(code).colour}"></i><span><b>{name}</b><br>{meaning}</span>'
        f"{cells[code]:,}</li>"
        for code, (name, meaning) in _OUTCOMES.items()
    )
    model = hindcast.central
    return section(
        "Where it was right, and where not",
        f'<div class="split"><figure><img alt="Map of hits and errors" src="{image}"></figure><div>'
        f'<ul class="legend">{items}</ul><p class="quiet">Cells. {model.observed_change:.1%} of the landscape changed '
        f"from {hindcast.start} to {hindcast.end}; the model moved {model.simulated_change:.1%}.</p></div></div>",
    )


def _show_scores(hindcast: Hindcast) -> str:
    maps = (hindcast.central, hindcast.neighbourhood, hindcast.guessing, hindcast.nothing)
    rows = [
        ("Changed places it found", [f"{m.found:.1%}" for m in maps]),
        ("Figure of merit", [f"{m.figure_of_merit:.3f}" for m in maps]),
        ("Wrong in quantity, of the landscape", [f"{m.quantity:.2%}" for m in maps]),
        ("Wrong in place, of the landscape", [f"{m.allocation:.2%}" for m in maps]),
        ("Kappa simulation", [f"{m.kappa_simulation:z.3f}" for m in maps]),
        (
            "Fuzzy similarity",
            [f"{hindcast.fuzzy[name].decayed:.3f}" for name in (MODEL, NEIGHBOURS, GUESSING, NOTHING)],
        ),
        ("Changes made, of the landscape", [f"{m.simulated_change:.2%}" for m in maps]),
    ]
    return section(
        "Beside those who know less",
        "<p>Three rivals that a model must beat: the same engine without any driver, the same amounts of change at "
        "random places, and saying that nothing changes, which is seldom wrong and finds nothing.</p>"
        + table(("", "this model", "neighbourhood only", "pure guessing", "no change"), rows, own=1)
        + '<p class="quiet">Figure of merit: cells found, among all that changed or were foretold to. Kappa '
        "simulation: agreement beyond what blind changes of the same amounts reach; 1 is perfect, 0 is blind. Fuzzy "
        "similarity: a change foretold two cells off is worth half of one foretold in its place.</p>",
    )


def _show_resolutions(hindcast: Hindcast) -> str:
    drawn = f"mean of {len(hindcast.drawn)} members"
    named = {
        "best map": ("own", MODEL),
        drawn: ("own dash", DRAWN),
        "neighbourhood only": ("other dash", NEIGHBOURS),
        "pure guessing": ("other dots", GUESSING),
    }
    curves = {title: (style, hindcast.by_resolution[key]) for title, (style, key) in named.items()}
    sizes = list(hindcast.by_resolution[MODEL])
    rows = [(title, [f"{row[n]:.3f}" for n in sizes]) for title, (_, row) in curves.items()]
    return section(
        "If being near is good enough",
        "<p>A change foretold a few cells off is of use to most plans. Here errors inside ever larger blocks are "
        "forgiven. The best map takes the likeliest cells and gathers them; members are drawn by likelihood and "
        "spread as real change does.</p>"
        f'<div class="split"><figure>{draw_resolutions(curves)}</figure></div>'
        + table(("Figure of merit, by cells in a block's side", *map(str, sizes)), rows),
    )


def _show_reliability(hindcast: Hindcast) -> str:
    told = hindcast.reliability
    rows = [
        (f"{each.foretold:.0%}", [f"{each.happened:.1%}", f"{each.cases:,}"])
        for each in told.recalibrated.curve()
        if each.cases >= ENOUGH_CASES
    ]
    shown = table(("recalibrated", "happened", "cases"), rows) if rows else ""
    return section(
        "Can its probabilities be taken at their word?",
        f"<p>{escape(judge_reliability(told))}</p>"
        f'<div class="split"><figure>{draw_reliability(told)}</figure><div>{shown}</div></div>'
        f'<p class="quiet">{_score_reliability(told)}</p>',
    )


def _score_reliability(told: Reliability) -> str:
    raw, mended = told.raw, told.recalibrated
    if not np.isfinite(raw.skill):
        return "Nothing happened that could have been foretold."
    return (
        f"Brier score of the members {raw.brier:.4f}, recalibrated {mended.brier:.4f}; saying that nothing changes "
        f"scores {raw.persistence_brier:.4f}. Skill against it {raw.skill:.3f}, with ever more members "
        f"{told.fair_skill:.3f}, recalibrated {mended.skill:.3f} (1 is perfect, 0 no better). Largest distance from "
        f"what happened: members {say_gap(raw)}, recalibrated {say_gap(mended)}, and with the hectares of the members, "
        f"as a run tells it, {say_gap(told.as_in_a_run)}. Open discs: fewer than {ENOUGH_CASES} cases."
    )


def say_gap(told: Verification) -> str:
    """Say how far probabilities are from what happened, at the most, where there are enough cases."""
    gap = told.largest_gap()
    return f"{gap:.0%}" if np.isfinite(gap) else "unknown"


def judge_reliability(told: Reliability) -> str:
    """Say in a few sentences whether what was called likely happened as often."""
    likely = [each for each in told.raw.curve() if each.cases >= ENOUGH_CASES]
    if not told.transitions or not likely:
        return "Too little changed to tell."
    last = likely[-1]
    told_so = (
        f"Of the changes that about {last.foretold:.0%} of the {told.members} members foretold, {last.happened:.0%} "
        f"happened."
    )
    if last.foretold > last.happened + _CLOSE:
        judged = "The members are surer than they should be: read the share of them as an order, not as a probability."
    elif last.foretold < last.happened - _CLOSE:
        judged = "The members are less sure than they could be."
    else:
        judged = "The members are as good as their word."
    return f"{told_so} {judged} {_judge_recalibrated(told)}"


def _judge_recalibrated(told: Reliability) -> str:
    """Say what the probabilities are worth that are told in place of the members' shares."""
    likely = [each for each in told.recalibrated.curve() if each.cases >= ENOUGH_CASES]
    if not likely:
        return ""
    last = likely[-1]
    return (
        "What is told is their share recalibrated by how often it came true, here in each part of the map by all other "
        f"parts: what was then called {last.foretold:.0%} likely happened in {last.happened:.0%} of the cases."
    )


def _show_maps(hindcast: Hindcast) -> str:
    colours = {entry.value: entry.rgb for entry in hindcast.legend}
    figures = "".join(
        f'<figure><img alt="{escape(caption)}" src="{draw_map(cells, colours)}"><figcaption>{caption}</figcaption>'
        "</figure>"
        for caption, cells in (
            (f"{hindcast.end}, as observed", hindcast.observed),
            (f"{hindcast.end}, as foretold: a projection", hindcast.simulated),
        )
    )
    items = "".join(
        f'<li><i style="background:{entry.colour}"></i><span>{escape(entry.label())}</span></li>'
        for entry in hindcast.legend
    )
    return section("The two maps", f'<div class="pair">{figures}</div><ul class="legend row">{items}</ul>')


def _show_transitions(hindcast: Hindcast) -> str:
    rows = []
    for each in hindcast.transitions:
        name = hindcast.name(each.source, each.target)
        auc = hindcast.auc.get(name)
        counts = [f"{count:,}" for count in (each.observed, each.simulated, each.hits)]
        rows.append((name, [*counts, f"{each.figure_of_merit:.3f}", "" if auc is None else f"{auc:.2f}"]))
    head = ("transition (cells)", "changed", "foretold", "found", "figure of merit", "AUC")
    return section(
        "Change by change",
        table(head, rows)
        + '<p class="quiet">AUC: on blocks of the past that were held out, how often a cell that changed was ranked '
        "above one that did not; 0.5 is chance. Empty: too little to learn from.</p>",
    )


def _show_patterns(hindcast: Hindcast) -> str:
    names = list(hindcast.patterns)
    rows = []
    for n, entry in enumerate(hindcast.legend):
        looks = [hindcast.patterns[name][n] for name in names]
        rows += [
            (f"{entry.label()}: patches", [f"{look.patches:,}" for look in looks]),
            (f"{entry.label()}: mean patch, ha", [f"{look.mean_patch_ha:.1f}" for look in looks]),
            (f"{entry.label()}: edges, m in a ha", [f"{look.edge_density_m_ha:.1f}" for look in looks]),
        ]
    return section(
        "Does it look like the real landscape?",
        table(("", *names), rows)
        + '<p class="quiet">Patches touch at sides or corners; edges are sides between two classes.</p>',
    )


def _show_notes(hindcast: Hindcast) -> str:
    notes = "".join(f"<p>{escape(note)}</p>" for note in hindcast.notes)
    return section(
        "What to keep in mind",
        "<p>One test on one date says how the model did then and there. It is no promise for the future.</p>"
        f"{notes}"
        '<p class="quiet">Figure of merit: Pontius et al. 2008, doi:10.1007/s00168-007-0138-2. Quantity and place: '
        "Pontius and Millones 2011, doi:10.1080/01431161.2011.552923. Resolutions: Pontius et al. 2011, "
        "doi:10.1080/00045608.2010.544934. Kappa simulation: van Vliet et al. 2011, "
        "doi:10.1016/j.ecolmodel.2011.01.017. Fuzzy similarity: Almeida et al. 2008, doi:10.1080/13658810701731168. "
        "Total operating characteristic: Pontius and Si 2014, doi:10.1080/13658816.2013.862623. "
        "Skill with ever more members: Ferro 2014, doi:10.1002/qj.2270. Recalibration: Kull et al. 2017, "
        "doi:10.1214/17-EJS1338SI.</p>",
    )
