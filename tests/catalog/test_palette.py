"""Colours chosen for classes: told apart in greyscale and by the colour-blind, and right by meaning."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.palette import choose_colours, find_kind, lightness

MAIN = ("water", "forest", "built", "wetland", "shrub", "crop", "grass", "bare", "other")
# Machado, Oliveira and Fernandes 2009, severity 1: what is seen without the long or the medium cones.
BLINDNESS = {
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
}
# From linear sRGB to CIE XYZ over the white of D65 (IEC 61966-2-1).
TO_XYZ = np.array([[0.4339, 0.3762, 0.1899], [0.2126, 0.7152, 0.0722], [0.0177, 0.1095, 0.8728]])


def to_lab(linear: np.ndarray) -> np.ndarray:
    ratio = TO_XYZ @ np.clip(linear, 0, 1)
    x, y, z = np.where(ratio > 0.008856, np.cbrt(ratio), 7.787 * ratio + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def to_linear(colour: str) -> np.ndarray:
    parts = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


@pytest.mark.parametrize("kind", BLINDNESS)
def test_main_classes_are_told_apart_by_the_colour_blind(kind: str) -> None:
    seen = {name: to_lab(np.array(BLINDNESS[kind]) @ to_linear(colour)) for name, colour in choose(MAIN).items()}
    for one, other in combinations(MAIN, 2):
        assert np.linalg.norm(seen[one] - seen[other]) > 9, (one, other)


def test_main_classes_are_told_apart_in_greyscale() -> None:
    shades = sorted(lightness(colour) for colour in choose(MAIN).values())
    assert min(np.diff(shades)) >= 3.5


@pytest.mark.parametrize("name", MAIN)
def test_colours_are_muted(name: str) -> None:
    _, a, b = to_lab(to_linear(choose([name])[name]))
    assert np.hypot(a, b) < 60


def test_lightness_is_that_of_cie() -> None:
    for colour in ("#000000", "#808080", "#ffffff", "#45714b"):
        assert lightness(colour) == pytest.approx(to_lab(to_linear(colour))[0], abs=0.05)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("tree-cover-flooded", "wetland"),
        ("permanent-water-bodies", "water"),
        ("seasonal-grassland", "grass"),
        ("rice-paddy", "crop"),
        ("iceland-moss", "grass"),
        ("snow-ice", "snow"),
        ("non-forest", "other"),
        ("oil-palm", "plantation"),
        ("open-forest", "forest"),
        ("built_area", "built"),
        ("class-7", "other"),
    ],
)
def test_kinds_are_told_from_names(name: str, kind: str) -> None:
    assert find_kind(name).name == kind


@settings(deadline=None)
@given(st.lists(st.sampled_from([*MAIN, *(f"{name}-2" for name in MAIN), "x", "y"]), max_size=20, unique=True))
def test_no_two_chosen_colours_are_alike(names: list[str]) -> None:
    shades = sorted(lightness(colour) for colour in choose(names).values())
    assert all(step >= 0.5 for step in np.diff(shades))


def test_given_colours_are_kept_and_kept_clear_of() -> None:
    forest = find_kind("forest").colour
    chosen = choose_colours(["marked", "forest"], {"marked": forest})
    assert chosen["marked"] == forest
    assert abs(lightness(chosen["forest"]) - lightness(forest)) >= 4


def choose(names: list[str] | tuple[str, ...]) -> dict[str, str]:
    return choose_colours(list(names), {})
