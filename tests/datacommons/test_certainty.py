"""How sure the members are: agreement and entropy against values worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from datacommons.runs.certainty import measure_agreement, measure_chance, measure_entropy


def probability_of(counts: np.ndarray, members: int) -> xr.DataArray:
    """Return counts, (class, cell), as a cube that was read."""
    share = counts[None, :, None, :] * (1 / members)
    return xr.DataArray(share, dims=("time", "class", "y", "x"), attrs={"members": members}).chunk({"class": 1})


def test_agreement_and_entropy_worked_out_by_hand() -> None:
    # Cells: all agree; two to two; two, one and one; no data.
    counts = np.array([[4, 2, 2, 0], [0, 2, 1, 0], [0, 0, 1, 0], [0, 0, 0, 0]])
    probability = probability_of(counts, 4)
    agreement, entropy = measure_agreement(probability), measure_entropy(probability)
    assert agreement.dims == entropy.dims == ("time", "y", "x")
    np.testing.assert_allclose(agreement.values.ravel(), [1, 0.5, 0.5, np.nan])
    # In bits, of log2(4) = 2: 0, 1 and 1/2 · 1 + 2 · 1/4 · 2 = 1.5.
    np.testing.assert_allclose(entropy.values.ravel(), [0, 0.5, 0.75, np.nan])


@pytest.mark.parametrize("measure", [measure_agreement, measure_entropy])
def test_nothing_is_computed_before_it_is_asked_for(measure: object) -> None:
    found = measure(probability_of(np.eye(3), 1))  # type: ignore[operator]
    assert found.chunks is not None
    assert found.attrs["units"] == "1"
    assert found.attrs["long_name"]


def test_equal_shares_of_all_classes_are_the_most_entropy() -> None:
    even = measure_entropy(probability_of(np.array([[10], [10], [10]]), 30))
    np.testing.assert_allclose(even.values, 1, rtol=1e-15)


def test_one_class_leaves_no_doubt() -> None:
    alone = probability_of(np.array([[7, 0]]), 7)
    np.testing.assert_array_equal(measure_entropy(alone).values.ravel(), [0, np.nan])
    np.testing.assert_array_equal(measure_agreement(alone).values.ravel(), [1, np.nan])


@given(arrays(np.uint8, (5, 20), elements=st.integers(0, 51)))
def test_both_are_exact_where_the_members_agree_and_bounded_elsewhere(counts: np.ndarray) -> None:
    members = 255
    counts[0] = members - counts[1:].astype(int).sum(axis=0)
    probability = probability_of(counts, members)
    agreement, entropy = measure_agreement(probability).values, measure_entropy(probability).values
    np.testing.assert_array_equal(agreement.ravel(), counts.max(axis=0) / members)
    np.testing.assert_array_equal(entropy.ravel() == 0, counts.max(axis=0) == members)
    assert (entropy <= 1 + 1e-12).all()


def cube_of(counts: np.ndarray, members: int, **more: tuple[tuple[str, ...], np.ndarray]) -> xr.Dataset:
    """Return counts, (class, cell), for two years as a cube that was read, with classes 1, 2, ..."""
    probability = probability_of(counts, members)
    cube = xr.Dataset({"probability": xr.concat([probability, probability], "time").chunk({"time": 1, "class": 1})})
    cube = cube.assign_coords({"time": [2001, 2002], "class": np.arange(1, len(counts) + 1, dtype=np.uint8)})
    cube.probability.attrs["members"] = members
    return cube.assign({name: xr.DataArray(values, dims=dims).chunk() for name, (dims, values) in more.items()})


def test_chances_are_looked_up_year_by_year() -> None:
    # Cells of class 1: no, one and two of two members change them. The fourth is left to the plan; the last is outside.
    counts = np.array([[2, 1, 0, 1, 0], [0, 1, 2, 1, 0]])
    table = np.full((2, 2, 2, 3), np.nan, np.float32)
    table[0, 0, 1], table[1, 0, 1] = (0.1, 0.2, 0.3), (0.25, 0.5, 0.75)
    chance = measure_chance(
        cube_of(
            counts,
            2,
            recalibrated_class=(("y", "x"), np.array([[1, 1, 1, 0, 0]], np.uint8)),
            recalibration=(("time", "class_at_start", "class", "members_drawn"), table),
        )
    )
    assert chance.dims == ("time", "class", "y", "x")
    assert chance.chunks is not None
    assert chance.dtype == np.float32
    assert chance.attrs["recalibrated"]
    nan = np.nan
    np.testing.assert_allclose(chance.values[0, 1, 0], [0.1, 0.2, 0.3, 0.5, nan], rtol=1e-6)
    np.testing.assert_allclose(chance.values[1, 1, 0], [0.25, 0.5, 0.75, 0.5, nan], rtol=1e-6)
    np.testing.assert_allclose(chance.values.sum(axis=1)[:, 0], [[1, 1, 1, 1, nan]] * 2, rtol=1e-6)


def test_without_a_hindcast_the_chance_is_the_share_and_says_so() -> None:
    chance = measure_chance(cube_of(np.array([[3, 1, 0], [0, 2, 0]]), 3))
    assert not chance.attrs["recalibrated"]
    assert "no hindcast" in chance.attrs["long_name"]
    np.testing.assert_allclose(chance.values[1, :, 0], [[1, 1 / 3, np.nan], [0, 2 / 3, np.nan]], rtol=1e-6)
