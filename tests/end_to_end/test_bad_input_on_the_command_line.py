"""Bad input, typed as a user would: one clear message that says how to mend it, and the commons as it was."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.warp import Resampling, calculate_default_transform, reproject

import datacommons as dc
from tests.commands import command
from tests.end_to_end.conftest import SCENARIO, box
from tests.inventory import unchanged

IN_PLACE = box(-71.05, 42.6, -71.0, 42.65)
ELSEWHERE = box(2.2, 48.8, 2.5, 48.9)
LAND_COVER = ("--collection", "land-cover")
DRIVERS = ("--collection", "drivers")
QUICK = (
    SCENARIO.replace("business-as-usual", "quick")
    .replace("years: 20", "years: 2")
    .replace("[1985, 1991, 1999]", "[1985, 1991]")
    .replace("members: 4", "members: 1")
)


@pytest.fixture(scope="module")
def folder(copy_commons: Callable[[], Path], pie: Path) -> Path:
    """Return a user's folder with a commons that no test here changes, and the files it was made of."""
    folder = copy_commons()
    for path in pie.glob("*.tif"):
        shutil.copyfile(path, folder / path.name)
    return folder


def plan(action: str, years: str = "[2005, 2010]") -> str:
    """Return the scenario with one intervention."""
    return f"{SCENARIO}interventions:\n  - id: river-woods\n    years: {years}\n    {action}\n"


def restore(where: str, source: str = "built", target: str = "forest") -> str:
    return plan(f"restore: {{where: {where}, from: [{source}], to: {target}, hectares_per_year: 10}}")


SCENARIOS: dict[str, tuple[str | bytes, str]] = {
    "broken YAML": ("id: [plan\ntitle: x\n", r"is not valid YAML.*line 1"),
    "empty file": ("", r"should hold fields such as 'id: \.\.\.'"),
    "not UTF-8": (SCENARIO.replace("Business", "Gesch\xe4ft").encode("latin-1"), r"UTF-8"),
    "wrong field": (SCENARIO.replace("members", "member"), r"line 9, member: .*check its spelling"),
    "wrong type": (SCENARIO.replace("years: 20", "years: twenty"), r"line 6, years: .*found 'twenty'"),
    "interventions that are none": (SCENARIO + "interventions: 5\n", r"line 10, interventions: .*found 5"),
    "unknown landscape": (SCENARIO.replace("landscape: plum", "landscape: plumb"), r"'plumb-island'.*plum-island"),
    "unknown driver": (SCENARIO.replace("slope", "slopes"), r"'slopes'; it has: dist_built_1985, elevation, slope"),
    "land cover as driver": (SCENARIO.replace("slope", "land-cover"), r"'land-cover'.*potential\.drivers"),
    "year not there": (SCENARIO.replace("1985,", "1975,"), r"1975; plum-island has 1985, 1991, 1999\. Ingest it"),
    "start not there": (SCENARIO.replace("start: 1999", "start: 2001"), r"2001; plum-island has 1985, 1991, 1999"),
    "unknown class": (restore(IN_PLACE, target="meadow"), r"'river-woods'.*'meadow'.*forest, built, other"),
    "unknown source class": (restore(IN_PLACE, source="city"), r"'river-woods'.*'city'.*forest, built, other"),
    "unknown class of a rate": (
        plan("change_rate: {from: forest, to: city, factor: 2}"),
        r"'river-woods'.*'city'.*forest, built, other",
    ),
    "place outside": (restore(ELSEWHERE), r"'river-woods' holds no cell of 'plum-island'.*longitude, latitude"),
    "place without coordinates": (restore("{type: Polygon}"), r"'?river-woods'?|interventions\[0\]"),
    "place that is no GeoJSON": (restore("{north: 42}"), r"'?river-woods'?|interventions\[0\]"),
    "place of words": (
        restore("{type: Polygon, coordinates: [[[a, b], [1, 2], [2, 3], [a, b]]]}"),
        r"'?river-woods'?|interventions\[0\]",
    ),
    "place in a missing file": (restore("woods.geojson"), r"woods\.geojson, which does not exist.*relative"),
    "years outside": (
        plan("change_rate: {from: forest, to: built, factor: 2}", "[1990, 1995]"),
        r"'river-woods' acts 1990 to 1995, outside the projected years 2000 to 2019",
    ),
}


