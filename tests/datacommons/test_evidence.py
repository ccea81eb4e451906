"""The part of the report about each change's model: it says what was measured, in words and in pictures."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from datacommons.reports.evidence import show_evidence
from datacommons.reports.quality_charts import draw_calibration, draw_characteristic, draw_curve, find_reach
from scenarios.potential.curves import Curve
from scenarios.potential.evidence import Evidence
from scenarios.potential.quality import CalibrationBin, OperatingCharacteristic, Quality
from tests.datacommons.hindcasts import make_hindcast
from tests.datacommons.test_report import read

EVIL = "slope <script>alert(1)</script>"
CURVES = (
    Curve(EVIL, np.array([0.0, 40]), np.log([2, 0.5])),
    Curve("share of class 1 within 300 m", np.array([0.0, 1]), np.log([1, 1.1])),
)


def make_quality(auc: float = 0.75, error: float = 0.05) -> Quality:
    return Quality(
        auc,
        auc_error=error,
        characteristic=OperatingCharacteristic(np.array([0.0, 10, 40, 100]), np.array([0.0, 4, 10, 10])),
        calibration=(CalibrationBin(50, 0.05, 0.02), CalibrationBin(50, 0.15, 0.18)),
        importance=np.array([0.12, 0.0001]),
        neighbourhood=0.0301,
        momentum=0.0,
    )


def show(evidence: Evidence) -> str:
    hindcast = make_hindcast()
    return show_evidence(replace(hindcast, evidence={hindcast.name(1, 2): evidence}))


def points_of(picture: str, kind: str) -> list[tuple[float, float]]:
    (points,) = re.findall(rf'class="{kind}" points="([^"]*)"', picture)
    return [(float(x), float(y)) for x, y in (pair.split(",") for pair in points.split())]


def test_it_says_what_was_measured() -> None:
    page = show(Evidence(make_quality(), None, CURVES))
    assert "ranks the right one first in 75 of 100 pairs (AUC 0.75, standard error 0.05)" in page
    assert "with as much foretold as changed, 40% is found" in page  # 4 of 10 ha
    assert page.index("slope") < page.index("the neighbourhood as a whole")
    assert "<em>0.120</em>" in page
    assert "<em>0.030</em>" in page
    assert "share of" not in page  # it tells nothing, so it is not shown


def test_classes_are_called_by_their_names() -> None:
    quality = replace(make_quality(), importance=np.array([0.0, 0.2]))
    assert "share of Forest within 300 m" in show(Evidence(quality, None, CURVES))


def test_names_are_escaped_and_every_tag_is_closed() -> None:
    page = show(Evidence(make_quality(), None, CURVES))
    read(page)
    assert "<script" not in page
    assert "slope &lt;script&gt;" in page


@pytest.mark.parametrize(
    ("evidence", "words"),
    [
        (Evidence(None, None, ()), "nothing can be said of its model"),
        (Evidence(make_quality(0.52), None, CURVES), "no better than by chance (AUC 0.52, standard error 0.05)"),
        (Evidence(make_quality(0.6), make_quality(0.51), CURVES), "Its neighbourhood alone places it"),
        (Evidence(None, make_quality(0.51), CURVES), "It is placed by chance"),
    ],
)
def test_doubt_is_said(evidence: Evidence, words: str) -> None:
    page = show(evidence)
    read(page)
    assert words in page
    assert "ranks the right one first" not in page


def test_what_is_told_by_chance_is_not_explained() -> None:
    page = show(Evidence(make_quality(0.52), None, CURVES))
    assert "Total operating characteristic" in page
    assert "What it is told by" not in page
    assert "How it acts" not in page


def test_a_hindcast_that_learned_nothing_says_so() -> None:
    assert "Nothing was learned." in show_evidence(make_hindcast())


def test_the_curve_lies_in_its_parallelogram() -> None:
    picture = draw_characteristic(make_quality().characteristic)
    curve, corners = points_of(picture, "own"), points_of(picture, "bounds")
    assert curve[0] == corners[0]  # nothing foretold, nothing found
    assert curve[-1] == corners[2]  # all foretold, all found
    (left, bottom), (right, top) = corners[0], corners[2]
    assert curve[1] == (
        pytest.approx(left + 0.1 * (right - left)),
        pytest.approx(bottom + 0.4 * (top - bottom), abs=0.1),
    )
    assert "as much foretold as changed" in picture


def test_calibration_has_a_disc_for_every_part() -> None:
    picture = draw_calibration(make_quality().calibration)
    assert picture.count("<circle") == 2
    (low, lower), (high, higher) = points_of(picture, "own")
    assert low < high
    assert lower > higher  # the larger share is higher up
    assert draw_calibration((CalibrationBin(1, 0.0, 0.0),)).count("<circle") == 1


def test_a_curve_is_drawn_on_the_scale_of_the_odds() -> None:
    reach = find_reach(CURVES)
    picture = draw_curve(CURVES[0], reach)
    (_, first), (_, last) = points_of(picture, "own")
    marks = {word: float(y) - 4 for y, word in re.findall(r'y="([\d.]+)" text-anchor="end">([×÷]\d+)<', picture)}
    assert marks["×2"] == pytest.approx(first, abs=0.11)
    assert marks["÷2"] == pytest.approx(last, abs=0.11)
    assert marks["×1"] == pytest.approx((first + last) / 2, abs=0.11)


@pytest.mark.parametrize("strength", [0, 0.01, 1, 5, 12])
def test_there_is_room_for_every_curve(strength: float) -> None:
    curve = Curve("x", np.array([3.0, 3]), np.array([-strength, strength]))
    picture = draw_curve(curve, find_reach([curve]))
    assert all(0 <= y <= 120 for _, y in points_of(picture, "own"))
    assert 3 <= len(re.findall(r">[×÷]\d+<", picture)) <= 7
