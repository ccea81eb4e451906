"""Runs that were begun and are not published yet: their names, and what they keep to go on from."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import version
from itertools import count
from pathlib import Path
from typing import IO

from datacommons.errors import NotWritten
from scenarios.spec import Scenario

UNFINISHED = ".unfinished"
"""Hidden folder of a commons in which runs keep what they have come to, until they are published."""

_LIBRARIES = ("datacommons", "numba", "numpy", "scikit-learn", "scipy")  # whose versions show in a result
_RUN, _LOCK, _WALKS = "run", "lock", "walks"


@dataclass(frozen=True)
class Attempt:
    """A run that is under way.

    Parameters
    ----------
    folder : where it notes what it comes to, and where an earlier attempt at the same run has done so
    name : identifier of the run
    """

    folder: Path
    name: str

    @property
    def walks(self) -> Path:
        """Where the journals of its walks are."""
        return self.folder / _WALKS

    @property
    def noted(self) -> int:
        """How many years an earlier attempt has noted, over all walks."""
        return sum(1 for _ in self.walks.glob("*/*.npz"))


@contextmanager
def begin_run(root: Path, scenario: Scenario, fingerprint: str, is_taken: Callable[[str], bool]) -> Iterator[Attempt]:
    """Begin a run, or go on with one of the same fingerprint that ended early.

    The run gets the next number of its scenario: ``valley-restoration-1``, ``valley-restoration-2``, ... Its folder is
    made at once, so that two runs at the same time get two numbers; it goes again if the run fails. What the walks have
    noted stays, unless the run is done.

    Parameters
    ----------
    root : folder of the commons
    fingerprint : stands for all that the result depends on, but for the versions of the libraries
    is_taken : whether the catalog knows a name; it may, even if somebody has removed the files of that run

    Raises
    ------
    NotWritten
        The commons cannot be written to.
    """
    place = root / "runs" / scenario.landscape / scenario.id
    with _refuse_politely(place):
        folder, lock = _find_free(root / UNFINISHED / _digest(fingerprint))
    name = ""
    try:
        with _refuse_politely(place):
            name = _take_up(folder, place) or _claim_name(place, scenario, is_taken)
            (folder / _RUN).write_text(name, "utf-8")
        yield Attempt(folder, name)
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        _give_back(root, folder, place / name)
        lock.close()


@contextmanager
def _refuse_politely(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise NotWritten(f"No run can be written into {place}: {error.strerror}. Mend that, and run again.") from error


def _digest(fingerprint: str) -> str:
    versions = " ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    return hashlib.sha256(f"{fingerprint} {versions}".encode()).hexdigest()[:16]


def _find_free(wanted: Path) -> tuple[Path, IO[str]]:
    """Return the first folder, of this name or with a number, that nobody works in, and its lock.

    The system opens the lock when its process ends, however it ends.
    """
    for number in count(1):
        folder = wanted if number == 1 else wanted.with_name(f"{wanted.name}-{number}")
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / _LOCK).open("w", encoding="utf-8")
        with suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return folder, lock
        lock.close()
    raise AssertionError("there are always more numbers")


def _take_up(folder: Path, place: Path) -> str | None:
    """Return the name of a run that was killed, if it is still to be had."""
    if not (folder / _RUN).exists():
        return None
    name = (folder / _RUN).read_text("utf-8")
    return name if name and (place / name).is_dir() and not any((place / name).iterdir()) else None


def _claim_name(place: Path, scenario: Scenario, is_taken: Callable[[str], bool]) -> str:
    place.mkdir(parents=True, exist_ok=True)
    for number in count(1):
        folder = place / f"{scenario.landscape}-{scenario.id}-{number}"
        with suppress(FileExistsError):
            if not is_taken(folder.name):
                folder.mkdir()
                return folder.name
    raise AssertionError("there are always more numbers")


def _give_back(root: Path, folder: Path, claimed: Path) -> None:
    """Let go of a name that no run has got, and of a folder that holds nothing to go on from."""
    for empty in (claimed, *claimed.parents):
        if empty == root:
            break
        with suppress(OSError):  # it holds the run, or other runs
            empty.rmdir()
    with suppress(OSError):
        (folder / _RUN).unlink(missing_ok=True)
    if folder.exists() and not (folder / _WALKS).exists():
        shutil.rmtree(folder, ignore_errors=True)
    with suppress(OSError):  # others are at work
        folder.parent.rmdir()
