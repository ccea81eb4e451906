"""Processes that write into a commons until they are killed: run as a module, told what to do line by line.

Importing the engine takes seconds, so one process imports it once and forks a victim for every kill. A victim is
killed at the n-th time it is about to change the disk, or after some time, or not at all.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import datacommons.ingest.raster_layers
import datacommons.runs.results  # noqa: F401  (what a victim needs is imported before it is forked)
from catalog.store import OWNER
from datacommons.founding import open_as_is
from tests.datacommons.conftest import make_scenario

CHANGES = {"os.rename", "os.mkdir", "os.rmdir", "os.remove"}
WRITING = os.O_WRONLY | os.O_RDWR
BATCH = 400


def ingest(order: dict[str, Any]) -> str:
    """Replace the layers of a commons by others, and say so when it is done."""
    with open_as_is(order["root"]) as commons:
        version = str(order["version"])
        commons.ingest(order["files"], collection="drivers", replace=True, product="x", product_version=version)
    return version


def run(order: dict[str, Any]) -> str:
    """Publish a run."""
    with open_as_is(order["root"]) as commons:
        return commons.run(make_scenario(), threads=1).id


def put(order: dict[str, Any]) -> str:
    """Put the same items again and again, each time all of a newer version."""
    with open_as_is(order["root"]) as commons:
        template = commons.store.item("land-cover", "valley-land-cover-1990", OWNER)
        for version in range(order["version"], order["version"] + 10_000):
            commons.store.put_items(_make_versions(template, version))
            acknowledge(order, str(version))
    return "never"


def _make_versions(template: dict[str, Any], version: int) -> Iterator[dict[str, Any]]:
    for number in range(BATCH):
        properties = template["properties"] | {"version": str(version)}
        yield template | {"id": f"bulk-{number}", "properties": properties, "assets": {}}


def acknowledge(order: dict[str, Any], what: str) -> None:
    """Tell the world that something is done: it must never be lost from here on."""
    with Path(order["acknowledged"]).open("a") as file:
        file.write(f"{what}\n")


def watch_changes(kill_at: int | None) -> list[str]:
    """Note every change of the disk that Python is about to make; at the n-th one, die."""
    noted: list[str] = []

    def note(event: str, arguments: tuple[Any, ...]) -> None:
        writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITING
        if event in CHANGES or writes:
            if len(noted) == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)
            noted.append(event)

    sys.addaudithook(note)
    return noted


def suffer(order: dict[str, Any]) -> None:
    """Do what was ordered, in a process of its own."""
    job: Callable[[dict[str, Any]], str] = {"ingest": ingest, "run": run, "put": put}[order["job"]]
    noted = watch_changes(order.get("kill_at"))
    done = job(order)
    changes = list(noted)
    acknowledge(order, done)
    Path(order["acknowledged"]).with_suffix(".changes").write_text(json.dumps(changes))


def main() -> None:
    """Fork a victim for every order on stdin, and tell on stdout how it ended."""
    for line in sys.stdin:
        order = json.loads(line)
        victim = os.fork()
        if victim == 0:
            suffer(order)
            os._exit(0)
        if "seconds" in order:
            time.sleep(order["seconds"])
            os.kill(victim, signal.SIGKILL)
        _, status = os.waitpid(victim, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
