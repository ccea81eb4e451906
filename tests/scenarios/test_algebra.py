"""Linear algebra in one thread."""

from __future__ import annotations

import numpy as np
import scipy.linalg
from threadpoolctl import threadpool_info, threadpool_limits

from scenarios.algebra import one_thread


def count_threads() -> set[int]:
    assert scipy.linalg.norm(np.ones(2)) > 0  # its library is there
    return {each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"}


def test_it_is_held_until_the_last_has_left() -> None:
    with threadpool_limits(2, user_api="blas"):
        assert count_threads() == {2}
        with one_thread:
            with one_thread:
                assert count_threads() == {1}
            assert count_threads() == {1}
        assert count_threads() == {2}
