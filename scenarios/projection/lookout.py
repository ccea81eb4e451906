"""What a walk sees on its way: the landscape as it was when it last looked, with the drivers of the year."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from scenarios.cluster import Workers
from scenarios.demand.transitions import Transition
from scenarios.kernels.keys import TEMPERATURE_ONE
from scenarios.kernels.windows import move_counts
from scenarios.model import Model
from scenarios.projection.strips import UNKNOWN
from scenarios.projection.view import View


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
        self.stale = workers.scratch.zeros(land_cover.shape, np.uint8)

    def begin(self, view: View | None, *, same_potential: bool) -> None:
        """Look for the first time, or take over what another walk saw there.

        Parameters
        ----------
        same_potential : whether it saw with this potential
        """
        if view is None:
            self._look()
            return
        self.view = view.copy(self.workers.scratch)
        if not same_potential:
            self.view.see_with(self.potential, self.seen, self.workers)

    def resume(self, replaced: dict[str, str]) -> None:
        """Look at once at what a walk has seen that went on until here, with its drivers."""
        self._choose_drivers(replaced)
        self._look()
        self.leave_alone(self.touched)

    def replace_drivers(self, replaced: dict[str, str]) -> None:
        """See the landscape with other drivers: names, and what stands for them."""
        if replaced == self.replaced:
            return
        self._choose_drivers(replaced)
        self.stale[:] = 1
        self._rescore()
        self.leave_alone(self.touched)

    def look_around(self) -> None:
        """See the landscape as it is now: every neighbourhood, and the cells that have changed since the last look."""
        touched = np.unique(np.concatenate(self.touched))
        before = self.seen.ravel()[touched]
        self.take_note()
        if self.potential.is_never_cut:
            self.view.follow(self.potential, self.land_cover, touched, before, self.workers)
        else:
            self._look_around_anew(touched, before)

    def _look_around_anew(self, touched: NDArray[np.int64], before: NDArray[np.uint8]) -> None:
        """Compute the scores anew of all cells that have a changed one in their windows."""
        now, near = self.land_cover.ravel()[touched], self.potential.neighbourhood
        moved = before != now
        move_counts(
            self.view.counts,
            near.window_radii,
            near.window_values,
            touched[moved],
            before[moved],
            now[moved],
            self.stale,
        )
        self.stale.ravel()[touched] = 1
        self._rescore()

    def take_note(self) -> None:
        """Take the map as it is for the one that was last looked at."""
        for cells in self.touched:
            self.seen.ravel()[cells] = self.land_cover.ravel()[cells]
        self.touched.clear()

    def leave_alone(self, touched: Iterable[NDArray[np.int64]]) -> None:
        """Take the cells that have changed since the last look only where nothing else is left.

        The history tells of one change of a cell in an interval.
        """
        for cells in touched:
            self.view.leave_alone(cells, self.land_cover)

    def score(self, transition: Transition) -> NDArray[np.int16]:
        """Return the scores of a transition, (y, x), of cells of its class."""
        scores: NDArray[np.int16] = self.view.scores[self.potential.slot(transition)]
        return scores

    def strips(self, transitions: Sequence[Transition]) -> NDArray[np.float64]:
        """Return what the strips promise, (K, y, strip); unknown where one of the transitions is not modelled."""
        modelled = self.potential.transitions
        if not all(t in modelled for t in transitions):
            return UNKNOWN
        return self.view.strips.choose(np.array([modelled.index(t) for t in transitions], np.int64))

    def _look(self) -> None:
        self.view = View.of(self.potential, self.seen, self.workers, self.temperature / TEMPERATURE_ONE)

    def _choose_drivers(self, replaced: Mapping[str, str]) -> None:
        self.replaced, layers = dict(replaced), self.model.layers
        self.potential = self.model.potential
        if replaced:
            drivers = {name: layers[replaced.get(name, name)] for name in self.potential.edges}
            self.potential = self.potential.seen_with(drivers, self.workers)

    def _rescore(self) -> None:
        """Compute the scores anew wherever a neighbourhood or the class itself has changed."""
        self.view.rescore(self.potential, self.land_cover, self.stale, self.workers)
