"""How far work is that takes its time: a bar in a terminal, a line in a notebook."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Lock, Timer
from typing import Any, Protocol

Advance = Callable[[float], None]
"""Says how many steps, or what share of one, were just done."""

_screen = Lock()  # held while a bar is on it
_PAUSE_S = 0.5  # between two lines of a notebook


class Display(Protocol):
    """Where a bar is shown."""

    def begin(self) -> None:
        """Appear."""
        ...

    def show(self, bar: Bar) -> None:
        """Take note of how far the work is."""
        ...

    def end(self) -> None:
        """Go away."""
        ...


@dataclass(eq=False)
class Bar:
    """How far some work is; called with the steps, or the share of one, that were just done.

    Parameters
    ----------
    title : what is being done
    steps : in all; 0 for work that cannot say
    cells : worked through in a step; 0 where that is no measure
    display : shows it
    clock : seconds
    """

    title: str
    steps: int
    cells: int = 0
    display: Display | None = None
    clock: Callable[[], float] = time.monotonic
    done: float = 0.0
    _begun: float = field(init=False)
    _lock: Any = field(default_factory=Lock, init=False)

    def __post_init__(self) -> None:
        self._begun = self.clock()

    def __call__(self, done: float) -> None:
        """Advance."""
        with self._lock:
            self.done += done
        self._show()

    def turn_to(self, title: str) -> None:
        """Say what is being done from now on; the time before does not count for its speed."""
        self.title, self._begun = title, self.clock()
        self._show()

    @property
    def speed(self) -> str:
        """Cells a second, in words; empty where it is not known."""
        seconds = self.clock() - self._begun
        return f"{self.cells * self.done / seconds / 1e6:,.1f} million cells/s" if self.cells and seconds else ""

    @property
    def time_left(self) -> str:
        """Time left, in words, if the rest takes as long as what is done; empty where it is not known."""
        if not self.steps or not self.done:
            return ""
        seconds = (self.clock() - self._begun) * (self.steps - self.done) / self.done
        return f"{timedelta(seconds=round(max(0.0, seconds)))} left"

    def __str__(self) -> str:
        """Say it in a line."""
        share = f"{min(1.0, self.done / self.steps):.0%}" if self.steps else ""
        return ", ".join(part for part in (self.title, share, self.speed, self.time_left) if part)

    def _show(self) -> None:
        if self.display is not None:
            self.display.show(self)


class Terminal:
    """A bar on stderr."""

    def __init__(self, console: Any, bar: Bar) -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        what, rest = TextColumn("{task.description}"), TextColumn("{task.fields[rest]}")
        columns = (what, BarColumn(), TimeElapsedColumn(), rest)
        self._bar = Progress(*columns, console=console, transient=True)
        self._task = self._bar.add_task(bar.title, total=bar.steps or None, rest="")

    def begin(self) -> None:
        """Appear."""
        self._bar.start()

    def show(self, bar: Bar) -> None:
        """Take note of how far the work is."""
        rest = ", ".join(part for part in (bar.speed, bar.time_left) if part)
        self._bar.update(self._task, completed=bar.done, description=bar.title, rest=rest)

    def end(self) -> None:
        """Go away; a bar that never appeared would still end its line."""
        if self._bar.live.is_started:
            self._bar.stop()


class Notebook:
    """A line below a cell, which is written over; `rich` would ask for widgets that may not be there."""

    def __init__(self) -> None:
        self._handle: Any = None
        self._shown_at = 0.0
        self._lock = Lock()
        self._over = False

    def begin(self) -> None:
        """Appear with the next step."""
        from IPython import display

        show: Any = display.display
        with self._lock:
            if not self._over:
                self._handle = show({"text/plain": "…"}, raw=True, display_id=True)

    def show(self, bar: Bar) -> None:
        """Take note of how far the work is."""
        with self._lock:
            now = time.monotonic()
            last = bool(bar.steps) and bar.done >= bar.steps
            if self._handle is not None and not self._over and (last or now - self._shown_at >= _PAUSE_S):
                self._shown_at = now
                self._handle.update({"text/plain": str(bar)}, raw=True)

    def end(self) -> None:
        """Stay as it is; what is told later is of something else."""
        with self._lock:
            self._over = True


@contextmanager
def progress_bar(
    title: str, steps: int, *, cells: int = 0, shown: bool = True, patience_s: float = 1.0
) -> Iterator[Bar]:
    """Yield a bar, which appears only if the work takes more than ``patience_s``.

    A log gets no bar, nor does work that is part of other work with a bar.

    Parameters
    ----------
    title : what is being done
    steps : in all; 0 for work that cannot say how far it is: its bar only shows that it goes on
    cells : worked through in a step, to tell how many a second
    """
    from rich.console import Console

    console = Console(stderr=True)
    seen = shown and (console.is_terminal or console.is_jupyter)
    bar = Bar(title, steps, cells)
    if not seen or not _screen.acquire(blocking=False):
        yield bar
        return
    try:
        bar.display = Notebook() if console.is_jupyter else Terminal(console, bar)
        with _appearing(bar.display, patience_s):
            yield bar
    finally:
        _screen.release()


@contextmanager
def _appearing(display: Display, patience_s: float) -> Iterator[None]:
    # Not begun by the work itself, which may go on for long without a word.
    patience = Timer(patience_s, display.begin)
    patience.daemon = True
    patience.start()
    try:
        yield
    finally:
        patience.cancel()
        patience.join()
        display.end()


def tell(line: str, *, shown: bool = True) -> None:
    """Say on stderr what whoever waits should know."""
    if shown:
        from rich.console import Console
        from rich.text import Text

        Console(stderr=True, soft_wrap=True, highlight=False).print(Text(line))
