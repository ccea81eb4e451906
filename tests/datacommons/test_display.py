"""What the command line prints, and the bar it shows."""

from __future__ import annotations

import io
import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from catalog.legend import Legend
from datacommons.commands.display import print_comparison, print_error, print_hindcast, print_run, summarize_shortfalls
from datacommons.progress import progress_bar
from datacommons.runs.run import Run
from scenarios.demand.transitions import Transition
from scenarios.validation.fuzzy import FuzzySimilarity
from scenarios.validation.hindcast import Hindcast
from scenarios.validation.metrics import Agreement, TransitionAgreement
from scenarios.validation.reliability import Reliability


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def run(tmp_path: Path) -> Run:
    classes = [{"name": name} for name in ("forest", "built")]
    areas = {"years": [1999, 2019], "classes": classes, "area_ha": [[45377.25, 100], [24731.75, 20745.5]]}
    (tmp_path / "areas.json").write_text(json.dumps(areas))
    lost = {"from": "forest", "to": "built", "hectares": 12.5, "cause": "no more cells"}
    model = {"notes": [], "shortfalls": [lost | {"year": 2001}, lost | {"year": 2004}]}
    (tmp_path / "model.json").write_text(json.dumps(model))
    assets = {"areas": {"href": "areas.json"}, "model": {"href": "model.json"}}
    return Run({"id": "valley-usual-1", "assets": assets}, lambda href: str(tmp_path / href))


