"""The first look: the tiles as plain pictures while the code of the map is on its way, or where it cannot draw."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import expect

from tests.page.visits import SIZES, Visit, Visitor

CODE = "**/landscape-map-*.js"
LOOK = ".first-look[data-state=done]"


@SIZES
def test_tiles_are_seen_before_the_code_of_the_map_is_there(
    visit: Visitor, commons_url: str, screenshots: Path, size: tuple[int, int]
) -> None:
    held = []
    visited = visit(commons_url, size, prepare=lambda opened: held.append(opened.hold(CODE)))
    expect(visited.page.locator(LOOK)).to_be_visible()
    expect(visited.page.locator(".mark.projection")).to_be_visible()
    looked_at = visited.tiles_of("/2038/")
    assert looked_at
    before = see(visited, size)
    visited.page.screenshot(path=screenshots / f"first-look-{size[0]}.png")
    held[0].let_go()
    visited.wait_until_whole(2038)
    expect(visited.page.locator(".first-look img")).to_have_count(0)
    of_the_map = [url for url in visited.tiles_of("/2038/")[len(looked_at) :] if "agreement" not in url]
    assert set(of_the_map) == set(looked_at), "the map asks for the same, which the browser has kept"
    after = see(visited, size)
    # Relief and outline lie over the map only; they move nothing.
    there = np.abs(after - before).mean()
    assert there < 0.7 * min(np.abs(after - np.roll(before, 10, axis)).mean() for axis in (0, 1))


def test_tiles_stay_where_the_map_cannot_draw(visit: Visitor, commons_url: str) -> None:
    no_webgl = "HTMLCanvasElement.prototype.getContext = () => null"
    visited = visit(commons_url, trouble_expected=True, prepare=lambda opened: opened.page.add_init_script(no_webgl))
    expect(visited.page.get_by_text("This browser cannot draw the map (WebGL is missing).")).to_be_visible()
    expect(visited.page.locator(LOOK)).to_be_visible()
    visited.slide_to(2030)
    visited.wait_for_tiles("/2030/")
    expect(visited.page.locator(".first-look img[src*='/2030/']")).not_to_have_count(0)
    expect(visited.page.locator(".first-look img[src*='/2038/']")).to_have_count(0)


def see(visited: Visit, size: tuple[int, int]) -> NDArray[np.float64]:
    """Return what is seen where only the map is."""
    width, height = size
    clip = {"x": width * 0.55, "y": height * 0.25, "width": width * 0.2, "height": height * 0.2}
    picture = Image.open(io.BytesIO(visited.page.screenshot(clip=clip))).convert("RGB")
    return np.asarray(picture, np.float64)
