"""Where work is done side by side. The only room that imports Dask."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from threading import Condition, local
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
        """Return the function's results in the order of the items.

        The first error is raised, as is an interruption, once nothing is under way any more: whoever then cleans up
        does so alone.
        """
        work = list(items)
        call = _Call()
        call.go_on()
        if self.threads == 1 or len(work) < 2:
            return [function(item) for item in work]
        from dask.threaded import get

        # A graph of our own: Dask's `delayed` takes longer for a task than many a block does.
        tasks = {n: (partial(call.do, function, item),) for n, item in enumerate(work)}
        try:
            return list(get(tasks, list(tasks), num_workers=self.threads))
        except BaseException:
            call.end()
            raise

    def split(self, groups: int) -> tuple[Workers, Workers]:
        """Return who does so many jobs side by side, and who works inside each of them."""
        return Workers(max(1, groups)), Workers(max(1, -(-self.threads // max(1, groups))))

    def both(self, one: Callable[[], Item], other: Callable[[], Result]) -> tuple[Item, Result]:
        """Return the results of two jobs done side by side; each may itself use the workers.

        Where one fails, the other ends when it next uses them.
        """
        jobs: tuple[Callable[[], Any], ...] = (one, other)
        first, second = self.map(lambda job: job(), jobs)
        return first, second


class _Stopped(Exception):
    """The work that this was a part of has ended early; nobody waits for what it returns."""


class _Here(local):
    """What a thread works for: the calls inside which its task lies."""

    calls: tuple[_Call, ...] = ()


_here = _Here()


class _Call:
    """One call of `Workers.map`, and how many of its tasks are under way.

    Dask leaves them to themselves where the call ends early. A task that itself calls `map` lies inside that call too,
    and is refused its next one.
    """

    def __init__(self) -> None:
        self._within = (*_here.calls, self)
        self._under_way = 0
        self._over = False
        self._change = Condition()

    def go_on(self) -> None:
        """Raise if this call or one around it has ended."""
        if any(call._over for call in self._within):
            raise _Stopped

    def do(self, function: Callable[[Item], Result], item: Item) -> Result:
        """Do one task, if the call has not ended meanwhile."""
        with self._change:
            self.go_on()
            self._under_way += 1
        around, _here.calls = _here.calls, self._within
        try:
            return function(item)
        finally:
            _here.calls = around
            with self._change:
                self._under_way -= 1
                self._change.notify_all()

    def end(self) -> None:
        """Refuse the tasks to come, and wait for those under way."""
        with self._change:
            self._over = True
            self._change.wait_for(lambda: self._under_way == 0)


ONE = Workers(1)
"""No side-by-side work: for what itself runs inside a pool."""
