"""What a published run holds: its cubes, tables and documents agree with each other and with what was observed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, MutableMapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd
import pytest
import rasterio
import xarray as xr
from pyproj import Transformer
from zarr.core.buffer import Buffer, default_buffer_prototype
from zarr.storage import MemoryStore

from catalog.legend import Legend
from datacommons.commons import Commons
from datacommons.runs.run import Run
from scenarios.spec import load_scenario
from tests.end_to_end.conftest import DRIVERS, LAND_COVER, RUN, Job

YEARS = range(1999, 2020)
MEMBERS = 4


@pytest.fixture(scope="module")
def cells(run: Run) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Return the trajectory, computed."""
    values: np.ndarray[Any, np.dtype[np.uint8]] = run.trajectory.land_cover.values
    return values


def test_the_trajectory_is_lazy_and_labelled(run: Run, commons: Commons) -> None:
    land_cover = run.trajectory.land_cover
    assert land_cover.dims == ("time", "y", "x")
    assert land_cover.dtype == np.uint8
    assert land_cover.chunks is not None
    assert list(land_cover.time.dt.year.values) == list(YEARS)
    assert land_cover.attrs["flag_meanings"] == "forest built other"
    assert list(land_cover.attrs["flag_values"]) == [1, 2, 3]
    landscape = commons.landscape("plum-island")
    assert Legend.from_json(json.loads(land_cover.attrs["legend"])) == landscape.legend
    assert land_cover.odc.geobox == landscape.geobox
    assert landscape.crs.epsg == 26986


def test_it_starts_with_the_observed_map_and_stays_within_it(
    pie: Path, cells: np.ndarray[Any, np.dtype[np.uint8]]
) -> None:
    with rasterio.open(pie / "landcover_1999.tif") as observed:
        np.testing.assert_array_equal(cells[0], observed.read(1))
    assert set(np.unique(cells)) == {0, 1, 2, 3}
    assert ((cells > 0) == (cells[0] > 0)).all()
    assert all((year != before).any() for before, year in pairwise(cells)), "each year changes"


def test_area_ha_is_year_by_class_and_adds_up_the_trajectory(
    run: Run, cells: np.ndarray[Any, np.dtype[np.uint8]]
) -> None:
    area = run.area_ha
    assert isinstance(area, pd.DataFrame)
    assert list(area.index) == list(YEARS)
    assert list(area.columns) == ["forest", "built", "other"]
    cell_ha = 99.92125984251513 * 99.95485327313365 / 10_000
    counted = [[(year == value).sum() * cell_ha for value in (1, 2, 3)] for year in cells]
    np.testing.assert_allclose(area, counted, rtol=1e-6)


def test_probability_is_the_share_of_the_members(run: Run, cells: np.ndarray[Any, np.dtype[np.uint8]]) -> None:
    probability = run.probability.probability
    assert probability.dims == ("time", "class", "y", "x")
    assert probability.chunks is not None
    assert list(probability.time.dt.year.values) == list(YEARS)[1:]
    assert list(probability["class"].values) == [1, 2, 3]
    values = probability.values
    valid = cells[0] > 0
    np.testing.assert_allclose(values.sum(axis=1)[:, valid], 1, rtol=1e-12)
    assert (values[..., ~valid] == 0).all()
    np.testing.assert_allclose(values * MEMBERS, np.rint(values * MEMBERS), atol=1e-9)
    assert ((values > 0) & (values < 1)).any(), "the members differ"


def test_the_chance_is_recalibrated_and_keeps_the_hectares(
    run: Run, cells: np.ndarray[Any, np.dtype[np.uint8]]
) -> None:
    members, chance, inside = run.probability, run.chance, cells[0] > 0
    assert chance.dims == ("time", "class", "y", "x")
    assert chance.chunks is not None
    assert chance.attrs["recalibrated"]
    share, told = members.probability.values, chance.values
    assert np.isnan(told[:, :, ~inside]).all()
    np.testing.assert_allclose(told.sum(axis=1)[:, inside], 1, atol=1e-5)
    for value in (1, 2, 3):
        at = cells[0] == value
        np.testing.assert_allclose(told[..., at].sum(axis=-1, dtype=float), share[..., at].sum(axis=-1), rtol=1e-3)
    # What all four members build is no sure thing, and what none builds is not ruled out; more members mean more.
    forest = cells[0] == 1
    built = [told[-1, 1][forest & np.isclose(share[-1, 1], n / MEMBERS)].mean() for n in range(MEMBERS + 1)]
    assert 0 < built[0] < 0.5 < share[-1, 1][forest].max()
    assert built == sorted(built)
    assert built[-1] < 0.9


