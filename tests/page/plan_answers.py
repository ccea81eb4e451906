"""What the stand-in answers about plans: each is drawn as the restoration, and is made as soon as it is looked at."""

from __future__ import annotations

import json
from typing import Any, Final

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from tests.page import valley
from tests.page.commons_answers import YEARS, Item, legend

PLAN: Final = "plan-0123456789abcdef"
BASE: Final = "as-before-run-2"
_MAY_PLAN: Final = ("valley",)


def add_plans(app: FastAPI) -> None:
    """Add the routes of plans; the only landscape that may be planned is the valley."""
    state: dict[str, Any] = {"sent": None, "dropped": False}
    app.state.plans = state

    @app.get("/landscapes/{landscape}/plans")
    def offer(landscape: str) -> Item:
        if landscape not in _MAY_PLAN:
            raise HTTPException(404)
        years = [YEARS[1], YEARS[-1]]
        return {"landscape": landscape, "base": BASE, "title": {}, "years": years, "classes": legend(), "limits": {}}

    @app.post("/landscapes/{landscape}/plans")
    async def take(request: Request, landscape: str) -> Response:
        state.update(sent=await request.json(), dropped=False)
        (wish,) = state["sent"]["interventions"]
        if wish.get("hectares", 0) > 1_000_000:
            return JSONResponse({"detail": "The place has 12 ha of it."}, 400)
        return JSONResponse(_tell(landscape, state, "queued"), 202)

    @app.get("/plans/{plan}")
    def tell(plan: str) -> Item:
        if plan != PLAN or state["sent"] is None:
            raise HTTPException(404)
        return _tell("valley", state, "done")

    @app.delete("/plans/{plan}", status_code=204)
    def drop(plan: str) -> Response:
        state["dropped"] = plan == PLAN
        return Response(status_code=204)

    @app.get("/plans/{plan}/events")
    def listen(plan: str) -> Response:
        events = [("state", {"state": "learning"}), ("state", {"state": "projecting"})]
        events += [("year", {"year": year, "first": YEARS[1], "last": YEARS[-1]}) for year in YEARS[1:]]
        events += [("result", {"ready": True}), ("state", {"state": "done"})]
        lines = [f"id: {n}\nevent: {name}\ndata: {json.dumps(told)}\n\n" for n, (name, told) in enumerate(events, 1)]
        return PlainTextResponse("".join(lines), media_type="text/event-stream")

    @app.get("/plans/{plan}/scenario.yaml")
    def write(plan: str) -> Response:
        return PlainTextResponse(f"id: {plan}\n", media_type="application/yaml")


def differences() -> list[float]:
    """Return by class how many hectares the plan has more than its base in the last year."""
    last = valley.LAST_YEAR
    pairs = zip(valley.hectares("restoration", last), valley.hectares("as-before", last), strict=True)
    return [round(planned - base, 2) for planned, base in pairs]


def _tell(landscape: str, state: dict[str, Any], now: str) -> Item:
    planned = [valley.hectares("restoration", year) for year in YEARS]
    base = [valley.hectares("as-before", year) for year in YEARS]
    areas = {
        "classes": legend(),
        "years": list(YEARS),
        "area_ha": planned,
        "base_ha": base,
        "difference_ha": [[a - b for a, b in zip(*rows, strict=True)] for rows in zip(planned, base, strict=True)],
        "members": 0,
    }
    made = {"areas": areas, "shortfalls": [{"hectares": 7.5}]} if now == "done" else {}
    return {
        "id": PLAN,
        "landscape": landscape,
        "title": state["sent"]["title"],
        "base": BASE,
        "state": now,
        "message": "",
        "ready": now == "done",
        "ahead": 0,
        "year": None,
        "years": [YEARS[1], YEARS[-1]],
        **made,
    }
