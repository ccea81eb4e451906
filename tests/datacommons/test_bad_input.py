"""Bad input: one clear message, exit code 2, and a commons that is exactly as it was."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from affine import Affine
from rasterio.errors import NotGeoreferencedWarning

from datacommons.commons import Commons
from tests.bounds import bounded
from tests.datacommons.conftest import FOREST, GRID, RunCli, WriteRaster
from tests.inventory import unchanged

Cells = np.ndarray[Any, np.dtype[np.uint8]]
Case = Callable[[WriteRaster, Cells], list[str | Path]]

LAND_COVER = ("--collection", "land-cover")
DRIVERS = ("--collection", "drivers")


def no_crs(write: WriteRaster, cells: Cells) -> list[str | Path]:
    return [write("lc_2010.tif", cells, crs=None), *LAND_COVER]


def wrong_crs(write: WriteRaster, cells: Cells) -> list[str | Path]:
    return [write("lc_2010.tif", cells), *LAND_COVER, "--crs", "EPSG:26986"]


def nonsense_crs(write: WriteRaster, cells: Cells) -> list[str | Path]:
    return [write("lc_2010.tif", cells, crs=None), *LAND_COVER, "--crs", "utm18"]


def no_position(write: WriteRaster, cells: Cells) -> list[str | Path]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        return [write("lc_2010.tif", cells, transform=Affine.identity()), *LAND_COVER]


def unknown_classes(write: WriteRaster, cells: Cells) -> list[str | Path]:
    cells[5, :7] = 9
    cells[6, 0] = 77
    return [write("lc_2010.tif", cells), *LAND_COVER]


def a_class_as_nodata(write: WriteRaster, cells: Cells) -> list[str | Path]:
    return [write("lc_2010.tif", cells, nodata=3), *LAND_COVER]


def all_nodata(write: WriteRaster, cells: Cells) -> list[str | Path]:
    return [write("lc_2010.tif", np.zeros_like(cells), nodata=0), *LAND_COVER]


def all_nan(write: WriteRaster, cells: Cells) -> list[str | Path]:
    return [write("slope.tif", np.full(cells.shape, np.nan, np.float32)), *DRIVERS]


def missing_file(write: WriteRaster, cells: Cells) -> list[str | Path]:
    return [write("lc_2010.tif", cells).with_name("lc_2011.tif"), *LAND_COVER]


def a_folder(write: WriteRaster, cells: Cells) -> list[str | Path]:
    return [write("lc_2010.tif", cells).parent, *LAND_COVER]


def truncated(write: WriteRaster, cells: Cells) -> list[str | Path]:
    noise = np.random.default_rng(0).random((400, 600), np.float32)
    path = write("slope.tif", noise)
    path.write_bytes(path.read_bytes()[:500_000])
    return [path, *DRIVERS]


def beheaded(write: WriteRaster, cells: Cells) -> list[str | Path]:
    path = write("slope.tif", cells)
    path.write_bytes(path.read_bytes()[:100])
    return [path, *DRIVERS]


def text_as_tif(write: WriteRaster, cells: Cells) -> list[str | Path]:
    path = write("slope.tif", cells)
    path.write_text("<html>404 Not Found</html>")
    return [path, *DRIVERS]


def empty_file(write: WriteRaster, cells: Cells) -> list[str | Path]:
    path = write("slope.tif", cells)
    path.write_bytes(b"")
    return [path, *DRIVERS]


def decimals(write: WriteRaster, cells: Cells) -> list[str | Path]:
    return [write("lc_2010.tif", cells.astype(np.float32) * 0.75), *LAND_COVER]


def complex_numbers(write: WriteRaster, cells: Cells) -> list[str | Path]:
    return [write("slope.tif", cells.astype(np.complex64)), *DRIVERS]


def three_bands(write: WriteRaster, cells: Cells) -> list[str | Path]:
    return [write("lc_2010.tif", np.stack([cells] * 3)), *LAND_COVER]


def band_out_of_range(write: WriteRaster, cells: Cells) -> list[str | Path]:
    return [write("lc_2010.tif", cells), *LAND_COVER, "--band", "2"]


def absent_legend(write: WriteRaster, cells: Cells) -> list[str | Path]:
    return [write("lc_2010.tif", cells), *LAND_COVER, "--legend", "legends.json"]


def broken_legend(write: WriteRaster, cells: Cells) -> list[str | Path]:
    path = write("lc_2010.tif", cells)
    (path.parent / "broken.json").write_text('{"nodata": 0, "classes": {"1": "Forest"')
    return [path, *LAND_COVER, "--legend", path.parent / "broken.json"]


def another_legend(write: WriteRaster, cells: Cells) -> list[str | Path]:
    path = write("lc_2010.tif", cells)
    (path.parent / "other.json").write_text('{"nodata": 0, "classes": {"1": "Built", "2": "Forest", "3": "Other"}}')
    return [path, *LAND_COVER, "--legend", path.parent / "other.json"]


def no_year(write: WriteRaster, cells: Cells) -> list[str | Path]:
    return [write("landcover.tif", cells), *LAND_COVER]


def two_years(write: WriteRaster, cells: Cells) -> list[str | Path]:
    return [write("lc_1990_2010.tif", cells), *LAND_COVER]


def too_few_years(write: WriteRaster, cells: Cells) -> list[str | Path]:
    return [write("a.tif", cells), write("b.tif", cells), *LAND_COVER, "--year", "2010"]


def twins(write: WriteRaster, cells: Cells) -> list[str | Path]:
    return [write("a_2010.tif", cells), write("b_2010.tif", cells), *LAND_COVER]


def elsewhere(write: WriteRaster, cells: Cells) -> list[str | Path]:
    return [write("slope.tif", cells, transform=GRID @ Affine.translation(5000, 0)), *DRIVERS]


def unknown_landscape(write: WriteRaster, cells: Cells) -> list[str | Path]:
    return [write("slope.tif", cells), *DRIVERS, "--landscape", "vally"]


def same_landscape_anew(write: WriteRaster, cells: Cells) -> list[str | Path]:
    return [write("lc_2010.tif", cells), *LAND_COVER, "--landscape", "valley", "--new-landscape"]


def nameless_landscape(write: WriteRaster, cells: Cells) -> list[str | Path]:
    return [write("lc_2010.tif", cells), *LAND_COVER, "--new-landscape"]


def misnamed_landscape(write: WriteRaster, cells: Cells) -> list[str | Path]:
    return [write("lc_2010.tif", cells), *LAND_COVER, "--landscape", "../Delta", "--new-landscape"]


def unknown_collection(write: WriteRaster, cells: Cells) -> list[str | Path]:
    return [write("lc_2010.tif", cells), "--collection", "landcover"]


def name_for_two(write: WriteRaster, cells: Cells) -> list[str | Path]:
    return [write("a.tif", cells), write("b.tif", cells), *DRIVERS, "--name", "slope"]


def version_of_nothing(write: WriteRaster, cells: Cells) -> list[str | Path]:
    return [write("lc_2010.tif", cells), *LAND_COVER, "--product-version", "8"]


def driver_called_land_cover(write: WriteRaster, cells: Cells) -> list[str | Path]:
    return [write("land-cover.tif", cells), *DRIVERS]


def item_exists(write: WriteRaster, cells: Cells) -> list[str | Path]:
    return [write("lc_1990.tif", cells), *LAND_COVER]


def one_bad_among_good(write: WriteRaster, cells: Cells) -> list[str | Path]:
    return [write("lc_2010.tif", cells), write("lc_2011.tif", cells + 3), *LAND_COVER]


CASES: dict[Case, str] = {
    no_crs: r"lc_2010.tif has no coordinate reference system.*--crs EPSG:32618",
    wrong_crs: r"says its CRS is EPSG:32618, and --crs says EPSG:26986.*gdal_edit.py -a_srs",
    nonsense_crs: r"--crs utm18 is not a known CRS.*EPSG:32618",
    no_position: r"lc_2010.tif does not say where it lies.*gdal_edit.py -a_ullr",
    unknown_classes: r"9 \(7 cells\), 77 \(1 cell\).*legend has 0 nodata, 1 forest, 2 built, 3 other.*Add the classes",
    a_class_as_nodata: r"declares 3 as nodata, and the legend says it is 'other'.*-a_nodata 0",
    all_nodata: r"lc_2010.tif is empty: every cell is nodata \(0\).*Check",
    all_nan: r"slope.tif is empty: every cell is nodata \(NaN\)",
    missing_file: r"lc_2011.tif cannot be ingested: there is no such file in .*Check the spelling",
    a_folder: r"cannot be ingested: it is a folder",
    truncated: r"slope.tif is damaged: rows from \d+ on cannot be read.*copy or download it again",
    beheaded: r"slope.tif cannot be read as a GeoTIFF: it begins as a TIFF but is damaged",
    text_as_tif: r"slope.tif cannot be read as a GeoTIFF: it is another kind of file.*gdal_translate",
    empty_file: r"slope.tif cannot be read as a GeoTIFF: it is empty",
    decimals: r"holds decimal numbers, as 0.75, .*classes are whole numbers.*--collection drivers",
    complex_numbers: r"slope.tif holds complex64 values",
    three_bands: r"lc_2010.tif has 3 bands and a layer is one.*--band 1",
    band_out_of_range: r"lc_2010.tif has no band 2: it has 1",
    absent_legend: r"There is no legend legends.json.*write one",
    broken_legend: r"broken.json is not valid JSON",
    another_legend: r"differ in 1 built, 1 forest, 2 built, 2 forest.*leave out --legend",
    no_year: r"landcover.tif holds no year.*--year 1999",
    two_years: r"holds the years 1990, 2010.*--year",
    too_few_years: r"number of files is 2 and of years 1",
    twins: r"a_2010.tif, b_2010.tif would all become valley-land-cover-2010",
    elsewhere: r"slope.tif does not touch valley: it lies at -73.*the landscape at -75.*--landscape",
    unknown_landscape: r"no landscape 'vally'; it has: valley",
    same_landscape_anew: r"has a landscape 'valley' already: leave out --new-landscape",
    nameless_landscape: r"--new-landscape needs its name",
    misnamed_landscape: r"'../Delta' cannot name a landscape.*as in 'delta'",
    unknown_collection: r"no collection 'landcover' to ingest into: --collection is land-cover",
    name_for_two: r"--name names the layer of a single driver",
    version_of_nothing: r"--product-version 8 needs the name of the product: add --product",
    driver_called_land_cover: r"cannot be called 'land-cover'.*--name",
    item_exists: r"has valley-land-cover-1990 in land-cover already: say --replace",
    one_bad_among_good: r"lc_2011.tif has values that the legend does not name: 4 \(.* cells\)",
}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_bad_input(case: Case, commons: Commons, write_raster: WriteRaster, land_cover: Cells, cli: RunCli) -> None:
    arguments = case(write_raster, land_cover)
    with unchanged(commons.root), bounded():
        outcome = cli("ingest", "-C", commons.root, *arguments)
    assert outcome.code == 2
    assert outcome.out == ""
    assert outcome.err.startswith("Error: ")
    assert outcome.err.count("\n") == 1
    assert re.search(CASES[case], outcome.err)


def test_first_land_cover_needs_a_legend(
    empty_commons: Commons, write_raster: WriteRaster, land_cover: Cells, cli: RunCli
) -> None:
    with unchanged(empty_commons.root):
        outcome = cli("ingest", "-C", empty_commons.root, write_raster("lc_1990.tif", land_cover), *LAND_COVER)
    assert outcome.code == 2
    assert "needs a legend" in outcome.err
    assert "--legend legend.json" in outcome.err


def test_drivers_need_land_cover_first(
    empty_commons: Commons, write_raster: WriteRaster, land_cover: Cells, cli: RunCli
) -> None:
    with unchanged(empty_commons.root):
        outcome = cli("ingest", "-C", empty_commons.root, write_raster("slope.tif", land_cover), *DRIVERS)
    assert outcome.code == 2
    assert "no land cover yet" in outcome.err


def test_failing_first_land_cover_creates_no_landscape(
    empty_commons: Commons,
    write_raster: WriteRaster,
    land_cover: Cells,
    legend_file: Path,
    cli: RunCli,
) -> None:
    rotated = write_raster("lc_1990.tif", land_cover, transform=GRID @ Affine.rotation(10))
    with unchanged(empty_commons.root):
        outcome = cli("ingest", "-C", empty_commons.root, rotated, *LAND_COVER, "--legend", legend_file)
    assert outcome.code == 2
    assert "rotated" in outcome.err
    assert empty_commons.landscapes() == []


@pytest.mark.parametrize("command", [["layers"], ["runs"], ["ingest", "a.tif", *DRIVERS], ["serve"]])
def test_not_a_commons(tmp_path: Path, cli: RunCli, command: list[str]) -> None:
    (tmp_path / "plain").mkdir()
    outcome = cli(*command, "-C", "plain")
    assert outcome.code == 2
    assert "is not a commons: the folder has no commons.toml" in outcome.err
    assert list((tmp_path / "plain").iterdir()) == []


def test_python_raises_the_same_as_standard_errors(commons: Commons, write_raster: WriteRaster) -> None:
    with pytest.raises(LookupError, match="no landscape 'moor'"):
        commons.landscape("moor")
    with pytest.raises(LookupError, match="valley has no layer 'slop'; it has: none"):
        commons.layer("valley", "slop")
    with pytest.raises(LookupError, match=r"read it with commons\.land_cover"):
        commons.layer("valley", "land-cover")
    with pytest.raises(LookupError, match="valley has land cover of 1990, 2000, and 1995 was asked for"):
        commons.land_cover("valley", [1990, 1995])
    with pytest.raises(FileNotFoundError, match=r"absent.tif"):
        commons.ingest(["absent.tif"], collection="drivers")
    with pytest.raises(ValueError, match="No file was named"):
        commons.ingest([], collection="drivers")
    with pytest.raises(ValueError, match="has 2 bands"):
        commons.ingest([write_raster("x.tif", np.full((2, 40, 60), FOREST, np.uint8))], collection="drivers")
