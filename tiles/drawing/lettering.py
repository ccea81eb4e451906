"""Letters on pictures: Source Sans Pro, which comes as a package of its own."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from pathlib import Path
from typing import Final, Literal

import font_source_sans_pro
from PIL import ImageFont

Face = Literal["Regular", "Semibold", "It"]
_FOLDER: Final = Path(font_source_sans_pro.font_directory)
_UNKNOWN: Final = "\U0010ffff"


@lru_cache(maxsize=64)
def load_font(size: int, face: Face = "Regular") -> ImageFont.FreeTypeFont:
    """Return the font at a size in pixels."""
    return ImageFont.truetype(_FOLDER / f"SourceSansPro-{face}.ttf", size)


def choose_drawable(text: str, otherwise: str, font: ImageFont.FreeTypeFont) -> str:
    """Return a text if the font has all its letters; else without accents; else another one."""
    plain = "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
    for candidate in (unicodedata.normalize("NFC", text), plain):
        if all(char.isspace() or _has(font, char) for char in candidate):
            return candidate
    return otherwise


def wrap(text: str, font: ImageFont.FreeTypeFont, width: float) -> list[str]:
    """Break a text into lines no wider than so many pixels; a longer word has a line of its own."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and font.getlength(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def shorten(text: str, font: ImageFont.FreeTypeFont, width: float) -> str:
    """Cut a text that is wider than so many pixels, and say so by dots."""
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(f"{text}…") > width:
        text = text[:-1]
    return f"{text.rstrip()}…"


@lru_cache(maxsize=4096)
def _has(font: ImageFont.FreeTypeFont, char: str) -> bool:
    return bytes(font.getmask(char)) != bytes(font.getmask(_UNKNOWN))
