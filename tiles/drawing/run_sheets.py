"""What a run's cubes show as tiles: the chance of a class, how far members agree, and when cells first change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from morecantile import TileMatrixSet
from numpy.typing import NDArray

from catalog.errors import UnknownClass
from tiles.drawing.chance_styles import LIKELIHOOD, choose_chance_style, describe_values, paint_values
from tiles.drawing.legends import choose_title
from tiles.drawing.picture import Picture
from tiles.drawing.sheets import Coverage
from tiles.errors import LayerNotFound, TooMuch, UnknownStyle
from tiles.reading.chances import read_chances
from tiles.reading.cube import Cube
from tiles.reading.placement import place_pixels
from tiles.reading.pool import DatasetPool
from tiles.reading.runs import RunCubes
from tiles.reading.view import View

_MOST_CELLS: Final = 100_000_000
_TITLES: Final[Mapping[str, Mapping[str, str]]] = {
    "probability": {"en": "Share of the members that have the class"},
    LIKELIHOOD: {"en": "How likely the class is"},
    "agreement": {"en": "Share of the members that have the cell's most frequent class"},
    "first-change": {"en": "Mean year of the first change, over the members in which the cell changes"},
}

Cells = tuple[slice, slice]


@dataclass(frozen=True)
class RunSheet:
    """One of the maps that a run's members make together; see `tiles.drawing.sheets.Sheet`.

    Attributes
    ----------
    run : RunCubes
    kind : str
        "probability", "agreement" or "first-change".
    year : int or None
        None for "first-change".
    class_name : str or None
        Of "probability".
    style : str
        One of `tiles.chance_styles.STYLES`.
    """

    run: RunCubes
    kind: str
    year: int | None = None
    class_name: str | None = None
    style: str = "continuous"

    @classmethod
    def of(
        cls,
        run: RunCubes,
        kind: str,
        year: int | None = None,
        class_name: str | None = None,
        style: str | None = None,
    ) -> RunSheet:
        """Check what is asked for.

        Raises
        ------
        LayerNotFound
            If the members have no such year.
        UnknownStyle
            If there is no such class or style, or a class is missing or too many.
        """
        if year is not None and year not in run.probability.years:
            first, last = run.probability.years[0], run.probability.years[-1]
            raise LayerNotFound(f"The members of {run.run_id!r} go from {first} to {last}; there is no {year}.")
        if (kind == "probability") != (class_name is not None):
            raise UnknownStyle(f"Give ?class= with a probability, and only there: {', '.join(run.legend.names)}.")
        try:
            if class_name is not None:
                run.legend.get(class_name)
        except UnknownClass:
            known = ", ".join(run.legend.names)
            raise UnknownStyle(f"There is no class {class_name!r}. Choose one of: {known}.") from None
        return cls(run, kind, year, class_name, choose_chance_style(kind, style))

    @property
    def public(self) -> bool:
        """Whether anybody may see the run."""
        return self.run.public

    @property
    def identity(self) -> tuple[str, ...] | None:
        """The cube, when it was made, and what is shown of it."""
        if not self.run.created:
            return None
        shown = (self.kind, str(self.year), self.class_name or "", self.style)
        return (self.run.sources["probability"], self.run.created, *shown)

    @property
    def edition(self) -> str:
        """When the run was made."""
        return self.run.created

    @property
    def title(self) -> str:
        """The run's, with the class and the year."""
        return ", ".join(str(part) for part in (self.run.title, self.class_name, self.year) if part is not None)

    @property
    def style_title(self) -> Mapping[str, str]:
        """What the colours mean, by language."""
        return _TITLES[self.style if self.style == LIKELIHOOD else self.kind]

    def caption(self, language: str) -> tuple[str, str]:
        """Return the title of the run; the year and the class."""
        entries = [entry for entry in self.run.legend if entry.name == self.class_name]
        shown = [str(self.year)] * (self.year is not None) + [choose_title(entry.title, language) for entry in entries]
        return self.run.title, " · ".join(shown)

    @property
    def moment(self) -> str:
        """The year, or all years of the members."""
        years = self.run.probability.years
        return f"{years[0]}/{years[-1]}" if self.year is None else str(self.year)

    @property
    def projected(self) -> bool:
        """Whether a map of a run is in it."""
        return True

    @property
    def synthetic(self) -> bool:
        """Whether the run is of a generated landscape."""
        return self.run.synthetic

    def is_named_by(self, version: str | None) -> bool:
        """Tell whether an address names this very run."""
        return bool(version) and version == self.edition

    def paint(self, view: View, pool: DatasetPool) -> Picture | None:  # noqa: ARG002 (cubes have a pool of their own)
        """Read the cells under the pixels, and colour their values from low to high."""
        cube = self.run.probability
        columns, rows = place_pixels(view, raster_crs=str(cube.geobox.crs), transform=cube.geobox.affine)
        inside = (columns >= 0) & (columns < cube.geobox.shape.x) & (rows >= 0) & (rows < cube.geobox.shape.y)
        if not inside.any():
            return None
        column, row = columns[inside].astype(np.int32), rows[inside].astype(np.int32)
        top, left = int(row.min()), int(column.min())
        window = slice(top, int(row.max()) + 1), slice(left, int(column.max()) + 1)
        if (window[0].stop - top) * (window[1].stop - left) > _MOST_CELLS:
            raise TooMuch("This tile shows more cells than are read for one. Zoom in.")
        values, known = np.zeros(inside.shape), np.zeros(inside.shape, dtype=bool)
        read, there = self._read_values(cube, window)
        values[inside], known[inside] = read[row - top, column - left], there[row - top, column - left]
        return paint_values(values, known, self._range, self.style)

    def describe(self, language: str, pool: DatasetPool) -> dict[str, Any]:  # noqa: ARG002
        """Describe the colours."""
        unit = None if self.kind == "first-change" else "%"
        return {
            "title": self.title,
            "style": self.kind if self.style == "continuous" else self.style,
            "style_title": choose_title(self.style_title, language),
            "language": language,
            "synthetic": self.synthetic,
            "unit": unit,
            "nodata": None,
            "members": self.run.probability.members,
            **describe_values(self.style, language, self._range, unit),
        }

    def cover(self, matrix_set: TileMatrixSet, pool: DatasetPool) -> Coverage:  # noqa: ARG002
        """Tell where the landscape is."""
        geobox = self.run.probability.geobox
        rows, columns = geobox.shape
        whole = View(str(geobox.crs), geobox.extent.boundingbox.bbox, columns, rows)
        return Coverage.of(whole, matrix_set)

    @property
    def _range(self) -> tuple[float, float]:
        """The values at both ends of the colours."""
        years = self.run.probability.years
        return (years[0], years[-1]) if self.kind == "first-change" else (0.0, 100.0)

    def _read_values(self, cube: Cube, window: Cells) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        if self.kind == "first-change":
            years = cube.read("first_change", *window)
            return years.astype(float), years > 0
        at = cube.years.index(self.year or 0)
        if self.class_name is None:
            most = cube.read("probability", at, slice(None), *window).max(axis=0)
            return most * (100 / cube.members), most > 0
        number = cube.classes.index(self.run.legend.value_of(self.class_name))
        if self.style == LIKELIHOOD:
            chances = read_chances(cube, cube.years[at], *window)[number]
            return 100 * chances, self.run.trajectory.read("land_cover", 0, *window) > 0
        counts = cube.read("probability", at, number, *window)
        return counts * (100 / cube.members), self.run.trajectory.read("land_cover", 0, *window) > 0
