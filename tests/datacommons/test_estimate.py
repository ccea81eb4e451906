"""What a run will take: told beforehand, and compared with what one really took."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import datacommons as dc
from datacommons.commands.display import print_estimate
from datacommons.commons import Commons
from datacommons.runs.estimate import Estimate, estimate_run
from datacommons.runs.probe import SAMPLE_MEMBERS, measure_costs
from datacommons.runs.study import Study
from datacommons.runs.survey import survey_history
from scenarios.cluster import Workers
from scenarios.demand.transitions import Transition
from scenarios.errors import HistoryInvalid
from scenarios.scratch import Scratch
from tests.benchmarks.footprint import run_watched
from tests.benchmarks.wide import BUILT, CROP, FOREST, GRASS, WideLandscape
from tests.benchmarks.workloads import make_scenario, prepare, study_of
from tests.datacommons.conftest import RunCli, WriteRaster

pytestmark = pytest.mark.long

EDGE = 1000
GIB = 2**30
ESTIMATE = Estimate(
    landscape="valley",
    cells=1_000_000,
    classes=4,
    transitions=3,
    drivers=5,
    members=10,
    years=20,
    threads=2,
    memory_bytes={"learning": GIB // 2, "projecting": 3 * GIB // 2},
    disk_bytes={"maps": GIB, "trajectory": GIB, "documents": 2**19},
    seconds={"learning": 7.25, "projecting": 7200.0},
    free_memory_bytes=2 * GIB,
    free_disk_bytes=8 * GIB,
)


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a commons of a million cells."""
    folder = tmp_path_factory.mktemp("wide")
    prepare(folder, EDGE)
    return folder


@pytest.mark.parametrize(("members", "rule"), [(6, "cells"), (1, "patches")])
def test_memory_and_disk_are_those_of_the_run(wide: Path, members: int, rule: str) -> None:
    changes: dict[str, Any] = {"members": members, "allocation": {"rule": rule}, "years": 12}
    scenario = make_scenario(WideLandscape(EDGE).name, **changes)
    with dc.open(wide / "commons") as commons:
        told = commons.plan(scenario)
        assert told.transitions == 4
        file = wide / "scenario.yaml"
        file.write_text(scenario.to_yaml(), "utf-8")
        arguments = ("run", str(file), "--commons", str(wide / "commons"))
        ended = run_watched([sys.executable, "-m", "datacommons.cli", *arguments], 16 * GIB)
        assert ended.code == 0, ended.errors
        item = commons.open_run(commons.runs()[-1]).item
    folder = wide / "commons" / Path(item["assets"]["scenario"]["href"]).parent
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    assert 1 / 1.33 < told.peak_memory_bytes / ended.peak_bytes < 1.33
    published = sum(each for what, each in told.disk_bytes.items() if "until" not in what)
    assert 1 / 1.25 < published / size < 1.25


def test_a_survey_by_stripes_finds_what_the_whole_map_shows(wide: Path) -> None:
    with dc.open(wide / "commons") as commons:
        study = study_of(commons, make_scenario(WideLandscape(EDGE).name))
        survey = survey_history(study, 300)
        before, after = study.history.values()
    found = {(FOREST, CROP), (FOREST, GRASS), (CROP, BUILT), (GRASS, CROP)}
    assert set(survey.transitions) == {Transition(*pair) for pair in found}
    changed = before != after
    tiles = {
        (row, column): changed[row : row + 300, column : column + 300].sum()
        for row in range(0, EDGE, 300)
        for column in range(0, EDGE, 300)
    }
    row, column = (min(place, EDGE - 300) for place in max(tiles, key=lambda place: tiles[place]))
    assert survey.sample == study.landscape.geobox[row : row + 300, column : column + 300]


def test_a_landscape_smaller_than_a_tile_is_its_own_sample(changing: Study) -> None:
    assert survey_history(changing, 1024).sample == changing.landscape.geobox


@pytest.fixture
def changing(commons: Commons) -> Study:
    """Return a scenario of the valley, in which a square of forest was built on."""
    return Study.of(commons, make_valley(), threads=1, chunk=None, progress=False)


def make_valley(**changes: Any) -> dc.Scenario:
    plain = {"id": "usual", "title": "Usual", "landscape": "valley", "start": 2000, "history": (1990, 2000), "years": 4}
    return dc.Scenario.model_validate(plain | {"transitions": {"minimum_hectares": 1}} | changes)


