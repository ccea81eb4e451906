"""For everybody: no serious fault that axe-core finds, all by keyboard, on paper, and in dashboards."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

import tiles.viewer
from tests.page.visits import SIZES, WIDE, Visit, Visitor

AXE = Path(tiles.viewer.__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
AREA = "place=-74.36,4.58;-74.31,4.58;-74.31,4.63;-74.36,4.63"
VIEWS = {
    "map": "",
    "swipe": "&open=compare&compare=swipe",
    "difference": "&show=difference&class=forest",
    "sure": "&open=sure&show=probability",
    "here": f"&open=here&{AREA}",
    "point": "&open=here&place=-74.33,4.6",
    "plan": f"&open=plan&{AREA}",
    "layers": "&open=layers",
}
_SERIOUS = """async () => (await axe.run(document, {resultTypes: ["violations"]})).violations
  .filter(({impact}) => ["serious", "critical"].includes(impact))
  .map(({id, nodes}) => `${id}: ${nodes[0].html.slice(0, 200)}`)"""


def find_faults(visited: Visit) -> list[str]:
    # Playwright evaluates it in the page without a script element, so that the policy stays as it is.
    visited.page.evaluate(AXE.read_text("utf-8"))
    faults: list[str] = visited.page.evaluate(_SERIOUS)
    return faults


@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not installed: npm ci in tiles/viewer")
@pytest.mark.parametrize("dark", [False, pytest.param(True, marks=pytest.mark.long)], ids=["light", "dark"])
@SIZES
def test_no_view_has_a_serious_fault(visit: Visitor, commons_url: str, size: tuple[int, int], dark: bool) -> None:
    visited = visit(f"{commons_url}#landscape=valley", size, dark=dark)
    visited.wait_for_map(2038)
    found = {}
    for name, view in VIEWS.items():
        visited.page.goto(f"{commons_url}#landscape=valley{view}", wait_until="commit")
        visited.page.wait_for_timeout(300)
        found[name] = find_faults(visited)
    assert found == {name: [] for name in VIEWS}


def test_keyboard_opens_uses_and_leaves_a_drawer(visit: Visitor, commons_url: str) -> None:
    visited = visit(commons_url)
    visited.wait_for_map(2038)
    visited.page.get_by_role("button", name="Compare").press("Enter")
    expect(visited.page.get_by_role("heading", name="Compare")).to_be_focused()
    visited.page.keyboard.press("Tab")
    expect(visited.page.get_by_role("button", name="Close")).to_be_focused()
    visited.page.keyboard.press("Tab")
    visited.page.keyboard.press("ArrowDown")
    expect(visited.page.get_by_role("radio", name="Two maps side by side")).to_be_checked()
    visited.page.keyboard.press("Escape")
    expect(visited.page.locator(".drawer")).to_have_count(0)
    expect(visited.page.get_by_role("button", name="Compare")).to_be_focused()


@pytest.mark.long
@pytest.mark.parametrize("size", [WIDE, (640, 420)], ids=["wide", "small"])
def test_dashboard_gets_map_time_bar_and_legend_only(
    visit: Visitor, commons_url: str, screenshots: Path, size: tuple[int, int]
) -> None:
    visited = visit(f"{commons_url}embed#landscape=valley&run=zoning-run-2&year=2030", size)
    visited.wait_for_map(2030)
    expect(visited.page.locator(".time")).to_be_visible()
    expect(visited.page.locator(".legend tbody tr")).to_have_count(6)
    for part in (".tools", ".card", ".certainty", ".drawer"):
        expect(visited.page.locator(part)).to_have_count(0)
    visited.wait_until_still()
    visited.page.screenshot(path=screenshots / f"embed-{size[0]}.png")
    link = visited.page.get_by_role("link", name="Open the whole page")
    assert (link.get_attribute("href") or "").startswith(f"{commons_url}#landscape=valley")


def test_paper_shows_map_legend_and_certainty(visit: Visitor, commons_url: str, screenshots: Path) -> None:
    visited = visit(f"{commons_url}#landscape=valley")
    visited.wait_until_whole(2038)
    visited.page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    visited.page.emulate_media(media="print")
    for part in (".printed-map", ".legend", ".certainty", ".mark.projection"):
        expect(visited.first(part)).to_be_visible()
    for part in (".tools", ".play", ".track", ".language"):
        expect(visited.first(part)).to_be_hidden()
    drawn = "(canvas) => new Set(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data).size"
    assert visited.first(".printed-map").evaluate(drawn) > 20
    visited.page.screenshot(path=screenshots / "print.png", full_page=True)
