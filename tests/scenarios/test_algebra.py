"""Linear algebra in one thread."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
from threadpoolctl import threadpool_info

from scenarios import algebra


class Libraries:
    """Stands for the libraries of linear algebra, on a machine of two cores."""

    def __init__(self) -> None:
        self.threads = 2

    def limit(self, *, limits: int) -> Libraries:
        self.threads = limits
        return self

    def restore_original_limits(self) -> None:
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


def test_all_libraries_are_held() -> None:
    with algebra.one_thread:
        assert scipy.linalg.norm(np.ones(2)) > 0  # its library is there
        assert {each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"} == {1}
