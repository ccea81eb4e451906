"""NetCDF and Zarr to layers: every cell where it belongs, one variable and one time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import odc.geo.xr  # noqa: F401  (gives arrays the accessor odc)
import pytest
import rasterio
import xarray as xr
from numpy.typing import NDArray

from datacommons.commons import Commons
from tests.datacommons.conftest import GRID, LEGEND, UTM_18N, Cells

ROWS, COLUMNS = 40, 60
VALUES = np.arange(ROWS * COLUMNS, dtype=np.float32).reshape(ROWS, COLUMNS)


def make_dataset(
    cells: NDArray[Any] = VALUES, *, name: str = "rain", crs: str | None = UTM_18N, dims: tuple[str, str] = ("y", "x")
) -> xr.Dataset:
    """Return a dataset on the grid of the valley."""
    y = GRID.f + GRID.e * (np.arange(ROWS) + 0.5)
    x = GRID.c + GRID.a * (np.arange(COLUMNS) + 0.5)
    array = xr.DataArray(cells, dims=dims, coords={dims[0]: y, dims[1]: x}, name=name)
    return (array.odc.assign_crs(crs) if crs else array).to_dataset()


def save(dataset: xr.Dataset, path: Path, **encoding: Any) -> Path:
    """Write a dataset in the format of a name."""
    settings = {str(name): encoding for name in dataset.data_vars}
    if path.suffix == ".zarr":
        dataset.to_zarr(path, encoding=settings, consolidated=False)
    else:
        dataset.to_netcdf(path, encoding=settings, engine="scipy" if path.stem.endswith("3") else "h5netcdf")
    return path


@pytest.mark.parametrize("name", ["rain.nc", "rain3.nc", "rain.zarr"])
def test_cells_come_onto_the_grid(commons: Commons, tmp_path: Path, name: str) -> None:
    dataset = make_dataset()
    dataset["rain"].attrs["units"] = "mm"
    [report] = commons.ingest([save(dataset, tmp_path / name)], collection="drivers", name="rain")
    assert (report.cells, report.notes) == (VALUES.size, ())
    layer = commons.layer("valley", "rain")
    assert layer.attrs["units"] == "mm"
    np.testing.assert_array_equal(layer, VALUES)
    with rasterio.open(commons.locate(report.href)) as cog:
        assert cog.transform == GRID
        assert cog.crs.to_epsg() == 32618


def test_rows_from_the_south_are_turned(commons: Commons, tmp_path: Path) -> None:
    dataset = make_dataset().isel(y=slice(None, None, -1), x=slice(None, None, -1)).transpose("x", "y")
    commons.ingest([save(dataset, tmp_path / "rain.nc")], collection="drivers")
    np.testing.assert_array_equal(commons.layer("valley", "rain"), VALUES)


def test_one_variable_and_one_time(commons: Commons, tmp_path: Path) -> None:
    times = np.array(["2000-01-01", "2000-07-01", "2001-01-01"], "datetime64[ns]")
    rain = make_dataset()["rain"]
    series = xr.concat([rain, rain + 1, rain + 2], xr.Variable("time", times))
    path = save(xr.Dataset({"rain": series, "heat": series * 10}), tmp_path / "climate_1990-2020.nc")
    [report] = commons.ingest([path], collection="drivers", name="heat", variable="heat", time="2000-07")
    np.testing.assert_allclose(commons.layer("valley", "heat"), (VALUES + 1) * 10)
    assert report.layer == "heat"


def test_packed_values_and_nodata(commons: Commons, tmp_path: Path) -> None:
    known = np.where(VALUES % 7 == 0, np.nan, VALUES)
    packed = {"dtype": "int16", "scale_factor": 0.5, "add_offset": 10.0, "_FillValue": np.int16(-99)}
    [report] = commons.ingest(
        [save(make_dataset(known), tmp_path / "rain.nc", **packed)],
        collection="drivers",
    )
    assert report.notes == ("stored values were scaled by 0.5 and shifted by 10",)
    np.testing.assert_allclose(commons.layer("valley", "rain"), known, atol=0.25)


def test_land_cover_of_a_zarr(empty_commons: Commons, tmp_path: Path, land_cover: Cells) -> None:
    path = save(make_dataset(land_cover, name="classes"), tmp_path / "lc_1990.zarr", chunks=(16, 16))
    empty_commons.ingest([path], collection="land-cover", legend=_legend())
    np.testing.assert_array_equal(empty_commons.land_cover("valley")[0], land_cover)


def test_longitudes_need_no_crs(commons: Commons, tmp_path: Path) -> None:
    centres = {"lat": 36.145 - 0.001 * np.arange(20), "lon": 285.0 + 0.001 * np.arange(20)}
    array = xr.DataArray(np.full((20, 20), 7, np.float32), dims=("lat", "lon"), coords=centres, name="rain")
    [report] = commons.ingest([save(array.to_dataset(), tmp_path / "rain.nc")], collection="drivers")
    assert report.notes[0] == "its longitudes and latitudes were taken to be in WGS 84"
    layer = commons.layer("valley", "rain")
    assert set(np.unique(layer.values[~np.isnan(layer)])) == {7}


def test_chunks_that_were_never_written_are_nodata(commons: Commons, tmp_path: Path) -> None:
    path = save(make_dataset(), tmp_path / "rain.zarr", chunks=(20, 60), _FillValue=np.float32(-1))
    (path / "rain" / "c" / "1" / "0").unlink()
    [report] = commons.ingest([path], collection="drivers")
    assert report.notes == ("1 of 2 chunks of rain.zarr were never written: their cells are nodata",)
    layer = commons.layer("valley", "rain")
    np.testing.assert_array_equal(layer[:20], VALUES[:20])
    assert np.isnan(layer[20:]).all()


def _legend() -> Any:
    import datacommons as dc

    return dc.Legend.from_json(LEGEND)
