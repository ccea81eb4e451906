"""How sure: chances, where members disagree, when places change, and the test on the past."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.page.visits import SIZES, Visitor


@SIZES
def test_chance_of_a_class_is_a_map_with_words(
    visit: Visitor, commons_url: str, screenshots: Path, size: tuple[int, int]
) -> None:
    visited = visit(commons_url, size)
    visited.wait_for_map(2038)
    visited.page.get_by_role("button", name="How sure").click()
    visited.page.get_by_role("radio", name="How likely a class is").check()
    visited.page.get_by_role("combobox", name="Class", exact=True).select_option("built")
    visited.wait_for_tiles("/2038/probability/")
    visited.wait_for_map(2038)
    expect(visited.first(".mark.theme")).to_have_text("How likely is Built-up land in 2038?")
    keys = visited.page.locator(".theme-legend .keys li")
    expect(keys).to_have_count(5)
    expect(keys.first).to_have_text("Very unlikely: fewer than 10 in 100")
    visited.wait_until_still()
    visited.page.screenshot(path=screenshots / f"sure-probability-{size[0]}.png")
    expect(visited.first(".drawer .hindcast")).to_contain_text(
        "this model found 6 of every 100 places that changed; pure guessing finds 2"
    )


@pytest.mark.long
def test_observed_year_has_no_chances_and_shows_land_cover(visit: Visitor, commons_url: str) -> None:
    visited = visit(f"{commons_url}#landscape=valley&show=probability&class=forest&year=2018")
    visited.wait_for_map(2018)
    expect(visited.first(".legend caption")).to_have_text("Land cover in 2018")
    expect(visited.page.locator(".mark.theme")).to_have_count(0)
    visited.slide_to(2030)
    visited.wait_for_tiles("/2030/probability/")


@pytest.mark.long
def test_year_of_the_first_change_is_a_map(visit: Visitor, commons_url: str) -> None:
    visited = visit(f"{commons_url}#landscape=valley&show=first-change")
    visited.wait_for_tiles("/first-change/")
    visited.wait_for_map(2038)
    expect(visited.first(".ramp figcaption")).to_contain_text("2019")
    expect(visited.first(".ramp figcaption")).to_contain_text("2038")


def test_hatch_lies_where_runs_disagree_and_can_be_taken_off(visit: Visitor, commons_url: str) -> None:
    visited = visit(commons_url)
    visited.wait_until_whole(2038)
    visited.wait_for_tiles("/2038/agreement/")
    visited.wait_until_still()
    hatched = visited.picture()
    switch = visited.page.get_by_role("switch", name="Hatched: fewer than 70 of every 100 runs agree")
    expect(switch).to_be_checked()
    switch.uncheck()
    visited.wait_until(lambda: visited.picture() != hatched, "the map without its hatch")
    assert "veil=off" in visited.page.url
    switch.check()
    visited.wait_until(lambda: visited.picture() == hatched, "the map with its hatch again")
    visited.slide_to(2018)
    expect(switch).to_have_count(0)
