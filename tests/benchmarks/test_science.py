"""What `make bench-science` measures: nothing from the future, the right demand, and the metric code as it is."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from scenarios.demand.transitions import Transition
from tests.benchmarks import generated, molusce
from tests.benchmarks.bars import Bench
from tests.benchmarks.plum_island import read_demand
from tests.benchmarks.reference import SHARED, disagree, load_score_maps, score
from tests.benchmarks.science import (
    BEST,
    DRAWN,
    STILL,
    main,
    measure_generated,
    measure_molusce,
    measure_plum_island,
    score_all,
    tabulate,
)
from tests.benchmarks.trials import demanded_change
from tests.scenarios.landscapes import flat_model, projected_grid, random_map, scenario

pytestmark = pytest.mark.long

EDGE = 60

needs_metric_code = pytest.mark.skipif(
    not (SHARED / "tools" / "score_maps.py").is_file(),
    reason="the metric code is not beside the repository (../shared/tools/score_maps.py)",
)


def test_without_the_metric_code_nothing_is_scored(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(tmp_path)
    assert capsys.readouterr().out.splitlines() == [
        "skipped: everything: the metric code is not beside the repository (../shared/tools/score_maps.py)",
        "0 of 0 bars hold",
    ]


def test_data_that_is_absent_is_skipped_and_said(tmp_path: Path) -> None:
    bench = Bench()
    assert measure_plum_island(bench, tmp_path / "pie") == []
    assert measure_molusce(bench, tmp_path / "molusce") == []
    assert str(bench).splitlines() == [
        "skipped: Plum Island: its data is not beside the repository (../shared/data/pie)",
        "skipped: MOLUSCE's example: its data is not beside the repository (../shared/data/molusce)",
        "0 of 0 bars hold",
    ]


@needs_metric_code
def test_a_generated_landscape_is_measured() -> None:
    bench = Bench()
    gaps = measure_generated(bench, {"small frontier": lambda: generated.frontier(EDGE)})
    assert len(gaps) == 5
    assert max(gaps) < 1e-6
    text = str(bench)
    assert "Small frontier: figure of merit and reliability" in text
    assert re.fullmatch(r"[0-3] of 3 bars hold", text.splitlines()[-1])
    assert all(np.isfinite(row.measured) for row in bench.barred)


@needs_metric_code
def test_the_table_tells_what_was_measured_from_what_was_not() -> None:
    scores = score_all("small frontier", generated.frontier(EDGE))
    lines = tabulate(scores, scores).splitlines()
    assert [line.startswith("lulcc, best CLUE-S") and line.endswith("measured elsewhere") for line in lines].count(True)
    (best,) = (line for line in lines if line.startswith(BEST))
    assert best.endswith("measured now")
    assert f"{scores[BEST].figure_of_merit[8]:.3f}" in best
    assert f"{scores[DRAWN].figure_of_merit[32]:.3f}" in lines[-1]
    assert scores[STILL].figure_of_merit[1] == scores[STILL].simulated_change == 0


@pytest.mark.parametrize("name", generated.TRIALS)
def test_the_last_date_is_held_back(name: str) -> None:
    trial = generated.TRIALS[name]()
    assert max(trial.past) == trial.scenario.start == trial.scenario.history[-1]
    assert trial.scenario.end not in trial.past
    assert generated.UNSEEN not in trial.drivers
    np.testing.assert_array_equal(trial.start, trial.past[trial.scenario.start])
    assert (trial.observed != trial.start).any()


def test_half_of_the_blocks_are_held_back() -> None:
    held = molusce.checker((8, 12))
    np.testing.assert_array_equal(held[0], np.repeat([True, False, True, False], 3))
    np.testing.assert_array_equal(held[2], ~held[0])
    assert held.mean() == 0.5


def test_a_demand_in_cells_becomes_hectares(tmp_path: Path) -> None:
    path = tmp_path / "demand.csv"
    path.write_text("year,forest,built\n1991,10,4\n1992,8,6\n", encoding="utf-8")
    assert read_demand(path, projected_grid((4, 4), cell_m=50.0)) == {
        "year": (1991, 1992),
        "forest": (2.5, 2.0),
        "built": (1.0, 1.5),
    }


def test_the_demanded_change_is_that_of_all_years_together() -> None:
    grid = projected_grid((10, 10))
    start = np.full(grid.shape, 1, np.uint8)
    start[:, 8:] = 2
    # Of the 80 % that are forest, 1 - 0.9² change in two years.
    model = flat_model(grid, {Transition(1, 3): 0.1})
    assert demanded_change(model, scenario(years=2), start) == pytest.approx(80 * 0.19)


@needs_metric_code
def test_scores_are_those_of_maps_worked_out_by_hand() -> None:
    initial = np.full((2, 4), 1, np.uint8)
    observed = np.array([[2, 2, 3, 1], [1, 1, 1, 1]], np.uint8)
    simulated = np.array([[2, 1, 2, 2], [1, 1, 1, 1]], np.uint8)
    found = score(initial, observed, [simulated, observed])
    # A hit, a miss, a wrong hit and a false alarm; then three hits.
    assert found.figure_of_merit[1] == pytest.approx((1 / 4 + 1) / 2)
    assert (found.observed_change, found.simulated_change) == (37.5, 37.5)
    assert found.disagreement < 1e-12


@needs_metric_code
@pytest.mark.parametrize("name", ["fom", "kappa_simulation", "simulated_change_pct", "quantity_disagreement_pct", "n"])
def test_a_difference_from_the_metric_code_is_noticed(name: str) -> None:
    initial, observed, simulated = (random_map((40, 40), seed) for seed in range(3))
    found = load_score_maps().evaluate(initial, observed, simulated)
    assert disagree(found, initial, observed, simulated) < 1e-12
    wrong = found | {name: found[name] + 1}
    assert disagree(wrong, initial, observed, simulated) == pytest.approx(0.01 if name.endswith("pct") else 1)


@needs_metric_code
def test_a_transition_that_only_one_side_counts_is_noticed() -> None:
    initial, observed, simulated = (random_map((40, 40), seed) for seed in range(3))
    found = load_score_maps().evaluate(initial, observed, simulated)
    hits = found["per_transition"].pop("1->2")["hits"]
    assert disagree(found, initial, observed, simulated) >= hits > 0
