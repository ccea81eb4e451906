"""Linear algebra in one thread: how many there are must not show in its sums, and so not in what is learned."""

from __future__ import annotations

from functools import cache
from threading import Lock
from typing import Any

from threadpoolctl import ThreadpoolController


class _OneThread:
    """Holds linear algebra to one thread for as long as anybody is inside.

    The limit is one for the process: who leaves first must not lift it for the others.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._inside = 0
        self._limit: Any = None

    def __enter__(self) -> None:
        with self._lock:
            self._inside += 1
            if self._inside == 1:
                self._limit = _find_libraries().limit(limits=1)

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._limit.restore_original_limits()


@cache
def _find_libraries() -> ThreadpoolController:
    """Find the libraries of linear algebra, once: that takes 50 ms."""
    import scipy.linalg  # noqa: F401  (it brings one of its own, which has to be there to be found)

    return ThreadpoolController()


one_thread = _OneThread()
"""``with one_thread:`` around linear algebra whose result is kept."""
