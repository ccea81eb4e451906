"""What is refused of plans: said at once, with what was found and how to mend it; and how many are taken on."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event
from time import sleep
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

import datacommons as dc
from catalog.store import OWNER
from datacommons.commons import Commons
from datacommons.door.listening import listen
from datacommons.door.server import create_app, serve_meanwhile
from datacommons.plans.desk import Limits, open_desk
from datacommons.plans.job import Job
from datacommons.plans.proposal import MOST_VERTICES
from datacommons.plans.shelf import Shelf
from tests.datacommons.plans import PLANS, RUN, draw, make_plan, read_events, square, wait

Open = Callable[..., TestClient]


@pytest.fixture(scope="module")
def commons(lived_in: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Commons]:
    """Return a commons with a run and a hidden layer."""
    folder = shutil.copytree(lived_in, tmp_path_factory.mktemp("plans") / "valley")
    with dc.open(folder) as commons:
        yield commons


@pytest.fixture(scope="module")
def visitor(commons: Commons) -> Iterator[TestClient]:
    """Return a client of a desk that makes plans."""
    with open_desk(commons) as desk, TestClient(create_app(commons, desk=desk)) as client:
        yield client


class SlowMaker:
    """Makes plans that are under way until they are let go, or cancelled."""

    def __init__(self) -> None:
        self.begun, self.released = Event(), Event()

    def __call__(self, job: Job, _commons: Commons, _shelf: Shelf) -> None:
        """Wait."""
        job.turn("projecting")
        self.begun.set()
        while not self.released.wait(0.01):
            job.check()


@contextmanager
def slow_desk(commons: Commons, **limits: Any) -> Iterator[tuple[SlowMaker, Open]]:
    """Open a desk whose plans take as long as the test wants, and a way to be one visitor after another."""
    maker = SlowMaker()
    with open_desk(commons, Limits(**limits), maker) as desk, ExitStack() as stack:
        app = create_app(commons, desk=desk)

        def come(address: str = "10.0.0.1") -> TestClient:
            return stack.enter_context(TestClient(app, client=(address, 5000)))

        yield maker, come
        maker.released.set()


def refuse(client: TestClient, plan: Any, status: int = 400) -> str:
    answer = client.post(PLANS, json=plan)
    assert answer.status_code == status, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return str(answer.json()["detail"])


def test_a_polygon_that_touches_itself(visitor: TestClient, commons: Commons) -> None:
    for corners in (((5, 5), (30, 35), (30, 5), (5, 35)), ((5, 5), (30, 5), (15, 20), (30, 35), (5, 35), (15, 20))):
        told = refuse(visitor, make_plan(commons, where=draw(commons, *corners)))
        assert told.startswith("The polygon of intervention 1 crosses or touches itself (")
        assert told.endswith("Draw it so that its line does not.")


def test_a_polygon_elsewhere(visitor: TestClient, commons: Commons) -> None:
    outside = "The place of intervention 1 lies outside of 'valley', or is smaller than a cell of 30 m"
    for corners in (((100, 5), (130, 5), (130, 35)), ((5.1, 5.1), (5.2, 5.1), (5.2, 5.2)), ((0, 0), (60, 0), (60, 2))):
        assert refuse(visitor, make_plan(commons, where=draw(commons, *corners))).startswith(outside)


def test_an_unknown_class(visitor: TestClient, commons: Commons) -> None:
    told = refuse(visitor, make_plan(commons, classes=["<script>"]))
    assert told == (
        "Intervention 1 names the class '<script>', which is not there. The classes are: forest, built, other."
    )
    assert "turns 'forest' into itself" in refuse(visitor, make_plan(commons, classes=["forest"]))


def test_more_hectares_than_there_are(visitor: TestClient, commons: Commons) -> None:
    told = refuse(visitor, make_plan(commons, hectares=50))
    # 10 x 15 cells and, since 1990, 10 x 15 more: 300 cells of 900 square metres.
    assert told == (
        "Intervention 1 asks for 50.0 ha, and its place had 27.0 ha of built in 2000. Ask for no more than that, "
        "draw a larger place, or name more classes."
    )
    assert "asks for 28.0 ha" in refuse(visitor, make_plan(commons, hectares=None, hectares_per_year=14))
    assert visitor.post(PLANS, json=make_plan(commons, hectares=27)).status_code == 202


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"from": 1999}, "goes from 1999 to 2002; the projected years are 2001 to 2002"),
        ({"until": 2003}, "goes from 2001 to 2003"),
        ({"from": 2002, "until": 2001}, "goes from 2002 to 2001"),
        ({"to": None}, "needs 'classes', what is there now, and 'to'"),
        ({"classes": None}, "needs 'classes'"),
        ({"classes": []}, "classes"),
        ({"hectares_per_year": 3}, "either 'hectares' or 'hectares_per_year'"),
        ({"hectares": None}, "either 'hectares' or 'hectares_per_year'"),
        ({"hectares": -1}, "greater than 0"),
        ({"hectares": 1e300}, "less than or equal to"),
        ({"hectares": "nine"}, "hectares: Input should be a valid number"),
        ({"kind": "protect"}, "has neither 'to' nor hectares"),
        ({"kind": "burn"}, "'protect', 'restore' or 'convert'"),
        ({"priority": "/etc/passwd"}, "priority: Extra inputs"),
        ({"where": "/etc/passwd"}, "where: Input should be a valid dictionary"),
        ({"where": {"type": "Point", "coordinates": [0, 0]}}, "Send a GeoJSON Polygon or MultiPolygon"),
        ({"where": {"type": "Polygon", "coordinates": [[[0, 0], [500, 0], [1, 1], [0, 0]]]}}, "in degrees"),
        ({"where": {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [0, 0]]]}}, "at least four positions"),
    ],
)
def test_what_cannot_be_is_told(visitor: TestClient, commons: Commons, changes: dict[str, Any], word: str) -> None:
    plan = make_plan(commons, **changes)
    assert word in refuse(visitor, plan)


@pytest.mark.parametrize(
    ("plan", "word"),
    [
        ({}, "title: Field required"),
        ([], "body: Input should be"),
        ({"title": " ", "interventions": []}, "title: String should have at least 1 character"),
        ({"title": "x" * 201, "interventions": []}, "at most 200 characters"),
        ({"title": "x", "interventions": []}, "interventions"),
        ({"title": "x", "interventions": [{}], "members": 21}, "members: Input should be less than or equal to 20"),
        ({"title": {"en": "x"}, "interventions": [{}]}, "title: Input should be a valid string"),
    ],
)
def test_what_is_no_plan_is_told(visitor: TestClient, plan: Any, word: str) -> None:
    assert word in refuse(visitor, plan)


def test_a_body_that_is_no_json_or_too_large(visitor: TestClient, commons: Commons) -> None:
    assert "is no JSON" in visitor.post(PLANS, content="title: Trees").json()["detail"]
    assert visitor.post(PLANS, content=b" " * 1_000_001).status_code == 413
    west, south = draw(commons, (5, 35), (6, 35), (6, 34))["coordinates"][0][0]
    teeth = [(west + n * 1e-6, south + n % 2 * 1e-3) for n in range(MOST_VERTICES)]
    comb = [(west, south - 1e-3), *teeth, (teeth[-1][0], south - 1e-3), (west, south - 1e-3)]
    where = {"type": "Polygon", "coordinates": [comb]}
    assert refuse(visitor, make_plan(commons, where=where), 413).startswith("The polygons have 5,003 vertices; 5,000")


def test_what_the_visitor_may_not_know_of_is_not_there(visitor: TestClient, commons: Commons) -> None:
    assert visitor.post("/landscapes/nowhere/plans", json=make_plan(commons)).status_code == 404
    assert visitor.get("/landscapes/nowhere/plans").status_code == 404
    unknown = refuse(visitor, make_plan(commons) | {"base": "valley-secret-1"}, 404)
    assert "valley-secret-1" in unknown
    assert RUN not in unknown


def test_a_large_landscape_is_not_planned_on(commons: Commons) -> None:
    with slow_desk(commons, cells=2399) as (_, come):
        assert "valley has 2,400 cells" in refuse(come(), make_plan(commons), 413)


def test_a_plan_under_way_is_cancelled(commons: Commons) -> None:
    with slow_desk(commons) as (maker, come):
        client = come()
        one, two = (client.post(PLANS, json=make_plan(commons)).json() for _ in range(2))
        assert maker.begun.wait(60)
        assert two["ahead"] == 1
        assert client.get(f"/plans/{one['id']}").json()["state"] == "projecting"
        for plan in (two, one):
            assert client.delete(f"/plans/{plan['id']}").status_code == 204
            assert client.get(f"/plans/{plan['id']}").status_code == 404
        maker.released.set()
        third = client.post(PLANS, json=make_plan(commons)).json()
        assert wait(client, third["id"])["state"] == "done", "the desk goes on"


def test_who_listens_is_told_that_it_was_cancelled(commons: Commons) -> None:
    with slow_desk(commons) as (maker, come):
        client = come()
        plan = client.post(PLANS, json=make_plan(commons)).json()["id"]
        assert maker.begun.wait(60)
        with ThreadPoolExecutor() as pool:
            told = pool.submit(read_events, client, plan)
            sleep(0.5)  # time to begin to listen; who is too late is told that there is no such plan
            client.delete(f"/plans/{plan}")
            assert told.result(60)[-1] == ("state", {"state": "cancelled"})


def test_two_visitors_wait_for_their_own(commons: Commons) -> None:
    with slow_desk(commons, waiting_of_one=1, waiting=2) as (maker, come):
        plan, one, other, third = make_plan(commons), come("10.0.0.1"), come("10.0.0.2"), come("10.0.0.3")
        first = one.post(PLANS, json=plan).json()["id"]
        refused = one.post(PLANS, json=plan)
        assert refused.status_code == 429
        assert refused.json()["detail"].startswith("1 of your plans are being made")
        assert int(refused.headers["retry-after"]) >= 1
        second = other.post(PLANS, json=plan)
        assert (second.status_code, second.json()["ahead"]) == (202, 1)
        crowd = third.post(PLANS, json=plan)
        assert (crowd.status_code, int(crowd.headers["retry-after"]) >= 1) == (429, True)
        assert crowd.json()["detail"].startswith("2 plans wait already. Try again in ")
        maker.released.set()
        assert wait(one, first)["state"] == wait(other, second.json()["id"])["state"] == "done"
        assert one.post(PLANS, json=plan).status_code == 202


def test_a_bounded_number_is_kept_for_a_bounded_time(commons: Commons) -> None:
    with slow_desk(commons, kept=1) as (maker, come):
        client = come()
        maker.released.set()
        plans = [client.post(PLANS, json=make_plan(commons)).json()["id"] for _ in range(2)]
        for plan in plans:
            wait_or_gone(client, plan)
        assert [client.get(f"/plans/{plan}").status_code for plan in plans] == [404, 200]
    with slow_desk(commons, kept_s=0.0) as (maker, come):
        client = come()
        maker.released.set()
        plan = client.post(PLANS, json=make_plan(commons)).json()["id"]
        assert wait_or_gone(client, plan) == 404


def wait_or_gone(client: TestClient, plan: str) -> int:
    for _ in range(2000):
        answer = client.get(f"/plans/{plan}")
        if answer.status_code == 404 or answer.json()["state"] == "done":
            return answer.status_code
    raise AssertionError("the plan is not over")


def test_what_fails_is_told_without_its_reason_and_the_next_is_made(commons: Commons) -> None:
    fails = iter([True, False])

    def make(job: Job, _commons: Commons, _shelf: Shelf) -> None:
        job.turn("projecting")
        if next(fails):
            raise RuntimeError("/secret/path")

    with open_desk(commons, make=make) as desk, TestClient(create_app(commons, desk=desk)) as client:
        first, second = (client.post(PLANS, json=make_plan(commons)).json()["id"] for _ in range(2))
        told = wait(client, first)
        assert (told["state"], told["message"]) == (
            "failed",
            "The plan could not be made; the log of the server says why.",
        )
        assert wait(client, second)["state"] == "done"


def test_a_model_that_cannot_be_learned_ahead_holds_up_no_plan(
    commons: Commons, caplog: pytest.LogCaptureFixture
) -> None:
    item = commons.store.item("runs", RUN, OWNER)
    commons.store.put_items([{**item, "id": "foreign", "assets": {}, "links": []}])
    try:
        with open_desk(commons, make=lambda *_: None) as desk, TestClient(create_app(commons, desk=desk)) as client:
            desk.warm(commons.open_run("foreign"))
            for _ in range(2000):
                if "foreign could not be learned ahead" in caplog.text:
                    break
                sleep(0.01)
            plan = client.post(PLANS, json={**make_plan(commons), "base": RUN}).json()["id"]
            assert wait_or_gone(client, plan) == 200
    finally:
        commons.store.delete_items("runs", ["foreign"])


@pytest.mark.parametrize(("setting", "status"), [(None, 404), (True, 200), (False, 404)])
def test_the_settings_say_whether_those_behind_a_proxy_may_plan(
    lived_in: Path, tmp_path: Path, setting: bool | None, status: int
) -> None:
    folder = shutil.copytree(lived_in, tmp_path / "valley")
    if setting is not None:
        with (folder / "commons.toml").open("a") as file:
            file.write(f"plans = {str(setting).lower()}\n")
    with dc.open(folder) as commons, serve_meanwhile(commons, listen("127.0.0.1", 0)) as address:
        afar = httpx.get(f"{address}{PLANS}", headers={"X-Forwarded-For": "203.0.113.9"}, timeout=60)
        near = httpx.get(f"{address}{PLANS}", timeout=60)
    assert (afar.status_code, near.status_code) == (status, 404 if setting is False else 200)


def test_without_a_desk_there_are_no_plans(commons: Commons) -> None:
    with TestClient(create_app(commons)) as client:
        assert client.post(PLANS, json={"title": "x", "where": square(commons)}).status_code == 404
        assert client.get(PLANS).status_code == 404


def test_a_server_that_ends_lets_go_of_who_listens(commons: Commons) -> None:
    maker = SlowMaker()
    with open_desk(commons, make=maker) as desk, TestClient(create_app(commons, desk=desk)) as client:
        plan = client.post(PLANS, json=make_plan(commons)).json()["id"]
        assert maker.begun.wait(60)
        with ThreadPoolExecutor() as pool:
            told = pool.submit(read_events, client, plan)
            sleep(0.5)
            desk.cancel_all()
            assert told.result(60)[-1] == ("state", {"state": "cancelled"})
        late = client.post(PLANS, json=make_plan(commons))
        assert (late.status_code, late.json()["detail"]) == (429, "The server is ending. Try again later.")
