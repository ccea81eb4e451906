"""What a walk sees on its way: the landscape as it was when it last looked, with the drivers of the year."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from scenarios.cluster import Workers
from scenarios.demand.transitions import Transition
from scenarios.kernels import draws
from scenarios.kernels.keys import TEMPERATURE_ONE, Claims
from scenarios.kernels.windows import move_counts
from scenarios.model import Model
from scenarios.projection.strips import UNKNOWN, weigh_units
from scenarios.projection.view import View
from scenarios.projection.yearbook import Changes

_NO_CELLS = np.empty(0, np.int64)


class Lookout:
    """Looks at one landscape while it changes.

    Parameters
    ----------
    model : what it sees with
    land_cover : (y, x) uint8, the running state, which others change
    temperature : of the draws, in 1/1024
    workers : who looks
    """

    def __init__(self, model: Model, land_cover: NDArray[np.uint8], temperature: int, workers: Workers) -> None:
        self.model, self.land_cover, self.temperature, self.workers = model, land_cover, temperature, workers
        self.potential, self.replaced = model.potential, dict[str, str]()
        self.seen = workers.scratch.copy(land_cover)
        self.touched: list[NDArray[np.int64]] = []  # cells that have changed since the last look
        self.gumbel = draws.gumbel_table()

    def begin(self, view: View | None) -> None:
        """Look for the first time, or take over what another walk saw there, if it saw with the same potential."""
        if view is None or view.potential is not self.potential:
            self._look()
        else:
            self.view = view.copy(self.workers.scratch)

    def resume(self, replaced: dict[str, str]) -> None:
        """Look at once at what a walk has seen that went on until here, with its drivers."""
        self._choose_drivers(replaced)
        self._look()
        self._leave_alone(self.touched)

    def replace_drivers(self, replaced: dict[str, str]) -> None:
        """See the landscape with other drivers: names, and what stands for them."""
        if replaced != self.replaced:
            self.resume(replaced)

    def note(self, changes: Changes) -> None:
        """Hear what has changed. Such cells change again only where nothing else is left, until the next look.

        The history tells of one change of a cell in an interval.
        """
        self.touched.append(changes.cells)
        self.view.leave_alone(changes.cells, changes.before, self.land_cover)

    def look_around(self) -> None:
        """See the landscape as it is now: every neighbourhood, and the cells that have changed since the last look."""
        touched = self.touched[0] if len(self.touched) == 1 else np.unique(np.concatenate(self.touched))
        before = self.seen.ravel()[touched]
        self.take_note()
        if self.potential.is_never_cut:
            self.view.follow(self.land_cover, touched, before, self.workers)
        else:
            self._look_around_anew(touched, before)

    def _look_around_anew(self, touched: NDArray[np.int64], before: NDArray[np.uint8]) -> None:
        """Compute the scores anew of all cells that have a changed one in their windows."""
        now, near = self.land_cover.ravel()[touched], self.potential.neighbourhood
        moved, stale = before != now, self.workers.scratch.zeros(self.land_cover.shape, np.uint8)
        changes = touched[moved], before[moved], now[moved]
        move_counts(self.view.counts, near.window_radii, near.window_values, *changes, stale)
        stale.ravel()[touched] = 1
        self.view.rescore(self.land_cover, stale, self.workers)

    def take_note(self) -> None:
        """Take the map as it is for the one that was last looked at."""
        for cells in self.touched:
            self.seen.ravel()[cells] = self.land_cover.ravel()[cells]
        self.touched.clear()

    def _leave_alone(self, touched: Sequence[NDArray[np.int64]]) -> None:
        """Leave the cells alone that have changed since the last look, which has seen them as they were."""
        cells = np.unique(np.concatenate([_NO_CELLS, *touched]))
        self.view.leave_alone(cells, self.seen.ravel()[cells], self.land_cover)

    def score(self, transition: Transition) -> NDArray[np.int16]:
        """Return the scores of a transition, (y, x), of cells of its class."""
        scores: NDArray[np.int16] = self.view.scores[:, :, self.potential.slot(transition)]
        return scores

    def claim(
        self, transitions: Sequence[Transition], barred: NDArray[np.uint8], streams: Sequence[np.uint64]
    ) -> Claims:
        """Return what the keys of some transitions out of one class are made of.

        Parameters
        ----------
        barred : (y, x) uint8, non-zero where none of them may happen
        streams : of the draws of each transition
        """
        modelled, promises = self.potential.transitions, self.view.promises
        known = all(t in modelled for t in transitions)
        places = np.array([modelled.index(t) if t in modelled else -1 for t in transitions], np.int64)
        ceilings = np.array([promises.ceilings[place] if place >= 0 else 0 for place in places], np.int64)
        return Claims(
            source=transitions[0].source,
            land_cover=self.land_cover,
            barred=barred,
            scores=self.view.scores,
            slots=np.array([self.potential.slot(t) for t in transitions], np.int64),
            streams=np.array(streams),
            temperature=self.temperature,
            gumbel=self.gumbel,
            weights=promises.weights,
            ceilings=ceilings,
            units=weigh_units(ceilings, self.temperature),
            strips=promises.promised if known else UNKNOWN,
            places=places,
        )

    def _look(self) -> None:
        self.view = View.of(self.potential, self.seen, self.workers, self.temperature / TEMPERATURE_ONE)

    def _choose_drivers(self, replaced: Mapping[str, str]) -> None:
        self.replaced, layers = dict(replaced), self.model.layers
        self.potential = self.model.potential
        if replaced:
            drivers = {name: layers[replaced.get(name, name)] for name in self.potential.edges}
            self.potential = self.potential.seen_with(drivers, self.workers)