@pytest.mark.parametrize("verb", ["validate", "run"])
@pytest.mark.parametrize("case", SCENARIOS)
def test_scenario_that_cannot_be(folder: Path, case: str, verb: str) -> None:
    text, message = SCENARIOS[case]
    (folder / "plan.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    assert_refused(folder, (verb, "plan.yaml"), message)


@pytest.mark.parametrize("verb", ["validate", "run"])
def test_scenario_that_is_not_there(folder: Path, verb: str) -> None:
    assert_refused(folder, (verb, "plans.yaml"), r"no scenario file plans\.yaml.*Check the name")


def test_a_history_too_short_to_test(folder: Path) -> None:
    (folder / "short.yaml").write_text(QUICK, "utf-8")
    assert_refused(folder, ("validate", "short.yaml"), r"three dates.*\[1985, 1991\].*Add a date")


def assert_refused(folder: Path, arguments: tuple[str, ...], message: str) -> None:
    with unchanged(folder / "plum-island"):
        outcome = command(*arguments, folder=folder)
    assert outcome.code == 2
    assert outcome.out == ""
    assert outcome.err.startswith("Error: ")
    assert "Traceback" not in outcome.err
    assert re.search(message, outcome.err, re.DOTALL), outcome.err


def without_crs(folder: Path) -> tuple[str, ...]:
    with rasterio.open(folder / "slope.tif") as source:
        cells, profile = source.read(), source.profile | {"crs": None}
    with rasterio.open(folder / "wetness.tif", "w", **profile) as target:
        target.write(cells)
    return ("wetness.tif", *DRIVERS)


def corrupt(folder: Path) -> tuple[str, ...]:
    whole = (folder / "slope.tif").read_bytes()
    (folder / "wetness.tif").write_bytes(whole[: len(whole) // 2])
    return ("wetness.tif", *DRIVERS)


def beheaded(folder: Path) -> tuple[str, ...]:
    (folder / "wetness.tif").write_bytes((folder / "slope.tif").read_bytes()[:1000])
    return ("wetness.tif", *DRIVERS)


def missing(folder: Path) -> tuple[str, ...]:
    return ("landcover_2010.tif", *LAND_COVER)


def of_unknown_classes(folder: Path) -> tuple[str, ...]:
    return write_land_cover(folder, lambda cells: np.where(cells == 3, 7, cells))


def all_nodata(folder: Path) -> tuple[str, ...]:
    return write_land_cover(folder, np.zeros_like)


def write_land_cover(folder: Path, change: Callable[[NDArray[np.uint8]], NDArray[np.uint8]]) -> tuple[str, ...]:
    with rasterio.open(folder / "landcover_1999.tif") as source:
        cells, profile = source.read(), source.profile
    with rasterio.open(folder / "landcover_2010.tif", "w", **profile) as target:
        target.write(change(cells))
    return ("landcover_2010.tif", *LAND_COVER)


def bad_after_good(folder: Path) -> tuple[str, ...]:
    shutil.copyfile(folder / "slope.tif", folder / "steepness.tif")
    return ("steepness.tif", *corrupt(folder))


RASTERS: dict[Callable[[Path], tuple[str, ...]], str] = {
    without_crs: r"wetness\.tif has no coordinate reference system.*--crs EPSG:",
    corrupt: r"wetness\.tif .*damaged.*copy it again",
    beheaded: r"wetness\.tif .*damaged",
    missing: r"landcover_2010\.tif cannot be ingested: there is no such file.*Check the spelling",
    of_unknown_classes: r"7 \(24,?731 cells\).*1 forest, 2 built, 3 other",
    all_nodata: r"landcover_2010\.tif is empty: every cell is nodata",
    bad_after_good: r"wetness\.tif .*damaged",
}


@pytest.mark.parametrize("make", RASTERS, ids=lambda make: make.__name__)
def test_raster_that_cannot_be_a_layer(folder: Path, make: Callable[[Path], tuple[str, ...]]) -> None:
    for name in ("wetness.tif", "landcover_2010.tif"):
        (folder / name).unlink(missing_ok=True)
    assert_refused(folder, ("ingest", *make(folder)), RASTERS[make])


def test_a_layer_that_was_damaged_since(copy_commons: Callable[[], Path]) -> None:
    folder = copy_commons()
    (folder / "quick.yaml").write_text(QUICK, "utf-8")
    (layer,) = (folder / "plum-island").rglob("plum-island-slope.tif")
    layer.write_bytes(layer.read_bytes()[:1000])
    with unchanged(folder / "plum-island"):
        outcome = command("run", "quick.yaml", folder=folder)
    assert outcome.code in (1, 2)
    assert outcome.err.startswith("Error: ")
    assert "slope" in outcome.err


def test_more_is_to_be_restored_than_the_place_has(copy_commons: Callable[[], Path]) -> None:
    folder = copy_commons()
    action = f"restore: {{where: {IN_PLACE}, from: [built, other], to: forest, hectares_per_year: 1.0e+6}}"
    text = f"{QUICK}interventions:\n  - id: river-woods\n    years: [2000, 2001]\n    {action}\n"
    (folder / "greedy.yaml").write_text(text, "utf-8")
    outcome = command("run", "greedy.yaml", folder=folder)
    assert outcome.code == 0
    with dc.open(folder / "plum-island") as commons:
        run = commons.open_run("plum-island-quick-1")
        document = json.loads(Path(commons.locate(run.item["assets"]["model"]["href"])).read_text("utf-8"))
    first, second = document["shortfalls"]
    assert [first["year"], second["year"]] == [2000, 2001]
    assert "'river-woods' has no more land to restore in its place" in first["cause"]
    area, total = run.area_ha, run.area_ha.loc[1999].sum()
    assert 900_000 < first["hectares"] < 1_000_000
    assert area.sum(axis=1).tolist() == pytest.approx([total] * 3, rel=1e-9)
    # What one can see of it: the command says so, and does not only write it into a file.
    assert "river-woods" in outcome.out + outcome.err


def test_a_layer_of_another_grid_is_helped_and_reported(copy_commons: Callable[[], Path], pie: Path) -> None:
    folder = copy_commons()
    with rasterio.open(pie / "slope.tif") as source:
        crs = CRS.from_epsg(32619)
        transform, width, height = calculate_default_transform(
            source.crs, crs, source.width, source.height, *source.bounds, resolution=60
        )
        profile = source.profile | {"crs": crs, "transform": transform, "width": width, "height": height}
        with rasterio.open(folder / "slope_utm.tif", "w", **profile) as target:
            reproject(rasterio.band(source, 1), rasterio.band(target, 1), resampling=Resampling.nearest)
    ingested = command("ingest", "slope_utm.tif", *DRIVERS, folder=folder)
    assert ingested.code == 0
    assert re.search(r"note: another grid, .*EPSG:32619.*aligned to .*EPSG:26986", ingested.out)
    (folder / "quick.yaml").write_text(QUICK.replace("slope", "slope_utm"), "utf-8")
    outcome = command("run", "quick.yaml", folder=folder)
    assert (outcome.code, outcome.err) == (0, "")
    assert "Published plum-island-quick-1." in outcome.out


def test_a_class_that_is_absent_at_one_date_is_helped_and_reported(copy_commons: Callable[[], Path], pie: Path) -> None:
    folder = copy_commons()
    with rasterio.open(pie / "landcover_1985.tif") as source:
        cells, profile = source.read(), source.profile
    with rasterio.open(folder / "landcover_1984.tif", "w", **profile) as target:
        target.write(np.where(cells == 3, 1, cells))
    ingested = command("ingest", "landcover_1984.tif", *LAND_COVER, folder=folder)
    assert ingested.code == 0
    assert re.search(r"note: .*other", ingested.out)
    (folder / "quick.yaml").write_text(QUICK.replace("[1985,", "[1984,"), "utf-8")
    outcome = command("run", "quick.yaml", folder=folder)
    assert (outcome.code, outcome.err) == (0, "")
    assert "Published plum-island-quick-1." in outcome.out
