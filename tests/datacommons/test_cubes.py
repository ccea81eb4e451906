"""Cubes of a run: which chunks are written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import zarr

from datacommons.runs.cubes import CubeWriter, _write_plane, open_cube
from tests.scenarios.landscapes import LEGEND, projected_grid

SHAPE = (2100, 1100)  # three by two chunks, the last ones cut


@pytest.mark.parametrize("missing", [[], [(0, 1)], [(0, 0), (1, 0), (1, 1), (2, 1)]])
def test_chunks_of_zeros_are_left_out_of_a_plane(tmp_path: Path, missing: list[tuple[int, int]]) -> None:
    plane = np.random.default_rng(1).integers(1, 9, SHAPE, dtype=np.uint8)
    for y, x in missing:
        plane[1024 * y : 1024 * (y + 1), 1024 * x : 1024 * (x + 1)] = 0
    with CubeWriter(tmp_path / "cube.zarr", projected_grid(SHAPE).geobox, [2020, 2021], LEGEND, {}) as cube:
        array = cube.add("probability", ("time", "class", "y", "x"), {}, chunk=1024)
        _write_plane(array, (1, 2), plane)
    files = {path.relative_to(tmp_path / "cube.zarr/probability/c") for path in tmp_path.rglob("c/1/2/*/*")}
    every = {(y, x) for y in range(3) for x in range(2)}
    assert files == {Path(f"1/2/{y}/{x}") for y, x in every - set(missing)}
    found = zarr.open_group(tmp_path / "cube.zarr", mode="r")["probability"]
    np.testing.assert_array_equal(found[1, 2], plane)
    assert not found[0].any()
    assert open_cube(tmp_path / "cube.zarr").probability.dims == ("time", "class", "y", "x")
