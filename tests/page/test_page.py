"""What a visitor sees and does on a wide screen."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import FloatRect, Route

from tests.page import valley
from tests.page.commons_server import HOSTILE, areas
from tests.page.visits import NARROW, WIDE, Visit, Visitor

SYNTHETIC = "Synthetic landscape: generated for demonstration, not a real place"


def shown_hectares(visited: Visit) -> list[float]:
    cells = visited.page.locator(".legend tbody td:not(.change) data")
    return [float(cells.nth(row).get_attribute("value") or "nan") for row in range(cells.count())]


def figure(hectares: float) -> str:
    """Three digits that mean something, as English writes them."""
    return f"{float(f'{hectares:.3g}'):,.0f}"


def change_words(visited: Visit) -> list[str]:
    return visited.page.locator(".legend .change data").all_inner_texts()


def test_opens_on_where_things_lead_if_nothing_is_done(visit: Visitor, commons_url: str) -> None:
    visited = visit(commons_url)
    visited.wait_for_map(valley.LAST_YEAR)
    assert visited.text("h1 span") == "Río Claro valley"
    assert visited.text(".card:has(:checked) .card-title") == "If things go on as they did 1998–2018"
    assert visited.page.locator(".card").count() == 3
    assert visited.tiles_of("/runs/as-before-run-2/2038/")
    assert visited.page.title() == "Río Claro valley · datacommons"


def test_cards_tell_how_the_same_class_develops(visit: Visitor, commons_url: str) -> None:
    visited = visit(commons_url)
    visited.page.locator(".card-change").nth(2).wait_for()
    change = [valley.hectares(plan, 2038)[0] - valley.hectares(plan, 2018)[0] for plan in ("as-before", "restoration")]
    words = {card.split("\n")[0]: card for card in visited.page.locator(".card").all_inner_texts()}
    assert change[0] < 0 < change[1]
    assert f"Forest: could lose about {figure(-change[0])} ha by 2038" in words["If things go on as they did 1998–2018"]
    assert f"Forest: could gain about {figure(change[1])} ha by 2038" in words["Restore the valley"]
    assert visited.page.locator(".card svg.sparkline").count() == 3


def test_only_the_newest_run_of_a_scenario_is_a_card_unless_another_is_linked(visit: Visitor, commons_url: str) -> None:
    visited = visit(commons_url)
    visited.page.locator(".card").nth(2).wait_for()
    assert visited.page.locator('[data-run="restoration-run-2"]').count() == 1
    assert visited.page.locator('[data-run="restoration-run-1"]').count() == 0
    linked = visit(f"{commons_url}#landscape=valley&run=restoration-run-1&year=2030")
    linked.wait_for_map(2030)
    assert linked.page.locator(".card:has(:checked)").get_attribute("data-run") == "restoration-run-1"
    assert linked.page.locator(".card").count() == 3


def test_another_scenario_brings_its_tiles_and_its_hectares(visit: Visitor, commons_url: str) -> None:
    visited = visit(commons_url)
    visited.wait_for_map(2038)
    visited.page.get_by_role("radio", name=re.compile("Restore the valley")).check()
    visited.page.wait_for_url(re.compile("run=restoration-run-2"), wait_until="commit")
    visited.wait_for_map(2038)
    assert visited.tiles_of("/runs/restoration-run-2/2038/")
    assert shown_hectares(visited) == areas("restoration")["area_ha"][-1]


@pytest.mark.parametrize("year", [1998, 2018, 2027, 2038])
def test_legend_says_what_the_areas_say(visit: Visitor, commons_url: str, year: int) -> None:
    visited = visit(f"{commons_url}#landscape=valley&run=zoning-run-2&year={year}")
    visited.page.locator(".legend data").first.wait_for()
    table: dict[str, Any] = areas("zoning")
    known = dict(zip(table["years"], table["area_ha"], strict=True))
    observed = dict(zip(table["observed"]["years"], table["observed"]["area_ha"], strict=True))
    now = (observed | known)[year]
    assert shown_hectares(visited) == now
    assert visited.text(".legend tbody td:not(.change) data") == figure(now[0])
    changes = [float(f"{after - before:.3g}") for after, before in zip(now, known[2018], strict=True)]
    words = change_words(visited)
    assert len(words) == (0 if year < 2019 else len(now))
    for word, change in zip(words, changes, strict=False):
        assert float(word.replace("−", "-").replace(",", "")) == pytest.approx(change, rel=0.05, abs=0.5)


def test_slider_moves_the_year_and_asks_for_its_tiles(visit: Visitor, commons_url: str) -> None:
    visited = visit(commons_url)
    visited.wait_for_map(2038)
    assert not visited.tiles_of("/2025/")
    visited.slide_to(2025)
    visited.wait_for_map(2025)
    assert visited.text(".year-figure") == "2025"
    assert visited.tiles_of("/runs/as-before-run-2/2025/")
    assert "year=2025" in visited.page.url


def test_slider_rests_on_years_that_there_are(visit: Visitor, commons_url: str) -> None:
    visited = visit(commons_url)
    visited.wait_for_map(2038)
    visited.slide_to(2006)
    visited.wait_for_map(2008)
    assert visited.text(".year-figure") == "2008"
    assert visited.page.locator("#year").input_value() == "2008"
    assert visited.tiles_of("/collections/land-cover/items/valley-land-cover-2008/")


def test_next_year_is_fetched_ahead(visit: Visitor, commons_url: str) -> None:
    visited = visit(f"{commons_url}#landscape=valley&run=as-before-run-2&year=2025")
    visited.wait_for_map(2025)
    visited.page.wait_for_timeout(800)
    assert visited.tiles_of("/2026/")
    assert not visited.tiles_of("/2027/")


def test_year_before_stays_until_the_next_is_there(visit: Visitor, commons_url: str) -> None:
    visited = visit(commons_url)
    visited.wait_for_map(2038)
    held: list[Route] = []
    visited.page.route("**/2021/tiles/**", lambda route: held.append(route))
    middle: FloatRect = {"x": 700, "y": 200, "width": 300, "height": 300}
    before = visited.page.screenshot(clip=middle)
    visited.slide_to(2021)
    visited.page.wait_for_selector('.map-area[data-map=loading][data-year="2021"]')
    visited.page.wait_for_timeout(700)
    assert visited.page.screenshot(clip=middle) == before
    assert held
    for route in held:
        route.continue_()
    visited.wait_for_map(2021)
    assert visited.page.screenshot(clip=middle) != before


def test_arrow_keys_move_the_year(visit: Visitor, commons_url: str) -> None:
    visited = visit(commons_url)
    visited.wait_for_map(2038)
    visited.page.keyboard.press("ArrowLeft")
    visited.wait_for_map(2037)
    visited.page.locator("#year").focus()
    visited.page.keyboard.press("ArrowRight")
    visited.wait_for_map(2038)
    visited.page.keyboard.press("Home")
    visited.wait_for_map(1998)
    visited.page.keyboard.press("ArrowRight")
    visited.wait_for_map(2008)


def test_arrow_keys_in_the_cards_choose_the_scenario(visit: Visitor, commons_url: str) -> None:
    visited = visit(commons_url)
    visited.wait_for_map(2038)
    visited.page.locator(".card input").first.focus()
    visited.page.keyboard.press("ArrowDown")
    visited.page.wait_for_url(re.compile("run=zoning-run-2"), wait_until="commit")
    assert visited.text(".year-figure") == "2038"


def test_plays_the_years_until_it_is_paused(visit: Visitor, commons_url: str) -> None:
    visited = visit(f"{commons_url}#landscape=valley&run=as-before-run-2&year=2020")
    visited.wait_for_map(2020)
    visited.page.get_by_role("button", name="Play the years").click()
    visited.wait_for_map(2022)
    visited.page.get_by_role("button", name="Pause").click()
    paused = visited.text(".year-figure")
    visited.page.wait_for_timeout(1500)
    assert visited.text(".year-figure") == paused


def test_playing_ends_with_the_last_year_and_starts_again_from_today(visit: Visitor, commons_url: str) -> None:
    visited = visit(f"{commons_url}#landscape=valley&run=as-before-run-2&year=2037")
    visited.wait_for_map(2037)
    play = visited.page.get_by_role("button", name="Play the years")
    play.click()
    visited.wait_for_map(2038)
    play.click()
    visited.wait_for_map(2018)


def test_projected_years_carry_the_mark_and_observed_do_not(visit: Visitor, commons_url: str) -> None:
    visited = visit(commons_url)
    visited.wait_for_map(2038)
    assert visited.text(".mark.projection") == "Projection 2038"
    assert visited.text(".year-kind") == "projection"
    visited.slide_to(2018)
    visited.wait_for_map(2018)
    assert visited.page.locator(".mark.projection").count() == 0
    assert visited.text(".year-kind") == "observed"
    assert visited.page.locator(".track-mark").count() == 3


def test_synthetic_landscapes_say_so_and_others_do_not(visit: Visitor, commons_url: str) -> None:
    visited = visit(commons_url)
    visited.wait_for_map()
    assert visited.text(".mark.synthetic") == SYNTHETIC
    visited.page.get_by_label("Landscape", exact=True).select_option("coast")
    visited.wait_for_map(2018)
    assert visited.page.locator(".mark.synthetic").count() == 0


def test_how_sure_is_said_in_plain_words(visit: Visitor, commons_url: str) -> None:
    visited = visit(commons_url)
    visited.page.locator(".certainty .band").wait_for()
    assert visited.text(".hindcast") == (
        "Tested on the past, from 2008 to 2018: this model found 6 of every 100 places that changed; "
        "pure guessing finds 2."
    )
    low, high = (figure(areas("as-before")[edge][-1][0]) for edge in ("low_ha", "high_ha"))
    assert visited.text(".band") == f"Forest in 2038: between {low} ha and {high} ha in 9 of every 10 runs."
    visited.page.get_by_text("Details").click()
    assert "0.044" in visited.text(".certainty dl")
    visited.page.goto(f"{commons_url}#landscape=hostile", wait_until="commit")
    visited.page.get_by_text("this model found 33 of every 1,000 places that changed; pure guessing finds 4").wait_for()


def test_relief_lies_over_the_map_and_can_be_taken_off(visit: Visitor, commons_url: str) -> None:
    visited = visit(commons_url)
    visited.wait_for_map(2038)
    assert visited.tiles_of("/collections/drivers/items/valley-elevation/")
    assert all("style=relief" in url for url in visited.tiles_of("/collections/drivers/"))
    with_relief = visited.page.screenshot()
    button = visited.page.get_by_role("button", name="Relief")
    button.click()
    assert button.get_attribute("aria-pressed") == "false"
    visited.page.wait_for_timeout(300)
    assert visited.page.screenshot() != with_relief


def test_a_link_opens_the_same_view(visit: Visitor, commons_url: str) -> None:
    linked = "#landscape=valley&run=zoning-run-2&year=2030&view=12.50/4.61000/-74.33000"
    visited = visit(commons_url + linked)
    visited.wait_for_map(2030)
    assert visited.text(".card:has(:checked) .card-title") == "Conservation zoning"
    assert visited.page.url.endswith(linked)
    visited.page.mouse.move(800, 300)
    visited.page.mouse.down()
    visited.page.mouse.move(700, 250, steps=4)
    visited.page.mouse.up()
    visited.page.wait_for_url(lambda url: not url.endswith(linked), wait_until="commit")
    visited.page.goto(f"{commons_url}#landscape=coast&year=2008", wait_until="commit")
    visited.wait_for_map(2008)
    assert visited.tiles_of("coast-land-cover-2008")


def test_works_below_a_path_behind_a_silent_proxy(visit: Visitor, prefixed_url: str) -> None:
    visited = visit(prefixed_url)
    visited.wait_for_map(2038)
    visited.page.locator(".legend data").first.wait_for()
    assert [url for url in visited.requested if url.startswith("http") and "/our/commons/" not in url] == []


def test_markup_in_names_is_shown_as_text(visit: Visitor, commons_url: str) -> None:
    visited = visit(f"{commons_url}#landscape=hostile")
    visited.wait_for_map(2038)
    assert visited.text("h1 span") == HOSTILE
    assert visited.text(".card-title") == HOSTILE
    assert visited.text(".card-story") == HOSTILE
    assert visited.page.locator(".panel :is(img, b), .time :is(img, b)").count() == 0
    assert visited.page.title() == f"{HOSTILE} · datacommons"


def test_speaks_the_readers_language(visit: Visitor, commons_url: str) -> None:
    visited = visit(commons_url, locale="es-CO")
    visited.wait_for_map(2038)
    assert visited.page.locator("html").get_attribute("lang") == "es"
    assert visited.text(".card-title") == "Si todo sigue como en 1998–2018"
    assert "Restaurar el valle" in visited.text(".cards")
    assert visited.text(".legend tbody th") == "Bosque"
    assert visited.text(".mark.projection") == "Proyección 2038"


def test_other_languages_get_english(visit: Visitor, commons_url: str) -> None:
    visited = visit(commons_url, locale="fi-FI")
    assert visited.text(".scenarios legend") == "What it could become"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW, (1920, 1080)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_is_pictured(visit: Visitor, commons_url: str, screenshots: Path, size: tuple[int, int], dark: bool) -> None:
    visited = visit(commons_url, size, dark=dark)
    visited.wait_for_map(2038)
    visited.page.locator(".card-change").nth(2).wait_for(state="attached")
    visited.page.wait_for_timeout(300)
    picture = screenshots / f"page-{size[0]}x{size[1]}-{'dark' if dark else 'light'}.png"
    assert len(visited.page.screenshot(path=picture)) > 50_000
