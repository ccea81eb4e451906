"""What a visitor sees and does on a wide screen."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.page import valley
from tests.page.commons_server import HOSTILE, areas
from tests.page.visits import NARROW, WIDE, Hold, Visit, Visitor

SYNTHETIC = "Synthetic landscape: generated for demonstration, not a real place"
PLAY_MS = 700  # how long the page looks at a year while it plays
FADE_MS = 180  # how long a year takes to come up


def expect_hectares(visited: Visit, hectares: list[float]) -> None:
    """Wait until the legend holds these, to the last digit."""
    cells = visited.page.locator(".legend tbody td:not(.change) data")
    read = "cells => cells.map((cell) => Number(cell.value))"
    visited.wait_until(lambda: cells.evaluate_all(read) == hectares, f"the hectares {hectares} in the legend")


def figure(hectares: float) -> str:
    """Three digits that mean something, as English writes them."""
    return f"{float(f'{hectares:.3g}'):,.0f}"


def test_opens_on_where_things_lead_if_nothing_is_done(visit: Visitor, commons_url: str) -> None:
    visited = visit(commons_url)
    visited.wait_for_map(valley.LAST_YEAR)
    expect(visited.first("h1 span")).to_have_text("Río Claro valley")
    expect(visited.first(".card:has(:checked) .card-title")).to_have_text("If things go on as they did 1998–2018")
    expect(visited.page.locator(".card")).to_have_count(3)
    visited.wait_for_tiles("/runs/as-before-run-2/2038/")
    expect(visited.page).to_have_title("Río Claro valley · datacommons")


def test_cards_tell_how_the_same_class_develops(visit: Visitor, commons_url: str) -> None:
    visited = visit(commons_url)
    change = [valley.hectares(plan, 2038)[0] - valley.hectares(plan, 2018)[0] for plan in ("as-before", "restoration")]
    assert change[0] < 0 < change[1]
    words = {
        "If things go on as they did 1998–2018": f"Forest: could lose about {figure(-change[0])} ha by 2038",
        "Restore the valley": f"Forest: could gain about {figure(change[1])} ha by 2038",
    }
    for title, outlook in words.items():
        expect(visited.page.locator(".card", has_text=title)).to_contain_text(outlook)
    expect(visited.page.locator(".card svg.sparkline")).to_have_count(3)


@pytest.mark.long
def test_only_the_newest_run_of_a_scenario_is_a_card_unless_another_is_linked(visit: Visitor, commons_url: str) -> None:
    visited = visit(commons_url)
    expect(visited.page.locator(".card")).to_have_count(3)
    expect(visited.page.locator('[data-run="restoration-run-2"]')).to_have_count(1)
    expect(visited.page.locator('[data-run="restoration-run-1"]')).to_have_count(0)
    linked = visit(f"{commons_url}#landscape=valley&run=restoration-run-1&year=2030")
    linked.wait_for_map(2030)
    expect(linked.page.locator(".card:has(:checked)")).to_have_attribute("data-run", "restoration-run-1")
    expect(linked.page.locator(".card")).to_have_count(3)


def test_another_scenario_brings_its_tiles_and_its_hectares(visit: Visitor, commons_url: str) -> None:
    visited = visit(commons_url)
    visited.wait_for_map(2038)
    visited.page.get_by_role("radio", name=re.compile("Restore the valley")).check()
    expect(visited.page).to_have_url(re.compile("run=restoration-run-2"))
    visited.wait_for_tiles("/runs/restoration-run-2/2038/")
    visited.wait_for_map(2038)
    expect_hectares(visited, areas("restoration")["area_ha"][-1])


@pytest.mark.parametrize("year", [1998, 2018, 2027, 2038])
def test_legend_says_what_the_areas_say(visit: Visitor, commons_url: str, year: int) -> None:
    visited = visit(f"{commons_url}#landscape=valley&run=zoning-run-2&year={year}")
    table: dict[str, Any] = areas("zoning")
    known = dict(zip(table["years"], table["area_ha"], strict=True))
    observed = dict(zip(table["observed"]["years"], table["observed"]["area_ha"], strict=True))
    now = (observed | known)[year]
    expect_hectares(visited, now)
    expect(visited.first(".legend tbody td:not(.change) data")).to_have_text(figure(now[0]))
    changes = [float(f"{after - before:.3g}") for after, before in zip(now, known[2018], strict=True)]
    words = visited.page.locator(".legend .change data")
    expect(words).to_have_count(0 if year < 2019 else len(now))
    for word, change in zip(words.all_inner_texts(), changes, strict=False):
        assert float(word.replace("−", "-").replace(",", "")) == pytest.approx(change, rel=0.05, abs=0.5)


def test_slider_moves_the_year_and_asks_for_its_tiles(visit: Visitor, commons_url: str) -> None:
    visited = visit(commons_url)
    visited.wait_for_map(2038)
    assert not visited.tiles_of("/2025/")
    visited.slide_to(2025)
    visited.wait_for_map(2025)
    expect(visited.first(".year-figure")).to_have_text("2025")
    visited.wait_for_tiles("/runs/as-before-run-2/2025/")
    expect(visited.page).to_have_url(re.compile("year=2025"))


@pytest.mark.long
def test_slider_rests_on_years_that_there_are(visit: Visitor, commons_url: str) -> None:
    visited = visit(commons_url)
    visited.wait_for_map(2038)
    visited.slide_to(2006)
    visited.wait_for_map(2008)
    expect(visited.first(".year-figure")).to_have_text("2008")
    expect(visited.page.locator("#year")).to_have_value("2008")
    visited.wait_for_tiles("/collections/land-cover/items/valley-land-cover-2008/")


def test_next_year_is_fetched_ahead(visit: Visitor, commons_url: str) -> None:
    visited = visit(f"{commons_url}#landscape=valley&run=as-before-run-2&year=2025")
    visited.wait_for_map(2025)
    visited.wait_for_tiles("/2026/")
    visited.wait_until_whole(2025)
    assert not visited.tiles_of("/2027/")


def test_year_before_stays_until_the_next_is_there(visit: Visitor, commons_url: str) -> None:
    visited = visit(commons_url)
    visited.wait_until_whole(2038)
    before = visited.picture()
    held = visited.hold("**/2021/tiles/**")
    visited.slide_to(2021)
    held.wait()
    expect(visited.page.locator('.map-area[data-map=loading][data-year="2021"]')).to_be_visible()
    visited.let_pass(FADE_MS)
    assert visited.picture() == before
    held.let_go()
    visited.wait_for_map(2021)
    visited.wait_until_still()
    assert visited.picture() != before


def test_arrow_keys_move_the_year(visit: Visitor, commons_url: str) -> None:
    visited = visit(commons_url)
    visited.wait_for_map(2038)
    slider = visited.page.locator("#year")
    visited.page.keyboard.press("ArrowLeft")
    expect(slider).to_have_value("2037")
    slider.focus()
    for key, year in (("ArrowRight", 2038), ("Home", 1998), ("ArrowRight", 2008)):
        visited.page.keyboard.press(key)
        expect(slider).to_have_value(str(year))
        expect(visited.first(".year-figure")).to_have_text(str(year))
    visited.wait_for_map(2008)


def test_arrow_keys_in_the_cards_choose_the_scenario(visit: Visitor, commons_url: str) -> None:
    visited = visit(commons_url)
    visited.wait_for_map(2038)
    visited.page.locator(".card input").first.focus()
    visited.page.keyboard.press("ArrowDown")
    expect(visited.page).to_have_url(re.compile("run=zoning-run-2"))
    expect(visited.first(".year-figure")).to_have_text("2038")


@pytest.fixture
def played(visit: Visitor, commons_url: str) -> tuple[Visit, Hold]:
    """Play from 2020 to 2022, where the page waits for tiles that are held."""
    visited = visit(f"{commons_url}#landscape=valley&run=as-before-run-2&year=2020")
    visited.wait_until_whole(2020)
    held = visited.hold("**/2022/tiles/**")
    visited.page.get_by_role("button", name="Play the years").click()
    expect(visited.first(".year-figure")).to_have_text("2022")
    return visited, held


def test_plays_the_years_until_it_is_paused(played: tuple[Visit, Hold]) -> None:
    visited, held = played
    assert visited.tiles_of("/2021/")
    visited.page.get_by_role("button", name="Pause").click()
    expect(visited.page.get_by_role("button", name="Play the years")).to_be_visible()
    held.let_go()
    visited.wait_for_map(2022)
    visited.let_pass(2 * PLAY_MS)
    expect(visited.first(".year-figure")).to_have_text("2022")


@pytest.mark.long
def test_plays_on_once_the_map_of_the_year_is_there(played: tuple[Visit, Hold]) -> None:
    visited, held = played
    visited.let_pass(2 * PLAY_MS)
    expect(visited.first(".year-figure")).to_have_text("2022")
    held.let_go()
    visited.wait_for_tiles("/2023/")


@pytest.mark.long
def test_playing_ends_with_the_last_year_and_starts_again_from_today(visit: Visitor, commons_url: str) -> None:
    visited = visit(f"{commons_url}#landscape=valley&run=as-before-run-2&year=2037")
    visited.wait_until_whole(2037)
    held = visited.hold("**/valley-land-cover-2018/tiles/**")
    visited.page.get_by_role("button", name="Play the years").click()
    visited.wait_for_map(2038)
    visited.page.get_by_role("button", name="Play the years").click()
    expect(visited.first(".year-figure")).to_have_text("2018")
    expect(visited.page.get_by_role("button", name="Pause")).to_be_visible()
    held.let_go()
    visited.wait_for_tiles("/runs/as-before-run-2/2019/")


def test_projected_years_carry_the_mark_and_observed_do_not(visit: Visitor, commons_url: str) -> None:
    visited = visit(commons_url)
    visited.wait_for_map(2038)
    expect(visited.first(".mark.projection")).to_have_text("Projection 2038")
    expect(visited.first(".year-kind")).to_have_text("projection")
    visited.slide_to(2018)
    visited.wait_for_map(2018)
    expect(visited.page.locator(".mark.projection")).to_have_count(0)
    expect(visited.first(".year-kind")).to_have_text("observed")
    expect(visited.page.locator(".track-mark")).to_have_count(3)


@pytest.mark.long
def test_synthetic_landscapes_say_so_and_others_do_not(visit: Visitor, commons_url: str) -> None:
    visited = visit(commons_url)
    visited.wait_for_map()
    expect(visited.first(".mark.synthetic")).to_have_text(SYNTHETIC)
    visited.page.get_by_label("Landscape", exact=True).select_option("coast")
    visited.wait_for_map(2018)
    expect(visited.page.locator(".mark.synthetic")).to_have_count(0)


def test_how_sure_is_said_in_plain_words(visit: Visitor, commons_url: str) -> None:
    visited = visit(commons_url)
    expect(visited.first(".hindcast")).to_have_text(
        "Tested on the past, from 2008 to 2018: this model found 6 of every 100 places that changed; "
        "pure guessing finds 2."
    )
    low, high = (figure(areas("as-before")[edge][-1][0]) for edge in ("low_ha", "high_ha"))
    expect(visited.first(".band")).to_have_text(
        f"Forest in 2038: between {low} ha and {high} ha in 9 of every 10 runs."
    )
    details = visited.first(".certainty dl")
    expect(details).to_be_hidden()
    visited.page.get_by_text("Details").click()
    expect(details).to_be_visible()
    expect(details).to_contain_text("0.044")
    visited.page.goto(f"{commons_url}#landscape=hostile", wait_until="commit")
    expect(visited.first(".hindcast")).to_contain_text(
        "this model found 33 of every 1,000 places that changed; pure guessing finds 4"
    )


def test_relief_lies_over_the_map_and_can_be_taken_off(visit: Visitor, commons_url: str) -> None:
    visited = visit(commons_url)
    visited.wait_until_whole(2038)
    visited.wait_for_tiles("/collections/drivers/items/valley-elevation/")
    assert all("style=relief" in url for url in visited.tiles_of("/collections/drivers/"))
    with_relief = visited.picture()
    button = visited.page.get_by_role("button", name="Relief")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "false")
    visited.wait_until(lambda: visited.picture() != with_relief, "the map without its relief")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    visited.wait_until(lambda: visited.picture() == with_relief, "the map with its relief again")


def test_a_link_opens_the_same_view(visit: Visitor, commons_url: str) -> None:
    linked = "#landscape=valley&run=zoning-run-2&year=2030&view=12.50/4.61000/-74.33000"
    visited = visit(commons_url + linked)
    visited.wait_for_map(2030)
    expect(visited.first(".card:has(:checked) .card-title")).to_have_text("Conservation zoning")
    expect(visited.page).to_have_url(commons_url + linked)
    visited.page.mouse.move(800, 300)
    visited.page.mouse.down()
    visited.page.mouse.move(700, 250, steps=4)
    visited.page.mouse.up()
    expect(visited.page).not_to_have_url(commons_url + linked)
    visited.page.goto(f"{commons_url}#landscape=coast&year=2008", wait_until="commit")
    visited.wait_for_map(2008)
    visited.wait_for_tiles("coast-land-cover-2008")


def test_works_below_a_path_behind_a_silent_proxy(visit: Visitor, prefixed_url: str) -> None:
    visited = visit(prefixed_url)
    visited.wait_until_whole(2038)
    expect(visited.first(".legend data")).to_be_visible()
    assert [url for url in visited.requested if url.startswith("http") and "/our/commons/" not in url] == []


def test_markup_in_names_is_shown_as_text(visit: Visitor, commons_url: str) -> None:
    visited = visit(f"{commons_url}#landscape=hostile")
    visited.wait_until_whole(2038, cards=1)
    for part in ("h1 span", ".card-title", ".card-story"):
        expect(visited.first(part)).to_have_text(HOSTILE)
    expect(visited.page.locator(".panel :is(img, b), .time :is(img, b)")).to_have_count(0)
    expect(visited.page).to_have_title(f"{HOSTILE} · datacommons")


def test_speaks_the_readers_language(visit: Visitor, commons_url: str) -> None:
    visited = visit(commons_url, locale="es-CO")
    visited.wait_for_map(2038)
    expect(visited.page.locator("html")).to_have_attribute("lang", "es")
    expect(visited.first(".card-title")).to_have_text("Si todo sigue como en 1998–2018")
    expect(visited.first(".cards")).to_contain_text("Restaurar el valle")
    expect(visited.first(".legend tbody th")).to_have_text("Bosque")
    expect(visited.first(".mark.projection")).to_have_text("Proyección 2038")


@pytest.mark.long
def test_other_languages_get_english(visit: Visitor, commons_url: str) -> None:
    visited = visit(commons_url, locale="fi-FI")
    expect(visited.first(".scenarios legend")).to_have_text("What it could become")


@pytest.mark.long
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW, (1920, 1080)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_is_pictured(visit: Visitor, commons_url: str, screenshots: Path, size: tuple[int, int], dark: bool) -> None:
    visited = visit(commons_url, size, dark=dark)
    visited.wait_until_whole(2038)
    picture = screenshots / f"page-{size[0]}x{size[1]}-{'dark' if dark else 'light'}.png"
    assert len(visited.page.screenshot(path=picture)) > 50_000
