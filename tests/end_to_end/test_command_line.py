"""From GeoTIFFs to hectares: the commands of the main job, and what they print."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray

from datacommons.commons import Commons
from datacommons.runs.run import Run
from scenarios.validation.hindcast import Hindcast
from tests.end_to_end.conftest import RUN, Job

COMMANDS = ("init", "ingest land cover", "ingest drivers", "layers", "validate", "run", "runs")


@pytest.fixture(scope="module")
def hindcast(commons: Commons, job: Job) -> Hindcast:
    return commons.validate(job.folder / "scenario.yaml")


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_succeeds_without_complaint(job: Job, name: str) -> None:
    outcome = job.outcomes[name]
    assert outcome.code == 0
    assert outcome.out
    assert outcome.err == ""


def test_ingest_tells_what_became_of_each_file(job: Job) -> None:
    told = job.outcomes["ingest land cover"].out.splitlines()
    *told, licence = told
    assert licence.startswith("  note: nobody said on what terms others may use this: say it with --licence")
    assert told == [
        f"landcover_{year}.tif: added land-cover {year} of plum-island, 113,563 cells with data"
        for year in (1985, 1991, 1999)
    ]
    drivers = job.outcomes["ingest drivers"].out
    assert re.findall(r"^(\w+)\.tif: added \1 ", drivers, re.MULTILINE) == ["elevation", "slope", "dist_built_1985"]


def test_layers_lists_them_all(job: Job) -> None:
    rows = [line.split() for line in job.outcomes["layers"].out.splitlines()]
    assert {tuple(row[1:3]) for row in rows if row[1] == "land-cover"} == {
        ("land-cover", "1985"),
        ("land-cover", "1991"),
        ("land-cover", "1999"),
    }
    assert {row[1] for row in rows} >= {"elevation", "slope", "dist_built_1985"}


def printed_scores(out: str) -> dict[str, tuple[float, float]]:
    """Read the table: what was measured, of this model and of pure guessing."""
    rows = re.findall(r"^ (\S.*?)\s{2,}([\d.]+)%?\s+[\d.]+%?\s+([\d.]+)%?\s+[\d.]+%?\s*$", out, re.MULTILINE)
    return {name: (float(model), float(guess)) for name, model, guess in rows}


def test_validate_prints_a_figure_of_merit_above_the_best_existing_tools(job: Job, hindcast: Hindcast) -> None:
    out = job.outcomes["validate"].out
    assert "Learned from 1985 and 1991, projected 1991 to 1999, compared with the map of 1999." in out
    model, guess = printed_scores(out)["figure of merit"]
    assert model >= 0.04
    assert model > 2 * guess
    assert model == pytest.approx(hindcast.central.figure_of_merit, abs=5e-4)
    assert guess == pytest.approx(hindcast.guessing.figure_of_merit, abs=5e-4)


def test_validate_writes_a_page_with_maps(job: Job) -> None:
    page = (job.folder / "validation.html").read_text("utf-8")
    assert "The report with maps: validation.html" in job.outcomes["validate"].out
    told = re.search(r"found <b>(\d+) of every 100</b> places that changed; pure guessing finds (\d+)\.", page)
    assert told is not None
    assert int(told[1]) > 2 * int(told[2]) > 0
    assert page.count('src="data:image/png;base64,') == page.count("src=") == 3


def read(path: Path) -> NDArray[np.uint8]:
    with rasterio.open(path) as dataset:
        cells: NDArray[np.uint8] = dataset.read(1)
    return cells


def test_the_figure_of_merit_is_that_of_the_simulated_map(pie: Path, hindcast: Hindcast) -> None:
    before, after = read(pie / "landcover_1991.tif"), read(pie / "landcover_1999.tif")
    valid = before > 0
    changed, foretold = valid & (after != before), valid & (hindcast.simulated != before)
    hits = changed & foretold & (hindcast.simulated == after)
    figure = hits.sum() / (changed | foretold).sum()
    assert figure >= 0.04
    assert hindcast.central.figure_of_merit == pytest.approx(figure, rel=1e-12)
    np.testing.assert_array_equal(hindcast.simulated > 0, valid)


def test_its_demand_is_markov_of_1985_to_1991(pie: Path, hindcast: Hindcast) -> None:
    table = np.genfromtxt(pie / "demand_1991_1999_B_markov.csv", delimiter=",", names=True)
    expected = [int(table[name][-1]) for name in ("forest", "built", "other")]
    simulated = [int((hindcast.simulated == value).sum()) for value in (1, 2, 3)]
    assert sum(simulated) == sum(expected)
    # Transitions below 20 ha are not modelled, and those of a year are whole cells.
    np.testing.assert_allclose(simulated, expected, atol=30)


def test_run_prints_the_hectares_of_first_and_last_year(job: Job, run: Run) -> None:
    out = job.outcomes["run"].out
    assert f"Published {RUN}." in out
    rows = re.findall(r"^ (\w+)\s+([\d,]+)\s+([\d,]+)\s+([+-][\d,]+)\s*$", out, re.MULTILINE)
    printed = {name: [int(number.replace(",", "")) for number in numbers] for name, *numbers in rows}
    first, last = run.area_ha.loc[1999], run.area_ha.loc[2019]
    assert printed == {
        name: [round(first[name]), round(last[name]), round(last[name] - first[name])] for name in run.area_ha.columns
    }


def test_runs_lists_the_run(job: Job) -> None:
    assert job.outcomes["runs"].out == f"{RUN}\n"
