"""What a visitor sees and does on a phone."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import FloatRect, Locator

from tests.page.visits import NARROW, Visit, Visitor

TARGET_PX = 44
SLOWLY_PX_MS = 0.3  # from 0.5 pixels a millisecond on, a drag is a flick, which goes one stop on


def box(part: Locator) -> FloatRect:
    found = part.bounding_box()
    assert found is not None
    return found


def settled_box(visited: Visit, selector: str) -> FloatRect:
    """Return where a part is once it has stopped moving: the sheet slides for 200 ms, or longer on a busy machine."""
    before, now = None, box(visited.page.locator(selector))
    while now != before:
        visited.page.wait_for_timeout(250)
        before, now = now, box(visited.page.locator(selector))
    return now


def sheet_height(visited: Visit) -> float:
    return settled_box(visited, ".panel")["height"]


def drag_handle(visited: Visit, pixels: float) -> None:
    handle = settled_box(visited, ".handle")
    x, y = handle["x"] + handle["width"] * 0.8, handle["y"] + 12
    visited.page.mouse.move(x, y)
    visited.page.mouse.down()
    for step in range(1, 13):
        visited.page.mouse.move(x, y + pixels * step / 12)
        visited.page.wait_for_timeout(abs(pixels) / 12 / SLOWLY_PX_MS)
    visited.page.mouse.up()


@pytest.fixture
def phone(visit: Visitor, commons_url: str) -> Visit:
    visited = visit(commons_url, NARROW)
    visited.wait_for_map(2038)
    return visited


def test_sheet_has_three_stops_by_tap(phone: Visit) -> None:
    heights = [sheet_height(phone)]
    for stop in ("half", "full", "peek"):
        phone.page.locator(".handle").tap(position={"x": 195, "y": 12})
        phone.page.wait_for_selector(f'.panel[data-stop="{stop}"]')
        heights.append(sheet_height(phone))
    peek, half, full, again = heights
    assert 64 < peek < 110
    assert 300 < half < 500
    assert full > 600
    assert again == peek


def test_sheet_follows_a_drag_to_the_nearest_stop(phone: Visit) -> None:
    drag_handle(phone, -330)
    phone.page.wait_for_selector('.panel[data-stop="half"]')
    drag_handle(phone, -250)
    phone.page.wait_for_selector('.panel[data-stop="full"]')
    drag_handle(phone, 560)
    phone.page.wait_for_selector('.panel[data-stop="peek"]')


def test_sheet_obeys_the_keyboard(phone: Visit) -> None:
    phone.page.locator(".handle").focus()
    for key, stop in (("ArrowUp", "half"), ("ArrowUp", "full"), ("ArrowDown", "half"), ("Enter", "full")):
        phone.page.keyboard.press(key)
        phone.page.wait_for_selector(f'.panel[data-stop="{stop}"]')
    assert phone.text(".year-figure") == "2038"


def test_peek_names_scenario_and_year(phone: Visit) -> None:
    peek = box(phone.page.locator(".panel"))
    named = box(phone.page.locator(".header-now"))
    assert phone.text(".header-now") == "If things go on as they did 1998–2018"
    assert peek["y"] <= named["y"]
    assert named["y"] + named["height"] <= peek["y"] + peek["height"]


def test_time_bar_stays_in_reach_of_the_thumb(phone: Visit) -> None:
    for _ in range(3):
        bar = box(phone.page.locator(".time"))
        assert bar["y"] > NARROW[1] * 0.8
        assert bar["y"] + bar["height"] == NARROW[1]
        phone.page.locator(".handle").tap(position={"x": 195, "y": 12})
        sheet_height(phone)


def test_marks_stay_in_sight_with_the_sheet_up(phone: Visit) -> None:
    phone.page.locator(".handle").focus()
    phone.page.keyboard.press("ArrowUp")
    phone.page.keyboard.press("ArrowUp")
    sheet_height(phone)
    panel = box(phone.page.locator(".panel"))
    for mark in phone.page.locator(".mark").all():
        assert box(mark)["y"] + box(mark)["height"] <= panel["y"]


def test_legend_is_seen_half_way_up(phone: Visit) -> None:
    phone.page.locator(".handle").tap(position={"x": 195, "y": 12})
    sheet_height(phone)
    bar = box(phone.page.locator(".time"))
    first = box(phone.page.locator(".legend tbody tr").first)
    assert first["y"] + first["height"] < bar["y"]


def test_landscape_can_be_chosen_in_the_sheet(phone: Visit) -> None:
    chooser = box(phone.page.locator("h1 select"))
    middle = (chooser["x"] + chooser["width"] / 2, chooser["y"] + chooser["height"] / 2)
    under = phone.page.evaluate("([x, y]) => document.elementFromPoint(x, y).tagName", middle)
    assert under == "SELECT"
    phone.page.locator("h1 select").select_option("coast")
    phone.wait_for_map(2018)


def test_targets_are_large_enough(phone: Visit) -> None:
    phone.page.locator(".handle").focus()
    phone.page.keyboard.press("ArrowUp")
    phone.page.keyboard.press("ArrowUp")
    sheet_height(phone)
    targets = phone.page.locator("button:visible, select:visible, summary:visible, input[type=range], .card").all()
    small = [part.evaluate("part => part.outerHTML.slice(0, 80)") for part in targets if not is_large(part)]
    assert len(targets) >= 8
    assert small == []


def is_large(part: Locator) -> bool:
    found = box(part)
    return found["width"] >= TARGET_PX and found["height"] >= TARGET_PX


@pytest.mark.parametrize("taps", [1, 2], ids=["half", "full"])
def test_sheet_is_pictured(phone: Visit, screenshots: Path, taps: int) -> None:
    for _ in range(taps):
        phone.page.locator(".handle").tap(position={"x": 195, "y": 12})
        sheet_height(phone)
    picture = screenshots / f"page-390x844-light-sheet-{taps}.png"
    assert len(phone.page.screenshot(path=picture)) > 30_000
