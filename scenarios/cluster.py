"""Where work is done side by side: threads here, processes anywhere. The only room that imports Dask."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from importlib.metadata import version
from itertools import count as count_up
from pathlib import Path
from tempfile import NamedTemporaryFile
from threading import Condition, local
from typing import Any, Final, TypeVar
from uuid import uuid4

from scenarios.errors import ClusterFailed, ClusterUnknown
from scenarios.scratch import IN_MEMORY, Scratch

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
    cluster : processes that whole walks are handed to; None: all is done by the threads
    scratch : where they put arrays as large as the landscape
    """

    threads: int = field(default_factory=_count_cores)
    cluster: Cluster | None = field(default=None, compare=False)
    scratch: Scratch = field(default=IN_MEMORY, compare=False)

    def __post_init__(self) -> None:
        if self.threads < 1:
            raise ValueError(f"There must be at least 1 thread; found {self.threads}.")

    def __str__(self) -> str:
        """Say who they are."""
        if self.cluster is not None:
            return str(self.cluster)
        return "1 thread" if self.threads == 1 else f"{self.threads} threads"

    def __reduce__(self) -> tuple[type[Workers], tuple[int]]:
        """Go to another process without what belongs to this one."""
        return Workers, (self.threads,)

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

        # A task for each thread, which takes one item after the other: to Dask, an item of its own would be a
        # tenth of a millisecond, which is longer than many take.
        turns, results = count_up(), dict[int, Result]()

        def take_turns() -> None:
            while (turn := next(turns)) < len(work):
                results[turn] = call.do(function, work[turn])

        tasks = dict.fromkeys(range(min(self.threads, len(work))), (take_turns,))
        try:
            get(tasks, list(tasks), num_workers=self.threads)
        except BaseException:
            call.end()
            raise
        return [results[turn] for turn in range(len(work))]

    def split(self, groups: int) -> tuple[Workers, Workers]:
        """Return who does so many jobs side by side, and who works inside each of them."""
        inside = max(1, -(-self.threads // max(1, groups)))
        return Workers(max(1, groups), scratch=self.scratch), Workers(inside, scratch=self.scratch)

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


PROCESSES: Final = "processes"
THREADS: Final = "threads"

_PATIENCE_S, _PAUSE_S = 30.0, 0.5
_LIBRARIES = ("datacommons", "numba", "numpy", "scikit-learn", "scipy")  # whose versions show in a result

Say = Callable[[Any], None]
"""Tells whoever handed out the work how it goes on; raises where nobody waits for it any more."""


@dataclass(frozen=True, eq=False)
class Cluster:
    """Processes that whole jobs are handed to.

    Parameters
    ----------
    client : `dask.distributed.Client`
    """

    client: Any

    def __str__(self) -> str:
        """Say how many processes there are."""
        count = len(self.threads)
        return "1 process" if count == 1 else f"{count} processes"

    @property
    def threads(self) -> list[int]:
        """How many threads each process has."""
        return list(self.client.nthreads().values())

    def check(self, patience_s: float = _PATIENCE_S) -> None:
        """Wait for the first process, and see that all have what a result hangs on.

        Raises
        ------
        ClusterFailed
            No process is there, or one has other versions of the libraries.
        """
        try:
            self.client.wait_for_workers(1, timeout=patience_s)
        except TimeoutError as error:
            raise ClusterFailed(f"No worker came to {self.client} in {patience_s:.0f} s. Start some.") from error
        here = list_versions()
        for address, there in self.client.run(list_versions).items():
            if there != here:
                raise ClusterFailed(
                    f"The worker {address} has {', '.join(sorted(set(there) - set(here)))}, and here is "
                    f"{', '.join(sorted(set(here) - set(there)))}. The same bytes need the same versions: install them "
                    "there."
                )

    def sees(self, folder: Path) -> bool:
        """Whether every process can read what is written into a folder here."""
        with NamedTemporaryFile(dir=folder) as file:
            return all(self.client.run(os.path.exists, file.name).values())

    def scatter(self, thing: object) -> Any:
        """Give every process its copy of an object; return what stands for it in `do`."""
        return self.client.scatter(thing, broadcast=True, hash=False)

    def do(
        self, function: Callable[..., Result], items: Sequence[Item], *shared: Any, at_once: int, listen: Say
    ) -> Iterator[tuple[Item, Result]]:
        """Call a function for each item in some process; yield what it returns as it comes.

        What a process was doing that has died is done again elsewhere. Of each item there is one task, whatever it
        does.

        Parameters
        ----------
        function : called with the item, what is shared, and a `Say`
        shared : the same for all; from `scatter` or small
        at_once : how many are handed out at the same time
        listen : takes what the processes say
        """
        dask, topic, waiting = _distributed(), f"walks-{uuid4().hex}", list(items)
        over = dask.Event(topic, client=self.client)
        self.client.subscribe_topic(topic, lambda event: listen(event[1]))
        named: dict[Any, Item] = {}

        def hand_out(item: Item) -> None:
            named[self.client.submit(_work, function, item, topic, *shared, pure=False)] = item

        try:
            while waiting or named:
                while waiting and len(named) < at_once:
                    hand_out(waiting.pop(0))
                for future in self._wait_for_one(list(named)):
                    yield named.pop(future), future.result()
        except dask.KilledWorker as error:
            raise ClusterFailed(
                f"The worker {error.last_worker.address} died on the same work as others before it, mostly for lack of "
                "memory. Take fewer processes, or ones with more memory, and run again: it goes on from there."
            ) from error
        finally:
            with suppress(OSError, RuntimeError):  # the scheduler is gone
                over.set()
                self.client.cancel(list(named))
                self.client.unsubscribe_topic(topic)

    def _wait_for_one(self, futures: list[Any]) -> set[Any]:
        """Return those that are done, once there are some; raise if nobody waits for them any more."""
        while True:
            for call in _here.calls:
                call.go_on()
            with suppress(TimeoutError):
                return set(_distributed().wait(futures, timeout=_PAUSE_S, return_when="FIRST_COMPLETED").done)


def _work(function: Callable[..., Result], item: Item, topic: str, *shared: Any) -> Result:
    """Do one piece of work, in a process of the cluster."""
    dask = _distributed()
    over, worker, asked_at = dask.Event(topic), dask.get_worker(), time.monotonic()

    def say(word: Any) -> None:
        nonlocal asked_at
        worker.log_event(topic, word)
        if time.monotonic() - asked_at > _PAUSE_S:  # the scheduler has to answer
            asked_at = time.monotonic()
            if over.is_set():
                raise _Stopped

    return function(item, *shared, say)


def _distributed() -> Any:
    """Return `dask.distributed`, which is not typed."""
    import distributed

    return distributed


def list_versions() -> list[str]:
    """List the libraries that a result hangs on, with their versions."""
    return [f"{name} {version(name)}" for name in _LIBRARIES]


@contextmanager
def open_cluster(how: Any, threads: int | None = None, patience_s: float = _PATIENCE_S) -> Iterator[Cluster | None]:
    """Have processes to work in, for as long as the block lasts; None where all is left to threads.

    Parameters
    ----------
    how : ``"threads"`` or None; ``"processes"`` or ``"processes:4"``, on this machine; the address of a scheduler, as
        ``"tcp://10.0.0.1:8786"``; or a `dask.distributed.Client`, which is left open
    threads : of all processes on this machine together; the cores if not given
    patience_s : how long a scheduler and its first worker are waited for, each

    Raises
    ------
    ClusterUnknown
        It is none of these.
    ClusterFailed
        Nobody answers at the address, no process comes, or one has other versions of the libraries.
    """
    if how is None or how == THREADS:
        yield None
        return
    with ExitStack() as stack:
        cluster = Cluster(_find_client(how, threads or _count_cores(), patience_s, stack))
        cluster.check(patience_s)
        yield cluster


def _let_interruptions_pass() -> Any:
    """Return what keeps Ctrl+C, which reaches all processes of a terminal, from workers that another will stop."""

    class Deaf(_distributed().WorkerPlugin):  # type: ignore[misc]
        def setup(self, worker: Any) -> None:  # noqa: ARG002 - it is every worker
            signal.signal(signal.SIGINT, signal.SIG_IGN)

    return Deaf()


def _close(local_cluster: Any) -> None:
    """Let the processes end; those that do not in time are killed when this one ends."""
    with suppress(TimeoutError):
        local_cluster.close(timeout=_PATIENCE_S / 3)


def _knock(address: str, patience_s: float) -> None:
    """See whether somebody answers; a client would wait for ever where one listens and says nothing.

    Raises
    ------
    OSError
        Nobody does.
    """
    connect = _distributed().comm.connect

    async def say_hello() -> None:
        comm = await asyncio.wait_for(connect(address, timeout=patience_s), patience_s)
        comm.abort()

    with ThreadPoolExecutor(1) as pool:  # a notebook's thread has an event loop already
        pool.submit(asyncio.run, say_hello()).result()


def _find_client(how: Any, threads: int, patience_s: float, stack: ExitStack) -> Any:
    dask = _distributed()
    if isinstance(how, dask.Client):
        return how
    kind, _, count = str(how).partition(":")
    if kind == PROCESSES and (not count or (count.isdecimal() and int(count) > 0)):
        processes = int(count or threads)
        local_cluster = dask.LocalCluster(
            n_workers=processes,
            threads_per_worker=max(1, threads // processes),
            dashboard_address="127.0.0.1:0",  # of its HTTP server, else of a fixed port that another run may have
            scheduler_kwargs={"dashboard": False},
            silence_logs=logging.ERROR,
            memory_limit=0,  # a walk cannot be put aside: too many of them at once are not begun
        )
        stack.callback(_close, local_cluster)
        client = stack.enter_context(dask.Client(local_cluster))
        client.register_plugin(_let_interruptions_pass())
        return client
    if "://" not in str(how):
        raise ClusterUnknown(
            "A cluster is threads, processes, processes:4 or the address of a scheduler, as tcp://10.0.0.1:8786; "
            f"found {how!r}."
        )
    try:
        if str(how).startswith("tcp://"):
            _knock(str(how), patience_s)
        return stack.enter_context(dask.Client(str(how), timeout=patience_s))
    except OSError as error:
        raise ClusterFailed(
            f"No scheduler answers at {how} in {patience_s:.0f} s. Check the address, or start one there."
        ) from error
