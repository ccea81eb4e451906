"""How far work is, in words: what is done, cells a second, time left; in a notebook as well."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from datacommons.progress import Bar

PATIENCE_S = 300


class Clock:
    """A clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_speed_and_rest_follow_from_what_is_done(clock: Clock) -> None:
    bar = Bar("projecting valley", 40, 3_000_000, clock=clock)
    assert str(bar) == "projecting valley, 0%"
    clock.now += 5
    bar(10)
    assert bar.speed == "6.0 million cells/s"  # 10 steps of 3 million in 5 s
    assert bar.time_left == "0:00:15 left"
    assert str(bar) == "projecting valley, 25%, 6.0 million cells/s, 0:00:15 left"


def test_what_came_before_does_not_slow_what_follows(clock: Clock) -> None:
    bar = Bar("learning", 4, 1_000_000, clock=clock)
    clock.now += 60
    bar.turn_to("projecting")
    clock.now += 2
    bar(2)
    assert str(bar) == "projecting, 50%, 1.0 million cells/s, 0:00:02 left"


def test_work_that_cannot_say_how_far_it_is_says_no_more_than_it_knows(clock: Clock) -> None:
    bar = Bar("describing", 0, clock=clock)
    clock.now += 1
    bar(1)
    assert str(bar) == "describing"


def test_more_than_all_is_not_told(clock: Clock) -> None:
    bar = Bar("projecting", 2, clock=clock)
    clock.now += 1
    bar(3)
    assert str(bar) == "projecting, 100%, 0:00:00 left"


CELL = """\
from threading import enumerate, Timer
from datacommons.progress import progress_bar
with progress_bar("projecting valley", 2, cells=1_000_000, patience_s=0) as bar:
    [timer.join() for timer in enumerate() if isinstance(timer, Timer)]
    bar(1)
    bar(1)
"""


def test_a_notebook_gets_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL)])
    patience = {"timeout": PATIENCE_S, "startup_timeout": PATIENCE_S}
    place = {"metadata": {"path": str(Path(__file__).parents[2])}}
    NotebookClient(notebook, **patience, kernel_name="python3", resources=place).execute()
    (line,) = (output["data"]["text/plain"] for output in notebook.cells[0].outputs)
    assert line.startswith("projecting valley, 100%, ")
    assert "million cells/s" in line
