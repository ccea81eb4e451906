"""Without a connection: a run that was kept is seen, its figures are read, and what is missing says so."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.page.commons_server import areas
from tests.page.visits import SIZES, Visit, Visitor

MAPS = 20 + 3 + 20 + 1  # projected years, observed years, where members agree in the projected years, relief
_EMPTY = "runs/restoration-run-2/2038/tiles/WebMercatorQuad/8/0/0.png?v=2026-05-02T10%3A00%3A00Z"  # far from the valley
_PIXEL = """async (tile) => {
  const picture = await createImageBitmap(await (await fetch(tile)).blob());
  const context = new OffscreenCanvas(1, 1).getContext("2d");
  context.drawImage(picture, 0, 0);
  return [...context.getImageData(0, 0, 1, 1).data];
}"""
_STORES = "async () => (await caches.keys()).length"
_WORKERS = "async () => (await navigator.serviceWorker.getRegistrations()).length"


def draw_up(visited: Visit) -> None:
    """Bring the panel in sight, where it is a sheet."""
    for stop in ("half", "full"):
        if visited.page.locator(".handle").is_visible():
            visited.page.locator(".handle").press("ArrowUp")
            expect(visited.page.locator(".panel")).to_have_attribute("data-stop", stop)


def press(visited: Visit, name: str) -> None:
    visited.page.locator(".keep").get_by_role("button", name=name).click()


def keep(visited: Visit) -> None:
    """Keep the shown run, as the page offers it."""
    press(visited, "Keep this on my")
    expect(visited.first(".keep")).to_contain_text(f"{MAPS} maps, about")
    press(visited, "Load")
    expect(visited.first(".keep")).to_contain_text("can be seen without a connection")


def reload_without_connection(visited: Visit) -> None:
    visited.page.context.set_offline(True)
    visited.page.reload()


@pytest.fixture
def kept(visit: Visitor, commons_url: str) -> Visit:
    visited = visit(f"{commons_url}#landscape=valley&run=restoration-run-2&year=2038", trouble_expected=True)
    visited.wait_until_whole(2038)
    keep(visited)
    return visited


@SIZES
def test_kept_run_is_seen_without_a_connection(
    visit: Visitor, commons_url: str, screenshots: Path, size: tuple[int, int]
) -> None:
    picture = screenshots / f"offline-{size[0]}x{size[1]}"
    visited = visit(f"{commons_url}#landscape=valley&year=2038", size, trouble_expected=True)
    visited.wait_until_whole(2038)
    draw_up(visited)
    press(visited, "Keep this on my")
    expect(visited.first(".keep")).to_contain_text(f"{MAPS} maps, about")
    expect(visited.first(".keep")).to_contain_text("MB")
    visited.page.locator(".keep").scroll_into_view_if_needed()
    visited.page.screenshot(path=f"{picture}-asked.png")
    press(visited, "Load")
    expect(visited.first(".keep")).to_contain_text("can be seen without a connection")
    visited.page.screenshot(path=f"{picture}-kept.png")
    reload_without_connection(visited)
    visited.wait_until_whole(2038)
    expect(visited.first(".mark.offline")).to_have_text("No connection")
    for year in (2027, 2008):
        visited.slide_to(year)
        visited.wait_for_map(year)
    visited.slide_to(2027)
    visited.wait_for_map(2027)
    visited.wait_until_still()
    visited.page.screenshot(path=f"{picture}.png")
    hectares = areas("as-before")["area_ha"][2027 - 2018]
    cells = visited.page.locator(".legend tbody td:not(.change) data")
    assert cells.evaluate_all("cells => cells.map((cell) => Number(cell.value))") == hectares


@pytest.mark.long
def test_kept_map_is_the_map_of_the_server(kept: Visit) -> None:
    kept.slide_to(2030)
    kept.wait_for_map(2030)
    kept.wait_until_still()
    before = kept.picture()
    kept.slide_to(2038)
    reload_without_connection(kept)
    kept.slide_to(2030)
    kept.wait_until_whole(2030)
    assert kept.picture() == before


@pytest.mark.long
def test_nearer_than_what_is_kept_the_map_is_enlarged(kept: Visit) -> None:
    kept.page.context.set_offline(True)
    kept.requested.clear()
    kept.page.goto(f"{kept.page.url.partition('&view=')[0]}&view=15/4.6/-74.33")
    kept.page.reload()
    kept.wait_until_whole(2038)
    assert kept.tiles_of("/restoration-run-2/2038/tiles/WebMercatorQuad/14/")
    seen = Image.open(BytesIO(kept.picture())).convert("RGB")
    assert len(seen.getcolors(seen.width * seen.height) or []) > 10


def test_tile_that_archives_leave_out_is_empty(kept: Visit) -> None:
    kept.page.context.set_offline(True)
    assert kept.page.evaluate(_PIXEL, _EMPTY) == [0, 0, 0, 0]


@pytest.mark.long
def test_map_that_is_not_kept_says_so_and_the_figures_stay(kept: Visit) -> None:
    reload_without_connection(kept)
    kept.wait_until_whole(2038)
    kept.page.get_by_role("radio", name="Conservation zoning").check()
    expect(kept.page.get_by_text("the map of 2038 is not kept here. What is kept still works.")).to_be_visible()
    expect(kept.first(".legend data")).to_be_visible()
    kept.page.context.set_offline(False)
    kept.page.get_by_role("button", name="Try again").click()
    kept.wait_for_map(2038)


@pytest.mark.long
def test_place_that_was_asked_about_is_told_again(kept: Visit, commons_url: str) -> None:
    area = "-74.36,4.58;-74.31,4.58;-74.31,4.63;-74.36,4.63"
    for place, answer in (("-74.33,4.6", ".courses"), (area, ".side-by-side")):
        kept.page.goto(f"{commons_url}#landscape=valley&open=here&place={place}", wait_until="commit")
        told = kept.page.locator(answer).inner_text()
        assert re.search(r"\d", told)
        reload_without_connection(kept)
        expect(kept.page.locator(answer)).to_have_text(told, use_inner_text=True)
        kept.page.context.set_offline(False)


@pytest.mark.long
def test_keeping_that_is_broken_off_goes_on_where_it_was(visit: Visitor, commons_url: str) -> None:
    visited = visit(f"{commons_url}#landscape=valley&year=2038", trouble_expected=True)
    visited.wait_until_whole(2038)
    archive = "**/2030/tiles.pmtiles*"
    visited.page.route(archive, lambda route: route.fulfill(status=500))
    press(visited, "Keep this on my")
    press(visited, "Load")
    expect(visited.first(".keep")).to_contain_text("Not all maps came.")
    visited.page.unroute(archive)
    visited.requested.clear()
    press(visited, "Try again")
    press(visited, "Load")
    expect(visited.first(".keep")).to_contain_text("can be seen without a connection")
    fetched = [url for url in visited.requested if "tiles.pmtiles" in url]
    assert any("/2030/" in url for url in fetched)
    assert not any("/2029/tiles" in url for url in fetched)


def test_what_is_kept_can_be_removed_and_leaves_nothing(kept: Visit) -> None:
    assert kept.page.evaluate(_STORES) == 3  # the page, its answers, the run
    press(kept, "Remove it from here")
    expect(kept.page.locator(".keep").get_by_role("button", name="Keep this on my")).to_be_enabled()
    assert kept.page.evaluate(_STORES) == kept.page.evaluate(_WORKERS) == 0


def test_who_keeps_nothing_has_no_service_worker(visit: Visitor, commons_url: str) -> None:
    visited = visit(commons_url)
    visited.wait_until_whole(2038)
    assert visited.page.evaluate(_STORES) == visited.page.evaluate(_WORKERS) == 0
    assert not any("service-worker" in url or "pmtiles" in url for url in visited.requested)


def test_browser_that_cannot_keep_anything_says_why(visit: Visitor, commons_url: str) -> None:
    def take_workers_away(opened: Visit) -> None:
        opened.page.add_init_script("delete Navigator.prototype.serviceWorker")  # as at an address without https

    visited = visit(commons_url, prepare=take_workers_away)
    expect(visited.first(".keep")).to_contain_text("only where the address of the page begins with https")
    expect(visited.page.locator(".keep button")).to_have_count(0)


@pytest.mark.long
def test_page_below_a_path_is_kept_too(visit: Visitor, prefixed_url: str) -> None:
    visited = visit(f"{prefixed_url}#landscape=valley&year=2038", trouble_expected=True)
    visited.wait_until_whole(2038)
    keep(visited)
    reload_without_connection(visited)
    visited.slide_to(2027)
    visited.wait_for_map(2027)


def test_browser_finds_that_the_page_can_be_installed(visit: Visitor, commons_url: str) -> None:
    visited = visit(commons_url)
    visited.wait_for_map()
    devtools = visited.page.context.new_cdp_session(visited.page)
    manifest = devtools.send("Page.getAppManifest")
    assert manifest["url"] == f"{commons_url}manifest.webmanifest"
    assert manifest["errors"] == []
    faults = {one["errorId"] for one in devtools.send("Page.getInstallabilityErrors")["installabilityErrors"]}
    assert faults <= {"in-incognito"}  # as all pages of the tests are
