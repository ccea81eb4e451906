"""Plans over HTTP: drawn by visitors, projected on the fitted model, and kept for a while; on a real server."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

import datacommons as dc
from catalog.store import ANONYMOUS, OWNER
from datacommons.commons import Commons
from datacommons.door.listening import listen
from datacommons.door.server import serve_meanwhile
from datacommons.plans.desk import open_desk
from datacommons.plans.proposal import read_proposal
from tests.commands import PATIENCE_S
from tests.datacommons.plans import PLANS, RUN, draw, make, make_plan, read_events, square, wait


@pytest.fixture(scope="module")
def commons(lived_in: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Commons]:
    """Return a commons with a run, to be planned on."""
    folder = shutil.copytree(lived_in, tmp_path_factory.mktemp("plans") / "valley")
    with dc.open(folder) as commons:
        yield commons


@pytest.fixture(scope="module")
def visitor(commons: Commons) -> Iterator[httpx.Client]:
    """Open the door on loopback, where plans are on, and return a client."""
    with (
        serve_meanwhile(commons, listen("127.0.0.1", 0)) as address,
        httpx.Client(base_url=address, timeout=PATIENCE_S) as client,
    ):
        yield client


def test_it_is_told_what_may_be_planned(visitor: httpx.Client) -> None:
    told = visitor.get(PLANS).json()
    assert (told["base"], told["years"], told["kinds"]) == (RUN, [2001, 2002], ["protect", "restore", "convert"])
    assert [each["name"] for each in told["classes"]] == ["forest", "built", "other"]
    assert told["limits"]["interventions"] == 10


def test_a_plan_is_projected_and_compared_with_its_run(visitor: httpx.Client, commons: Commons) -> None:
    response = visitor.post(PLANS, json=make_plan(commons))
    assert (response.status_code, response.headers["cache-control"]) == (202, "no-store")
    taken = response.json()
    assert response.headers["location"] == taken["links"]["self"]
    events = read_events(visitor, taken["id"])
    assert [name for name, _ in events] == ["state", "state", "year", "year", "result", "state"]
    assert [told["year"] for name, told in events if name == "year"] == [2001, 2002]
    assert events[-1] == ("state", {"state": "done"})
    assert read_events(visitor, taken["id"], **{"Last-Event-ID": "5"}) == events[5:]
    told = visitor.get(f"/plans/{taken['id']}").json()
    assert (told["state"], told["ready"], told["year"], told["shortfalls"]) == ("done", True, 2002, [])
    areas, base = told["areas"], commons.open_run(RUN).areas
    assert (areas["base_ha"], areas["years"]) == (base["area_ha"], [2000, 2001, 2002])
    np.testing.assert_allclose(areas["difference_ha"], np.subtract(areas["area_ha"], areas["base_ha"]), atol=2e-4)
    forest, built, _ = np.transpose(areas["difference_ha"])
    # Fifty cells of 900 square metres a year out of what is built; where there is more forest, more of it is built on.
    assert list(forest[:2]) == [0, 4.5]
    assert 8.7 <= forest[2] <= 9
    np.testing.assert_allclose(built, -forest, atol=1e-9)


def test_it_is_drawn_compared_and_measured_like_a_run(visitor: httpx.Client, commons: Commons) -> None:
    plan = make(visitor, make_plan(commons))["id"]
    tilejson = visitor.get(f"/runs/{plan}/2002/WebMercatorQuad/tilejson.json").json()
    assert tilejson["name"] == "Trees, 2002 (projection)"
    longitude, latitude, zoom = tilejson["center"]
    url = tilejson["tiles"][0].partition("?")[0]
    column, row = _tile(longitude, latitude, zoom)
    tile = visitor.get(url.format(z=zoom, x=column, y=row))
    assert (tile.status_code, tile.headers["cache-control"].split(",")[0]) == (200, "private")
    assert np.asarray(Image.open(BytesIO(tile.content)).convert("RGBA"))[..., 3].any()
    compared = visitor.get(f"/runs/{plan}/2002/difference/WebMercatorQuad/tilejson.json", params={"against": RUN})
    assert compared.status_code == 200
    measured = visitor.post(f"/runs/{plan}/statistics", params={"with": RUN}, json=square(commons)).json()["runs"]
    gained = np.subtract(measured[0]["area_ha"]["forest"], measured[1]["area_ha"]["forest"])
    assert gained[-1] == pytest.approx(9, abs=0.3)
    assert (measured[0]["title"], measured[0]["quantiles"]) == ("Trees", None)


def _tile(longitude: float, latitude: float, zoom: int) -> tuple[int, int]:
    x, y = (longitude + 180) / 360, (1 - np.arcsinh(np.tan(np.radians(latitude))) / np.pi) / 2
    return int(x * 2**zoom), int(y * 2**zoom)


def test_members_are_drawn_after_the_best_map_if_asked_for(visitor: httpx.Client, commons: Commons) -> None:
    plan = visitor.post(PLANS, json=make_plan(commons) | {"members": 3}).json()["id"]
    names = [name if name != "state" else told["state"] for name, told in read_events(visitor, plan)]
    assert names[:3] == ["learning", "projecting", "year"]
    assert names[4:] == ["result", "drawing", "member", "member", "member", "result", "done"]
    areas = visitor.get(f"/plans/{plan}").json()["areas"]
    low, median, high = (np.array(areas[name]) for name in ("low_ha", "median_ha", "high_ha"))
    assert (low <= median).all()
    assert (median <= high).all()
    whole = draw(commons, (-1, -1), (61, -1), (61, 41), (-1, 41))
    told = visitor.post(f"/runs/{plan}/statistics?expected=true", json=whole).json()["runs"][0]
    assert told["quantiles"]["members"] == told["members"] == 3
    assert told["quantiles"]["high_ha"]["forest"] == [row[0] for row in areas["high_ha"]]


def test_a_place_is_kept(visitor: httpx.Client, commons: Commons) -> None:
    wish = {"kind": "protect", "where": draw(commons, (0, 0), (60, 0), (60, 40), (0, 40)), "classes": ["forest"]}
    told = make(visitor, {"title": "Keep", "interventions": [wish]})
    assert told["areas"]["area_ha"][0] == told["areas"]["area_ha"][-1]
    assert told["areas"]["difference_ha"][-1][0] > 0


def test_the_scenario_file_makes_the_same_bytes(commons: Commons, visitor: httpx.Client, tmp_path: Path) -> None:
    plan = make_plan(commons) | {"title": "Árboles: <script>'\"&"}
    with open_desk(commons) as desk:
        job = desk.take("valley", read_proposal(plan), ANONYMOUS, "me")
        _wait_for(lambda: job.is_over)
        made = {path.name: path.read_bytes() for path in (job.folder / "maps").iterdir()}
    assert not job.folder.exists()
    file = tmp_path / "scenario.yaml"
    answer = visitor.get(f"/plans/{make(visitor, plan)['id']}/scenario.yaml")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/yaml")
    assert answer.text == job.scenario.to_yaml()
    file.write_bytes(answer.content)
    run = commons.run(file, threads=1, chunk=16)
    assert (run.scenario.parent, run.scenario.title["en"]) == ("roads", plan["title"])
    published = {
        f"{year}.tif": Path(
            commons.locate(commons.store.item("run-maps", f"{run.id}-{year}", OWNER)["assets"]["map"]["href"])
        )
        for year in (2001, 2002)
    }
    assert made == {name: path.read_bytes() for name, path in published.items()}


def _wait_for(is_so: object) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not is_so():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_plan_can_be_changed_by_a_plan_of_the_run_it_names(visitor: httpx.Client, commons: Commons) -> None:
    told = make(visitor, make_plan(commons, kind="convert", hectares=None, hectares_per_year=2.7) | {"base": RUN})
    assert (told["base"], told["interventions"]) == (RUN, ["convert-1"])
    assert told["areas"]["difference_ha"][-1][0] == pytest.approx(5.4)


def test_what_somebody_plans_is_shown_to_who_knows_its_id_alone(visitor: httpx.Client, commons: Commons) -> None:
    plan = make(visitor, make_plan(commons))["id"]
    assert len(plan) == len("plan-") + 32
    assert visitor.get(f"/stac/collections/runs/items/{plan}").status_code == 404
    assert plan not in visitor.get("/stac/search?collections=runs,run-maps&limit=100").text
    assert not list(commons.root.rglob(f"*{plan}*"))
    href = f"{plan}/maps/2001.tif"
    assert visitor.get(f"/files/{href}").status_code == visitor.get(f"/files/runs/{href}").status_code == 404
    other = plan[:-1] + ("0" if plan[-1] != "0" else "1")
    for address in (f"/plans/{other}", f"/plans/{other}/events", f"/runs/{other}/2001/info", "/plans"):
        assert visitor.get(address).status_code == 404


def test_a_plan_that_is_dropped_is_gone(visitor: httpx.Client, commons: Commons) -> None:
    plan = make(visitor, make_plan(commons))["id"]
    assert visitor.get(f"/runs/{plan}/2001/info").status_code == 200
    assert visitor.delete(f"/plans/{plan}").status_code == 204
    for address in (f"/plans/{plan}", f"/plans/{plan}/scenario.yaml", f"/runs/{plan}/2001/info"):
        assert visitor.get(address).status_code == 404
    assert visitor.delete(f"/plans/{plan}").status_code == 404


def test_titles_are_kept_as_text(visitor: httpx.Client, commons: Commons) -> None:
    title = "<img src=x onerror=alert(1)>\u202e"
    answer = visitor.post(PLANS, json=make_plan(commons) | {"title": title})
    assert answer.json()["title"] == title
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    wait(visitor, answer.json()["id"])
