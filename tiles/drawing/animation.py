"""The years of a run one after the other, as one moving picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from tiles.drawing.lettering import choose_drawable, load_font, shorten
from tiles.drawing.maps import lay_over, paint_map
from tiles.drawing.picture import Picture
from tiles.drawing.sheets import Sheet
from tiles.errors import LayerNotDrawable
from tiles.reading.pool import DatasetPool
from tiles.reading.view import View

ANIMATED_TYPES: Final = {"apng": "image/apng", "webp": "image/webp"}
BAND: Final = 44
"""Pixels above the map, where the year stands: no label hides a cell or mixes with its colour."""

_LAND: Final = (244, 242, 236, 255)
_INK: Final = np.array([43, 42, 39])
_PAPER: Final = np.array([255, 255, 255])
# Shades of the letters; the colours of the classes need the rest of a palette.
_SHADES: Final = 16
_FRAME_MS: Final = 450
_LAST_MS: Final = 1_800


@dataclass(frozen=True)
class Moment:
    """A frame.

    Attributes
    ----------
    sheet : Sheet
        Classified.
    label : str
        Its year.
    note : str
        Beside it, where there is room.
    """

    sheet: Sheet
    label: str
    note: str


def draw_animation(moments: Sequence[Moment], view: View, output_format: str, pool: DatasetPool) -> bytes:
    """Draw the frames, without loss: every colour is exactly one of the legend, or of the band above.

    Parameters
    ----------
    moments : sequence of Moment
        In their order; all of one legend.
    view : View
    output_format : {"apng", "webp"}
    pool : DatasetPool

    Raises
    ------
    LayerNotDrawable
        If there are more classes than a palette has room for.
    """
    frames = [_draw_frame(moment, view, (number + 1) / len(moments), pool) for number, moment in enumerate(moments)]
    durations = [_FRAME_MS] * (len(frames) - 1) + [_LAST_MS]
    file = BytesIO()
    first, *others = frames
    how = {"save_all": True, "append_images": others, "duration": durations, "loop": 0}
    if output_format == "apng":
        first.save(file, "PNG", **how)
    else:
        first.convert("RGB").save(file, "WEBP", lossless=True, quality=50, method=2, **how)
    return file.getvalue()


def _draw_frame(moment: Moment, view: View, share: float, pool: DatasetPool) -> Image.Image:
    picture = paint_map(moment.sheet, view, pool)
    palette = lay_over(picture.palette, _LAND)
    if len(palette) + _SHADES > 256:
        raise LayerNotDrawable("The map has more classes than an animation can show.")
    band = _draw_band(moment, view.width, share)
    levels = np.rint(band / 255 * (_SHADES - 1)).astype(np.uint8)
    steps = np.linspace(0, 1, _SHADES)[:, None]
    shades = np.rint(_INK * (1 - steps) + _PAPER * steps).astype(np.uint8)
    return _join(Picture(picture.indices, palette), levels, shades)


def _join(picture: Picture, levels: NDArray[np.uint8], shades: NDArray[np.uint8]) -> Image.Image:
    """Put a band, (y, x) of rows of shades, above a picture."""
    first = 256 - len(shades)
    image = Image.fromarray(np.concatenate([levels + np.uint8(first), picture.indices]))
    colours = np.zeros((256, 3), np.uint8)
    colours[: len(picture.palette)] = picture.palette[:, :3]
    colours[first:] = shades
    image.putpalette(colours.tobytes())
    return image


def _draw_band(moment: Moment, width: int, share: float) -> NDArray[np.uint8]:
    """Draw the year, and how far it is, (y, x) uint8 from ink to paper."""
    band = Image.new("L", (width, BAND), 255)
    pen, large, small = ImageDraw.Draw(band), load_font(30, "Semibold"), load_font(17)
    pen.text((8, 31), moment.label, fill=0, font=large, anchor="ls")
    used = 8 + large.getlength(moment.label) + 12
    note = shorten(choose_drawable(moment.note, "", small), small, width - used - 8)
    if len(note) > 1:
        pen.text((width - 8, 30), note, fill=110, font=small, anchor="rs")
    pen.rectangle((0, BAND - 4, width, BAND - 1), fill=220)
    pen.rectangle((0, BAND - 4, round(width * share), BAND - 1), fill=60)
    return np.asarray(band)
