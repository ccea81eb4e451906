"""Hindcast: learn from the early dates, project to the last, and compare with what happened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from catalog.legend import Legend
from scenarios.allocation.patches import PatchRules
from scenarios.calibration import calibrate
from scenarios.cluster import ONE, Workers
from scenarios.demand.transitions import History
from scenarios.demand.zones import Zones
from scenarios.errors import HistoryInvalid
from scenarios.grid import Grid
from scenarios.potential.classifiers import Classifier
from scenarios.potential.drivers import Drivers
from scenarios.potential.evidence import Evidence, gather_evidence
from scenarios.potential.potential import indifferent
from scenarios.projection.years import CENTRAL, DEFAULT_CHUNK
from scenarios.spec import DemandRule, Scenario
from scenarios.validation.fuzzy import FuzzySimilarity
from scenarios.validation.metrics import Agreement, TransitionAgreement, compare_transitions, map_outcomes
from scenarios.validation.patterns import Pattern, measure_patterns
from scenarios.validation.reliability import Reliability
from scenarios.validation.trial import Trial, draw_members

if TYPE_CHECKING:
    import pandas as pd

MEMBERS = 8
"""How many members a hindcast draws."""

MODEL, DRAWN, NEIGHBOURS, GUESSING, NOTHING = "best map", "members", "neighbourhood only", "guessing", "no change"
_COLUMNS = (
    "figure_of_merit",
    "found",
    "quantity",
    "allocation",
    "kappa_simulation",
    "observed_change",
    "simulated_change",
    "churn",
)


@dataclass(frozen=True, eq=False)
class Hindcast:
    """How well the model foretells a date that it did not see.

    Parameters
    ----------
    learned_from : the years that it saw
    start, end : projected from, compared at
    central : agreement of the best map (the likeliest cells)
    drawn : agreement of each member, a map drawn by likelihood
    neighbourhood : agreement of the best map of the same engine that knows no driver
    guessing : agreement of a map with the same amounts of change at random places
    nothing : agreement of saying that nothing changes
    by_resolution : figure of merit when errors inside blocks of so many cells are forgiven: of the best map, the mean
        of the members, and of the baselines
    fuzzy : similarity of the changes if being near counts: of the best map, the mean of the members, and of the
        baselines
    transitions : agreement of the best map, transition by transition
    reliability : whether what the members call likely happened as often as they say, and what is made of it
    patterns : patches and edges of each class, in the observed map, the best map and the first member
    evidence : what the past says of the model, by transition ("forest to built"): its quality on held-out blocks, its
        curves and what they are worth
    notes : what was left out or helped
    legend : of the maps
    observed : (y, x) uint8, the map at the end
    simulated : (y, x) uint8, the best map
    outcomes : (y, x) uint8, hits and errors of the best map, the codes of `scenarios.validation.metrics.Outcome`
    """

    learned_from: tuple[int, ...]
    start: int
    end: int
    central: Agreement
    drawn: tuple[Agreement, ...]
    neighbourhood: Agreement
    guessing: Agreement
    nothing: Agreement
    by_resolution: Mapping[str, Mapping[int, float]]
    fuzzy: Mapping[str, FuzzySimilarity]
    transitions: tuple[TransitionAgreement, ...]
    reliability: Reliability
    patterns: Mapping[str, tuple[Pattern, ...]]
    evidence: Mapping[str, Evidence]
    notes: tuple[str, ...]
    legend: Legend
    observed: NDArray[np.uint8]
    simulated: NDArray[np.uint8]
    outcomes: NDArray[np.uint8]

    @property
    def members(self) -> float:
        """Mean figure of merit of the members."""
        return float(np.mean([each.figure_of_merit for each in self.drawn]))

    @property
    def auc(self) -> dict[str, float | None]:
        """Area under the ROC curve on held-out blocks, by transition; None where nothing was learned."""
        told = {name: each.auc for name, each in self.evidence.items()}
        return {name: _number(auc, 4) if auc is not None else None for name, auc in told.items()}

    def name(self, source: int, target: int) -> str:
        """Return what a transition is called, as "forest to built"."""
        return f"{self.legend.get(source).name} to {self.legend.get(target).name}"

    def to_frame(self) -> pd.DataFrame:
        """Return the scores as a table: a row for the best map, the members (their mean) and each baseline.

        Columns are the properties of `Agreement`; ``figure_of_merit_8``: errors inside blocks of
        8 x 8 cells are forgiven; ``fuzzy_similarity_5``: changes in windows of 5 x 5 cells count as found, and
        ``fuzzy_similarity``: they count the less, the farther they are.
        """
        import pandas as pd

        rows = {
            MODEL: (self.central,),
            DRAWN: self.drawn,
            NEIGHBOURS: (self.neighbourhood,),
            GUESSING: (self.guessing,),
            NOTHING: (self.nothing,),
        }
        table = {
            name: {
                **{column: float(np.mean([getattr(each, column) for each in row])) for column in _COLUMNS},
                **{f"figure_of_merit_{n}": v for n, v in self.by_resolution[name].items() if n > 1},
                "fuzzy_similarity": self.fuzzy[name].decayed,
                **{f"fuzzy_similarity_{n}": v for n, v in self.fuzzy[name].windows.items()},
            }
            for name, row in rows.items()
        }
        return pd.DataFrame.from_dict(table, orient="index").rename_axis("map")

    def summary(self) -> dict[str, Any]:
        """Return the few numbers that go with every run."""
        return {
            "start": self.start,
            "end": self.end,
            "learned_from": list(self.learned_from),
            "figure_of_merit": _number(self.central.figure_of_merit, 4),
            "random_figure_of_merit": _number(self.guessing.figure_of_merit, 4),
            "neighbourhood_figure_of_merit": _number(self.neighbourhood.figure_of_merit, 4),
            "members_figure_of_merit": _number(self.members, 4),
            "found": _number(self.central.found, 4),
            "random_found": _number(self.guessing.found, 4),
            "quantity_disagreement": _number(self.central.quantity, 5),
            "allocation_disagreement": _number(self.central.allocation, 5),
            "observed_change": _number(self.central.observed_change, 5),
            "simulated_change": _number(self.central.simulated_change, 5),
            "kappa_simulation": _number(self.central.kappa_simulation, 4),
            "brier_skill": _number(self.reliability.raw.skill, 4),
        }

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the maps, as JSON can hold it."""
        by_resolution = {
            name: {str(n): _number(value, 4) for n, value in row.items()} for name, row in self.by_resolution.items()
        }
        auc = self.auc
        return {
            **self.summary(),
            "central": asdict(self.central),
            "neighbourhood": asdict(self.neighbourhood),
            "guessing": asdict(self.guessing),
            "nothing": asdict(self.nothing),
            "members": len(self.drawn),
            "figure_of_merit_by_resolution": by_resolution[MODEL],
            "all_by_resolution": by_resolution,
            "fuzzy_similarity": {
                name: {
                    "decayed": _number(each.decayed, 4),
                    "by_window": {str(n): _number(value, 4) for n, value in each.windows.items()},
                }
                for name, each in self.fuzzy.items()
            },
            "transitions": [
                {
                    "transition": self.name(each.source, each.target),
                    "observed": each.observed,
                    "simulated": each.simulated,
                    "hits": each.hits,
                    "figure_of_merit": _number(each.figure_of_merit, 4),
                    "auc": auc.get(self.name(each.source, each.target)),
                }
                for each in self.transitions
            ],
            "reliability": {
                **self.reliability.to_dict(),
                "recalibration": self.reliability.recalibration.to_dict(),
                "transitions": {
                    self.name(each.source, each.target): self.reliability.of(each).to_dict()
                    for each in self.reliability.transitions
                },
            },
            "patterns": {
                name: {
                    self.legend.get(each.value).name: {
                        "patches": each.patches,
                        "mean_patch_ha": _number(each.mean_patch_ha, 4),
                        "edge_density_m_ha": _number(each.edge_density_m_ha, 4),
                    }
                    for each in patterns
                }
                for name, patterns in self.patterns.items()
            },
            "auc": auc,
            "evidence": {name: each.to_dict() for name, each in self.evidence.items()},
            "notes": list(self.notes),
            "method": "figure of merit: Pontius et al. 2008, doi:10.1007/s00168-007-0138-2",
        }


