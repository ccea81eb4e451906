"""The report of a hindcast: it stands alone, tells the truth in its maps, and cannot be broken by a name."""

from __future__ import annotations

import base64
import io
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from datacommons.errors import NotWritten
from datacommons.reports.charts import draw_map, draw_reliability
from datacommons.reports.hindcast import judge_reliability, render_report, write_report
from scenarios.demand.transitions import Transition
from scenarios.validation.reliability import Reliability
from tests.datacommons.hindcasts import SHAPE, make_hindcast


class Reader(HTMLParser):
    """Collect tags, addresses, and images, and see that every tag is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag not in {"meta", "img", "br"}:
            self.open.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in {"src", "href"}]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    assert reader.open == []
    return reader


def test_it_says_first_what_was_found() -> None:
    page = render_report(make_hindcast(), title="Any")
    assert "found <b>10 of every 100</b> places that changed; pure guessing finds 0." in page
    assert page.index("of every 100") < page.index("Figure of merit")


def test_it_needs_nothing_from_anywhere() -> None:
    reader = read(render_report(make_hindcast(), title="Any"))
    assert len(reader.addresses) == 3
    assert all(address.startswith("data:image/png;base64,") for address in reader.addresses)
    assert not reader.tags & {"script", "link", "iframe"}


def test_text_from_data_is_escaped() -> None:
    page = render_report(make_hindcast(), title="<img src=x onerror=alert(1)>")
    reader = read(page)
    assert len(reader.addresses) == 3
    assert "<script" not in page
    assert "Built &lt;script&gt;" in page
    assert "A note with &lt;b&gt;brackets&lt;/b&gt; &amp; more" in page


def test_the_map_shows_every_cell_in_its_colour() -> None:
    cells = np.array([[0, 1], [2, 2]], np.uint8)
    address = draw_map(cells, {1: (10, 20, 30), 2: (200, 100, 0)})
    image = Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2]))).convert("RGBA")
    assert [[image.getpixel((x, y)) for x in (0, 1)] for y in (0, 1)] == [
        [(0, 0, 0, 0), (10, 20, 30, 255)],
        [(200, 100, 0, 255)] * 2,
    ]


def test_rare_outcomes_are_seen_on_large_maps() -> None:
    cells = np.ones((3000, 10), np.uint8)
    cells[2, 3] = 4
    address = draw_map(cells, {1: (1, 1, 1), 4: (9, 9, 9)}, loudest=True)
    image = np.array(Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2]))).convert("RGB"))
    assert image.shape[:2] == (1000, 4)
    assert (image == 9).all(axis=2).sum() == 1


def test_a_landscape_at_rest_has_a_report_too() -> None:
    page = render_report(make_hindcast(np.ones(SHAPE, np.uint8)), title="Any")
    read(page)
    assert "Nothing changed between 1991 and 1999" in page
    assert not re.search(r"\bnan\b", page)
    assert "Nothing happened that could have been foretold." in page


@pytest.mark.parametrize(
    ("happened", "words"), [(100, "surer than they should be"), (500, "as good as their word"), (900, "less sure")]
)
def test_reliability_is_said_in_words(happened: int, words: str) -> None:
    # Two blocks alike, so that each is foretold by the other all but perfectly.
    cases, came = np.array([[[0, 1000, 0]]] * 2), np.array([[[0, happened, 0]]] * 2)
    told = judge_reliability(Reliability(2, (Transition(1, 2),), cases, came))
    assert words in told
    assert f"called {happened / 10:.0f}% likely happened in {happened / 10:.0f}% of the cases." in told


def test_both_curves_are_drawn_and_named() -> None:
    cases, came = np.array([[[5000, 1000, 600]]] * 2), np.array([[[50, 100, 300]]] * 2)
    picture = draw_reliability(Reliability(2, (Transition(1, 2),), cases, came))
    lines = re.findall(r'<polyline class="(own|other)" points="([^"]*)"/>', picture)
    # The curves have a point for each of 0, 1 and 2 members; their keys are short lines of two points.
    assert [(name, len(points.split())) for name, points in lines] == [
        ("other", 3),
        ("own", 3),
        ("own", 2),
        ("other", 2),
    ]
    assert ">recalibrated</text>" in picture
    assert ">share of members</text>" in picture
    assert picture.count("<circle") == 6
    assert 'class="own few"' not in picture


def test_too_few_cases_tell_nothing() -> None:
    few = np.array([[[0, 10, 0]]])
    assert judge_reliability(Reliability(2, (Transition(1, 2),), few, few)) == "Too little changed to tell."


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(NotWritten, match="Choose another place"):
        write_report(tmp_path / "missing" / "report.html", make_hindcast(), title="Any")
    write_report(tmp_path / "report.html", make_hindcast(), title="Any")
    assert (tmp_path / "report.html").read_text("utf-8").startswith("<!doctype html>")
