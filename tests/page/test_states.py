"""What the page says where something is missing, slow or broken."""

from __future__ import annotations

from playwright.sync_api import FloatRect, Page, Route

from tests.page.visits import Visitor


def refuse(route: Route) -> None:
    route.fulfill(status=503, body="busy")


def test_landscape_without_scenario_says_what_to_do_next(visit: Visitor, commons_url: str) -> None:
    visited = visit(f"{commons_url}#landscape=coast")
    visited.wait_for_map(2018)
    assert "No scenario has been run for this landscape yet." in visited.text(".scenarios")
    assert "datacommons run scenario.yaml" in visited.text(".scenarios")
    assert visited.page.locator(".legend tbody tr").count() == 6
    assert visited.page.locator(".legend data").count() == 0
    assert "Hectares appear with the first scenario." in visited.text(".legend")
    assert visited.text(".certainty .notice") == "This appears with the first scenario."


def test_commons_without_landscape_says_what_to_do_next(visit: Visitor, empty_url: str) -> None:
    visited = visit(empty_url)
    visited.page.get_by_text("There is no landscape here yet.").wait_for()
    assert "datacommons demo" in visited.text(".header")
    assert visited.text(".time") == "The years appear here with the first map."


def test_shape_of_what_comes_is_shown_while_it_loads(visit: Visitor, commons_url: str) -> None:
    held: list[Route] = []
    visited = visit(commons_url, prepare=lambda page: page.route("**/stac/**", lambda route: held.append(route)))
    visited.page.locator(".header .shape").wait_for()
    for part in (".scenarios", ".legend", ".certainty", ".time"):
        assert visited.page.locator(f"{part} .shape").count() == 1
    visited.page.unroute("**/stac/**")
    visited.page.reload()
    visited.wait_for_map(2038)
    visited.page.locator(".legend data").first.wait_for()
    assert visited.page.locator(".shape").count() == 0


def test_failed_hectares_leave_the_map_and_can_be_asked_for_again(visit: Visitor, commons_url: str) -> None:
    visited = visit(commons_url, trouble_expected=True, prepare=lambda page: page.route("**/areas.json", refuse))
    visited.wait_for_map(2038)
    visited.page.get_by_text("The hectares could not be loaded. The map still works.").wait_for()
    assert visited.page.locator(".card").count() == 3
    assert visited.page.locator(".legend tbody tr").count() == 6
    visited.page.unroute("**/areas.json")
    visited.page.get_by_role("button", name="Try again").click()
    visited.page.locator(".legend data").first.wait_for()
    assert visited.page.locator(".notice.failed").count() == 0


def test_failed_scenarios_leave_the_observed_years(visit: Visitor, commons_url: str) -> None:
    visited = visit(
        commons_url, trouble_expected=True, prepare=lambda page: page.route("**/stac/search?collections=runs*", refuse)
    )
    visited.wait_for_map(2018)
    assert "The scenarios could not be loaded." in visited.text(".scenarios")
    visited.page.unroute("**/stac/search?collections=runs*")
    visited.page.get_by_role("button", name="Try again").click()
    visited.page.locator(".card").nth(2).wait_for()


def test_failed_landscapes_can_be_asked_for_again(visit: Visitor, commons_url: str) -> None:
    visited = visit(
        commons_url, trouble_expected=True, prepare=lambda page: page.route("**/collections/landscapes/**", refuse)
    )
    visited.page.get_by_text("The landscapes could not be loaded.").wait_for()
    visited.page.unroute("**/collections/landscapes/**")
    visited.page.get_by_role("button", name="Try again").click()
    visited.wait_for_map(2038)


def test_failed_observed_years_leave_the_projection(visit: Visitor, commons_url: str) -> None:
    visited = visit(
        commons_url,
        trouble_expected=True,
        prepare=lambda page: page.route("**/stac/search?collections=land-cover*", refuse),
    )
    visited.wait_for_map(2038)
    assert "The observed years could not be loaded." in visited.text(".time")


def test_failed_tiles_leave_the_map_below_and_can_be_asked_for_again(visit: Visitor, commons_url: str) -> None:
    visited = visit(commons_url, trouble_expected=True)
    visited.wait_for_map(2038)
    visited.page.route("**/2022/tiles/**", refuse)
    middle: FloatRect = {"x": 700, "y": 200, "width": 300, "height": 300}
    before = visited.page.screenshot(clip=middle)
    visited.slide_to(2022)
    visited.page.get_by_text("Parts of the map of 2022 could not be loaded").wait_for()
    assert visited.page.screenshot(clip=middle) == before
    visited.page.unroute("**/2022/tiles/**")
    visited.page.get_by_role("button", name="Try again").click()
    visited.wait_for_map(2022)
    assert visited.page.screenshot(clip=middle) != before


def test_failed_relief_is_said(visit: Visitor, commons_url: str) -> None:
    visited = visit(commons_url, trouble_expected=True, prepare=lambda page: page.route("**/drivers/items/**", refuse))
    visited.page.get_by_text("The relief could not be loaded. The map still works.").wait_for()
    visited.page.unroute("**/drivers/items/**")
    visited.page.get_by_role("button", name="Try again").click()
    visited.page.get_by_text("The relief could not be loaded.").wait_for(state="detached")
    visited.wait_for_map(2038)


def test_browser_without_webgl_still_gets_the_figures(visit: Visitor, commons_url: str) -> None:
    def take_webgl_away(page: Page) -> None:
        page.add_init_script("HTMLCanvasElement.prototype.getContext = () => null")

    visited = visit(commons_url, trouble_expected=True, prepare=take_webgl_away)
    visited.page.get_by_text("This browser cannot draw the map (WebGL is missing).").wait_for()
    visited.page.locator(".legend data").first.wait_for()
    visited.slide_to(2030)
    assert visited.text(".year-figure") == "2030"


def test_map_whose_code_does_not_come_leaves_the_figures(visit: Visitor, commons_url: str) -> None:
    visited = visit(
        commons_url, trouble_expected=True, prepare=lambda page: page.route("**/assets/landscape-map*.js", refuse)
    )
    visited.page.get_by_text("The map could not be loaded. The figures still work.").wait_for()
    visited.page.locator(".legend data").first.wait_for()
    visited.page.unroute("**/assets/landscape-map*.js")
    visited.page.get_by_role("button", name="Try again").click()
    visited.wait_for_map(2038)
