"""Work that is done behind somebody's back: a few pieces at a time, so that what waits takes little memory."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import BoundedSemaphore
from typing import Any, Generic, Self, TypeVar

Result = TypeVar("Result")


class Background(Generic[Result]):
    """Does what it is given by threads of its own. Leaving the block waits for all of it.

    Parameters
    ----------
    threads : how many pieces are under way at a time; one more waits, and whoever brings another waits too
    """

    def __init__(self, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="background")
        self._room = BoundedSemaphore(threads + 1)
        self._given: list[Future[Result]] = []

    def __enter__(self) -> Self:
        """Return it."""
        return self

    def __exit__(self, *error: object) -> None:
        """Wait for what is under way; where the block has failed, what waits is not begun any more."""
        self._pool.shutdown(cancel_futures=error[0] is not None)

    def do(self, function: Callable[..., Result], *arguments: Any) -> None:
        """Let a function be called, as soon as there is room.

        Raises
        ------
        BaseException
            What an earlier piece has raised.
        """
        for each in self._given:
            if each.done():
                each.result()
        self._room.acquire()
        self._given.append(self._pool.submit(function, *arguments))
        self._given[-1].add_done_callback(lambda _: self._room.release())

    def results(self) -> list[Result]:
        """Wait, and return what all pieces have come to, in the order in which they were given."""
        return [each.result() for each in self._given]
