"""The legend of the demonstration landscape."""

from __future__ import annotations

from typing import Any, Final

FOREST, GRASSLAND, CROPLAND, BUILT, WETLAND, WATER, BARE = range(1, 8)
NODATA: Final = 0

# Muted; apart in greyscale, and under protanopia, deuteranopia and tritanopia by a CIE difference of 15 at least.
_ROWS: Final = (
    (FOREST, "forest", "Forest", "Bosque", "#4b6a3c", "Forest land", "Tree-covered"),
    (GRASSLAND, "grassland", "Grassland and shrub", "Pastizal y matorral", "#bdd492", "Grassland", "Grassland"),
    (CROPLAND, "cropland", "Cropland", "Cultivos", "#cfa84a", "Cropland", "Cropland"),
    (BUILT, "built", "Built", "Edificado", "#ae626c", "Settlements", "Artificial"),
    (WETLAND, "wetland", "Wetland", "Humedal", "#6f9dae", "Wetlands", "Wetland"),
    (WATER, "water", "Water", "Agua", "#2c4674", "Wetlands", "Water body"),
    (BARE, "bare", "Bare rock and scree", "Roca y pedrera", "#f0e9da", "Other land", "Other land"),
)


def describe_legend() -> dict[str, Any]:
    """Return the legend as the JSON that `catalog.legend.Legend.from_json` reads."""
    fields = ("value", "name", "title", "colour", "ipcc6", "unccd7")
    classes = [
        dict(zip(fields, (value, name, {"en": english, "es": spanish}, *rest), strict=True))
        for value, name, english, spanish, *rest in _ROWS
    ]
    return {"nodata": NODATA, "classes": classes}


def name_of(value: int) -> str:
    """Return the name of a class, as scenario files use it."""
    return next(name for row_value, name, *_ in _ROWS if row_value == value)
