"""Layers on the landscape's grid: every way there, against values worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from affine import Affine
from odc.geo.geobox import GeoBox
from pyproj import Transformer

from datacommons.alignment import align
from datacommons.grids import same_grid
from tests.datacommons.conftest import GRID, UTM_18N, WriteRaster

GEOBOX = GeoBox((4, 6), GRID, UTM_18N)


def test_same_grid_is_read_as_it_is(write_raster: WriteRaster) -> None:
    cells = np.arange(24, dtype=np.uint8).reshape(4, 6)
    aligned = align(write_raster("lc.tif", cells, nodata=5), GEOBOX, classified=True)
    np.testing.assert_array_equal(aligned.data, np.where(cells == 5, 0, cells))
    assert aligned.data.dtype == np.uint8
    assert aligned.report == "read as it is, on the landscape's grid"


def test_measurements_become_float32_with_nan(write_raster: WriteRaster) -> None:
    cells = np.array([[-32768, 1, 2, 3, 4, 5]] * 4, np.int16)
    data = align(write_raster("dem.tif", cells, nodata=-32768), GEOBOX, classified=False).data
    assert data.dtype == np.float32
    np.testing.assert_array_equal(data[0], np.array([np.nan, 1, 2, 3, 4, 5], np.float32))


@pytest.mark.parametrize("classified", [True, False])
def test_shift_by_whole_cells_is_no_resampling(write_raster: WriteRaster, classified: bool) -> None:
    cells = np.arange(1, 25, dtype=np.uint8).reshape(4, 6)
    path = write_raster("lc.tif", cells, transform=GRID @ Affine.translation(2, -1))
    aligned = align(path, GEOBOX, classified=classified)
    missing = 0 if classified else np.nan
    expected = np.full((4, 6), missing, np.float32)
    expected[:3, 2:] = cells[1:, :4]
    np.testing.assert_array_equal(aligned.data, expected)
    assert aligned.report == "read as it is, cut or extended to the landscape's grid"


def test_finer_classes_by_the_most_frequent(write_raster: WriteRaster) -> None:
    cells = np.full((12, 18), 1, np.uint8)
    cells[0:2, 0:3] = 2  # 6 of the 9 cells of the first cell of the grid
    cells[0:1, 3:6] = 2  # 3 of 9 of the second
    cells[0:3, 6:9] = 0  # all of the third is nodata
    cells[0:3, 9:11] = 0  # 6 of 9 of the fourth are nodata, which does not vote
    path = write_raster("lc.tif", cells, nodata=0, transform=GRID @ Affine.scale(1 / 3))
    aligned = align(path, GEOBOX, classified=True)
    assert aligned.data[0].tolist() == [2, 1, 0, 1, 1, 1]
    assert aligned.report == "mode, from EPSG:32618 (10 x 10) to EPSG:32618 (30 x 30)"


def test_finer_measurements_by_the_mean(write_raster: WriteRaster) -> None:
    cells = np.tile(np.array([[1, 2, 3], [4, 5, 6], [7, 8, -9999]], np.float32), (4, 6))
    path = write_raster("dem.tif", cells, nodata=-9999, transform=GRID @ Affine.scale(1 / 3))
    aligned = align(path, GEOBOX, classified=False)
    np.testing.assert_allclose(aligned.data, 4.5)
    assert aligned.report.startswith("average, ")


def test_coarser_classes_by_the_nearest(write_raster: WriteRaster) -> None:
    cells = np.array([[1, 2, 3], [3, 2, 1]], np.uint8)
    aligned = align(write_raster("lc.tif", cells, transform=GRID @ Affine.scale(2)), GEOBOX, classified=True)
    np.testing.assert_array_equal(aligned.data, np.kron(cells, np.ones((2, 2), np.uint8)))
    assert aligned.report.startswith("nearest, ")


def test_coarser_measurements_by_interpolation(write_raster: WriteRaster) -> None:
    # A plane that rises by 10 a coarse cell rises by 5 a cell of the grid.
    cells = np.tile(np.arange(5, dtype=np.float32) * 10, (4, 1))
    transform = GRID @ Affine.translation(-2, -2) @ Affine.scale(2)
    aligned = align(write_raster("dem.tif", cells, transform=transform), GEOBOX, classified=False)
    np.testing.assert_allclose(aligned.data[0], [7.5, 12.5, 17.5, 22.5, 27.5, 32.5])
    assert aligned.report.startswith("bilinear, ")


def test_another_crs_lands_in_the_right_place(write_raster: WriteRaster) -> None:
    # Each cell says its own longitude. A UTM zone's easting of 500,000 m is its central meridian, which is
    # 75 degrees west in zone 18; the northing of 4,000,000 m is about 36.14 degrees north.
    longitudes = -75.01 + 0.0001 * (np.arange(400) + 0.5)
    cells = np.tile(longitudes, (400, 1))
    path = write_raster("lon.tif", cells, crs="EPSG:4326", transform=Affine(0.0001, 0, -75.01, 0, -0.0001, 36.16))
    aligned = align(path, GeoBox((40, 60), GRID, UTM_18N), classified=False)
    to_degrees = Transformer.from_crs(UTM_18N, 4326, always_xy=True)
    expected, _ = to_degrees.transform(500_015 + 30 * np.arange(60), np.full(60, 3_999_985))
    assert aligned.report == "average, from EPSG:4326 (0.0001 x 0.0001) to EPSG:32618 (30 x 30)"
    np.testing.assert_allclose(aligned.data[0], expected, atol=0.0001)
    assert expected[0] == pytest.approx(-75 + 15 / 89_946, abs=1e-6)


def test_a_layer_elsewhere_is_all_missing(write_raster: WriteRaster) -> None:
    path = write_raster("lc.tif", np.ones((4, 6), np.uint8), transform=GRID @ Affine.translation(1000, 0))
    assert not align(path, GEOBOX, classified=True).data.any()


def test_same_grid_forgives_rounding_only() -> None:
    assert same_grid(GEOBOX, GeoBox((4, 6), GRID @ Affine.translation(1e-6, 0), UTM_18N))
    assert not same_grid(GEOBOX, GeoBox((4, 6), GRID @ Affine.translation(0.01, 0), UTM_18N))
    assert not same_grid(GEOBOX, GeoBox((4, 7), GRID, UTM_18N))
    assert not same_grid(GEOBOX, GeoBox((4, 6), GRID, "EPSG:32619"))
