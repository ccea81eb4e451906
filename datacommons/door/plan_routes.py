"""The routes of plans: what may be planned, a plan on its way, and what it has come to."""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

import orjson
from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response, StreamingResponse

from catalog.store import Reader
from datacommons.plans.desk import Desk, Limits
from datacommons.plans.errors import HTTP_STATUS, PlanError, PlanNotFound, PlansBusy
from datacommons.plans.job import Event, Job
from datacommons.plans.proposal import MOST_INTERVENTIONS, MOST_MEMBERS, MOST_VERTICES, Proposal, read_proposal
from scenarios.errors import ScenarioInvalid
from tiles.routes.body import MOST_BYTES, read_json
from tiles.routes.caching import NO_STORE

_LOOK_S: Final = 0.1
_BREATH_S: Final = 15.0  # proxies close what is silent for longer
_MOST_LISTENERS: Final = 64
_FORWARDED: Final = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip")
_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": "What is to be done, where and when",
        "content": {"application/json": {"schema": Proposal.model_json_schema(by_alias=True)}},
    }
}


def add_plans(app: FastAPI, desk: Desk, identify: Callable[[Request], Reader], *, for_all: bool) -> None:
    """Let visitors make plans.

    Parameters
    ----------
    app : FastAPI
    desk : Desk
        Takes them on.
    identify : callable
        From a request to who reads.
    for_all : bool
        Whether visitors may plan who come through a proxy: a server that listens on loopback may stand behind one.
    """
    guards = [] if for_all else [Depends(_refuse_forwarded)]
    router, listeners = APIRouter(tags=["plans"], dependencies=guards), _Listeners()

    @router.get("/landscapes/{landscape_id}/plans", response_class=Response)
    def offer(request: Request, landscape_id: str, base: str | None = None) -> Response:
        """Tell what may be planned here, and make ready for it."""
        run = desk.find_base(landscape_id, base, identify(request))
        desk.warm(run)
        scenario = run.scenario
        return _answer(
            {
                "landscape": landscape_id,
                "base": run.id,
                "title": dict(scenario.title),
                "years": [scenario.start + 1, scenario.end],
                "classes": run.areas["classes"],
                "kinds": ["protect", "restore", "convert"],
                "limits": _tell_limits(desk.limits),
            }
        )

    @router.post("/landscapes/{landscape_id}/plans", openapi_extra=_BODY, response_class=Response, status_code=202)
    async def take(request: Request, landscape_id: str) -> Response:
        """Take a plan on; it is made as soon as those before it are."""
        proposal = read_proposal(await read_json(request, "plan"))
        job = await run_in_threadpool(desk.take, landscape_id, proposal, identify(request), _name_visitor(request))
        return _answer(_describe(job, desk, request), 202, {"Location": str(request.url_for("tell", plan_id=job.id))})

    @router.get("/plans/{plan_id}", response_class=Response)
    def tell(request: Request, plan_id: str) -> Response:
        """Tell how far a plan is, and what it has come to."""
        return _answer(_describe(desk.find(plan_id), desk, request))

    @router.delete("/plans/{plan_id}", response_class=Response, status_code=204)
    def drop(plan_id: str) -> Response:
        """Cancel a plan, and forget it."""
        desk.drop(plan_id)
        return Response(status_code=204, headers=NO_STORE)

    @router.get("/plans/{plan_id}/scenario.yaml", response_class=Response)
    def write_scenario(plan_id: str) -> Response:
        """Return the plan as a scenario file."""
        headers = {"Content-Disposition": 'attachment; filename="scenario.yaml"', **NO_STORE}
        return Response(desk.find(plan_id).scenario.to_yaml(), media_type="application/yaml", headers=headers)

    @router.get("/plans/{plan_id}/events", response_class=Response)
    async def listen(request: Request, plan_id: str) -> Response:
        """Tell what happens to a plan while it happens, as server-sent events."""
        job = await run_in_threadpool(desk.find, plan_id)
        listeners.refuse_crowd()
        last = request.headers.get("last-event-id", "")
        events = listeners.count(_follow(job, int(last[:9]) if last.isascii() and last.isdecimal() else 0))
        headers = {**NO_STORE, "X-Accel-Buffering": "no"}  # nginx sends on what it gets
        return StreamingResponse(events, media_type="text/event-stream", headers=headers)

    app.include_router(router)
    app.add_exception_handler(PlanError, _refuse)
    app.add_exception_handler(ScenarioInvalid, _refuse)


def _refuse_forwarded(request: Request) -> None:
    if any(name in request.headers for name in _FORWARDED):
        raise PlanNotFound("Nobody may plan here. Who runs the server allows it with 'plans = true' in commons.toml.")


class _Listeners:
    """Who listens to events: a connection each, for as long as a plan takes."""

    def __init__(self) -> None:
        self._number = 0

    def refuse_crowd(self) -> None:
        if self._number >= _MOST_LISTENERS:
            raise PlansBusy("Too many listen already. Ask for the plan itself now and then.", 5)

    async def count(self, events: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        self._number += 1
        try:
            async for event in events:
                yield event
        finally:
            self._number -= 1


async def _follow(job: Job, told: int) -> AsyncIterator[bytes]:
    """Yield the events of a plan after so many, until it is over."""
    spoke = time.monotonic()
    while True:
        events, over = job.events_after(told)
        for event in events:
            told += 1
            yield _write(event, told)
        if over:
            return
        if events:
            spoke = time.monotonic()
        elif time.monotonic() - spoke > _BREATH_S:
            spoke = time.monotonic()
            yield b": still here\n\n"
        await asyncio.sleep(_LOOK_S)


def _write(event: Event, number: int) -> bytes:
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (number, event.name.encode(), orjson.dumps(event.told))


def _describe(job: Job, desk: Desk, request: Request) -> dict[str, Any]:
    scenario = job.scenario
    return {
        "id": job.id,
        "run": job.id,
        "title": job.proposal.title,
        "landscape": scenario.landscape,
        "base": job.base,
        "state": job.state,
        "message": job.message,
        "ready": bool(job.result),
        "ahead": desk.count_ahead(job) if job.state == "queued" else 0,
        "year": job.year,
        "years": [scenario.start + 1, scenario.end],
        "members": job.members,
        "expires_s": None if job.ended is None else max(0, round(job.ended + desk.limits.kept_s - time.monotonic())),
        "interventions": [plan.id for plan in scenario.interventions],
        **job.result,
        "links": {
            name: str(request.url_for(route, plan_id=job.id))
            for name, route in (("self", "tell"), ("events", "listen"), ("scenario", "write_scenario"))
        },
    }


def _tell_limits(limits: Limits) -> dict[str, Any]:
    return {
        "interventions": MOST_INTERVENTIONS,
        "vertices": MOST_VERTICES,
        "bytes": MOST_BYTES,
        "members": MOST_MEMBERS,
        "waiting_of_one": limits.waiting_of_one,
        "kept_s": limits.kept_s,
    }


def _name_visitor(request: Request) -> str:
    """Tell visitors apart: by their address, or by the one that a proxy on this machine saw."""
    peer = request.client.host if request.client else ""
    seen = request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
    return seen if _is_loopback(peer) and seen else peer


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _answer(document: dict[str, Any], status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse(document, status, headers={**NO_STORE, **(headers or {})})


def _refuse(_request: Request, error: Exception) -> Response:
    status = next((HTTP_STATUS[kind] for kind in type(error).__mro__ if kind in HTTP_STATUS), 500)
    again = {"Retry-After": str(error.retry_after_s)} if isinstance(error, PlansBusy) else {}
    return _answer({"detail": str(error)}, status, again)
