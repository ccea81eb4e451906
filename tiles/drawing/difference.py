"""Two maps compared in one set of tiles: what changed to what, or where a class was gained and lost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
from morecantile import TileMatrixSet
from numpy.typing import NDArray

from catalog.errors import UnknownClass
from catalog.legend import Legend
from tiles.drawing.legends import choose_title, name_class
from tiles.drawing.picture import Picture
from tiles.drawing.sheets import Coverage, find_matrix_set
from tiles.errors import LayerNotDrawable, UnknownStyle
from tiles.reading.pool import DatasetPool
from tiles.reading.reader import read_layer
from tiles.reading.view import View
from tiles.routes.layer import Layer

# Green and purple are told apart by those who see no red or no green; all four differ in lightness, for print.
_GAINED, _LOST, _KEPT, _OTHER = "#4a9a5b", "#63337f", "#dad5ca", "#d6a24a"
_STATES: Final = (
    ("gained", {"en": "Gained", "es": "Ganancia", "fr": "Gagné", "pt": "Ganho"}, _GAINED),
    ("lost", {"en": "Lost", "es": "Pérdida", "fr": "Perdu", "pt": "Perda"}, _LOST),
    ("kept", {"en": "Kept", "es": "Permanencia", "fr": "Conservé", "pt": "Mantido"}, _KEPT),
    (
        "other",
        {"en": "Other change", "es": "Otro cambio", "fr": "Autre changement", "pt": "Outra mudança"},
        _OTHER,
    ),
)
_TITLES: Final[Mapping[str, Mapping[str, str]]] = {
    "changed-to": {"en": "Where the class changes: what it becomes"},
    "changed-from": {"en": "Where the class changes: what it was"},
    "gain-loss": {"en": "Where a class is gained, lost and kept, and where others change"},
}


@dataclass(frozen=True)
class DifferenceSheet:
    """A map compared with another; see `tiles.drawing.sheets.Sheet`.

    Attributes
    ----------
    before, after : Layer
        Classified. Classes are the same where their names are.
    style : str
        "changed-to" or "changed-from": the new or the old class where it changes, nothing elsewhere. "gain-loss":
        where one class is gained, lost and kept, and where other classes change.
    class_name : str or None
        Of "gain-loss".
    """

    before: Layer
    after: Layer
    style: str
    class_name: str | None = None

    @classmethod
    def of(cls, before: Layer, after: Layer, style: str | None, class_name: str | None) -> DifferenceSheet:
        """Compare two layers, in the style that suits what is asked for.

        Raises
        ------
        LayerNotDrawable
            If they are not classified, or have no class in common.
        UnknownStyle
            If there is no such style or class.
        """
        chosen = style or ("gain-loss" if class_name else "changed-to")
        if chosen not in _TITLES:
            raise UnknownStyle(f"There is no style {chosen!r} for a difference. Choose one of: {', '.join(_TITLES)}.")
        if (chosen == "gain-loss") != (class_name is not None):
            raise UnknownStyle("The style 'gain-loss' shows one class and the others show all: give ?class= with it.")
        legend = _legend_of(after)
        if not set(legend.names) & set(_legend_of(before).names):
            raise LayerNotDrawable(
                f"The maps have no class in common: {', '.join(legend.names)}; {', '.join(_legend_of(before).names)}."
            )
        if class_name is not None and class_name not in {*legend.names, *_legend_of(before).names}:
            raise UnknownStyle(f"There is no class {class_name!r}. Choose one of: {', '.join(legend.names)}.")
        return cls(before, after, chosen, class_name)

    @property
    def public(self) -> bool:
        """Whether anybody may see both."""
        return self.before.public and self.after.public

    @property
    def identity(self) -> tuple[str, ...] | None:
        """Both files, editions, style and class."""
        if not self.edition:
            return None
        return ("difference", self.before.source, self.after.source, self.edition, self.style, self.class_name or "")

    @property
    def edition(self) -> str:
        """Those of both maps; "" if either is unknown."""
        editions = self.after.edition, self.before.edition
        return ".".join(editions) if all(editions) else ""

    @property
    def title(self) -> str:
        """Both titles."""
        return f"{self.before.title} → {self.after.title}"

    @property
    def style_title(self) -> Mapping[str, str]:
        """How it is drawn, by language."""
        return _TITLES[self.style]

    def caption(self, language: str) -> tuple[str, str]:
        """Return the title, both if they differ; the years, and the class."""
        layers = (self.before, self.after)
        titles = dict.fromkeys(choose_title(each.titles, language) if each.titles else each.title for each in layers)
        shown = [choose_title(self._find(self.class_name).title, language)] if self.class_name else []
        years = dict.fromkeys(each.moment for each in layers if each.moment.isdecimal())
        return " → ".join(titles), " · ".join(filter(None, [" → ".join(years), *shown]))

    @property
    def moment(self) -> str:
        """That of the later map."""
        return self.after.moment

    @property
    def projected(self) -> bool:
        """Whether a map of a run is in it."""
        return bool(self.before.titles or self.after.titles)

    @property
    def synthetic(self) -> bool:
        """Whether either was generated."""
        return self.before.synthetic or self.after.synthetic

    def is_named_by(self, version: str | None) -> bool:
        """Tell whether an address names the versions of both."""
        return bool(version) and version == self.edition

    def paint(self, view: View, pool: DatasetPool) -> Picture | None:
        """Read both and compare cell by cell; a pixel without data in either is transparent."""
        before, after = (self._read(layer, view, pool) for layer in (self.before, self.after))
        if before is None or after is None:
            return None
        known = (before > 0) & (after > 0)
        if self.style == "gain-loss":
            number = self._numbers[self.class_name or ""]
            # 1 = gained, 2 = lost, 3 = kept, 4 = another change: rows of the palette.
            state = (after == number).astype(np.uint8) + 2 * (before == number).astype(np.uint8)
            state = np.where((state == 0) & (before != after), 4, state)
            return Picture(np.where(known, state, 0).astype(np.uint8), _palette(tuple(c for _, _, c in _STATES)))
        shown = after if self.style == "changed-to" else before
        return Picture(np.where(known & (before != after), shown, 0).astype(np.uint8), _palette(self._colours))

    def describe(self, language: str, pool: DatasetPool) -> dict[str, Any]:  # noqa: ARG002 (the legend needs no file)
        """Describe the colours."""
        return {
            "title": self.title,
            "style": self.style,
            "style_title": choose_title(self.style_title, language),
            "language": language,
            "synthetic": self.synthetic,
            "unit": None,
            "nodata": 0,
            "before": self.before.title,
            "after": self.after.title,
            "class": self.class_name,
            "classes": self._describe_states(language) if self.class_name else self._describe_classes(language),
            "stops": [],
        }

    def cover(self, matrix_set: TileMatrixSet, pool: DatasetPool) -> Coverage:
        """Tell where the later map is."""
        with read_layer(self.after, matrix_set, pool) as source:
            return Coverage.of(source.whole, matrix_set)

    def _read(self, layer: Layer, view: View, pool: DatasetPool) -> NDArray[np.uint8] | None:
        """Return for every pixel the number of its class, 0 where there is none."""
        legend = _legend_of(layer)
        with read_layer(layer, find_matrix_set("WebMercatorQuad"), pool) as source:
            cells = source.see(view)
        if cells is None:
            return None
        numbers = np.zeros(256, dtype=np.uint8)
        for entry in legend:
            numbers[entry.value] = self._numbers[entry.name]
        return np.asarray(numbers.take(cells.classes(legend.nodata)))

    @property
    def _numbers(self) -> Mapping[str, int]:
        return _number_classes(_legend_of(self.before), _legend_of(self.after))

    @property
    def _colours(self) -> tuple[str, ...]:
        return tuple(self._find(name).colour for name in self._numbers)

    def _find(self, name: str) -> Any:
        """Return a class as the later map describes it; else as the earlier one does."""
        try:
            return _legend_of(self.after).get(name)
        except UnknownClass:
            return _legend_of(self.before).get(name)

    def _describe_classes(self, language: str) -> list[dict[str, Any]]:
        """Describe the classes that the later map (or the earlier one) can show."""
        shown = _legend_of(self.after if self.style == "changed-to" else self.before)
        return [name_class(self._find(name), language) for name in shown.names]

    def _describe_states(self, language: str) -> list[dict[str, Any]]:
        name = choose_title(self._find(self.class_name or "").title, language)
        return [
            {
                "value": number,
                "name": state,
                "title": {tag: f"{name}: {text}" for tag, text in titles.items()},
                "label": f"{name}: {choose_title(titles, language)}",
                "colour": colour,
            }
            for number, (state, titles, colour) in enumerate(_STATES, start=1)
        ]


def _legend_of(layer: Layer) -> Legend:
    if layer.legend is None:
        raise LayerNotDrawable(f"{layer.item_id!r} is not classified: only classes can be compared.")
    return layer.legend


@lru_cache(maxsize=64)
def _number_classes(before: Legend, after: Legend) -> Mapping[str, int]:
    """Give the classes of both legends numbers from 1, by name; those of the later map first."""
    names = dict.fromkeys((*after.names, *before.names))
    if len(names) > 255:
        raise LayerNotDrawable("The maps have more than 255 classes between them.")
    return {name: number for number, name in enumerate(names, start=1)}


@lru_cache(maxsize=64)
def _palette(colours: tuple[str, ...]) -> NDArray[np.uint8]:
    """Return a palette: row 0 transparent, then the colours."""
    rows = [(0, 0, 0, 0), *((*bytes.fromhex(colour[1:]), 255) for colour in colours)]
    return np.array(rows, dtype=np.uint8)
