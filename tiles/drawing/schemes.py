"""In which classes and colours a legend is shown: its own, safe ones, greys, or the categories of a convention."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final

import numpy as np

from catalog.legend import Legend, LegendClass
from catalog.palette import choose_colours, lightness

Scheme = Callable[[Legend], Mapping[int, LegendClass]]
"""From a legend to the class that is shown for each of its values; several values may share one."""

_DARKEST, _LIGHTEST = 40, 235

# Chapter 3 of volume 4 of the 2006 IPCC Guidelines; colours by the palette that all share, but for wetlands and water.
_IPCC6: Final = (
    ("forest-land", "Forest land", {"es": "Tierras forestales", "fr": "Terres forestières", "pt": "Terras florestais"}),
    ("cropland", "Cropland", {"es": "Tierras de cultivo", "fr": "Terres cultivées", "pt": "Terras de cultivo"}),
    ("grassland", "Grassland", {"es": "Pastizales", "fr": "Prairies", "pt": "Pastagens"}),
    ("wetlands", "Wetlands", {"es": "Humedales", "fr": "Terres humides", "pt": "Zonas úmidas"}),
    ("settlements", "Settlements", {"es": "Asentamientos", "fr": "Établissements", "pt": "Assentamentos"}),
    ("other-land", "Other land", {"es": "Otras tierras", "fr": "Autres terres", "pt": "Outras terras"}),
)
# Good Practice Guidance, SDG indicator 15.3.1, version 2.
_UNCCD7: Final = (
    ("tree-covered", "Tree-covered", {"es": "Áreas arboladas", "fr": "Zones arborées", "pt": "Áreas arborizadas"}),
    ("grassland", "Grassland", {"es": "Pastizales", "fr": "Prairies", "pt": "Pastagens"}),
    ("cropland", "Cropland", {"es": "Tierras de cultivo", "fr": "Terres cultivées", "pt": "Terras de cultivo"}),
    ("wetland", "Wetland", {"es": "Humedales", "fr": "Zones humides", "pt": "Zonas úmidas"}),
    ("artificial", "Artificial", {"es": "Áreas artificiales", "fr": "Zones artificielles", "pt": "Áreas artificiais"}),
    ("other-land", "Other land", {"es": "Otras tierras", "fr": "Autres terres", "pt": "Outras terras"}),
    ("water-body", "Water body", {"es": "Cuerpos de agua", "fr": "Plans d'eau", "pt": "Corpos d'água"}),
)


def keep_colours(legend: Legend) -> Mapping[int, LegendClass]:
    """Show every class as the legend has it."""
    return {entry.value: entry for entry in legend}


@lru_cache(maxsize=64)
def choose_safe_colours(legend: Legend) -> Mapping[int, LegendClass]:
    """Show every class in a colour that differs in lightness from the others', whoever looks at it."""
    colours = choose_colours(legend.names, {})
    return {entry.value: dataclasses.replace(entry, colour=colours[entry.name]) for entry in legend}


@lru_cache(maxsize=64)
def choose_greys(legend: Legend) -> Mapping[int, LegendClass]:
    """Show the classes in even steps of grey, in the order of their colours' lightness."""
    ordered = sorted(legend, key=lambda entry: (lightness(entry.colour), entry.value))
    steps = np.rint(np.linspace(_DARKEST, _LIGHTEST, len(legend))).astype(int)
    return {
        entry.value: dataclasses.replace(entry, colour=f"#{grey:02x}{grey:02x}{grey:02x}")
        for entry, grey in zip(ordered, steps, strict=True)
    }


@lru_cache(maxsize=64)
def group_by_ipcc(legend: Legend) -> Mapping[int, LegendClass]:
    """Show the six land categories of the IPCC."""
    known = _number(_IPCC6)
    return {entry.value: known[_key(entry.ipcc6)] for entry in legend}


@lru_cache(maxsize=64)
def group_by_unccd(legend: Legend) -> Mapping[int, LegendClass]:
    """Show the seven land-cover classes of the UNCCD."""
    known = _number(_UNCCD7)
    return {entry.value: known[_key(entry.unccd7)] for entry in legend}


def has_ipcc(legend: Legend) -> bool:
    """Tell whether every class is in one of the categories of the IPCC."""
    return {_key(entry.ipcc6) for entry in legend} <= {name for name, _, _ in _IPCC6}


def has_unccd(legend: Legend) -> bool:
    """Tell whether every class is in one of the classes of the UNCCD."""
    return {_key(entry.unccd7) for entry in legend} <= {name for name, _, _ in _UNCCD7}


def _key(category: str | None) -> str:
    return (category or "").strip().lower().replace(" ", "-")


def _number(categories: tuple[tuple[str, str, dict[str, str]], ...]) -> dict[str, LegendClass]:
    colours = choose_colours([name for name, _, _ in categories], {})
    return {
        name: LegendClass(value, name, {"en": english, **titles}, colours[name])
        for value, (name, english, titles) in enumerate(categories, start=1)
    }