def test_agreement_and_entropy_are_those_of_the_probability(
    run: Run, cells: np.ndarray[Any, np.dtype[np.uint8]]
) -> None:
    inside, chance = cells[0] > 0, run.probability.probability.values
    agreement, entropy = run.agreement, run.entropy
    for derived in (agreement, entropy):
        assert derived.dims == ("time", "y", "x")
        assert derived.chunks is not None
        assert np.isnan(derived.values[:, ~inside]).all()
    np.testing.assert_allclose(agreement.values[:, inside], chance.max(axis=1)[:, inside], rtol=1e-12)
    parts = np.where(chance > 0, chance * np.log(np.where(chance > 0, chance, 1)), 0)
    expected = -parts.sum(axis=1) / np.log(3)
    np.testing.assert_allclose(entropy.values[:, inside], expected[:, inside], atol=1e-12)


def test_the_years_of_change_are_projected_ones(run: Run, cells: np.ndarray[Any, np.dtype[np.uint8]]) -> None:
    members = run.probability
    share, first, last = (members[name].values for name in ("change_share", "first_change", "last_change"))
    assert members.first_change.dtype == members.last_change.dtype == np.uint16
    assert members.first_change.attrs["units"] == "year"
    assert members.first_change.dims == members.change_share.dims == ("y", "x")
    np.testing.assert_allclose(share * MEMBERS, np.rint(share * MEMBERS), atol=1e-9)
    assert (share[cells[0] == 0] == 0).all()
    changed = share > 0
    assert changed.any()
    assert not first[~changed].any()
    assert not last[~changed].any()
    assert set(np.unique(first[changed])) <= set(YEARS[1:])
    assert (first <= last).all()
    # A cell that no member changes has the class that it started with in all of them.
    keeps = members.probability.sel({"class": 1}).values[:, (cells[0] == 1) & ~changed]
    assert (keeps == 1).all()


def test_the_members_spread_around_what_they_have_in_common(run: Run) -> None:
    areas = run.areas
    low, median, high, middle = (np.array(areas[key]) for key in ("low_ha", "median_ha", "high_ha", "area_ha"))
    assert low.shape == median.shape == middle.shape == high.shape == (len(YEARS), 3)
    assert (low <= median).all()
    assert (median <= high).all()
    np.testing.assert_array_equal(low[0], middle[0])
    np.testing.assert_array_equal(median[0], middle[0])
    np.testing.assert_array_equal(high[0], middle[0])
    # Each member draws its own rates; they agree to a few per cent after so few years.
    np.testing.assert_allclose(low, middle, rtol=0.05)
    np.testing.assert_allclose(high, middle, rtol=0.05)
    assert (high[-1] > low[-1]).all()
    assert areas["members"] == MEMBERS
    assert areas["observed"]["years"] == [1985, 1991, 1999]


def test_the_tables_say_the_same(run: Run, job: Job) -> None:
    frame = run.indicators
    area = frame[frame["indicator"] == "area"].pivot_table(index="year", columns="class", values="value")
    np.testing.assert_allclose(area[run.area_ha.columns], run.area_ha, rtol=1e-6)
    assert set(frame["unit"]) == {"ha"}
    for column in ("low", "median", "high"):
        quantile = frame.pivot_table(index="year", columns="class", values=column)
        np.testing.assert_allclose(quantile[run.area_ha.columns], run.areas[f"{column}_ha"], atol=1e-4)
    pd.testing.assert_frame_equal(pd.read_csv(job.run_folder / "indicators.csv"), frame, check_dtype=False, rtol=1e-12)


def test_the_yearly_maps_are_the_trajectory(job: Job, cells: np.ndarray[Any, np.dtype[np.uint8]]) -> None:
    maps = sorted((job.run_folder / "maps").iterdir())
    assert [path.name for path in maps] == [f"{year}.tif" for year in list(YEARS)[1:]]
    for path, expected in zip(maps, cells[1:], strict=True):
        with rasterio.open(path) as dataset:
            np.testing.assert_array_equal(dataset.read(1), expected)


