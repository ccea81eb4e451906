"""Where work is done side by side. The only room that imports Dask."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def _count_cores() -> int:
    if hasattr(os, "sched_getaffinity"):  # the cores given to this process, where the system can tell
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclass(frozen=True)
class Workers:
    """A pool of threads of Dask's threaded scheduler; kernels let go of the interpreter's lock.

    Parameters
    ----------
    threads : how many; the cores of the machine if not given
    """

    threads: int = field(default_factory=_count_cores)

    def __post_init__(self) -> None:
        if self.threads < 1:
            raise ValueError(f"There must be at least 1 thread; found {self.threads}.")

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
        """Return the function's results in the order of the items. The first error is raised."""
        work = list(items)
        if self.threads == 1 or len(work) < 2:
            return [function(item) for item in work]
        from dask.threaded import get

        # A graph of our own: Dask's `delayed` takes longer for a task than many a block does.
        tasks = {n: (partial(function, item),) for n, item in enumerate(work)}
        return list(get(tasks, list(tasks), num_workers=self.threads))

    def both(self, one: Callable[[], Item], other: Callable[[], Result]) -> tuple[Item, Result]:
        """Return the results of two jobs done side by side; each may itself use the workers."""
        jobs: tuple[Callable[[], Any], ...] = (one, other)
        first, second = self.map(lambda job: job(), jobs)
        return first, second


ONE = Workers(1)
"""No side-by-side work: for what itself runs inside a pool."""
