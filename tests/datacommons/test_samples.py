"""Samples: fetched with patience, never half, and made into files that a commons takes as they are."""

from __future__ import annotations

import hashlib
import json
import shlex
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import yaml
from rasterio.crs import CRS

import datacommons as dc
from catalog.legend import Legend
from datacommons.errors import (
    FolderNotEmpty,
    InvalidRaster,
    NotInstalled,
    NotWritten,
    RemoteFailed,
    SampleUnknown,
)
from datacommons.samples import Sample, find_sample, list_samples
from datacommons.samples.fetching import fetch_sample
from datacommons.samples.rda import read_rasters
from scenarios.spec import Scenario
from tests.bounds import files_no_larger_than
from tests.datacommons.archives import HASTY, Archive
from tests.datacommons.conftest import RunCli

RDA = Path(__file__).parent / "sample" / "valley.rda"  # by R itself: see the script beside it
ROWS, COLUMNS = np.mgrid[:40, :60]
MARGIN = ROWS < 2
NORTH_WEST = (213729.92, 915168.11)
SCENARIO = """
id: usual
title: Usual
landscape: valley
start: 2010
years: 2
history: [1990, 2000, 2010]
transitions: {minimum_hectares: 0}
potential: {drivers: [height, distance]}
members: 2
"""


def make_sample(address: str, **changes: Any) -> Sample:
    """Return the sample of the fixture, at an address."""
    rasters: dict[str, Any] = {
        f"cover_{year}": {"file": f"cover_{year}.tif", "title": "land cover", "kind": "land-cover", "year": year}
        for year in (1990, 2000, 2010)
    }
    rasters["height"] = {"file": "height.tif", "title": "height", "kind": "drivers", "unit": "m"}
    rasters["distance"] = {"file": "distance.tif", "title": "distance", "kind": "drivers"}
    legend = {"nodata": 0, "classes": {"1": "Forest", "2": "Built", "3": "Other"}}
    fields = {
        "id": "valley",
        "title": "A valley",
        "landscape": "valley",
        "address": address,
        "checksum": f"md5:{hashlib.md5(RDA.read_bytes()).hexdigest()}",
        "object": "valley",
        "crs": "EPSG:26986",
        "licence": "CC0-1.0",
        "terms": "of nobody",
        "origin": "invented",
        "citation": "Nobody (2020)",
        "status": "",
        "source": "",
        "scenario": SCENARIO,
        "legend": legend,
        "rasters": rasters,
    }
    return Sample.model_validate(fields | changes)


def draw_cover(built: int) -> np.ndarray[Any, Any]:
    cells = np.where(COLUMNS >= 40, 3, 1)
    cells[10:30, :built] = 2
    return np.where(MARGIN, 0, cells)


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    folder = tmp_path / "archive"
    folder.mkdir()
    shutil.copyfile(RDA, folder / "valley.rda")
    return Archive(folder, "none")


