"""The table of a benchmark: what holds, what falls short, and how many."""

from __future__ import annotations

import pytest

from tests.benchmarks.bars import Bench, Row, align, show

NAN = float("nan")


@pytest.mark.parametrize(
    ("row", "holds"),
    [
        (Row("reached", 0.5, least=0.5), True),
        (Row("missed by what rounding hides", 0.49999, least=0.5), False),
        (Row("above", 0.6, least=0.5, aim=0.9), True),
        (Row("at most, reached", 0.5, most=0.5), True),
        (Row("at most, passed", 0.51, most=0.5), False),
        (Row("between", 3.0, least=2, most=4), True),
        (Row("outside", 5.0, least=2, most=4), False),
        (Row("cannot be told", NAN, least=0.0), False),
        (Row("cannot be told either", NAN, most=1.0), False),
    ],
    ids=lambda value: value.what if isinstance(value, Row) else "",
)
def test_a_row_holds_where_its_bar_is_reached(row: Row, holds: bool) -> None:
    assert row.holds is holds
    assert row.cells()[-1] == ("holds" if holds else "falls short")


def test_a_row_without_a_bar_has_no_verdict() -> None:
    assert Row("just a figure", 0.25).cells() == ("just a figure", "0.2500", "", "", "")


def test_the_table_counts_the_bars_that_hold() -> None:
    bench = Bench()
    bench.add("Place", Row("figure of merit", 0.0432, least=0.055, aim=0.065), Row("change", 3.712))
    bench.add("Time", Row("seconds", 12.0, most=30, digits=1))
    bench.add("Place", Row("gap", NAN, most=0.1))
    bench.skip("Elsewhere", "no data")
    assert str(bench).splitlines() == [
        "Place",
        "                 measured      bar    aim  verdict",
        "figure of merit    0.0432  ≥ 0.055  0.065  falls short",
        "change             3.7120",
        "gap                     –    ≤ 0.1         falls short",
        "",
        "Time",
        "         measured   bar  aim  verdict",
        "seconds      12.0  ≤ 30       holds",
        "",
        "skipped: Elsewhere: no data",
        "1 of 3 bars hold",
    ]


def test_nothing_measured_is_nothing_held() -> None:
    assert str(Bench()) == "0 of 0 bars hold"


@pytest.mark.parametrize(
    ("figure", "digits", "text"),
    [(0.04321, 4, "0.0432"), (0.0, 3, "0.000"), (6.8e-15, 4, "6.8e-15"), (NAN, 4, "–"), (12.34, 1, "12.3")],
)
def test_figures_are_shown_as_long_as_they_mean_something(figure: float, digits: int, text: str) -> None:
    assert show(figure, digits) == text


def test_columns_stand_below_each_other() -> None:
    assert align([("", "a", "why"), ("row", "123", "b")], left=(0, 2)) == "       a  why\nrow  123  b"
