"""Overviews of classes: as GDAL makes them, and as the definition says."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from rasterio.enums import Resampling

from catalog.legend import Legend
from datacommons.cogs import write_map
from datacommons.overviews import TILE, make_overviews

LEGEND = Legend.from_json({"nodata": 0, "classes": {"1": "Forest", "2": "Built", "3": "Crop"}})


def patchy(shape: tuple[int, int], seed: int = 0) -> NDArray[np.uint8]:
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 4, (shape[0] // 3 + 1, shape[1] // 3 + 1), dtype=np.uint8)
    cells = np.kron(coarse, np.ones((3, 3), np.uint8))[: shape[0], : shape[1]]
    return np.where(rng.random(shape) < 0.2, rng.integers(0, 4, shape, dtype=np.uint8), cells)


def vote(cells: list[int]) -> int:
    """Return what most have, in the order of reading; nodata only where there is nothing else."""
    counted = Counter[int]()
    seen = [cell for cell in cells if cell]
    most = max(Counter(seen).values(), default=0)
    for cell in seen:
        counted[cell] += 1
        if counted[cell] == most:
            return cell
    return 0


@given(arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=9), elements=st.integers(0, 3)))
@settings(max_examples=100, deadline=None)
def test_a_cell_has_the_class_that_most_cells_under_it_have(small: NDArray[np.uint8]) -> None:
    classes = np.zeros((TILE + small.shape[0], small.shape[1]), np.uint8)
    classes[: small.shape[0]] = small
    (coarser,) = make_overviews(classes)
    assert coarser.shape == (-(-classes.shape[0] // 2), -(-classes.shape[1] // 2))
    for row, column in np.ndindex((small.shape[0] + 1) // 2, coarser.shape[1]):
        under = classes[2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
        assert coarser[row, column] == vote(under.ravel().tolist())


def test_there_are_overviews_until_one_fits_into_a_tile() -> None:
    shapes = [overview.shape for overview in make_overviews(np.ones((4000, 1025), np.uint8))]
    assert shapes == [(2000, 513), (1000, 257), (500, 129)]
    assert list(make_overviews(np.ones((TILE, TILE), np.uint8))) == []


@pytest.mark.parametrize("shape", [(2048, 1024), (1100, 700), (300, 200)])
def test_a_map_has_the_overviews_that_gdal_makes(tmp_path: Path, shape: tuple[int, int]) -> None:
    classes = patchy(shape)
    geobox = GeoBox(shape, Affine(30, 0, 500_000, 0, -30, 4_000_000), "EPSG:32630")
    write_map(tmp_path / "map.tif", classes, geobox, LEGEND)
    assert [path.name for path in tmp_path.iterdir()] == ["map.tif"]
    plain = {"width": shape[1], "height": shape[0], "count": 1, "dtype": "uint8", "nodata": 0}
    where = {"crs": "EPSG:32630", "transform": geobox.affine}
    with rasterio.open(tmp_path / "gdal.tif", "w", **plain, **where) as file:
        file.write(classes, 1)
    with rasterio.open(tmp_path / "map.tif") as file:
        levels = file.overviews(1)
        np.testing.assert_array_equal(file.read(1), classes)
        assert file.colormap(1)[1] == LEGEND.colormap()[1]
    with rasterio.open(tmp_path / "gdal.tif", "r+") as file:
        if levels:
            file.build_overviews(levels, Resampling.mode)
    for level in range(len(levels)):
        ours, theirs = (
            rasterio.open(tmp_path / name, overview_level=level).read(1) for name in ("map.tif", "gdal.tif")
        )
        np.testing.assert_array_equal(ours, theirs)
