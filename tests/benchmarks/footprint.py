"""Memory of a process and of all that it starts, while it runs."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import psutil

_PAUSE_S = 0.02


@dataclass(frozen=True)
class Outcome:
    """How a process ended.

    Parameters
    ----------
    code : exit code
    output, errors : what it printed
    peak_bytes : the most memory that it and its children held at one moment
    stopped : whether it was ended because it held more than it was allowed
    """

    code: int
    output: str
    errors: str
    peak_bytes: int
    stopped: bool


def run_watched(command: Sequence[str], most_bytes: float) -> Outcome:
    """Run a command, and end it with all its children once they hold more memory than they may.

    Pages that processes share count for each of them, so the sum is rather too large than too small.
    """
    peak, stopped = 0, False
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(command, stdout=output, stderr=errors)
        while process.poll() is None:
            family = _family(process.pid)
            held = sum(_resident(each) for each in family)
            peak = max(peak, held)
            if held > most_bytes:
                stopped = True
                _end(family)
            time.sleep(_PAUSE_S)
        for stream in (output, errors):
            stream.seek(0)
        return Outcome(process.returncode, output.read(), errors.read(), peak, stopped)


def _family(pid: int) -> list[psutil.Process]:
    with suppress(psutil.NoSuchProcess):
        first = psutil.Process(pid)
        return [first, *first.children(recursive=True)]
    return []


def _resident(process: psutil.Process) -> int:
    with suppress(psutil.NoSuchProcess):
        return int(process.memory_info().rss)
    return 0


def _end(family: Sequence[psutil.Process]) -> None:
    for process in reversed(family):
        with suppress(psutil.NoSuchProcess):
            process.kill()