def _number(value: float, decimals: int) -> float | None:
    """Return a number as JSON can hold it: None where nothing changed, so that nothing can be told."""
    return round(value, decimals) if np.isfinite(value) else None


def hindcast(
    scenario: Scenario,
    history: History,
    drivers: Drivers,
    *,
    legend: Legend,
    grid: Grid,
    members: int = MEMBERS,
    chunk: int = DEFAULT_CHUNK,
    workers: Workers = ONE,
    zones: Zones | None = None,
    classifier: Classifier | None = None,
) -> Hindcast:
    """Learn from all dates but the last, project from the last but one, and compare at the last.

    Parameters
    ----------
    scenario : its rules and seed; its interventions play no part, because they had not happened
    history : land-cover maps of three dates or more
    members : how many to draw, 1 to 255
    classifier : learns where a transition is likely, as for `calibrate`; also of the model without drivers

    Raises
    ------
    HistoryInvalid
        Fewer than three dates: two to learn from, one to test.
    """
    years = sorted(history)
    if len(years) < 3:
        raise HistoryInvalid(
            f"A hindcast needs land cover of three dates, two to learn from and one to test; found {years}. "
            "Add a date to the scenario's history."
        )
    past = {year: history[year] for year in years[:-1]}
    trial = scenario.model_copy(
        update={"start": years[-2], "years": years[-1] - years[-2], "history": tuple(past), "interventions": ()}
    )
    trial, notes = _without_table(trial)
    how: Any = {"legend": legend, "grid": grid, "workers": workers, "zones": zones, "classifier": classifier}
    bare = trial.model_copy(update={"potential": trial.potential.model_copy(update={"drivers": ()})})
    learned, unaided = workers.both(
        lambda: calibrate(trial, past, drivers, **how),
        lambda: calibrate(bare, past, {}, **how) if drivers or trial.potential.drivers else None,
    )
    model = learned.model
    # Guessing knows nothing of patches either: it takes cell by cell.
    blind = replace(
        model, potential=indifferent(list(model.rates), model.potential.neighbourhood), patches=PatchRules()
    )
    test = Trial(trial, history[years[-2]], history[years[-1]], chunk, workers)
    ends, drawn = workers.both(
        lambda: {
            MODEL: test.project(model, CENTRAL, 0.0),
            NEIGHBOURS: test.project((unaided or learned).model, CENTRAL, 0.0),
            GUESSING: test.project(blind, CENTRAL, 1.0),
            NOTHING: test.start,
        },
        lambda: draw_members(test, model, members),
    )
    scores = {name: test.score(end) for name, end in ends.items()}
    looks = {"observed": test.observed, MODEL: ends[MODEL], "first member": drawn.first}
    known = (test.start != 0) & (test.observed != 0)
    return Hindcast(
        learned_from=tuple(years[:-1]),
        start=years[-2],
        end=years[-1],
        central=scores[MODEL].agreement,
        drawn=drawn.agreements,
        neighbourhood=scores[NEIGHBOURS].agreement,
        guessing=scores[GUESSING].agreement,
        nothing=scores[NOTHING].agreement,
        by_resolution={**{n: score.by_resolution for n, score in scores.items()}, DRAWN: drawn.by_resolution},
        fuzzy={**{n: score.fuzzy for n, score in scores.items()}, DRAWN: drawn.fuzzy},
        transitions=compare_transitions(test.start, test.observed, ends[MODEL]),
        reliability=drawn.reliability,
        patterns={n: measure_patterns(np.where(known, end, 0), legend.values, grid) for n, end in looks.items()},
        evidence=gather_evidence(model.potential, legend),
        notes=(*notes, *learned.notes),
        legend=legend,
        observed=test.observed,
        simulated=ends[MODEL],
        outcomes=map_outcomes(test.start, test.observed, ends[MODEL]),
    )


def _without_table(trial: Scenario) -> tuple[Scenario, tuple[str, ...]]:
    """Foretell the past by rates where the demand is a table of the future."""
    if trial.demand.rule != "table":
        return trial, ()
    markov = DemandRule(uncertainty=trial.demand.uncertainty, zones=trial.demand.zones)
    note = "the hindcast uses Markov demand: the demand table is about the future and cannot be tested on the past"
    return trial.model_copy(update={"demand": markov}), (note,)
