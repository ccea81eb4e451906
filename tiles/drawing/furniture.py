"""What stands beside a map on paper: legend, scale bar and north arrow."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from PIL import Image, ImageDraw
from pyproj import CRS, Geod, Transformer

from tiles.drawing.lettering import choose_drawable, load_font, shorten
from tiles.reading.view import View

INK: Final = "#2b2a27"
MUTED: Final = "#6f6b62"
LINE: Final = "#c9c5bb"
_GEOD: Final = Geod(ellps="WGS84")
LINE_HEIGHT: Final = 1.55
_SWATCH: Final = (1.7, 1.1)
_FINER: Final = 4
_SMALLEST: Final = 12
Place = tuple[float, float]


def draw_legend(
    image: Image.Image, box: tuple[float, float, float, float], legend: Mapping[str, Any], size: int
) -> None:
    """Draw what a legend describes, in as many columns as it needs.

    Parameters
    ----------
    image : Image
    box : tuple of float
        left, top, right, bottom in pixels: the room there is.
    legend : mapping
        See `tiles.drawing.legends.describe`.
    size : int
        Of the letters, in pixels; smaller if there are many classes.
    """
    if legend["stops"]:
        _draw_ramp(image, box, legend, size)
        return
    rows, columns, size = arrange_legend(legend, box[2] - box[0], box[3] - box[1], size)
    font, pen = load_font(size), ImageDraw.Draw(image)
    step, across = size * LINE_HEIGHT, (box[2] - box[0]) / columns
    width, height = size * _SWATCH[0], size * _SWATCH[1]
    for number, entry in enumerate(legend["classes"]):
        left, middle = box[0] + number // rows * across, box[1] + (number % rows + 0.5) * step
        swatch = (left, middle - height / 2, left + width, middle + height / 2)
        pen.rectangle(swatch, fill=entry["colour"], outline=LINE)
        label = choose_drawable(str(entry["label"]), str(entry["name"]), font)
        room = across - width - size * 1.2
        pen.text((left + width + size * 0.55, middle), shorten(label, font, room), fill=INK, font=font, anchor="lm")


def arrange_legend(legend: Mapping[str, Any], width: float, height: float, size: int) -> tuple[int, int, int]:
    """Return rows, columns and the size of letters with which a legend fits into so many pixels.

    The letters get smaller until all labels fit whole; from the smallest on they are cut.
    """
    classes = len(legend["classes"])
    if not classes:
        return 2, 1, size
    for letters in range(size, _SMALLEST - 1, -1):
        font = load_font(letters)
        longest = max(font.getlength(str(entry["label"])) for entry in legend["classes"])
        columns = min(max(1, int(width / (longest + letters * (_SWATCH[0] + 1.4)))), classes)
        rows = math.ceil(classes / columns)
        if rows * letters * LINE_HEIGHT <= height:
            return rows, columns, letters
    rows = max(1, int(height / (_SMALLEST * LINE_HEIGHT)))
    return rows, math.ceil(classes / rows), _SMALLEST


def draw_scale_bar(image: Image.Image, corner: Place, view: View, most: float, size: int) -> None:
    """Draw a bar of a round length on the ground, as long as there is room or shorter.

    Parameters
    ----------
    image : Image
    corner : tuple of float
        Upper left.
    view : View
        Of the map, drawn pixel by pixel.
    most : float
        Pixels.
    size : int
        Of the letters.
    """
    metre = 1 / measure_pixel(view)
    length = round_down(most / metre)
    pen, font = ImageDraw.Draw(image), load_font(size)
    left, top = corner
    width, height = length * metre, max(4, size // 3)
    for part in range(4):
        colour = INK if part % 2 == 0 else "#ffffff"
        pen.rectangle(
            (left + width * part / 4, top, left + width * (part + 1) / 4, top + height), fill=colour, outline=INK
        )
    unit, name = (1000, "km") if length >= 1000 else (1, "m")
    base = top + height + size * 1.15
    for share in (0, 0.5, 1):
        number = f"{length * share / unit:g}"
        start = left + width * share - (font.getlength(number) / 2 if share else 0)
        pen.text((start, base), number + (f" {name}" if share == 1 else ""), fill=INK, font=font, anchor="ls")


def draw_north(image: Image.Image, middle: Place, view: View, size: int) -> None:
    """Draw an arrow to the north, as it lies in the middle of a map; above it stands N."""
    turn = find_north(view)
    side = size * 3
    canvas = Image.new("RGBA", (side * _FINER, side * _FINER), (255, 255, 255, 0))
    pen = ImageDraw.Draw(canvas)
    half = side * _FINER / 2
    for sign, colour in ((-1, INK), (1, "#ffffff")):
        points = [(0.0, -0.62), (sign * 0.34, 0.5), (0.0, 0.28)]
        pen.polygon([_turn(x * half, y * half, turn, half) for x, y in points], fill=colour, outline=INK, width=_FINER)
    letter = _turn(0, -half * 0.84, turn, half)
    pen.text(letter, "N", fill=INK, font=load_font(round(size * 0.72) * _FINER, "Semibold"), anchor="mm")
    canvas = canvas.resize((side, side), Image.Resampling.LANCZOS)
    image.paste(canvas, (round(middle[0] - side / 2), round(middle[1] - side / 2)), canvas)


def measure_pixel(view: View) -> float:
    """Return how many metres a pixel in the middle of a view measures across, on the ellipsoid."""
    left, bottom, right, top = view.bounds
    middle, down, reach = (left + right) / 2, (bottom + top) / 2, (right - left) / 20
    back = Transformer.from_crs(CRS.from_user_input(view.crs), 4326, always_xy=True)
    lon, lat = back.transform([middle - reach, middle + reach], [down, down])
    return float(_GEOD.inv(lon[0], lat[0], lon[1], lat[1])[2]) / (2 * reach) * (right - left) / view.width


def find_north(view: View) -> float:
    """Return by what angle, in radians clockwise, the north in the middle of a view is off from upwards."""
    left, bottom, right, top = view.bounds
    crs = CRS.from_user_input(view.crs)
    x, y = (left + right) / 2, (bottom + top) / 2
    lon, lat = Transformer.from_crs(crs, 4326, always_xy=True).transform(x, y)
    north = min(lat + 1e-4, 90.0)
    to_map = Transformer.from_crs(4326, crs, always_xy=True)
    # Both by the same way: a view beyond the edge of the map has its middle a turn aside.
    here, there = to_map.transform(lon, lat), to_map.transform(lon, north)
    return math.atan2(there[0] - here[0], there[1] - here[1])


def round_down(length: float) -> float:
    """Return the greatest of 1, 2, 5, 10, 20 … (and their parts) that is no more than a length.

    Examples
    --------
    >>> [round_down(each) for each in (7300, 1999, 0.4)]
    [5000.0, 1000.0, 0.2]
    """
    power = 10.0 ** math.floor(math.log10(length))
    return max(step * power for step in (1, 2, 5) if step * power <= length)


def _turn(x: float, y: float, angle: float, half: float) -> Place:
    return half + x * math.cos(angle) - y * math.sin(angle), half + x * math.sin(angle) + y * math.cos(angle)


def _draw_ramp(
    image: Image.Image, box: tuple[float, float, float, float], legend: Mapping[str, Any], size: int
) -> None:
    """Draw the colours as one bar, with the values below."""
    pen, font, stops = ImageDraw.Draw(image), load_font(size), legend["stops"]
    left, top, width, height = box[0], box[1] + size * 0.3, min(box[2] - box[0], size * 16), size * 1.1
    colours = [tuple(bytes.fromhex(stop["colour"][1:])) for stop in stops]
    for pixel in range(round(width)):
        place = pixel / width * (len(colours) - 1)
        first, share = min(int(place), len(colours) - 2), place - min(int(place), len(colours) - 2)
        mixed = tuple(round(a + (b - a) * share) for a, b in zip(colours[first], colours[first + 1], strict=True))
        pen.line((left + pixel, top, left + pixel, top + height), fill=mixed)
    pen.rectangle((left, top, left + width, top + height), outline=LINE)
    for number, anchor in ((0, "ls"), (len(stops) // 2, "ms"), (len(stops) - 1, "rs")):
        place = left + width * number / (len(stops) - 1)
        pen.text((place, top + height + size * 1.2), stops[number]["label"], fill=INK, font=font, anchor=anchor)
