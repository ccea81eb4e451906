"""Pulling from archives: every cell where it belongs, nothing read that is not needed, and failures lived through."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine

import datacommons as dc
from catalog.store import ANONYMOUS
from datacommons.commons import Commons
from datacommons.errors import InvalidIngest, ItemExists, RemoteFailed
from tests.catalog.stac_validation import find_faults
from tests.datacommons.archives import Archive, coarse_classes
from tests.datacommons.conftest import GRID, UTM_18N, RunCli
from tests.inventory import unchanged

CELL = 1 / 360  # degrees: 300 m, as of ESA CCI
WEST, NORTH = -75.05, 36.2
CORNER = Affine(CELL, 0, WEST, 0, -CELL, NORTH)
# Cells 5 to 25 from the north, 4 to 34 from the west, and no further ones.
BBOX = (WEST + 4 * CELL, NORTH - 25 * CELL, WEST + 34 * CELL, NORTH - 5 * CELL)
WINDOW = (slice(5, 25), slice(4, 34))
CCI = "esa-cci-lc"


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    """Return an archive of ESA CCI, 1992 to 1995."""
    folder = tmp_path / "archive"
    folder.mkdir()
    archive = Archive(folder, CCI)
    for year in range(1992, 1996):
        archive.add(f"cci-{year}", coarse_classes(year), CORNER, "EPSG:4326", year, "lccs_class", nodata=0)
    return archive


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Commons]:
    with dc.init(tmp_path / "delta") as commons:
        yield commons


def test_a_new_landscape_on_the_grid_of_the_source(empty: Commons, archive: Archive) -> None:
    with archive.open() as there:
        report = empty.pull(CCI, landscape="delta", years=(1992, 1993), bbox=BBOX, **there)
    assert [(each.year, each.notes[:0]) for each in report.taken] == [(1992, ()), (1993, ())]
    assert empty.landscape("delta").geobox.shape == (20, 30)
    cube = empty.land_cover("delta")
    for place, year in enumerate((1992, 1993)):
        np.testing.assert_array_equal(cube[place], coarse_classes(year)[WINDOW])
    assert empty.landscape("delta").legend.get(190).unccd7 == "Artificial"
    assert not (empty.root / ".pulls").exists()


def test_the_item_says_from_where_and_on_what_terms(empty: Commons, archive: Archive) -> None:
    with archive.open() as there:
        empty.pull(CCI, landscape="delta", years=(1992,), bbox=BBOX, **there)
    item = empty.store.item("land-cover", "delta-land-cover-1992", ANONYMOUS)
    assert find_faults(item) == []
    properties = item["properties"]
    assert (properties["landscape:product"], properties["license"]) == ("ESA CCI land cover", "other")
    assert properties["gsd"] == pytest.approx(280, abs=10)
    origins = [link["href"] for link in item["links"] if link["rel"] == "derived_from"]
    assert origins == [f"{there['api']}/collections/{CCI}/items/cci-1992"]


def test_years_that_are_there_are_passed_over_and_those_that_are_not_are_named(
    empty: Commons, archive: Archive
) -> None:
    with archive.open() as there:
        empty.pull(CCI, landscape="delta", years=(1993,), bbox=BBOX, **there)
        asked = len(archive.requests)
        report = empty.pull(CCI, landscape="delta", years=(1993, 1994, 2001), **there)
    assert (report.passed, report.missing) == ((1993,), (2001,))
    assert [each.year for each in report.taken] == [1994]
    assert not [each for each in archive.requests[asked:] if "1993" in each["path"]]


def test_tiles_of_two_zones_are_put_together_on_the_grid(commons: Commons, tmp_path: Path) -> None:
    folder = tmp_path / "dem"
    folder.mkdir()
    archive = Archive(folder, "cop-dem-glo-30")
    east, north = GRID.c, GRID.f
    # Two tiles of 30 m that meet in the middle of the valley; a third lies elsewhere.
    left, right = np.full((80, 50), 100, np.float32), np.full((80, 70), 200, np.float32)
    archive.add("west", left, Affine(30, 0, east - 600, 0, -30, north + 600), UTM_18N)
    archive.add("east", right, Affine(30, 0, east + 900, 0, -30, north + 600), UTM_18N)
    archive.add("far", right, Affine(30, 0, east + 90_000, 0, -30, north), UTM_18N)
    with archive.open() as there:
        [report] = commons.pull("cop-dem-glo-30", landscape="valley", strip_rows=16, **there).taken
    assert report.layer == "elevation"
    heights = commons.layer("valley", "elevation")
    np.testing.assert_array_equal(heights, np.where(np.arange(60) < 30, 100, 200) * np.ones((40, 1)))
    assert archive.bytes_sent("far") == 0


def test_only_the_window_is_read(empty: Commons, tmp_path: Path) -> None:
    folder = tmp_path / "wide"
    folder.mkdir()
    archive = Archive(folder, CCI)
    noise = np.random.default_rng(0).choice([10, 50, 190, 210], (4000, 4000)).astype(np.uint8)
    archive.add("cci-1992", noise, CORNER, "EPSG:4326", 1992, "lccs_class", nodata=0)
    with archive.open() as there:
        empty.pull(CCI, landscape="delta", years=(1992,), bbox=BBOX, **there)
    np.testing.assert_array_equal(empty.land_cover("delta")[0], noise[WINDOW])
    assert archive.bytes_sent("cci-1992") < (folder / "cci-1992.tif").stat().st_size / 5


def test_fine_classes_are_taken_by_majority_and_clouds_are_no_class(empty: Commons, tmp_path: Path) -> None:
    folder = tmp_path / "io"
    folder.mkdir()
    archive = Archive(folder, "io-lulc-annual-v02")
    cells = np.full((300, 300), 2, np.uint8)
    cells[:, 150:] = 7
    cells[100:110, 100:110] = 10
    archive.add("17S", cells, Affine(10, 0, 500_000, 0, -10, 4_000_000), UTM_18N, 2017, nodata=0)
    box = (-75.0 + 1e-4, 36.12, -74.97, 36.142)
    with archive.open() as there:
        empty.pull("io-lulc-annual", landscape="delta", years=(2017,), bbox=box, **there)
    cube = empty.land_cover("delta")[0]
    seen, counts = np.unique(cube, return_counts=True)
    assert seen.tolist() == [0, 2, 7]
    assert dict(zip(seen.tolist(), counts.tolist(), strict=True))[0] >= 100


FAULTS: dict[str, tuple[dict[str, Any], ...]] = {
    "busy, and says how long": ({"path": r"\.tif", "kind": "429", "times": 3, "retry_after": "0.05"},),
    "broken, of the search": ({"path": "/stac/search", "kind": "500", "times": 2},),
    "broken, of the files": ({"path": r"\.tif", "kind": "503", "times": 3},),
    "cut in the middle": ({"path": r"\.tif", "kind": "cut", "times": 3},),
    "busy, of the links": ({"path": "/sign", "kind": "429", "times": 2, "retry_after": "0"},),
    "links refused": ({"path": r"\.tif", "kind": "403", "times": 2},),
}


@pytest.mark.parametrize("faults", FAULTS.values(), ids=FAULTS)
def test_failures_are_lived_through(empty: Commons, archive: Archive, faults: tuple[dict[str, Any], ...]) -> None:
    archive.signed, archive.faults = True, list(faults)
    with archive.open() as there:
        empty.pull(CCI, landscape="delta", years=(1992,), bbox=BBOX, **there)
    np.testing.assert_array_equal(empty.land_cover("delta")[0], coarse_classes(1992)[WINDOW])
    failed = [each for each in archive.requests if each["status"] not in (200, 206)]
    assert len(failed) == sum(fault["times"] for fault in faults if fault["kind"] != "cut")


def test_links_that_expire_are_signed_anew(empty: Commons, archive: Archive) -> None:
    archive.signed, archive.lifetime_s = True, 0.3
    with archive.open() as there:
        empty.pull(CCI, landscape="delta", years=(1992, 1993, 1994, 1995), bbox=BBOX, **there)
    assert len(empty.land_cover("delta").time) == 4
    assert sum(each["path"] == "/sign" for each in archive.requests) >= 4


def test_a_pull_goes_on_where_it_ended(empty: Commons, tmp_path: Path) -> None:
    folder = tmp_path / "wide"
    folder.mkdir()
    archive = Archive(folder, CCI)
    noise = np.random.default_rng(0).choice([10, 50, 190, 210], (2000, 2000)).astype(np.uint8)
    archive.add("cci-1992", noise, CORNER, "EPSG:4326", 1992, "lccs_class", nodata=0)
    archive.fail(r"1992\.tif", "503", 99, after=4)
    box = (WEST, NORTH - 2000 * CELL, WEST + 2000 * CELL, NORTH)
    options: dict[str, Any] = {"landscape": "delta", "years": (1992,), "bbox": box, "strip_rows": 200}
    with archive.open() as there, pytest.raises(RemoteFailed, match=r"503.*what was taken so far is kept"):
        empty.pull(CCI, **options, **there)
    assert empty.layers() == []
    assert empty.landscapes() == []
    kept = {path: path.stat().st_mtime_ns for path in (empty.root / ".pulls").rglob("rows-*.npy")}
    assert 0 < len(kept) < 10
    before = archive.bytes_sent("cci-1992")
    archive.faults.clear()
    # A try that fails at once leaves the strips as they are.
    away = (folder / "cci-1992.tif").rename(folder / "away.tif")
    with archive.open() as there, pytest.raises(RemoteFailed, match="404"):
        empty.pull(CCI, **options, **there)
    away.rename(folder / "cci-1992.tif")
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    with archive.open() as there:
        empty.pull(CCI, **options, **there)
    np.testing.assert_array_equal(empty.land_cover("delta")[0], noise)
    assert not (empty.root / ".pulls").exists()
    # The strips that were there were not read again.
    assert archive.bytes_sent("cci-1992") - before < (folder / "cci-1992.tif").stat().st_size


REFUSED: dict[str, tuple[str, dict[str, Any], type[Exception], str]] = {
    "an unknown source": ("corine", {}, LookupError, "no source 'corine'; there are: cop-dem-glo-30, esa-cci-lc"),
    "no years": (CCI, {"bbox": BBOX}, InvalidIngest, "has the years 1992 to 2020: say which, as in --years 1992/2020"),
    "years outside": (
        CCI,
        {"bbox": BBOX, "years": (1990, 2000)},
        InvalidIngest,
        "1992 to 2020, and 1990 was asked for",
    ),
    "no place": (CCI, {"years": (1992,)}, InvalidIngest, "no landscape 'delta'. Say where it is to be, as in --bbox"),
    "a box that is none": (CCI, {"years": (1992,), "bbox": (5, 5, 1, 9)}, InvalidIngest, "is no box: give west, south"),
    "drivers of no landscape": ("cop-dem-glo-30", {"bbox": BBOX}, LookupError, "no landscape 'delta'. It has: none"),
    "what has to be fetched by hand": ("worldpop", {}, InvalidIngest, "cannot be pulled. Where its files lie was not"),
    "an unknown asset": ("jrc-gsw", {"asset": "depth"}, LookupError, "no landscape 'delta'"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_is_refused_before_anything_is_asked_for(empty: Commons, case: str) -> None:
    source, options, kind, says = REFUSED[case]
    with unchanged(empty.root), pytest.raises(kind, match=says):
        empty.pull(source, landscape="delta", api="http://127.0.0.1:1/", sign="", **options)


def test_another_legend_is_refused_before_anything_is_asked_for(commons: Commons) -> None:
    with unchanged(commons.root), pytest.raises(ValueError, match="This legend and that of valley differ"):
        commons.pull(CCI, landscape="valley", years=(1992,), api="http://127.0.0.1:1/", sign="")


def test_an_archive_that_is_not_there(empty: Commons) -> None:
    from tests.datacommons.archives import HASTY

    with unchanged(empty.root), pytest.raises(RemoteFailed, match=r"did not answer as one.*Try again later"):
        empty.pull(CCI, landscape="delta", years=(1992,), bbox=BBOX, api="http://127.0.0.1:1/", sign="", patience=HASTY)


def test_a_year_of_another_product_is_not_passed_over(empty: Commons, archive: Archive, tmp_path: Path) -> None:
    own = tmp_path / "lc_1992.tif"
    with rasterio.open(
        own, "w", driver="GTiff", count=1, height=20, width=30, dtype="uint8", crs="EPSG:4326", transform=CORNER
    ) as file:
        file.write(coarse_classes(1992)[WINDOW], 1)
    empty.ingest([own], collection="land-cover", legend=CCI, landscape="delta", new_landscape=True)
    with archive.open() as there, pytest.raises(ItemExists, match="of a product that nobody named: say --replace"):
        empty.pull(CCI, landscape="delta", years=(1992,), **there)


def test_on_the_command_line(empty: Commons, archive: Archive, cli: RunCli) -> None:
    box = ",".join(map(str, BBOX))
    with archive.open() as there:
        options = ("--landscape", "delta", "--api", there["api"], "--sign", "")
        outcome = cli("pull", CCI, *options, "--years", "1992/1993", f"--bbox={box}", "-C", empty.root)
    assert outcome.code == 0, outcome.err
    assert "esa-cci-lc.tif: added land-cover 1992 of delta, 600 cells with data" in outcome.out
    listed = cli("sources")
    assert "esa-cci-lc" in listed.out
    assert "by hand" in listed.out
    wrong = cli("pull", CCI, *options, "--years", "1992-1993", "-C", empty.root)
    assert (wrong.code, wrong.err.count("\n")) == (2, 1)
    assert "--years 1992-1993 is not understood: write 1995/2020" in wrong.err
