"""Scores by a classifier: it has to be asked for every cell, where an additive model looks them up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from scenarios.demand.transitions import Transition
from scenarios.kernels.windows import Counts
from scenarios.potential.classified import ClassifierModel
from scenarios.potential.curves import TransitionModel
from scenarios.potential.drivers import Drivers
from scenarios.potential.momentum import Momentum
from scenarios.potential.neighbourhood import Neighbourhood
from scenarios.potential.samples import describe_cells, describe_momentum

_BATCH = 1 << 15  # cells; a bound of the memory


@dataclass(frozen=True, eq=False)
class Predictor:
    """The classifiers of all transitions, with what they know of the cells.

    Parameters
    ----------
    transitions : modelled transitions, those out of one class together
    models : of each; None where nothing was learned, so that all cells score 0
    drivers : (y, x) by name
    edges : between their levels, by name
    neighbourhood : the windows
    recent : for each transition, (y, x) float32 shares of recent change; none where they are of no use
    """

    transitions: tuple[Transition, ...]
    models: tuple[ClassifierModel | None, ...]
    drivers: Drivers
    edges: Mapping[str, NDArray[np.float32]]
    neighbourhood: Neighbourhood
    recent: tuple[tuple[NDArray[np.float32], ...], ...]

    @classmethod
    def of(
        cls,
        transitions: Sequence[Transition],
        models: Sequence[ClassifierModel | None],
        drivers: Drivers,
        edges: Mapping[str, NDArray[np.float32]],
        neighbourhood: Neighbourhood,
        momentum: Momentum | None,
    ) -> Predictor:
        """Gather what the classifiers know of the cells at the start."""
        recent = tuple(
            tuple(momentum.latest(transition)) if momentum and model and model.uses_last(momentum.size) else ()
            for transition, model in zip(transitions, models, strict=True)
        )
        return cls(tuple(transitions), tuple(models), drivers, edges, neighbourhood, recent)

    def with_models(self, models: Sequence[TransitionModel | None]) -> Predictor:
        """Return a predictor that asks others, which make use of the same features."""
        return replace(self, models=tuple(m if isinstance(m, ClassifierModel) else None for m in models))

    def rescore(
        self,
        land_cover: NDArray[np.uint8],
        counts: Counts,
        valid: Counts,
        stale: NDArray[np.uint8],
        rows: tuple[int, int],
        scores: NDArray[np.int16],
    ) -> None:
        """Compute the scores of the stale cells anew; as `scenarios.kernels.scores.rescore`.

        Cells are asked for in batches that hang on the rows alone, for some classifiers' last bits hang on who is asked
        for together.
        """
        width = land_cover.shape[1]
        block = slice(*rows)
        for source in dict.fromkeys(t.source for t in self.transitions):
            cells = np.flatnonzero((stale[block] != 0) & (land_cover[block] == source)) + rows[0] * width
            for start in range(0, cells.size, _BATCH):
                self._score(cells[start : start + _BATCH], source, counts, valid, scores)
        stale[block] = 0

    def _score(
        self,
        cells: NDArray[np.int64],
        source: int,
        counts: Counts,
        valid: Counts,
        scores: NDArray[np.int16],
    ) -> None:
        rows, columns = np.divmod(cells, scores.shape[1])
        levels = describe_cells(cells, self.drivers, self.edges, self.neighbourhood, counts, valid)
        siblings = [t for t, transition in enumerate(self.transitions) if transition.source == source]
        for slot, t in enumerate(siblings):
            model = self.models[t]
            known = np.column_stack([levels, *describe_momentum(cells, self.recent[t])])
            scores[rows, columns, slot] = 0 if model is None else model.score(known)
