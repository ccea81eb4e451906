"""How sure the potential is: models learned anew from places drawn with replacement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from scenarios.algebra import one_thread
from scenarios.kernels import draws
from scenarios.potential.additive import AdditiveModel
from scenarios.potential.classified import ClassifierModel, refit_classifier
from scenarios.potential.curves import TransitionModel
from scenarios.potential.drivers import Drivers
from scenarios.potential.learning import refit_additive
from scenarios.potential.momentum import Momentum
from scenarios.potential.samples import Sample

_POTENTIAL = 0x706F74656E7469  # "potenti": keeps these draws apart from those of cells, protections and demand


@dataclass(frozen=True, eq=False)
class Bootstrap:
    """What a potential was learned from, kept to learn it anew for each member of an ensemble.

    Parameters
    ----------
    samples : of each transition
    drivers : those that the projection starts with, (y, x) by name
    momentum : recent change; None without it

    Notes
    -----
    Cells are no independent witnesses: change comes in clumps. So whole blocks (5 km, or an eighth of a small
    landscape) are drawn, as many as there are, with replacement (Efron 1979, doi:10.1214/aos/1176344552; by blocks:
    Künsch 1989, doi:10.1214/aos/1176347265). All transitions and intervals share the draw: what happens in one place
    hangs together.
    """

    samples: tuple[Sample, ...]
    drivers: Drivers
    momentum: Momentum | None

    @cached_property
    def _blocks(self) -> NDArray[np.int64]:
        return np.unique(np.concatenate([sample.blocks for sample in self.samples]))

    def draw_blocks(self, seed: int, member: int) -> NDArray[np.int64]:
        """Return how often each block is drawn, (block,) int64; seed and member are all that it hangs on."""
        rng = np.random.Generator(np.random.PCG64(int(draws.stream(seed, member, _POTENTIAL))))
        count = self._blocks.size
        return np.asarray(rng.multinomial(count, np.full(count, 1 / count)), np.int64)

    def learn_again(
        self, models: Sequence[TransitionModel | None], *, seed: int, member: int
    ) -> tuple[TransitionModel | None, ...]:
        """Learn each model from the drawn blocks, with the features and the stiffness that it has.

        Where too few cells of the drawn blocks changed, it stays as it is.
        """
        drawn = self.draw_blocks(seed, member)
        with one_thread:
            return tuple(
                model and _learn_again(model, self._take(sample, drawn))
                for model, sample in zip(models, self.samples, strict=True)
            )

    def _take(self, sample: Sample, drawn: NDArray[np.int64]) -> Sample:
        return sample.repeat(drawn[np.searchsorted(self._blocks, sample.blocks)])


def _learn_again(model: TransitionModel, sample: Sample) -> TransitionModel:
    if isinstance(model, AdditiveModel):
        return refit_additive(model, sample)
    return refit_classifier(model, sample) if isinstance(model, ClassifierModel) else model
