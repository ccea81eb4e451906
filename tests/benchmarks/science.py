"""How good the engine's default settings are, on all data at hand: `make bench-science`.

Every map is scored by the same metric code as the maps of other tools. What is foretold is never seen before: models
learn from the dates up to the start, and the last map is only compared with. But for one thing: how often what the
members call likely comes true is learned from the last map, and each block of it is judged by the other blocks.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from tests.benchmarks import generated, molusce, plum_island
from tests.benchmarks.bars import Bench, Row, align, show
from tests.benchmarks.published import COLUMNS, OTHER_TOOLS, SOURCE
from tests.benchmarks.reference import SHARED, Score, load_score_maps
from tests.benchmarks.trials import Trial, demanded_change

MEMBERS = 10
MANY_MEMBERS = 30
BEST, DRAWN, NEAR, GUESSED, STILL = (
    "this engine, best map",
    f"this engine, mean of {MEMBERS} members",
    "neighbourhood only",
    "random within class",
    "no change",
)
MEASURED_NOW = "measured now"
NO_SIBUYAN = (
    "its second map is the output of another model, not an observation: to find it again would show how alike two "
    "models are, not how good one is"
)

_HOW = """\
Default settings throughout: no option of the engine is set but dates and, on Plum Island, the table of areas.
Plum Island: learned from 1985 and 1991, projected from 1991, compared with 1999; nothing after 1991 is used but the
areas of demand A, the observed ones of 1999. Recalibrated: in each of 4 x 4 blocks of the map, by what the members'
shares were worth in the 15 others. Both demands are given as a table of areas (cells times the area of a
cell), to which the engine fits the 1985-1991 matrix. Metric code: ../shared/tools/score_maps.py."""

Scores = Mapping[str, Score]


def main(shared: Path = SHARED) -> None:
    """Measure everything that can be measured here, and print it.

    Parameters
    ----------
    shared : folder with data and metric code; what is missing there is skipped, and said
    """
    bench = Bench()
    try:
        load_score_maps(shared)
    except FileNotFoundError as absent:
        bench.skip("everything", str(absent))
    else:
        gaps = [
            *measure_plum_island(bench, shared / "data" / "pie"),
            *measure_generated(bench, generated.TRIALS),
            *measure_molusce(bench, shared / "data" / "molusce"),
        ]
        bench.skip("Sibuyan", NO_SIBUYAN)
        bench.add(
            "Metrics",
            Row("largest difference between the engine's metrics and the metric code", max(gaps), most=1e-6),
        )
    print(bench)


def measure_plum_island(bench: Bench, folder: Path) -> list[float]:
    """Compare with what other tools reached; return how far the metrics are apart."""
    if not folder.is_dir():
        bench.skip("Plum Island", plum_island.ABSENT)
        return []
    trials = {name: plum_island.read_trial(name, folder) for name in plum_island.DEMANDS}
    scores = {name: score_all(f"Plum Island, demand {name}", trial) for name, trial in trials.items()}
    print(f"{_HOW}\n\n{tabulate(scores['A'], scores['B'])}\n")
    best, members = scores["A"][BEST], scores["A"][DRAWN]
    bench.add(
        "Plum Island: figure of merit",
        Row("best map, demand A", best.figure_of_merit[1], least=0.055, aim=0.065),
        Row("best map, demand B", scores["B"][BEST].figure_of_merit[1], least=0.060, aim=0.070),
        Row(f"mean of {MEMBERS} members, demand A", members.figure_of_merit[1], least=0.038),
        Row(f"mean of {MEMBERS} members, demand A, 8 x coarser", members.figure_of_merit[8], least=0.16, aim=0.18),
        Row(f"mean of {MEMBERS} members, demand A, 32 x coarser", members.figure_of_merit[32], least=0.44, aim=0.50),
    )
    for name, trial in trials.items():
        bench.add("Plum Island: change, percent of the landscape", *_churn(f"demand {name}", scores[name], trial))
    bench.add("Plum Island: reliability", *_reliability(trials["B"], "Plum Island"))
    return [each.disagreement for of in scores.values() for each in of.values()]


def measure_generated(bench: Bench, trials: Mapping[str, Callable[[], Trial]]) -> list[float]:
    """Ask on landscapes of known making whether drivers help; return how far the metrics are apart."""
    gaps = []
    for name, make in trials.items():
        trial = make()
        scores = score_all(name, trial)
        fom = {row: score.figure_of_merit for row, score in scores.items()}
        rows = [
            Row("best map, against neighbourhood only", fom[BEST][1], least=fom[NEAR][1]),
            Row("best map, against random within class", fom[BEST][1], least=fom[GUESSED][1]),
            Row(f"mean of {MEMBERS} members", fom[DRAWN][1]),
            *(Row(f"{row}, 8 x coarser", fom[row][8]) for row in (BEST, DRAWN, NEAR, GUESSED)),
            *_reliability(trial, name),
        ]
        bench.add(f"{name[0].upper()}{name[1:]}: figure of merit and reliability", *rows)
        gaps += [score.disagreement for score in scores.values()]
    return gaps


def measure_molusce(bench: Bench, folder: Path) -> list[float]:
    """Foretell places that were held back, in the interval that was learned from: no forecast, and no bar."""
    if not folder.is_dir():
        bench.skip("MOLUSCE's example", molusce.ABSENT)
        return []
    trials = list(molusce.read_trials(folder))
    scores = [score_all(f"MOLUSCE's example, half {n}", trial) for n, trial in enumerate(trials, 1)]
    heading = "MOLUSCE's example: places held back in the interval that was learned from (two dates, so no forecast)"
    moved = {"observed": scores[0][BEST].observed_change, "simulated": scores[0][BEST].simulated_change}
    bench.add(heading, *(Row(f"change {name}, percent of the first half", share) for name, share in moved.items()))
    told = [model.auc for trial in trials for model in trial.learned.model.potential.models if model is not None]
    bench.add(
        heading, Row("AUC on blocks held out while learning, median of the transitions", float(np.nanmedian(told)))
    )
    for row in (BEST, DRAWN, NEAR, GUESSED):
        halves = [of[row].figure_of_merit for of in scores]
        bench.add(heading, *(Row(_coarser(row, n), float(np.mean([of[n] for of in halves]))) for n in (1, 8)))
    return [each.disagreement for of in scores for each in of.values()]


def score_all(name: str, trial: Trial) -> Scores:
    """Score the engine's maps and the baselines beside them."""
    print(f"measuring: {name}", file=sys.stderr, flush=True)
    return {
        BEST: trial.best_map(),
        DRAWN: trial.members(MEMBERS),
        NEAR: trial.neighbourhood_only(),
        GUESSED: trial.guessing(),
        STILL: trial.no_change(),
    }


