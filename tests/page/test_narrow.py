"""What a visitor sees and does on a phone."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import FloatRect, Locator, expect

from tests.page.visits import NARROW, Visit, Visitor

TARGET_PX = 44
SLOWLY_PX_MS = 0.3  # from 0.5 pixels a millisecond on, a drag is a flick, which goes one stop on


def box(part: Locator) -> FloatRect:
    found = part.bounding_box()
    assert found is not None
    return found


def wait_for_stop(visited: Visit, stop: str) -> None:
    """Wait until the sheet is at a stop: it does not slide where the reader wants no motion."""
    expect(visited.page.locator(".panel")).to_have_attribute("data-stop", stop)


def tap_handle(visited: Visit, stop: str) -> None:
    visited.page.locator(".handle").tap(position={"x": 195, "y": 12})
    wait_for_stop(visited, stop)


def draw_up(visited: Visit) -> None:
    """Bring the sheet all the way up, by keyboard."""
    visited.page.locator(".handle").focus()
    for stop in ("half", "full"):
        visited.page.keyboard.press("ArrowUp")
        wait_for_stop(visited, stop)


def sheet_height(visited: Visit) -> float:
    return box(visited.page.locator(".panel"))["height"]


def drag_handle(visited: Visit, pixels: float) -> None:
    """Drag no faster than a slow hand; a busy machine drags slower still, which is no flick either."""
    handle = box(visited.page.locator(".handle"))
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
    visited.wait_until_whole(2038)
    return visited


def test_sheet_has_three_stops_by_tap(phone: Visit) -> None:
    heights = [sheet_height(phone)]
    for stop in ("half", "full", "peek"):
        tap_handle(phone, stop)
        heights.append(sheet_height(phone))
    peek, half, full, again = heights
    assert 64 < peek < 110
    assert 300 < half < 500
    assert full > 600
    assert again == peek


def test_sheet_follows_a_drag_to_the_nearest_stop(phone: Visit) -> None:
    for pixels, stop in ((-330, "half"), (-250, "full"), (560, "peek")):
        drag_handle(phone, pixels)
        expect(phone.page.locator(".panel")).to_have_attribute("data-stop", stop)


def test_sheet_obeys_the_keyboard(phone: Visit) -> None:
    phone.page.locator(".handle").focus()
    for key, stop in (("ArrowUp", "half"), ("ArrowUp", "full"), ("ArrowDown", "half"), ("Enter", "full")):
        phone.page.keyboard.press(key)
        wait_for_stop(phone, stop)
    expect(phone.first(".year-figure")).to_have_text("2038")


@pytest.mark.long
def test_peek_names_scenario_and_year(phone: Visit) -> None:
    expect(phone.first(".header-now")).to_have_text("If things go on as they did 1998–2018")
    peek = box(phone.page.locator(".panel"))
    named = box(phone.page.locator(".header-now"))
    assert peek["y"] <= named["y"]
    assert named["y"] + named["height"] <= peek["y"] + peek["height"]


def test_time_bar_stays_in_reach_of_the_thumb(phone: Visit) -> None:
    for stop in ("half", "full", "peek"):
        bar = box(phone.page.locator(".time"))
        assert bar["y"] > NARROW[1] * 0.8
        assert bar["y"] + bar["height"] == NARROW[1]
        tap_handle(phone, stop)


@pytest.mark.long
def test_marks_stay_in_sight_with_the_sheet_up(phone: Visit) -> None:
    draw_up(phone)
    panel = box(phone.page.locator(".panel"))
    expect(phone.page.locator(".mark")).to_have_count(2)
    for mark in phone.page.locator(".mark").all():
        assert box(mark)["y"] + box(mark)["height"] <= panel["y"]


def test_legend_is_seen_half_way_up(phone: Visit) -> None:
    tap_handle(phone, "half")
    bar = box(phone.page.locator(".time"))
    first = box(phone.page.locator(".legend tbody tr").first)
    assert first["y"] + first["height"] < bar["y"]


@pytest.mark.long
def test_landscape_can_be_chosen_in_the_sheet(phone: Visit) -> None:
    chooser = box(phone.page.locator("h1 select"))
    middle = (chooser["x"] + chooser["width"] / 2, chooser["y"] + chooser["height"] / 2)
    under = phone.page.evaluate("([x, y]) => document.elementFromPoint(x, y).tagName", middle)
    assert under == "SELECT"
    phone.page.locator("h1 select").select_option("coast")
    phone.wait_for_map(2018)


def test_targets_are_large_enough(phone: Visit) -> None:
    draw_up(phone)
    targets = phone.page.locator("button:visible, select:visible, summary:visible, input[type=range], .card").all()
    small = [part.evaluate("part => part.outerHTML.slice(0, 80)") for part in targets if not is_large(part)]
    assert len(targets) >= 8
    assert small == []


def is_large(part: Locator) -> bool:
    found = box(part)
    return found["width"] >= TARGET_PX and found["height"] >= TARGET_PX


@pytest.mark.long
@pytest.mark.parametrize("taps", [1, 2], ids=["half", "full"])
def test_sheet_is_pictured(phone: Visit, screenshots: Path, taps: int) -> None:
    for stop in ("half", "full")[:taps]:
        tap_handle(phone, stop)
    phone.wait_until_still()
    picture = screenshots / f"page-390x844-light-sheet-{taps}.png"
    assert len(phone.page.screenshot(path=picture)) > 30_000
