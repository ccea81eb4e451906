"""What the page says where something is missing, slow or broken."""

from __future__ import annotations

import pytest
from playwright.sync_api import Route, expect

from tests.page.visits import Visit, Visitor

pytestmark = pytest.mark.long


def refuse(route: Route) -> None:
    route.fulfill(status=503, body="busy")


def try_again(visited: Visit) -> None:
    visited.page.get_by_role("button", name="Try again").click()


def test_landscape_without_scenario_says_what_to_do_next(visit: Visitor, commons_url: str) -> None:
    visited = visit(f"{commons_url}#landscape=coast")
    visited.wait_for_map(2018)
    expect(visited.first(".scenarios")).to_contain_text("No scenario has been run for this landscape yet.")
    expect(visited.first(".scenarios")).to_contain_text("datacommons run scenario.yaml")
    expect(visited.first(".legend")).to_contain_text("Hectares appear with the first scenario.")
    expect(visited.page.locator(".legend tbody tr")).to_have_count(6)
    expect(visited.page.locator(".legend data")).to_have_count(0)
    expect(visited.first(".certainty .notice")).to_have_text("This appears with the first scenario.")


def test_scenarios_appear_when_they_are_done(visit: Visitor, commons_url: str) -> None:
    runs = "**/stac/search?collections=runs*"
    nothing = {"type": "FeatureCollection", "features": [], "links": []}

    def have_none(opened: Visit) -> None:
        opened.page.route(runs, lambda route: route.fulfill(json=nothing))

    visited = visit(commons_url, prepare=have_none)
    visited.wait_for_map(2018)
    expect(visited.first(".scenarios")).to_contain_text("No scenario has been run for this landscape yet.")
    visited.page.unroute(runs)
    expect(visited.page.locator(".card")).to_have_count(3)
    visited.wait_until_whole(2038)


def test_commons_without_landscape_says_what_to_do_next(visit: Visitor, empty_url: str) -> None:
    visited = visit(empty_url)
    expect(visited.first(".header")).to_contain_text("There is no landscape here yet.")
    expect(visited.first(".header")).to_contain_text("datacommons demo")
    expect(visited.first(".time")).to_have_text("The years appear here with the first map.")
    expect(visited.page.get_by_role("progressbar")).to_have_count(0)


def test_shape_of_what_comes_is_shown_while_it_loads(visit: Visitor, commons_url: str) -> None:
    held = []
    visited = visit(commons_url, prepare=lambda opened: held.append(opened.hold("**/stac/**")))
    for part in (".header", ".scenarios", ".legend", ".certainty", ".time"):
        expect(visited.page.locator(f"{part} .shape")).to_have_count(1)
    expect(visited.page.get_by_role("progressbar", include_hidden=True)).to_have_count(1)
    held[0].let_go()
    visited.wait_until_whole(2038)
    expect(visited.first(".legend data")).to_be_visible()
    expect(visited.page.locator(".shape")).to_have_count(0)


def test_failed_hectares_leave_the_map_and_can_be_asked_for_again(visit: Visitor, commons_url: str) -> None:
    visited = visit(
        commons_url, trouble_expected=True, prepare=lambda opened: opened.page.route("**/areas.json", refuse)
    )
    visited.wait_for_map(2038)
    expect(visited.page.get_by_text("The hectares could not be loaded. The map still works.")).to_be_visible()
    expect(visited.page.locator(".card")).to_have_count(3)
    expect(visited.page.locator(".legend tbody tr")).to_have_count(6)
    visited.page.unroute("**/areas.json")
    try_again(visited)
    visited.wait_until_whole(2038)
    expect(visited.first(".legend data")).to_be_visible()
    expect(visited.page.locator(".notice.failed")).to_have_count(0)


def test_failed_scenarios_leave_the_observed_years(visit: Visitor, commons_url: str) -> None:
    runs = "**/stac/search?collections=runs*"
    visited = visit(commons_url, trouble_expected=True, prepare=lambda opened: opened.page.route(runs, refuse))
    visited.wait_for_map(2018)
    expect(visited.first(".scenarios")).to_contain_text("The scenarios could not be loaded.")
    visited.page.unroute(runs)
    try_again(visited)
    expect(visited.page.locator(".card")).to_have_count(3)


def test_failed_landscapes_can_be_asked_for_again(visit: Visitor, commons_url: str) -> None:
    landscapes = "**/collections/landscapes/**"
    visited = visit(commons_url, trouble_expected=True, prepare=lambda opened: opened.page.route(landscapes, refuse))
    expect(visited.page.get_by_text("The landscapes could not be loaded.")).to_be_visible()
    visited.page.unroute(landscapes)
    try_again(visited)
    visited.wait_for_map(2038)


def test_failed_observed_years_leave_the_projection(visit: Visitor, commons_url: str) -> None:
    observed = "**/stac/search?collections=land-cover*"
    visited = visit(commons_url, trouble_expected=True, prepare=lambda opened: opened.page.route(observed, refuse))
    visited.wait_for_map(2038)
    expect(visited.first(".time")).to_contain_text("The observed years could not be loaded.")


def test_failed_tiles_leave_the_map_below_and_can_be_asked_for_again(visit: Visitor, commons_url: str) -> None:
    visited = visit(commons_url, trouble_expected=True)
    visited.wait_until_whole(2038)
    before = visited.picture()
    visited.page.route("**/2022/tiles/**", refuse)
    visited.slide_to(2022)
    expect(visited.page.get_by_text("Parts of the map of 2022 could not be loaded")).to_be_visible()
    visited.wait_until_still()
    assert visited.picture() == before
    visited.page.unroute("**/2022/tiles/**")
    try_again(visited)
    visited.wait_for_map(2022)
    visited.wait_until_still()
    assert visited.picture() != before


def test_failed_relief_is_said(visit: Visitor, commons_url: str) -> None:
    relief = "**/drivers/items/**"
    visited = visit(commons_url, trouble_expected=True, prepare=lambda opened: opened.page.route(relief, refuse))
    expect(visited.page.get_by_text("The relief could not be loaded. The map still works.")).to_be_visible()
    visited.page.unroute(relief)
    try_again(visited)
    visited.wait_until_whole(2038)
    expect(visited.page.get_by_text("The relief could not be loaded.")).to_have_count(0)


def test_browser_without_webgl_still_gets_the_figures(visit: Visitor, commons_url: str) -> None:
    def take_webgl_away(opened: Visit) -> None:
        opened.page.add_init_script("HTMLCanvasElement.prototype.getContext = () => null")

    visited = visit(commons_url, trouble_expected=True, prepare=take_webgl_away)
    expect(visited.page.get_by_text("This browser cannot draw the map (WebGL is missing).")).to_be_visible()
    expect(visited.first(".legend data")).to_be_visible()
    visited.slide_to(2030)
    expect(visited.first(".year-figure")).to_have_text("2030")


def test_map_whose_code_does_not_come_leaves_the_figures(visit: Visitor, commons_url: str) -> None:
    code = "**/assets/landscape-map*.js"
    visited = visit(commons_url, trouble_expected=True, prepare=lambda opened: opened.page.route(code, refuse))
    expect(visited.page.get_by_text("The map could not be loaded. The figures still work.")).to_be_visible()
    expect(visited.first(".legend data")).to_be_visible()
    visited.page.unroute(code)
    try_again(visited)
    visited.wait_for_map(2038)
