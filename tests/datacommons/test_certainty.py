"""How sure the members are: agreement and entropy against values worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from datacommons.certainty import measure_agreement, measure_entropy


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
