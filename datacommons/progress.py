"""A progress bar for what takes its time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock, Timer

Advance = Callable[[float], None]
"""Says how many steps, or what share of one, were just done."""

_terminal = Lock()  # held while a bar is on it


@contextmanager
def progress_bar(title: str, steps: int, *, shown: bool = True, patience_s: float = 1.0) -> Iterator[Advance]:
    """Yield a function that advances a bar on stderr, which appears only if the work takes more than ``patience_s``.

    Work that cannot say how far it is passes 0 steps: its bar only shows that it goes on. A log gets no bar, nor does
    work that is part of other work with a bar.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    console = Console(stderr=True)
    seen = shown and (console.is_terminal or console.is_jupyter)
    if not seen or not _terminal.acquire(blocking=False):
        yield _ignore
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=console, transient=True)
    task = bar.add_task(title, total=steps or None)
    # Not started by the work itself, which may go on for long without a word.
    patience = Timer(patience_s, bar.start)
    patience.daemon = True
    patience.start()
    try:
        yield lambda done: bar.advance(task, done)
    finally:
        patience.cancel()
        patience.join()
        # A bar that never appeared would still end its line.
        if bar.live.is_started:
            bar.stop()
        _terminal.release()


def tell(line: str, *, shown: bool = True) -> None:
    """Say on stderr what whoever waits should know."""
    if shown:
        from rich.console import Console
        from rich.text import Text

        Console(stderr=True, soft_wrap=True, highlight=False).print(Text(line))


def _ignore(done: float) -> None:
    """Take note of nothing: nobody looks."""
