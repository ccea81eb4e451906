"""Linear algebra in one thread."""

from __future__ import annotations

from threading import Thread
from typing import Self

import numpy as np
import pytest
import scipy.linalg
from threadpoolctl import threadpool_info

from scenarios import algebra


class Libraries:
    """Stands for the libraries of linear algebra, on a machine of two cores."""

    def __init__(self) -> None:
        self.threads = 2

    def limit(self, *, limits: int) -> Self:
        self.threads = limits
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.threads = 2


def test_limit_is_held_until_the_last_has_left(monkeypatch: pytest.MonkeyPatch) -> None:
    libraries = Libraries()
    monkeypatch.setattr(algebra, "_find_libraries", lambda: libraries)
    held = algebra._OneThread()
    with held:
        with held:
            assert libraries.threads == 1
        assert libraries.threads == 1
    assert libraries.threads == 2


def count_threads() -> set[int]:
    assert scipy.linalg.norm(np.ones(2)) > 0  # its library is there
    return {each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"}


def test_all_libraries_are_held_whoever_asks_and_however_often() -> None:
    before, seen = count_threads(), list[set[int]]()

    def learn() -> None:
        with algebra.one_thread:
            seen.append(count_threads())

    learn()
    other = Thread(target=learn)
    other.start()
    other.join()
    learn()
    assert seen == [{1}] * 3
    assert count_threads() == before
