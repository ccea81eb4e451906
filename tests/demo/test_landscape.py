from __future__ import annotations

import hashlib

import numpy as np
import pytest
from scipy import ndimage

from catalog.legend import Legend
from datacommons.demo import DemoLandscape, generate
from datacommons.demo.legend import BARE, BUILT, CROPLAND, FOREST, WATER, WETLAND

# Changes only when the landscape is changed on purpose: the demonstration must be the same everywhere.
LAND_COVER_SHA256 = "7bd7c4ad94322898674d82d83868cc996b99861922d33599d06dd6c011649b0b"
DRIVERS_SHA256 = "a1ca05ff98d7743bda02ab3e58a2d39f5c4afd62fcbc552c40f2842add780d86"


def test_land_cover_is_the_same_on_every_machine(landscape: DemoLandscape) -> None:
    assert hashlib.sha256(landscape.land_cover.tobytes()).hexdigest() == LAND_COVER_SHA256


def test_drivers_are_the_same_on_every_machine(landscape: DemoLandscape) -> None:
    digest = hashlib.sha256()
    for name in sorted(landscape.drivers):
        digest.update(np.nan_to_num(landscape.drivers[name], nan=-9999.0).tobytes())
    assert digest.hexdigest() == DRIVERS_SHA256


def test_same_seed_gives_the_same_landscape_and_another_seed_another(landscape: DemoLandscape) -> None:
    again = generate(shape=landscape.shape)
    other = generate(shape=landscape.shape, seed=7)
    np.testing.assert_array_equal(again.land_cover, landscape.land_cover)
    assert again.zones["river-corridor"].to_json() == landscape.zones["river-corridor"].to_json()
    assert (other.land_cover != landscape.land_cover).mean() > 0.2


@pytest.mark.parametrize(("shape", "seed"), [((200, 200), 2025), ((150, 150), 1), ((160, 240), 2), ((240, 150), 3)])
def test_every_class_is_present_at_every_date(shape: tuple[int, int], seed: int) -> None:
    landscape = generate(shape=shape, seed=seed)
    expected = (0, *Legend.from_json(landscape.legend).values)
    for cover in landscape.land_cover:
        assert tuple(np.unique(cover)) == expected


def test_too_small_a_landscape_is_refused_with_the_size_to_ask_for() -> None:
    with pytest.raises(ValueError, match="149 x 400 cells: ask for at least 150"):
        generate(shape=(149, 400))


def test_grid_and_layers_agree(landscape: DemoLandscape) -> None:
    assert landscape.land_cover.shape == (len(landscape.years), *landscape.shape)
    assert landscape.land_cover.dtype == np.uint8
    inside = landscape.land_cover[0] > 0
    for driver in landscape.drivers.values():
        assert driver.dtype == np.float32
        np.testing.assert_array_equal(np.isfinite(driver), inside)
    assert (landscape.transform.a, landscape.transform.e) == (30.0, -30.0)


def test_rivers_and_lakes_form_one_system_that_leaves_the_landscape(landscape: DemoLandscape) -> None:
    water = landscape.land_cover[0] == WATER
    systems, count = ndimage.label(water)
    frame = np.concatenate([systems[0], systems[-1], systems[:, 0], systems[:, -1]])
    assert count == 1
    assert 1 in frame


def test_basin_is_in_one_piece(landscape: DemoLandscape) -> None:
    assert ndimage.label(landscape.land_cover[0] > 0, np.ones((3, 3)))[1] == 1


def test_classes_lie_where_they_belong(landscape: DemoLandscape) -> None:
    cover, drivers = landscape.land_cover[0], landscape.drivers

    def median(driver: str, value: int) -> float:
        return float(np.median(drivers[driver][cover == value]))

    assert median("slope", CROPLAND) < median("slope", FOREST)
    assert median("slope", BUILT) < median("slope", FOREST)
    assert median("elevation", BARE) > median("elevation", FOREST) > median("elevation", WETLAND)
    assert median("distance_to_road", BUILT) < median("distance_to_road", FOREST)
    assert median("distance_to_river", WETLAND) < median("distance_to_river", CROPLAND)


def test_cover_is_patchy_and_not_noise(landscape: DemoLandscape) -> None:
    cover = landscape.land_cover[-1]
    padded = np.pad(cover, 1)
    sides = [padded[1:-1, :-2], padded[1:-1, 2:], padded[:-2, 1:-1], padded[2:, 1:-1]]
    alone = np.all([side != cover for side in sides], axis=0) & (cover > 0)
    assert alone.sum() < 0.01 * (cover > 0).sum()


def test_title_and_zones_say_that_it_is_synthetic(landscape: DemoLandscape) -> None:
    assert "synthetic" in landscape.title
    assert landscape.boundary["synthetic"].all()
    assert all(zone["synthetic"].all() for zone in landscape.zones.values())


def test_zones_lie_inside_the_boundary_and_have_their_area(landscape: DemoLandscape) -> None:
    around = landscape.boundary.geometry.iloc[0].buffer(60.0)
    for zone in landscape.zones.values():
        geometry = zone.geometry.iloc[0]
        assert geometry.is_valid
        assert geometry.within(around)
        assert geometry.area / 1e4 == pytest.approx(zone["area_ha"].iloc[0], abs=0.1)
        assert zone["area_ha"].iloc[0] > 50.0


def test_legend_reads_in_both_languages_and_differs_in_greyscale(landscape: DemoLandscape) -> None:
    legend = Legend.from_json(landscape.legend)
    assert all(set(entry.title) == {"en", "es"} for entry in legend)
    lightness = sorted(_lightness(entry.rgb) for entry in legend)
    assert np.diff(lightness).min() > 7.0


def _lightness(rgb: tuple[int, int, int]) -> float:
    """CIE L* of an sRGB colour."""
    linear = [(value / 255 / 12.92) if value <= 10 else ((value / 255 + 0.055) / 1.055) ** 2.4 for value in rgb]
    luminance = float(np.dot([0.2126, 0.7152, 0.0722], linear))
    lightness: float = 116.0 * luminance ** (1 / 3) - 16.0
    return lightness
