from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from datacommons.demo.texture import count_around, draw_parcels, spectral_field


def generator() -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(5))


@pytest.mark.parametrize("radius", [1, 3])
def test_counts_around_equal_a_plain_convolution(radius: int) -> None:
    mask = generator().random((40, 31)) < 0.4
    width = 2 * radius + 1
    expected = ndimage.convolve(mask.astype(np.int64), np.ones((width, width), np.int64), mode="constant")
    np.testing.assert_array_equal(count_around(mask, radius), expected)


def test_parcels_cover_the_grid_and_have_about_the_size_asked_for() -> None:
    parcel, count = draw_parcels(generator(), (120, 90), 25.0)
    sizes = np.bincount(parcel.ravel(), minlength=count)
    assert parcel.min() >= 0
    assert parcel.max() < count
    assert sizes[sizes > 0].mean() == pytest.approx(25.0, rel=0.25)


def test_a_steeper_spectrum_gives_a_smoother_field() -> None:
    rough, calm = (spectral_field(generator(), (128, 128), slope) for slope in (2.0, 4.0))
    assert np.abs(np.diff(calm)).mean() < 0.5 * np.abs(np.diff(rough)).mean()
    assert rough.std() == pytest.approx(1.0, abs=1e-3)
    assert (rough * 2**16 % 1 == 0).all()
