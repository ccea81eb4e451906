"""Conversion rules as in CLUE-S: what never turns into what, how readily a class changes, and how soon again.

Verburg et al. 2002, doi:10.1007/s00267-002-2630-x.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catalog.legend import Legend
from scenarios.demand.transitions import History, Transition, TransitionTable
from scenarios.errors import ScenarioInvalid
from scenarios.spec import ConversionRule

NEVER = np.iinfo(np.int16).min
"""Year of the last change of a cell that was not seen to change."""


@dataclass(frozen=True, eq=False)
class Conversions:
    """A scenario's conversion rules, with classes as legend values.

    Raises
    ------
    ScenarioInvalid
        At construction: a rule names a class that the legend does not have.
    """

    rule: ConversionRule
    legend: Legend

    def __post_init__(self) -> None:
        unknown = [name for name in self.rule.classes if name not in self.legend.names]
        if unknown:
            raise ScenarioInvalid(
                f"The conversion rules name {', '.join(map(repr, unknown))}; the legend has "
                f"{', '.join(self.legend.names)}. Correct the name under conversions."
            )

    def forbids(self, transition: Transition) -> bool:
        """Whether a transition never happens."""
        return self.rule.forbids(self._name(transition.source), self._name(transition.target))

    def select(
        self, transitions: Iterable[Transition], tables: Iterable[TransitionTable]
    ) -> tuple[list[Transition], list[str]]:
        """Return the transitions that may happen, and say what was observed of the others."""
        allowed, notes = [], []
        total = np.sum([table.area_ha for table in tables], axis=0)
        place = {value: n for n, value in enumerate(self.legend.values)}
        for each in transitions:
            if self.forbids(each):
                notes.append(
                    f"{self._name(each.source)} to {self._name(each.target)}: "
                    f"{total[place[each.source], place[each.target]]:.1f} ha observed, forbidden by the scenario; "
                    "it never happens, and nothing takes its place"
                )
            else:
                allowed.append(each)
        return allowed, notes

    def hold(self, demand: Mapping[Transition, float]) -> Mapping[Transition, float]:
        """Withhold the exchange that the elasticity of the classes keeps from happening.

        Parameters
        ----------
        demand : what one year asks of each transition, in any unit of area

        Returns
        -------
        The demand that is left; what each class gains less what it loses stays the same.

        Notes
        -----
        Of two classes that turn into each other in the same year, the smaller amount is exchanged: it moves land and
        changes no area (Pontius and Santacruz 2014, doi:10.1080/2150704X.2014.969814). With the elasticities e of both,
        the part ``1 - (1 - e_i)(1 - e_j)`` of the exchange is withheld. At 0 all of it happens, at 1 none does.
        """
        if not self.rule.elasticity:
            return demand
        return {each: amount - self._withheld(each, demand) for each, amount in demand.items()}

    def _withheld(self, transition: Transition, demand: Mapping[Transition, float]) -> float:
        source, target = transition.source, transition.target
        exchange = min(demand[transition], demand.get(Transition(target, source), 0.0))
        easy = (1 - self._elasticity(source)) * (1 - self._elasticity(target))
        return exchange * (1 - easy)

    def _elasticity(self, value: int) -> float:
        return self.rule.elasticity.get(self._name(value), 0.0)

    def residence_years(self, value: int) -> int:
        """Return how many years a cell stays in a class before it may change again; 0: no rule."""
        return self.rule.residence_years.get(self._name(value), 0)

    def _name(self, value: int) -> str:
        return self.legend.get(value).name


class Residence:
    """When each cell has last changed, kept up to date from year to year; nothing is kept where no rule asks for it.

    Parameters
    ----------
    conversions : the rules
    changed : (y, x) int16, year in which each cell was last seen to change, from `date_last_change`; None: none was
    shape : of the grid
    """

    def __init__(self, conversions: Conversions, changed: NDArray[np.int16] | None, shape: tuple[int, int]) -> None:
        self._conversions = conversions
        self._changed: NDArray[np.int16] | None = None
        if conversions.rule.residence_years:
            self._changed = np.full(shape, NEVER, np.int16) if changed is None else changed.copy()

    def young(self, source: int, year: int) -> NDArray[np.bool_] | None:
        """Return the cells, (y, x), that may not leave a class in a year; None where the class has no rule."""
        years = self._conversions.residence_years(source)
        if not years or self._changed is None:
            return None
        return np.asarray(self._changed > year - years)

    def enter(self, cells: NDArray[np.int64], year: int) -> None:
        """Note that cells (flat indices) change in a year."""
        if self._changed is not None:
            self._changed.ravel()[cells] = year


def date_last_change(history: History) -> NDArray[np.int16]:
    """Return the date by which each cell was last seen to have changed, (y, x) int16; `NEVER` where it was not.

    A change between two dates counts at the later one: no cell is taken for older than it is. One that was never seen
    to change is old, whatever came before the first map. Dates without data are passed over.
    """
    first, *later = sorted(history)
    known = history[first].copy()
    changed = np.full(known.shape, NEVER, np.int16)
    for year in later:
        cover = history[year]
        changed[(cover != 0) & (known != 0) & (cover != known)] = year
        known = np.where(cover != 0, cover, known)
    return changed
