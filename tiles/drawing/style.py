"""Named styles: how a layer becomes a picture. Clients choose one by name and send no colours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rio_tiler.types import WarpResampling

from catalog.legend import Legend
from tiles.drawing.picture import Picture
from tiles.drawing.relief import RELIEF_PALETTE, exaggerate, shade
from tiles.drawing.schemes import (
    Scheme,
    choose_greys,
    choose_safe_colours,
    group_by_ipcc,
    group_by_unccd,
    has_ipcc,
    has_unccd,
    keep_colours,
)
from tiles.errors import UnknownStyle
from tiles.reading.cells import Cells
from tiles.routes.layer import Layer, Spread

# From paper to deep teal in even steps of lightness: legible in print and to the colour-blind.
RAMP: Final = ("#f3f0e7", "#d0dad0", "#a3bfb9", "#6c9a9b", "#2f636c")
_NOTHING_KNOWN: Final = Spread(0.0, 1.0, 1.0)


@dataclass(frozen=True)
class Ground:
    """What a tile measures on the ground.

    Attributes
    ----------
    pixel_size_m : float
    extent_m : float
        Side of the whole layer.
    """

    pixel_size_m: float
    extent_m: float


@dataclass(frozen=True)
class Style:
    """A way to draw a layer.

    Attributes
    ----------
    name : str
        As in ``?style=``.
    title : mapping of str to str
        Language to the name shown to people.
    suits : callable
        Tells whether a layer can be drawn so.
    paint : callable
        From cells, layer and ground to a picture.
    resampling : str
        How the cells are read.
    buffer : int
        Pixels around a tile that painting it needs.
    scheme : callable or None
        Which classes a classified layer is shown in.
    """

    name: str
    title: Mapping[str, str] = field(hash=False)
    suits: Callable[[Layer], bool]
    paint: Callable[[Cells, Layer, Ground], Picture]
    resampling: WarpResampling = "nearest"
    buffer: int = 0
    scheme: Scheme | None = None


def choose_style(layer: Layer, name: str | None = None) -> Style:
    """Return the style of a name, or the layer's default one.

    Raises
    ------
    UnknownStyle
        If there is none of this name, or it does not suit the layer.
    """
    suiting = suiting_styles(layer)
    if name is None:
        return suiting[0]
    for style in suiting:
        if style.name == name:
            return style
    names = ", ".join(style.name for style in suiting)
    raise UnknownStyle(f"There is no style {name!r} for this layer. Choose one of: {names}.")


def suiting_styles(layer: Layer) -> tuple[Style, ...]:
    """Return the styles a layer can be drawn in, its default first."""
    return tuple(style for style in STYLES.values() if style.suits(layer))


@lru_cache(maxsize=256)
def class_palette(legend: Legend, scheme: Scheme) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return a palette of one transparent row and one for each class, and the row of every pixel value, (256,)."""
    shown = scheme(legend)
    places = {name: n for n, name in enumerate(dict.fromkeys(entry.name for entry in shown.values()), start=1)}
    palette = np.zeros((len(places) + 1, 4), dtype=np.uint8)
    row = np.zeros(256, dtype=np.uint8)
    for value, entry in shown.items():
        row[value] = places[entry.name]
        palette[row[value]] = (*entry.rgb, 255)
    return palette, row


def ramp_palette() -> NDArray[np.uint8]:
    """Return the default ramp, (256, 4) uint8: row 0 transparent, rows 1 to 255 from low to high."""
    stops = np.array([[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in RAMP])
    places = np.linspace(1, 255, len(RAMP))
    palette = np.zeros((256, 4))
    palette[1:, 3] = 255
    for band in range(3):
        palette[1:, band] = np.interp(np.arange(1, 256), places, stops[:, band])
    return np.rint(palette).astype(np.uint8)


def _paint_classes(scheme: Scheme, cells: Cells, layer: Layer, _ground: Ground) -> Picture:
    if layer.legend is None:
        raise UnknownStyle("This layer has no classes: draw it in the style 'continuous'.")
    palette, row = class_palette(layer.legend, scheme)
    return Picture(row.take(cells.classes(layer.legend.nodata)), palette)


def _paint_ramp(cells: Cells, layer: Layer, _ground: Ground) -> Picture:
    spread = layer.spread or _NOTHING_KNOWN
    values = cells.masked()
    share = np.clip((values - spread.low) / (spread.high - spread.low), 0, 1)
    return Picture(np.ma.filled(1 + np.rint(share * 254), 0).astype(np.uint8), ramp_palette())


def _paint_relief(cells: Cells, layer: Layer, ground: Ground) -> Picture:
    spread = layer.spread or _NOTHING_KNOWN
    exaggeration = exaggerate(pixel_size_m=ground.pixel_size_m, extent_m=ground.extent_m, deviation_m=spread.deviation)
    shaded = shade(cells.masked(), pixel_size_m=ground.pixel_size_m, exaggeration=exaggeration)
    return Picture(shaded, RELIEF_PALETTE)


def _is_continuous(layer: Layer) -> bool:
    return layer.legend is None


def _classed(name: str, title: str, scheme: Scheme, suits: Callable[[Legend], bool] | None = None) -> Style:
    """Make a style of a scheme, for layers whose legend suits it."""

    def fits(layer: Layer) -> bool:
        return layer.legend is not None and (suits is None or suits(layer.legend))

    return Style(name, {"en": title}, fits, partial(_paint_classes, scheme), scheme=scheme)


STYLES: Final[Mapping[str, Style]] = MappingProxyType(
    {
        style.name: style
        for style in (
            _classed("legend", "Classes in the colours of the legend", keep_colours),
            _classed("colour-blind", "Classes in colours that the colour-blind tell apart", choose_safe_colours),
            _classed("greyscale", "Classes in greys, for print", choose_greys),
            _classed("ipcc6", "The six land categories of the IPCC", group_by_ipcc, has_ipcc),
            _classed("unccd7", "The seven land-cover classes of the UNCCD", group_by_unccd, has_unccd),
            Style("continuous", {"en": "Values from low to high"}, _is_continuous, _paint_ramp, "bilinear"),
            Style("relief", {"en": "Shaded relief"}, _is_continuous, _paint_relief, "cubic_spline", buffer=1),
        )
    }
)
"""All styles by name; the first that suits a layer is its default."""
