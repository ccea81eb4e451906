"""Work behind somebody's back: all of it is done, little of it waits, and errors are told."""

from __future__ import annotations

from threading import Event, Lock
from time import sleep

import pytest

from datacommons.background import Background


def test_results_come_in_the_order_of_what_was_given() -> None:
    with Background[int](2) as work:
        for number in range(20):
            work.do(lambda n: sleep(0.001 * (n % 3)) or n, number)
        assert work.results() == list(range(20))


def test_leaving_waits_for_what_is_under_way() -> None:
    done: list[int] = []
    with Background[None](1) as work:
        for number in range(3):
            work.do(lambda n: sleep(0.01) or done.append(n), number)
    assert done == [0, 1, 2]


def test_only_one_more_than_the_threads_waits() -> None:
    under_way, most, lock = 0, 0, Lock()

    def give(number: int) -> int:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        return number

    def take(_: int) -> None:
        nonlocal under_way
        sleep(0.002)
        with lock:
            under_way -= 1

    with Background[None](2) as work:
        for number in range(20):
            work.do(take, give(number))
    assert most <= 4  # two are taken, one waits, and one is being made


def test_an_error_is_told_to_whoever_brings_more_or_asks_for_results() -> None:
    def fail() -> None:
        raise ValueError("a pen without ink")

    def bring_until_told() -> None:
        with Background[None](1) as work:
            for _ in range(100):
                work.do(fail)

    with pytest.raises(ValueError, match="without ink"):
        bring_until_told()
    with Background[None](1) as work:
        work.do(fail)
        with pytest.raises(ValueError, match="without ink"):
            work.results()


def test_where_the_block_fails_what_waits_is_not_begun() -> None:
    begun, go = [], Event()

    def wait(number: int) -> None:
        begun.append(number)
        go.wait(5)

    def fail_meanwhile() -> None:
        with Background[None](1) as work:
            work.do(wait, 1)
            while not begun:
                sleep(0.001)
            work.do(wait, 2)
            go.set()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail_meanwhile()
    assert begun in ([1], [1, 2])  # the second may be taken up in the moment before
