"""Linear algebra in one thread: how many there are must not show in its sums, and so not in what is learned."""

from __future__ import annotations

from functools import cache
from threading import Event, Lock, Thread

from threadpoolctl import ThreadpoolController


class _OneThread:
    """Holds linear algebra to one thread for as long as anybody is inside.

    The limit is one for the process: who leaves first must not lift it for the others. Of the threads that set it, the
    first is obeyed and the others are passed by in silence, until that one lifts it. So a thread of our own sets it and
    lifts it, whoever comes first and leaves last.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._inside = 0
        self._holder: Thread | None = None
        self._held, self._over = Event(), Event()

    def __enter__(self) -> None:
        with self._lock:
            self._inside += 1
            if self._inside == 1:
                self._held, self._over = Event(), Event()
                self._holder = Thread(target=self._hold, name="one-thread", daemon=True)
                self._holder.start()
                self._held.wait()

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0 and self._holder is not None:
                self._over.set()
                self._holder.join()

    def _hold(self) -> None:
        try:
            with _find_libraries().limit(limits=1):
                self._held.set()
                self._over.wait()
        finally:
            self._held.set()  # nobody waits for ever, whatever the libraries say


@cache
def _find_libraries() -> ThreadpoolController:
    """Find the libraries of linear algebra, once: that takes 50 ms."""
    import scipy.linalg  # noqa: F401  (it brings one of its own, which has to be there to be found)

    return ThreadpoolController()


one_thread = _OneThread()
"""``with one_thread:`` around linear algebra whose result is kept."""