@contextmanager
def served(archive: Archive) -> Iterator[Sample]:
    with archive.open() as there:
        yield make_sample(there["api"].replace("/stac", "/data/valley.rda"))


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def list_files(folder: Path) -> list[str]:
    """Return what a folder holds, hidden files too; nothing if it is not there."""
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_all_that_a_commons_is_made_of(archive: Archive, cache: Path, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "valley"
    with served(archive) as sample:
        fetch_sample(sample, folder, cache=cache, patience=HASTY)
    rasters = ["cover_1990.tif", "cover_2000.tif", "cover_2010.tif", "distance.tif", "height.tif"]
    assert list_files(folder) == ["README.md", *rasters, "legend.json", "scenario.yaml"]
    assert list_files(folder.parent) == ["valley"]
    expected = {f"cover_{year}": draw_cover(built) for year, built in ((1990, 10), (2000, 16), (2010, 22))}
    expected["height"] = np.where(MARGIN, -9999, ROWS * 2.5 + COLUMNS * 0.1).astype(np.float32)
    expected["distance"] = np.where(MARGIN, -9999, COLUMNS * 100)
    for name, cells in expected.items():
        classified = name.startswith("cover")
        with rasterio.open(folder / f"{name}.tif") as file:
            np.testing.assert_array_equal(file.read(1), cells)
            assert file.dtypes == ("uint8" if classified else "float32",)
            assert file.nodata == (0 if classified else -9999)
            assert file.crs == CRS.from_epsg(26986)
            assert (file.transform.c, file.transform.f) == NORTH_WEST
            assert file.bounds.right == pytest.approx(219725.20, abs=1e-9)
            assert file.bounds.bottom == pytest.approx(911169.91, abs=1e-9)
            assert file.units == ("m" if name == "height" else None,)
    about = (folder / "README.md").read_text("utf-8")
    assert "Licence: CC0-1.0, of nobody." in about
    assert "Cite: Nobody (2020)" in about


def test_the_next_commands_do_what_they_promise(archive: Archive, cache: Path, tmp_path: Path, cli: RunCli) -> None:
    folder = tmp_path / "my valley"
    with served(archive) as sample:
        fetch_sample(sample, folder, cache=cache, patience=HASTY)
    go, *commands, serve = [shlex.split(line) for line in sample.list_commands(folder)]
    assert (go, serve) == (["cd", str(folder)], ["datacommons", "serve"])
    for program, *arguments in commands:
        outcome = cli(*arguments, cwd=folder)
        assert (program, outcome.code, outcome.err) == ("datacommons", 0, "")
        assert "note: nobody said" not in outcome.out
    with dc.open(folder / "commons") as commons:
        assert commons.runs() == ["valley-usual-1"]
        assert commons.settings.licence == "CC0-1.0"
        layer = next(each for each in commons.layers() if each.name == "height")
        assert layer.unit == "m"


@pytest.mark.parametrize("kind", ["500", "503", "cut"])
def test_what_fails_is_tried_again(archive: Archive, cache: Path, tmp_path: Path, kind: str) -> None:
    archive.fail("valley", kind, 2)
    with served(archive) as sample:
        fetch_sample(sample, tmp_path / "valley", cache=cache, patience=HASTY)
    assert len(archive.requests) == 3
    assert len(list_files(tmp_path / "valley")) == 8
    assert list_files(cache) == ["valley-valley.rda"]


@pytest.mark.parametrize(
    ("kind", "reason"), [("404", "404 Not Found, after 1"), ("500", "500 .*after 5"), ("cut", "connection failed")]
)
def test_what_goes_on_failing_leaves_nothing(
    archive: Archive, cache: Path, tmp_path: Path, kind: str, reason: str
) -> None:
    archive.fail("valley", kind, 99)
    with served(archive) as sample, pytest.raises(RemoteFailed, match=reason) as told:
        fetch_sample(sample, tmp_path / "valley", cache=cache, patience=HASTY)
    assert f"put it at {cache / 'valley-valley.rda'}" in str(told.value)
    assert (list_files(cache), list_files(tmp_path)) == ([], ["archive", "cache"])


def test_other_bytes_are_not_taken(archive: Archive, cache: Path, tmp_path: Path) -> None:
    (archive.folder / "valley.rda").write_text("<html>Log in first</html>")
    with served(archive) as sample, pytest.raises(RemoteFailed, match=r"does not match .*a log-in\?"):
        fetch_sample(sample, tmp_path / "valley", cache=cache, patience=HASTY)
    assert (list_files(cache), list_files(tmp_path)) == ([], ["archive", "cache"])


def test_what_is_in_the_cache_needs_no_network(cache: Path, tmp_path: Path) -> None:
    cache.mkdir()
    shutil.copyfile(RDA, cache / "valley-valley.rda")
    fetch_sample(make_sample("http://127.0.0.1:9/valley.rda"), tmp_path / "valley", cache=cache, patience=HASTY)
    assert len(list_files(tmp_path / "valley")) == 8


def test_a_damaged_file_in_the_cache_is_fetched_anew(archive: Archive, cache: Path, tmp_path: Path) -> None:
    cache.mkdir()
    (cache / "valley-valley.rda").write_bytes(RDA.read_bytes()[:-9])
    with served(archive) as sample:
        fetch_sample(sample, tmp_path / "valley", cache=cache, patience=HASTY)
    assert (cache / "valley-valley.rda").read_bytes() == RDA.read_bytes()


def test_a_folder_that_holds_something_is_left_alone(archive: Archive, cache: Path, tmp_path: Path) -> None:
    folder = tmp_path / "valley"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    with served(archive) as sample, pytest.raises(FolderNotEmpty, match="not empty: name a new or an empty folder"):
        fetch_sample(sample, folder, cache=cache, patience=HASTY)
    assert (list_files(folder), archive.requests) == (["notes.txt"], [])


def test_an_empty_folder_is_filled_and_stays_the_same(cache: Path, tmp_path: Path) -> None:
    cache.mkdir()
    shutil.copyfile(RDA, cache / "valley-valley.rda")
    (folder := tmp_path / "valley").mkdir()
    (link := tmp_path / "link").symlink_to(folder)
    before = folder.stat().st_ino
    fetch_sample(make_sample("http://127.0.0.1:9/valley.rda"), link, cache=cache, patience=HASTY)
    assert (folder.stat().st_ino, len(list_files(folder))) == (before, 8)
    assert list_files(tmp_path) == ["cache", "link", "valley"]


@pytest.mark.parametrize(("size", "where"), [(1000, "cache"), (2500, "valley")])
def test_the_disk_is_full(archive: Archive, cache: Path, tmp_path: Path, size: int, where: str) -> None:
    with served(archive) as sample, files_no_larger_than(size), pytest.raises(NotWritten, match=rf"{where}.*Make room"):
        fetch_sample(sample, tmp_path / "valley", cache=cache, patience=HASTY)
    assert list_files(tmp_path) == ["archive", "cache"]
    assert list_files(cache) == ([] if where == "cache" else ["valley-valley.rda"])


@pytest.mark.parametrize("package", ["pooch", "rdata.parser"])
def test_a_package_is_missing(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    cache.mkdir()
    shutil.copyfile(RDA, cache / "valley-valley.rda")
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(NotInstalled, match=r"pip install 'datacommons\[samples\]'"):
        fetch_sample(make_sample("http://127.0.0.1:9/valley.rda"), tmp_path / "valley", cache=cache)
    assert list_files(tmp_path) == ["cache"]


def test_an_r_file_without_the_list_or_the_raster(cache: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidRaster, match=r"valley.rda has no object 'pie'; it has: valley"):
        read_rasters(RDA, "pie")
    cache.mkdir()
    shutil.copyfile(RDA, cache / "valley-valley.rda")
    rasters = {"slope": {"file": "slope.tif", "title": "slope", "kind": "drivers"}}
    sample = make_sample("http://127.0.0.1:9/valley.rda", rasters=rasters)
    with pytest.raises(InvalidRaster, match=r"lacks slope; it has: cover_1990"):
        fetch_sample(sample, tmp_path / "valley", cache=cache)
    assert list_files(tmp_path) == ["cache"]


@pytest.mark.parametrize("sample", list_samples(), ids=lambda sample: sample.id)
def test_a_sample_is_whole(sample: Sample) -> None:
    assert sample.address.startswith("https://")
    legend = Legend.from_json(sample.legend)
    scenario = Scenario.model_validate(yaml.safe_load(sample.scenario))
    assert scenario.landscape == sample.landscape
    assert list(scenario.history) == sample.years
    assert {f"{name}.tif" for name in scenario.potential.drivers or ()} <= set(sample.files_of("drivers"))
    assert legend.nodata == 0
    assert CRS.from_string(sample.crs).is_projected


def test_plum_island_is_what_lies_beside_the_repository(pie: Path) -> None:
    sample = find_sample("plum-island")
    assert {raster.file for raster in sample.rasters.values()} == {path.name for path in pie.glob("*.tif")}
    assert sample.legend == json.loads((pie / "legend.json").read_text("utf-8"))
    with rasterio.open(pie / "landcover_1985.tif") as file:
        assert file.crs == CRS.from_string(sample.crs)


def test_the_command_lists_and_says_what_is_wrong(cli: RunCli, tmp_path: Path) -> None:
    assert "plum-island" in cli("samples").out
    assert cli("samples", "fetch", "delta").err == "Error: There is no sample 'delta'; there are: plum-island.\n"
    (tmp_path / "plum-island").mkdir()
    (tmp_path / "plum-island" / "notes.txt").touch()
    outcome = cli("samples", "fetch", "plum-island")
    assert (outcome.code, outcome.out) == (2, "")
    assert "name a new or an empty folder with --folder" in outcome.err
    with pytest.raises(SampleUnknown):
        find_sample("../sources/worldpop")


def test_the_command_prints_what_comes_next(capsys: pytest.CaptureFixture[str]) -> None:
    from datacommons.commands.display import print_sample

    sample = find_sample("plum-island")
    print_sample(sample, Path("my folder"))
    lines = capsys.readouterr().out.splitlines()
    assert f"Licence: {sample.licence}, {sample.terms}." in lines
    assert f"Cite: {sample.citation}" in lines
    assert lines[-7:] == [
        "  cd 'my folder'",
        "  datacommons init commons --name 'Plum Island' --landscape plum-island --licence GPL-2.0-or-later",
        "  datacommons ingest landcover_1985.tif landcover_1991.tif landcover_1999.tif "
        "--collection land-cover --legend legend.json",
        "  datacommons ingest elevation.tif slope.tif dist_built_1985.tif --collection drivers",
        "  datacommons validate scenario.yaml",
        "  datacommons run scenario.yaml",
        "  datacommons serve",
    ]
