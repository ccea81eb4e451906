"""The ``datacommons`` command as a user types it, in this process or in one of its own."""

from __future__ import annotations

import signal
import subprocess
import sysconfig
from collections.abc import Iterator
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from datacommons.cli import main

SCRIPT = Path(sysconfig.get_path("scripts")) / "datacommons"
PATIENCE_S = 120  # for a busy machine: whoever waits goes on as soon as what is waited for is there


@dataclass(frozen=True)
class Outcome:
    """What a command left behind."""

    code: int
    out: str
    err: str


def command(*arguments: str | Path, folder: Path) -> Outcome:
    """Type a ``datacommons`` command in a folder. It runs in this process, for importing the engine takes long."""
    out, err = StringIO(), StringIO()
    with chdir(folder), redirect_stdout(out), redirect_stderr(err):
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as end:
            code = int(end.code or 0)
    return Outcome(code, out.getvalue(), err.getvalue())


@contextmanager
def start(*arguments: str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Start a command in a process of its own, which does not outlive the block. Its stderr is a file."""
    with (
        (folder / "complaints.log").open("w") as errors,
        subprocess.Popen([SCRIPT, *arguments], cwd=folder, stdout=subprocess.PIPE, stderr=errors, text=True) as process,
    ):
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def open_door(folder: Path) -> Iterator[str]:
    """Serve the commons in a folder with ``datacommons serve``, and yield the address.

    In this process GDAL would wait for the server while holding the lock that the server needs.
    """
    with start("serve", "--port", "0", folder=folder) as process:
        assert process.stdout is not None
        announced = process.stdout.readline()
        assert announced.startswith("The door is open: http://127.0.0.1:"), complaints(folder)
        yield announced.split()[4]
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_S) == 0, complaints(folder)
    assert complaints(folder) == "", "the server complained"


def complaints(folder: Path) -> str:
    """Return what a command that was started in a folder wrote to stderr."""
    return (folder / "complaints.log").read_text()
