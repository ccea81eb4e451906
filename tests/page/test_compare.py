"""Two maps beside each other, and what is different between them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.page.visits import SIZES, Visit, Visitor


def wait_for_both(visited: Visit, year: int, other: int) -> None:
    visited.wait_for_map(year)
    expect(visited.page.locator(f'.map-area[data-other=done][data-other-year="{other}"]')).to_be_visible()
    visited.wait_until_still()


def divider(visited: Visit) -> Locator:
    return visited.page.get_by_role("slider", name="Line between the two maps")


def pick(visited: Visit, label: str, option: str | re.Pattern[str]) -> None:
    field = visited.page.get_by_role("combobox", name=label, exact=True)
    chosen = field.locator("option", has_text=option).first.get_attribute("value")
    assert chosen is not None
    field.select_option(chosen)


@SIZES
def test_observed_and_projected_lie_side_by_side(
    visit: Visitor, commons_url: str, screenshots: Path, size: tuple[int, int]
) -> None:
    visited = visit(commons_url, size)
    visited.wait_for_map(2038)
    visited.page.get_by_role("button", name="Compare").click()
    visited.page.get_by_role("radio", name="Two maps side by side").check()
    wait_for_both(visited, 2038, 2018)
    expect(visited.first(".side.before")).to_have_text("2018, observed")
    expect(visited.first(".side.after")).to_have_text("2038, If things go on as they did 1998–2018")
    visited.page.screenshot(path=screenshots / f"compare-swipe-{size[0]}.png")
    visited.page.get_by_role("button", name="Close").click()
    expect(divider(visited)).to_be_visible()
    visited.page.screenshot(path=screenshots / f"compare-swipe-closed-{size[0]}.png")


def test_line_moves_by_hand_and_by_keyboard(visit: Visitor, commons_url: str) -> None:
    visited = visit(f"{commons_url}#landscape=valley&compare=swipe")
    wait_for_both(visited, 2038, 2018)
    line = divider(visited)
    line.focus()
    for key, value in (("ArrowLeft", 48), ("PageUp", 58), ("Home", 0), ("End", 100), ("PageDown", 90)):
        visited.page.keyboard.press(key)
        expect(line).to_have_attribute("aria-valuenow", str(value))
    expect(visited.first(".year-figure")).to_have_text("2038")
    box = line.bounding_box()
    assert box is not None
    visited.page.mouse.move(box["x"] + 22, 300)
    visited.page.mouse.down()
    visited.page.mouse.move(820, 300, steps=4)
    visited.page.mouse.up()
    expect(line).to_have_attribute("aria-valuenow", "50")


def test_each_side_shows_its_own_map(visit: Visitor, commons_url: str) -> None:
    visited = visit(f"{commons_url}#landscape=valley&compare=swipe&since=1998")
    wait_for_both(visited, 2038, 1998)
    both = visited.picture()
    divider(visited).focus()
    visited.page.keyboard.press("Home")
    visited.wait_until(lambda: visited.picture() != both, "the right map alone")
    right = visited.picture()
    visited.page.keyboard.press("End")
    visited.wait_until(lambda: visited.picture() not in (both, right), "the left map alone")
    assert len({both, right, visited.picture()}) == 3


def test_two_scenarios_are_compared_in_the_same_year(visit: Visitor, commons_url: str) -> None:
    visited = visit(f"{commons_url}#landscape=valley&compare=swipe&open=compare&run=as-before-run-2&year=2030")
    visited.wait_for_map(2030)
    pick(visited, "Compare with", "Restore the valley")
    wait_for_both(visited, 2030, 2030)
    visited.wait_for_tiles("/runs/restoration-run-2/2030/")
    expect(visited.first(".side.before")).to_have_text("2030, Restore the valley")
    pick(visited, "In the year", "2025")
    wait_for_both(visited, 2030, 2025)
    expect(visited.page).to_have_url(re.compile("with=restoration-run-2&since=2025"))


@pytest.mark.long
def test_both_maps_move_together(visit: Visitor, commons_url: str) -> None:
    def finest(part: str) -> int:
        return max(int(url.split("?")[0].split("/")[-3]) for url in visited.tiles_of(part))

    visited = visit(f"{commons_url}#landscape=valley&compare=swipe&since=1998")
    wait_for_both(visited, 2038, 1998)
    left, right = "valley-land-cover-1998", "/2038/"
    before = finest(left)
    assert finest(right) == before
    visited.page.get_by_role("button", name="Zoom in").click()
    visited.wait_until(lambda: finest(left) > before, "finer tiles on the left")
    visited.wait_until(lambda: finest(right) > before, "finer tiles on the right")
    assert finest(left) == finest(right)


@SIZES
def test_difference_is_told_in_words(
    visit: Visitor, commons_url: str, screenshots: Path, size: tuple[int, int]
) -> None:
    visited = visit(commons_url, size)
    visited.wait_for_map(2038)
    visited.page.get_by_role("button", name="Compare").click()
    visited.page.get_by_role("radio", name="What is different").check()
    visited.wait_for_tiles("/2038/difference/")
    visited.wait_for_map(2038)
    keys = visited.page.locator(".theme-legend .keys li")
    expect(keys).to_have_count(7)
    expect(keys.first).to_have_text("Became Forest")
    expect(keys.last).to_have_text("No change")
    pick(visited, "Look at", "Built-up land")
    expect(keys.first).to_have_text("Became Built-up land")
    expect(keys.nth(1)).to_have_text("Was Built-up land, is no more")
    visited.wait_for_tiles("class=built")
    visited.wait_for_map(2038)
    visited.wait_until_still()
    visited.page.screenshot(path=screenshots / f"compare-difference-{size[0]}.png")
    assert all("against=land-cover%2Fvalley-land-cover-2018" in url for url in visited.tiles_of("/difference/"))


@pytest.mark.long
def test_difference_of_an_observed_year_says_what_to_do(visit: Visitor, commons_url: str) -> None:
    visited = visit(f"{commons_url}#landscape=valley&show=difference&open=compare&year=2008")
    visited.wait_for_map(2008)
    expect(visited.first(".drawer .notice")).to_have_text(
        "Choose a projected year in the time bar: what is different is told from there."
    )
    expect(visited.first(".legend caption")).to_have_text("Land cover in 2008")


@pytest.mark.long
def test_one_map_again(visit: Visitor, commons_url: str) -> None:
    visited = visit(f"{commons_url}#landscape=valley&show=difference&class=forest")
    visited.wait_for_tiles("/difference/")
    visited.wait_for_map(2038)
    visited.page.get_by_role("button", name="Back to land cover").click()
    visited.wait_until_whole(2038)
    expect(visited.first(".legend caption")).to_have_text("Land cover in 2038")


@pytest.mark.long
def test_left_map_that_failed_is_said(visit: Visitor, commons_url: str) -> None:
    tiles = "**/valley-land-cover-2018/tiles/**"

    def refuse(opened: Visit) -> None:
        opened.page.route(tiles, lambda route: route.fulfill(status=503, body="busy"))

    visited = visit(f"{commons_url}#landscape=valley&compare=swipe", trouble_expected=True, prepare=refuse)
    expect(visited.page.get_by_text("Parts of the map on the left could not be loaded.")).to_be_visible()
    visited.page.unroute(tiles)
    visited.page.get_by_role("button", name="Try again").click()
    wait_for_both(visited, 2038, 2018)