def tabulate(a: Scores, b: Scores) -> str:
    """Return the table of all tools on Plum Island."""
    rows = [("figure of merit", *COLUMNS, "source")]
    rows += [(name, *figures, SOURCE) for name, figures in OTHER_TOOLS.items()]
    for name in (STILL, GUESSED, NEAR, BEST, DRAWN):
        of = a[name].figure_of_merit
        figures = [show(value, 3) for value in (of[1], b[name].figure_of_merit[1], of[8], of[32])]
        rows.append((name, *figures, show(a[name].simulated_change, 1), MEASURED_NOW))
    return align(rows, left=(0, len(COLUMNS) + 1))


def _churn(name: str, scores: Scores, trial: Trial) -> list[Row]:
    """Compare the change that is simulated with the change that is demanded, in percentage points."""
    demanded = demanded_change(trial.learned.model, trial.scenario, trial.start)
    rows = [Row(f"{name}: observed", scores[BEST].observed_change), Row(f"{name}: demanded", demanded)]
    for row in (BEST, DRAWN):
        simulated = scores[row].simulated_change
        rows.append(Row(f"{name}: {row}", simulated))
        rows.append(Row(f"{name}: {row}, off the demand by", abs(simulated - demanded), most=0.5))
    return rows


def _reliability(trial: Trial, name: str) -> list[Row]:
    print(f"measuring: {name}, {MANY_MEMBERS} members", file=sys.stderr, flush=True)
    told = trial.hindcast(MANY_MEMBERS).reliability
    gap = "largest distance of the reliability curve from the diagonal"
    skill = f"Brier skill against no change, {MANY_MEMBERS} members"
    return [
        Row(f"{gap}, recalibrated, bins of 500 cases or more", told.recalibrated.largest_gap(500), most=0.1),
        Row(f"{gap}, recalibrated, hectares of the members", told.as_in_a_run.largest_gap(500)),
        Row(f"{gap}, {MANY_MEMBERS} members as they are", told.raw.largest_gap(500)),
        Row(f"{skill}, recalibrated", told.recalibrated.skill),
        Row(f"{skill}, as they are", told.raw.skill),
        Row("Brier skill without the noise of few members", told.fair_skill),
    ]


def _coarser(row: str, factor: int) -> str:
    return row if factor == 1 else f"{row}, {factor} x coarser"


if __name__ == "__main__":
    main()
