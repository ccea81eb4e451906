"""One plan on its way: what it is, how far it has come, and what it has come to."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any, Final, Literal

from datacommons.plans.proposal import Proposal
from scenarios.spec import Scenario

State = Literal["queued", "learning", "projecting", "drawing", "done", "failed", "cancelled"]

OVER: Final = ("done", "failed", "cancelled")


class Cancelled(Exception):
    """Nobody wants the plan any more."""


@dataclass(frozen=True)
class Event:
    """Something that happened to a plan.

    Parameters
    ----------
    name : of the event: "state", "year", "member" or "result"
    told : what it says
    """

    name: str
    told: dict[str, Any]


@dataclass(eq=False)
class Job:
    """A plan that was taken on.

    Parameters
    ----------
    proposal : what is planned
    base : id of the run whose scenario it changes
    scenario : what it makes of it
    visitor : who wants it
    root : folder of all plans' files
    id : that nobody guesses; who knows it may see the plan
    """

    proposal: Proposal
    base: str
    scenario: Scenario
    visitor: str
    root: Path
    id: str = field(default_factory=lambda: f"plan-{secrets.token_hex(16)}")
    state: State = "queued"
    year: int | None = None
    members: int = 0
    message: str = ""
    result: dict[str, Any] = field(default_factory=dict)
    taken: float = field(default_factory=time.monotonic)
    ended: float | None = None
    events: list[Event] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    @property
    def folder(self) -> Path:
        """Where its files are."""
        return self.root / self.id

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen."""
        return self.state in OVER

    def turn(self, state: State, message: str = "") -> None:
        """Go on to another state; what is over stays so."""
        with self._lock:
            if self.is_over:
                return
            self.state, self.message = state, message
            self.ended = time.monotonic() if self.is_over else None
            self._tell("state", {"state": state, **({"message": message} if message else {})})

    def pass_year(self, year: int) -> None:
        """Note that the best map has come to a year.

        Raises
        ------
        Cancelled
        """
        with self._lock:
            self._go_on()
            self.year = year
            self._tell("year", {"year": year, "first": self.scenario.start + 1, "last": self.scenario.end})

    def pass_member(self) -> None:
        """Note that one more member is drawn. Raises Cancelled."""
        with self._lock:
            self._go_on()
            self.members += 1
            self._tell("member", {"drawn": self.members, "members": self.proposal.members})

    def check(self) -> None:
        """Stop working if nobody wants it any more. Raises Cancelled."""
        with self._lock:
            self._go_on()

    def report(self, result: dict[str, Any]) -> None:
        """Note what it has come to. Raises Cancelled."""
        with self._lock:
            self._go_on()
            self.result = result
            self._tell("result", {"ready": True})

    def events_after(self, count: int) -> tuple[list[Event], bool]:
        """Return the events after so many, and whether no more will come."""
        with self._lock:
            return self.events[count:], self.is_over

    def _go_on(self) -> None:
        if self.is_over:
            raise Cancelled

    def _tell(self, name: str, told: dict[str, Any]) -> None:
        self.events.append(Event(name, told))
