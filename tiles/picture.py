"""A painted tile, and the bytes it becomes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from io import BytesIO
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

MEDIA_TYPES: Final = {"png": "image/png", "webp": "image/webp"}


@dataclass(frozen=True, eq=False)
class Picture:
    """An image whose pixels point into a palette, which keeps colours exact and files small.

    Attributes
    ----------
    indices : (y, x) uint8
        For every pixel the row of the palette.
    palette : (n, 4) uint8
        Red, green, blue and alpha; n up to 256. Row 0 is transparent.
    """

    indices: NDArray[np.uint8]
    palette: NDArray[np.uint8]

    @cached_property
    def is_empty(self) -> bool:
        """Whether every pixel is transparent."""
        return not self.palette[:, 3][self.indices].any()


def encode(picture: Picture, output_format: str = "png") -> tuple[bytes, str]:
    """Encode a picture without loss.

    Parameters
    ----------
    picture : Picture
    output_format : {"png", "webp"}
        PNG is written with a palette of 1 to 8 bits, WebP as true colour.

    Returns
    -------
    content : bytes
    media_type : str
    """
    if picture.is_empty:
        return encode_empty(picture.indices.shape, output_format), MEDIA_TYPES[output_format]
    return _encode(picture, output_format), MEDIA_TYPES[output_format]


@lru_cache(maxsize=16)
def encode_empty(shape: tuple[int, ...], output_format: str) -> bytes:
    """Encode a transparent picture of a shape (y, x)."""
    nothing = np.zeros((1, 4), dtype=np.uint8)
    return _encode(Picture(np.zeros(shape, dtype=np.uint8), nothing), output_format)


def _encode(picture: Picture, output_format: str) -> bytes:
    used = picture.palette[: int(picture.indices.max()) + 1]
    height, width = picture.indices.shape
    image = Image.frombytes("P", (width, height), np.ascontiguousarray(picture.indices).tobytes())
    image.putpalette(np.ascontiguousarray(used[:, :3]).tobytes(), "RGB")
    file = BytesIO()
    if output_format == "webp":
        image.info["transparency"] = used[:, 3].tobytes()
        image.convert("RGBA").save(file, "WEBP", lossless=True)
    else:
        image.save(file, "PNG", transparency=used[:, 3].tobytes())
    return file.getvalue()
