"""Plans: a place, what is done there, and the new scenario beside its base."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.page.plan_answers import PLAN, differences
from tests.page.test_here import AREA, LINK
from tests.page.visits import SIZES, Visit, Visitor

PLAN_LINK = LINK.replace("open=here", "open=plan")


def fill(visited: Visit, hectares: str = "300") -> None:
    visited.page.get_by_role("radio", name="Restore").last.check()
    visited.page.get_by_role("combobox", name="What it becomes", exact=True).select_option("forest")
    visited.page.get_by_role("combobox", name="What is there now", exact=True).select_option("grassland")
    visited.page.get_by_label("Hectares").fill(hectares)
    visited.page.get_by_role("combobox", name="Until", exact=True).select_option("2030")


@SIZES
def test_plan_is_sent_made_and_laid_beside_its_base(
    visit: Visitor, commons_url: str, screenshots: Path, size: tuple[int, int]
) -> None:
    visited = visit(commons_url + PLAN_LINK, size)
    visited.wait_for_map(2038)
    expect(visited.page.get_by_text("The place is chosen.")).to_be_visible()
    fill(visited)
    visited.page.screenshot(path=screenshots / f"plan-draft-{size[0]}.png")
    with visited.page.expect_request(lambda request: request.method == "POST") as sent:
        visited.page.get_by_role("button", name="3. See what it could become").click()
    assert sent.value.post_data_json["interventions"] == [
        {
            "kind": "restore",
            "where": AREA,
            "from": 2019,
            "until": 2030,
            "classes": ["grassland"],
            "to": "forest",
            "hectares": 300,
        }
    ]
    more = float(f"{differences()[0]:.3g}")
    expect(visited.first(".plan-number")).to_have_text(f"Forest: about {more:,.0f} ha more in 2038")
    expect(visited.first(".drawer")).to_contain_text("Compared with: If things go on as they did 1998–2018")
    expect(visited.first(".drawer")).to_contain_text("About 7.5 ha found no place.")
    visited.wait_for_tiles(f"/runs/{PLAN}/2038/")
    expect(visited.page.locator('.map-area[data-other=done][data-other-year="2038"]')).to_be_visible()
    expect(visited.page.locator(".card:has(:checked) .card-title")).to_have_text("Forest: 300 ha more")
    visited.wait_until_still()
    visited.page.screenshot(path=screenshots / f"plan-made-{size[0]}.png")
    file = visited.page.get_by_role("link", name="Save scenario file")
    assert (file.get_attribute("href") or "").endswith(f"/plans/{PLAN}/scenario.yaml")
    linked = visit(visited.page.url, size)
    expect(linked.page.locator(".card:has(:checked) .card-title")).to_have_text("Forest: 300 ha more")


def test_progress_is_shown_and_the_plan_can_be_cancelled(visit: Visitor, commons_url: str) -> None:
    visited = visit(commons_url + PLAN_LINK)
    visited.wait_until_whole(2038)
    held = visited.hold("**/plans/*/events")
    fill(visited)
    visited.page.get_by_role("button", name="3. See what it could become").click()
    held.wait()
    expect(visited.page.get_by_role("progressbar", name="Waiting for its turn")).to_be_visible()
    with visited.page.expect_request(lambda request: request.method == "DELETE"):
        visited.page.get_by_role("button", name="Cancel").click()
    expect(visited.page.get_by_role("button", name="3. See what it could become")).to_be_visible()
    expect(visited.first(".year-figure")).to_have_text("2038")


@pytest.mark.long
def test_plan_that_the_server_refuses_says_why(visit: Visitor, commons_url: str) -> None:
    visited = visit(commons_url + PLAN_LINK, trouble_expected=True)
    visited.wait_for_map(2038)
    fill(visited, "2000000")
    visited.page.get_by_role("button", name="3. See what it could become").click()
    expect(visited.page.get_by_text("This plan does not work: The place has 12 ha of it.")).to_be_visible()


@pytest.mark.long
def test_server_without_plans_says_so(visit: Visitor, commons_url: str) -> None:
    visited = visit(f"{commons_url}#landscape=hostile&open=plan", trouble_expected=True)
    expect(visited.page.get_by_text("Planning is not open on this server.")).to_be_visible()


@pytest.mark.long
def test_plan_needs_a_place(visit: Visitor, commons_url: str) -> None:
    visited = visit(f"{commons_url}#landscape=valley&open=plan")
    visited.wait_until_whole(2038)
    expect(visited.page.get_by_role("button", name="3. See what it could become")).to_be_disabled()
    visited.page.get_by_role("button", name="Draw an area").click()
    for x, y in ((760, 250), (860, 250), (860, 350)):
        visited.page.mouse.click(x, y)
    visited.page.get_by_role("button", name="Done").click()
    expect(visited.page.get_by_role("button", name="3. See what it could become")).to_be_enabled()
    expect(visited.page).to_have_url(re.compile("open=plan&place="))