def test_more_of_it_takes_more(changing: Study) -> None:
    def tell(**changes: Any) -> Estimate:
        return estimate_run(replace(changing, scenario=make_valley(**changes)))

    plain, longer, many = tell(members=1), tell(members=1, years=8), tell(members=8)
    assert plain.peak_memory_bytes < longer.peak_memory_bytes
    assert plain.disk_bytes["maps"] < longer.disk_bytes["maps"]
    assert plain.disk_bytes["probability"] <= many.disk_bytes["probability"]
    # 2400 cells: four years of three classes, a byte each.
    assert longer.memory_bytes["projecting"] - plain.memory_bytes["projecting"] == 2400 * 4 * 3


def test_what_memory_does_not_hold_lies_on_the_disk(changing: Study) -> None:
    aside = "arrays, until the run is published"
    roomy = estimate_run(changing)
    assert aside not in roomy.disk_bytes
    scratch = Scratch(40_000, changing.commons.root)
    tight = estimate_run(replace(changing, workers=Workers(1, scratch=scratch)))
    held = {what: roomy.memory_bytes[what] - tight.memory_bytes[what] for what in roomy.memory_bytes}
    assert held["projecting"] > 0
    # What pages of files may take is held besides.
    assert tight.disk_bytes[aside] == max(held.values()) + 10_000
    assert tight.total_disk_bytes - roomy.total_disk_bytes == pytest.approx(tight.disk_bytes[aside], abs=2000)


def test_three_dates_are_tested_on_the_last(commons: Commons, write_raster: WriteRaster) -> None:
    later = commons.land_cover("valley", [2000]).to_numpy()[0]
    later[30:35, 10:25] = 2
    commons.ingest([write_raster("lc_2010.tif", later, nodata=0)], collection="land-cover")
    two, three = (commons.plan(make_valley(start=2010, history=dates)) for dates in ((1990, 2000), (1990, 2000, 2010)))
    assert "testing on the last date" not in two.seconds
    assert three.seconds["testing on the last date"] > three.seconds["learning"]
    assert three.total_seconds == sum(three.seconds.values())


def test_a_sample_is_read_and_written_aside(changing: Study) -> None:
    before = sorted(changing.commons.root.rglob("*"))
    costs = measure_costs(changing, changing.landscape.geobox)
    assert costs.transitions == 1
    assert min(costs.map_bytes, costs.trajectory_bytes, *costs.probability_bytes) > 0
    assert SAMPLE_MEMBERS > 1
    assert sorted(changing.commons.root.rglob("*")) == before
    assert changing.commons.runs() == []


def test_plans_and_places_outside_the_sample_do_not_matter(changing: Study) -> None:
    where = {"type": "Polygon", "coordinates": [[[-75.0, 36.1], [-74.99, 36.1], [-74.99, 36.14], [-75.0, 36.1]]]}
    plan = {"id": "keep", "years": (2001, 2004), "protect": {"where": where, "classes": ["forest"]}}
    scenario = make_valley(interventions=[plan])
    part = changing.landscape.geobox[0:40, 0:30]
    assert measure_costs(replace(changing, scenario=scenario), part).transitions == 1


def test_nothing_that_changed_is_a_clear_error(changing: Study) -> None:
    scenario = make_valley(transitions={"minimum_hectares": 500})
    with pytest.raises(HistoryInvalid, match=r"No class changed by 500 ha or more between 1990 and 2000"):
        estimate_run(replace(changing, scenario=scenario))


def test_what_the_machine_lacks_is_said() -> None:
    assert ESTIMATE.obstacles == ()
    poor = replace(ESTIMATE, free_memory_bytes=GIB, free_disk_bytes=GIB)
    memory, disk = poor.obstacles
    assert memory.startswith("the run needs about 1.5 GiB of memory, and 1.0 GiB are free: close other programs")
    assert disk.startswith("the run needs about 2.0 GiB of disk, and 1.0 GiB are free: make room")


def test_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    print_estimate(replace(ESTIMATE, free_memory_bytes=GIB))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == ("valley: cells 1,000,000, classes 4, transitions 3, drivers 5, members 10, years 20, threads 2")
    rows = [" ".join(line.split()) for line in lines]
    assert "memory, peak 1.5 GiB 1.0 GiB free" in rows
    assert "disk 2.0 GiB 8.0 GiB free" in rows
    assert "documents 0.5 MiB" in rows
    assert "time 2.0 h if nothing else runs" in rows
    assert "learning 7.2 s" in rows
    assert rows[-1].startswith("note: the run needs about 1.5 GiB of memory")


def test_the_command(commons: Commons, cli: RunCli, tmp_path: Path) -> None:
    (tmp_path / "scenario.yaml").write_text(make_valley().to_yaml(), "utf-8")
    outcome = cli("plan", tmp_path / "scenario.yaml", "--threads", "1", cwd=commons.root)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith("valley: cells 2,400, classes 3, transitions 1, drivers 0, members 10, years 4, thr")
    assert np.all([commons.runs() == [], not list(commons.root.glob(".staging-*"))])
