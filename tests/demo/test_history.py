from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from catalog.legend import Legend
from datacommons.demo import DemoLandscape
from datacommons.demo.history import CHANGES

PAIRS = range(len(CHANGES))


def transition(landscape: DemoLandscape, number: int) -> tuple[dict[str, Any], int, int]:
    legend = Legend.from_json(landscape.legend)
    truth = landscape.truth["transitions"][number]
    return truth, legend.value_of(truth["source"]), legend.value_of(truth["target"])


def share_around(landscape: DemoLandscape, cover: NDArray[np.uint8], value: int) -> NDArray[np.float64]:
    width = 2 * landscape.truth["neighbourhood_radius_cells"] + 1
    share: NDArray[np.float64] = ndimage.uniform_filter((cover == value).astype(np.float64), width, mode="constant")
    return share


@pytest.mark.parametrize("number", PAIRS)
def test_stated_parameters_give_the_stated_rate_in_the_first_year(landscape: DemoLandscape, number: int) -> None:
    truth, source, target = transition(landscape, number)
    first = landscape.land_cover[0]
    odds = truth["intercept"] + truth["neighbourhood"] * share_around(landscape, first, target)
    for name, weight in truth["drivers"].items():
        odds = odds + weight * landscape.drivers[name]
    chance = 1.0 / (1.0 + np.exp(-odds[first == source]))
    assert chance.mean() == pytest.approx(truth["annual_rate"], rel=0.01)


@pytest.mark.parametrize("number", PAIRS)
def test_observed_change_is_of_the_order_of_the_stated_rate(landscape: DemoLandscape, number: int) -> None:
    truth, source, target = transition(landscape, number)
    first, last = landscape.land_cover[0], landscape.land_cover[-1]
    years = landscape.years[-1] - landscape.years[0]
    rate = (last[first == source] == target).mean() / years
    assert 0.3 * truth["annual_rate"] < rate < 2.5 * truth["annual_rate"]


@pytest.mark.parametrize("number", PAIRS)
def test_change_happens_near_what_it_becomes(landscape: DemoLandscape, number: int) -> None:
    _, source, target = transition(landscape, number)
    first, second = landscape.land_cover[:2]
    around = share_around(landscape, first, target)
    changed, stayed = (first == source) & (second == target), (first == source) & (second == source)
    assert around[changed].mean() > 1.5 * around[stayed].mean()


def test_only_known_transitions_happen_and_water_and_rock_stay(landscape: DemoLandscape) -> None:
    known = {(change.source, change.target) for change in CHANGES}
    reachable = known | {(a, d) for a, b in known for c, d in known if b == c}
    first, second, third = landscape.land_cover
    for before, after in ((first, second), (second, third)):
        pairs = np.unique(np.stack([before, after], axis=-1)[before != after], axis=0)
        assert {(int(a), int(b)) for a, b in pairs} <= reachable
    legend = Legend.from_json(landscape.legend)
    for name in ("water", "bare"):
        value = legend.value_of(name)
        np.testing.assert_array_equal(first == value, third == value)


def test_change_is_large_enough_to_see_and_small_enough_to_recognise_the_place(landscape: DemoLandscape) -> None:
    first, last = landscape.land_cover[0], landscape.land_cover[-1]
    changed = (first != last)[first > 0].mean()
    assert 0.05 < changed < 0.20
