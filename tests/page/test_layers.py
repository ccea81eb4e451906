"""The layers of the catalog: found, shown, described, downloaded."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.page.commons_server import HOSTILE
from tests.page.visits import SIZES, Visitor


@SIZES
def test_layer_is_found_shown_and_described(
    visit: Visitor, commons_url: str, screenshots: Path, size: tuple[int, int]
) -> None:
    visited = visit(f"{commons_url}#landscape=valley", size)
    visited.wait_until_whole(2038)
    visited.page.get_by_role("button", name="Layers").click()
    expect(visited.page.locator(".layer")).to_have_count(4)
    visited.page.get_by_label("Search").fill("elev riv")
    expect(visited.page.locator(".layer")).to_have_count(1)
    expect(visited.page.get_by_text("1 of 4")).to_be_visible()
    visited.page.get_by_role("button", name="Show Elevation").click()
    visited.wait_for_map(2038)
    expect(visited.first(".mark.theme")).to_have_text("Elevation")
    expect(visited.first(".ramp figcaption")).to_contain_text("400 m")
    visited.page.get_by_text("About, terms and files").click()
    about = visited.first(".layer details")
    for words in ("Metres above the river.", "CC-BY-4.0", "Valley survey", "30 m", "1.235 MB"):
        expect(about).to_contain_text(words)
    link = about.get_by_role("link", name="Download elevation.tif")
    assert (link.get_attribute("href") or "").endswith("/elevation.tif")
    visited.wait_until_still()
    visited.page.screenshot(path=screenshots / f"layers-{size[0]}.png")
    visited.page.get_by_role("button", name="Hide Elevation").click()
    expect(visited.page.locator(".mark.theme")).to_have_count(0)


@pytest.mark.long
def test_layers_that_fail_can_be_asked_for_again(visit: Visitor, commons_url: str) -> None:
    collections = "**/stac/collections"
    visited = visit(
        f"{commons_url}#landscape=valley&open=layers",
        trouble_expected=True,
        prepare=lambda opened: opened.page.route(collections, lambda route: route.fulfill(status=503)),
    )
    expect(visited.page.get_by_text("The layers could not be loaded.")).to_be_visible()
    visited.page.unroute(collections)
    visited.page.get_by_role("button", name="Try again").click()
    expect(visited.page.locator(".layer")).to_have_count(4)


def test_markup_in_names_of_layers_is_shown_as_text(visit: Visitor, commons_url: str) -> None:
    visited = visit(f"{commons_url}#landscape=hostile&open=layers")
    expect(visited.page.locator(".layer h3", has_text="Bold")).to_have_text(HOSTILE)
    visited.page.get_by_text("About, terms and files").first.click()
    expect(visited.page.locator(".drawer b")).to_have_count(0)
    expect(visited.page).to_have_title(f"{HOSTILE} · datacommons")