def test_the_run_keeps_scenario_score_and_origin(run: Run, job: Job) -> None:
    assert run.scenario == load_scenario(job.folder / "scenario.yaml")
    properties = run.item["properties"]
    assert properties["scenario:hindcast"]["figure_of_merit"] >= 0.04
    assert properties["scenario:hindcast"].items() <= run.validation.items()
    assert (properties["scenario:seed"], properties["scenario:members"]) == (42, MEMBERS)
    assert properties["landscape:synthetic"] is False
    sources = [link["href"] for link in run.item["links"] if link["rel"] == "derived_from"]
    layers = [f"land-cover/items/plum-island-land-cover-{name[10:14]}" for name in LAND_COVER]
    layers += [f"drivers/items/plum-island-{name.removesuffix('.tif')}" for name in DRIVERS]
    assert sorted(sources) == sorted(f"stac/collections/{layer}" for layer in layers)


def test_assets_are_served_whole_and_in_ranges(visitor: httpx.Client, job: Job) -> None:
    item = visitor.get(f"/stac/collections/runs/items/{RUN}").json()
    files = {key: asset for key, asset in item["assets"].items() if "file:checksum" in asset}
    assert set(files) == {
        "areas",
        "changes",
        "hindcast",
        "trajectory-changes",
        "indicators",
        "indicators-csv",
        "scenario",
        "validation",
        "validation-report",
        "model",
    }
    for asset in files.values():
        whole = visitor.get(asset["href"])
        assert whole.status_code == 200
        assert len(whole.content) == asset["file:size"]
        assert asset["file:checksum"] == f"1220{hashlib.sha256(whole.content).hexdigest()}"
        part = visitor.get(asset["href"], headers={"Range": "bytes=10-19"})
        assert part.status_code == 206
        assert part.headers["content-range"] == f"bytes 10-19/{asset['file:size']}"
        assert part.content == whole.content[10:20]


def test_a_point_is_told_the_recalibrated_chance(visitor: httpx.Client, run: Run) -> None:
    chance = run.chance
    moving = run.probability.change_share.where(run.probability.recalibrated_class > 0).argmax(("y", "x"))
    place = {name: int(where) for name, where in moving.items()}
    x, y = (float(run.trajectory[name][place[name]]) for name in ("x", "y"))
    longitude, latitude = Transformer.from_crs(26986, 4326, always_xy=True).transform(x, y)
    told = visitor.get(f"/runs/{RUN}/point/{longitude},{latitude}").json()
    truth = chance.isel(**place)
    assert told["recalibrated"] is True
    np.testing.assert_allclose(np.array(list(told["chance"].values())).T, truth.values, atol=1e-4)
    assert not np.allclose(truth.values, run.probability.probability.isel(**place).values, atol=1e-3)


class ServedFiles(MutableMapping[str, Buffer]):
    """The files below an address, each fetched when it is asked for."""

    def __init__(self, visitor: httpx.Client, address: str) -> None:
        self.visitor, self.address = visitor, address
        self.asked: list[str] = []

    def __getitem__(self, name: str) -> Buffer:
        self.asked.append(name)
        answer = self.visitor.get(f"{self.address}/{name}")
        if answer.status_code == 404:
            raise KeyError(name)
        return default_buffer_prototype().buffer.from_bytes(answer.raise_for_status().content)

    def __setitem__(self, name: str, value: Buffer) -> None:
        raise PermissionError(name)

    def __delitem__(self, name: str) -> None:
        raise PermissionError(name)

    def __iter__(self) -> Iterator[str]:
        raise PermissionError("a server lists no folders")

    def __len__(self) -> int:
        raise PermissionError("a server lists no folders")


@pytest.mark.parametrize(("asset", "variable"), [("trajectory", "land_cover"), ("probability", "probability")])
def test_the_cubes_open_over_http(visitor: httpx.Client, run: Run, asset: str, variable: str) -> None:
    item = visitor.get(f"/stac/collections/runs/items/{RUN}").json()
    files = ServedFiles(visitor, item["assets"][asset]["href"])
    served = xr.open_zarr(MemoryStore(files, read_only=True), consolidated=True, decode_coords="all")
    assert not any(name.startswith(f"{variable}/c/") for name in files.asked), "nothing is read before it is computed"
    local = getattr(run, asset)[variable]
    xr.testing.assert_identical(served[variable].isel(time=-1).compute(), local.isel(time=-1).compute())
    # So small a landscape is one block, which has all its years and classes in one file.
    chunks = {name for name in files.asked if name.startswith(f"{variable}/c/")}
    assert chunks == {f"{variable}/c/" + "/".join("0" * local.ndim)}
