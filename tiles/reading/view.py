"""What a picture shows: a rectangle of a projection, in so many pixels."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, Self

from affine import Affine

Bounds = tuple[float, float, float, float]
WGS84: Final = "EPSG:4326"
"""Which is longitude and latitude, in this order."""

# Half the side, in degrees, of the square whose middle is a point.
_POINT: Final = 1e-9


@dataclass(frozen=True)
class View:
    """A rectangle of a projection, and how many pixels show it.

    Attributes
    ----------
    crs : str
        As WKT or authority code.
    bounds : tuple of float
        left, bottom, right, top; left < right and bottom < top.
    width, height : int
        Pixels.
    """

    crs: str
    bounds: Bounds
    width: int
    height: int

    @classmethod
    def at(cls, longitude: float, latitude: float) -> Self:
        """Return the view of one pixel that has a point in its middle."""
        return cls(WGS84, (longitude - _POINT, latitude - _POINT, longitude + _POINT, latitude + _POINT), 1, 1)

    @property
    def pixel(self) -> float:
        """The side of a pixel, in units of the CRS; the mean of both sides where they differ."""
        left, bottom, right, top = self.bounds
        return math.sqrt((right - left) / self.width * ((top - bottom) / self.height))

    @property
    def transform(self) -> Affine:
        """From pixels to the CRS."""
        left, bottom, right, top = self.bounds
        return Affine((right - left) / self.width, 0, left, 0, (bottom - top) / self.height, top)

    def widen(self, pixels: int) -> View:
        """Return the view with pixels added on each side."""
        left, bottom, right, top = self.bounds
        x, y = (right - left) / self.width * pixels, (top - bottom) / self.height * pixels
        bounds = (left - x, bottom - y, right + x, top + y)
        return View(self.crs, bounds, self.width + 2 * pixels, self.height + 2 * pixels)

    def resize(self, width: int, height: int) -> View:
        """Return the same rectangle in other pixels."""
        return replace(self, width=width, height=height)

    def fit(self, most: int) -> View:
        """Return the same rectangle in as many pixels, or fewer, that no side has more than so many."""
        share = min(1.0, most / max(self.width, self.height))
        return self.resize(max(1, round(self.width * share)), max(1, round(self.height * share)))

    def strips(self, most_pixels: int) -> Iterator[View]:
        """Cut it into rows of pixels, from the top, none of more than so many unless one row has them."""
        rows = max(1, most_pixels // self.width)
        left, bottom, right, top = self.bounds
        step = (top - bottom) / self.height
        for first in range(0, self.height, rows):
            last = min(first + rows, self.height)
            yield View(self.crs, (left, top - step * last, right, top - step * first), self.width, last - first)
