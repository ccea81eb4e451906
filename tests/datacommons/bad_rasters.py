"""Rasters and legends that mean nothing, or mean harm. Each maker writes one and returns the arguments of an ingest."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import rasterio
import xarray as xr
import zarr

from tests.datacommons.bad_tables import Arguments, Make
from tests.datacommons.conftest import GRID, UTM_18N
from tests.datacommons.test_datasets import VALUES, make_dataset, save

LAND_COVER = ("--collection", "land-cover")
DRIVERS = ("--collection", "drivers")
CLASSES = np.ones((40, 60), np.uint8)


def tiff(path: Path, cells: np.ndarray[Any, Any] = CLASSES, **profile: Any) -> Path:
    """Write a GeoTIFF on the grid of the valley."""
    settings = {"crs": UTM_18N, "transform": GRID, "dtype": cells.dtype} | profile
    height, width = cells.shape
    with rasterio.open(path, "w", driver="GTiff", count=1, height=height, width=width, **settings) as file:
        file.write(cells, 1)
    return path


def hollow(path: Path, side: int, **profile: Any) -> Path:
    """Write a GeoTIFF that says it is large and holds nothing."""
    settings = {"crs": UTM_18N, "transform": GRID, "dtype": "uint8", "SPARSE_OK": True} | profile
    with rasterio.open(path, "w", driver="GTiff", count=1, height=side, width=side, **settings):
        return path


def tiff_bomb(folder: Path) -> Arguments:
    path = hollow(folder / "bomb.tif", 1_000_000, tiled=True, blockxsize=16384, blockysize=16384, bigtiff="yes")
    assert path.stat().st_size < 1_000_000
    return [path, *DRIVERS]


def tiff_bomb_of_a_landscape(folder: Path) -> Arguments:
    path = hollow(folder / "bomb.tif", 200_000, tiled=True, blockxsize=8192, blockysize=8192, bigtiff="yes")
    return [path, *DRIVERS]


def tiff_of_one_block(folder: Path) -> Arguments:
    path = hollow(
        folder / "block.tif",
        30_000,
        tiled=True,
        blockxsize=30_000 // 16 * 16,
        blockysize=30_000 // 16 * 16,
        dtype="float64",
        bigtiff="yes",
    )
    return [path, *DRIVERS]


def netcdf_bomb(folder: Path) -> Arguments:
    with h5py.File(folder / "bomb.nc", "w") as file:
        file.create_dataset("rain", (1_000_000, 1_000_000), "f8", chunks=(4096, 4096))
        for name in ("y", "x"):
            file[name] = np.arange(1_000_000, dtype=np.float64)
            file[name].make_scale(name)
        file["rain"].dims[0].attach_scale(file["y"])
        file["rain"].dims[1].attach_scale(file["x"])
    return [folder / "bomb.nc", *DRIVERS, "--crs", UTM_18N]


def zarr_bomb(folder: Path) -> Arguments:
    path = save(make_dataset(), folder / "bomb.zarr")
    for name, shape, chunks in (
        ("rain", (60_000, 60_000), (60_000, 60_000)),
        ("y", (60_000,), None),
        ("x", (60_000,), None),
    ):
        values = zarr.create_array(
            path / name,
            shape=shape,
            chunks=chunks or shape,
            dtype="f8",
            overwrite=True,
            dimension_names=["y", "x"] if chunks else [name],
        )
        if not chunks:
            values[:] = np.arange(60_000)
    return [path, *DRIVERS, "--crs", UTM_18N]


def a_degenerate_extent(folder: Path) -> Arguments:
    from affine import Affine

    return [tiff(folder / "slope.tif", transform=Affine(0, 0, 500_000, 0, 0, 4_000_000)), *DRIVERS]


def three_hundred_classes(folder: Path) -> Arguments:
    return [tiff(folder / "lc_2010.tif", np.resize(np.arange(1, 301, dtype=np.uint16), (40, 60))), *LAND_COVER]


def decimals_as_classes(folder: Path) -> Arguments:
    return [tiff(folder / "lc_2010.tif", CLASSES * np.float32(1.5)), *LAND_COVER]


def off_the_globe(folder: Path) -> Arguments:
    from affine import Affine

    return [tiff(folder / "slope.tif", transform=Affine(1e9, 0, 1e12, 0, -1e9, 1e12)), *DRIVERS]


def a_pipe(folder: Path) -> Arguments:
    os.mkfifo(folder / "slope.tif")
    return [folder / "slope.tif", *DRIVERS]


def a_device(folder: Path) -> Arguments:
    return [Path("/dev/zero"), *DRIVERS]


def a_link_to_nowhere(folder: Path) -> Arguments:
    (folder / "slope.tif").symlink_to("moved.tif")
    return [folder / "slope.tif", *DRIVERS]


def a_variable_of_a_tiff(folder: Path) -> Arguments:
    return [tiff(folder / "slope.tif"), *DRIVERS, "--variable", "slope"]


def a_year_of_no_calendar(folder: Path) -> Arguments:
    return [tiff(folder / "lc_99.tif"), *LAND_COVER]


def vectors_as_drivers(folder: Path) -> Arguments:
    from tests.datacommons.vector_files import villages, write

    return [write(villages(), folder / "roads.gpkg"), *DRIVERS]


def netcdf_without_coordinates(folder: Path) -> Arguments:
    save(xr.Dataset({"rain": (("y", "x"), VALUES)}), folder / "rain.nc")
    return [folder / "rain.nc", *DRIVERS]


def netcdf_of_unknown_dimensions(folder: Path) -> Arguments:
    save(xr.Dataset({"rain": (("cell", "level"), VALUES)}), folder / "rain.nc")
    return [folder / "rain.nc", *DRIVERS]


def netcdf_without_crs(folder: Path) -> Arguments:
    return [save(make_dataset(crs=None), folder / "rain.nc"), *DRIVERS]


def netcdf_of_several_variables(folder: Path) -> Arguments:
    rain = make_dataset()
    return [save(rain.assign(heat=rain["rain"] * 2), folder / "climate.nc"), *DRIVERS]


def netcdf_without_that_variable(folder: Path) -> Arguments:
    return [save(make_dataset(), folder / "climate.nc"), *DRIVERS, "--variable", "heat"]


def netcdf_of_several_times(folder: Path) -> Arguments:
    return [save(_series(), folder / "rain.nc"), *DRIVERS]


def netcdf_without_that_time(folder: Path) -> Arguments:
    return [save(_series(), folder / "rain.nc"), *DRIVERS, "--time", "1850"]


def netcdf_on_an_uneven_grid(folder: Path) -> Arguments:
    dataset = make_dataset()
    uneven = dataset["y"].values.copy()
    uneven[7] += 11
    return [save(dataset.assign_coords(y=uneven), folder / "rain.nc"), *DRIVERS]


def netcdf_cut_short(folder: Path) -> Arguments:
    path = save(make_dataset(), folder / "rain.nc")
    path.write_bytes(path.read_bytes()[:3000])
    return [path, *DRIVERS]


def netcdf_of_a_single_row(folder: Path) -> Arguments:
    return [save(make_dataset().isel(y=slice(0, 1)), folder / "rain.nc"), *DRIVERS]


def zarr_written_by_half(folder: Path) -> Arguments:
    path = save(make_dataset(np.ones((40, 60), np.int16)), folder / "rain.zarr", chunks=(20, 60))
    (path / "rain" / "c" / "1" / "0").unlink()
    return [path, *DRIVERS]


def zarr_without_metadata(folder: Path) -> Arguments:
    path = save(make_dataset(), folder / "rain.zarr")
    (path / "zarr.json").unlink()
    return [path, *DRIVERS]


def zarr_with_a_broken_chunk(folder: Path) -> Arguments:
    path = save(make_dataset(), folder / "rain.zarr", chunks=(20, 60))
    chunk = path / "rain" / "c" / "1" / "0"
    chunk.write_bytes(chunk.read_bytes()[:40])
    return [path, *DRIVERS]


def legend_with_a_value_twice(folder: Path) -> Arguments:
    return _with_legend(folder, "legend.csv", "code,name\n1,Forest\n1,Wood\n")


def legend_with_a_colour_that_is_none(folder: Path) -> Arguments:
    return _with_legend(folder, "legend.csv", "code,name,colour_hex\n1,Forest,green\n")


def legend_without_codes(folder: Path) -> Arguments:
    return _with_legend(folder, "legend.csv", "class;name\n1;Forest\n")


def legend_in_another_encoding(folder: Path) -> Arguments:
    (folder / "legend.csv").write_bytes("code,name\n1,Äcker\n".encode("latin-1"))
    return [tiff(folder / "lc_2010.tif"), *LAND_COVER, "--legend", folder / "legend.csv"]


def legend_of_no_known_product(folder: Path) -> Arguments:
    return [tiff(folder / "lc_2010.tif"), *LAND_COVER, "--legend", "corine"]


def style_that_is_not_paletted(folder: Path) -> Arguments:
    return _with_legend(folder, "land.qml", '<qgis><rasterrenderer type="singlebandgray"/></qgis>')


def style_cut_short(folder: Path) -> Arguments:
    return _with_legend(folder, "land.qml", "<qgis><rasterrenderer")


def style_that_explodes(folder: Path) -> Arguments:
    steps = "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(12))
    return _with_legend(folder, "land.qml", f'<!DOCTYPE qgis [<!ENTITY a "{"a" * 1000}">{steps}]><qgis>&m;</qgis>')


def _with_legend(folder: Path, name: str, text: str) -> Arguments:
    (folder / name).write_text(text, "utf-8")
    return [tiff(folder / "lc_2010.tif"), *LAND_COVER, "--legend", folder / name]


def _series() -> xr.Dataset:
    rain = make_dataset()["rain"]
    times = np.array(["2000-01-01", "2001-01-01"], "datetime64[ns]")
    return xr.concat([rain, rain + 1], xr.Variable("time", times)).to_dataset()


BOMBS: dict[Make, str] = {
    tiff_bomb: r"bomb.tif says that it has 1,000,000 x 1,000,000 cells, in [\d,]+ bytes: that is no map.*gdalwarp -te",
    tiff_bomb_of_a_landscape: r"bomb.tif says that it has 200,000 x 200,000 cells, in [\d,]+ bytes: that is no map",
    tiff_of_one_block: r"block.tif says that it has 30,000 x 30,000 cells, stored in blocks of 6.7 GiB.*TILED=YES",
    netcdf_bomb: r"bomb.nc says that it has 1,000,000 x 1,000,000 cells, in [\d,]+ bytes: that is no map",
    zarr_bomb: r"bomb.zarr says that it has 60,000 x 60,000 cells, in [\d,]+ bytes: that is no map",
}
CASES: dict[Make, str] = {
    a_degenerate_extent: r"slope.tif has cells of no extent \(0 x 0\).*-a_ullr",
    three_hundred_classes: r"lc_2010.tif has values that the legend does not name: 4 \(.*and 287 more",
    decimals_as_classes: r"lc_2010.tif is no map of classes: it holds decimal numbers, as 1.5",
    off_the_globe: r"no place on the globe.*check its CRS",
    a_pipe: r"slope.tif cannot be ingested: it is no file, but a pipe or a device",
    a_device: r"/dev/zero cannot be ingested: it is no file, but a pipe or a device",
    a_link_to_nowhere: r"slope.tif cannot be ingested: it is a link to moved.tif, which is not there",
    a_variable_of_a_tiff: r"--variable and --time are for NetCDF and Zarr, and slope.tif is neither",
    a_year_of_no_calendar: r"lc_99.tif holds no year.*--year 1999",
    vectors_as_drivers: r"roads.gpkg cannot be read as a GeoTIFF: it is another.*go to --collection vectors",
    netcdf_without_coordinates: r"rain.nc has no coordinates for its dimension 'y'.*give it those of its cell centres",
    netcdf_of_unknown_dimensions: r"rain.nc has no coordinates for y of 'rain': its dimensions are cell, level",
    netcdf_without_crs: r"rain.nc has no coordinate reference system.*--crs EPSG:32618",
    netcdf_of_several_variables: r"climate.nc has several variables.*: rain, heat. Say which, as in --variable rain",
    netcdf_without_that_variable: r"climate.nc has no variable 'heat' with rows and columns; it has: rain",
    netcdf_of_several_times: r"rain.nc has 2 values of 'time' \(2000-01-01T00:00:00 to 2001.*--time 2001-01-01",
    netcdf_without_that_time: r"rain.nc has nothing at time 1850; it has 2: 2000-01-01",
    netcdf_on_an_uneven_grid: r"rain.nc has an uneven 'y': its steps go from -41 to -19.*even grid",
    netcdf_cut_short: r"rain.nc cannot be read as NetCDF.*cut short",
    netcdf_of_a_single_row: r"rain.nc has 1 value of 'y': the size of its cells is not known",
    zarr_written_by_half: r"rain.zarr lacks 1 of the 2 chunks of 'rain'.*written by half",
    zarr_without_metadata: r"rain.zarr cannot be read as Zarr.*written by half",
    zarr_with_a_broken_chunk: r"rain.zarr is damaged: rows from 0 on cannot be read",
    legend_with_a_value_twice: r"Two classes have the value 1: give each class its own",
    legend_with_a_colour_that_is_none: r"Class 'forest' has the colour 'green': write it as \"#rrggbb\"",
    legend_without_codes: r"legend.csv lacks the column 'code'",
    legend_in_another_encoding: r"legend.csv cannot be read: 'utf-8' codec.*Save it as UTF-8",
    legend_of_no_known_product: r"There is no legend corine.*or name a product: cgls-lc100, esa-cci-lc",
    style_that_is_not_paletted: r"land.qml holds no classes \(singlebandgray\).*Paletted/Unique values",
    style_cut_short: r"land.qml is not valid XML",
    style_that_explodes: r"land.qml is not valid XML: limit on input amplification",
}