def test_run_in_hectares(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    print_run(run)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Published valley-usual-1. Hectares by class:"
    assert lines[-1] == "  note: forest to built: 25 ha could not be placed, 2001 to 2004: no more cells"
    assert [line.split() for line in lines[1:-1]] == [
        ["class", "1999", "2019", "change"],
        ["forest", "45,377", "24,732", "-20,646"],
        ["built", "100", "20,746", "+20,646"],
    ]


def test_shortfalls_are_told_by_zone() -> None:
    lost = {"from": "forest", "to": "built", "hectares": 12.5, "cause": "no more cells", "year": 2001}
    lines = summarize_shortfalls([lost | {"zone": "west"}, lost | {"zone": "east"}, lost | {"zone": "west"}])
    assert lines == [
        "forest to built in east: 12 ha could not be placed, 2001 to 2001: no more cells",
        "forest to built in west: 25 ha could not be placed, 2001 to 2001: no more cells",
    ]


def test_comparison_adds_up(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    print_comparison("Valley", [run.area_ha, run.area_ha], ["Usual", "Restore"])
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert rows[-3] == ["forest", "45,377", "24,732", "(-20,646)", "24,732", "(-20,646)"]
    assert rows[-1] == ["all", "45,477", "45,477", "45,477"]


def test_hindcast_beside_guessing(capsys: pytest.CaptureFixture[str]) -> None:
    def agree(hits: int) -> Agreement:
        return Agreement(1000, hits, 0, 100 - hits, 100 - hits, chance=0.9, quantity=0.001, exchange=0.02, shift=0.03)

    legend = Legend.from_json({"nodata": 0, "classes": {"1": "Forest", "2": "Built [up]"}})
    cells = np.zeros((1, 1), np.uint8)
    scores = Hindcast(
        learned_from=(1985, 1991),
        start=1991,
        end=1999,
        central=agree(20),
        drawn=(agree(11), agree(13)),
        neighbourhood=agree(15),
        guessing=agree(10),
        nothing=agree(0),
        by_resolution={name: {1: 0.1, 8: 0.2} for name in ("best map", "members", "neighbourhood only", "guessing")},
        fuzzy={
            name: FuzzySimilarity({1: 0.1, 3: 0.2}, decayed)
            for name, decayed in (("best map", 0.3), ("neighbourhood only", 0.25), ("guessing", 0.2), ("no change", 0))
        },
        transitions=(TransitionAgreement(1, 2, observed=1200, simulated=1000, hits=200),),
        reliability=Reliability(2, (Transition(1, 2),), np.array([[[8000, 0, 1000]]]), np.array([[[100, 0, 900]]])),
        patterns={},
        evidence={},
        notes=("a transition was left out [for lack of cells]",),
        legend=legend,
        observed=cells,
        simulated=cells,
        outcomes=cells,
    )
    print_hindcast(scores)
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == "Learned from 1985 and 1991, projected 1991 to 1999, compared with the map of 1999."
    assert [line.split()[-4:] for line in lines[2:6]] == [
        ["0.111", "0.081", "0.053", "0.000"],
        ["20.0%", "15.0%", "10.0%", "0.0%"],
        ["0.10%"] * 4,
        ["5.00%"] * 4,
    ]
    assert lines[7].split()[-4:] == ["0.300", "0.250", "0.200", "0.000"]
    assert lines[11].split()[-5:] == ["of", "2", "members", "0.100", "0.200"]
    name = scores.name(1, 2)
    assert lines[15].split() == [*name.split(), "1,200", "1,000", "200", "0.100"]
    # Foretold for sure in 1,000 cells, where 900 came; Brier (100 + 100) / 9000 against 1000 / 9000.
    assert lines[16] == (
        "Of the changes that the 2 members called 100% likely, 90% happened. Brier skill against no change: 0.800, "
        "with ever more members 0.800."
    )
    # Of one block alone nothing can be learned elsewhere, so its 9,000 cells are told 1/6 and 5/6; for 1,000 to change,
    # as in the members, odds of 1/5 and 5 are multiplied by 0.277: 0.052 and 0.58.
    assert lines[17] == (
        "Recalibrated by how often such shares came true, in each part of the map by all others: skill 0.617, largest "
        "distance from what happened 15% (with the hectares of the members, as a run tells it, 32%; "
        "members' shares 10%)."
    )
    assert lines[18] == "  note: a transition was left out [for lack of cells]"


def test_error_is_printed_whole(capsys: pytest.CaptureFixture[str]) -> None:
    message = "[red]brackets[/red] and " + "long words " * 40
    print_error(ValueError(message))
    assert capsys.readouterr().err == f"Error: {message}\n"


@contextmanager
def watched_bar(monkeypatch: pytest.MonkeyPatch, **how: Any) -> Iterator[Terminal]:
    """Show a bar on a terminal over the work of the block."""
    terminal = Terminal()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", terminal)
        patch.setenv("TERM", "xterm")
        with progress_bar("Ingesting", 2, **how) as advance:
            advance(1)
            yield terminal


def outlast_patience() -> None:
    """Work until the time has come at which a bar would appear."""
    for timer in threading.enumerate():
        if isinstance(timer, threading.Timer):
            timer.join()


def test_bar_appears_over_work_that_outlasts_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    with watched_bar(monkeypatch, patience_s=0) as terminal:
        outlast_patience()
        assert "Ingesting" in terminal.getvalue()


def test_no_bar_appears_over_shorter_work(monkeypatch: pytest.MonkeyPatch) -> None:
    with watched_bar(monkeypatch, patience_s=3600) as terminal:
        assert terminal.getvalue() == ""
    assert terminal.getvalue() == ""


def test_no_bar_appears_where_none_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    with watched_bar(monkeypatch, shown=False, patience_s=0) as terminal:
        outlast_patience()
    assert terminal.getvalue() == ""


def test_work_inside_other_work_gets_no_bar_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    with watched_bar(monkeypatch, patience_s=0) as terminal:
        with progress_bar("learning", 0, patience_s=0) as advance:
            advance(1)
            outlast_patience()
        assert "Ingesting" in terminal.getvalue()
        assert "learning" not in terminal.getvalue()
    with watched_bar(monkeypatch, patience_s=0) as terminal:
        outlast_patience()
        assert "Ingesting" in terminal.getvalue()


def test_a_log_gets_no_bar(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar("Ingesting", 2, patience_s=0) as advance:
        advance(1)
        outlast_patience()
    assert capsys.readouterr().err == ""
