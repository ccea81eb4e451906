"""The commands of the README on the real data of Plum Island."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import rasterio

import datacommons as dc
from tests.datacommons.conftest import RunCli


@pytest.fixture
def folder(pie: Path, tmp_path: Path) -> Path:
    """Return a folder that holds the files, as a user has them."""
    for path in [*pie.glob("*.tif"), pie / "legend.json"]:
        shutil.copyfile(path, tmp_path / path.name)
    return tmp_path


def test_plum_island_as_written(folder: Path, cli: RunCli) -> None:
    maps = [f"landcover_{year}.tif" for year in (1985, 1991, 1999)]
    drivers = ["elevation.tif", "slope.tif", "dist_built_1985.tif"]
    for command in (
        ["init", "plum-island"],
        ["ingest", *maps, "--collection", "land-cover", "--legend", "legend.json"],
        ["ingest", *drivers, "--collection", "drivers"],
    ):
        outcome = cli(*command, cwd=folder)
        assert (outcome.code, outcome.err) == (0, "")
    with dc.open(folder / "plum-island") as commons:
        landscape = commons.landscape("plum-island")
        assert landscape.title == "Plum Island"
        assert landscape.crs.epsg == 26986
        cube = commons.land_cover("plum-island")
        # Cells by class and year as counted in the data's own description.
        counts = [[int((plane == value).sum()) for value in (1, 2, 3)] for plane in cube.values]
        assert counts == [[49013, 37122, 27428], [47031, 40350, 26182], [45377, 43455, 24731]]
        assert landscape.cell_area_ha == pytest.approx(99.92125984251513 * 99.95485327313365 / 10_000, rel=1e-12)
        for name in ("elevation", "slope", "dist_built_1985"):
            layer = commons.layer("plum-island", name)
            with rasterio.open(folder / f"{name}.tif") as source:
                np.testing.assert_array_equal(layer, source.read(1, masked=True).filled(np.nan))
